// Goal: every kind of fault does to a mesh in virtual time what its definition says, no more, and
//       leaves no trace behind, alone and over others.
// Method: small meshes whose figures can be worked out by hand: constant service times, hosts in
//         turn, one request a millisecond, a fault from the 4th to the 8th second.
#include "tests/support/mesh_in_virtual_time.h"

#include <QTest>

#include <algorithm>
#include <functional>
#include <vector>

namespace mesh::simulator {

class SimMeshFaultsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aFaultDoesWhatItSays_data();
    void aFaultDoesWhatItSays();
    void aFrozenInstanceGoesOnWithWhatItHeld();
    void faultsOverEachOtherEndOneByOne();
    void aSwizzleBringsEveryServiceBack();
    void aNarrowLinkIsAQueue();
    void expiredCertificatesSpareWhatIsConnected();
    void expiredCertificatesRefuseWhatIsNot();
    void staleEndpointsAreSeenLate_data();
    void staleEndpointsAreSeenLate();
    void aBadDeployTakesInstancesFromTheirVersion();
    void certificatesAreRenewedLateWhereConfigurationIs();
    void aWipedCacheFillsAgain();
    void aLostZoneForgetsWhatItsProxiesKnew();
};

namespace {

const std::string kPair = R"(
_format_version: "3.0"
services:
- {name: a, host: a, retries: 0}
- {name: b, host: b, retries: 0, resilience: {per_try_timeout: 100ms}}
models:
- {service: a, instances: 4, zones: [x, y], concurrency: 1000, service_time: {dist: const,
    mean: 1ms}, script: [{call: b}]}
- {service: b, instances: 4, zones: [x, y], concurrency: 1000, service_time: {dist: const,
    mean: 1ms}}
)";

// One request a millisecond for 12 seconds; windows before, during and after a fault.
MeshRunSettings steady(std::vector<Fault> timeline)
{
    MeshRunSettings settings = settingsFor("a", 1000.0, 12s, 1);
    settings.loads.front().arrivals = Arrivals::Uniform;
    settings.windows = {
        {"before", {{TimePoint(1s), TimePoint(3800ms)}}},
        {"during", {{TimePoint(4s), TimePoint(8s)}}},
        {"after", {{TimePoint(9s), TimePoint(11800ms)}}}};
    for (Fault& fault : timeline) {
        fault.at = fault.at == Duration::zero() ? Duration(4s) : fault.at;
        fault.length = fault.length.value_or(4s);
    }
    settings.timeline = std::move(timeline);
    return settings;
}

Fault onService(FaultKind kind, std::string service)
{
    Fault fault;
    fault.kind = kind;
    fault.target.service = std::move(service);
    return fault;
}

Fault onEdge(FaultKind kind)
{
    Fault fault;
    fault.kind = kind;
    fault.target.edge = std::pair("a", "b");
    return fault;
}

Fault onInstance(FaultKind kind)
{
    Fault fault;
    fault.kind = kind;
    fault.target.instance = "b-1";
    return fault;
}

Fault with(Fault fault, const std::function<void(Fault&)>& change)
{
    change(fault);
    return fault;
}

// What the edge from a to b must come to while the fault lasts.
struct Expected
{
    double success = 1.0;
    double mean = 1.0; // Milliseconds; negative: not looked at.
    double perSecond = 1000.0;
    double amplification = 1.0;
};

} // namespace

