#include "simulator/live/relay.h"

#include "proxyengine/base/clock.h"
#include "proxyengine/http/client.h"
#include "proxyengine/http/server.h"
#include "proxyengine/net/sockets.h"

#include <QTest>

#include <poll.h>

#include <memory>
#include <optional>

// Goal: a relay passes on what it is given, late when its line is narrow, and nothing while it is
//       cut; each way by itself.
// Method: an HTTP client and server with a relay between them, on one loop whose clock we move.
namespace mesh::simulator {

using namespace std::chrono_literals;

namespace {

class MovedClock final : public Clock
{
public:
    [[nodiscard]] TimePoint now() const override { return m_now; }
    [[nodiscard]] WallTime wallNow() const override { return {}; }
    void advance(Duration by) { m_now += by; }

private:
    TimePoint m_now{1000s};
};

constexpr int kTurns = 60; // More than a request and its answer take on loopback.

struct Ways
{
    MovedClock clock;
    std::unique_ptr<net::EventLoop> loop = *net::EventLoop::make(clock);
    int asked = 0; // Requests that came to the server.
    std::unique_ptr<http::Server> server;
    std::unique_ptr<Relay> relay;
    std::unique_ptr<http::Client> client;
    std::optional<int> status;

    Ways()
    {
        server = *http::Server::listen(
            *loop,
            net::SocketAddress::loopback(0),
            {},
            [this](const http::Request&, http::Responder responder) {
                ++asked;
                http::Response response;
                response.status = 200;
                response.body = std::string(1000, 'a');
                responder.send(response);
            }
        );
        relay = *Relay::listen(*loop, server->address());
        client = std::make_unique<http::Client>(*loop);
    }

    void ask()
    {
        status.reset();
        http::Call call;
        call.address = relay->address();
        call.request.target = "/";
        call.timeout = 1h;
        client->call(std::move(call), [this](Result<http::Response> response) {
            status = response ? response->status : -1;
        });
    }

    void turn(int turns = kTurns)
    {
        for (int each = 0; each < turns; ++each) {
            loop->runTurn(2ms);
        }
    }

    void cut(bool isThere, bool isBack)
    {
        LineFaults faults;
        faults.isCutThere = isThere;
        faults.isCutBack = isBack;
        relay->setFaults(std::move(faults));
    }
};

bool isConnected(int socket)
{
    pollfd watched{socket, POLLOUT, 0};
    return ::poll(&watched, 1, 0) == 1 && net::connectOutcome(socket).has_value();
}

} // namespace

class RelayTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whatIsSentArrives();
    void aCutWayThereKeepsRequests();
    void aCutWayBackKeepsAnswers();
    void nobodyConnectsOverACutLine();
    void whatTheCallerGaveUpIsDropped();
    void aNarrowWaySendsOneAfterTheOther();
    void aNarrowLineIsLate();
};

void RelayTest::whatIsSentArrives()
{
    Ways ways;
    for (int each = 1; each <= 3; ++each) {
        ways.ask();
        ways.turn();
        QCOMPARE(ways.status, std::optional<int>(200));
        QCOMPARE(ways.asked, each);
    }
    QVERIFY(ways.relay->passed() > 3000);
}

void RelayTest::aCutWayThereKeepsRequests()
{
    Ways ways;
    ways.ask();
    ways.turn();
    ways.cut(true, false);

    ways.ask(); // Over the connection that stands.
    ways.turn();
    QCOMPARE(ways.asked, 1);
    QVERIFY(!ways.status);

    ways.cut(false, false);
    ways.turn();
    QCOMPARE(ways.asked, 2);
    QCOMPARE(ways.status, std::optional<int>(200));
}

void RelayTest::aCutWayBackKeepsAnswers()
{
    Ways ways;
    ways.ask();
    ways.turn();
    ways.cut(false, true);

    ways.ask();
    ways.turn();
    QCOMPARE(ways.asked, 2);
    QVERIFY(!ways.status);

    ways.cut(false, false);
    ways.turn();
    QCOMPARE(ways.status, std::optional<int>(200));
}

void RelayTest::nobodyConnectsOverACutLine()
{
    Ways ways;
    ways.cut(false, true);
    ways.turn();

    const auto socket = net::connectTo(ways.relay->address());
    QVERIFY(socket.has_value());
    ways.turn();
    QVERIFY(!isConnected(socket->get()));

    ways.cut(false, false);
    ways.ask();
    ways.turn();
    QCOMPARE(ways.status, std::optional<int>(200));
}

// Its time has run out, and nobody waits for the answer.
void RelayTest::whatTheCallerGaveUpIsDropped()
{
    Ways ways;
    ways.ask();
    ways.turn();
    ways.cut(true, true);
    ways.ask();
    ways.turn();
    ways.client.reset();
    ways.turn();

    ways.cut(false, false);
    ways.turn();
    QCOMPARE(ways.asked, 1);
}

void RelayTest::aNarrowWaySendsOneAfterTheOther()
{
    NarrowWay way(1000.0);
    const TimePoint now{5s};

    QCOMPARE(way.send(now, 500), Duration(500ms));
    QCOMPARE(way.send(now, 1000), Duration(1500ms));
    QCOMPARE(way.send(now + 1s, 500), Duration(1s));
    QCOMPARE(way.send(now + 10s, 500), Duration(500ms));
}

void RelayTest::aNarrowLineIsLate()
{
    Ways ways;
    ways.ask();
    ways.turn();
    NarrowWay back(100.0); // The answer takes more than ten seconds.
    LineFaults faults;
    faults.back = {&back};
    ways.relay->setFaults(std::move(faults));

    ways.ask();
    ways.turn();
    QCOMPARE(ways.asked, 2);
    ways.clock.advance(9s);
    ways.turn();
    QVERIFY(!ways.status);
    ways.clock.advance(6s);
    ways.turn();
    QCOMPARE(ways.status, std::optional<int>(200));
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::RelayTest)
#include "relay_test.moc"
