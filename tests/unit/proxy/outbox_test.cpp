// Goal: an outbox loses nothing and keeps the order, however full the receiver's mailbox is.
// Method: two loops on one thread; the receiver does not turn while more is posted than it holds.
#include "proxyengine/proxy/outbox.h"

#include "tests/support/loopback.h"

#include <QTest>

#include <vector>

using namespace mesh;

class OutboxTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void aFullMailboxLosesNothing()
    {
        const SystemClock clock;
        const auto own = *net::EventLoop::make(clock);
        const auto receiver = *net::EventLoop::make(clock);
        proxy::Outbox outbox(*own, *receiver);
        std::vector<std::size_t> heard;
        const std::size_t count = kMailboxMessagesMax + 100;

        for (std::size_t at = 0; at < count; ++at) {
            outbox.post([&heard, at] { heard.push_back(at); });
        }
        QCOMPARE(outbox.waiting(), std::size_t{100});

        QVERIFY(test::runUntil(*own, [&] {
            for (int turn = 0; turn < 500; ++turn) { // One message each.
                receiver->runTurn(Duration::zero());
            }
            return heard.size() == count;
        }));
        QCOMPARE(outbox.waiting(), std::size_t{0});
        for (std::size_t at = 0; at < count; ++at) {
            QCOMPARE(heard[at], at);
        }
    }

    void whatCannotBeCopiedCanBePosted()
    {
        const SystemClock clock;
        const auto own = *net::EventLoop::make(clock);
        const auto receiver = *net::EventLoop::make(clock);
        proxy::Outbox outbox(*own, *receiver);
        int heard = 0;
        outbox.post([&heard, owned = std::make_unique<int>(7)] { heard = *owned; });
        QVERIFY(test::runUntil(*receiver, [&] { return heard == 7; }));
    }
};

QTEST_APPLESS_MAIN(OutboxTest)
#include "outbox_test.moc"
