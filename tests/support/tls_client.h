#pragma once

#include "proxyengine/tls/stream.h"
#include "tests/support/loopback.h"

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace mesh::test {

// A client that speaks TLS and keeps all it hears.
class TlsClient
{
public:
    explicit TlsClient(const net::SocketAddress& address)
        : m_socket(*net::connectTo(address))
    {}

    // Shakes hands under this server name; whether that worked. With `caPem`, only a certificate of
    // that name that this text vouches for will do.
    bool begin(net::EventLoop& loop, const std::string& serverName, const std::string& caPem = {})
    {
        tls::ClientOptions options;
        options.verify = caPem.empty() ? tls::VerifyPeer::No : tls::VerifyPeer::Yes;
        options.caPem = caPem;
        return begin(loop, serverName, options);
    }

    bool begin(
        net::EventLoop& loop, const std::string& serverName, const tls::ClientOptions& options
    )
    {
        m_context = *tls::ClientContext::make(options);
        if (!runUntil(loop, [this] { return net::connectOutcome(m_socket.get()).has_value(); })) {
            return false;
        }
        m_stream = *tls::TlsStream::client(*m_context, m_socket.get(), serverName);
        tls::StreamStatus status = tls::StreamStatus::WantRead;
        return runUntil(
                   loop,
                   [&] {
                       status = m_stream->handshake().status;
                       return status != tls::StreamStatus::WantRead
                              && status != tls::StreamStatus::WantWrite;
                   }
               )
               && status == tls::StreamStatus::Done;
    }

    bool send(net::EventLoop& loop, std::string_view bytes)
    {
        return runUntil(
                   loop,
                   [this, &bytes] {
                       receive(); // So that neither side waits for the other.
                       const tls::StreamStep step = m_stream->write(bytes);
                       bytes.remove_prefix(step.count);
                       return bytes.empty() || step.status == tls::StreamStatus::Failed
                              || step.status == tls::StreamStatus::Closed;
                   }
               )
               && bytes.empty();
    }

    void receive()
    {
        std::array<char, 65536> buffer;
        for (;;) {
            const tls::StreamStep step = m_stream->read(buffer);
            m_hasEnded = m_hasEnded || step.status == tls::StreamStatus::Closed;
            m_hasFailed = m_hasFailed || step.status == tls::StreamStatus::Failed;
            if (step.status != tls::StreamStatus::Done) {
                return;
            }
            m_heard.append(buffer.data(), step.count);
        }
    }

    bool waitFor(net::EventLoop& loop, std::string_view text)
    {
        runUntil(loop, [this, text] {
            receive();
            return m_heard.find(text) != std::string::npos || m_hasEnded || m_hasFailed;
        });
        return m_heard.find(text) != std::string::npos;
    }

    // Waits for the end; true when it was a proper one, by close_notify.
    bool waitForCloseNotify(net::EventLoop& loop)
    {
        runUntil(loop, [this] {
            receive();
            return m_hasEnded || m_hasFailed;
        });
        return m_hasEnded;
    }

    [[nodiscard]] int descriptor() const { return m_socket.get(); }
    [[nodiscard]] const std::string& heard() const { return m_heard; }
    [[nodiscard]] tls::TlsStream& stream() { return *m_stream; }

private:
    FileDescriptor m_socket;
    std::shared_ptr<const tls::ClientContext> m_context;
    std::unique_ptr<tls::TlsStream> m_stream;
    std::string m_heard;
    bool m_hasEnded = false;
    bool m_hasFailed = false;
};

} // namespace mesh::test
