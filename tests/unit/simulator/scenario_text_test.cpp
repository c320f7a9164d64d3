// Goal: a scenario that is written and read again is the same scenario.
// Method: one with every field, and random ones from printed seeds; both are compared whole.
#include "simulator/scenario/scenario_text.h"

#include "proxyengine/base/random.h"
#include "simulator/scenario/fault_table.h"

#include <QTest>

#include <array>

namespace mesh::simulator {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kWhole = R"yaml(
scenario: "everything: at once"
mesh: shop.yaml
seed: 42
replications: 20
duration: 10m
warmup: 30s
load:
- {entry: frontend, arrivals: uniform, rate: [[0s, 800], [2m, 1400.5], [4m, 800]]}
network: {same_zone: {dist: const, mean: 100us}, proxy: {dist: lognormal, mean: 50us, cv: 0.5}}
policies:
  baseline: {}
  candidate:
    patch: {services: {cart: {resilience: {retry: {budget: {percent: 10}}}}}}
ablate: [retry, hedge]
timeline:
- {at: 3m, for: 90s, fault: zone_outage, target: {zone: b}}
- {at: 4m, for: 60s, fault: latency, target: {edge: "checkout->payment", instances: "30%"},
   add: 200ms, jitter: 50ms, probability: 0.5}
- {at: 5m, fault: kill, target: {service: cart, instances: [cart-1, cart-3]}}
- {at: 5m, fault: partition, target: {between: [a, b]}, one_way: true}
- {at: 5m, for: 1500ms, fault: swizzle, target: {services: [cart, payment]}}
guards: [{abort_if: "success(frontend) < 0.5 for 60s"}]
assert:
- {window: before, that: "p99(frontend) < 300ms"}
- {window: after, that: "success(frontend) >= 99.9% within 20s"}
- {compare: "candidate vs baseline", that: "p99(frontend) <= 0"}
)yaml";

Scenario parsed(std::string_view text)
{
    ScenarioResult result = parseScenario(text);
    for (const config::Problem& problem : result.problems) {
        qWarning("%s", config::toText(problem, "scenario").c_str());
    }
    if (!result.problems.empty()) {
        qFatal("not read:\n%s", std::string(text).c_str());
    }
    return std::move(result.scenario);
}

bool isSame(const Assertion& a, const Assertion& b)
{
    return a.text == b.text && a.condition == b.condition && a.window == b.window
           && a.within == b.within && a.candidate == b.candidate && a.reference == b.reference;
}

bool isSame(const Guard& a, const Guard& b)
{
    return a.text == b.text && a.condition == b.condition && a.length == b.length;
}

bool isSame(const PolicyVariant& a, const PolicyVariant& b)
{
    return a.name == b.name && a.patch == b.patch;
}

template <typename Item>
bool areSame(const std::vector<Item>& a, const std::vector<Item>& b)
{
    return std::ranges::equal(a, b, [](const Item& x, const Item& y) { return isSame(x, y); });
}

bool isSame(const Scenario& a, const Scenario& b)
{
    return a.name == b.name && a.mesh == b.mesh && a.seed == b.seed
           && a.replications == b.replications && a.duration == b.duration && a.warmup == b.warmup
           && a.load == b.load && a.network == b.network && areSame(a.policies, b.policies)
           && a.ablate == b.ablate && a.timeline == b.timeline && areSame(a.guards, b.guards)
           && areSame(a.asserts, b.asserts);
}

template <typename Item, std::size_t kCount>
Item oneOf(Random& random, const std::array<Item, kCount>& items)
{
    return items[random.below(kCount)];
}

// Names that need quotes in YAML, or look like something else.
std::string nameFrom(Random& random)
{
    constexpr std::array<std::string_view, 8> kNames = {
        "cart", "true", "1e3", "- x", "a: b", "\"q\"", "null", "stra\u00dfe #1"};
    return std::string(oneOf(random, kNames));
}

FaultTarget targetFrom(Random& random, const FaultKindRow& row)
{
    std::vector<TargetForm> forms;
    for (int at = 0; at < kTargetFormCount; ++at) {
        const auto form = static_cast<TargetForm>(1U << static_cast<unsigned>(at));
        if (row.canHit(form)) {
            forms.push_back(form);
        }
    }
    FaultTarget target;
    switch (forms[random.below(forms.size())]) {
    case TargetForm::Service:
        target.service = nameFrom(random);
        break;
    case TargetForm::Instance:
        target.instance = nameFrom(random);
        break;
    case TargetForm::Zone:
        target.zone = nameFrom(random);
        break;
    case TargetForm::Version:
        target.version = nameFrom(random);
        break;
    case TargetForm::Node:
        target.node = nameFrom(random);
        break;
    case TargetForm::Edge:
        target.edge = std::pair(nameFrom(random), nameFrom(random));
        break;
    case TargetForm::Between:
        target.between = std::pair(nameFrom(random), "another");
        break;
    case TargetForm::Services:
        target.services = {nameFrom(random), "another"};
        break;
    }
    if (!target.service.empty() && random.chance(0.5)) {
        target.percent = static_cast<int>(1 + random.below(100));
    } else if (!target.service.empty() && random.chance(0.5)) {
        target.names = {nameFrom(random)};
    }
    return target;
}

