#include "simulator/live/live_rehearsal.h"

#include "proxyengine/base/clock.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/proxy/local_engine.h"
#include "simulator/live/live_twin.h"
#include "simulator/live/proxy_cost.h"
#include "simulator/scenario/condition.h"

#include <QTest>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

// Goal: a scenario played with real servers and proxies gives the figures of the report, in their
//       windows, and refuses what it cannot play.
// Method: a document without nodes and workloads, real engines, a few seconds; counts are compared
//         with what was asked for, never times with a clock.
namespace mesh::simulator {

using namespace std::chrono_literals;

namespace {

constexpr const char* kShop = R"(
_format_version: "3.0"
services:
- {name: front, host: front, retries: 0}
- name: stock
  host: stock
  resilience: {retry: {on: [5xx], attempts: 2, backoff: {base: 1ms, max: 2ms}}}
models:
- service: front
  concurrency: 50
  service_time: {dist: const, mean: 1ms}
  script: [{call: stock}]
- service: stock
  instances: 2
  zones: [a, b]
  concurrency: 50
  service_time: {dist: const, mean: 2ms}
)";

constexpr const char* kTwice = R"(
_format_version: "3.0"
services:
- {name: front, host: front, retries: 0}
- name: stock
  host: stock
  resilience:
    retry: {on: [connect-failure, reset, 5xx], attempts: 3, backoff: {base: 1ms, max: 2ms}}
models:
- service: front
  concurrency: 50
  service_time: {dist: const, mean: 1ms}
  script: [{call: stock}]
- service: stock
  instances: 2
  concurrency: 50
  service_time: {dist: const, mean: 2ms}
)";

constexpr const char* kTwoZones = R"(
_format_version: "3.0"
services:
- {name: front, host: front, retries: 0}
- name: stock
  host: stock
  connect_timeout: 150
  read_timeout: 150
  resilience:
    retry: {on: [connect-failure, reset], attempts: 3, backoff: {base: 1ms, max: 2ms}}
upstreams:
- name: stock
  healthchecks:
    active:
      type: http
      http_path: /ready
      timeout: 0.3
      healthy: {interval: 0.3, successes: 1}
      unhealthy: {interval: 0.3, http_failures: 2, timeouts: 2, tcp_failures: 2}
models:
- service: front
  concurrency: 50
  zones: [a]
  service_time: {dist: const, mean: 1ms}
  script: [{call: stock}]
- service: stock
  instances: 2
  zones: [a, b]
  concurrency: 50
  service_time: {dist: const, mean: 2ms}
)";

LiveRehearsalRequest requestFor(const Clock& clock, const std::string& text)
{
    LiveRehearsalRequest request;
    const config::DecodeResult decoded = config::decode(text);
    for (const config::Problem& problem : decoded.problems) {
        if (problem.severity == config::Severity::Error) {
            qFatal("%s", config::toText(problem, "shop").c_str());
        }
    }
    request.document = std::make_shared<const model::Document>(decoded.document);
    request.clock = &clock;
    request.engineFactory = [](const api::EngineOptions& options,
                               const std::shared_ptr<const model::Document>&) {
        return proxy::makeLocalEngine(options);
    };
    request.scenario.name = "test";
    request.scenario.duration = 4s;
    request.scenario.warmup = 500ms;
    request.scenario.load = {{"front", Arrivals::Uniform, {{0s, 100.0}}}};
    return request;
}

// Tries of front at stock beyond the first of each call, in these seconds.
std::uint32_t extraAttempts(const LiveRehearsal& live, std::size_t from, std::size_t to)
{
    const auto& edges = live.figures.record.edges;
    const auto series = std::ranges::find(edges, "front->stock", &RunSeries::name);
    std::uint32_t extra = 0;
    for (std::size_t at = from; at < std::min(to, series->seconds.size()); ++at) {
        const RunSecond& second = series->seconds[at];
        extra += second.attempts - std::min(second.attempts, second.succeeded + second.failed);
    }
    return extra;
}

Fault errorOf(const char* instance, Duration at, Duration length)
{
    Fault fault;
    fault.kind = FaultKind::Error;
    fault.at = at;
    fault.length = length;
    fault.target.instance = instance;
    return fault;
}

} // namespace

class LiveRehearsalTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void countsEveryCallInItsWindow();
    void refusesWhatItCannotPlay();
    void canBeCancelled();
    void measuresWhatProxiesCost();
    void bothWorldsAreCompared();
    void aGuardEndsTheLoad();
    void callersInAStormRepeatAsOften();
    void zonesThatDoNotReachEachOther();
    void aNarrowLineDelaysItsCallersAlone();
    void anExpiredCertificateMattersToNewConnections();
    void newsOfEndpointsComeLate();

private:
    SystemClock m_clock;
};

// Calls that meet the failing instance first are repeated at the other: by turns that can be all.
void LiveRehearsalTest::countsEveryCallInItsWindow()
{
    LiveRehearsalRequest request = requestFor(m_clock, kShop);
    request.scenario.timeline = {errorOf("stock-2", 2s, 1s)};
    int told = 0;
    request.onProgress = [&told](const LiveProgress& progress) {
        told += progress.length == Duration(4s) ? 1 : 0;
    };

    const auto live = rehearseLive(request);
    QVERIFY2(live.has_value(), live ? "" : toText(live.error()).c_str());

    const VariantResult& found = live->figures;
    QVERIFY(told > 4);
    QCOMPARE(live->entries, std::vector<std::string>{"front"});
    QCOMPARE(live->faults.front().instances, std::vector<std::string>{"stock-2"});
    const RehearsalFigures& always = found.services.at(Window::Always).at("front");
    // Every request that was due has been sent and counted; at the edge one may fall either way.
    QVERIFY2(always.calls >= 348 && always.calls <= 351, qPrintable(QString::number(always.calls)));
    QVERIFY(always.success > 0.9);
    QVERIFY(always.p50_ms >= 3.0);
    QVERIFY(always.utilization && *always.utilization > 0.0);
    QVERIFY(always.inflight > 0.0);
    QCOMPARE(found.edges.at(Window::Always).at("gateway->front").calls, always.calls);
    const RehearsalFigures& before = found.edges.at(Window::Before).at("front->stock");
    const RehearsalFigures& during = found.edges.at(Window::During).at("front->stock");
    QCOMPARE(before.success, 1.0);
    // Proxies tell retries once a second: some of the fault's first may fall before it.
    QVERIFY(before.amplification >= 1.0 && before.amplification < during.amplification);
    QVERIFY2(
        during.amplification > 1.1 && during.amplification < 2.3,
        qPrintable(QString::number(during.amplification))
    );
    QVERIFY(found.services.at(Window::After).contains("stock"));

    const auto began =
        std::ranges::count(found.record.markers, RunMarker::Kind::FaultBegan, &RunMarker::kind);
    QCOMPARE(began, 1);
    std::uint64_t begun = 0;
    const auto series = std::ranges::find(found.series, "front", &RunSeries::name);
    QVERIFY(series != found.series.end());
    for (const RunSecond& second : series->seconds) {
        begun += second.begun;
    }
    QVERIFY(begun >= 398 && begun <= 400);
    QVERIFY(live->processorsUsed > 0.0);
}

void LiveRehearsalTest::refusesWhatItCannotPlay()
{
    LiveRehearsalRequest request = requestFor(m_clock, kShop);
    Fault narrow = errorOf("stock-1", 1s, 1s);
    narrow.kind = FaultKind::Bandwidth;
    narrow.probability = 0.5;
    request.scenario.timeline = {narrow};

    const auto refused = rehearseLive(request);

    QVERIFY(!refused);
    QCOMPARE(refused.error().code, ErrorCode::Unsupported);
    QVERIFY(refused.error().message.find("bandwidth") != std::string::npos);
    request.scenario.duration.reset();
    request.scenario.load.front().entry = "nobody";
    QCOMPARE(checkLive(request).size(), std::size_t{3});
}

void LiveRehearsalTest::canBeCancelled()
{
    std::atomic<bool> cancelled{false};
    LiveRehearsalRequest request = requestFor(m_clock, kShop);
    request.scenario.duration = 1h;
    request.cancelled = &cancelled;
    request.onProgress = [&cancelled](const LiveProgress&) { cancelled = true; };

    const auto stopped = rehearseLive(request);

    QVERIFY(!stopped);
    QCOMPARE(stopped.error().code, ErrorCode::Cancelled);
}

