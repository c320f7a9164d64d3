// Goal: in virtual time the network costs what its laws say, and limits, checks, shares
//       and stand-ins decide as they do in the proxy.
// Method: small meshes with constant times, one policy each.
#include "tests/support/mesh_in_virtual_time.h"

#include <QTest>

#include <algorithm>

namespace mesh::simulator {

class SimMeshPoliciesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aHopCostsItsWaysAndOneProxy_data();
    void aHopCostsItsWaysAndOneProxy();
    void aConnectionIsMadeOnceAndKept();
    void aSlowConnectionIsGivenUpInTime();
    void whoFindsNoConnectionWaits();
    void whoFindsNoPlaceToWaitIsRefused();
    void probesFindWhatIsDownAndWhatIsBack_data();
    void probesFindWhatIsDownAndWhatIsBack();
    void requestsAloneFindWhatIsDown();
    void aRateLimitAdmitsItsRate();
    void injectedFaultsHitTheirShares();
    void anAdaptiveLimitKeepsTheQueueShort();
    void overloadShedsLowPriorityFirst();
    void theGatewayGoesByItsRoutes();
    void aSplitDividesRootRequests();
    void aMirrorGetsItsShareAndNobodyWaits();
    void anOpenBreakerFallsBackOnAnotherService();
    void onlyTheVersionOfTheRouteIsCalled();
};

namespace {

model::DurationLaw constant(Duration mean)
{
    return {model::DurationLaw::Kind::Const, mean, 1.0, {}};
}

// One service of some instances that takes a millisecond; more of it and of its upstream as said.
std::string one(std::string_view service, std::string_view upstream, std::string_view model = "")
{
    return fmt::format(
        R"(
_format_version: "3.0"
services: [{{name: a, host: a, retries: 0{}}}]
upstreams: [{{name: a{}}}]
models: [{{service: a, concurrency: 1000, service_time: {{dist: const, mean: 1ms}}{}}}]
)",
        service,
        upstream,
        model
    );
}

MeshRunSettings uniform(double rate, Duration duration)
{
    MeshRunSettings settings = settingsFor("a", rate, duration, 1);
    settings.loads.front().arrivals = Arrivals::Uniform;
    return settings;
}

} // namespace

void SimMeshPoliciesTest::aHopCostsItsWaysAndOneProxy_data()
{
    QTest::addColumn<QString>("nodes");
    QTest::addColumn<QString>("zones");
    QTest::addColumn<double>("outerFar"); // Shares of calls that cross zones.
    QTest::addColumn<double>("innerFar");

    QTest::newRow("a gateway without a zone is near everybody") << ""
                                                                << ", zones: [x, y]" << 0.0 << 0.5;
    QTest::newRow("a gateway in a zone") << "nodes: [{name: edge, role: gateway, zone: x}]"
                                         << ", zones: [x, y]" << 0.5 << 0.5;
    QTest::newRow("instances without zones are near it")
        << "nodes: [{name: edge, role: gateway, zone: x}]"
        << "" << 0.0 << 0.0;
    QTest::newRow("no zones at all") << ""
                                     << "" << 0.0 << 0.0;
}

void SimMeshPoliciesTest::aHopCostsItsWaysAndOneProxy()
{
    QFETCH(QString, nodes);
    QFETCH(QString, zones);
    QFETCH(double, outerFar);
    QFETCH(double, innerFar);
    const MeshPlan plan = planOf(fmt::format(
        R"(
_format_version: "3.0"
{0}
services: [{{name: a, host: a}}, {{name: b, host: b}}]
models:
- {{service: a, instances: 2{1}, concurrency: 1000, service_time: {{dist: const,
    mean: 1ms}}, script: [{{call: b}}]}}
- {{service: b, instances: 2{1}, concurrency: 1000, service_time: {{dist: const,
    mean: 1ms}}}}
)",
        nodes.toStdString(),
        zones.toStdString()
    ));
    MeshRunSettings settings = uniform(1000.0, 10s);
    settings.network.sameZone = constant(2ms);
    settings.network.crossZone = constant(7ms);
    settings.network.proxy = constant(500us);
    MeshRun run(plan, settings);
    run.run();

    const auto mean = [&run](std::string_view edge) {
        return milliseconds(run.edge(edge)->figures(0).durations.mean());
    };
    const auto hop = [](double far) { return 0.5 + 2.0 * 2.0 + far * 2.0 * 5.0 + 1.0; };
    QVERIFY(isWithin("inner", mean("a->b"), hop(innerFar), 0.005));
    QVERIFY(isWithin("outer", mean("gateway->a"), hop(outerFar) + hop(innerFar), 0.005));
    QCOMPARE(run.leftOver(), std::uint64_t{0});
}