Fault faultFrom(Random& random)
{
    const auto kind = static_cast<FaultKind>(random.below(kFaultKindCount));
    const FaultKindRow& row = faultKindRow(kind);
    const auto has = [&](FaultField field) {
        return row.mustHave(field) || (row.mayHave(field) && random.chance(0.5));
    };
    Fault fault;
    fault.kind = kind;
    fault.at = Duration(static_cast<std::int64_t>(random.below(60'000'000'000)));
    if (random.chance(0.7)) {
        fault.length = Duration(static_cast<std::int64_t>(1 + random.below(60'000'000'000)));
    }
    fault.target = targetFrom(random, row);
    fault.probability = row.hasProbability && random.chance(0.5) ? random.unit() : 1.0;
    fault.add = has(FaultField::Add) ? Duration(1ms * (1 + random.below(500))) : Duration{};
    fault.jitter = has(FaultField::Jitter) ? Duration(1us * random.below(500)) : Duration{};
    fault.bytesPerSecond =
        has(FaultField::BytesPerSecond) ? 1.0 + static_cast<double>(random.below(1 << 20)) : 0.0;
    fault.attempts = has(FaultField::Attempts) ? static_cast<int>(1 + random.below(9)) : 0;
    fault.version = has(FaultField::Version) ? nameFrom(random) : "";
    fault.share = has(FaultField::Share) ? random.unit() : 1.0;
    fault.errorRate = has(FaultField::ErrorRate) ? random.unit() : 0.0;
    fault.by = has(FaultField::By) ? Duration(1s * (1 + random.below(90))) : Duration{};
    fault.period = has(FaultField::Period) ? Duration(1s * (1 + random.below(90))) : Duration{};
    fault.duty = has(FaultField::Duty) ? random.unit() : 0.5;
    fault.isOneWay = has(FaultField::OneWay);
    if (has(FaultField::Status)) {
        fault.status = static_cast<int>(400 + random.below(200));
    } else if (has(FaultField::Factor)) {
        fault.factor = 0.5 + random.unit() * 10;
    }
    return fault;
}

} // namespace

class ScenarioTextTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyFieldComesBack();
    void randomFaultsComeBack();
    void aConditionWithoutTextGetsOne();
};

void ScenarioTextTest::everyFieldComesBack()
{
    const Scenario scenario = parsed(kWhole);
    const std::string text = toScenarioText(scenario);

    QVERIFY(isSame(parsed(text), scenario));
    QCOMPARE(toScenarioText(parsed(text)), text);
}

void ScenarioTextTest::randomFaultsComeBack()
{
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        Random random(Seed{seed});
        Scenario scenario;
        scenario.name = nameFrom(random);
        scenario.duration = 10min;
        scenario.load = {{nameFrom(random), Arrivals::Poisson, {{0s, random.unit() * 900}}}};
        for (std::uint64_t count = 1 + random.below(4); count > 0; --count) {
            scenario.timeline.push_back(faultFrom(random));
        }
        const std::string text = toScenarioText(scenario);
        const ScenarioResult again = parseScenario(text);
        for (const config::Problem& problem : again.problems) {
            qWarning("%s", config::toText(problem, "scenario").c_str());
        }
        QVERIFY2(
            again.problems.empty() && isSame(again.scenario, scenario),
            qPrintable(QStringLiteral("seed %1:\n%2").arg(seed).arg(QString::fromStdString(text)))
        );
    }
}

void ScenarioTextTest::aConditionWithoutTextGetsOne()
{
    Scenario scenario;
    scenario.name = "made";
    scenario.duration = 1min;
    scenario.load = {{"a", Arrivals::Poisson, {{0s, 10.0}}}};
    Assertion assertion;
    assertion.condition = {Quantity::P99, "a->b", Relation::LessOrEqual, 12.5};
    assertion.window = "after";
    assertion.within = 20s;
    scenario.asserts = {assertion};
    Guard guard;
    guard.condition = {Quantity::Success, "a", Relation::Less, 0.25};
    guard.length = 5s;
    scenario.guards = {guard};

    const Scenario again = parsed(toScenarioText(scenario));

    QCOMPARE(again.asserts[0].text, std::string("p99(a->b) <= 12.5 within 20s"));
    QVERIFY(again.asserts[0].condition == assertion.condition);
    QCOMPARE(again.asserts[0].within, assertion.within);
    QVERIFY(again.guards[0].condition == guard.condition);
    QCOMPARE(again.guards[0].length, Duration(5s));
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::ScenarioTextTest)
#include "scenario_text_test.moc"
