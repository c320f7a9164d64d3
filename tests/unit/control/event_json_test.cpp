// Goal: an event that travels as a line comes back equal, and a slow reader is told what it missed.
// Method: every kind through the codec; a small queue that overflows.
#include "proxyengine/control/event_json.h"

#include "proxyengine/control/event_queue.h"

#include <QTest>

#include <nlohmann/json.hpp>

namespace mesh::control {

class EventJsonTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void framesComeBackExactly();
    void accessEventsHaveTheDocumentedFields();
    void detailsOfAccessComeBack();
    void headersOfATapAreNames();
    void stateComesBack();
    void brokenLinesAreErrors_data();
    void brokenLinesAreErrors();
    void kindsFilterAndUnknownKindsAreRefused();
    void aFullQueueDropsTheOldestAndSaysSo();
};

static WallTime at(std::int64_t microseconds) { return WallTime(WallTime::duration(microseconds)); }

static telemetry::TargetHealth health()
{
    telemetry::TargetHealth health;
    health.upstream = "cart";
    health.target = "127.0.0.1:9";
    health.workload = "cart-1";
    health.weight = 100;
    health.state = telemetry::TargetState::Unhealthy;
    health.reason = "3 connection failures in a row";
    health.since = at(1'000'001);
    return health;
}

