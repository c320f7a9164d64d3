// Goal: what policies do for the node is seen where operators look: events, /metrics and the health
// list of the admin API, and a RemoteEngine. Method: a LocalEngine with two workers behind a real
// AdminServer, origins on the test's loop that fail when they are told to.
#include "proxyengine/control/admin_server.h"
#include "proxyengine/control/node_client.h"
#include "proxyengine/control/remote_engine.h"
#include "tests/support/proxy_fixture.h"

#include <QTest>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

using namespace mesh;
using Json = nlohmann::json;

namespace {

constexpr Duration kTimeout = std::chrono::seconds(10);
constexpr std::size_t kOrigins = 3;

// Three origins, a node in front of them, its admin API and somebody who follows that.
struct Mesh : test::ProxyFixture
{
    std::array<int, kOrigins> statuses = {200, 200, 200};
    std::array<std::unique_ptr<http::Server>, kOrigins> origins;
    std::unique_ptr<control::AdminServer> admin;
    test::EventBox remoteBox;
    std::unique_ptr<api::Engine> remote;

    bool begin(const std::string& upstreamSettings, const std::string& serviceSettings = {})
    {
        std::string yaml = "_format_version: \"3.0\"\nservices:\n- name: origin\n  host: pool\n"
                           "  routes:\n  - {name: all, paths: [\"/\"]}\n"
                           + serviceSettings + "upstreams:\n- name: pool\n" + upstreamSettings
                           + "  targets:\n";
        for (std::size_t at = 0; at < kOrigins; ++at) {
            origins[at] = serve([this, at](const http::Request&, http::Responder responder) {
                http::Response response;
                response.status = statuses[at];
                responder.send(response);
            });
            yaml += "  - {target: \"" + address(at) + "\"}\n";
        }
        if (!start(2)) {
            return false;
        }
        control::AdminOptions adminOptions;
        adminOptions.address.hostPort = "127.0.0.1:0";
        auto made = control::AdminServer::start(*engine, clock, adminOptions);
        if (!made) {
            return false;
        }
        admin = *std::move(made);
        remote = control::makeRemoteEngine(clock, {{admin->address(), {}}, "edge", Seed{3}});
        remote->subscribe(remoteBox);
        const bool isFollowed = test::runUntil(*loop, [this] {
            return remoteBox.has<api::StateEvent>([](const api::StateEvent& state) {
                return state.state == api::EngineState::Running;
            });
        });
        const std::string refusal = apply(yaml);
        if (!refusal.empty()) {
            qWarning("%s", refusal.c_str());
        }
        return isFollowed && refusal.empty();
    }
    ~Mesh()
    {
        if (engine != nullptr) {
            engine->stop(Duration::zero()); // Before those who listen to it go.
        }
        if (remote != nullptr) {
            remote->stop(Duration::zero());
        }
        if (admin != nullptr) {
            admin->stop();
        }
    }

    [[nodiscard]] std::string address(std::size_t at) const
    {
        return origins[at]->address().toText();
    }
    // One request on a connection of its own; its status.
    int get()
    {
        const std::string answer =
            talk("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "\r\n\r\n");
        return answer.size() > 12 ? std::stoi(answer.substr(9, 3)) : 0;
    }
    [[nodiscard]] std::string admined(const std::string& path)
    {
        const auto answer =
            control::requestNode(clock, {admin->address(), {}}, "GET", path, "", kTimeout);
        return answer ? answer->body : std::string();
    }
    static bool holds(test::EventBox& in, const std::string& kind, const std::string& subject)
    {
        return in.has<api::PolicyEvent>([&](const api::PolicyEvent& event) {
            return event.kind == kind && event.subject == subject;
        });
    }
    bool isTold(const std::string& kind, const std::string& subject)
    {
        return test::runUntil(*loop, [&] {
            return holds(box, kind, subject) && holds(remoteBox, kind, subject);
        });
    }
    bool isCounted(const std::string& row)
    {
        return test::runUntil(
            *loop, [&] { return admined("/metrics").find(row) != std::string::npos; }, kTimeout
        );
    }
    // Sends until this was told; false after many.
    bool provoke(const std::string& kind, const std::string& subject)
    {
        for (int request = 0; request < 200; ++request) {
            static_cast<void>(get());
            if (holds(box, kind, subject)) {
                return true;
            }
        }
        return false;
    }
};

} // namespace

class PolicyTellingTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void failuresEjectATargetAndItReturns();
    void whatIsNotEjectedIsExplained();
    void anOperatorTakesATargetBack();
    void aBreakerIsToldFromOpenToClosed();
};

