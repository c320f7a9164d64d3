#include "proxyengine/policy/ewma.h"

#include "proxyengine/policy/balancer.h"

#include <QTest>

#include <cmath>

// Goal: the average is the reference's to a millionth, and the choice follows it.
namespace mesh::policy {

class EwmaTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void fadesLikeTheExponential();
    void jumpsUpAndComesDownSlowly();
    void agreesWithTheFormulaOverManySteps();
    void survivesOddTimes();
    void picksTheQuickerOfTwo();
    void waitingRequestsCount();
    void anIdleHostIsAskedAgain();
    void aQuickFailureIsNotQuick();
    void aReturningHostStartsAtTheAverage();
    void aNewListKeepsWhatIsKnown();
};

namespace {

using namespace std::chrono_literals;

constexpr TimePoint kNow{1000s};

bool isNear(Duration found, double expectedNanos, double tolerance = 1e-6)
{
    return std::abs(static_cast<double>(found.count()) - expectedNanos)
           <= expectedNanos * tolerance + 1.0;
}

struct World
{
    explicit World(std::size_t count)
        : hosts(std::vector<std::uint32_t>(count, 100))
        , random(Seed{6})
        , balancer(model::Algorithm::Latency, hosts, random)
    {}

    // One request that takes as long as its host says.
    std::uint32_t serve(TimePoint now, std::span<const Duration> rtts)
    {
        const auto host = balancer.pick({now, TriedHosts()}, hosts, random).host.value_or(99);
        balancer.report(host, now, rtts[host], AttemptEnd::Succeeded);
        return host;
    }

    HostSet hosts;
    Random random;
    Balancer balancer;
};

} // namespace

void EwmaTest::fadesLikeTheExponential()
{
    PeakEwma ewma;
    ewma.start(1s, kNow);

    QCOMPARE(ewma.at(kNow), Duration(1s));
    for (const Duration age :
         std::initializer_list<Duration>{1us, 1ms, 77ms, 1s, 6931471us, 10s, 25s, 60s, 100s}) {
        const double expected = 1e9 * std::exp(-toSeconds(age) / 10.0);
        QVERIFY2(isNear(ewma.at(kNow + age), expected), qPrintable(QString::number(expected)));
    }
    QCOMPARE(ewma.at(kNow + 1h), Duration(0));
}

void EwmaTest::jumpsUpAndComesDownSlowly()
{
    PeakEwma ewma;
    ewma.start(30ms, kNow);

    ewma.observe(200ms, kNow + 1s);
    QCOMPARE(ewma.at(kNow + 1s), Duration(200ms)); // Peak.
    ewma.observe(10ms, kNow + 2s);
    const double fading = std::exp(-0.1);
    QVERIFY(isNear(ewma.at(kNow + 2s), 200e6 * fading + 10e6 * (1 - fading)));
}

