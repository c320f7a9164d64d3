#pragma once

#include "proxyengine/base/handles.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/sockets.h"
#include "proxyengine/tls/stream.h"

#include <cstdint>
#include <memory>
#include <span>

namespace mesh::proxy {

// A connected socket, plain or under TLS, with one set of words for both.
//
// After a step, mayHaveMore says whether calling again without a new event can bring anything.
class Transport
{
public:
    Transport() = default;
    explicit Transport(FileDescriptor socket)
        : m_socket(std::move(socket))
    {}

    void setTls(std::unique_ptr<tls::TlsStream> stream);

    enum class Handshake : std::uint8_t { Done, Waiting, Failed };
    [[nodiscard]] Handshake handshake(); // Done at once on plain connections.
    [[nodiscard]] bool isHandshaking() const { return m_isHandshaking; }

    // An edge said that the peer will send no more: the end lies behind what can still be read, and
    // no further edge will announce it.
    void noteReady(net::Ready ready) { m_hasPeerEnded = m_hasPeerEnded || ready.hasPeerEnded(); }

    struct Step
    {
        net::IoStatus status;
        std::size_t count = 0;
        bool mayHaveMore = false;
    };
    [[nodiscard]] Step read(std::span<char> buffer);
    [[nodiscard]] Step write(std::span<const iovec> parts);

    void shutdownWrite();
    void close() { m_socket.reset(); }

    [[nodiscard]] int descriptor() const { return m_socket.get(); }
    [[nodiscard]] bool isOpen() const { return m_socket.isOpen(); }
    [[nodiscard]] const tls::TlsStream* tls() const { return m_tls.get(); }

private:
    FileDescriptor m_socket;
    std::unique_ptr<tls::TlsStream> m_tls;
    bool m_isHandshaking = false;
    bool m_hasPeerEnded = false;
};

} // namespace mesh::proxy
