// Goal: scenario files are read field by field, and everything wrong in them is named with its
// place. Method: texts in, values or problems out.
#include "simulator/scenario/scenario.h"

#include "simulator/scenario/fault_table.h"

#include <QTest>

namespace mesh::simulator {

class ScenarioTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsEveryField();
    void readsEveryKindOfFault_data();
    void readsEveryKindOfFault();
    void theTableSaysWhatAKindMustHave();
    void theRateHoldsUntilItsNextPoint();
    void everyProblemIsReportedWithItsPlace();
    void whatIsWrongIsNamed_data();
    void whatIsWrongIsNamed();
    void aSyntaxErrorIsTheOnlyProblem();
};

namespace {

QStringList saidOf(const ScenarioResult& result)
{
    QStringList said;
    for (const config::Problem& problem : result.problems) {
        said << QString::fromStdString(config::toText(problem, "f"));
    }
    return said;
}

constexpr Duration kMinute = std::chrono::minutes(1);

} // namespace

// The example of the design, with a word more here and there.
void ScenarioTest::readsEveryField()
{
    const ScenarioResult result = parseScenario(R"(
scenario: checkout-zone-b-loss
mesh: shop.yaml
seed: 7
replications: 20
duration: 10m
warmup: 30s
load: [{entry: frontend, arrivals: uniform, rate: [[0s, 800], [2m, 1400]]}]
network: {same_zone: {dist: exp, mean: 200us}, proxy: {quantiles: [[0, 10us], [1, 90us]]}}
policies:
  baseline: {}
  candidate: {patch: {services: {cart: {resilience: {retry: {budget: {percent: 10}}}}}}}
ablate: [retry, breaker, outlier_detection, hedge]
timeline:
- {at: 3m, for: 90s, fault: zone_outage, target: {zone: b}}
- at: 4m
  for: 60s
  fault: latency
  target: {edge: "checkout->payment", instances: "30%"}
  add: 200ms
  jitter: 50ms
  probability: 0.5
guards: [{abort_if: "success(frontend) < 0.5 for 60s"}]
assert:
- {window: before, that: "p99(frontend) < 300ms"}
- {window: after,  that: "success(frontend) >= 0.999 within 20s"}
- {compare: "candidate vs baseline", that: "p99(frontend) <= 0"}
)");

    QCOMPARE(saidOf(result), QStringList());
    const Scenario& scenario = result.scenario;
    QCOMPARE(scenario.name, std::string("checkout-zone-b-loss"));
    QVERIFY(scenario.seed == Seed{7});
    QCOMPARE(scenario.replications, 20);
    QVERIFY(scenario.duration == 10 * kMinute);
    QVERIFY(scenario.warmup == kMinute / 2);
    const Load load{
        "frontend", Arrivals::Uniform, {{Duration::zero(), 800.0}, {2 * kMinute, 1400.0}}};
    QVERIFY(scenario.load == std::vector<Load>{load});
    QVERIFY(scenario.network.sameZone->kind == model::DurationLaw::Kind::Exp);
    QVERIFY(scenario.network.proxy->kind == model::DurationLaw::Kind::Quantiles);
    QVERIFY(!scenario.network.crossZone && !scenario.network.connect);
    QCOMPARE(scenario.policies.size(), std::size_t{2});
    QVERIFY(scenario.policies[0].patch.isNull());
    QVERIFY(scenario.policies[1].patch.find("services") != nullptr);
    QCOMPARE(scenario.ablate.size(), std::size_t{4});
    QVERIFY(scenario.ablate[2] == AblatedPolicy::OutlierDetection);
    QCOMPARE(scenario.guards.size(), std::size_t{1});
    QVERIFY(scenario.guards[0].length == kMinute);
    QCOMPARE(scenario.asserts.size(), std::size_t{3});
    QCOMPARE(scenario.asserts[0].window, std::string("before"));
    QVERIFY(scenario.asserts[1].within == kMinute / 3);
    QCOMPARE(scenario.asserts[2].candidate, std::string("candidate"));
    QCOMPARE(scenario.asserts[2].reference, std::string("baseline"));
    QVERIFY(scenario.asserts[2].window.empty());
}

