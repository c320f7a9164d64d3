// Goal: a rehearsal measures its windows, compares variants on the same luck, judges what the
// scenario demands, and is the same on any number of threads.
// Method: a mesh of three services; figures against what the load and the faults make them.
#include "simulator/report/rehearsal.h"

#include "simulator/report/json.h"
#include "simulator/report/junit.h"
#include "tests/support/small_shop.h"

#include <QTest>

#include <cmath>

namespace mesh::simulator {

using test::rehearsalOf;

class RehearsalTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyThreadCountGivesTheSameRehearsal();
    void theSeedDecides();
    void windowsHoldTheCallsThatStartedInThem();
    void withinLeavesOutTheFirstOfItsWindow();
    void littlesLawHoldsInEveryWindow();
    void replicationsGiveIntervalsAndHits();
    void comparisonsArePairedOnTheSameLuck();
    void anAblationSaysWhatAPolicyIsWorth();
    void aGuardStopsTheRun();
    void callsInProgressAtAStopAreCounted();
    void guardsDoNotCountTheWarmup();
    void guardsCountWholeSeconds();
    void aFailedAssertionFailsTheRehearsal();
    void theWorstReplicationCanBeReplayed();
    void theSlowestRequestsOfTheWorstRunAreFollowed();
    void reactionsAreTimedFromTheFault();
    void progressComesInOrder();
    void aCancelledRehearsalSaysSo();
    void everyReasonNotToRunIsNamed();
    void noPoliciesAreOneVariant();
    void loadBeyondWhatWasMeasuredIsSaid();
};

namespace {

Rehearsal rehearsed(RehearsalRequest request, unsigned threads = 1)
{
    request.threads = threads;
    auto result = rehearse(request);
    if (!result) {
        qFatal("%s", result.error().message.c_str());
    }
    return *std::move(result);
}

const RehearsalFigures& front(const Rehearsal& rehearsal, Window window)
{
    return rehearsal.variants.front().services.at(window).at("front");
}

constexpr const char* kKill = R"(
duration: 40s
warmup: 5s
replications: 4
policies: {baseline: {}, patient: {patch: {services: {cart: {resilience: {retry: null}}}}}}
ablate: [retry, outlier_detection]
timeline: [{at: 10s, for: 10s, fault: error, target: {instance: cart-1}, probability: 0.8}]
assert:
- {window: during, that: "success(front) >= 0.9"}
- {window: after, that: "p99(front) < 1s within 5s"}
- {compare: "patient vs baseline", that: "success(front) < 0"}
)";

} // namespace

void RehearsalTest::everyThreadCountGivesTheSameRehearsal()
{
    const Rehearsal one = rehearsed(rehearsalOf(kKill), 1);
    const Rehearsal three = rehearsed(rehearsalOf(kKill), 3);

    QVERIFY(one.eventHash != 0);
    QCOMPARE(three.eventHash, one.eventHash);
    QCOMPARE(QByteArray::fromStdString(toJson(three)), QByteArray::fromStdString(toJson(one)));
}

void RehearsalTest::theSeedDecides()
{
    const Rehearsal first = rehearsed(rehearsalOf("duration: 10s\nseed: 1"));
    const Rehearsal again = rehearsed(rehearsalOf("duration: 10s\nseed: 1"));
    const Rehearsal other = rehearsed(rehearsalOf("duration: 10s\nseed: 2"));

    QCOMPARE(again.eventHash, first.eventHash);
    QVERIFY(other.eventHash != first.eventHash);
}

