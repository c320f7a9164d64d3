#pragma once

#include "proxyengine/net/acceptor.h"
#include "proxyengine/tls/certificate.h"
#include "tests/support/free_port.h"
#include "tests/support/hello_bytes.h"
#include "tests/support/proxy_fixture.h"

#include <QProcess>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

// What tests of stream routes share: targets that are plain sockets, and an engine with streams.
namespace mesh::test {

// Keeps what its connections say; the test answers.
class Target final : public net::AcceptHandler
{
public:
    explicit Target(net::EventLoop& loop)
        : m_loop(loop)
        , m_acceptor(*net::Acceptor::listen(
              loop, net::SocketAddress::loopback(0), net::PortSharing::No, *this
          ))
    {}
    void onAccepted(FileDescriptor socket, const net::SocketAddress&) override
    {
        sockets.push_back(std::move(socket));
    }
    [[nodiscard]] const net::SocketAddress& address() const { return m_acceptor->address(); }
    void receive()
    {
        std::array<char, 65536> buffer;
        for (const FileDescriptor& socket : sockets) {
            for (;;) {
                const net::IoStep step = net::readSome(socket.get(), buffer);
                hasEnded = hasEnded || step.status == net::IoStatus::Closed;
                wasReset = wasReset || step.status == net::IoStatus::Failed;
                if (step.status != net::IoStatus::Done) {
                    break;
                }
                heard.append(buffer.data(), step.count);
            }
        }
    }
    bool waitFor(std::string_view text)
    {
        return runUntil(m_loop, [&] {
            receive();
            return heard.find(text) != std::string::npos;
        });
    }
    bool waitForEnd()
    {
        return runUntil(m_loop, [&] {
            receive();
            return hasEnded || wasReset;
        });
    }
    void say(std::string_view text)
    {
        static_cast<void>(net::writeSome(sockets.front().get(), text));
    }

    std::vector<FileDescriptor> sockets;
    std::string heard;
    bool hasEnded = false;
    bool wasReset = false;

private:
    net::EventLoop& m_loop;
    std::unique_ptr<net::Acceptor> m_acceptor;
};

struct StreamFixture : ProxyFixture
{
    bool begin(std::vector<api::ListenOption> listeners)
    {
        options.streamListen = std::move(listeners);
        return start();
    }

    // One service and upstream of that name; `rest`: more fields of the service, with its routes.
    static std::string service(
        const std::string& name, const net::SocketAddress& target, const std::string& rest
    )
    {
        m_upstreams += fmt::format(
            "- name: {0}-pool\n  targets:\n  - {{target: \"{1}\"}}\n", name, target.toText()
        );
        return fmt::format("- name: {0}\n  host: {0}-pool\n  {1}\n", name, rest);
    }

    std::string applyServices(const std::string& services, const std::string& more = {})
    {
        return apply(
            "_format_version: \"3.0\"\nservices:\n" + services + "upstreams:\n"
            + std::exchange(m_upstreams, {}) + more
        );
    }

    template <typename Condition>
    bool counts(const Condition& condition)
    {
        return runUntil(*loop, [&] {
            return box.has<api::StatsEvent>([&](const api::StatsEvent& event) {
                return condition(*event.frame);
            });
        });
    }
    bool countsRow(
        const std::string& name, telemetry::EdgeProtocol protocol, std::size_t statusClass = 2
    )
    {
        return counts([&](const telemetry::StatsFrame& frame) {
            return std::ranges::any_of(frame.requests, [&](const telemetry::RequestSeries& row) {
                return row.service == name && row.protocol == protocol
                       && row.answers.at(statusClass) > 0;
            });
        });
    }

    inline static std::string m_upstreams;
};

inline std::string quoted(const std::string& pem)
{
    std::string out;
    for (const char c : pem) {
        out += c == '\n' ? std::string("\\n") : std::string(1, c);
    }
    return "\"" + out + "\"";
}

inline std::string certificateYaml(const std::string& name)
{
    const auto made = *tls::makeSelfSigned(name, SystemClock().wallNow(), std::chrono::hours(1));
    return fmt::format(
        "- cert: {}\n  key: {}\n  snis: [{{name: {}}}]\n",
        quoted(made.chainPem),
        quoted(made.keyPem),
        name
    );
}

const std::string kPassing =
    "protocol: tcp\n  routes:\n  - {{name: {0}, protocols: [tls_passthrough], snis: [{1}]}}";

// Another program on loopback, ended with the test.
class Program
{
public:
    bool start(const QString& program, const QStringList& arguments)
    {
        m_process.setProcessChannelMode(QProcess::MergedChannels);
        m_process.start(program, arguments);
        return m_process.waitForStarted();
    }
    ~Program()
    {
        m_process.kill();
        m_process.waitForFinished();
    }
    QProcess& process() { return m_process; }

private:
    QProcess m_process;
};

inline bool answersOn(net::EventLoop& loop, std::uint16_t port)
{
    return runUntil(loop, [&] {
        const auto socket = net::connectTo(net::SocketAddress::loopback(port));
        if (!socket) {
            return false;
        }
        loop.runTurn(std::chrono::milliseconds(20));
        return net::connectOutcome(socket->get()).has_value()
               && net::peerAddress(socket->get()).port() == port;
    });
}

} // namespace mesh::test
