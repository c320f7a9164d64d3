#include "proxyengine/policy/adaptive_concurrency.h"
#include "proxyengine/policy/breaker.h"
#include "proxyengine/policy/latency_window.h"
#include "proxyengine/policy/outlier.h"
#include "proxyengine/policy/overload.h"

#include <QTest>

#include <cstdlib>
#include <new>

// Goal: after construction no request makes ejection, breaker, adaptive limit, latency window or
//       shedding allocate; only a verdict with words may.
// Method: the program's operator new counts.
namespace {

std::uint64_t allocations = 0; // One thread.

} // namespace

void* operator new(std::size_t size)
{
    ++allocations;
    // NOLINTNEXTLINE(cppcoreguidelines-no-malloc)
    void* const memory = std::malloc(size == 0 ? 1 : size);
    if (memory == nullptr) {
        std::abort();
    }
    return memory;
}

// What std::stable_sort asks for, so that all of it is freed by the one below.
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept
{
    return operator new(size);
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }

namespace mesh::policy {

using namespace std::chrono_literals;

class ResilienceAllocationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void countsAllocations();
    void ejectionCountsWithoutAllocating();
    void breakersTurnWithoutAllocating();
    void limitsFollowWithoutAllocating();
    void overloadIsDecidedWithoutAllocating();
};

void ResilienceAllocationTest::countsAllocations()
{
    const std::uint64_t before = allocations;
    const std::vector<int> some(100, 1);
    QCOMPARE(some.size(), std::size_t{100});
    QVERIFY(allocations > before);
}

void ResilienceAllocationTest::ejectionCountsWithoutAllocating()
{
    OutlierDetector detector(model::OutlierDetection(), 30, TimePoint(0s));
    Random random(Seed{1});
    TimePoint now(0s);
    int verdicts = 0;

    const std::uint64_t before = allocations;
    for (std::size_t i = 0; i < 10'000; ++i) {
        now += 10ms;
        const OutlierOutcome outcome{
            i % 3 == 0 ? OutlierOutcome::Kind::Success : OutlierOutcome::Kind::Answer5xx, 503};
        verdicts += detector.observe(now, i % 10, outcome, random).has_value() ? 1 : 0;
        detector.observeSuccesses(i % 10, 1);
        if (now >= detector.nextSweepAt()) {
            verdicts += static_cast<int>(detector.sweep(now, random).size());
        }
    }

    QCOMPARE(allocations, before);
    QCOMPARE(verdicts, 0);
}

void ResilienceAllocationTest::breakersTurnWithoutAllocating()
{
    CircuitBreaker breaker(model::Breaker(), TimePoint(0s));
    Random random(Seed{1});
    TimePoint now(0s);
    int turns = 0;

    const std::uint64_t before = allocations;
    for (int i = 0; i < 10'000; ++i) {
        now += 10ms;
        const BreakerAdmission admission = breaker.admit(now, random);
        if (admission.isAdmitted()) {
            const auto outcome =
                i % 2000 < 1000 ? BreakerOutcome::Failed : BreakerOutcome::Succeeded;
            turns += breaker.onOutcome(now, admission.round(), outcome, 1ms).has_value() ? 1 : 0;
        }
    }

    QCOMPARE(allocations, before);
    QVERIFY(turns > 5);
}

void ResilienceAllocationTest::limitsFollowWithoutAllocating()
{
    AdaptiveConcurrency limit(model::AdaptiveConcurrency(), TimePoint(0s));
    LatencyWindow window(10s, 95, TimePoint(0s));
    Random random(Seed{1});
    TimePoint now(0s);

    const std::uint64_t before = allocations;
    for (int i = 0; i < 10'000; ++i) {
        now += 10ms;
        const ConcurrencyAdmission admission = limit.enter(now, random);
        limit.onDone(now + 1ms, admission.epoch(), 1ms, random);
        window.record(now, std::chrono::microseconds(i));
        QVERIFY(window.value(now).has_value() || i < 20);
    }

    QCOMPARE(allocations, before);
    QVERIFY(limit.limit() > 3);
}

void ResilienceAllocationTest::overloadIsDecidedWithoutAllocating()
{
    model::Overload settings;
    settings.maxRequests = 100;
    Random random(Seed{1});
    int shed = 0;

    const std::uint64_t before = allocations;
    for (std::uint64_t i = 0; i < 200; ++i) {
        const double pressure = pressureOf(settings, {i, 0s});
        const auto verdict =
            decideOverload(settings, model::RequestPriority::Low, pressure, random);
        shed += verdict == OverloadVerdict::Shed ? 1 : 0;
    }

    QCOMPARE(allocations, before);
    QVERIFY(shed > 100);
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::ResilienceAllocationTest)
#include "resilience_allocation_test.moc"
