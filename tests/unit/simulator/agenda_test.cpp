// Goal: the total order of events, timers that can be cancelled, no allocation per event.
// Method: random schedules against a plain sorted list; a counting allocator; planted mutations of
//         the order that the comparison must notice.
#include "simulator/kernel/agenda.h"

#include "proxyengine/base/random.h"
#include "simulator/kernel/luck.h"
#include "simulator/kernel/slab.h"
#include "tests/support/queue_model.h"

#include <QTest>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <new>
#include <vector>

// A sanitizer's own operators must stay.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MESH_COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MESH_COUNTS_ALLOCATIONS 0
#endif
#endif
#ifndef MESH_COUNTS_ALLOCATIONS
#define MESH_COUNTS_ALLOCATIONS 1
#endif

namespace {

std::size_t allocations = 0;

} // namespace

#if MESH_COUNTS_ALLOCATIONS
void* operator new(std::size_t size)
{
    ++allocations;
    void* const memory = std::malloc(size == 0 ? 1 : size);
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}

// What std::stable_sort asks for, so that all of it is freed by the one below.
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept
{
    return operator new(size);
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace mesh::simulator {

using namespace std::chrono_literals;

class AgendaTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void equalTimesComeInTheOrderOfScheduling();
    void timersAndNearEventsShareOneOrder();
    void anyMixOfEventsAndTimersComesInTotalOrder();
    void aCancelledTimerNeverFires();
    void aHandleOutlivesItsTimerWithoutHarm();
    void farTimersKeepTheirNanosecond();
    void theClockStopsAtTheLastEventThatIsDue();
    void theFingerprintSeesOrderTimeAndEveryField();
    void aRunAllocatesNothingOnceWarm();
    void aSlabForgetsNamesOfFreedItems();
    void streamsDependOnEveryPartOfTheirKey();
};

namespace {

std::vector<std::uint32_t> subjectsOf(Agenda& agenda)
{
    std::vector<std::uint32_t> subjects;
    TimedEvent event{};
    while (agenda.next(TimePoint::max(), event)) {
        subjects.push_back(event.event.subject);
    }
    return subjects;
}

Event about(std::uint32_t subject) { return {1, subject, 0, 0}; }

struct Expected
{
    std::uint64_t time;
    std::uint32_t subject; // In the order of scheduling.
};

// From nothing to hours, with many equal ones.
Duration anyWait(Random& random)
{
    switch (random.below(4)) {
    case 0:
        return Duration(static_cast<Duration::rep>(random.below(3)));
    case 1:
        return Duration(static_cast<Duration::rep>(random.below(40'000)));
    case 2:
        return Duration(static_cast<Duration::rep>(random.below(50) * 1'000'000));
    default:
        return Duration(static_cast<Duration::rep>(random.next() >> (20 + random.below(40))));
    }
}

} // namespace

void AgendaTest::equalTimesComeInTheOrderOfScheduling()
{
    Agenda agenda;
    std::vector<std::uint32_t> expected;
    for (std::uint32_t subject = 0; subject < 1000; ++subject) {
        agenda.schedule(5us, about(subject));
        expected.push_back(subject);
    }

    QCOMPARE(subjectsOf(agenda), expected);
}

void AgendaTest::timersAndNearEventsShareOneOrder()
{
    Agenda agenda;
    agenda.startTimer(1s, about(0));
    agenda.schedule(1s, about(1));
    agenda.startTimer(1s, about(2));
    agenda.schedule(1s - 1ns, about(3));

    QCOMPARE(subjectsOf(agenda), (std::vector<std::uint32_t>{3, 0, 1, 2}));
}

void AgendaTest::anyMixOfEventsAndTimersComesInTotalOrder()
{
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Random random(Seed{seed});
        Agenda agenda;
        std::vector<Expected> expected;
        std::vector<TimerHandle> timers;
        std::vector<std::uint32_t> subjectOfTimer;
        std::vector<Expected> happened;
        std::uint32_t subject = 0;
        TimedEvent event{};
        for (int step = 0; step < 3000; ++step) {
            const Duration wait = anyWait(random);
            const auto time =
                static_cast<std::uint64_t>((agenda.now() + wait).time_since_epoch().count());
            const std::uint64_t what = random.below(8);
            if (what < 3) {
                agenda.schedule(wait, about(subject));
                expected.push_back({time, subject++});
            } else if (what < 6) {
                timers.push_back(agenda.startTimer(wait, about(subject)));
                subjectOfTimer.push_back(subject);
                expected.push_back({time, subject++});
            } else if (what == 6 && !timers.empty()) {
                const auto at = static_cast<std::size_t>(random.below(timers.size()));
                if (agenda.cancel(timers[at])) {
                    std::erase_if(expected, [&](const Expected& one) {
                        return one.subject == subjectOfTimer[at];
                    });
                }
            } else if (agenda.next(TimePoint::max(), event)) {
                happened.push_back(
                    {static_cast<std::uint64_t>(event.at.time_since_epoch().count()),
                     event.event.subject}
                );
            }
        }
        while (agenda.next(TimePoint::max(), event)) {
            happened.push_back(
                {static_cast<std::uint64_t>(event.at.time_since_epoch().count()),
                 event.event.subject}
            );
        }
        std::ranges::stable_sort(expected, {}, &Expected::time);

        QCOMPARE(happened.size(), expected.size());
        for (std::size_t at = 0; at < expected.size(); ++at) {
            QVERIFY2(
                happened[at].time == expected[at].time
                    && happened[at].subject == expected[at].subject,
                qPrintable(QStringLiteral("seed %1, event %2").arg(seed).arg(at))
            );
        }
        QCOMPARE(agenda.timersWaiting(), std::size_t{0});
        QCOMPARE(agenda.happened(), std::uint64_t{expected.size()});
    }
}

void AgendaTest::aCancelledTimerNeverFires()
{
    Agenda agenda;
    const TimerHandle far = agenda.startTimer(10s, about(1));
    const TimerHandle near = agenda.startTimer(1us, about(2)); // Already in the heap.
    agenda.startTimer(10s, about(3));

    QVERIFY(agenda.cancel(far));
    QVERIFY(agenda.cancel(near));
    QVERIFY(!agenda.cancel(far));

    QCOMPARE(subjectsOf(agenda), std::vector<std::uint32_t>{3});
    QCOMPARE(agenda.happened(), std::uint64_t{1});
}

void AgendaTest::aHandleOutlivesItsTimerWithoutHarm()
{
    Agenda agenda;
    const TimerHandle first = agenda.startTimer(1s, about(1));
    QVERIFY(agenda.cancel(first));
    agenda.startTimer(1s, about(2)); // In the same place.

    QVERIFY(!agenda.cancel(first));
    QVERIFY(!agenda.cancel(TimerHandle{}));
    QCOMPARE(subjectsOf(agenda), std::vector<std::uint32_t>{2});
}

void AgendaTest::farTimersKeepTheirNanosecond()
{
    Agenda agenda;
    for (unsigned bit = 0; bit < 62; ++bit) {
        agenda.startTimer(Duration((std::int64_t{1} << bit) + 1), about(bit));
    }

    TimedEvent event{};
    for (unsigned bit = 0; bit < 62; ++bit) {
        QVERIFY(agenda.next(TimePoint::max(), event));
        QCOMPARE(event.event.subject, bit);
        QCOMPARE(event.at.time_since_epoch().count(), (std::int64_t{1} << bit) + 1);
    }
}

void AgendaTest::theClockStopsAtTheLastEventThatIsDue()
{
    Agenda agenda;
    agenda.schedule(1ms, about(1));
    agenda.startTimer(2ms, about(2));
    TimedEvent event{};

    QVERIFY(agenda.next(TimePoint(2ms - 1ns), event));
    QVERIFY(!agenda.next(TimePoint(2ms - 1ns), event));
    QCOMPARE(agenda.now(), TimePoint(1ms));
    // What is scheduled now still comes before the timer that waits.
    agenda.schedule(1ms - 1ns, about(3));
    QCOMPARE(subjectsOf(agenda), (std::vector<std::uint32_t>{3, 2}));
}

void AgendaTest::theFingerprintSeesOrderTimeAndEveryField()
{
    const auto fingerprint = [](const std::vector<std::pair<std::uint64_t, Event>>& events) {
        EventHash hash;
        for (const auto& [time, event] : events) {
            hash.add(time, event);
        }
        return hash.value();
    };
    const Event one{1, 2, 3, 4};
    const Event two{1, 2, 3, 5};
    const std::uint64_t plain = fingerprint({{10, one}, {10, two}});

    QCOMPARE(fingerprint({{10, one}, {10, two}}), plain);
    for (const auto& other : std::vector<std::vector<std::pair<std::uint64_t, Event>>>{
             {{10, two}, {10, one}},
             {{10, one}, {11, two}},
             {{10, one}},
             {{10, {2, 2, 3, 4}}, {10, two}},
             {{10, {1, 3, 3, 4}}, {10, two}},
             {{10, {1, 2, 4, 4}}, {10, two}},
             {{10, one}, {10, two}, {0, {}}},
         }) {
        QVERIFY(fingerprint(other) != plain);
    }
}

void AgendaTest::aRunAllocatesNothingOnceWarm()
{
    if (MESH_COUNTS_ALLOCATIONS == 0) {
        QSKIP("A sanitizer owns the allocator.");
    }
    const model::DurationLaw gap{model::DurationLaw::Kind::Exp, 1250us, 1.0, {}};
    const model::DurationLaw service{model::DurationLaw::Kind::Exp, 1ms, 1.0, {}};
    QueueModel queue({gap, service, 1}, Seed{3});
    queue.run(10'000, 0);
    const std::size_t before = allocations;

    queue.run(200'000, 0);

    QCOMPARE(allocations, before);

    Agenda agenda;
    const auto startAndCancel = [&agenda] {
        for (int at = 0; at < 1000; ++at) {
            const TimerHandle timer = agenda.startTimer(1s, about(1));
            agenda.schedule(1us, about(2));
            TimedEvent event{};
            static_cast<void>(agenda.next(TimePoint::max(), event));
            agenda.cancel(timer);
        }
    };
    startAndCancel();
    const std::size_t warm = allocations;
    startAndCancel();
    QCOMPARE(allocations, warm);
}

void AgendaTest::aSlabForgetsNamesOfFreedItems()
{
    Slab<int> slab;
    const SlabHandle first = slab.take();
    slab[first] = 7;
    slab.free(first);
    const SlabHandle second = slab.take();

    QCOMPARE(second.index, first.index);
    QCOMPARE(slab.find(first), nullptr);
    QCOMPARE(slab[second], 0);
    QCOMPARE(slab.count(), std::size_t{1});
    QCOMPARE(slab.capacity(), std::size_t{1});
}

void AgendaTest::streamsDependOnEveryPartOfTheirKey()
{
    const CallPath path = CallPath().below(1);
    const LuckKey key{5, path, 1, LuckFor::Service};
    const std::uint64_t plain = luckOf(Seed{1}, key).next();

    QCOMPARE(luckOf(Seed{1}, key).next(), plain);
    QVERIFY(luckOf(Seed{2}, key).next() != plain);
    QVERIFY(luckOf(Seed{1}, {6, path, 1, LuckFor::Service}).next() != plain);
    QVERIFY(luckOf(Seed{1}, {5, path.below(0), 1, LuckFor::Service}).next() != plain);
    QVERIFY(luckOf(Seed{1}, {5, path, 2, LuckFor::Service}).next() != plain);
    QVERIFY(luckOf(Seed{1}, {5, path, 1, LuckFor::Script}).next() != plain);
    QVERIFY(CallPath().below(1).below(2) != CallPath().below(2).below(1));
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::AgendaTest)
#include "agenda_test.moc"