void SimMeshFaultsTest::aFaultDoesWhatItSays_data()
{
    QTest::addColumn<std::vector<Fault>>("timeline");
    QTest::addColumn<Expected>("expected");
    const auto add = [](const char* name, std::vector<Fault> timeline, Expected expected) {
        QTest::newRow(name) << std::move(timeline) << expected;
    };
    using Kind = FaultKind;
    add("kill one of four", {onInstance(Kind::Kill)}, {0.75, 0.75});
    add("kill half",
        {with(onService(Kind::Kill, "b"), [](Fault& f) { f.target.percent = 50; })},
        {0.5, 0.5});
    add("lose a zone",
        {with(
            {},
            [](Fault& f) {
                f.kind = Kind::ZoneOutage;
                f.target.zone = "x";
            }
        )},
        {0.5, 0.5, 500.0});
    add("cut an edge", {onEdge(Kind::Partition)}, {0.0, 100.0});
    add("cut an edge one way",
        {with(onEdge(Kind::Partition), [](Fault& f) { f.isOneWay = true; })},
        {0.0, 100.0});
    add("cut two zones",
        {with(
            {},
            [](Fault& f) {
                f.kind = Kind::Partition;
                f.target.between = std::pair("x", "y");
            }
        )},
        {0.5, 50.5});
    add("latency on an edge",
        {with(onEdge(Kind::Latency), [](Fault& f) { f.add = 20ms; })},
        {1.0, 21.0});
    add("jitter",
        {with(
            onEdge(Kind::Latency),
            [](Fault& f) {
                f.add = 20ms;
                f.jitter = 15ms;
            }
        )},
        {1.0, 21.0});
    add("latency for some",
        {with(
            onEdge(Kind::Latency),
            [](Fault& f) {
                f.add = 20ms;
                f.probability = 0.5;
            }
        )},
        {1.0, 11.0});
    add("latency of an instance",
        {with(onInstance(Kind::Latency), [](Fault& f) { f.add = 20ms; })},
        {1.0, 6.0});
    add("latency of a zone",
        {with(
            {},
            [](Fault& f) {
                f.kind = Kind::Latency;
                f.target.zone = "y";
                f.add = 20ms;
            }
        )},
        {1.0, 11.0, 1000.0});
    add("errors for some",
        {with(onService(Kind::Error, "b"), [](Fault& f) { f.probability = 0.3; })},
        {0.7, 0.7});
    add("resets", {onInstance(Kind::Reset)}, {0.75, 0.75});
    add("resets for some",
        {with(onEdge(Kind::Reset), [](Fault& f) { f.probability = 0.4; })},
        {0.6, 0.6});
    add("a black hole", {onInstance(Kind::BlackHole)}, {0.75, 25.75});
    add("slow", {with(onService(Kind::Slow, "b"), [](Fault& f) { f.factor = 10.0; })}, {1.0, 10.0});
    add("slow for some",
        {with(
            onInstance(Kind::Slow),
            [](Fault& f) {
                f.factor = 9.0;
                f.probability = 0.5;
            }
        )},
        {1.0, 2.0});
    add("grey and slow",
        {with(onInstance(Kind::Grey), [](Fault& f) { f.factor = 5.0; })},
        {1.0, 2.0});
    add("grey with errors", {onInstance(Kind::Grey)}, {0.75, 0.75});
    add("a surge",
        {with(onService(Kind::Surge, "a"), [](Fault& f) { f.factor = 3.0; })},
        {1.0, 1.0, 3000.0});
    add("surges over each other",
        {with(onService(Kind::Surge, "a"), [](Fault& f) { f.factor = 3.0; }),
         with(onService(Kind::Surge, "a"), [](Fault& f) { f.factor = 0.5; })},
        {1.0, 1.0, 1500.0});
    add("a storm without cause",
        {with(onService(Kind::RetryStorm, "b"), [](Fault& f) { f.attempts = 4; })},
        {});
    add("a storm",
        {with(onService(Kind::RetryStorm, "b"), [](Fault& f) { f.attempts = 4; }),
         with(onService(Kind::Error, "b"), [](Fault& f) { f.probability = 0.5; })},
        {1.0 - 0.0625, -1.0, 1000.0, 1.875});
    add("a bad deploy",
        {with(
            onService(Kind::BadDeploy, "b"),
            [](Fault& f) {
                f.share = 0.5;
                f.errorRate = 0.4;
                f.factor = 3.0;
            }
        )},
        {0.8, 2.0});
    add("flapping",
        {with(
            onInstance(Kind::Flap),
            [](Fault& f) {
                f.period = 1s;
                f.duty = 0.4;
            }
        )},
        {0.85, 0.85});
    add("flapping that is always up",
        {with(
            onInstance(Kind::Flap),
            [](Fault& f) {
                f.period = 1s;
                f.duty = 1.0;
            }
        )},
        {});
    add("flapping that is never up",
        {with(
            onInstance(Kind::Flap),
            [](Fault& f) {
                f.period = 1s;
                f.duty = 0.0;
            }
        )},
        {0.75, 0.75});
    add("a swizzle of one",
        {with(
            {},
            [](Fault& f) {
                f.kind = Kind::Swizzle;
                f.target.services = {"b"};
            }
        )},
        {0.0, 0.0});
    add("killed twice",
        {onInstance(Kind::Kill),
         with(
             onInstance(Kind::Kill),
             [](Fault& f) {
                 f.at = 5s;
                 f.length = 1s;
             }
         )},
        {0.75, 0.75});
}

