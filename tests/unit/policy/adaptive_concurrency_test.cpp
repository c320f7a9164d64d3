#include "proxyengine/policy/adaptive_concurrency.h"

#include <QTest>

// Goal: the gradient's numbers, when the smallest round trip is measured, and the gate.
// Method: time and round trips are numbers we choose.
namespace mesh::policy {

using namespace std::chrono_literals;

class AdaptiveConcurrencyTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void followsTheGradient_data();
    void followsTheGradient();
    void measuresTheSmallestRoundTripFirst();
    void measuresAgainAfterTheInterval();
    void measuresAgainWhenStuckAtTheMinimum();
    void dropsRoundTripsOfAnEarlierEpoch();
    void keepsItsLimitWithoutTraffic();
    void admitsUpToTheLimit();
};

namespace {

// One update interval with such round trips.
void pass(
    AdaptiveConcurrencyController& controller, TimePoint& now, Duration roundTrip, Random& random
)
{
    controller.record(controller.epoch(), roundTrip, 60);
    now += 100ms;
    controller.advance(now, random);
}

} // namespace

void AdaptiveConcurrencyTest::followsTheGradient_data()
{
    QTest::addColumn<int>("smallest_us");
    QTest::addColumn<int>("sample_us");
    QTest::addColumn<int>("limit");
    QTest::addColumn<int>("next");

    const auto row = [](const char* name, int smallest, int sample, int limit, int next) {
        QTest::newRow(name) << smallest << sample << limit << next;
    };
    // gradient 1.25: 125 + sqrt(125) = 136.18
    row("as fast as ever", 1000, 1000, 100, 136);
    row("within the buffer", 1000, 1250, 100, 110);
    // 1250 / 2000 = 0.625: 62.5 + sqrt(62.5) = 70.4
    row("slower", 1000, 2000, 100, 70);
    // at least one half: 50 + sqrt(50) = 57.07
    row("far slower", 1000, 100'000, 100, 57);
    // at most double: 200 + sqrt(200) = 214.14
    row("far faster", 1000, 10, 100, 214);
    row("never below the minimum", 1000, 100'000, 3, 3);
    row("never above the maximum", 1000, 1000, 999, 1000);
    row("no time at all", 1000, 0, 100, 214);
}

void AdaptiveConcurrencyTest::followsTheGradient()
{
    QFETCH(const int, smallest_us);
    QFETCH(const int, sample_us);
    QFETCH(const int, limit);
    QFETCH(const int, next);

    const std::uint32_t found = nextConcurrencyLimit(
        model::AdaptiveConcurrency(),
        std::chrono::microseconds(smallest_us),
        std::chrono::microseconds(sample_us),
        static_cast<std::uint32_t>(limit)
    );

    QCOMPARE(found, static_cast<std::uint32_t>(next));
}

void AdaptiveConcurrencyTest::measuresTheSmallestRoundTripFirst()
{
    Random random(Seed{1});
    AdaptiveConcurrencyController controller(model::AdaptiveConcurrency(), TimePoint(0s));
    QVERIFY(controller.isMeasuring());
    QCOMPARE(controller.limit(), 3U);

    controller.record(controller.epoch(), 10ms, 49);
    QVERIFY(!controller.advance(TimePoint(99ms), random));
    controller.advance(TimePoint(100ms), random);
    QVERIFY(controller.isMeasuring());
    controller.record(controller.epoch(), 10ms, 1);
    controller.advance(TimePoint(200ms), random);

    QVERIFY(!controller.isMeasuring());
    const double error = toSeconds(controller.smallestRoundTrip()) / 0.010 - 1;
    QVERIFY(std::abs(error) < 0.016);
    QVERIFY(controller.nextUpdateAt() == TimePoint(300ms));

    // Free to grow: 2 * 3 is out of reach of 1.25, so 3.75 + sqrt(3.75) = 5.69.
    controller.record(controller.epoch(), 10ms);
    QVERIFY(controller.advance(TimePoint(300ms), random));
    QCOMPARE(controller.limit(), 5U);
    QCOMPARE(
        QByteArray::fromStdString(controller.reason()),
        QByteArray("limit of 5 requests in flight; round trip 11 ms, smallest 11 ms")
    );
}

void AdaptiveConcurrencyTest::measuresAgainAfterTheInterval()
{
    Random random(Seed{1});
    AdaptiveConcurrencyController controller(model::AdaptiveConcurrency(), TimePoint(0s));
    TimePoint now(0s);
    pass(controller, now, 10ms, random);
    const TimePoint measuredAt = now;
    std::uint32_t limit = 0;
    while (!controller.isMeasuring()) {
        limit = controller.limit();
        pass(controller, now, 10ms, random);
    }
    QVERIFY(now - measuredAt >= 60s);
    QVERIFY(now - measuredAt <= 69s + 100ms);
    QCOMPARE(limit, 1000U);
    QCOMPARE(controller.limit(), 3U);
    QCOMPARE(
        QByteArray::fromStdString(controller.reason()),
        QByteArray("limit of 3 requests in flight while the smallest round trip is measured")
    );

    // Afterwards it goes on where it was.
    pass(controller, now, 20ms, random);
    QVERIFY(!controller.isMeasuring());
    QCOMPARE(controller.limit(), 1000U);
    QVERIFY(controller.smallestRoundTrip() > 19ms);
}

void AdaptiveConcurrencyTest::measuresAgainWhenStuckAtTheMinimum()
{
    Random random(Seed{1});
    AdaptiveConcurrencyController controller(model::AdaptiveConcurrency(), TimePoint(0s));
    TimePoint now(0s);
    pass(controller, now, 10ms, random);
    QCOMPARE(controller.limit(), 3U);
    for (int update = 1; update <= 5; ++update) {
        QVERIFY(!controller.isMeasuring());
        pass(controller, now, 1s, random);
    }
    QVERIFY(controller.isMeasuring());
    pass(controller, now, 1s, random);
    QVERIFY(controller.smallestRoundTrip() > 900ms);
}

void AdaptiveConcurrencyTest::dropsRoundTripsOfAnEarlierEpoch()
{
    Random random(Seed{1});
    model::AdaptiveConcurrency settings;
    settings.minRttInterval = 1s;
    AdaptiveConcurrency limit(settings, TimePoint(0s));
    const ConcurrencyAdmission early = limit.enter(TimePoint(0s), random);
    TimePoint now(0s);
    while (!(limit.controller().isMeasuring() && limit.controller().epoch() > 0)) {
        const ConcurrencyAdmission admission = limit.enter(now, random);
        now += 10ms;
        limit.onDone(now, admission.epoch(), 10ms, random);
    }

    // Its answer took so long because of what ran before.
    limit.onDone(now, early.epoch(), 5s, random);
    for (int i = 0; i < 50; ++i) {
        const ConcurrencyAdmission admission = limit.enter(now, random);
        limit.onDone(now, admission.epoch(), i < 26 ? 5ms : 6ms, random);
    }
    static_cast<void>(limit.enter(now + 100ms, random));

    QVERIFY(!limit.controller().isMeasuring());
    QVERIFY(limit.controller().smallestRoundTrip() < 5500us);
    QCOMPARE(limit.inFlight(), 1U);
}

void AdaptiveConcurrencyTest::keepsItsLimitWithoutTraffic()
{
    Random random(Seed{1});
    AdaptiveConcurrencyController controller(model::AdaptiveConcurrency(), TimePoint(0s));
    TimePoint now(0s);
    pass(controller, now, 10ms, random);
    pass(controller, now, 10ms, random);
    const std::uint32_t limit = controller.limit();
    for (int i = 0; i < 100; ++i) {
        QVERIFY(!controller.advance(now += 100ms, random));
    }
    QCOMPARE(controller.limit(), limit);
}

void AdaptiveConcurrencyTest::admitsUpToTheLimit()
{
    ConcurrencyGate gate(0, 2, 7);
    QVERIFY(!enter(ConcurrencyGate()).isAdmitted());
    for (int i = 0; i < 2; ++i) {
        const ConcurrencyAdmission admission = enter(gate);
        QVERIFY(admission.isAdmitted());
        QCOMPARE(admission.epoch(), std::uint16_t{7});
        gate = admission.gate;
    }
    QVERIFY(!enter(gate).isAdmitted());
    QVERIFY(enter(gate).gate == gate);

    // A smaller limit ends nothing that runs.
    gate = withLimit(gate, 1, 8);
    QCOMPARE(gate.inFlight(), 2U);
    gate = leave(gate);
    QVERIFY(!enter(gate).isAdmitted());
    gate = leave(gate);
    QVERIFY(enter(gate).isAdmitted());

    const ConcurrencyGate full(ConcurrencyGate::kInFlightMax, ConcurrencyGate::kLimitMax, 65'535);
    QVERIFY(ConcurrencyGate::fromWord(full.word()) == full);
    QCOMPARE(full.inFlight(), ConcurrencyGate::kInFlightMax);
    QCOMPARE(full.limit(), ConcurrencyGate::kLimitMax);
    QCOMPARE(full.epoch(), std::uint16_t{65'535});
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::AdaptiveConcurrencyTest)
#include "adaptive_concurrency_test.moc"