void RehearsalTest::windowsHoldTheCallsThatStartedInThem()
{
    const Rehearsal rehearsal = rehearsed(rehearsalOf(R"(
duration: 60s
warmup: 10s
timeline:
- {at: 20s, for: 5s, fault: error, target: {service: front}, probability: 1}
- {at: 30s, for: 10s, fault: error, target: {service: front}, probability: 1}
)"));

    // Between the faults is neither before, during nor after.
    const auto calls = [&](Window window) { return front(rehearsal, window).calls; };
    QCOMPARE(front(rehearsal, Window::During).success, 0.0);
    QCOMPARE(front(rehearsal, Window::Before).success, 1.0);
    QCOMPARE(front(rehearsal, Window::After).success, 1.0);
    QVERIFY(calls(Window::Before) > 850 && calls(Window::Before) < 1150);
    QVERIFY(calls(Window::During) > 1350 && calls(Window::During) < 1650);
    QVERIFY(calls(Window::After) > 1800 && calls(Window::After) < 2200);
    const std::uint64_t between = calls(Window::Always) - calls(Window::Before)
                                  - calls(Window::During) - calls(Window::After);
    QVERIFY(between > 400 && between < 600);
    QVERIFY(std::abs(front(rehearsal, Window::Always).rps - 100.0) < 5.0);
}

void RehearsalTest::withinLeavesOutTheFirstOfItsWindow()
{
    const Rehearsal rehearsal = rehearsed(rehearsalOf(R"(
duration: 40s
timeline:
- {at: 10s, for: 5s, fault: error, target: {service: front}, probability: 1}
- {at: 15s, for: 10s, fault: latency, target: {service: front}, add: 1ms}
assert:
- {window: during, that: "success(front) >= 0.99"}
- {window: during, that: "success(front) >= 0.99 within 5s"}
)"));

    const std::vector<AssertionResult>& asserts = rehearsal.variants.front().asserts;
    QVERIFY(std::abs(asserts[0].value->value - 2.0 / 3.0) < 0.03);
    QVERIFY(!asserts[0].holds);
    QCOMPARE(asserts[1].value->value, 1.0);
    QVERIFY(asserts[1].holds);
}

void RehearsalTest::littlesLawHoldsInEveryWindow()
{
    const Rehearsal rehearsal = rehearsed(rehearsalOf("duration: 120s\nwarmup: 10s"));

    const RehearsalFigures& figures = front(rehearsal, Window::Always);
    const double little = figures.rps * figures.mean_ms / 1000.0;
    QVERIFY(std::abs(figures.inflight - little) < 0.02 * little);
    QVERIFY(figures.utilization.has_value());
    QVERIFY(std::abs(*figures.utilization - 100.0 * 0.002 / 32.0) < 0.001);
    QCOMPARE(figures.amplification, 1.0);
}

void RehearsalTest::replicationsGiveIntervalsAndHits()
{
    const Rehearsal one =
        rehearsed(rehearsalOf("duration: 10s\nassert: [{window: always, that: \"p50(front) < 1s\"}]"
        ));
    const Rehearsal many = rehearsed(rehearsalOf("duration: 10s\nreplications: 8\n"
                                                 "assert:\n"
                                                 "- {window: always, that: \"p50(front) < 1s\"}\n"
                                                 "- {window: always, that: \"rps(front) > 100\"}"));

    QVERIFY(!one.variants.front().asserts[0].value->interval.has_value());
    const AssertionResult& median = many.variants.front().asserts[0];
    QVERIFY(median.value->interval->first < median.value->value);
    QVERIFY(median.value->interval->second > median.value->value);
    QCOMPARE(median.hit, 8);
    const int above = many.variants.front().asserts[1].hit;
    QVERIFY(above > 0 && above < 8);
}

void RehearsalTest::comparisonsArePairedOnTheSameLuck()
{
    const Rehearsal rehearsal = rehearsed(rehearsalOf(R"(
duration: 30s
replications: 5
policies:
  a: {}
  same: {patch: {services: {front: {retries: 3}}}}
  slow: {patch: {models: {store: {service_time: {mean: 9ms}}}}}
assert:
- {compare: "same vs a", that: "p99(front) <= 0"}
- {compare: "slow vs a", that: "mean(front) > 5ms"}
)"));

    // A policy that is never needed changes nothing, to the last bit.
    const AssertionResult& same = rehearsal.comparisons[0];
    QCOMPARE(same.value->value, 0.0);
    QCOMPARE(same.value->interval->second, 0.0);
    QVERIFY(same.holds);
    // The store's time is 6 ms longer, and its queue with it. Luck is common: the interval is
    // narrow.
    const AssertionResult& slow = rehearsal.comparisons[1];
    QVERIFY(slow.value->value > 6.0 && slow.value->value < 9.0);
    QVERIFY(slow.value->interval->second - slow.value->interval->first < 2.0);
    QCOMPARE(slow.hit, 5);
}

void RehearsalTest::anAblationSaysWhatAPolicyIsWorth()
{
    const Rehearsal rehearsal = rehearsed(rehearsalOf(kKill));

    QCOMPARE(rehearsal.ablation.size(), std::size_t{3});
    const AblationRow& retry = rehearsal.ablation[0];
    QCOMPARE(retry.policy, std::string("retry"));
    QVERIFY(retry.success.value > 0.0);
    QVERIFY(retry.success.interval.has_value());
    QCOMPARE(retry.amplification.at("cart"), 1.0);
    QCOMPARE(rehearsal.ablation[1].policy, std::string("outlier_detection"));
    QCOMPARE(rehearsal.ablation[2].policy, std::string("all"));
    QVERIFY(rehearsal.ablation[2].success.value >= retry.success.value);
}

void RehearsalTest::aGuardStopsTheRun()
{
    const Rehearsal rehearsal = rehearsed(rehearsalOf(R"(
duration: 60s
timeline: [{at: 10s, fault: error, target: {service: front}, probability: 1}]
guards: [{abort_if: "success(front) < 0.5 for 5s"}]
assert: [{window: always, that: "success(front) >= 0"}]
)"));

    QCOMPARE(static_cast<int>(rehearsal.verdict), static_cast<int>(Verdict::Stopped));
    QCOMPARE(*rehearsal.stoppedBy, std::string("success(front) < 0.5 for 5s"));
    const RunRecord& record = rehearsal.variants.front().record;
    QVERIFY(!record.markers.empty());
    const auto stopped =
        std::ranges::find(record.markers, RunMarker::Kind::GuardStopped, &RunMarker::kind);
    QVERIFY(stopped != record.markers.end());
    QVERIFY(stopped->at == Duration(std::chrono::seconds(15)));
    // Figures are of the time that was.
    QVERIFY(std::abs(front(rehearsal, Window::Always).rps - 100.0) < 10.0);
}

// Everything hangs: nothing of it may vanish because somebody stopped looking. A fault after the
// stop never comes.
void RehearsalTest::callsInProgressAtAStopAreCounted()
{
    const Rehearsal rehearsal = rehearsed(rehearsalOf(R"(
duration: 120s
timeline:
- {at: 10s, for: 20s, fault: freeze, target: {service: front}}
- {at: 25s, for: 5s, fault: kill, target: {service: front}}
guards: [{abort_if: "success(front) < 0.5 for 5s"}]
)"));

    QCOMPARE(static_cast<int>(rehearsal.verdict), static_cast<int>(Verdict::Stopped));
    const RunRecord& record = rehearsal.variants.front().record;
    const auto began =
        std::ranges::count(record.markers, RunMarker::Kind::FaultBegan, &RunMarker::kind);
    QCOMPARE(began, std::ptrdiff_t{1});
    const RehearsalFigures during = front(rehearsal, Window::During);
    QVERIFY(std::abs(during.rps - 100.0) < 15.0);
    QVERIFY2(during.p50_ms > 10'000.0, std::to_string(during.p50_ms).c_str()); // Until it thawed.
    // Of the five seconds alone: it grows from nothing to 500.
    QVERIFY2(std::abs(during.inflight - 250.0) < 50.0, std::to_string(during.inflight).c_str());
    QVERIFY(during.utilization <= 1.0);
    const RehearsalFigures always = front(rehearsal, Window::Always);
    QCOMPARE(always.calls, front(rehearsal, Window::Before).calls + during.calls);
}

// A mesh that has to warm up first is not stopped for it.
void RehearsalTest::guardsDoNotCountTheWarmup()
{
    constexpr const char* kFailsEarly = R"(
duration: 20s
timeline: [{at: 0s, for: 8s, fault: error, target: {service: front}, probability: 1}]
guards: [{abort_if: "success(front) < 0.5 for 5s"}]
)";
    const auto verdictWith = [&](const char* warmup) {
        return static_cast<int>(rehearsed(rehearsalOf(std::string(warmup) + kFailsEarly)).verdict);
    };

    QCOMPARE(verdictWith(""), static_cast<int>(Verdict::Stopped));
    QCOMPARE(verdictWith("warmup: 3s\n"), static_cast<int>(Verdict::Stopped));
    QCOMPARE(verdictWith("warmup: 3500ms\n"), static_cast<int>(Verdict::Holds));
}

void RehearsalTest::guardsCountWholeSeconds()
{
    const Rehearsal rehearsal = rehearsed(rehearsalOf(R"(
duration: 40s
timeline:
- {at: 10s, for: 4s, fault: error, target: {service: front}, probability: 1}
- {at: 16s, for: 4s, fault: error, target: {service: front}, probability: 1}
guards: [{abort_if: "success(front) < 0.5 for 5s"}]
)"));

    QCOMPARE(static_cast<int>(rehearsal.verdict), static_cast<int>(Verdict::Holds));
    QVERIFY(!rehearsal.stoppedBy.has_value());
}

void RehearsalTest::aFailedAssertionFailsTheRehearsal()
{
    const Rehearsal rehearsal = rehearsed(rehearsalOf(R"(
duration: 20s
policies: {good: {}, bad: {patch: {models: {front: {error_rate: 0.5}}}}}
assert:
- {window: always, that: "success(front) >= 0.9"}
)"));
    RehearsalRequest request = rehearsalOf(R"(
duration: 20s
assert:
- {window: always, that: "success(front) >= 0.9"}
- {window: always, that: "success(gateway->store) >= 0.9"}
)");
    request.scenario.load.push_back({"store", Arrivals::Poisson, {{Duration::zero(), 0.0}}});
    const Rehearsal fails = rehearsed(request);

    // The verdict is that of the first variant.
    QCOMPARE(static_cast<int>(rehearsal.verdict), static_cast<int>(Verdict::Holds));
    QVERIFY(!rehearsal.variants[1].asserts[0].holds);
    // Nobody called along this edge: nothing was measured, and so nothing holds.
    QCOMPARE(static_cast<int>(fails.verdict), static_cast<int>(Verdict::Fails));
    QVERIFY(!fails.variants[0].asserts[1].value.has_value());
    QVERIFY(toJunit(fails).find("failures=\"1\"") != std::string::npos);
    QVERIFY(toJunit(fails).find("success(gateway-&gt;store)") != std::string::npos);
}

void RehearsalTest::theWorstReplicationCanBeReplayed()
{
    const RehearsalRequest request = rehearsalOf(kKill);
    const Rehearsal rehearsal = rehearsed(request);
    const VariantResult& variant = rehearsal.variants[1];

    const auto record = replay(request, "patient", variant.worst);

    QVERIFY(record.has_value());
    QCOMPARE(record->markers.size(), variant.record.markers.size());
    QCOMPARE(record->edges.size(), variant.record.edges.size());
    for (std::size_t at = 0; at < record->edges.size(); ++at) {
        const std::vector<RunSecond>& again = record->edges[at].seconds;
        const std::vector<RunSecond>& first = variant.record.edges[at].seconds;
        QCOMPARE(again.size(), first.size());
        for (std::size_t second = 0; second < again.size(); ++second) {
            QCOMPARE(again[second].succeeded, first[second].succeeded);
            QCOMPARE(again[second].durations, first[second].durations);
        }
    }
    QVERIFY(!replay(request, "nobody", 0).has_value());
    QVERIFY(replay(request, "patient", 4).error().code == ErrorCode::NotFound);
}

void RehearsalTest::theSlowestRequestsOfTheWorstRunAreFollowed()
{
    RehearsalRequest request = rehearsalOf(kKill);
    request.waterfalls = 5;
    const Rehearsal followed = rehearsed(request, 2);
    const Rehearsal bare = rehearsed(rehearsalOf(kKill));

    QCOMPARE(followed.eventHash, bare.eventHash);
    for (const VariantResult& variant : followed.variants) {
        QCOMPARE(variant.slowest.size(), std::size_t{5});
        for (const TracedRequest& traced : variant.slowest) {
            // While the fault lasts.
            QVERIFY(traced.at >= std::chrono::seconds(10) && traced.at < std::chrono::seconds(20));
            QCOMPARE(traced.steps.front().name, std::string("gateway->front"));
        }
    }
    QVERIFY(bare.variants.front().slowest.empty());
    QVERIFY(toJson(followed).find("\"waterfalls\"") != std::string::npos);
}

void RehearsalTest::reactionsAreTimedFromTheFault()
{
    const Rehearsal rehearsal = rehearsed(rehearsalOf(R"(
duration: 90s
replications: 3
timeline: [{at: 10s, for: 40s, fault: error, target: {instance: cart-1}, probability: 1}]
policies: {ejects: {patch: {services: {cart: {resilience: {retry: null}}}}}}
)"));

    const Reaction& reaction = rehearsal.variants.front().reaction;
    QVERIFY(reaction.detected.has_value());
    QVERIFY(*reaction.detected > Duration::zero() && *reaction.detected < std::chrono::seconds(5));
    QVERIFY(reaction.recovered.has_value());
    QVERIFY(*reaction.recovered <= std::chrono::seconds(2));
    QVERIFY(reaction.failedShare > 0.0);
    const std::vector<std::string> hurt = {"cart", "front"};
    QCOMPARE(reaction.hurt, hurt);
}

void RehearsalTest::progressComesInOrder()
{
    RehearsalRequest request = rehearsalOf("duration: 20s\nreplications: 4");
    std::vector<std::size_t> done;
    std::size_t seconds = 0;
    request.onProgress = [&](const RehearsalProgress& progress) {
        QCOMPARE(progress.runsAll, std::size_t{4});
        done.push_back(progress.runsDone);
        if (!progress.preview.empty()) {
            QCOMPARE(progress.preview.front().name, std::string("front"));
            seconds = progress.preview.front().seconds.size();
        }
    };

    const Rehearsal rehearsal = rehearsed(std::move(request), 2);

    QVERIFY(std::ranges::is_sorted(done));
    QCOMPARE(done.back(), std::size_t{4});
    QVERIFY(seconds >= 20);
}

void RehearsalTest::aCancelledRehearsalSaysSo()
{
    std::atomic<bool> cancelled = false;
    RehearsalRequest request = rehearsalOf("duration: 20s\nreplications: 4");
    request.cancelled = &cancelled;
    request.onProgress = [&](const RehearsalProgress&) { cancelled = true; };

    const auto result = rehearse(request);

    QVERIFY(!result.has_value());
    QVERIFY(result.error().code == ErrorCode::Cancelled);
}

void RehearsalTest::everyReasonNotToRunIsNamed()
{
    RehearsalRequest request = rehearsalOf(R"(
duration: 30s
policies: {a: {}, b: {patch: {services: {crt: {retries: 1}}}}}
timeline: [{at: 10s, fault: kill, target: {service: nobody}}]
guards: [{abort_if: "success(nothing) < 1"}]
assert:
- {window: after, that: "success(front) > 0"}
- {window: during, that: "success(front) > 0 within 20s"}
- {window: during, that: "utilization(front->cart) < 1"}
- {window: during, that: "success(front) > 0"}
)");
    request.scenario.load.push_back({"absent", Arrivals::Poisson, {{Duration::zero(), 1.0}}});

    QStringList said;
    for (const Error& error : checkRehearsal(request)) {
        said << QString::fromStdString(error.message).section(QLatin1Char(' '), 0, 0);
        QVERIFY(!std::holds_alternative<std::monostate>(error.place));
    }
    said.sort();
    const QStringList expected = {
        QStringLiteral("assert[0].window:"),
        QStringLiteral("assert[1].that:"),
        QStringLiteral("assert[2].that:"),
        QStringLiteral("guards[0].abort_if:"),
        QStringLiteral("load[1]:"),
        QStringLiteral("policies.b.patch.services.crt:"),
        QStringLiteral("timeline[0]"),
    };
    QCOMPARE(said, expected);
    QVERIFY(!rehearse(request).has_value());

    RehearsalRequest endless = rehearsalOf("warmup: 0s");
    endless.scenario.load.clear();
    QCOMPARE(checkRehearsal(endless).size(), std::size_t{2});
}

void RehearsalTest::noPoliciesAreOneVariant()
{
    const Rehearsal rehearsal = rehearsed(rehearsalOf("duration: 5s"));

    QCOMPARE(rehearsal.variants.size(), std::size_t{1});
    QCOMPARE(rehearsal.variants.front().name, std::string("baseline"));
    QCOMPARE(rehearsal.entries, std::vector<std::string>{"front"});
}

void RehearsalTest::loadBeyondWhatWasMeasuredIsSaid()
{
    RehearsalRequest request = rehearsalOf("duration: 20s");
    request.calibrated = {{"store", 60.0}, {"cart", 60.0}, {"front", 200.0}};

    const Rehearsal beyond = rehearsed(request);
    request.calibrated = {{"store", 100.0}, {"front", 100.0}};
    const Rehearsal within = rehearsed(request);

    QCOMPARE(static_cast<int>(beyond.verdict), static_cast<int>(Verdict::NotCalibrated));
    const std::vector<std::string> services = {"cart", "store"};
    QCOMPARE(beyond.trust.beyond, services);
    QCOMPARE(static_cast<int>(within.verdict), static_cast<int>(Verdict::Holds));
    QVERIFY(within.trust.isCalibrated && within.trust.beyond.empty());
    QVERIFY(!rehearsed(rehearsalOf("duration: 5s")).trust.isCalibrated);
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::RehearsalTest)
#include "rehearsal_test.moc"
