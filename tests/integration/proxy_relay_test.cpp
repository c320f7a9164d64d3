// Goal: TCP connections of a stream listener reach the target of their port's route, both ways.
// Method: raw sockets against an engine on loopback; the target accepts on the test's loop.
#include "proxyengine/net/acceptor.h"
#include "tests/support/proxy_fixture.h"
#include "tests/support/tls_client.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace mesh;
using namespace mesh::test;

namespace {

// Accepts; the test reads and writes the sockets itself.
class Target final : public net::AcceptHandler
{
public:
    explicit Target(net::EventLoop& loop)
        : m_acceptor(*net::Acceptor::listen(
            loop, net::SocketAddress::loopback(0), net::PortSharing::No, *this
        ))
    {}
    void onAccepted(FileDescriptor socket, const net::SocketAddress&) override
    {
        sockets.push_back(std::move(socket));
    }
    [[nodiscard]] const net::SocketAddress& address() const { return m_acceptor->address(); }

    // Takes in what has arrived at the first connection.
    void receive()
    {
        std::array<char, 65536> buffer;
        while (!sockets.empty()) {
            const net::IoStep step = net::readSome(sockets.front().get(), buffer);
            hasEnded = hasEnded || step.status == net::IoStatus::Closed;
            wasReset = wasReset || step.status == net::IoStatus::Failed;
            if (step.status != net::IoStatus::Done) {
                return;
            }
            heard.append(buffer.data(), step.count);
        }
    }
    bool waitFor(net::EventLoop& loop, std::string_view text)
    {
        return runUntil(loop, [&] {
            receive();
            return heard.find(text) != std::string::npos;
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
    std::unique_ptr<net::Acceptor> m_acceptor;
};

struct RelayFixture : ProxyFixture
{
    bool begin(bool isTls = false)
    {
        options.streamListen = {{"127.0.0.1:0", isTls, false}};
        return start();
    }

    std::string route(
        const std::vector<net::SocketAddress>& targets,
        std::string_view more = "read_timeout: 60000"
    )
    {
        std::string yaml = fmt::format(
            "_format_version: \"3.0\"\nservices:\n- name: store\n  protocol: tcp\n  host: pool\n"
            "  port: 1\n  {}\n  routes:\n  - {{name: in, protocols: [tcp], destinations: [{{port: "
            "{}}}]}}\nupstreams:\n- name: pool\n  targets:\n",
            more,
            streams.front().port()
        );
        for (const net::SocketAddress& target : targets) {
            yaml += fmt::format("  - {{target: \"{}\"}}\n", target.toText());
        }
        return apply(yaml);
    }

    template <typename Condition>
    bool counts(const Condition& condition)
    {
        return runUntil(*loop, [&] {
            return box.has<api::StatsEvent>([&](const api::StatsEvent& event) {
                for (const auto& row : event.frame->requests) {
                    if (row.service == "store" && row.route == "in" && condition(row)) {
                        return true;
                    }
                }
                return false;
            });
        });
    }
};

} // namespace

class ProxyRelayTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void bytesPassBothWaysAndAreCounted()
    {
        RelayFixture mesh;
        QVERIFY(mesh.begin());
        Target target(*mesh.loop);
        QCOMPARE(mesh.route({target.address()}), std::string());

        RawSocket client(mesh.streams.front());
        QVERIFY(client.send(*mesh.loop, "PING\r\n"));
        QVERIFY(target.waitFor(*mesh.loop, "PING\r\n"));
        target.say("+PONG\r\n");
        QVERIFY(client.waitFor(*mesh.loop, "+PONG\r\n"));
        client.close();

        QVERIFY(runUntil(*mesh.loop, [&] {
            target.receive();
            return target.hasEnded;
        }));
        target.sockets.clear();
        QVERIFY(mesh.counts([](const auto& row) { return row.bytesIn == 6 && row.bytesOut == 7; }));
        QVERIFY(mesh.counts([](const auto& row) { return row.answers[2] == 1; }));
    }

    // A connection is one line of the access log, written when it has ended.
    void aConnectionIsOneLineOfTheAccessLog()
    {
        QTemporaryDir directory;
        const QString path = directory.filePath(QStringLiteral("access.log"));
        RelayFixture mesh;
        mesh.options.accessLog = api::AccessLogFormat::Text;
        mesh.options.accessLogFile = path.toStdString();
        QVERIFY(mesh.begin());
        Target target(*mesh.loop);
        QCOMPARE(mesh.route({target.address()}), std::string());
        RawSocket client(mesh.streams.front());
        QVERIFY(client.send(*mesh.loop, "PING\r\n"));
        QVERIFY(target.waitFor(*mesh.loop, "PING\r\n"));
        target.say("+PONG\r\n");
        QVERIFY(client.waitFor(*mesh.loop, "+PONG\r\n"));
        client.close();
        target.sockets.clear();

        QByteArray log;
        QVERIFY(runUntil(*mesh.loop, [&] {
            QFile file(path);
            log = file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
            return log.endsWith('\n');
        }));
        QCOMPARE(log.count('\n'), 1);
        const std::string line = log.toStdString();
        const std::string about =
            fmt::format(" 127.0.0.1 \"TCP {}\" 200 6 7 ", mesh.streams.front().toText());
        QVERIFY2(line.find(about) != std::string::npos, log.constData());
        const std::string names =
            fmt::format("route=in service=store target={} request_id=-", target.address().toText());
        QVERIFY2(line.find(names) != std::string::npos, log.constData());
        QVERIFY(line.find("failure=") == std::string::npos);
        QVERIFY(mesh.box.has<api::AccessEvent>([](const api::AccessEvent& event) {
            return event.method == "TCP" && event.status == 200 && event.attempts == 1
                   && event.bytesIn == 6 && event.bytesOut == 7;
        }));
    }

    void aConnectionThatFailsSaysWhyInTheAccessLog()
    {
        QTemporaryDir directory;
        const QString path = directory.filePath(QStringLiteral("access.log"));
        RelayFixture mesh;
        mesh.options.accessLog = api::AccessLogFormat::Json;
        mesh.options.accessLogFile = path.toStdString();
        QVERIFY(mesh.begin());
        auto dead = std::make_unique<Target>(*mesh.loop);
        const net::SocketAddress deadAddress = dead->address();
        dead.reset();
        QCOMPARE(mesh.route({deadAddress}, "retries: 1"), std::string());
        RawSocket client(mesh.streams.front());
        QVERIFY(client.waitForEnd(*mesh.loop));

        QByteArray log;
        QVERIFY(runUntil(*mesh.loop, [&] {
            QFile file(path);
            log = file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
            return log.endsWith('\n');
        }));
        QVERIFY2(log.contains("\"status\":502"), log.constData());
        QVERIFY2(log.contains("\"attempts\":2"), log.constData());
        QVERIFY2(log.contains("\"failure\":\"the connection was refused\""), log.constData());
    }

    // The server speaks first, and an end of one direction leaves the other open.
    void anEndOfOneDirectionLeavesTheOther()
    {
        RelayFixture mesh;
        QVERIFY(mesh.begin());
        Target target(*mesh.loop);
        QCOMPARE(mesh.route({target.address()}), std::string());

        RawSocket client(mesh.streams.front());
        QVERIFY(runUntil(*mesh.loop, [&] { return target.sockets.size() == 1; }));
        target.say("hello");
        QVERIFY(client.waitFor(*mesh.loop, "hello"));
        QVERIFY(client.send(*mesh.loop, "question"));
        client.endSending();
        QVERIFY(runUntil(*mesh.loop, [&] {
            target.receive();
            return target.hasEnded;
        }));
        QCOMPARE(target.heard, std::string("question"));
        target.say("answer after the end");
        QVERIFY(client.waitFor(*mesh.loop, "answer after the end"));
        target.sockets.clear();
        QVERIFY(client.waitForEnd(*mesh.loop));
        QVERIFY(!client.wasReset());
    }

    // What the target does not take is not read from the client: the kernel's buffers fill, and
    // afterwards everything arrives.
    void aSlowTargetSlowsTheClient()
    {
        RelayFixture mesh;
        QVERIFY(mesh.begin());
        Target target(*mesh.loop);
        QCOMPARE(mesh.route({target.address()}), std::string());
        RawSocket client(mesh.streams.front());
        QVERIFY(runUntil(*mesh.loop, [&] { return target.sockets.size() == 1; }));

        std::string block(1U << 20U, 'x');
        std::size_t sent = 0;
        int refusals = 0;
        QVERIFY(runUntil(*mesh.loop, [&] {
            const net::IoStep step = net::writeSome(client.descriptor(), block);
            sent += step.count;
            refusals = step.count == 0 ? refusals + 1 : 0;
            return refusals > 20; // Full for 100 ms: nobody reads any more.
        }));
        QVERIFY(sent < (64U << 20U));
        client.endSending();
        QVERIFY(runUntil(
            *mesh.loop,
            [&] {
                target.receive();
                return target.hasEnded;
            },
            std::chrono::seconds(20)
        ));
        QCOMPARE(target.heard.size(), sent);
    }

    void aDeadTargetIsSkipped()
    {
        RelayFixture mesh;
        QVERIFY(mesh.begin());
        Target target(*mesh.loop);
        auto dead = std::make_unique<Target>(*mesh.loop);
        const net::SocketAddress deadAddress = dead->address();
        dead.reset();
        QCOMPARE(mesh.route({deadAddress, target.address()}), std::string());

        std::vector<std::unique_ptr<RawSocket>> clients;
        for (std::size_t at = 1; at <= 4; ++at) {
            clients.push_back(std::make_unique<RawSocket>(mesh.streams.front()));
            QVERIFY(runUntil(*mesh.loop, [&] { return target.sockets.size() == at; }));
        }
        QVERIFY(mesh.counts([](const auto& row) { return row.retries > 0; }));
    }

    void withoutALivingTargetTheClientIsReset()
    {
        RelayFixture mesh;
        QVERIFY(mesh.begin());
        auto dead = std::make_unique<Target>(*mesh.loop);
        const net::SocketAddress deadAddress = dead->address();
        dead.reset();
        QCOMPARE(mesh.route({deadAddress}, "retries: 1"), std::string());

        RawSocket client(mesh.streams.front());
        QVERIFY(client.waitForEnd(*mesh.loop));
        QVERIFY(client.wasReset());
        QVERIFY(mesh.counts([](const auto& row) { return row.answers[5] == 1; }));
    }

    void aPortWithoutARouteRefuses()
    {
        RelayFixture mesh;
        QVERIFY(mesh.begin());
        RawSocket client(mesh.streams.front());
        QVERIFY(client.waitForEnd(*mesh.loop));
        QVERIFY(client.wasReset());
    }

    void anIdleRelayEnds()
    {
        RelayFixture mesh;
        QVERIFY(mesh.begin());
        Target target(*mesh.loop);
        QCOMPARE(mesh.route({target.address()}, "read_timeout: 50"), std::string());
        RawSocket client(mesh.streams.front());
        QVERIFY(runUntil(*mesh.loop, [&] { return target.sockets.size() == 1; }));
        QVERIFY(client.waitForEnd(*mesh.loop));
    }

    void aTlsListenerEndsTlsInFrontOfTheTarget()
    {
        RelayFixture mesh;
        QVERIFY(mesh.begin(true));
        Target target(*mesh.loop);
        QCOMPARE(mesh.route({target.address()}), std::string());
        TlsClient client(mesh.streams.front());
        QVERIFY(client.begin(*mesh.loop, "localhost"));
        QVERIFY(client.send(*mesh.loop, "in the clear"));
        QVERIFY(target.waitFor(*mesh.loop, "in the clear"));
        target.say("and back");
        QVERIFY(client.waitFor(*mesh.loop, "and back"));
        target.sockets.clear();
        QVERIFY(client.waitForCloseNotify(*mesh.loop));
    }

    // A new configuration leaves relays that are under way alone.
    void aRelayOutlivesItsConfiguration()
    {
        RelayFixture mesh;
        QVERIFY(mesh.begin());
        Target target(*mesh.loop);
        QCOMPARE(mesh.route({target.address()}), std::string());
        RawSocket client(mesh.streams.front());
        QVERIFY(client.send(*mesh.loop, "before;"));
        QVERIFY(target.waitFor(*mesh.loop, "before;"));
        QCOMPARE(mesh.apply("_format_version: \"3.0\"\n"), std::string());
        QVERIFY(client.send(*mesh.loop, "after;"));
        QVERIFY(target.waitFor(*mesh.loop, "before;after;"));
        client.close();
        QVERIFY(runUntil(*mesh.loop, [&] {
            target.receive();
            return target.hasEnded || target.wasReset;
        }));
    }
};

QTEST_APPLESS_MAIN(ProxyRelayTest)
#include "proxy_relay_test.moc"
