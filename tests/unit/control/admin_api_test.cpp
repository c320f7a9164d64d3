// Goal: every endpoint answers what is documented, a refused configuration changes nothing, and web
// pages of other origins get nothing.
// Method: AdminApi over an engine the test drives; no sockets.
#include "proxyengine/control/admin_api.h"

#include "proxyengine/base/limits.h"
#include "tests/support/manual_engine.h"

#include <QTest>

#include <nlohmann/json.hpp>

#include <memory>
#include <optional>

namespace mesh::control {

using Json = nlohmann::json;
using test::ManualEngine;

constexpr const char* kConfig = R"(_format_version: "3.0"
services:
- name: shop
  host: shop.internal
  routes:
  - {name: shop, paths: [/shop]}
- name: news
  host: news.example.com
upstreams:
- name: shop.internal
  targets:
  - {target: "127.0.0.1:9001"}
  - {target: "127.0.0.1:9002", weight: 50}
nodes:
- {name: edge-1, role: gateway}
)";

class AdminApiTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void postedConfigurationRunsAndIsReadBack();
    void acceptsTheGatewaysWrapper();
    void aRefusedFileNamesEveryErrorAndChangesNothing();
    void aConfigurationTheEngineRefusesChangesNothing();
    void answersOnlyWhenTheEngineHas();
    void aFailureToKeepIsTold();
    void listsAreDeterministic();
    void pathsAnswer_data();
    void pathsAnswer();
    void privateKeysAreMaskedUnlessAskedFor();
    void healthTellsWhy();
    void overridesGoToTheEngine();
    void logLevelIsSetByBodyOrQuery();
    void eventsAreStreamedByKind();
    void aPushOverAnotherHashIsRefusedWithWhatRuns();
    void ifMatchIsAHashInQuotes_data();
    void ifMatchIsAHashInQuotes();
    void aRouteTestAnswersAsTheRouterWould();
    void badRouteTestsAreRefused_data();
    void badRouteTestsAreRefused();
    void maintenanceGoesToTheEngineAndShowsInReadiness();
    void factsOfTheNodeAreComplete();
    void webPagesOfOthersAreRefused_data();
    void webPagesOfOthersAreRefused();
    void tooLargeBodiesAreRefused();

private:
    AdminResponse ask(
        const std::string& method, const std::string& target, const std::string& body = {}
    );
    AdminResponse ask(AdminRequest request);

    struct Forward final : api::EventSink
    {
        AdminApi* api = nullptr;
        void onEvent(const api::Event& event) override { api->onEvent(event); }
    };

    SystemClock m_clock;
    Result<void> m_keepResult;
    std::string m_kept;
    Forward m_forward;
    std::unique_ptr<ManualEngine> m_engine;
    std::unique_ptr<AdminApi> m_api;
    std::optional<AdminResponse> m_response; // Of the request that was asked last.
    std::optional<EventKinds> m_stream;
};

