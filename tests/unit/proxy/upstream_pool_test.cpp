// Goal: a kept connection stays while nothing new is said on it, and goes when the server ends it.
// Method: a pool, a listener and both ends of two connections on one loop.
#include "proxyengine/proxy/upstream_pool.h"

#include "proxyengine/base/clock.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/sockets.h"
#include "proxyengine/telemetry/counters.h"

#include <QTest>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>

using namespace mesh;
using namespace mesh::proxy;
using namespace std::chrono_literals;

namespace {

constexpr int kTurnsMax = 1000;

// Connects, and then does as it is told when something can be read.
class User final : public UpstreamUser
{
public:
    void onUpstreamReady(net::Ready ready) override
    {
        if (!connection->isConnected) {
            static_cast<void>(connection->goOnConnecting(ready));
        } else if (ready.canRead() && onReadable) {
            onReadable();
        }
    }
    void onUpstreamTimeout() override {}

    UpstreamConnection* connection = nullptr;
    FileDescriptor server;
    std::function<void()> onReadable;
};

struct Connections
{
    Connections()
    {
        for (User& user : users) {
            user.connection = *pool.connect(address, row);
            user.connection->attach(user);
            turnUntil([&] { return user.connection->isConnected; });
            user.server = FileDescriptor(::accept(listener.get(), nullptr, nullptr));
        }
    }
    ~Connections()
    {
        loop->runTurn(0ms); // What was closed counts until the turn's end.
        telemetry::WorkerCounters::release(row);
    }

    template <typename Condition>
    bool turnUntil(Condition condition)
    {
        for (int turn = 0; turn < kTurnsMax && !condition(); ++turn) {
            loop->runTurn(10ms);
        }
        return condition();
    }
    void say(const User& user) { QCOMPARE(::write(user.server.get(), "?", 1), ssize_t{1}); }

    SystemClock clock;
    std::unique_ptr<net::EventLoop> loop = *net::EventLoop::make(clock);
    FileDescriptor listener = *net::listenOn(net::SocketAddress::loopback(0));
    net::SocketAddress address = net::localAddress(listener.get());
    telemetry::WorkerCounters counters;
    telemetry::AttemptRow& row = counters.holdAttempts("test", "up", address.toText(), {});
    UpstreamPool pool{*loop, PoolPeer{"127.0.0.1", address.port(), nullptr, {}}, 60s};
    std::array<User, 2> users;
};

class UpstreamPoolTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // Both have an event in one turn; the first to be called reads both and keeps the other, whose
    // event then finds nothing.
    void aLateEventDoesNotEndAKeptConnection()
    {
        Connections mesh;
        UpstreamConnection* kept = nullptr;
        for (std::size_t at = 0; at < 2; ++at) {
            mesh.users[at].onReadable = [&, at] {
                if (kept == nullptr) {
                    std::array<char, 8> bytes;
                    kept = mesh.users[1 - at].connection;
                    QCOMPARE(kept->transport.read(bytes).count, std::size_t{1});
                    mesh.pool.giveBack(*kept);
                }
            };
            mesh.say(mesh.users[at]);
        }
        QVERIFY(mesh.turnUntil([&] { return kept != nullptr; }));
        mesh.loop->runTurn(0ms);
        QCOMPARE(mesh.pool.take(ConnectionAge::Any), kept);
        for (const User& user : mesh.users) {
            mesh.pool.close(*user.connection);
        }
    }

    void theServersEndEndsIt()
    {
        Connections mesh;
        mesh.pool.close(*mesh.users[1].connection);
        mesh.pool.giveBack(*mesh.users[0].connection);
        mesh.users[0].server = FileDescriptor();
        QVERIFY(mesh.turnUntil([&] { return !mesh.pool.hasIdle(); }));
        QVERIFY(mesh.pool.isEmpty());
    }

    void wordsThatNobodyAskedForEndItToo()
    {
        Connections mesh;
        mesh.pool.close(*mesh.users[1].connection);
        mesh.pool.giveBack(*mesh.users[0].connection);
        mesh.say(mesh.users[0]);
        QVERIFY(mesh.turnUntil([&] { return !mesh.pool.hasIdle(); }));
        QVERIFY(mesh.pool.isEmpty());
    }
};

} // namespace

QTEST_APPLESS_MAIN(UpstreamPoolTest)
#include "upstream_pool_test.moc"