void SimMeshPoliciesTest::aConnectionIsMadeOnceAndKept()
{
    const MeshPlan plan = planOf(one("", ""));
    MeshRunSettings settings = uniform(10.0, 100s);
    settings.windows = {
        {"first", {{TimePoint(0s), TimePoint(150ms)}}},
        {"kept", {{TimePoint(150ms), TimePoint(100s)}}}};
    settings.network.sameZone = constant(2ms);
    settings.network.connect = constant(10ms);
    MeshRun run(plan, settings);
    run.run();

    // A handshake is the law of connections and one way there and back.
    const MeasureRow& edge = *run.edge("gateway->a");
    QCOMPARE(edge.figures(0).calls, std::uint64_t{1});
    QCOMPARE(edge.figures(0).durations.mean(), Duration(10ms + 4ms + 4ms + 1ms));
    QCOMPARE(edge.figures(1).durations.mean(), Duration(5ms));
}

void SimMeshPoliciesTest::aSlowConnectionIsGivenUpInTime()
{
    const MeshPlan plan = planOf(one(", connect_timeout: 30", ""));
    MeshRunSettings settings = uniform(10.0, 10s);
    settings.network.connect = constant(50ms);
    MeshRun run(plan, settings);
    run.run();

    const CallFigures& figures = run.edge("gateway->a")->figures(0);
    QCOMPARE(figures.succeeded, std::uint64_t{0});
    QCOMPARE(figures.durations.mean(), Duration(30ms));
    QCOMPARE(run.hops(), std::uint64_t{0});
}

void SimMeshPoliciesTest::whoFindsNoConnectionWaits()
{
    const MeshPlan plan = planOf(
        one(", resilience: {timeout: 10s}", ", limits: {max_connections: 2, max_pending: 1000}", "")
    );
    MeshRunSettings settings = settingsFor("a", 1600.0, 100s, 1);
    MeshRun run(plan, settings);
    run.run();

    // M/D/2 at 0.8 of its load waits 0.9 of a service (half of what M/M/2 waits, nearly).
    const CallFigures& figures = run.edge("gateway->a")->figures(0);
    QCOMPARE(figures.succeeded, figures.calls);
    QVERIFY(isWithin("mean", milliseconds(figures.durations.mean()), 1.0 + 0.903, 0.03));
    QCOMPARE(run.leftOver(), std::uint64_t{0});
}

void SimMeshPoliciesTest::whoFindsNoPlaceToWaitIsRefused()
{
    const MeshPlan plan = planOf(one("", ", limits: {max_connections: 2, max_pending: 5}"));
    MeshRun run(plan, uniform(4000.0, 10s));
    run.run();

    // Two connections of a millisecond each carry half of it.
    QVERIFY(isWithin("success", successOf(run.edge("gateway->a")->figures(0)), 0.5, 0.01));
    QCOMPARE(run.leftOver(), std::uint64_t{0});
}

void SimMeshPoliciesTest::probesFindWhatIsDownAndWhatIsBack_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<bool>("isFound");
    QTest::newRow("kill") << static_cast<int>(FaultKind::Kill) << true;
    QTest::newRow("error") << static_cast<int>(FaultKind::Error) << true;
    QTest::newRow("black hole") << static_cast<int>(FaultKind::BlackHole) << true;
    QTest::newRow("reset") << static_cast<int>(FaultKind::Reset) << true;
    QTest::newRow("grey") << static_cast<int>(FaultKind::Grey) << false;
}