void AdminApiTest::init()
{
    m_engine = std::make_unique<ManualEngine>();
    AdminOptions options;
    options.address.hostPort = "127.0.0.1:8001";
    options.keep = [this](std::string_view json) {
        m_kept = json;
        return m_keepResult;
    };
    m_keepResult = {};
    m_kept.clear();
    m_api = std::make_unique<AdminApi>(*m_engine, m_clock, options);
    m_forward.api = m_api.get();
    api::StateEvent state;
    state.node = "edge-1";
    state.state = api::EngineState::Running;
    state.listeners = {{"proxy", "127.0.0.1:8000"}};
    state.health.resize(2);
    state.health[0].upstream = "shop.internal";
    state.health[0].target = "127.0.0.1:9001";
    state.health[0].weight = 100;
    state.health[0].state = telemetry::TargetState::Healthy;
    state.health[1].upstream = "shop.internal";
    state.health[1].target = "127.0.0.1:9002";
    state.health[1].weight = 50;
    state.health[1].state = telemetry::TargetState::Unhealthy;
    state.health[1].reason = "3 connection failures in a row";
    state.health[1].isEjected = true;
    state.health[1].ejectedUntil = WallTime(std::chrono::seconds(1'767'225'600));
    state.health[1].suppressed = "none was";
    state.health[1].zone = "a";
    state.health[1].version = "v2";
    m_engine->setState(state);
    m_engine->subscribe(m_forward);
}

AdminResponse AdminApiTest::ask(AdminRequest request)
{
    m_response.reset();
    m_stream.reset();
    AdminAnswer answer;
    answer.respond = [this](AdminResponse response) { m_response = std::move(response); };
    answer.stream = [this](const EventKinds& kinds) { m_stream = kinds; };
    m_api->handle(request, std::move(answer));
    if (!m_response && !m_stream) {
        if (const auto command = m_engine->takeCommand()) {
            m_engine->tell(api::CommandDone{command->first, api::Applied{std::string(64, 'h')}, {}}
            );
        }
    }
    return m_response.value_or(AdminResponse{});
}

AdminResponse AdminApiTest::ask(
    const std::string& method, const std::string& target, const std::string& body
)
{
    AdminRequest request;
    request.method = method;
    request.target = target;
    request.host = "127.0.0.1:8001";
    request.body = body;
    return ask(std::move(request));
}

void AdminApiTest::postedConfigurationRunsAndIsReadBack()
{
    const auto posted = ask("POST", "/config", kConfig);
    const auto config = ask("GET", "/config");
    const auto hash = ask("GET", "/config/hash");

    QCOMPARE(posted.status, 201);
    QCOMPARE(Json::parse(posted.body)["hash"].get<std::string>(), std::string(64, 'h'));
    QVERIFY(Json::parse(posted.body).contains("message"));
    QCOMPARE(Json::parse(hash.body)["hash"].get<std::string>(), std::string(64, 'h'));
    QCOMPARE(config.body, m_kept);
    QCOMPARE(Json::parse(config.body)["services"].size(), 2U);
    const auto again = ask("POST", "/config", config.body);
    QCOMPARE(again.status, 201);
    QCOMPARE(ask("GET", "/config").body, config.body);
}

void AdminApiTest::acceptsTheGatewaysWrapper()
{
    const auto posted = ask("POST", "/config", Json{{"config", kConfig}}.dump());

    QCOMPARE(posted.status, 201);
    QCOMPARE(Json::parse(ask("GET", "/services").body)["data"].size(), 2U);
}

void AdminApiTest::aRefusedFileNamesEveryErrorAndChangesNothing()
{
    QCOMPARE(ask("POST", "/config", kConfig).status, 201);
    const std::string before = ask("GET", "/config").body;

    const auto refused =
        ask("POST",
            "/config",
            "_format_version: \"3.0\"\nservices:\n- name: a\n  host: h\n  bogus: 1\n- name: a\n  "
            "port: x\n");

    QCOMPARE(refused.status, 400);
    const Json body = Json::parse(refused.body);
    QVERIFY(body["errors"].size() >= 3);
    bool hasBogus = false;
    for (const Json& error : body["errors"]) {
        for (const char* key : {"path", "line", "column", "code", "message"}) {
            QVERIFY2(error.contains(key), key);
        }
        hasBogus = hasBogus || (error["path"] == "services[0].bogus" && error["line"] == 5);
    }
    QVERIFY(hasBogus);
    QCOMPARE(ask("GET", "/config").body, before);
    QCOMPARE(ask("GET", "/config/hash").status, 200);
}

void AdminApiTest::aConfigurationTheEngineRefusesChangesNothing()
{
    QCOMPARE(ask("POST", "/config", kConfig).status, 201);
    const std::string before = ask("GET", "/config").body;
    AdminRequest request;
    request.method = "POST";
    request.target = "/config";
    request.body = "_format_version: \"3.0\"\n";
    AdminAnswer answer;
    answer.respond = [this](AdminResponse response) { m_response = std::move(response); };
    m_response.reset();
    m_api->handle(request, std::move(answer));

    const auto command = m_engine->takeCommand();
    QVERIFY(command);
    m_engine->tell(api::CommandDone{
        command->first,
        fail(ErrorCode::InvalidArgument, "no"),
        {{"nodes", 3, 4, "dangling_reference", "no such node"}}});

    QVERIFY(m_response);
    QCOMPARE(m_response->status, 400);
    QCOMPARE(Json::parse(m_response->body)["errors"][0]["line"].get<int>(), 3);
    QCOMPARE(ask("GET", "/config").body, before);
}

void AdminApiTest::answersOnlyWhenTheEngineHas()
{
    AdminRequest request;
    request.method = "POST";
    request.target = "/config";
    request.body = kConfig;
    AdminAnswer answer;
    answer.respond = [this](AdminResponse response) { m_response = std::move(response); };
    m_response.reset();

    m_api->handle(request, std::move(answer));

    QVERIFY(!m_response);
    QCOMPARE(ask("GET", "/config").status, 404);
}

void AdminApiTest::aFailureToKeepIsTold()
{
    m_keepResult = fail(ErrorCode::Io, "disk full");

    const auto posted = ask("POST", "/config", kConfig);

    QCOMPARE(posted.status, 201);
    QVERIFY(posted.body.find("disk full") != std::string::npos);
}

void AdminApiTest::listsAreDeterministic()
{
    QCOMPARE(ask("POST", "/config", kConfig).status, 201);

    const Json services = Json::parse(ask("GET", "/services").body);
    const Json routes = Json::parse(ask("GET", "/routes").body);
    const std::string id = services["data"][0]["id"];

    QVERIFY(services["next"].is_null());
    QCOMPARE(id.size(), 36U);
    QCOMPARE(ask("GET", "/services").body, ask("GET", "/services").body);
    QCOMPARE(routes["data"][0]["service"]["id"].get<std::string>(), id);
    QCOMPARE(ask("GET", "/services/" + id).body, ask("GET", "/services/shop").body);
    QCOMPARE(Json::parse(ask("GET", "/services/shop/routes").body)["data"].size(), 1U);
    QCOMPARE(Json::parse(ask("GET", "/upstreams/shop.internal/targets").body)["data"].size(), 2U);
    QCOMPARE(services["data"][0]["connect_timeout"].get<int>(), 60000);
    QVERIFY(!services["data"][0].contains("routes"));
}

void AdminApiTest::pathsAnswer_data()
{
    QTest::addColumn<QByteArray>("method");
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<int>("status");

    const auto row = [](const char* method, const char* target, int status) {
        QTest::addRow("%s %s", method, target)
            << QByteArray(method) << QByteArray(target) << status;
    };
    row("GET", "/", 200);
    row("HEAD", "/status", 200);
    row("GET", "/status", 200);
    row("GET", "/metrics", 200);
    row("GET", "/config?secrets=maybe", 400);
    row("GET", "/certificates", 200);
    row("GET", "/snis", 200);
    row("GET", "/nodes", 200);
    row("GET", "/workloads", 200);
    row("GET", "/models", 200);
    row("GET", "/targets", 200);
    row("GET", "/consumers", 404);
    row("GET", "/services/none", 404);
    row("GET", "/services/shop/targets", 404);
    row("GET", "/upstreams/none/health", 404);
    row("GET", "/a/b/c/d/e/f", 404);
    row("DELETE", "/config", 405);
    row("POST", "/services", 405);
    row("GET", "/v1/drain", 404);
    row("POST", "/v1/drain?grace=soon", 400);
    row("POST", "/v1/drain", 202);
    row("PUT", "/upstreams/shop.internal/targets/127.0.0.1:1/healthy", 404);
    row("GET", "/v1/events?kinds=dreams", 400);
    row("PUT", "/v1/log-level?level=loud", 400);
    row("GET", "/v1/node", 200);
    row("GET", "/status/ready", 200);
    row("GET", "/v1/config/effective", 200);
    row("POST", "/v1/route-test", 400);
    row("POST", "/v1/maintenance", 400);
    row("POST", "/v1/maintenance?on=perhaps", 400);
    row("GET", "/v1/events?headers=no%20name", 400);
}

void AdminApiTest::pathsAnswer()
{
    QFETCH(const QByteArray, method);
    QFETCH(const QByteArray, target);
    QFETCH(const int, status);
    QCOMPARE(ask("POST", "/config", kConfig).status, 201);

    const auto response = ask(method.toStdString(), target.toStdString());

    QCOMPARE(response.status, status);
    if (status >= 400) {
        QVERIFY(Json::parse(response.body).contains("message"));
    }
}

void AdminApiTest::privateKeysAreMaskedUnlessAskedFor()
{
    auto document = std::make_shared<model::Document>();
    model::Certificate certificate;
    certificate.cert = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
    certificate.key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
    document->certificates.push_back(certificate);
    m_api->applyAndKeep(document, [](const api::CommandDone&) {});
    const auto command = m_engine->takeCommand();
    QVERIFY(command);
    m_engine->tell(api::CommandDone{command->first, api::Applied{std::string(64, 'h')}, {}});

    const std::string masked = ask("GET", "/config").body;
    const std::string shown = ask("GET", "/config?secrets=shown").body;
    const std::string list = ask("GET", "/certificates").body;

    QVERIFY(masked.find("c2VjcmV0") == std::string::npos);
    QVERIFY(list.find("c2VjcmV0") == std::string::npos);
    QVERIFY(masked.find("***") != std::string::npos);
    QVERIFY(shown.find("c2VjcmV0") != std::string::npos);
}

void AdminApiTest::healthTellsWhy()
{
    QCOMPARE(ask("POST", "/config", kConfig).status, 201);

    const Json health = Json::parse(ask("GET", "/upstreams/shop.internal/health").body);

    QCOMPARE(health["data"].size(), 2U);
    QCOMPARE(health["data"][1]["health"].get<std::string>(), std::string("UNHEALTHY"));
    QCOMPARE(
        health["data"][1]["reason"].get<std::string>(),
        std::string("3 connection failures in a row")
    );
    QCOMPARE(health["data"][1]["weight"].get<int>(), 50);
    QVERIFY(!health["data"][0]["ejected"].get<bool>());
    QVERIFY(health["data"][0]["ejected_until"].is_null());
    QVERIFY(health["data"][1]["ejected"].get<bool>());
    QVERIFY(health["data"][1]["ejected_until"].get<std::string>().starts_with("2026-01-01T00:00:00")
    );
    QCOMPARE(health["data"][1]["suppressed"].get<std::string>(), std::string("none was"));
    QCOMPARE(health["data"][1]["zone"].get<std::string>(), std::string("a"));
    QCOMPARE(health["data"][1]["version"].get<std::string>(), std::string("v2"));
}

void AdminApiTest::overridesGoToTheEngine()
{
    QCOMPARE(ask("POST", "/config", kConfig).status, 201);
    AdminRequest request;
    request.method = "PUT";
    request.target = "/upstreams/shop.internal/targets/127.0.0.1%3A9001/unhealthy";
    AdminAnswer answer;
    answer.respond = [this](AdminResponse response) { m_response = std::move(response); };

    m_api->handle(request, std::move(answer));
    const auto command = m_engine->takeCommand();
    QVERIFY(command);
    const auto& change = std::get<api::SetTargetHealth>(command->second);
    m_engine->tell(api::CommandDone{command->first, api::Applied{}, {}});

    QCOMPARE(change.upstream, std::string("shop.internal"));
    QCOMPARE(change.target, std::string("127.0.0.1:9001"));
    QCOMPARE(change.health, api::HealthOverride::Unhealthy);
    QCOMPARE(m_response->status, 204);
    QVERIFY(m_response->body.empty());
}

void AdminApiTest::logLevelIsSetByBodyOrQuery()
{
    QCOMPARE(ask("PUT", "/v1/log-level", R"({"level":"debug"})").status, 200);
    QCOMPARE(ask("PUT", "/v1/log-level?level=warn").status, 200);
    QCOMPARE(ask("PUT", "/v1/log-level", "").status, 400);
}

void AdminApiTest::eventsAreStreamedByKind()
{
    static_cast<void>(ask("GET", "/v1/events?kinds=access,stats"));

    QVERIFY(m_stream);
    QVERIFY(m_stream->access && m_stream->stats && !m_stream->health && !m_stream->state);
}

void AdminApiTest::aPushOverAnotherHashIsRefusedWithWhatRuns()
{
    const std::string running(64, 'a');
    AdminRequest request;
    request.method = "POST";
    request.target = "/config";
    request.body = "_format_version: \"3.0\"\n";
    request.ifMatch = "\"" + std::string(64, 'b') + "\"";
    AdminAnswer answer;
    answer.respond = [this](AdminResponse response) { m_response = std::move(response); };
    m_response.reset();
    m_api->handle(request, std::move(answer));

    const auto command = m_engine->takeCommand();
    QVERIFY(command);
    const auto* apply = std::get_if<api::ApplyDocument>(&command->second);
    QVERIFY(apply != nullptr);
    QCOMPARE(apply->onlyIfHash, std::string(64, 'b'));
    m_engine->tell(api::CommandDone{
        command->first,
        fail(ErrorCode::Conflict, "another hash runs"),
        {{"", 0, 0, "conflict", running}}});

    QVERIFY(m_response);
    QCOMPARE(m_response->status, 412);
    const Json body = Json::parse(m_response->body);
    QCOMPARE(body["hash"].get<std::string>(), running);
    QCOMPARE(body["message"].get<std::string>(), std::string("another hash runs"));
    QVERIFY(m_kept.empty());
}

void AdminApiTest::ifMatchIsAHashInQuotes_data()
{
    QTest::addColumn<QByteArray>("header");

    const QByteArray hash(64, 'a');
    QTest::newRow("no quotes") << hash;
    QTest::newRow("weak") << "W/\"" + hash + '"';
    QTest::newRow("any") << QByteArray("*");
    QTest::newRow("short") << QByteArray("\"abc\"");
    QTest::newRow("not hex") << '"' + QByteArray(64, 'x') + '"';
    QTest::newRow("two") << '"' + hash + "\", \"" + hash + '"';
}

void AdminApiTest::ifMatchIsAHashInQuotes()
{
    QFETCH(const QByteArray, header);
    AdminRequest request;
    request.method = "POST";
    request.target = "/config";
    request.body = kConfig;
    request.ifMatch = header.toStdString();

    QCOMPARE(ask(request).status, 400);

    QVERIFY(!m_engine->takeCommand());
}

void AdminApiTest::aRouteTestAnswersAsTheRouterWould()
{
    QCOMPARE(ask("POST", "/v1/route-test", R"({"host": "a"})").status, 404); // Nothing runs.
    QCOMPARE(ask("POST", "/config", kConfig).status, 201);

    const auto told =
        ask("POST",
            "/v1/route-test",
            R"({"host": "a", "path": "/shop/1", "headers": {"x": ["1", "2"]}})");
    const Json json = Json::parse(told.body);

    QCOMPARE(told.status, 200);
    QCOMPARE(json["matched"].get<bool>(), true);
    QCOMPARE(json["route"].get<std::string>(), std::string("shop"));
    QCOMPARE(json["goals"][0]["service"].get<std::string>(), std::string("shop"));
    QCOMPARE(json["goals"][0]["targets"].size(), 2U);
    QCOMPARE(
        Json::parse(ask("POST", "/v1/route-test", R"({"path": "/x"})").body)["status"].get<int>(),
        404
    );
}

void AdminApiTest::badRouteTestsAreRefused_data()
{
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("word");

    QTest::newRow("garbage") << QByteArray("\x00\xff{") << 400 << QByteArray("host");
    QTest::newRow("a list") << QByteArray("[]") << 400 << QByteArray("host");
    QTest::newRow("unknown") << QByteArray(R"({"hots": "a"})") << 400 << QByteArray("hots");
    QTest::newRow("type") << QByteArray(R"({"path": 7})") << 400 << QByteArray("path");
    QTest::newRow("port") << QByteArray(R"({"port": 70000})") << 400 << QByteArray("port");
    QTest::newRow("header") << QByteArray(R"({"headers": {"a": 1}})") << 400
                            << QByteArray("headers.a");
    QTest::newRow("headers") << QByteArray(R"({"headers": []})") << 400 << QByteArray("headers");
    QTest::newRow("path") << QByteArray(R"({"path": "/%00"})") << 400 << QByteArray("path");
    QTest::newRow("listener") << QByteArray(R"({"listener": "x"})") << 400
                              << QByteArray("listener");
    QTest::newRow("huge") << QByteArray(static_cast<int>(kSmallBodyBytesMax) + 1, ' ') << 413
                          << QByteArray("large");
}

void AdminApiTest::badRouteTestsAreRefused()
{
    QFETCH(const QByteArray, body);
    QFETCH(const int, status);
    QFETCH(const QByteArray, word);
    QCOMPARE(ask("POST", "/config", kConfig).status, 201);

    const auto response = ask("POST", "/v1/route-test", body.toStdString());

    QCOMPARE(response.status, status);
    QVERIFY2(response.body.find(word.toStdString()) != std::string::npos, response.body.c_str());
}

void AdminApiTest::maintenanceGoesToTheEngineAndShowsInReadiness()
{
    QCOMPARE(ask("GET", "/status/ready").status, 503); // Nothing runs yet.
    QCOMPARE(ask("POST", "/config", kConfig).status, 201);
    QCOMPARE(ask("GET", "/status/ready").status, 200);

    const auto on = ask("POST", "/v1/maintenance", R"({"on": true})");
    api::StateEvent state = m_api->state();
    state.isInMaintenance = true;
    m_engine->tell(state);
    QCOMPARE(on.body, std::string(R"({"maintenance":true})"));
    QCOMPARE(ask("GET", "/status/ready").status, 503);
    QCOMPARE(Json::parse(ask("GET", "/v1/node").body)["maintenance"].get<bool>(), true);

    QCOMPARE(ask("POST", "/v1/undrain").body, std::string(R"({"maintenance":false})"));
    state.isInMaintenance = false;
    state.state = api::EngineState::Draining;
    m_engine->tell(state);
    QCOMPARE(ask("GET", "/status/ready").status, 503);
    QCOMPARE(Json::parse(ask("GET", "/v1/node").body)["draining"].get<bool>(), true);
}

void AdminApiTest::factsOfTheNodeAreComplete()
{
    QCOMPARE(
        ask("POST",
            "/config",
            "_format_version: \"3.0\"\nnodes: [{name: edge-1, role: gateway, zone: a}]\n")
            .status,
        201
    );

    const Json facts = Json::parse(ask("GET", "/v1/node").body);

    QCOMPARE(facts["name"].get<std::string>(), std::string("edge-1"));
    QCOMPARE(facts["role"].get<std::string>(), std::string("gateway"));
    QCOMPARE(facts["zone"].get<std::string>(), std::string("a"));
    QVERIFY(facts["memory_bytes"].get<std::uint64_t>() > 1'000'000);
    QVERIFY(facts["pid"].get<int>() > 1);
    QVERIFY(facts["clock"]["wall_us"].get<std::int64_t>() > 1'700'000'000'000'000);
    for (const char* key :
         {"version",
          "state",
          "hash",
          "started",
          "uptime_s",
          "workers",
          "listeners",
          "connections",
          "log_level",
          "certificates"}) {
        QVERIFY2(facts.contains(key), key);
    }
}

void AdminApiTest::webPagesOfOthersAreRefused_data()
{
    QTest::addColumn<QByteArray>("origin");
    QTest::addColumn<QByteArray>("host");
    QTest::addColumn<QByteArray>("fetchSite");
    QTest::addColumn<int>("status");

    const auto row =
        [](const char* name, const char* origin, const char* host, const char* site, int status) {
            QTest::newRow(name) << QByteArray(origin) << QByteArray(host) << QByteArray(site)
                                << status;
        };
    row("curl", "", "127.0.0.1:8001", "", 201);
    row("a page of this machine", "http://localhost:3000", "localhost:8001", "", 201);
    row("a page of the web", "https://evil.example", "127.0.0.1:8001", "", 403);
    row("a sandboxed page", "null", "127.0.0.1:8001", "", 403);
    row("a name that begins like loopback", "http://127.0.0.1.evil.example", "localhost", "", 403);
    row("a rebound name", "", "evil.example:8001", "", 403);
    row("the browser says cross-site", "", "localhost:8001", "cross-site", 403);
}

void AdminApiTest::webPagesOfOthersAreRefused()
{
    QFETCH(const QByteArray, origin);
    QFETCH(const QByteArray, host);
    QFETCH(const QByteArray, fetchSite);
    QFETCH(const int, status);
    AdminRequest request;
    request.method = "POST";
    request.target = "/config";
    request.origin = origin.toStdString();
    request.host = host.toStdString();
    request.fetchSite = fetchSite.toStdString();
    request.body = kConfig;

    QCOMPARE(ask(std::move(request)).status, status);
}

void AdminApiTest::tooLargeBodiesAreRefused()
{
    AdminRequest request;
    request.method = "POST";
    request.target = "/config";
    request.body.resize(kAdminBodyBytesMax + 1, ' ');

    QCOMPARE(ask(std::move(request)).status, 413);
}

} // namespace mesh::control

QTEST_APPLESS_MAIN(mesh::control::AdminApiTest)
#include "admin_api_test.moc"