void SimMeshFaultsTest::aFaultDoesWhatItSays()
{
    QFETCH(const std::vector<Fault>, timeline);
    QFETCH(const Expected, expected);
    const MeshPlan plan = planOf(kPair);
    const MeshRunSettings settings = steady(timeline);
    QVERIFY(MeshRun::check(plan, settings).empty());

    MeshRun run(plan, settings);
    run.run();

    QCOMPARE(run.leftOver(), std::uint64_t{0});
    const MeasureRow& edge = *run.edge("a->b");
    for (const std::size_t untouched : {std::size_t{0}, std::size_t{2}}) {
        const CallFigures& figures = edge.figures(untouched);
        QVERIFY(isWithin("calls", static_cast<double>(figures.calls), 2800.0, 0.01));
        QCOMPARE(figures.succeeded, figures.calls);
        QCOMPARE(figures.attempts, figures.calls);
        QCOMPARE(figures.durations.mean(), Duration(1ms));
    }
    const CallFigures& during = edge.figures(1);
    const auto calls = static_cast<double>(during.calls);
    QVERIFY(isWithin("calls", calls / 4.0, expected.perSecond, 0.02));
    QVERIFY(std::abs(successOf(during) - expected.success) < 0.02);
    QVERIFY(isWithin("amplification", amplificationOf(during), expected.amplification, 0.02));
    if (expected.mean >= 0.0) {
        const double mean = milliseconds(during.durations.mean());
        QVERIFY2(
            std::abs(mean - expected.mean) <= 0.04 * expected.mean + 0.01,
            qPrintable(QString::number(mean))
        );
    }
}

void SimMeshFaultsTest::aFrozenInstanceGoesOnWithWhatItHeld()
{
    const MeshPlan plan = planOf(R"(
_format_version: "3.0"
services: [{name: a, host: a, retries: 0}]
models: [{service: a, concurrency: 4000, service_time: {dist: const, mean: 100ms}}]
)");
    MeshRunSettings settings = steady({faultOf(FaultKind::Freeze, "a-1", 4s, 4s)});
    settings.windows[0] = {"before", {{TimePoint(1s), TimePoint(4s)}}};
    MeshRun run(plan, settings);
    run.run();

    // Before the freeze 100 requests are half done, and take their other half after it.
    const CallFigures& during = run.edge("gateway->a")->figures(1);
    QCOMPARE(during.succeeded, during.calls);
    QVERIFY(isWithin("mean", milliseconds(during.durations.mean()), 2000.0 + 100.0, 0.01));
    QVERIFY(isWithin("longest", milliseconds(during.durations.quantile(1.0)), 4100.0, 0.01));
    const CallFigures& before = run.edge("gateway->a")->figures(0);
    QVERIFY(isWithin("longest", milliseconds(before.durations.quantile(1.0)), 4100.0, 0.01));
    QVERIFY(isWithin(
        "mean", milliseconds(before.durations.mean()), 100.0 + 100.0 * 4000.0 / 3000.0, 0.02
    ));
    QCOMPARE(run.edge("gateway->a")->figures(2).durations.mean(), Duration(100ms));
    QCOMPARE(run.leftOver(), std::uint64_t{0});
}