void SimMeshPoliciesTest::probesFindWhatIsDownAndWhatIsBack()
{
    QFETCH(const int, kind);
    QFETCH(const bool, isFound);
    const MeshPlan plan = planOf(one(
        ", resilience: {timeout: 50ms}",
        ", healthchecks: {active: {timeout: 0.2, healthy: {interval: 1, successes: 1}, unhealthy: "
        "{interval: 1, tcp_failures: 1, timeouts: 1, http_failures: 1}}, passive: {unhealthy: "
        "{tcp_failures: 0, timeouts: 0, http_failures: 0}}}",
        ", instances: 4"
    ));
    MeshRunSettings settings = uniform(1000.0, 30s);
    settings.timeline = {faultOf(static_cast<FaultKind>(kind), "a-2", 5s, 10s)};
    settings.windows = {
        {"hidden", {{TimePoint(6500ms), TimePoint(15s)}}},
        {"back", {{TimePoint(17s), TimePoint(30s)}}}};
    settings.isRecorded = true;
    MeshRun run(plan, settings);
    run.run();

    QCOMPARE(run.leftOver(), std::uint64_t{0});
    const double success = successOf(run.edge("gateway->a")->figures(0));
    QVERIFY(isWithin("success", success, isFound ? 1.0 : 0.75, 0.001));
    QCOMPARE(successOf(run.edge("gateway->a")->figures(1)), 1.0);
    std::vector<RunMarker> found;
    for (const RunMarker& marker : run.record().markers) {
        if (marker.kind == RunMarker::Kind::CheckFailed
            || marker.kind == RunMarker::Kind::CheckPassed) {
            found.push_back(marker);
        }
    }
    QCOMPARE(found.size(), std::size_t{isFound ? 2U : 0U});
    if (isFound) {
        QCOMPARE(found[0].instance, std::string("a-2"));
        QVERIFY2(
            found[0].at >= 5s && found[0].at < 6300ms,
            qPrintable(QString::number(milliseconds(found[0].at)))
        );
        QCOMPARE(found[1].kind, RunMarker::Kind::CheckPassed);
        QVERIFY2(
            found[1].at >= 15s && found[1].at < 16300ms,
            qPrintable(QString::number(milliseconds(found[1].at)))
        );
    }
}

void SimMeshPoliciesTest::requestsAloneFindWhatIsDown()
{
    const MeshPlan plan = planOf(
        one("", ", healthchecks: {passive: {unhealthy: {tcp_failures: 3}}}", ", instances: 4")
    );
    MeshRunSettings settings = uniform(1000.0, 10s);
    settings.timeline = {faultOf(FaultKind::Kill, "a-2", 2s, 1s)};
    settings.windows = {{"all", {{TimePoint(0s), TimePoint(10s)}}}};
    MeshRun run(plan, settings);
    run.run();

    const CallFigures& figures = run.edge("gateway->a")->figures(0);
    QCOMPARE(figures.calls - figures.succeeded, std::uint64_t{3});
}

void SimMeshPoliciesTest::aRateLimitAdmitsItsRate()
{
    const MeshPlan plan =
        planOf(one(", resilience: {rate_limits: [{requests: 100, per: 1s, burst: 10}]}", ""));
    MeshRunSettings settings = uniform(400.0, 20s);
    settings.isRecorded = true;
    MeshRun run(plan, settings);
    run.run();

    QVERIFY(isWithin("success", successOf(run.edge("gateway->a")->figures(0)), 0.25, 0.01));
    const auto& markers = run.record().markers;
    const auto told = std::ranges::count(markers, RunMarker::Kind::RateLimited, &RunMarker::kind);
    QCOMPARE(told, std::ptrdiff_t{20}); // Once a second.
}

