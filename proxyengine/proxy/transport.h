#pragma once

#include "proxyengine/base/handles.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/sockets.h"
#include "proxyengine/proxy/byte_stream.h"
#include "proxyengine/tls/stream.h"

#include <array>
#include <cstdint>
#include <memory>
#include <span>

namespace mesh::proxy {

// A connected socket, plain or under TLS, or a stream that is no socket, with one set of words for
// all.
//
// After a step, mayHaveMore says whether calling again without a new event can bring anything.
class Transport
{
public:
    Transport() = default;
    explicit Transport(FileDescriptor socket)
        : m_socket(std::move(socket))
    {}
    explicit Transport(std::unique_ptr<ByteStream> stream)
        : m_stream(std::move(stream))
        , m_kind(Kind::Stream)
    {}

    void setTls(std::unique_ptr<tls::TlsStream> stream);

    enum class Handshake : std::uint8_t { Done, Waiting, Failed };
    [[nodiscard]] Handshake handshake(); // Done at once on plain connections.
    [[nodiscard]] bool isHandshaking() const { return m_isHandshaking; }

    // An edge said that the peer will send no more: the end lies behind what can still be read, and
    // no further edge will announce it.
    void noteReady(net::Ready ready)
    {
        if (ready.hasPeerEnded()) {
            notePeerEnded();
        }
    }

    struct Step
    {
        net::IoStatus status;
        std::size_t count = 0;
        bool mayHaveMore = false;
    };
    [[nodiscard]] Step read(std::span<char> buffer);
    // Small parts share a TLS record. What was offered once and not taken must be offered again
    // before anything else, though not in the same parts.
    [[nodiscard]] Step write(std::span<const iovec> parts);

    void shutdownWrite();
    void close();

    [[nodiscard]] int descriptor() const { return m_socket.get(); } // -1: it is no socket.
    [[nodiscard]] bool isOpen() const { return m_socket.isOpen() || m_stream != nullptr; }
    // Of the connection that carries it, when it is a stream.
    [[nodiscard]] const tls::TlsStream* tls() const
    {
        return m_stream != nullptr ? m_stream->tls() : m_tls.get();
    }
    [[nodiscard]] ByteStream* stream() const { return m_stream.get(); } // Null: it is a socket.

private:
    enum class Kind : std::uint8_t { Plain, Tls, Stream };
    static constexpr std::size_t kTlsRecordBytesMax = 16U << 10U; // Of plain text, by the standard.

    // Bytes that TLS has seen and could not send. It may have encrypted them already and wants to
    // see them again, whatever the caller offers the next time.
    struct Kept
    {
        std::array<char, kTlsRecordBytesMax> bytes;
        std::size_t begin = 0;
        std::size_t end = 0;

        [[nodiscard]] std::span<const char> left() const
        {
            return std::span(bytes).subspan(begin, end - begin);
        }
    };

    void notePeerEnded();
    Step readOther(std::span<char> buffer);
    Step writeTls(std::span<const iovec> parts, std::size_t total);

    FileDescriptor m_socket;
    std::unique_ptr<ByteStream> m_stream;
    std::unique_ptr<tls::TlsStream> m_tls;
    std::unique_ptr<Kept> m_kept;
    std::size_t m_aheadOfCaller = 0; // Bytes that have left and that the caller will offer again.
    Kind m_kind = Kind::Plain;
    bool m_isHandshaking = false;
    bool m_hasPeerEnded = false;
};

} // namespace mesh::proxy
