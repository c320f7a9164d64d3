// Goal: a mesh in virtual time gives what theory says of queues, retries and two choices, obeys its
//       policies, loses no request, and repeats itself to the last event.
// Method: small documents through the proxy's own decoder and compiler; closed forms; random meshes
//         with random faults whose books must balance.
#include "proxyengine/base/file.h"
#include "tests/support/mesh_in_virtual_time.h"

#include <QTest>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace mesh::simulator {

using namespace std::chrono_literals;

class SimMeshTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void oneServiceIsAnMm1Queue();
    void aChainIsASumOfQueues();
    void twoChoicesMatchTheSupermarketModel();
    void parallelCallsTakeAsLongAsTheLongest();
    void littlesLawHoldsInEveryRow();
    void retriesMultiplyAttemptsAsTheirProbabilitySays();
    void aBudgetBoundsRetries();
    void withoutABudgetLimitsBoundRetries();
    void aFailingInstanceIsEjected();
    void anOpenBreakerSparesTheService();
    void aHedgeTakesTheShorterOfTwo();
    void aHedgeAfterAPercentileCostsItsShare();
    void abandonedWorkGoesOn();
    void aKilledInstanceIsRetriedElsewhere();
    void theSameSeedGivesTheSameRunWhateverIsMeasured();
    void aPolicyThatIsNotNeededChangesNobodysLuck();
    void theDemoMeshRuns();
    void theFingerprintIsTheSameInEveryBuild();
    void theBooksBalanceInRandomMeshes();
    void aCallOfNobodyIsAnError();
};

namespace {

const std::string kOne = R"(
_format_version: "3.0"
services: [{name: a, host: a}]
models: [{service: a, service_time: {dist: exp, mean: 1ms}, queue: 100000}]
)";

} // namespace

void SimMeshTest::oneServiceIsAnMm1Queue()
{
    const MeshPlan plan = planOf(kOne);
    double mean = 0.0;
    double median = 0.0;
    double tail = 0.0;
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        MeshRun run(plan, settingsFor("a", 700.0, 400s, seed));
        run.run();
        const CallFigures& figures = run.service("a")->figures(0);
        mean += milliseconds(figures.durations.mean()) / 3.0;
        median += milliseconds(figures.durations.quantile(0.5)) / 3.0;
        tail += milliseconds(figures.durations.quantile(0.99)) / 3.0;
        QVERIFY(isWithin("utilization", run.utilization("a", 0), 0.7, 0.02));
    }

    QVERIFY(isWithin("mean", mean, 1.0 / 0.3, 0.02));
    QVERIFY(isWithin("p50", median, std::log(2.0) / 0.3, 0.02));
    QVERIFY(isWithin("p99", tail, std::log(100.0) / 0.3, 0.04));
}

void SimMeshTest::aChainIsASumOfQueues()
{
    const MeshPlan plan = planOf(R"(
_format_version: "3.0"
services: [{name: a, host: a}, {name: b, host: b}, {name: c, host: c}]
models:
- {service: a, service_time: {dist: exp, mean: 1ms}, queue: 100000, script: [{call: b}]}
- {service: b, service_time: {dist: exp, mean: 1ms}, queue: 100000, script: [{call: c,
    probability: 0.5}]}
- {service: c, service_time: {dist: exp, mean: 1ms}, queue: 100000}
)");
    MeshRun run(plan, settingsFor("a", 600.0, 600s, 1));
    run.run();

    // A Jackson network: every queue as if it were alone.
    const double half = 1.0 / (1.0 - 0.3);
    const double each = 1.0 / (1.0 - 0.6);
    const auto mean = [&run](std::string_view edge) {
        return milliseconds(run.edge(edge)->figures(0).durations.mean());
    };
    QVERIFY(isWithin("c", mean("b->c"), half, 0.02));
    QVERIFY(isWithin("b", mean("a->b"), each + half / 2.0, 0.02));
    QVERIFY(isWithin("a", mean("gateway->a"), 2.0 * each + half / 2.0, 0.02));
}