void SimMeshPoliciesTest::injectedFaultsHitTheirShares()
{
    const MeshPlan plan = planOf(
        one(", resilience: {fault: {delay: {time: 50ms, percent: 30}, abort: {status: 503, "
            "percent: 20}}}",
            "")
    );
    MeshRun run(plan, uniform(1000.0, 20s));
    run.run();

    const CallFigures& figures = run.edge("gateway->a")->figures(0);
    QVERIFY(isWithin("success", successOf(figures), 0.8, 0.02));
    QVERIFY(isWithin("mean", milliseconds(figures.durations.mean()), 15.0 + 0.8, 0.04));
    QCOMPARE(run.leftOver(), std::uint64_t{0});
}

void SimMeshPoliciesTest::anAdaptiveLimitKeepsTheQueueShort()
{
    const auto tail = [](std::string_view policy) {
        const MeshPlan plan = planOf(fmt::format(
            R"(
_format_version: "3.0"
services: [{{name: a, host: a, resilience: {{{}}}}}]
models: [{{service: a, concurrency: 4, queue: 100000, service_time: {{dist: exp, mean: 1ms}}}}]
)",
            policy
        ));
        MeshRun run(plan, settingsFor("a", 6000.0, 20s, 1)); // Half more than it can do.
        run.run();
        return std::pair(
            run.edge("gateway->a")->figures(0).durations.quantile(0.99), run.leftOver()
        );
    };
    const auto [without, nothing] = tail("timeout: 60s");
    const auto [with, left] = tail("adaptive_concurrency: {min_rtt_requests: 20}");

    QVERIFY(without > 1s);
    QVERIFY2(with < 100ms, qPrintable(QString::number(milliseconds(with))));
    QCOMPARE(left, std::uint64_t{0});
    QCOMPARE(nothing, std::uint64_t{0});
}

void SimMeshPoliciesTest::overloadShedsLowPriorityFirst()
{
    const MeshPlan plan = planOf(R"(
_format_version: "3.0"
services:
- {name: a, host: a, resilience: {priority: low}}
- {name: b, host: b, resilience: {priority: high}}
mesh: {name: m, overload: {max_requests: 20}}
models:
- {service: a, concurrency: 1000, service_time: {dist: const, mean: 10ms}}
- {service: b, concurrency: 1000, service_time: {dist: const, mean: 10ms}}
)");
    MeshRunSettings settings = uniform(1500.0, 10s);
    settings.loads.push_back({"b", Arrivals::Uniform, {{0s, 1500.0}}});
    MeshRun run(plan, settings);
    run.run();

    const double low = successOf(run.edge("gateway->a")->figures(0));
    const double high = successOf(run.edge("gateway->b")->figures(0));
    QVERIFY2(low < 0.8 && high > 0.99, qPrintable(QStringLiteral("%1 %2").arg(low).arg(high)));
}

void SimMeshPoliciesTest::theGatewayGoesByItsRoutes()
{
    const MeshPlan plan = planOf(R"(
_format_version: "3.0"
services:
- name: a
  host: a
  resilience: {timeout: 10s, retry: {on: [5xx], attempts: 3}}
  routes: [{name: r, paths: [/a], resilience: {retry: {on: [5xx], attempts: 2,
    budget: {percent: 100}}}}]
models: [{service: a, concurrency: 1000, error_rate: 1, service_time: {dist: const, mean: 1ms}}]
)");
    MeshRun run(plan, uniform(100.0, 10s));
    run.run();

    QVERIFY(isWithin("attempts", amplificationOf(run.edge("gateway->a")->figures(0)), 2.0, 0.001));
}

