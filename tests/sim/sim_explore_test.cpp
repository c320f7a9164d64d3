// Goal: the search finds the weak places of a mesh that has known ones, the smallest and nothing
//       that they explain, within its budget; and every find is a scenario that shows it.
// Method: a mesh whose callers retry, with a database of one instance and two carts: the database
// is
//         a single point of failure, the carts fall only together.
#include "proxyengine/config/codec.h"
#include "simulator/report/explore.h"
#include "simulator/report/explore_candidates.h"
#include "simulator/scenario/scenario_text.h"

#include <QTest>

#include <algorithm>
#include <memory>

namespace mesh::simulator {
namespace {

constexpr std::string_view kMesh = R"yaml(
_format_version: "3.0"
services:
- {name: frontend, host: frontend, routes: [{name: all, paths: [/]}],
   resilience: {retry: {on: [connect-failure, reset, 5xx], attempts: 3}}}
- {name: cart, host: cart,
   resilience: {retry: {on: [connect-failure, reset, 5xx], attempts: 3}}}
- {name: database, host: database}
- {name: attic, host: attic}
upstreams:
- {name: frontend, algorithm: round-robin}
- {name: cart, algorithm: round-robin}
- {name: database, algorithm: round-robin}
- {name: attic, algorithm: round-robin}
models:
- {service: frontend, instances: 2, zones: [a, b], concurrency: 16,
   service_time: {dist: const, mean: 2ms}, script: [{call: cart}]}
- {service: cart, instances: 2, zones: [a, b], concurrency: 16,
   service_time: {dist: const, mean: 2ms}, script: [{call: database}]}
- {service: database, instances: 1, zones: [a], concurrency: 16,
   service_time: {dist: const, mean: 2ms}}
- {service: attic, instances: 1, zones: [a], service_time: {dist: const, mean: 2ms}}
)yaml";

constexpr std::string_view kScenario = R"yaml(
scenario: known
duration: 24s
warmup: 2s
load: [{entry: frontend, rate: [[0s, 60]]}]
timeline: [{at: 8s, for: 8s, fault: kill, target: {instance: cart-1}}]
assert:
- {window: during, that: "success(frontend) >= 0.9"}
- {window: always, that: "p50(frontend) < 1ms"}
)yaml";

ExploreRequest requestFor(std::size_t budget)
{
    ExploreRequest request;
    ScenarioResult scenario = parseScenario(kScenario);
    const config::DecodeResult decoded = config::decode(kMesh);
    for (const config::Problem& problem : decoded.problems) {
        if (problem.severity == config::Severity::Error) {
            qFatal("%s", config::toText(problem, "mesh").c_str());
        }
    }
    if (!scenario.problems.empty()) {
        qFatal("%s", config::toText(scenario.problems.front(), "scenario").c_str());
    }
    request.rehearsal.scenario = std::move(scenario.scenario);
    request.rehearsal.document = std::make_shared<const model::Document>(decoded.document);
    request.budget = budget;
    return request;
}

Exploration explored(std::size_t budget)
{
    Result<Exploration> found = explore(requestFor(budget));
    if (!found) {
        qFatal("%s", found.error().message.c_str());
    }
    return *std::move(found);
}

const Exploration& whole()
{
    static const Exploration kFound = explored(2500);
    return kFound;
}

bool hasFound(const Exploration& found, std::vector<std::string> faults)
{
    std::ranges::sort(faults);
    return std::ranges::any_of(found.breaking, [&faults](const Breaking& each) {
        std::vector<std::string> own = each.faults;
        std::ranges::sort(own);
        return own == faults;
    });
}

} // namespace

class SimExploreTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aSinglePointOfFailureIsFound();
    void whatFallsOnlyTogetherIsFoundAsAPair();
    void theSmallestComesFirstAndCoversTheRest();
    void everyFindIsAScenarioThatShowsIt();
    void whatIsBrokenAnywayIsNamedAndLeftOut();
    void theBudgetEndsTheSearch();
    void theSearchRepeatsItself();
    void aServiceThatNobodyReachesIsNotTried();
    void withoutAssertionsThereIsNothingToBreak();
};