// Two proxies, two connections and a server take time, but not that of the service.
void LiveRehearsalTest::measuresWhatProxiesCost()
{
    const LiveRehearsalRequest request = requestFor(m_clock, kShop);

    const auto cost = measureProxyCost(request, 1s);

    QVERIFY2(cost.has_value(), cost ? "" : toText(cost.error()).c_str());
    QCOMPARE(cost->kind, model::DurationLaw::Kind::Quantiles);
    QVERIFY(cost->mean > Duration::zero());
    QVERIFY(std::ranges::is_sorted(cost->quantiles));
    QCOMPARE(cost->quantiles.front().first, 0.0);
    QCOMPARE(cost->quantiles.back().first, 1.0);
}

// The prediction knows what proxies cost, the report what it is worth; assertions are judged on
// both.
void LiveRehearsalTest::bothWorldsAreCompared()
{
    const LiveRehearsalRequest live = requestFor(m_clock, kShop);
    TwinRequest request;
    request.rehearsal.scenario = live.scenario;
    request.rehearsal.scenario.duration = 2s;
    const auto assertion = parseCondition("success(front) >= 0.5");
    QVERIFY(assertion.has_value());
    request.rehearsal.scenario.asserts.push_back(
        {"success(front) >= 0.5", assertion->condition, "always", {}, {}, {}}
    );
    request.rehearsal.document = live.document;
    request.engineFactory = live.engineFactory;
    request.clock = &m_clock;

    const auto both = rehearseWithTwin(request);

    QVERIFY2(both.has_value(), both ? "" : toText(both.error()).c_str());
    QVERIFY(both->live.has_value());
    // A machine that was too busy to say what the prediction is worth says that instead.
    const bool isBusy = std::ranges::any_of(both->trust.liveNotes, [](const std::string& note) {
        return note.starts_with("this machine was the bottleneck");
    });
    const Trust& trust = both->trust;
    QCOMPARE(trust.successError && trust.p50Error && trust.p99Error, !isBusy);
    QVERIFY(!trust.liveNotes.empty());
    QVERIFY(both->scenario.network.proxy.has_value());
    QCOMPARE(both->verdict, Verdict::Holds);
    QVERIFY(both->variants.front().asserts.front().holds);
    QVERIFY(both->live->asserts.front().holds);

    request.mode = TwinMode::Live;
    const auto alone = rehearseWithTwin(request);
    QVERIFY(alone.has_value());
    QCOMPARE(alone->variants.front().name, std::string("live"));
    QCOMPARE(alone->verdict, Verdict::Holds);
    QVERIFY(!alone->live.has_value());
}

// It is over long before its time: what was sent is counted, the second fault never comes, and
// nobody compares half a run with a whole one.
void LiveRehearsalTest::aGuardEndsTheLoad()
{
    LiveRehearsalRequest request = requestFor(m_clock, kShop);
    request.scenario.duration = 90s;
    request.scenario.timeline = {errorOf("front-1", 2s, 40s), errorOf("stock-1", 80s, 5s)};
    Guard guard;
    guard.text = "success(front) < 0.5 for 2s";
    guard.condition = parseCondition(guard.text)->condition;
    guard.length = 2s;
    request.scenario.guards = {guard};
    Assertion fails;
    fails.text = "success(front) > 1";
    fails.window = "always";
    fails.condition = parseCondition(fails.text)->condition;
    request.scenario.asserts = {fails};

    const auto live = rehearseLive(request);
    QVERIFY2(live.has_value(), live ? "" : toText(live.error()).c_str());

    QCOMPARE(live->stoppedBy, std::optional<std::string>(guard.text));
    QVERIFY(!live->isComparable);
    QVERIFY(live->notes.front().starts_with("the guard \"success(front) < 0.5 for 2s\" ended"));
    const std::vector<RunMarker>& markers = live->figures.record.markers;
    QCOMPARE(std::ranges::count(markers, RunMarker::Kind::FaultBegan, &RunMarker::kind), 1);
    const auto stopped =
        std::ranges::find(markers, RunMarker::Kind::GuardStopped, &RunMarker::kind);
    QVERIFY(stopped != markers.end());
    QVERIFY(stopped->at >= 4s && stopped->at < 90s);
    const RehearsalFigures& during = live->figures.services.at(Window::During).at("front");
    QVERIFY(during.calls >= 100 && during.success < 0.2);
    // Of the two seconds that were, not of forty.
    QVERIFY2(std::abs(during.rps - 100.0) < 50.0, qPrintable(QString::number(during.rps)));
    QCOMPARE(live->figures.services.at(Window::After).at("front").calls, std::uint64_t{0});
}