void EventJsonTest::framesComeBackExactly()
{
    telemetry::StatsFrame frame;
    frame.node = "edge-1";
    frame.time = at(1'773'479'643'128'001);
    frame.interval = std::chrono::seconds(1);
    frame.sequence = 7;
    frame.hash = std::string(64, 'a');
    frame.accepted = 3;
    frame.cpu = std::chrono::milliseconds(12);
    frame.memory = 57U << 20U;
    telemetry::TargetHealth ejected = health();
    ejected.isEjected = true;
    ejected.ejectedUntil = at(1'773'479'673'000'000);
    ejected.suppressed = "would be ejected for 5 consecutive 5xx";
    ejected.zone = "a";
    ejected.version = "v2";
    frame.health = {health(), ejected};
    frame.policy = {
        {"ejected", "target:cart/127.0.0.1:9", 2, "consecutive_5xx"},
        {"retried", "service:cart", 7, {}}};
    frame.states = {
        {"breaker_open", "route:pay", "12 of 20 \"failed\"", at(1'773'479'640'000'000), {}},
        {"limit_reached", "upstream:cart", "max_pending 2 reached", at(5), "max_pending"}};
    telemetry::RequestSeries requests;
    requests.source = "edge-1";
    requests.service = "cart \"x\"";
    requests.answers = {0, 0, 5, 0, 1, 0};
    requests.latency.record(1234, 5);
    requests.latency.record(77, 1);
    frame.requests = {requests};
    telemetry::AttemptSeries attempts;
    attempts.target = "127.0.0.1:9";
    attempts.connectFailures = 2;
    attempts.latency.record(999, 4);
    frame.attempts = {attempts};

    const auto line =
        toJsonLine(api::StatsEvent{std::make_shared<const telemetry::StatsFrame>(frame)}, at(0));
    const auto event = fromJsonLine(line);

    QVERIFY(event);
    const auto back = std::get<api::StatsEvent>(*event).frame;
    QCOMPARE(back->time, frame.time);
    QCOMPARE(back->sequence, frame.sequence);
    QCOMPARE(back->cpu, frame.cpu);
    QCOMPARE(back->memory, frame.memory);
    QCOMPARE(back->requests.size(), 1U);
    QCOMPARE(back->requests[0].service, requests.service);
    QVERIFY(back->requests[0].answers == requests.answers);
    QVERIFY(back->requests[0].latency == requests.latency);
    QCOMPARE(back->attempts[0].connectFailures, 2U);
    QVERIFY(back->attempts[0].latency == attempts.latency);
    QVERIFY(back->health == frame.health);
    QVERIFY(back->policy == frame.policy);
    QVERIFY(back->states == frame.states);
}

void EventJsonTest::accessEventsHaveTheDocumentedFields()
{
    api::AccessEvent access;
    access.node = "edge-1";
    access.time = at(1'773'479'643'128'000);
    access.method = "GET";
    access.path = "/a\nb";
    access.status = 200;
    access.latencyTotal_ms = 1.5;

    const auto json = nlohmann::json::parse(toJsonLine(access, at(0)));

    for (const char* key :
         {"kind",
          "time",
          "node",
          "method",
          "host",
          "path",
          "status",
          "route",
          "service",
          "target",
          "source",
          "attempts",
          "latency_ms",
          "bytes_in",
          "bytes_out",
          "request_id"}) {
        QVERIFY2(json.contains(key), key);
    }
    QCOMPARE(json["time"].get<std::string>(), std::string("2026-03-14T09:14:03.128Z"));
    QCOMPARE(json["latency_ms"]["total"].get<double>(), 1.5);
    QVERIFY(toJsonLine(access, at(0)).find('\n') == std::string::npos);
    const auto back = fromJsonLine(toJsonLine(access, at(0)));
    QVERIFY(back);
    QCOMPARE(std::get<api::AccessEvent>(*back).path, access.path);
    QCOMPARE(std::get<api::AccessEvent>(*back).time, access.time);
}

void EventJsonTest::detailsOfAccessComeBack()
{
    api::AccessEvent access;
    access.tries = {{"a:1", 0.5, 1.5, 503, "answered, repeated"}, {"b:1", 2.5, 3.5, 0, "failed"}};
    access.policies = {"retried", "timed_out"};
    access.why = "path prefix /cart";
    access.requestHeaders = {{"x-version", "v2"}, {"cookie", "***"}};

    const auto event = fromJsonLine(toJsonLine(access, at(0)));

    QVERIFY(event);
    const auto& back = std::get<api::AccessEvent>(*event);
    QCOMPARE(back.tries.size(), 2U);
    QCOMPARE(back.tries[0].target, access.tries[0].target);
    QCOMPARE(back.tries[0].started_ms, 0.5);
    QCOMPARE(back.tries[0].latency_ms, 1.5);
    QCOMPARE(back.tries[0].status, 503);
    QCOMPARE(back.tries[1].outcome, access.tries[1].outcome);
    QCOMPARE(back.policies, access.policies);
    QCOMPARE(back.why, access.why);
    QCOMPARE(back.requestHeaders.size(), 2U);
    QCOMPARE(back.requestHeaders[1].name, std::string("cookie"));
    QCOMPARE(back.requestHeaders[1].value, std::string("***"));
}

void EventJsonTest::headersOfATapAreNames()
{
    const auto names = parseTapHeaders("X-Version,user-agent,x-version");

    QVERIFY(names);
    const std::vector<std::string> expected = {"x-version", "user-agent"};
    QCOMPARE(*names, expected);
    QVERIFY(parseTapHeaders("")->empty());
    QVERIFY(!parseTapHeaders("x version"));
    QVERIFY(!parseTapHeaders("a,,b"));
    std::string many;
    for (int index = 0; index < 100; ++index) {
        many += "x-" + std::to_string(index) + ",";
    }
    QCOMPARE(parseTapHeaders(many).error().code, ErrorCode::LimitExceeded);
}

void EventJsonTest::stateComesBack()
{
    api::StateEvent state;
    state.node = "edge-1";
    state.state = api::EngineState::Draining;
    state.hash = "ab";
    state.isInMaintenance = true;
    state.listeners = {{"proxy", "127.0.0.1:8000"}};
    state.health = {health()};

    const auto event = fromJsonLine(toJsonLine(state, at(0)));

    QVERIFY(event);
    const auto& back = std::get<api::StateEvent>(*event);
    QCOMPARE(back.state, state.state);
    QCOMPARE(back.hash, state.hash);
    QVERIFY(back.isInMaintenance);
    QCOMPARE(back.listeners[0].address, state.listeners[0].address);
    QVERIFY(back.health == state.health);
}

void EventJsonTest::brokenLinesAreErrors_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<int>("code");

    QTest::newRow("not JSON") << QByteArray("{\"kind\":") << int(ErrorCode::Syntax);
    QTest::newRow("a list") << QByteArray("[1]") << int(ErrorCode::Syntax);
    QTest::newRow("stats without a frame")
        << QByteArray("{\"kind\":\"stats\"}") << int(ErrorCode::InvalidArgument);
    QTest::newRow("a kind of the future")
        << QByteArray("{\"kind\":\"dream\"}") << int(ErrorCode::Unsupported);
}

void EventJsonTest::brokenLinesAreErrors()
{
    QFETCH(const QByteArray, line);
    QFETCH(const int, code);

    const auto event = fromJsonLine(line.toStdString());

    QVERIFY(!event);
    QCOMPARE(int(event.error().code), code);
}

void EventJsonTest::kindsFilterAndUnknownKindsAreRefused()
{
    const auto kinds = parseEventKinds("health,access");

    QVERIFY(kinds);
    QVERIFY(kinds->includes(api::HealthEvent{}));
    QVERIFY(kinds->includes(api::AccessEvent{}));
    QVERIFY(!kinds->includes(api::StateEvent{}));
    QVERIFY(!kinds->includes(api::StatsEvent{}));
    QVERIFY(parseEventKinds("")->includes(api::StatsEvent{}));
    QVERIFY(!parseEventKinds("health,dreams"));
}

void EventJsonTest::aFullQueueDropsTheOldestAndSaysSo()
{
    EventQueue queue(2);
    for (const char* line : {"1", "2", "3", "4", "5"}) {
        queue.push(std::make_shared<const std::string>(line));
    }

    const auto first = queue.pop(at(0), "edge-1");

    QVERIFY(first);
    const auto dropped = nlohmann::json::parse(*first);
    QCOMPARE(dropped["kind"].get<std::string>(), std::string("dropped"));
    QCOMPARE(dropped["count"].get<int>(), 3);
    QCOMPARE(*queue.pop(at(0), "edge-1"), std::string("4\n"));
    QCOMPARE(*queue.pop(at(0), "edge-1"), std::string("5\n"));
    QVERIFY(!queue.pop(at(0), "edge-1"));
    QVERIFY(queue.isEmpty());
}

} // namespace mesh::control

QTEST_APPLESS_MAIN(mesh::control::EventJsonTest)
#include "event_json_test.moc"
