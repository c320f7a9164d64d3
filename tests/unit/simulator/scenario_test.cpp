// Goal: scenario files are read field by field, and everything wrong in them is named with its
// place. Method: texts in, values or problems out.
#include "simulator/scenario/scenario.h"

#include <QTest>

namespace mesh::simulator {

class ScenarioTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsLoadAndFaults();
    void theRateHoldsUntilItsNextPoint();
    void everyProblemIsReportedWithItsPlace();
    void aSyntaxErrorIsTheOnlyProblem();
};

void ScenarioTest::readsLoadAndFaults()
{
    const ScenarioResult result = parseScenario(R"(
scenario: demo
mesh: shop.yaml
seed: 7
duration: 10m
load: [{entry: frontend, arrivals: uniform, rate: [[0s, 800], [2m, 1400]]}]
timeline:
- {at: 3m, for: 90s, fault: kill, target: {service: cart, instances: "30%"}}
- {at: 0s, fault: latency, target: {instance: pay-3}, add: 60ms, jitter: 20ms, probability: 0.5}
)");

    QVERIFY(result.problems.empty());
    const Scenario& scenario = result.scenario;
    QCOMPARE(scenario.name, std::string("demo"));
    QVERIFY(scenario.seed == Seed{7});
    QVERIFY(scenario.duration == Duration(std::chrono::minutes(10)));
    const Load load{
        "frontend",
        Arrivals::Uniform,
        {{Duration::zero(), 800.0}, {std::chrono::minutes(2), 1400.0}}};
    QVERIFY(scenario.load == std::vector<Load>{load});
    QCOMPARE(scenario.timeline.size(), std::size_t{2});
    QVERIFY(scenario.timeline[0].kind == FaultKind::Kill);
    QVERIFY(scenario.timeline[0].length == Duration(std::chrono::seconds(90)));
    QVERIFY((scenario.timeline[0].target == FaultTarget{"cart", "", 30, std::nullopt}));
    QVERIFY(scenario.timeline[1].jitter == Duration(std::chrono::milliseconds(20)));
    QCOMPARE(scenario.timeline[1].probability, 0.5);
}

void ScenarioTest::theRateHoldsUntilItsNextPoint()
{
    const Load load{
        "frontend", Arrivals::Poisson, {{Duration::zero(), 800.0}, {std::chrono::minutes(2), 0.0}}};

    QCOMPARE(rateAt(load, Duration::zero()), 800.0);
    QCOMPARE(rateAt(load, std::chrono::seconds(119)), 800.0);
    QCOMPARE(rateAt(load, std::chrono::minutes(2)), 0.0);
}

void ScenarioTest::everyProblemIsReportedWithItsPlace()
{
    const ScenarioResult result = parseScenario(R"(scenario: demo
lod: []
duration: 10
load:
- {entry: frontend, rate: [[5s, 1]]}
timeline:
- {at: 1s, fault: meteor, target: {service: a, instance: b}}
- {at: 1s, fault: kill, target: {service: a}, status: 500}
)");

    QStringList said;
    for (const config::Problem& problem : result.problems) {
        said << QString::fromStdString(config::toText(problem, "f"));
    }
    said.sort();
    const QStringList expected = {
        QStringLiteral("f:2:1: lod: unknown field"),
        QStringLiteral("f:3:11: duration: needs a unit, as in 30s or 250ms"),
        QStringLiteral("f:5:28: load[0].rate: times begin at 0s and grow"),
        QStringLiteral(
            "f:7:19: timeline[0].fault: fault meteor is not supported by this version; it "
            "knows kill, freeze, latency and error"
        ),
        QStringLiteral("f:7:35: timeline[0].target: name either a service or an instance"),
        QStringLiteral("f:8:47: timeline[1].status: unknown field"),
    };
    QCOMPARE(said, expected);
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