void PolicyTellingTest::failuresEjectATargetAndItReturns()
{
    Mesh mesh;
    QVERIFY(mesh.begin("  outlier_detection: {interval: 500ms, base_ejection: 2s}\n"));
    const std::string subject = "target:pool/" + mesh.address(1);
    mesh.statuses[1] = 503;

    QVERIFY(mesh.provoke("ejected", subject));
    QVERIFY(mesh.isTold("ejected", subject));
    mesh.statuses[1] = 200; // Nobody asks it now.
    QVERIFY(mesh.isCounted(
        "mesh_outlier_ejections_enforced_total{upstream=\"pool\",target=\"" + mesh.address(1)
        + "\",detector=\"consecutive_5xx\"} 1\n"
    ));
    QVERIFY(mesh.isTold("returned", subject));
    QVERIFY(mesh.isCounted("mesh_outlier_ejections_active{upstream=\"pool\"} 0\n"));
    for (int request = 0; request < 12; ++request) {
        QCOMPARE(mesh.get(), 200);
    }
}

void PolicyTellingTest::whatIsNotEjectedIsExplained()
{
    Mesh mesh;
    QVERIFY(mesh.begin("  outlier_detection: {}\n"));
    mesh.statuses = {503, 503, 200};
    const std::string first = "target:pool/" + mesh.address(0);
    const std::string second = "target:pool/" + mesh.address(1);

    // Which of the two is first depends on where their requests fell.
    bool isFirst = false;
    QVERIFY(
        mesh.provoke("ejection_suppressed", first) || mesh.provoke("ejection_suppressed", second)
    );
    isFirst = Mesh::holds(mesh.box, "ejected", first);
    QVERIFY(mesh.isTold("ejected", isFirst ? first : second));
    QVERIFY(mesh.isTold("ejection_suppressed", isFirst ? second : first));
    QVERIFY(mesh.isCounted("mesh_outlier_ejections_active{upstream=\"pool\"} 1\n"));

    const Json health = Json::parse(mesh.admined("/upstreams/pool/health"), nullptr, false);
    QVERIFY(health.is_object());
    QCOMPARE(health["data"].size(), kOrigins);
    const auto rowOf = [&health](const std::string& target) -> Json {
        for (const Json& row : health["data"]) {
            if (row["target"].get<std::string>() == target) {
                return row;
            }
        }
        return {};
    };
    const Json out = rowOf(mesh.address(isFirst ? 0 : 1));
    const Json held = rowOf(mesh.address(isFirst ? 1 : 0));
    QVERIFY(out["ejected"].get<bool>());
    QVERIFY(out["ejected_until"].is_string());
    QCOMPARE(out["health"].get<std::string>(), std::string("UNHEALTHY"));
    QVERIFY(!held["ejected"].get<bool>());
    QVERIFY(
        held["suppressed"].get<std::string>().find("max_ejection_percent") != std::string::npos
    );
    QVERIFY(test::runUntil(*mesh.loop, [&] { // A frame crosses the socket whole.
        return mesh.remoteBox.has<api::StatsEvent>([&](const api::StatsEvent& event) {
            return std::ranges::any_of(event.frame->states, [&](const auto& state) {
                return state.kind == "ejected" && state.subject == (isFirst ? first : second);
            });
        });
    }));
}

void PolicyTellingTest::anOperatorTakesATargetBack()
{
    Mesh mesh;
    QVERIFY(mesh.begin("  outlier_detection: {}\n"));
    const std::string subject = "target:pool/" + mesh.address(2);
    mesh.statuses[2] = 500;
    QVERIFY(mesh.provoke("ejected", subject));
    mesh.statuses[2] = 200;

    QVERIFY(mesh.engine->submit(api::SetTargetHealth{
        "pool", mesh.address(2), api::HealthOverride::Healthy}));

    QVERIFY(mesh.isTold("returned", subject));
    QVERIFY(mesh.box.has<api::HealthEvent>([&](const api::HealthEvent& event) {
        return event.health.target == mesh.address(2)
               && event.health.state == telemetry::TargetState::Healthy;
    }));
}

void PolicyTellingTest::aBreakerIsToldFromOpenToClosed()
{
    Mesh mesh;
    QVERIFY(mesh.begin(
        "", "  resilience:\n    breaker: {min_requests: 10, open: 500ms, probes: 2, ramp: 0s}\n"
    ));
    mesh.statuses = {503, 503, 503};

    QVERIFY(mesh.provoke("breaker_opened", "service:origin"));
    QVERIFY(mesh.isTold("breaker_opened", "service:origin"));
    mesh.statuses = {200, 200, 200};
    QVERIFY(mesh.isTold("breaker_half_opened", "service:origin"));
    QVERIFY(mesh.provoke("breaker_closed", "service:origin"));

    QVERIFY(mesh.isCounted("mesh_breaker_opened_total{scope=\"service\",name=\"origin\"} 1\n"));
    QVERIFY(mesh.isCounted("mesh_breaker_state{scope=\"service\",name=\"origin\"} 0\n"));
    QCOMPARE(mesh.get(), 200);
}

QTEST_APPLESS_MAIN(PolicyTellingTest)
#include "policy_telling_test.moc"