void SimMeshFaultsTest::faultsOverEachOtherEndOneByOne()
{
    const MeshPlan plan = planOf(kPair);
    const auto slow = [](Duration at, Duration length, double factor) {
        Fault fault = onService(FaultKind::Slow, "b");
        fault.at = at;
        fault.length = length;
        fault.factor = factor;
        return fault;
    };
    MeshRunSettings settings = steady({slow(2s, 4s, 2.0), slow(4s, 6s, 5.0), slow(3s, 2s, 3.0)});
    settings.windows.clear();
    for (int second = 0; second < 12; ++second) {
        const TimePoint from = TimePoint(std::chrono::seconds(second));
        settings.windows.push_back({"second", {{from, from + 1s}}});
    }
    MeshRun run(plan, settings);
    run.run();

    const double expected[] = {1, 1, 2, 6, 30, 10, 5, 5, 5, 5, 1, 1};
    for (std::size_t second = 0; second < 12; ++second) {
        const Duration mean = run.edge("a->b")->figures(second).durations.mean();
        QVERIFY(isWithin("mean", milliseconds(mean), expected[second], 0.04));
    }
}

void SimMeshFaultsTest::aSwizzleBringsEveryServiceBack()
{
    const MeshPlan plan = planOf(kPair);
    Fault fault;
    fault.kind = FaultKind::Swizzle;
    fault.target.services = {"b", "a"};
    fault.at = 3s;
    fault.length = 6s;
    MeshRunSettings settings = steady({fault});
    // Three turns of two seconds: b is gone, both are, one is.
    settings.windows = {
        {"first", {{TimePoint(3s), TimePoint(5s)}}},
        {"second", {{TimePoint(5s), TimePoint(7s)}}},
        {"third", {{TimePoint(7s), TimePoint(9s)}}},
        {"after", {{TimePoint(9s), TimePoint(12s)}}}};
    MeshRun run(plan, settings);
    run.run();

    const MeasureRow& entry = *run.edge("gateway->a");
    const MeasureRow& inner = *run.edge("a->b");
    QCOMPARE(successOf(entry.figures(0)), 0.0);
    QVERIFY(inner.figures(0).calls > 1900);
    QCOMPARE(successOf(entry.figures(1)), 0.0);
    QVERIFY(inner.figures(1).calls < 10);
    QVERIFY(successOf(entry.figures(2)) < 0.002); // The last ones find both.
    QCOMPARE(successOf(entry.figures(3)), 1.0);
    QCOMPARE(run.leftOver(), std::uint64_t{0});
}

void SimMeshFaultsTest::aNarrowLinkIsAQueue()
{
    const MeshPlan plan = planOf(R"(
_format_version: "3.0"
services: [{name: a, host: a, retries: 0}]
models: [{service: a, concurrency: 4000, service_time: {dist: const, mean: 1ms}}]
)");
    Fault fault = onService(FaultKind::Bandwidth, "a");
    fault.bytesPerSecond = kSimulatedMessageBytes / 0.002; // 2 ms a message.
    fault.at = 1ns;
    fault.length = 200s;
    MeshRunSettings settings = settingsFor("a", 250.0, 200s, 3);
    settings.timeline = {fault};
    MeshRun run(plan, settings);
    run.run();

    // M/D/1 at half its load: 1 ms of waiting. On the way back nothing waits again.
    const double mean = milliseconds(run.edge("gateway->a")->figures(0).durations.mean());
    QVERIFY(isWithin("mean", mean, 1.0 + (2.0 + 1.0) + 2.0, 0.02));
}

void SimMeshFaultsTest::expiredCertificatesSpareWhatIsConnected()
{
    const MeshPlan plan = planOf(kPair);
    MeshRunSettings settings = steady({onService(FaultKind::CertExpiry, "b")});
    MeshRun run(plan, settings);
    run.run();
    QCOMPARE(successOf(run.edge("a->b")->figures(1)), 1.0);

    // Those of an instance that was restarted meanwhile are gone.
    settings.timeline.push_back(faultOf(FaultKind::Kill, "b-1", 5s, 1s));
    MeshRun restarted(plan, settings);
    restarted.run();
    const double success = successOf(restarted.edge("a->b")->figures(1));
    QVERIFY(isWithin("success", success, (1.0 + 3.0 * 0.75) / 4.0, 0.01));
    QCOMPARE(successOf(restarted.edge("a->b")->figures(2)), 1.0);
}

