// Goal: whatever faults come together, every request ends, Little's law holds, and the same seed
//       gives the same run, recorded or not.
// Method: one mesh with nearly every policy, six random faults at random times, sixty seeds.
#include "tests/support/mesh_in_virtual_time.h"

#include <QTest>

namespace mesh::simulator {

class SimMeshAnyFaultsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theBooksBalanceWhateverHappens();
};

namespace {

const std::string kBusy = R"(
_format_version: "3.0"
services:
- {name: a, host: a, resilience: {timeout: 80ms, hedge: {after: 5ms, max: 2},
    retry: {on: [5xx], attempts: 3}, adaptive_concurrency: {min_rtt_requests: 10}},
   routes: [{name: r, paths: [/], resilience: {fault: {delay: {time: 3ms, percent: 10},
    abort: {status: 503, percent: 2}}}}]}
- {name: b, host: b, resilience: {per_try_timeout: 30ms, retry: {on: [5xx], attempts: 3},
    breaker: {error_ratio: 0.7, open: 1s, fallback: {service: d}}, mirror: {service: d,
    percent: 20}}}
- {name: c, host: c, read_timeout: 200, resilience: {rate_limits: [{requests: 400, per: 1s}]}}
- {name: d, host: d, read_timeout: 200}
upstreams:
- {name: b, algorithm: latency, outlier_detection: {interval: 1s, base_ejection: 2s,
    max_ejection_percent: 60}, healthchecks: {active: {timeout: 0.1, healthy: {interval: 0.5,
    successes: 1}, unhealthy: {interval: 0.5, tcp_failures: 1, timeouts: 1, http_failures: 1}}}}
- {name: c, algorithm: round-robin, limits: {max_requests: 20, max_connections: 2,
    max_pending: 5}}
models:
- {service: a, instances: 4, zones: [x, y], concurrency: 8, service_time: {dist: exp, mean: 1ms},
    script: [[{call: b, count: 2}, {call: c}], {call: b, probability: 0.5}]}
- {service: b, instances: 4, zones: [x, y], concurrency: 4, queue: 20, error_rate: 0.05,
    hold_worker_during_calls: true, service_time: {dist: lognormal, mean: 2ms, cv: 2},
    script: [{call: c, cached: 0.5}]}
- {service: c, instances: 2, zones: [y, z], concurrency: 2, queue: 5, service_time: {dist: exp,
    mean: 1ms}}
- {service: d, instances: 1, concurrency: 20, service_time: {dist: exp, mean: 1ms}}
)";

FaultTarget anyTarget(FaultKind kind, Random& random)
{
    FaultTarget target;
    const std::string services[] = {"a", "b", "c", "d"};
    const std::string zones[] = {"x", "y", "z"};
    const std::uint64_t form = random.below(3);
    const std::string& service = services[random.below(4)];
    if (kind == FaultKind::ZoneOutage) {
        target.zone = zones[random.below(3)];
    } else if (kind == FaultKind::Swizzle) {
        target.services = {"c", service == "c" ? "b" : service};
    } else if (kind == FaultKind::Partition && form == 0) {
        target.between = std::pair(zones[random.below(2)], zones[2]);
    } else if (kind == FaultKind::Partition) {
        target.edge = std::pair("b", "c");
    } else if (kind == FaultKind::Surge) {
        target.service = "a";
    } else if (kind == FaultKind::ConfigDelay) {
        target.node = "nowhere";
    } else {
        target.service = service;
        if (form == 1) {
            target.percent = 50;
        }
    }
    return target;
}

} // namespace

void SimMeshAnyFaultsTest::theBooksBalanceWhateverHappens()
{
    const MeshPlan plan = planOf(kBusy);
    const model::DurationLaw short_{model::DurationLaw::Kind::Exp, 300us, 1.0, {}};
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        Random random(Seed{seed});
        MeshRunSettings settings = settingsFor("a", 100.0 + random.unit() * 500.0, 6s, seed);
        settings.windows = {{"all", {{TimePoint(0s), TimePoint(1h)}}}};
        settings.isRecorded = seed % 2 == 0;
        if (seed % 3 == 0) {
            settings.network = {short_, short_, short_, short_};
        }
        for (int at = 0; at < 6; ++at) {
            Fault fault;
            fault.kind = static_cast<FaultKind>(random.below(kFaultKindCount));
            fault.target = anyTarget(fault.kind, random);
            fault.at = Duration(nanosecondsBelow(random, 5s));
            if (random.below(4) > 0) {
                fault.length = Duration(nanosecondsBelow(random, 3s));
            }
            fault.probability = random.unit();
            fault.add = Duration(nanosecondsBelow(random, 20ms));
            fault.jitter = fault.add;
            fault.bytesPerSecond = 1e5 + 1e6 * random.unit();
            fault.factor = 0.5 + 4.0 * random.unit();
            fault.attempts = 1 + static_cast<int>(random.below(5));
            fault.share = random.unit();
            fault.errorRate = random.unit();
            fault.by = Duration(nanosecondsBelow(random, 2s));
            fault.period = Duration(10ms) + Duration(nanosecondsBelow(random, 1s));
            fault.duty = random.unit();
            fault.isOneWay = random.below(2) == 0;
            settings.timeline.push_back(fault);
        }
        MeshRun run(plan, settings);
        run.run();

        QVERIFY2(run.leftOver() == 0, qPrintable(QStringLiteral("seed %1").arg(seed)));
        const CallFigures& edge = run.edge("gateway->a")->figures(0);
        QVERIFY(edge.calls > 400);
        QVERIFY(isWithin(
            "Little",
            toSeconds(edge.waited),
            toSeconds(edge.durations.mean()) * static_cast<double>(edge.calls),
            1e-5
        ));
        MeshRun again(plan, settings);
        again.run();
        QCOMPARE(again.fingerprint(), run.fingerprint());
    }
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::SimMeshAnyFaultsTest)
#include "sim_mesh_any_faults_test.moc"
