#pragma once

#include "proxyengine/net/acceptor.h"
#include "proxyengine/proxy/transport.h"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mesh::test {

// What a test server says on one connection.
class ServerTalk
{
public:
    ServerTalk() = default;
    ServerTalk(const ServerTalk&) = delete;
    ServerTalk& operator=(const ServerTalk&) = delete;
    virtual ~ServerTalk() = default;

    // What to answer to these bytes; perhaps nothing yet.
    virtual std::string onBytes(std::string_view bytes) = 0;
};

// Answers the first request, once its head is here, and remembers all it hears.
class CannedTalk final : public ServerTalk
{
public:
    CannedTalk(std::string answer, std::string& heard)
        : m_answer(std::move(answer))
        , m_heard(heard)
    {}
    std::string onBytes(std::string_view bytes) override
    {
        const bool wasWhole = isWhole();
        m_heard.append(bytes);
        return isWhole() && !wasWhole ? m_answer : std::string();
    }

private:
    [[nodiscard]] bool isWhole() const { return m_heard.find("\r\n\r\n") != std::string::npos; }

    std::string m_answer;
    std::string& m_heard;
};

// A server on the test's loop, plain or under TLS, that says what it is told to say.
class TalkingServer final : private net::AcceptHandler
{
public:
    using TalkFunction = std::function<std::unique_ptr<ServerTalk>()>;

    // Null context: no TLS.
    TalkingServer(
        net::EventLoop& loop, std::shared_ptr<const tls::ServerContext> context, TalkFunction talk
    )
        : m_loop(loop)
        , m_context(std::move(context))
        , m_talk(std::move(talk))
        , m_acceptor(*net::Acceptor::listen(
              loop, net::SocketAddress::loopback(0), net::PortSharing::No, *this
          ))
    {}

    [[nodiscard]] const net::SocketAddress& address() const { return m_acceptor->address(); }
    [[nodiscard]] std::size_t accepted() const { return m_connections.size(); }
    // SNI and ALPN of the connection accepted last.
    [[nodiscard]] std::string serverName() const { return m_connections.back()->serverName(); }
    [[nodiscard]] std::string protocol() const { return m_connections.back()->protocol(); }
    [[nodiscard]] bool hasPeerCertificate() const
    {
        return m_connections.back()->hasPeerCertificate();
    }
    [[nodiscard]] bool isResumed() const { return m_connections.back()->isResumed(); }

private:
    class Connection final : private net::FdHandler
    {
    public:
        Connection(TalkingServer& server, FileDescriptor socket)
            : m_server(server)
            , m_transport(std::move(socket))
            , m_talk(server.m_talk())
        {
            if (server.m_context != nullptr) {
                m_transport.setTls(
                    *tls::TlsStream::server(*server.m_context, m_transport.descriptor())
                );
            }
            static_cast<void>(server.m_loop.watch(m_transport.descriptor(), *this));
        }
        ~Connection() { m_server.m_loop.forget(*this); }

        [[nodiscard]] std::string serverName() const
        {
            return std::string(m_transport.tls()->serverName());
        }
        [[nodiscard]] std::string protocol() const
        {
            return std::string(m_transport.tls()->protocol());
        }

        [[nodiscard]] bool hasPeerCertificate() const
        {
            return m_transport.tls()->hasPeerCertificate();
        }
        [[nodiscard]] bool isResumed() const { return m_transport.tls()->isResumed(); }

    private:
        void onReady(net::Ready ready) override
        {
            m_transport.noteReady(ready);
            if (m_transport.handshake() == proxy::Transport::Handshake::Done) {
                converse();
            }
        }
        void converse()
        {
            std::array<char, 4096> buffer{};
            proxy::Transport::Step step;
            do {
                step = m_transport.read(buffer);
                if (step.status == net::IoStatus::Done) {
                    m_unsent += m_talk->onBytes({buffer.data(), step.count});
                }
            } while (step.mayHaveMore);
            if (!m_unsent.empty()) {
                const std::array<iovec, 1> parts = {net::partOf(m_unsent)};
                m_unsent.erase(0, m_transport.write(parts).count);
            }
        }

        TalkingServer& m_server;
        proxy::Transport m_transport;
        std::unique_ptr<ServerTalk> m_talk;
        std::string m_unsent;
    };

    void onAccepted(FileDescriptor socket, const net::SocketAddress&) override
    {
        m_connections.push_back(std::make_unique<Connection>(*this, std::move(socket)));
    }

    net::EventLoop& m_loop;
    std::shared_ptr<const tls::ServerContext> m_context;
    TalkFunction m_talk;
    std::vector<std::unique_ptr<Connection>> m_connections; // All there ever were.
    std::unique_ptr<net::Acceptor> m_acceptor;
};

} // namespace mesh::test
