// Goal: the loop delivers events, messages, timers and endings, and survives what handlers do.
// Method: real sockets on loopback, turned until a condition holds.
#include "proxyengine/net/event_loop.h"

#include "proxyengine/base/clock.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/base/thread.h"
#include "proxyengine/net/acceptor.h"
#include "tests/support/loopback.h"

#include <QTemporaryDir>
#include <QTest>

#include <functional>
#include <string>
#include <vector>

namespace mesh::net {
namespace {

// Hands its events to a function.
class Watcher final : public FdHandler
{
public:
    explicit Watcher(std::function<void(Ready)> function)
        : m_function(std::move(function))
    {}
    void onReady(Ready ready) override { m_function(ready); }

private:
    std::function<void(Ready)> m_function;
};

class Taker final : public AcceptHandler
{
public:
    void onAccepted(FileDescriptor socket, const SocketAddress& peer) override
    {
        sockets.push_back(std::move(socket));
        peers.push_back(peer);
    }
    std::vector<FileDescriptor> sockets;
    std::vector<SocketAddress> peers;
};

class TurnEnd final : public TurnEndHandler
{
public:
    void onTurnEnd() override { ++calls; }
    int calls = 0;
};

// A loop, a listener, and pairs of connected sockets.
struct Fixture
{
    SystemClock clock;
    std::unique_ptr<EventLoop> loop = *EventLoop::make(clock);
    Taker taker;
    std::unique_ptr<Acceptor> acceptor =
        *Acceptor::listen(*loop, SocketAddress::loopback(0), PortSharing::No, taker);

    bool runUntil(const std::function<bool()>& condition)
    {
        return test::runUntil(*loop, condition);
    }

    struct Pair
    {
        FileDescriptor client;
        FileDescriptor server;
    };
    Pair makePair()
    {
        Pair pair;
        pair.client = *connectTo(acceptor->address());
        const std::size_t before = taker.sockets.size();
        if (runUntil([this, before] { return taker.sockets.size() > before; })) {
            pair.server = std::move(taker.sockets.back());
        }
        return pair;
    }
};

} // namespace

class EventLoopTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void tellsOfBytesAndOfThePeersEnd();
    void aHandlerMayForgetAnotherOfTheSameTurn();
    void aForgottenHandlerIsNotCalledThoughAForkedProcessHoldsItsDescriptor();
    void callsAgainInTheNextTurnWithoutWaiting();
    void runsOnePostedMessagePerTurnInOrder();
    void refusesMessagesWhenTheMailboxIsFull();
    void runsAndStopsFromAnotherThread();
    void destroysLaterAtTheEndOfTheTurn();
    void firesTimersAtTheirTimeAndNotBefore();
    void callsTurnEndHandlersOncePerRequest();
    void aPausedAcceptorLeavesConnectionsWaiting();
    void aClosedAcceptorRefusesConnections();
    void aUnixSocketIsReplacedOnlyWhenNobodyAnswers();
    void sharesAPortAmongListeners();
    void reportsARefusedConnection();
};

void EventLoopTest::tellsOfBytesAndOfThePeersEnd()
{
    Fixture fixture;
    auto pair = fixture.makePair();
    std::string heard;
    bool hasPeerEnded = false;
    Watcher watcher([&](Ready ready) {
        std::array<char, 16> buffer{};
        const IoStep step = readSome(pair.server.get(), buffer);
        heard.append(buffer.data(), step.count);
        hasPeerEnded = hasPeerEnded || ready.hasPeerEnded();
    });
    QVERIFY(fixture.loop->watch(pair.server.get(), watcher).has_value());

    QCOMPARE(writeSome(pair.client.get(), "ping").count, std::size_t{4});
    QVERIFY(fixture.runUntil([&] { return heard == "ping"; }));
    shutdownWrite(pair.client.get());
    QVERIFY(fixture.runUntil([&] { return hasPeerEnded; }));
    fixture.loop->unwatch(pair.server.get(), watcher);
}

void EventLoopTest::aHandlerMayForgetAnotherOfTheSameTurn()
{
    Fixture fixture;
    auto first = fixture.makePair();
    auto second = fixture.makePair();
    int calls = 0;
    std::unique_ptr<Watcher> one;
    std::unique_ptr<Watcher> two;
    const auto onReady = [&](Ready) {
        ++calls; // Whoever comes first ends the other.
        std::unique_ptr<Watcher>& other = calls == 1 && one ? two : one;
        if (other) {
            fixture.loop->forget(*other);
        }
    };
    one = std::make_unique<Watcher>(onReady);
    two = std::make_unique<Watcher>(onReady);
    QVERIFY(fixture.loop->watch(first.server.get(), *one).has_value());
    QVERIFY(fixture.loop->watch(second.server.get(), *two).has_value());

    fixture.loop->runTurn(test::kPatience); // Both are writable.

    QCOMPARE(calls, 1);
}