void SimMeshFaultsTest::expiredCertificatesRefuseWhatIsNot()
{
    const MeshPlan plan = planOf(kPair);
    MeshRunSettings settings = settingsFor("a", 0.01, 10'000s, 1); // Kept for one minute only.
    settings.loads.front().arrivals = Arrivals::Uniform;
    settings.windows = {
        {"during", {{TimePoint(2000s), TimePoint(8000s)}}},
        {"else", {{TimePoint(0s), TimePoint(2000s)}, {TimePoint(8000s), TimePoint(10'000s)}}}};
    Fault fault = onService(FaultKind::CertExpiry, "b");
    fault.at = 1950s;
    fault.length = 6000s;
    settings.timeline = {fault};
    MeshRun run(plan, settings);
    run.run();

    const MeasureRow& edge = *run.edge("a->b");
    QVERIFY(edge.figures(0).calls >= 59);
    QCOMPARE(edge.figures(0).succeeded, std::uint64_t{0});
    QCOMPARE(edge.figures(1).succeeded, edge.figures(1).calls);
}

void SimMeshFaultsTest::staleEndpointsAreSeenLate_data()
{
    QTest::addColumn<bool>("isByNode");
    QTest::newRow("of a service") << false;
    QTest::newRow("at a node") << true;
}

void SimMeshFaultsTest::staleEndpointsAreSeenLate()
{
    QFETCH(const bool, isByNode);
    const MeshPlan plan = planOf(R"(
_format_version: "3.0"
services: [{name: a, host: a, retries: 0}]
upstreams: [{name: a, outlier_detection: {consecutive_5xx: 5, base_ejection: 60s,
    max_ejection_percent: 50}}]
nodes: [{name: edge-1, role: gateway}]
models: [{service: a, instances: 4, concurrency: 4000, service_time: {dist: const, mean: 1ms}}]
)");
    const auto failed = [&plan](std::vector<Fault> timeline) {
        timeline.push_back(faultOf(FaultKind::Error, "a-1", 4s, 4s));
        MeshRun run(plan, steady(std::move(timeline)));
        run.run();
        const CallFigures& during = run.edge("gateway->a")->figures(1);
        return static_cast<double>(during.calls - during.succeeded);
    };
    Fault late;
    late.kind = isByNode ? FaultKind::ConfigDelay : FaultKind::StaleEndpoints;
    (isByNode ? late.target.node : late.target.service) = isByNode ? "edge-1" : "a";
    late.by = 2s;

    QCOMPARE(failed({}), 5.0);
    QVERIFY(isWithin("failures", failed({late}), 5.0 + 500.0, 0.01)); // A quarter of 2 s.
}

void SimMeshFaultsTest::aBadDeployTakesInstancesFromTheirVersion()
{
    const MeshPlan plan = planOf(R"(
_format_version: "3.0"
services: [{name: a, host: a, retries: 0, resilience: {version: v1}}]
upstreams:
- name: a
  targets:
  - {target: "one:80", tags: ["version:v1"]}
  - {target: "two:80", tags: ["version:v1"]}
models: [{service: a, instances: 2, concurrency: 1000, service_time: {dist: const, mean: 1ms}}]
)");
    Fault deploy = onService(FaultKind::BadDeploy, "a");
    deploy.version = "v2";
    deploy.errorRate = 1.0;
    deploy.share = 0.5;
    MeshRun run(plan, steady({deploy}));
    run.run();
    // Who asks for v1 meets none of what v2 does wrong.
    QCOMPARE(successOf(run.edge("gateway->a")->figures(1)), 1.0);
    QCOMPARE(run.leftOver(), std::uint64_t{0});

    deploy.share = 1.0; // Then nobody is left.
    MeshRun whole(plan, steady({deploy}));
    whole.run();
    QVERIFY(successOf(whole.edge("gateway->a")->figures(1)) < 0.001);
    QCOMPARE(successOf(whole.edge("gateway->a")->figures(2)), 1.0);

    Fault late = onService(FaultKind::StaleEndpoints, "a");
    late.by = 1s;
    deploy.share = 0.5;
    MeshRun stale(plan, steady({late, deploy}));
    stale.run();
    // For a second of four, half of them go to the bad one.
    const double success = successOf(stale.edge("gateway->a")->figures(1));
    QVERIFY(isWithin("success", success, 1.0 - 0.5 / 4.0, 0.01));
}

void SimMeshFaultsTest::certificatesAreRenewedLateWhereConfigurationIs()
{
    const MeshPlan plan = planOf(R"(
_format_version: "3.0"
services: [{name: a, host: a, retries: 0}]
nodes: [{name: n-1, role: sidecar}]
workloads: [{name: a-1, service: a, node: n-1, address: "127.0.0.1:1"}]
models: [{service: a, concurrency: 1000, service_time: {dist: const, mean: 1ms}}]
)");
    Fault expiry = onService(FaultKind::CertExpiry, "a");
    Fault late;
    late.kind = FaultKind::ConfigDelay;
    late.target.node = "n-1";
    late.by = 2s;
    late.length = 10s;
    const auto success = [&plan](const std::vector<Fault>& timeline) {
        MeshRunSettings settings = steady(timeline);
        // All connections are gone when it begins.
        settings.timeline.push_back(faultOf(FaultKind::Kill, "a-1", 4500ms, 1ms));
        settings.windows = {{"after", {{TimePoint(8s), TimePoint(12s)}}}};
        MeshRun run(plan, settings);
        run.run();
        return successOf(run.edge("gateway->a")->figures(0));
    };

    QVERIFY(isWithin("at once", success({expiry}), 1.0, 0.001));
    QVERIFY(isWithin("late", success({expiry, late}), 0.5, 0.01));
}

void SimMeshFaultsTest::aWipedCacheFillsAgain()
{
    const MeshPlan plan = planOf(R"(
_format_version: "3.0"
services: [{name: a, host: a}, {name: b, host: b}]
models:
- {service: a, concurrency: 1000, service_time: {dist: const, mean: 1ms}, script: [{call: b,
    cached: 0.9}]}
- {service: b, concurrency: 1000, service_time: {dist: const, mean: 1ms}}
)");
    MeshRunSettings settings = steady({onService(FaultKind::CacheWipe, "a")});
    settings.duration = 20s;
    settings.windows = {
        {"before", {{TimePoint(0s), TimePoint(4s)}}},
        {"during", {{TimePoint(4s), TimePoint(8s)}}},
        {"filling", {{TimePoint(8s), TimePoint(9s)}}},
        {"after", {{TimePoint(15s), TimePoint(20s)}}}};
    MeshRun run(plan, settings);
    run.run();

    const auto share = [&run](std::size_t window) {
        return static_cast<double>(run.edge("a->b")->figures(window).calls)
               / static_cast<double>(run.edge("gateway->a")->figures(window).calls);
    };
    QVERIFY(std::abs(share(0) - 0.1) < 0.02);
    QCOMPARE(share(1), 1.0);
    // n' = 1 - 0.9 n, in thousands of calls and seconds.
    QVERIFY(std::abs(share(2) - (1.0 - std::exp(-0.9)) / 0.9) < 0.03);
    QVERIFY(std::abs(share(3) - 0.1) < 0.02);
}

void SimMeshFaultsTest::aLostZoneForgetsWhatItsProxiesKnew()
{
    const MeshPlan plan = planOf(R"(
_format_version: "3.0"
services:
- {name: a, host: a, retries: 0}
- {name: b, host: b, retries: 0, resilience: {breaker: {error_ratio: 0.5, open: 60s}}}
models:
- {service: a, instances: 2, zones: [x, y], concurrency: 1000, service_time: {dist: const,
    mean: 1ms}, script: [{call: b}]}
- {service: b, zones: [y], concurrency: 1000, service_time: {dist: const, mean: 1ms}}
)");
    Fault outage;
    outage.kind = FaultKind::ZoneOutage;
    outage.target.zone = "x";
    outage.at = 5s;
    outage.length = 1s;
    Fault errors = onService(FaultKind::Error, "b");
    errors.at = 1s; // Half of what a breaker has seen a second later.
    errors.length = 3s;
    MeshRun run(plan, steady({outage, errors}));
    run.run();

    // The breaker of a-2 is still open; the proxy of a-1 is a new one.
    QVERIFY(isWithin("success", successOf(run.edge("gateway->a")->figures(2)), 0.5, 0.02));
    QCOMPARE(run.leftOver(), std::uint64_t{0});
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::SimMeshFaultsTest)
#include "sim_mesh_faults_test.moc"