void SimMeshPoliciesTest::aSplitDividesRootRequests()
{
    const MeshPlan plan = planOf(R"(
_format_version: "3.0"
services:
- name: a
  host: a
  routes: [{name: r, paths: [/a], split: [{service: a, weight: 80}, {service: b, weight: 20}]}]
- {name: b, host: b}
models:
- {service: a, concurrency: 1000, service_time: {dist: const, mean: 1ms}}
- {service: b, concurrency: 1000, service_time: {dist: const, mean: 1ms}}
)");
    MeshRun run(plan, uniform(1000.0, 20s));
    run.run();

    const auto calls = [&run](std::string_view edge) {
        return static_cast<double>(run.edge(edge)->figures(0).calls);
    };
    QVERIFY(isWithin("b", calls("gateway->b") / 19'000.0, 0.2, 0.05));
    QCOMPARE(calls("gateway->a") + calls("gateway->b"), 19'000.0);
}

void SimMeshPoliciesTest::aMirrorGetsItsShareAndNobodyWaits()
{
    const MeshPlan plan = planOf(R"(
_format_version: "3.0"
services:
- {name: a, host: a, resilience: {mirror: {service: b, percent: 40}}}
- {name: b, host: b, retries: 5}
models:
- {service: a, concurrency: 1000, service_time: {dist: const, mean: 1ms}}
- {service: b, concurrency: 1000, error_rate: 0.5, service_time: {dist: const, mean: 500ms}}
)");
    MeshRun run(plan, uniform(1000.0, 20s));
    run.run();

    const CallFigures& own = run.edge("gateway->a")->figures(0);
    const CallFigures& copies = run.edge("gateway->b")->figures(0);
    QCOMPARE(own.durations.mean(), Duration(1ms));
    QCOMPARE(own.succeeded, own.calls);
    QVERIFY(isWithin("copies", static_cast<double>(copies.calls) / 19'000.0, 0.4, 0.03));
    QCOMPARE(copies.attempts, copies.calls);
    QCOMPARE(run.leftOver(), std::uint64_t{0});
}

void SimMeshPoliciesTest::anOpenBreakerFallsBackOnAnotherService()
{
    const MeshPlan plan = planOf(R"(
_format_version: "3.0"
services:
- {name: a, host: a, resilience: {breaker: {error_ratio: 0.5, open: 60s, fallback: {service: b}}}}
- {name: b, host: b}
models:
- {service: a, concurrency: 1000, error_rate: 1, service_time: {dist: const, mean: 1ms}}
- {service: b, concurrency: 1000, service_time: {dist: const, mean: 3ms}}
)");
    MeshRun run(plan, uniform(1000.0, 20s));
    run.run();

    // From the window's start on the breaker is open.
    const CallFigures& figures = run.edge("gateway->a")->figures(0);
    QCOMPARE(figures.succeeded, figures.calls);
    QCOMPARE(figures.durations.mean(), Duration(3ms));
    QCOMPARE(figures.attempts, std::uint64_t{0});
    QCOMPARE(run.edge("gateway->b")->figures(0).calls, figures.calls);
    QCOMPARE(run.leftOver(), std::uint64_t{0});
}

void SimMeshPoliciesTest::onlyTheVersionOfTheRouteIsCalled()
{
    const MeshPlan plan = planOf(R"(
_format_version: "3.0"
services: [{name: a, host: a, retries: 0, resilience: {version: v1}}]
upstreams:
- name: a
  targets:
  - {target: "one:80", tags: ["version:v1"]}
  - {target: "two:80", tags: ["version:v2"]}
models: [{service: a, instances: 2, concurrency: 1000, service_time: {dist: const, mean: 1ms}}]
)");
    Fault fault;
    fault.kind = FaultKind::Error;
    fault.target.version = "v2";
    fault.at = 1s;
    MeshRunSettings settings = uniform(1000.0, 10s);
    settings.timeline = {fault};
    QVERIFY(MeshRun::check(plan, settings).empty());
    QCOMPARE(MeshRun::resolve(plan, {fault}).front(), std::vector<std::string>{"a-2"});
    MeshRun run(plan, settings);
    run.run();
    QCOMPARE(successOf(run.edge("gateway->a")->figures(0)), 1.0);

    settings.timeline.front().target.version = "v1";
    MeshRun hit(plan, settings);
    hit.run();
    QVERIFY(successOf(hit.edge("gateway->a")->figures(0)) < 0.1);
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::SimMeshPoliciesTest)
#include "sim_mesh_policies_test.moc"