// The copy stands for that of a process between fork() and exec(): closing ours does not end the
// kernel's interest.
void EventLoopTest::aForgottenHandlerIsNotCalledThoughAForkedProcessHoldsItsDescriptor()
{
    Fixture fixture;
    auto pair = fixture.makePair();
    int calls = 0;
    Watcher watcher([&](Ready) { ++calls; });
    QVERIFY(fixture.loop->watch(pair.server.get(), watcher).has_value());
    fixture.loop->runTurn(test::kPatience);
    QCOMPARE(calls, 1); // It can be written to.
    const FileDescriptor copy(::dup(pair.server.get()));
    fixture.loop->forget(watcher);
    pair.server.reset();

    auto second = fixture.makePair(); // Takes the place of the first.
    int others = 0;
    Watcher other([&](Ready) { ++others; });
    QVERIFY(fixture.loop->watch(second.server.get(), other).has_value());
    fixture.loop->runTurn(test::kPatience);
    QCOMPARE(others, 1);
    QCOMPARE(writeSome(pair.client.get(), "late").count, std::size_t{4});
    fixture.loop->runTurn(test::kPatience);

    QCOMPARE(calls, 1);
    QCOMPARE(others, 1);
    fixture.loop->unwatch(second.server.get(), other);
}

void EventLoopTest::callsAgainInTheNextTurnWithoutWaiting()
{
    Fixture fixture;
    int calls = 0;
    Watcher watcher([&](Ready ready) {
        ++calls;
        if (ready.canRead() && calls < 3) {
            fixture.loop->callAgain(watcher, ready);
        }
    });
    fixture.loop->callAgain(watcher, Ready(Ready::kRead));

    fixture.loop->runTurn(test::kPatience);
    QCOMPARE(calls, 1);
    fixture.loop->runTurn(test::kPatience);
    fixture.loop->runTurn(test::kPatience);
    QCOMPARE(calls, 3);

    fixture.loop->callAgain(watcher, Ready(Ready::kRead));
    fixture.loop->forget(watcher);
    fixture.loop->runTurn(Duration::zero());
    QCOMPARE(calls, 3);
}

void EventLoopTest::runsOnePostedMessagePerTurnInOrder()
{
    Fixture fixture;
    std::string order;
    QVERIFY(fixture.loop->post([&] { order += 'a'; }).has_value());
    QVERIFY(fixture.loop->post([&, owned = std::make_unique<char>('b')] { order += *owned; }
    ).has_value());

    fixture.loop->runTurn(test::kPatience);
    QCOMPARE(order, std::string("a"));
    fixture.loop->runTurn(test::kPatience);
    QCOMPARE(order, std::string("ab"));
}

void EventLoopTest::refusesMessagesWhenTheMailboxIsFull()
{
    Fixture fixture;
    for (std::size_t count = 0; count < kMailboxMessagesMax; ++count) {
        QVERIFY(fixture.loop->post([] {}).has_value());
    }

    const auto refused = fixture.loop->post([] {});

    QVERIFY(!refused.has_value());
    QCOMPARE(refused.error().code, ErrorCode::Overloaded);
}

void EventLoopTest::runsAndStopsFromAnotherThread()
{
    Fixture fixture;
    int ran = 0;
    {
        Thread thread("loop", [&] { fixture.loop->run(); });
        QVERIFY(fixture.loop->post([&] { ++ran; }).has_value());
        QVERIFY(fixture.loop
                    ->post([&] {
                        ++ran;
                        fixture.loop->stop();
                    })
                    .has_value());
        thread.join();
    }
    QCOMPARE(ran, 2);
}

void EventLoopTest::destroysLaterAtTheEndOfTheTurn()
{
    struct Mark
    {
        explicit Mark(int& toCount)
            : count(toCount)
        {}
        ~Mark() { ++count; }
        int& count;
    };
    Fixture fixture;
    int destroyed = 0;
    int destroyedInside = -1;
    QVERIFY(fixture.loop
                ->post([&] {
                    fixture.loop->destroyLater(std::make_unique<Mark>(destroyed));
                    destroyedInside = destroyed;
                })
                .has_value());

    fixture.loop->runTurn(test::kPatience);

    QCOMPARE(destroyedInside, 0);
    QCOMPARE(destroyed, 1);
}

