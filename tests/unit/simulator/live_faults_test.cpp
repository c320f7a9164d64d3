#include "simulator/live/faults.h"
#include "simulator/live/live_configuration.h"

#include <QTest>

#include <algorithm>

// Goal: what faults of a scenario mean for real servers, and which cannot be played.
// Method: faults made by hand; what they become is compared.
namespace mesh::simulator {

using namespace std::chrono_literals;

class LiveFaultsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void twoFaultsAtOnceBothHold();
    void aGreyFaultIsErrorsOrSlowness();
    void aFlapIsASeriesOfKills();
    void aSwizzleStopsOneAfterTheOther();
    void aSurgeIsLoad();
    void whatCannotBePlayedSaysWhy();
};

namespace {

Fault faultOf(FaultKind kind, Duration at, std::optional<Duration> length)
{
    Fault fault;
    fault.kind = kind;
    fault.at = at;
    fault.length = length;
    fault.target.service = "cart";
    return fault;
}

} // namespace

void LiveFaultsTest::twoFaultsAtOnceBothHold()
{
    Fault first = faultOf(FaultKind::Latency, 0s, {});
    first.add = 100ms;
    Fault second = first;
    second.add = 50ms;
    second.probability = 0.5;

    const InstanceFaults both = withFault(withFault({}, first), second);

    QCOMPARE(both.latencyAdd, Duration(100ms));
    QCOMPARE(both.more.size(), std::size_t{1});
    QCOMPARE(both.more.front().faults.latencyAdd, Duration(50ms));
    QCOMPARE(both.more.front().faults.latencyShare, 0.5);
    QVERIFY(both.more.front().hits("anybody"));
    QVERIFY(both.more.front().hits(""));
}

void LiveFaultsTest::aGreyFaultIsErrorsOrSlowness()
{
    Fault grey = faultOf(FaultKind::Grey, 0s, {});
    grey.status = 500;
    QCOMPARE(withFault({}, grey).errorShare, 1.0);
    QCOMPARE(withFault({}, grey).errorStatus, 500);

    grey.factor = 4.0;
    QCOMPARE(withFault({}, grey).errorShare, 0.0);
    QCOMPARE(withFault({}, grey).slowFactor, 4.0);
}

void LiveFaultsTest::aFlapIsASeriesOfKills()
{
    Fault flap = faultOf(FaultKind::Flap, 10s, 25s);
    flap.period = 10s;
    flap.duty = 0.2;

    const std::vector<Fault> kills = unrolled(flap, 1min, Seed{1});

    // Up for 2 s, down for 8 s; the last time is cut at the end.
    QCOMPARE(kills.size(), std::size_t{3});
    for (const Fault& kill : kills) {
        QVERIFY(withFault({}, kill).isKilled);
    }
    QCOMPARE(kills[0].at, Duration(12s));
    QCOMPARE(*kills[0].length, Duration(8s));
    QCOMPARE(kills[2].at, Duration(32s));
    QCOMPARE(*kills[2].length, Duration(3s));
    QCOMPARE(unrolled(faultOf(FaultKind::Kill, 1s, 2s), 1min, Seed{1}).size(), std::size_t{1});
    flap.duty = 1.0;
    QVERIFY(unrolled(flap, 1min, Seed{1}).empty());
}

// Stopped in the file's order, restored in another; the last at the end.
void LiveFaultsTest::aSwizzleStopsOneAfterTheOther()
{
    Fault swizzle = faultOf(FaultKind::Swizzle, 10s, 50s);
    swizzle.target = {};
    swizzle.target.services = {"a", "b", "c"};

    const std::vector<Fault> kills = unrolled(swizzle, 2min, Seed{3});

    QCOMPARE(kills.size(), std::size_t{3});
    std::vector<Duration> ends;
    for (std::size_t at = 0; at < kills.size(); ++at) {
        QCOMPARE(kills[at].target.service, swizzle.target.services[at]);
        QCOMPARE(kills[at].at, Duration(10s + 10s * at));
        ends.push_back(kills[at].at + *kills[at].length);
    }
    std::ranges::sort(ends);
    QCOMPARE(ends, (std::vector<Duration>{40s, 50s, 60s}));
}

void LiveFaultsTest::aSurgeIsLoad()
{
    const Load load{"cart", Arrivals::Poisson, {{0s, 10.0}, {20s, 30.0}}};
    Fault surge = faultOf(FaultKind::Surge, 10s, 15s);
    surge.factor = 2.0;

    const Load surged = withSurges(load, {surge});

    const std::vector<std::pair<Duration, double>> expected{
        {0s, 10.0}, {10s, 20.0}, {20s, 60.0}, {25s, 30.0}};
    QCOMPARE(surged.rate, expected);
    surge.target.service = "other";
    QCOMPARE(withSurges(load, {surge}).rate, load.rate);
}

void LiveFaultsTest::whatCannotBePlayedSaysWhy()
{
    for (int kind = 0; kind < kFaultKindCount; ++kind) {
        const Fault fault = faultOf(static_cast<FaultKind>(kind), 0s, 1s);
        const bool isNothing = withFault({}, fault) == InstanceFaults();
        // Of the load, of configurations, of lines.
        const bool isElsewhere = fault.kind == FaultKind::Surge
                                 || fault.kind == FaultKind::Bandwidth
                                 || LiveConfiguration::isOfConfiguration(fault.kind);
        // Whatever is let through does something; what does nothing is refused.
        Fault strong = fault;
        strong.add = 1ms;
        strong.factor = 2.0;
        const bool doesSomething = !(withFault({}, strong) == InstanceFaults()) || isElsewhere;
        QCOMPARE(whyNotLive(fault).empty(), doesSomething);
        QVERIFY(doesSomething || isNothing);
    }
    Fault partition = faultOf(FaultKind::Partition, 0s, 1s);
    partition.target = {};
    partition.target.between = {"a", "b"};
    QVERIFY(whyNotLive(partition).empty());
    QVERIFY(withFault({}, partition) == InstanceFaults());
    Fault narrow = faultOf(FaultKind::Bandwidth, 0s, 1s);
    narrow.probability = 0.5;
    QVERIFY(!whyNotLive(narrow).empty());
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::LiveFaultsTest)
#include "live_faults_test.moc"