void ScenarioTest::readsEveryKindOfFault_data()
{
    QTest::addColumn<QString>("fault");
    QTest::addColumn<QString>("said");

    const auto row = [](const char* fault, const char* said) {
        QTest::newRow(said) << fault << said;
    };
    row("fault: kill, target: {service: cart, instances: \"30%\"}", "kill cart, 30% of instances");
    row("fault: kill, target: {service: cart, instances: [cart-1, cart-3]}",
        "kill cart, cart-1, cart-3");
    row("fault: freeze, target: {version: v2, instances: 1}", "freeze version v2, 1 instance");
    row("fault: latency, target: {edge: \"a->b\"}, add: 5ms", "latency a->b");
    row("fault: error, target: {instance: a-1}, status: 500, probability: 0.1", "error a-1");
    row("fault: zone_outage, target: {zone: b}", "zone_outage zone b");
    row("fault: partition, target: {between: [a, b]}, one_way: true", "partition zones a and b");
    row("fault: bandwidth, target: {service: a}, bytes_per_second: 1000", "bandwidth a");
    row("fault: reset, target: {zone: a}, probability: 0.5", "reset zone a");
    row("fault: black_hole, target: {edge: \"gateway->a\"}", "black_hole gateway->a");
    row("fault: slow, target: {zone: a}, factor: 3", "slow zone a");
    row("fault: grey, target: {instance: a-1}, factor: 10", "grey a-1");
    row("fault: surge, target: {entry: frontend}, factor: 2", "surge frontend");
    row("fault: retry_storm, target: {service: a}, attempts: 5", "retry_storm a");
    row("fault: bad_deploy, target: {service: a}, version: v2, share: 0.3, error_rate: 0.2",
        "bad_deploy a");
    row("fault: cert_expiry, target: {service: a}", "cert_expiry a");
    row("fault: stale_endpoints, target: {service: a}, by: 30s", "stale_endpoints a");
    row("fault: config_delay, target: {node: vm-1}, by: 30s", "config_delay node vm-1");
    row("fault: cache_wipe, target: {service: a}", "cache_wipe a");
    row("fault: flap, target: {instance: a-1}, period: 4s, duty: 0.25", "flap a-1");
    row("fault: swizzle, target: {services: [a, b]}", "swizzle a, b");
}

void ScenarioTest::readsEveryKindOfFault()
{
    QFETCH(QString, fault);
    QFETCH(QString, said);

    const ScenarioResult result =
        parseScenario("scenario: s\ntimeline: [{at: 1s, " + fault.toStdString() + "}]\n");

    QCOMPARE(saidOf(result), QStringList());
    QCOMPARE(QString::fromStdString(toText(result.scenario.timeline.at(0))), said);
}

void ScenarioTest::theTableSaysWhatAKindMustHave()
{
    QCOMPARE(faultKinds().size(), std::size_t{kFaultKindCount});
    for (const FaultKindRow& row : faultKinds()) {
        QVERIFY(faultKindOf(row.name) == &row);
        QVERIFY(&faultKindRow(row.kind) == &row);
        QVERIFY(row.targets != 0 && (row.required & row.optional) == 0);
    }
}

void ScenarioTest::theRateHoldsUntilItsNextPoint()
{
    const Load load{"frontend", Arrivals::Poisson, {{Duration::zero(), 800.0}, {2 * kMinute, 0.0}}};

    QCOMPARE(rateAt(load, Duration::zero()), 800.0);
    QCOMPARE(rateAt(load, std::chrono::seconds(119)), 800.0);
    QCOMPARE(rateAt(load, 2 * kMinute), 0.0);
}

void ScenarioTest::everyProblemIsReportedWithItsPlace()
{
    const ScenarioResult result = parseScenario(R"(scenario: demo
lod: []
duration: 10
load:
- {entry: frontend, rate: [[5s, 1]]}
timeline:
- {at: 1s, fault: kill, target: {service: a, instance: b}}
- {at: 1s, fault: kill, target: {service: a}, status: 500}
assert:
- {window: sometimes, that: "p99(a) < 1s"}
- {window: during, that: "p98(a) < 1s"}
)");

    const QStringList expected = {
        QStringLiteral("f:2:1: lod: unknown field"),
        QStringLiteral("f:3:11: duration: needs a unit, as in 30s or 250ms"),
        QStringLiteral("f:5:28: load[0].rate: times begin at 0s and grow"),
        QStringLiteral("f:7:33: timeline[0].target: name exactly one of service, instance, zone or "
                       "version"),
        QStringLiteral("f:8:55: timeline[1].status: kill has no such field"),
        QStringLiteral("f:10:12: assert[0].window: expected one of before, during, after, always"),
        QStringLiteral("f:11:26: assert[1].that: expected one of success, rps, mean, p50, p90, "
                       "p99, p999, inflight, utilization, amplification, goodput before "
                       "\"p98(a) < 1s\""),
    };
    QCOMPARE(saidOf(result), expected);
}