void EventLoopTest::firesTimersAtTheirTimeAndNotBefore()
{
    Fixture fixture;
    TimePoint firedAt{};
    FunctionTimer timer(fixture.loop->timers(), [&] { firedAt = fixture.loop->now(); });
    const TimePoint deadline = fixture.clock.now() + std::chrono::milliseconds(3);
    timer.arm(deadline);

    QVERIFY(fixture.runUntil([&] { return firedAt != TimePoint{}; }));

    QVERIFY(firedAt >= deadline);
}

void EventLoopTest::callsTurnEndHandlersOncePerRequest()
{
    Fixture fixture;
    TurnEnd kept;
    TurnEnd forgotten;
    fixture.loop->callAtTurnEnd(kept);
    fixture.loop->callAtTurnEnd(forgotten);
    fixture.loop->forgetTurnEnd(forgotten);

    fixture.loop->runTurn(test::kPatience);
    fixture.loop->runTurn(Duration::zero());

    QCOMPARE(kept.calls, 1);
    QCOMPARE(forgotten.calls, 0);
}

void EventLoopTest::aPausedAcceptorLeavesConnectionsWaiting()
{
    Fixture fixture;
    fixture.acceptor->pause();
    const auto client = connectTo(fixture.acceptor->address());
    QVERIFY(client.has_value());
    fixture.loop->runTurn(std::chrono::milliseconds(1));
    QVERIFY(fixture.taker.sockets.empty());

    fixture.acceptor->resume();

    QVERIFY(fixture.runUntil([&] { return fixture.taker.sockets.size() == 1; }));
    QVERIFY(fixture.taker.peers.front() == localAddress(client->get()));
}

void EventLoopTest::aClosedAcceptorRefusesConnections()
{
    Fixture fixture;
    const SocketAddress address = fixture.acceptor->address();
    fixture.acceptor->close();

    const auto client = connectTo(address);
    const auto outcome = client ? connectOutcome(client->get()) : tl::unexpected(client.error());

    QVERIFY(!outcome.has_value());
    QCOMPARE(outcome.error().code, ErrorCode::Refused);
}

void EventLoopTest::aUnixSocketIsReplacedOnlyWhenNobodyAnswers()
{
    const QTemporaryDir folder;
    const QByteArray path = folder.filePath(QStringLiteral("loop.sock")).toUtf8();
    const auto address = *SocketAddress::unixPath(path.toStdString());
    {
        const auto first = listenOn(address);
        QVERIFY(first.has_value());

        const auto second = listenOn(address);

        QVERIFY(!second.has_value());
        QCOMPARE(second.error().code, ErrorCode::AlreadyExists);
    }
    const auto third = listenOn(address); // The file is still there; nobody answers.
    QVERIFY(third.has_value());
}

void EventLoopTest::sharesAPortAmongListeners()
{
    const auto first = listenOn(SocketAddress::loopback(0), PortSharing::Yes);
    QVERIFY(first.has_value());
    const SocketAddress address = localAddress(first->get());

    QVERIFY(listenOn(address, PortSharing::Yes).has_value());
    const auto alone = listenOn(address, PortSharing::No);

    QVERIFY(!alone.has_value());
    QCOMPARE(alone.error().code, ErrorCode::AlreadyExists);
}

void EventLoopTest::reportsARefusedConnection()
{
    Fixture fixture;
    const SocketAddress gone = fixture.acceptor->address();
    fixture.acceptor.reset();
    const auto socket = connectTo(gone);
    QVERIFY(socket.has_value());
    bool isReady = false;
    Watcher watcher([&](Ready ready) { isReady = ready.canWrite(); });
    QVERIFY(fixture.loop->watch(socket->get(), watcher).has_value());

    QVERIFY(fixture.runUntil([&] { return isReady; }));
    const auto outcome = connectOutcome(socket->get());

    QVERIFY(!outcome.has_value());
    QCOMPARE(outcome.error().code, ErrorCode::Refused);
    fixture.loop->unwatch(socket->get(), watcher);
}

} // namespace mesh::net

QTEST_APPLESS_MAIN(mesh::net::EventLoopTest)
#include "event_loop_test.moc"