// Everything fails: two tries a call by the policy, five while the storm lasts.
void LiveRehearsalTest::callersInAStormRepeatAsOften()
{
    LiveRehearsalRequest request = requestFor(m_clock, kShop);
    request.scenario.duration = 8s;
    request.scenario.load = {{"front", Arrivals::Uniform, {{0s, 40.0}}}};
    Fault fails = errorOf("", 0s, 8s);
    fails.target = {};
    fails.target.service = "stock";
    Fault storm = fails;
    storm.kind = FaultKind::RetryStorm;
    storm.at = 3s;
    storm.length = 3s;
    storm.attempts = 5;
    request.scenario.timeline = {fails, storm};

    const auto live = rehearseLive(request);
    QVERIFY2(live.has_value(), live ? "" : toText(live.error()).c_str());

    const auto series =
        std::ranges::find(live->figures.record.edges, "front->stock", &RunSeries::name);
    QVERIFY(series != live->figures.record.edges.end());
    const auto amplification = [&series](std::size_t from, std::size_t to) {
        double attempts = 0.0;
        double calls = 0.0;
        for (std::size_t at = from; at < std::min(to, series->seconds.size()); ++at) {
            attempts += series->seconds[at].attempts;
            calls += series->seconds[at].succeeded + series->seconds[at].failed;
        }
        return calls > 0.0 ? attempts / calls : 0.0;
    };
    const double before = amplification(0, 2);
    const double during = amplification(4, 5);
    QVERIFY2(before > 1.5 && before < 2.5, qPrintable(QString::number(before)));
    QVERIFY2(during > 3.5 && during < 6.5, qPrintable(QString::number(during)));
    QVERIFY(amplification(7, 8) < 3.0);
}

// Calls from zone a to zone b find no way: each is repeated in its own zone, and the caller's
// probes find that they reach one instance of two.
void LiveRehearsalTest::zonesThatDoNotReachEachOther()
{
    LiveRehearsalRequest request = requestFor(m_clock, kTwoZones);
    request.scenario.duration = 9s;
    request.scenario.load = {{"front", Arrivals::Uniform, {{0s, 40.0}}}};
    Fault partition;
    partition.kind = FaultKind::Partition;
    partition.at = 2s;
    partition.length = 4s;
    partition.target.between = {"a", "b"};
    request.scenario.timeline = {partition};

    const auto live = rehearseLive(request);
    QVERIFY2(live.has_value(), live ? "" : toText(live.error()).c_str());

    const auto& edges = live->figures.edges;
    QVERIFY(edges.at(Window::Before).at("front->stock").success > 0.99);
    const RehearsalFigures& during = edges.at(Window::During).at("front->stock");
    QVERIFY2(during.amplification > 1.02, qPrintable(QString::number(during.amplification)));
    QVERIFY(during.success > 0.9);
    const std::vector<RunMarker>& markers = live->figures.record.markers;
    const auto failed = std::ranges::find(markers, RunMarker::Kind::CheckFailed, &RunMarker::kind);
    QVERIFY(failed != markers.end());
    QCOMPARE(failed->instance, std::string("stock-2"));
    QCOMPARE(failed->caller, std::string("front"));
    QVERIFY(failed->at > 2s);
    const auto passed = std::ranges::find(markers, RunMarker::Kind::CheckPassed, &RunMarker::kind);
    QVERIFY(passed != markers.end() && passed->at >= 6s);
    QCOMPARE(live->faults.front().instances.size(), std::size_t{3});
}

