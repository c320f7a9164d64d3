// Goal: requests that change protocol become tunnels, and all others stay requests.
// Method: raw sockets on both sides of an engine; short timeouts given to services.
#include "proxyengine/net/acceptor.h"
#include "tests/support/h2_raw.h"
#include "tests/support/proxy_fixture.h"

#include <QTest>

#include <fmt/format.h>

using namespace mesh;
using namespace mesh::test;

namespace {

constexpr std::string_view kAsk =
    "GET /api/chat HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive, Upgrade\r\n"
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n\r\n";
constexpr std::string_view kAgree =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n"
    "Sec-WebSocket-Accept: BBBB\r\n\r\n";

bool holds(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

// An origin of one connection at a time, whose every byte the test says.
class Origin final : public net::AcceptHandler
{
public:
    explicit Origin(net::EventLoop& loop)
        : m_acceptor(*net::Acceptor::listen(
            loop, net::SocketAddress::loopback(0), net::PortSharing::No, *this
        ))
    {}
    void onAccepted(FileDescriptor socket, const net::SocketAddress&) override
    {
        line = std::move(socket);
        heard.clear();
        hasEnded = false;
        ++accepted;
    }
    [[nodiscard]] const net::SocketAddress& address() const { return m_acceptor->address(); }

    void receive()
    {
        std::array<char, 65536> buffer;
        while (line.isOpen()) {
            const net::IoStep step = net::readSome(line.get(), buffer);
            hasEnded = hasEnded || step.status == net::IoStatus::Closed
                       || step.status == net::IoStatus::Failed;
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
    bool waitForEnd(net::EventLoop& loop)
    {
        return runUntil(loop, [&] {
            receive();
            return hasEnded;
        });
    }
    void say(std::string_view bytes) { static_cast<void>(net::writeSome(line.get(), bytes)); }

    FileDescriptor line;
    std::string heard;
    bool hasEnded = false;
    int accepted = 0;

private:
    std::unique_ptr<net::Acceptor> m_acceptor;
};

std::string yamlOf(const Origin& origin, std::string_view more = {})
{
    return fmt::format(
        "_format_version: \"3.0\"\nservices:\n- name: origin\n  host: 127.0.0.1\n  port: {}\n"
        "  retries: 0\n{}  routes: [{{name: all, paths: [\"/api\"]}}]\n",
        origin.address().port(),
        more
    );
}

struct UpgradeFixture : ProxyFixture
{
    Origin origin{*loop};

    // A tunnel that has just been opened.
    std::unique_ptr<RawSocket> open(
        std::string_view behindAsk = {}, std::string_view behindAgree = {}
    )
    {
        auto client = std::make_unique<RawSocket>(proxy);
        client->send(*loop, std::string(kAsk) + std::string(behindAsk));
        if (!origin.waitFor(*loop, "\r\n\r\n")) {
            return nullptr;
        }
        origin.say(std::string(kAgree) + std::string(behindAgree));
        return client->waitFor(*loop, "\r\n\r\n") ? std::move(client) : nullptr;
    }
};

} // namespace

class ProxyUpgradeTest final : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // What the client sends before the answer and what the origin sends with it arrive too.
    void passesBytesBothWaysAfter101()
    {
        UpgradeFixture f;
        QVERIFY(f.start());
        QCOMPARE(f.apply(yamlOf(f.origin)), std::string());

        const auto client = f.open("early", "first");
        QVERIFY(client != nullptr);
        QVERIFY(f.origin.waitFor(*f.loop, "early"));
        QVERIFY(client->waitFor(*f.loop, "first"));
        client->send(*f.loop, "ping\n");
        QVERIFY(f.origin.waitFor(*f.loop, "ping\n"));
        f.origin.say("pong\n");
        QVERIFY(client->waitFor(*f.loop, "pong\n"));

        QVERIFY(holds(f.origin.heard, "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"));
        QVERIFY(holds(f.origin.heard, "Sec-WebSocket-Key: AAAA\r\n"));
        QVERIFY(holds(client->heard(), "HTTP/1.1 101 "));
        QVERIFY(holds(client->heard(), "Sec-WebSocket-Accept: BBBB\r\n"));
    }

    // Each direction ends by itself; the tunnel ends with both.
    void endsOneDirectionAtATime()
    {
        UpgradeFixture f;
        QVERIFY(f.start());
        QCOMPARE(f.apply(yamlOf(f.origin)), std::string());
        const auto client = f.open();
        QVERIFY(client != nullptr);

        client->send(*f.loop, "last words");
        client->endSending();
        QVERIFY(f.origin.waitForEnd(*f.loop));
        QVERIFY(holds(f.origin.heard, "last words"));
        f.origin.say("an answer all the same");
        QVERIFY(client->waitFor(*f.loop, "an answer all the same"));
        f.origin.line.reset();
        QVERIFY(client->waitForEnd(*f.loop));
        QVERIFY(!client->wasReset());
    }

    // Megabytes both ways, against a reader that lets them wait.
    void keepsEveryByteUnderBackPressure()
    {
        UpgradeFixture f;
        QVERIFY(f.start());
        QCOMPARE(f.apply(yamlOf(f.origin)), std::string());
        const auto client = f.open();
        QVERIFY(client != nullptr);
        const std::string big(8U << 20U, 'x');

        std::string_view left = big;
        QVERIFY(runUntil(*f.loop, [&] { // The origin reads nothing until the client is stuck.
            const net::IoStep step = net::writeSome(client->descriptor(), left);
            left.remove_prefix(step.count);
            return step.status == net::IoStatus::WouldBlock || left.empty();
        }));
        QVERIFY(!left.empty());
        const std::size_t headSize = f.origin.heard.size();
        QVERIFY(runUntil(*f.loop, [&] {
            f.origin.receive();
            left.remove_prefix(net::writeSome(client->descriptor(), left).count);
            return f.origin.heard.size() - headSize == big.size();
        }));
        QVERIFY(f.origin.heard.compare(headSize, std::string::npos, big) == 0);
    }

    void isCountedOnceWithItsBytes()
    {
        UpgradeFixture f;
        QVERIFY(f.start());
        QCOMPARE(f.apply(yamlOf(f.origin)), std::string());
        const auto client = f.open();
        QVERIFY(client != nullptr);
        client->send(*f.loop, std::string(1000, 'u'));
        f.origin.say(std::string(3000, 'd'));

        std::uint64_t answers = 0;
        std::uint64_t in = 0;
        std::uint64_t out = 0;
        std::uint64_t inflight = 0;
        const auto add = [&] {
            f.box.takeAll();
            for (const api::Event& event : f.box.events) {
                const auto* stats = std::get_if<api::StatsEvent>(&event);
                inflight = stats != nullptr ? 0 : inflight; // A row at rest is in no frame.
                for (std::size_t at = 0; stats != nullptr && at < stats->frame->requests.size();
                     ++at) {
                    const auto& row = stats->frame->requests[at];
                    answers += row.answers[1];
                    in += row.bytesIn;
                    out += row.bytesOut;
                    inflight = row.inflight;
                }
            }
            f.box.events.clear();
        };
        QVERIFY(runUntil(*f.loop, [&] {
            add();
            client->receive();
            f.origin.receive();
            return answers == 1 && in >= 1000 + kAsk.size() && out >= 3000 + kAgree.size();
        }));
        QCOMPARE(inflight, 1U); // Before it ends.

        client->close();
        f.origin.line.reset();
        QVERIFY(runUntil(*f.loop, [&] {
            add();
            return inflight == 0;
        }));
        QCOMPARE(answers, 1U);
    }

    void endsWhenNothingMovesForTheReadTimeout()
    {
        UpgradeFixture f;
        QVERIFY(f.start());
        QCOMPARE(f.apply(yamlOf(f.origin, "  read_timeout: 200\n")), std::string());
        const auto client = f.open();
        QVERIFY(client != nullptr);

        QVERIFY(client->waitForEnd(*f.loop));
        QVERIFY(f.origin.waitForEnd(*f.loop));
    }

    // A refusal is an answer like any other, and the connection goes on.
    void passesARefusalOn()
    {
        UpgradeFixture f;
        QVERIFY(f.start());
        QCOMPARE(f.apply(yamlOf(f.origin)), std::string());
        RawSocket client(f.proxy);
        client.send(*f.loop, kAsk);
        QVERIFY(f.origin.waitFor(*f.loop, "\r\n\r\n"));

        f.origin.say("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");

        QVERIFY(client.waitFor(*f.loop, "\r\n\r\nno"));
        QVERIFY(holds(client.heard(), "HTTP/1.1 403 "));
        client.send(*f.loop, "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n");
        QVERIFY(client.waitFor(*f.loop, "no Route matched"));
    }

    // What the service does not list is served as if nobody had asked.
    void dropsUpgradesThatAreNotListed()
    {
        UpgradeFixture f;
        QVERIFY(f.start());
        QCOMPARE(f.apply(yamlOf(f.origin, "  upgrades: [raw-chat]\n")), std::string());
        RawSocket client(f.proxy);

        client.send(*f.loop, kAsk);

        QVERIFY(f.origin.waitFor(*f.loop, "\r\n\r\n"));
        QVERIFY(!holds(f.origin.heard, "Upgrade"));
        f.origin.say(kAgree); // Nobody wanted it.
        QVERIFY(client.waitFor(*f.loop, "\r\n\r\n"));
        QVERIFY(holds(client.heard(), "HTTP/1.1 502 "));
    }

    void passesListedUpgradesOfOtherNames()
    {
        UpgradeFixture f;
        QVERIFY(f.start());
        QCOMPARE(f.apply(yamlOf(f.origin, "  upgrades: [raw-chat]\n")), std::string());
        RawSocket client(f.proxy);
        client.send(
            *f.loop,
            "POST /api HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c, Raw-Chat\r\n"
            "Content-Length: 0\r\n\r\n"
        );
        QVERIFY(f.origin.waitFor(*f.loop, "Upgrade: Raw-Chat\r\n"));
        QVERIFY(!holds(f.origin.heard, "h2c"));

        f.origin.say("HTTP/1.1 101 \r\nUpgrade: raw-chat\r\nConnection: Upgrade\r\n\r\nhello");

        QVERIFY(client.waitFor(*f.loop, "hello"));
    }

    // Whatever repeats or copies requests leaves a tunnel alone.
    void livesWithRetriesHedgesAndTimeouts()
    {
        UpgradeFixture f;
        QVERIFY(f.start());
        QCOMPARE(
            f.apply(yamlOf(
                f.origin,
                "  resilience:\n    timeout: 300ms\n    per_try_timeout: 200ms\n"
                "    retry: {on: [5xx, reset], attempts: 3}\n    hedge: {after: 1ms}\n"
                "    breaker: {}\n    adaptive_concurrency: {}\n"
            )),
            std::string()
        );
        const auto client = f.open();
        QVERIFY(client != nullptr);
        QCOMPARE(f.origin.accepted, 1);

        // Longer than every timeout of the policy.
        const TimePoint end = f.clock.now() + std::chrono::milliseconds(500);
        QVERIFY(runUntil(*f.loop, [&] { return f.clock.now() >= end; }));
        client->send(*f.loop, "still here");
        QVERIFY(f.origin.waitFor(*f.loop, "still here"));
        f.origin.line.reset(); // A reset behind 101 is not repeated.
        QVERIFY(client->waitForEnd(*f.loop));
        QCOMPARE(f.origin.accepted, 1);
    }

    // RFC 8441: an extended CONNECT is an upgrade, its 101 a 200, and DATA the bytes behind both.
    void carriesWebSocketsInStreamsOfHttp2()
    {
        UpgradeFixture f;
        api::ListenOption listen;
        listen.address = "127.0.0.1:0";
        listen.http2 = true;
        f.options.proxyListen = {listen};
        QVERIFY(f.start());
        QCOMPARE(f.apply(yamlOf(f.origin)), std::string());
        H2Raw client(*f.loop, f.proxy);
        const auto settings = client.waitFor([](const HeardFrame& heard) {
            return heard.type == Frame::Settings && (heard.flags & 1U) == 0;
        });
        QVERIFY(settings && holds(settings->payload, std::string("\0\x08\0\0\0\x01", 6)));

        client.send(frame(
            Frame::Headers,
            kEndHeaders,
            1,
            encoded(
                {{":method", "CONNECT"},
                 {":protocol", "websocket"},
                 {":scheme", "http"},
                 {":authority", "a"},
                 {":path", "/api/chat"},
                 {"sec-websocket-version", "13"},
                 {"origin", "http://a"}}
            )
        ));
        client.send(frame(Frame::Data, 0, 1, "early"));
        QVERIFY(f.origin.waitFor(*f.loop, "\r\n\r\n"));
        QVERIFY(holds(f.origin.heard, "GET /chat HTTP/1.1\r\n"));
        QVERIFY(holds(f.origin.heard, "Upgrade: websocket\r\n"));
        QVERIFY(holds(f.origin.heard, "sec-websocket-key: "));
        f.origin.say(kAgree);
        f.origin.say("first");
        QVERIFY(client.waitFor([](const HeardFrame& heard) {
            return heard.type == Frame::Headers && heard.stream == 1 && (heard.flags & 1U) == 0;
        }));
        QVERIFY(client.waitFor(Frame::Data, 1));
        QVERIFY(runUntil(*f.loop, [&] {
            static_cast<void>(client.waitFor(Frame::Headers, 1));
            return client.body(1) == "first";
        }));
        QVERIFY(f.origin.waitFor(*f.loop, "early"));

        client.send(frame(Frame::Data, kEndStream, 1, "bye"));
        QVERIFY(f.origin.waitForEnd(*f.loop));
        QVERIFY(holds(f.origin.heard, "bye"));
        f.origin.say("last");
        f.origin.line.reset();
        QVERIFY(client.waitFor([](const HeardFrame& heard) {
            return heard.type == Frame::Data && heard.stream == 1 && (heard.flags & 1U) != 0;
        }));
    }

    void isClosedWithTheNode()
    {
        UpgradeFixture f;
        QVERIFY(f.start());
        QCOMPARE(f.apply(yamlOf(f.origin)), std::string());
        const auto client = f.open();
        QVERIFY(client != nullptr);

        f.engine->stop(std::chrono::milliseconds(50));

        QVERIFY(client->waitForEnd(*f.loop));
        QVERIFY(f.origin.waitForEnd(*f.loop));
    }
};

QTEST_APPLESS_MAIN(ProxyUpgradeTest)
#include "proxy_upgrade_test.moc"