void SimMeshTest::twoChoicesMatchTheSupermarketModel()
{
    const MeshPlan plan = planOf(R"(
_format_version: "3.0"
services: [{name: a, host: a}]
upstreams: [{name: a, algorithm: least-requests}]
models: [{service: a, instances: 200, service_time: {dist: exp, mean: 1ms}, queue: 100000}]
)");
    MeshRun run(plan, settingsFor("a", 160'000.0, 10s, 1));
    run.run();

    QVERIFY(
        isWithin("mean", milliseconds(run.service("a")->figures(0).durations.mean()), 1.9474, 0.02)
    );
}

void SimMeshTest::parallelCallsTakeAsLongAsTheLongest()
{
    const MeshPlan plan = planOf(R"(
_format_version: "3.0"
services: [{name: a, host: a}, {name: b, host: b}]
models:
- {service: a, concurrency: 1000, service_time: {dist: const, mean: 1ms}, script: [[{call: b,
    count: 4}], {call: b, count: 2}]}
- {service: b, concurrency: 1000, service_time: {dist: exp, mean: 1ms}}
)");
    MeshRun run(plan, settingsFor("a", 1000.0, 200s, 1));
    run.run();

    // 1, then the longest of four (1 + 1/2 + 1/3 + 1/4), then two in turn.
    const CallFigures& figures = run.service("a")->figures(0);
    QVERIFY(isWithin("mean", milliseconds(figures.durations.mean()), 1.0 + 25.0 / 12.0 + 2.0, 0.01)
    );
    QVERIFY(isWithin(
        "calls",
        static_cast<double>(run.service("b")->figures(0).calls),
        6.0 * static_cast<double>(figures.calls),
        0.001
    ));
}

void SimMeshTest::littlesLawHoldsInEveryRow()
{
    const MeshPlan plan = planOf(kOne);
    MeshRunSettings settings = settingsFor("a", 800.0, 50s, 5);
    // Until everything has ended, so that no call is cut.
    settings.windows = {{"all", {{TimePoint(0s), TimePoint(1h)}}}};
    MeshRun run(plan, settings);
    run.run();

    for (const MeasureRow* row : {run.service("a"), run.edge("gateway->a")}) {
        const CallFigures& figures = row->figures(0);
        const double sum = toSeconds(figures.durations.mean()) * static_cast<double>(figures.calls);
        QVERIFY(isWithin("calls in progress", toSeconds(figures.waited), sum, 1e-5));
    }
}

void SimMeshTest::retriesMultiplyAttemptsAsTheirProbabilitySays()
{
    const MeshPlan plan =
        planOf(fiveOf("retry: {on: [5xx], attempts: 3}", ", concurrency: 100, error_rate: 0.3"));
    MeshRun run(plan, settingsFor("a", 2000.0, 100s, 1));
    run.run();

    const CallFigures& figures = run.service("a")->figures(0);
    QVERIFY(isWithin("amplification", amplificationOf(figures), 1.0 + 0.3 + 0.09, 0.005));
    QVERIFY(isWithin("success", successOf(figures), 1.0 - 0.027, 0.001));
}

void SimMeshTest::aBudgetBoundsRetries()
{
    const auto amplification = [](std::string_view budget) {
        const MeshPlan plan = planOf(fiveOf(
            fmt::format("retry: {{on: [5xx], attempts: 4, budget: {}}}", budget),
            ", concurrency: 100, error_rate: 1.0"
        ));
        MeshRun run(plan, settingsFor("a", 5000.0, 20s, 1));
        run.run();
        return amplificationOf(run.service("a")->figures(0));
    };

    QVERIFY(isWithin("all", amplification("{percent: 100, min_concurrent: 100000}"), 4.0, 0.001));
    const double bounded = amplification("{percent: 20, min_concurrent: 1}");
    QVERIFY2(bounded > 1.0 && bounded < 1.35, qPrintable(QString::number(bounded)));
    QCOMPARE(amplification("{}"), amplification("{percent: 20, min_concurrent: 3}"));
}

// As in Envoy: a budget takes the place of max_retries.
void SimMeshTest::withoutABudgetLimitsBoundRetries()
{
    const auto amplification = [](std::string_view budget, std::string_view upstream) {
        const MeshPlan plan = planOf(fiveOf(
            fmt::format("retry: {{on: [5xx], attempts: 4{}}}", budget),
            ", concurrency: 100, error_rate: 1.0",
            upstream
        ));
        MeshRun run(plan, settingsFor("a", 5000.0, 20s, 1));
        run.run();
        [&run] { QCOMPARE(run.leftOver(), std::uint64_t{0}); }();
        return amplificationOf(run.service("a")->figures(0));
    };
    constexpr std::string_view kLimits = ", limits: {max_retries: 1}";
    constexpr std::string_view kAll = ", budget: {percent: 100, min_concurrent: 100000}";

    QVERIFY(isWithin("neither", amplification("", ""), 4.0, 0.001));
    const double bounded = amplification("", kLimits);
    QVERIFY2(bounded > 1.0 && bounded < 1.05, qPrintable(QString::number(bounded)));
    QVERIFY(isWithin("both", amplification(kAll, kLimits), 4.0, 0.001));
}

void SimMeshTest::aFailingInstanceIsEjected()
{
    const auto outcome = [](std::string_view upstream) {
        const MeshPlan plan = planOf(fiveOf("timeout: 10s", ", concurrency: 10", upstream));
        MeshRunSettings settings = settingsFor("a", 1000.0, 60s, 1);
        settings.windows = {{"late", {{TimePoint(11s), TimePoint(39s)}}}};
        settings.timeline = {faultOf(FaultKind::Error, "a-3", 10s, 30s)};
        MeshRun run(plan, settings);
        run.run();
        return std::pair(successOf(run.service("a")->figures(0)), run.ejections());
    };

    const auto [without, none] = outcome("");
    const auto [with, some] = outcome(
        ", outlier_detection: {consecutive_5xx: 5, base_ejection: 20s, max_ejection_percent: 50}"
    );

    QCOMPARE(none, std::uint64_t{0});
    QVERIFY(without < 0.85); // It fails at once, so that it even looks the least busy.
    QVERIFY(some >= 1);
    QVERIFY2(with > 0.999, qPrintable(QString::number(with)));
}

void SimMeshTest::anOpenBreakerSparesTheService()
{
    const MeshPlan plan = planOf(fiveOf(
        "breaker: {error_ratio: 0.5, min_requests: 20, open: 5s}",
        ", concurrency: 10, error_rate: 1"
    ));
    MeshRun run(plan, settingsFor("a", 1000.0, 30s, 1));
    run.run();

    const CallFigures& figures = run.service("a")->figures(0);
    QVERIFY(figures.calls > 20'000);
    QVERIFY(figures.attempts < figures.calls / 50); // Only probes come through.
}

void SimMeshTest::aHedgeTakesTheShorterOfTwo()
{
    const MeshPlan plan = planOf(fiveOf("hedge: {after: 1ms, max: 1}", ", concurrency: 1000"));
    MeshRun run(plan, settingsFor("a", 2000.0, 200s, 1));
    run.run();

    // min(X, 1 + Y) of two exponentials; a hedge starts when X > 1.
    const double late = std::exp(-1.0);
    const CallFigures& figures = run.service("a")->figures(0);
    QVERIFY(isWithin("mean", milliseconds(figures.durations.mean()), 1.0 - late / 2.0, 0.01));
    QVERIFY(isWithin("amplification", amplificationOf(figures), 1.0 + late, 0.01));
    QCOMPARE(run.leftOver(), std::uint64_t{0});
}

void SimMeshTest::aHedgeAfterAPercentileCostsItsShare()
{
    const MeshPlan plan = planOf(fiveOf(
        "hedge: {after: p90, max: 1}, retry: {on: [5xx], budget: {percent: 100}}",
        ", concurrency: 1000"
    ));
    MeshRun run(plan, settingsFor("a", 2000.0, 100s, 1));
    run.run();

    const CallFigures& figures = run.service("a")->figures(0);
    // Those that lose are not in the percentile. With e the share that is hedged, half of its
    // winners are first attempts, and of the others e^2 are as late: e (1 + e^2) / 2 = 0.1.
    QVERIFY(isWithin("amplification", amplificationOf(figures), 1.0 + 0.1928, 0.01));
    QVERIFY(figures.durations.quantile(0.99) < 4ms); // 4.6 without.
    QCOMPARE(run.leftOver(), std::uint64_t{0});
}

void SimMeshTest::abandonedWorkGoesOn()
{
    const MeshPlan plan =
        planOf(fiveOf("timeout: 100ms", ", concurrency: 1, queue: 10000, reject_time: 0ms"));
    // Twice what five workers can do: all answers come too late, and nobody stops the work.
    MeshRun run(plan, settingsFor("a", 10'000.0, 20s, 1));
    run.run();

    const CallFigures& figures = run.service("a")->figures(0);
    QVERIFY(successOf(figures) < 0.2);
    QVERIFY(run.utilization("a", 0) > 0.99);
    QVERIFY(figures.durations.quantile(1.0) <= 101ms);
    QCOMPARE(run.leftOver(), std::uint64_t{0});
}

void SimMeshTest::aKilledInstanceIsRetriedElsewhere()
{
    const auto success = [](std::string_view retry) {
        const MeshPlan plan = planOf(fiveOf(retry, ", concurrency: 10"));
        MeshRunSettings settings = settingsFor("a", 1000.0, 30s, 1);
        settings.timeline = {faultOf(FaultKind::Kill, "a-1", 10s, 10s)};
        MeshRun run(plan, settings);
        run.run();
        return successOf(run.service("a")->figures(0));
    };

    QVERIFY(success("timeout: 10s") < 0.95);
    QCOMPARE(
        success("retry: {on: [reset], attempts: 2, budget: {percent: 100, min_concurrent: 100}}"),
        1.0
    );
}

void SimMeshTest::theSameSeedGivesTheSameRunWhateverIsMeasured()
{
    const MeshPlan plan = planOf(fiveOf("retry: {on: [5xx]}", ", error_rate: 0.1"));
    const auto fingerprint = [&plan](std::uint64_t seed, std::size_t windows) {
        MeshRunSettings settings = settingsFor("a", 3000.0, 5s, seed);
        settings.windows.resize(windows, settings.windows.front());
        MeshRun run(plan, settings);
        run.run();
        return run.fingerprint();
    };

    QCOMPARE(fingerprint(1, 1), fingerprint(1, 1));
    QCOMPARE(fingerprint(1, 0), fingerprint(1, 7));
    QVERIFY(fingerprint(1, 1) != fingerprint(2, 1));
}

void SimMeshTest::aPolicyThatIsNotNeededChangesNobodysLuck()
{
    const auto figures = [](std::string_view policies) {
        const MeshPlan plan = planOf(fiveOf(policies, ", concurrency: 3"));
        MeshRun run(plan, settingsFor("a", 3000.0, 20s, 9));
        run.run();
        const CallFigures& found = run.service("a")->figures(0);
        return std::pair(found.durations.mean(), found.durations.quantile(0.999));
    };

    const auto plain = figures("timeout: 60s");
    QCOMPARE(figures("retry: {on: [5xx], attempts: 4}"), plain);
    QCOMPARE(figures("breaker: {error_ratio: 0.5}"), plain);
}

void SimMeshTest::theDemoMeshRuns()
{
    const Result<std::string> text =
        readFile(std::string(MESH_SOURCE_DIR) + "/resources/demo/storefront.yaml", 1U << 20U);
    QVERIFY(text);
    const MeshPlan plan = planOf(*text);
    MeshRun run(plan, settingsFor("frontend", 50.0, 30s, 42));
    run.run();

    QVERIFY(run.hops() > 5'000);
    QCOMPARE(run.leftOver(), std::uint64_t{0});
    QVERIFY(successOf(run.service("frontend")->figures(0)) > 0.99);
}

void SimMeshTest::theFingerprintIsTheSameInEveryBuild()
{
    const MeshPlan plan = planOf(R"(
_format_version: "3.0"
services:
- {name: a, host: a, resilience: {timeout: 80ms}}
- name: b
  host: b
  resilience: {per_try_timeout: 50ms, retry: {on: [5xx], attempts: 3, budget: {}},
    breaker: {error_ratio: 0.4, open: 1s}}
upstreams:
- name: b
  algorithm: least-requests
  outlier_detection: {interval: 1s, base_ejection: 1s, success_rate: {request_volume: 10}}
models:
- {service: a, instances: 2, zones: [x, y], concurrency: 8, service_time: {dist: lognormal,
    mean: 1ms, cv: 1.5}, script: [[{call: b, count: 2, probability: 0.7}]]}
- {service: b, instances: 5, zones: [x, y], concurrency: 2, error_rate: 0.05,
    service_time: {dist: exp, mean: 1ms}}
)");
    MeshRunSettings settings = settingsFor("a", 3000.0, 10s, 42);
    settings.timeline = {faultOf(FaultKind::Error, "b-3", 2s, 3s)};
    settings.timeline.back().probability = 0.5;
    MeshRun run(plan, settings);
    run.run();

    QCOMPARE(run.leftOver(), std::uint64_t{0});
    QVERIFY(run.ejections() > 0);
    QCOMPARE(run.fingerprint(), std::uint64_t{15535176026899089582U});
}

void SimMeshTest::theBooksBalanceInRandomMeshes()
{
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        Random random(Seed{seed});
        // One after the other: compilers differ in the order of a call's arguments.
        std::vector<std::uint64_t> drawn;
        for (const auto& [least, count] : std::initializer_list<std::pair<unsigned, unsigned>>{
                 {6, 60}, {1, 4}, {2, 20}, {1, 4}, {1, 20}, {0, 30}, {1, 6}}) {
            drawn.push_back(least + random.below(count));
        }
        const double errorRate = random.unit() * 0.4;
        const MeshPlan plan = planOf(fmt::format(
            R"(
_format_version: "3.0"
services:
- {{name: a, host: a, resilience: {{timeout: {}ms, hedge: {{after: 5ms, max: 2}},
    retry: {{on: [5xx], attempts: {}}}}}}}
- {{name: b, host: b, resilience: {{per_try_timeout: {}ms, retry: {{on: [5xx],
    attempts: {}}}, breaker: {{error_ratio: 0.7, open: 1s}}}}}}
- {{name: c, host: c}}
upstreams:
- {{name: b, algorithm: latency, outlier_detection: {{interval: 1s, base_ejection: 2s,
    max_ejection_percent: 60}}}}
- {{name: c, algorithm: round-robin, limits: {{max_requests: {}}}}}
models:
- {{service: a, instances: 2, zones: [x, y], concurrency: 8, queue: {},
    service_time: {{dist: exp, mean: 1ms}}, script: [[{{call: b, count: 2}}, {{call: c}}],
    {{call: b, probability: 0.5}}]}}
- {{service: b, instances: 3, concurrency: {}, queue: 20, error_rate: {:.2f},
    hold_worker_during_calls: true, service_time: {{dist: lognormal, mean: 2ms, cv: 2}},
    script: [{{call: c, cached: 0.5}}]}}
- {{service: c, instances: 2, concurrency: 2, queue: 5, service_time: {{quantiles: [[0, 0ms],
    [0.9, 1ms], [1, 30ms]]}}}}
)",
            drawn[0],
            drawn[1],
            drawn[2],
            drawn[3],
            drawn[4],
            drawn[5],
            drawn[6],
            errorRate
        ));
        MeshRunSettings settings = settingsFor("a", 200.0 + random.unit() * 800.0, 5s, seed);
        settings.windows = {{"all", {{TimePoint(0s), TimePoint(1h)}}}};
        for (int at = 0; at < 4; ++at) {
            constexpr FaultKind kKinds[] = {FaultKind::Kill, FaultKind::Error, FaultKind::Slow};
            const FaultKind kind = kKinds[random.below(3)];
            const auto hit = random.below(plan.instances().size());
            const Duration from = Duration(1s) + Duration(nanosecondsBelow(random, 3s));
            const Duration length(nanosecondsBelow(random, 2s));
            Fault fault = faultOf(kind, plan.instances()[hit].instance.name, from, length);
            fault.probability = random.unit();
            fault.factor = 1.0 + 5.0 * random.unit();
            settings.timeline.push_back(fault);
        }
        MeshRun run(plan, settings);
        run.run();

        QVERIFY2(run.leftOver() == 0, qPrintable(QStringLiteral("seed %1").arg(seed)));
        const CallFigures& edge = run.edge("gateway->a")->figures(0);
        QVERIFY(edge.calls > 500);
        QCOMPARE(run.service("a")->figures(0).calls, edge.calls);
        QVERIFY(isWithin(
            "Little",
            toSeconds(edge.waited),
            toSeconds(edge.durations.mean()) * static_cast<double>(edge.calls),
            1e-5
        ));
        QVERIFY(run.service("b")->figures(0).attempts <= run.hops());
    }
}

void SimMeshTest::aCallOfNobodyIsAnError()
{
    model::Document document;
    document.models.emplace_back();
    document.models.back().service = std::string("a");
    document.models.back().script = {{{{"nobody", 1.0, 1, {}}}, false}};

    const Result<MeshPlan> plan = MeshPlan::make(document);

    QVERIFY(!plan);
    QCOMPARE(plan.error().code, ErrorCode::DanglingReference);
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::SimMeshTest)
#include "sim_mesh_test.moc"