// 1 500 bytes there and as many back, at 60 000 bytes a second.
void LiveRehearsalTest::aNarrowLineDelaysItsCallersAlone()
{
    LiveRehearsalRequest request = requestFor(m_clock, kShop);
    request.scenario.duration = 6s;
    request.scenario.load = {{"front", Arrivals::Uniform, {{0s, 10.0}}}};
    Fault narrow;
    narrow.kind = FaultKind::Bandwidth;
    narrow.at = 3s;
    narrow.bytesPerSecond = 60'000.0;
    narrow.target.edge = {"front", "stock"};
    request.scenario.timeline = {narrow};

    const auto live = rehearseLive(request);
    QVERIFY2(live.has_value(), live ? "" : toText(live.error()).c_str());

    const auto& edges = live->figures.edges;
    const RehearsalFigures& during = edges.at(Window::During).at("front->stock");
    // Messages are some 1 500 bytes, not exactly as many.
    QVERIFY2(during.p50_ms > 2 + 2 * 22, qPrintable(QString::number(during.p50_ms)));
    QVERIFY(edges.at(Window::Before).at("front->stock").p50_ms < during.p50_ms);
    QCOMPARE(during.success, 1.0);
}

// Connections that stand go on; once the instance has been restarted, none is made until the
// certificate is renewed.
void LiveRehearsalTest::anExpiredCertificateMattersToNewConnections()
{
    LiveRehearsalRequest request = requestFor(m_clock, kTwice);
    request.scenario.duration = 13s;
    request.scenario.load = {{"front", Arrivals::Uniform, {{0s, 40.0}}}};
    Fault expiry = errorOf("stock-2", 1s, 9s);
    expiry.kind = FaultKind::CertExpiry;
    Fault kill = errorOf("stock-2", 4s, 1s);
    kill.kind = FaultKind::Kill;
    request.scenario.timeline = {expiry, kill};

    const auto live = rehearseLive(request);
    QVERIFY2(live.has_value(), live ? "" : toText(live.error()).c_str());

    // A second is left out on each side, because proxies tell retries once a second.
    QCOMPARE(extraAttempts(*live, 1, 3), 0U);
    QVERIFY(extraAttempts(*live, 6, 9) > 0U);
    QCOMPARE(extraAttempts(*live, 12, 13), 0U);
    const RehearsalFigures& always = live->figures.services.at(Window::Always).at("front");
    QVERIFY(always.success > 0.95);
}

// The caller's probes find the dead instance within a second. What they know takes four more to
// reach balancing.
void LiveRehearsalTest::newsOfEndpointsComeLate()
{
    LiveRehearsalRequest request = requestFor(m_clock, kTwoZones);
    request.scenario.duration = 9s;
    request.scenario.load = {{"front", Arrivals::Uniform, {{0s, 40.0}}}};
    Fault kill = errorOf("stock-2", 2s, 6s);
    kill.kind = FaultKind::Freeze;
    request.scenario.timeline = {kill};
    const auto atOnce = rehearseLive(request);
    QVERIFY2(atOnce.has_value(), atOnce ? "" : toText(atOnce.error()).c_str());

    Fault stale = errorOf("", 0s, 9s);
    stale.target = {};
    stale.target.service = "stock";
    stale.kind = FaultKind::StaleEndpoints;
    stale.by = 4s;
    request.scenario.timeline = {kill, stale};
    const auto late = rehearseLive(request);
    QVERIFY2(late.has_value(), late ? "" : toText(late.error()).c_str());

    // Both are checked the same way and know it as soon.
    for (const auto& live : {*atOnce, *late}) {
        const auto& markers = live.figures.record.markers;
        const auto failed =
            std::ranges::find(markers, RunMarker::Kind::CheckFailed, &RunMarker::kind);
        QVERIFY(failed != markers.end() && failed->at < 6s);
    }
    QCOMPARE(extraAttempts(*atOnce, 5, 6), 0U);
    QVERIFY(extraAttempts(*late, 4, 6) > 0U);
}

} // namespace mesh::simulator

QTEST_GUILESS_MAIN(mesh::simulator::LiveRehearsalTest)
#include "live_rehearsal_test.moc"