void ScenarioTest::whatIsWrongIsNamed_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("said");
    const auto fault = [](const char* name, const char* text, const char* said) {
        QTest::newRow(name) << QStringLiteral("timeline: [{at: 1s, %1}]").arg(QLatin1String(text))
                            << said;
    };
    fault("a kind that does not exist", "fault: meteor, target: {zone: b}", "no fault \"meteor\"");
    fault(
        "a target that cannot be hit",
        "fault: zone_outage, target: {service: a}",
        "zone_outage cannot hit that; name its zone"
    );
    fault("a field that is needed", "fault: slow, target: {zone: a}", "factor: required field");
    fault(
        "a share that means nothing",
        "fault: kill, target: {zone: a}, probability: 0.5",
        "kill hits all of its target or nothing"
    );
    fault(
        "two ways to be grey",
        "fault: grey, target: {instance: a}, status: 500, factor: 2",
        "use two faults for both"
    );
    fault("an edge of one", "fault: reset, target: {edge: a}", "a caller and a callee");
    fault("three zones", "fault: partition, target: {between: [a, b, c]}", "expected two zones");
    fault("a share of nothing", "fault: kill, target: {service: a, instances: \"0%\"}", "\"30%\"");
    fault("no time", "for: 0s, fault: kill, target: {zone: a}", "must be longer than 0s");

    const auto row = [](const char* name, const char* text, const char* said) {
        QTest::newRow(name) << text << said;
    };
    row("a fault after the end",
        "duration: 5s\ntimeline: [{at: 6s, fault: kill, target: {zone: a}}]",
        "begins at 6s, but the run ends after 5s");
    row("a warm-up of everything", "duration: 5s\nwarmup: 5s", "nothing is left to measure");
    row("no replication", "replications: 0", "a whole number from 1");
    row("an unknown policy to take out", "ablate: [retries]", "cannot take out \"retries\"");
    row("a variant that does not exist",
        "policies: {a: {}}\nassert: [{compare: \"b vs a\", that: \"p99(x) < 0\"}]",
        "no variant \"b\"");
    row("a comparison of one", "assert: [{compare: b, that: \"p99(x) < 0\"}]", "two variants");
    row("a patch of unknown objects",
        "policies: {a: {patch: {servcies: {}}}}",
        "policies.a.patch.servcies: a document has no such objects");
    row("a guard of the end", "guards: [{abort_if: \"utilization(a) > 1\"}]", "end of a run only");
    row("a guard of half a second",
        "guards: [{abort_if: \"success(a) < 1 for 500ms\"}]",
        "whole seconds");
    row("an assertion of a length",
        "assert: [{window: always, that: \"p99(a) < 1 for 5s\"}]",
        "belongs to guards");
    row("a law without a mean", "network: {proxy: {dist: exp}}", "network.proxy.mean: must be");
    row("an empty rate", "load: [{entry: a, rate: []}]", "at least [[0s, RATE]]");
}

void ScenarioTest::whatIsWrongIsNamed()
{
    QFETCH(QString, text);
    QFETCH(QString, said);

    const ScenarioResult result = parseScenario("scenario: s\n" + text.toStdString() + "\n");

    QCOMPARE(result.problems.size(), std::size_t{1});
    QVERIFY2(saidOf(result).front().contains(said), saidOf(result).front().toUtf8().constData());
    QVERIFY(result.problems.front().place.has_value());
}

void ScenarioTest::aSyntaxErrorIsTheOnlyProblem()
{
    const ScenarioResult result = parseScenario("scenario: [");

    QCOMPARE(result.problems.size(), std::size_t{1});
    QVERIFY(result.problems[0].code == ErrorCode::Syntax);
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::ScenarioTest)
#include "scenario_test.moc"