void SimExploreTest::aSinglePointOfFailureIsFound()
{
    QVERIFY(hasFound(whole(), {"kill database-1"}));
    QVERIFY(hasFound(whole(), {"grey database-1"}));
    QVERIFY(!hasFound(whole(), {"kill cart-1"})); // Retried elsewhere.
    QVERIFY(!hasFound(whole(), {"kill frontend-2"}));
}

void SimExploreTest::whatFallsOnlyTogetherIsFoundAsAPair()
{
    QVERIFY(hasFound(whole(), {"kill cart"})); // Both carts: one fault.
    QVERIFY(!hasFound(whole(), {"kill cart-1", "kill cart-2"})); // Which that one covers.
    QVERIFY(hasFound(whole(), {"grey cart-1", "kill cart-2"})); // But not these two.
}

void SimExploreTest::theSmallestComesFirstAndCoversTheRest()
{
    std::size_t size = 1;
    for (const Breaking& each : whole().breaking) {
        QVERIFY(each.faults.size() >= size);
        size = each.faults.size();
    }
    QVERIFY(whole().covered > 0);
    QVERIFY(whole().isComplete);
    for (const Breaking& each : whole().breaking) {
        const bool hasDatabase =
            std::ranges::find(each.faults, "kill database-1") != each.faults.end();
        QVERIFY(!hasDatabase || each.faults.size() == 1);
        QVERIFY(std::ranges::find(each.faults, "zone_outage zone a") == each.faults.end());
    }
}

void SimExploreTest::everyFindIsAScenarioThatShowsIt()
{
    for (const Breaking& each : whole().breaking) {
        ScenarioResult again = parseScenario(toScenarioText(each.scenario));
        QVERIFY(again.problems.empty());
        RehearsalRequest request = requestFor(1).rehearsal;
        request.scenario = std::move(again.scenario);
        const Result<Rehearsal> rehearsal = rehearse(request);
        QVERIFY(rehearsal);
        QCOMPARE(rehearsal->verdict, Verdict::Fails);
        QVERIFY(!rehearsal->variants.front().asserts.front().holds);
        if (&each - whole().breaking.data() > 20) {
            break; // Enough to know.
        }
    }
}

void SimExploreTest::whatIsBrokenAnywayIsNamedAndLeftOut()
{
    const std::vector<std::string> expected = {"always: p50(frontend) < 1ms"};
    QCOMPARE(whole().brokenBefore, expected);
    for (const Breaking& each : whole().breaking) {
        QVERIFY(std::ranges::find(each.broken, expected.front()) == each.broken.end());
    }
}

void SimExploreTest::theBudgetEndsTheSearch()
{
    const Exploration found = explored(5);

    QCOMPARE(found.rehearsals, std::size_t{5});
    QVERIFY(!found.isComplete);
    QCOMPARE(found.pairs, std::size_t{0});
}

void SimExploreTest::theSearchRepeatsItself()
{
    QCOMPARE(toJson(explored(30)), toJson(explored(30)));
}

void SimExploreTest::aServiceThatNobodyReachesIsNotTried()
{
    for (const Breaking& each : whole().breaking) {
        for (const std::string& fault : each.faults) {
            QVERIFY(fault.find("attic") == std::string::npos);
        }
    }
}

void SimExploreTest::withoutAssertionsThereIsNothingToBreak()
{
    ExploreRequest request = requestFor(5);
    request.rehearsal.scenario.asserts.clear();
    const Result<Exploration> found = explore(request);

    QVERIFY(!found);
    QCOMPARE(found.error().code, ErrorCode::InvalidArgument);
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::SimExploreTest)
#include "sim_explore_test.moc"
