// Goal: timers fire once, in order, never early, whatever was armed, moved and cancelled before.
// Method: time is a number; a thousand random steps against a list that is searched.
#include "proxyengine/net/timer_queue.h"

#include "proxyengine/base/random.h"

#include <QTest>

#include <map>
#include <memory>
#include <vector>

namespace mesh::net {
namespace {

TimePoint at(std::int64_t milliseconds)
{
    return TimePoint(std::chrono::milliseconds(milliseconds));
}

} // namespace

class TimerQueueTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void firesInOrderAndNotEarly();
    void aLaterDeadlineReplacesTheEarlier();
    void anEarlierDeadlineReplacesTheLater();
    void aCancelledTimerStaysSilent();
    void aDestroyedTimerStaysSilent();
    void aHandlerMayDestroyTheNextTimer();
    void aTimerArmedForThePastByAHandlerFiresInTheNextRun();
    void agreesWithASearchedList();
};

void TimerQueueTest::firesInOrderAndNotEarly()
{
    TimerQueue queue;
    std::vector<int> fired;
    FunctionTimer late(queue, [&] { fired.push_back(3); });
    FunctionTimer early(queue, [&] { fired.push_back(1); });
    FunctionTimer middle(queue, [&] { fired.push_back(2); });
    late.arm(at(30));
    early.arm(at(10));
    middle.arm(at(20));

    queue.run(at(9));
    QVERIFY(fired.empty());
    QVERIFY(queue.next() == at(10));
    queue.run(at(25));
    QVERIFY((fired == std::vector{1, 2}));
    queue.run(at(30));

    QVERIFY((fired == std::vector{1, 2, 3}));
    QVERIFY(queue.next() == Timer::kNever);
    QVERIFY(!late.isArmed());
}

void TimerQueueTest::aLaterDeadlineReplacesTheEarlier()
{
    TimerQueue queue;
    int fired = 0;
    FunctionTimer timer(queue, [&] { ++fired; });
    timer.arm(at(10));
    timer.arm(at(50));

    queue.run(at(49));
    QCOMPARE(fired, 0);
    queue.run(at(50));
    QCOMPARE(fired, 1);
}

void TimerQueueTest::anEarlierDeadlineReplacesTheLater()
{
    TimerQueue queue;
    int fired = 0;
    FunctionTimer timer(queue, [&] { ++fired; });
    timer.arm(at(50));
    timer.arm(at(10));

    QVERIFY(queue.next() == at(10));
    queue.run(at(10));
    queue.run(at(60));
    QCOMPARE(fired, 1);
}

void TimerQueueTest::aCancelledTimerStaysSilent()
{
    TimerQueue queue;
    int fired = 0;
    FunctionTimer timer(queue, [&] { ++fired; });
    timer.arm(at(10));
    timer.cancel();

    queue.run(at(20));

    QCOMPARE(fired, 0);
    QCOMPARE(queue.size(), std::size_t{0});
}

void TimerQueueTest::aDestroyedTimerStaysSilent()
{
    TimerQueue queue;
    int fired = 0;
    FunctionTimer other(queue, [&] { ++fired; });
    other.arm(at(15));
    {
        FunctionTimer timer(queue, [&] { fired += 100; });
        timer.arm(at(10));
    }

    queue.run(at(20));

    QCOMPARE(fired, 1);
}

void TimerQueueTest::aHandlerMayDestroyTheNextTimer()
{
    TimerQueue queue;
    int fired = 0;
    std::unique_ptr<FunctionTimer> victim;
    FunctionTimer killer(queue, [&] { victim.reset(); });
    victim = std::make_unique<FunctionTimer>(queue, [&] { ++fired; });
    killer.arm(at(10));
    victim->arm(at(11));

    queue.run(at(20));

    QCOMPARE(fired, 0);
    QVERIFY(!victim);
}

void TimerQueueTest::aTimerArmedForThePastByAHandlerFiresInTheNextRun()
{
    TimerQueue queue;
    int fired = 0;
    std::unique_ptr<FunctionTimer> timer;
    timer = std::make_unique<FunctionTimer>(queue, [&] {
        ++fired;
        timer->arm(at(5));
    });
    timer->arm(at(10));

    queue.run(at(10));
    QCOMPARE(fired, 1);
    queue.run(at(10));
    QCOMPARE(fired, 2);
}

void TimerQueueTest::agreesWithASearchedList()
{
    const Seed seed{20260314};
    qInfo("seed %llu", static_cast<unsigned long long>(seed.value));
    Random random(seed);
    TimerQueue queue;
    std::vector<std::pair<std::int64_t, std::size_t>> fired; // When and which.
    std::map<std::size_t, std::int64_t> expected; // Armed deadlines.
    std::int64_t now = 0;
    std::vector<std::unique_ptr<FunctionTimer>> timers;
    for (std::size_t which = 0; which < 40; ++which) {
        timers.push_back(std::make_unique<FunctionTimer>(queue, [&fired, &now, which] {
            fired.emplace_back(now, which);
        }));
    }

    for (int step = 0; step < 5000; ++step) {
        const auto which = static_cast<std::size_t>(random.below(timers.size()));
        const std::uint64_t action = random.below(10);
        if (action < 6) {
            const auto deadline = now + 1 + static_cast<std::int64_t>(random.below(100));
            timers[which]->arm(at(deadline));
            expected[which] = deadline;
        } else if (action < 7) {
            timers[which]->cancel();
            expected.erase(which);
        } else {
            now += static_cast<std::int64_t>(random.below(20));
            fired.clear();
            queue.run(at(now));
            std::size_t due = 0;
            for (const auto& [timer, deadline] : expected) {
                due += deadline <= now ? 1U : 0U;
            }
            QCOMPARE(fired.size(), due);
            for (const auto& [when, timer] : fired) {
                QVERIFY(expected.at(timer) <= now);
                expected.erase(timer);
            }
        }
    }
}

} // namespace mesh::net

QTEST_APPLESS_MAIN(mesh::net::TimerQueueTest)
#include "timer_queue_test.moc"