void EwmaTest::agreesWithTheFormulaOverManySteps()
{
    Random random(Seed{6});
    PeakEwma ewma;
    ewma.start(30ms, kNow);
    double value = 30e6;
    TimePoint at = kNow;
    for (int i = 0; i < 100'000; ++i) {
        const Duration gap(static_cast<std::int64_t>(random.below(200'000))); // 10 000 a second.
        const Duration rtt(static_cast<std::int64_t>(1'000'000 + random.below(1'000'000)));
        at += gap;
        ewma.observe(rtt, at);
        const auto news = static_cast<double>(rtt.count());
        const double fading = std::exp(-toSeconds(gap) / 10.0);
        value = news > value ? news : value * fading + news * (1 - fading);
    }

    QVERIFY2(isNear(ewma.at(at), value, 5e-5), qPrintable(QString::number(value)));
}

void EwmaTest::survivesOddTimes()
{
    PeakEwma ewma;
    ewma.start(30ms, kNow);

    ewma.observe(-5ms, kNow - 1s); // A clock that was read in another order.
    QCOMPARE(ewma.at(kNow), Duration(30ms));
    QCOMPARE(ewma.at(kNow - 5s), Duration(30ms));
    ewma.observe(48h, kNow);
    QVERIFY(ewma.at(kNow) > 15min && ewma.at(kNow) < 20min); // Capped.
    QCOMPARE(ewma.at(TimePoint::max()), Duration(0));
}

void EwmaTest::picksTheQuickerOfTwo()
{
    World world(2);
    const std::vector<Duration> rtts{2ms, 20ms};

    std::vector<int> picks(2, 0);
    TimePoint now = kNow;
    for (int i = 0; i < 10'000; ++i, now += 10ms) {
        ++picks[world.serve(now, rtts)];
    }

    // The slow one is asked only when its average has fallen below the other's.
    QVERIFY2(picks[1] > 0 && picks[1] < 300, qPrintable(QString::number(picks[1])));
}

void EwmaTest::waitingRequestsCount()
{
    World world(2);
    static_cast<void>(world.balancer.pick({kNow, TriedHosts()}, world.hosts, world.random));
    world.balancer.report(0, kNow, 40ms, AttemptEnd::Succeeded);
    world.balancer.report(1, kNow, 100ms, AttemptEnd::Succeeded);

    const auto pick = [&world] {
        return world.balancer.pick({kNow, TriedHosts()}, world.hosts, world.random).host;
    };
    QCOMPARE(pick().value_or(99), 0U); // 40 against 100.
    world.hosts.begin(0);
    QCOMPARE(pick().value_or(99), 0U); // 80 against 100.
    world.hosts.begin(0);
    QCOMPARE(pick().value_or(99), 1U); // 120 against 100.
}

void EwmaTest::anIdleHostIsAskedAgain()
{
    World world(2);
    static_cast<void>(world.balancer.pick({kNow, TriedHosts()}, world.hosts, world.random));
    world.balancer.report(1, kNow, 1s, AttemptEnd::Succeeded);
    const std::vector<Duration> rtts{50ms, 50ms};

    // 1 s falls below 50 ms in about 30 s.
    int asked = 0;
    for (TimePoint now = kNow; now < kNow + 29s; now += 100ms) {
        asked += world.serve(now, rtts) == 1 ? 1 : 0;
    }
    QCOMPARE(asked, 0);
    for (TimePoint now = kNow + 29s; now < kNow + 35s; now += 100ms) {
        asked += world.serve(now, rtts) == 1 ? 1 : 0;
    }
    QVERIFY(asked > 0);
}

void EwmaTest::aQuickFailureIsNotQuick()
{
    World world(2);
    static_cast<void>(world.balancer.pick({kNow, TriedHosts()}, world.hosts, world.random));
    world.balancer.report(0, kNow, 80ms, AttemptEnd::Succeeded);

    world.balancer.report(0, kNow + 1s, 10us, AttemptEnd::Failed);
    const auto later = world.balancer.latency(0, kNow + 1s).value_or(0s);
    QVERIFY(later >= 72ms); // Faded, as without news, but not pulled down.
    world.balancer.report(1, kNow + 300s, 10us, AttemptEnd::Failed);
    QVERIFY(world.balancer.latency(1, kNow + 300s).value_or(0s) >= 30ms);
}

void EwmaTest::aReturningHostStartsAtTheAverage()
{
    World world(3);
    static_cast<void>(world.balancer.pick({kNow, TriedHosts()}, world.hosts, world.random));
    QCOMPARE(world.balancer.latency(2, kNow).value_or(0s), Duration(30ms));
    world.hosts.setAvailability(2, HostSet::Availability::Unavailable, kNow);
    static_cast<void>(world.balancer.pick({kNow, TriedHosts()}, world.hosts, world.random));
    QVERIFY(!world.balancer.latency(2, kNow).has_value());
    world.balancer.report(2, kNow, 1h, AttemptEnd::Succeeded); // Too late to matter.

    const TimePoint later = kNow + 60s;
    world.balancer.report(0, later, 100ms, AttemptEnd::Succeeded);
    world.balancer.report(1, later, 300ms, AttemptEnd::Succeeded);
    world.hosts.setAvailability(2, HostSet::Availability::Available, later);
    for (int i = 0; i < 20; ++i) {
        static_cast<void>(world.balancer.pick({later, TriedHosts()}, world.hosts, world.random));
    }

    QVERIFY(isNear(world.balancer.latency(2, later).value_or(0s), 200e6));
}

void EwmaTest::aNewListKeepsWhatIsKnown()
{
    World world(2);
    static_cast<void>(world.balancer.pick({kNow, TriedHosts()}, world.hosts, world.random));
    world.balancer.report(0, kNow, 100ms, AttemptEnd::Succeeded);
    world.balancer.report(1, kNow, 50ms, AttemptEnd::Succeeded);
    std::vector<HostSpec> specs{{"1"}, {"0"}, {"new"}};
    const HostSet hosts(specs, {});
    Balancer balancer(model::Algorithm::Latency, hosts, world.random);

    balancer.carryOver(world.balancer, world.hosts, hosts, kNow);

    QCOMPARE(balancer.latency(0, kNow).value_or(0s), Duration(50ms));
    QCOMPARE(balancer.latency(1, kNow).value_or(0s), Duration(100ms));
    QVERIFY(isNear(balancer.latency(2, kNow).value_or(0s), 75e6));

    Balancer turns(model::Algorithm::RoundRobin, hosts, world.random);
    turns.carryOver(world.balancer, world.hosts, hosts, kNow); // Nothing to know.
    QVERIFY(!turns.latency(0, kNow).has_value());
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::EwmaTest)
#include "ewma_test.moc"
