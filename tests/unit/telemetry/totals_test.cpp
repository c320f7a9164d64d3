// Goal: totals over frames and their Prometheus form; frames as JSON.
#include "proxyengine/telemetry/totals.h"

#include "proxyengine/telemetry/json.h"

#include <QTest>

#include <nlohmann/json.hpp>

using namespace mesh;
using namespace mesh::telemetry;

namespace {
StatsFrame frameOf(std::uint64_t answered)
{
    StatsFrame frame;
    frame.node = "edge-1";
    frame.accepted = 2;
    RequestSeries row;
    row.source = "edge-1";
    row.service = "ca\"rt";
    row.route = "r";
    row.answers[2] = answered;
    row.latency.record(2000, static_cast<std::uint32_t>(answered));
    frame.requests.push_back(row);
    TargetHealth health;
    health.upstream = "cart";
    health.target = "127.0.0.1:1";
    health.state = TargetState::Unhealthy;
    health.reason = "3 connection failures in a row";
    frame.health.push_back(health);
    return frame;
}

bool holds(const std::string& text, const char* part)
{
    return text.find(part) != std::string::npos;
}
} // namespace

class TotalsTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void framesAddUpInTheExposition()
    {
        Totals totals;
        totals.add(frameOf(3));
        totals.add(frameOf(4));

        const std::string text = totals.prometheusText();

        QCOMPARE(totals.requests(), 7U);
        QVERIFY(holds(text, "# TYPE mesh_requests_total counter\n"));
        QVERIFY(holds(
            text,
            "mesh_requests_total{source=\"edge-1\",service=\"ca\\\"rt\",route=\"r\",class=\"2xx\"} "
            "7\n"
        ));
        QVERIFY(holds(text, "mesh_client_accepted_total 4\n"));
        QVERIFY(holds(text, "le=\"0.001\"} 0\n"));
        QVERIFY(holds(text, "le=\"0.0025\"} 7\n"));
        QVERIFY(holds(text, "le=\"+Inf\"} 7\n"));
        QVERIFY(holds(text, "state=\"UNHEALTHY\"} 0\n"));
    }

    void grpcCallsAddUpByMethodAndStatus()
    {
        StatsFrame frame;
        GrpcSeries row;
        row.source = "edge-1";
        row.service = "cart";
        row.method = "shop.Cart/Add";
        row.statuses[0] = 5;
        row.statuses[14] = 1;
        row.latency.record(2000, 6);
        frame.grpc.push_back(row);
        Totals totals;
        totals.add(frame);
        totals.add(frame);

        const std::string text = totals.prometheusText();

        const std::string labels = R"(source="edge-1",service="cart",method="shop.Cart/Add")";
        for (const std::string& expected :
             {"mesh_grpc_calls_total{" + labels + ",status=\"OK\"} 10\n",
              "mesh_grpc_calls_total{" + labels + ",status=\"UNAVAILABLE\"} 2\n",
              "mesh_grpc_call_seconds_count{" + labels + "} 12\n"}) {
            QVERIFY2(holds(text, expected.c_str()), expected.c_str());
        }
        QVERIFY(!holds(text, "status=\"CANCELLED\""));
    }

    void everyMetricHasOneHelpAndOneType()
    {
        Totals totals;
        totals.add(frameOf(1));
        const std::string text = totals.prometheusText();

        std::size_t helps = 0;
        std::size_t types = 0;
        for (std::size_t at = 0; (at = text.find("# HELP ", at)) != std::string::npos; ++at) {
            ++helps;
        }
        for (std::size_t at = 0; (at = text.find("# TYPE ", at)) != std::string::npos; ++at) {
            ++types;
        }

        QCOMPARE(helps, types);
        QVERIFY(helps >= 18);
    }

    void policiesAreCountedAndShownWithTheirLabels()
    {
        StatsFrame frame = frameOf(1);
        frame.health[0].isEjected = true;
        frame.policy = {
            {"ejected", "target:ca/rt/127.0.0.1:1", 1, "consecutive_5xx"},
            {"ejection_suppressed", "target:cart/[::1]:2", 3, "success_rate"},
            {"breaker_opened", "route:pay", 1, {}},
            {"limit_reached", "upstream:ca\"rt", 4, "max_pending"},
            {"retried", "service:cart", 2, {}},
            {"tls_failed", "target:cart/[::1]:2", 2, "certificate_expired"},
            {"plaintext_refused", "listener:cart-1 inbound", 6, {}}};
        frame.states = {
            {"breaker_open", "route:pay", "why", {}, {}},
            {"limit_reached", "upstream:cart", "why", {}, "max_pending"},
            {"panic", "upstream:cart", "why", {}, {}}};
        StatsFrame later = frameOf(1);
        later.policy = {{"retried", "service:cart", 5, {}}};

        Totals totals;
        totals.add(frame);
        const std::string first = totals.prometheusText();
        totals.add(later);
        const std::string second = totals.prometheusText();

        for (const char* row :
             {"mesh_outlier_ejections_enforced_total{upstream=\"ca/rt\",target=\"127.0.0.1:1\","
              "detector=\"consecutive_5xx\"} 1\n",
              "mesh_outlier_ejections_overflow_total{upstream=\"cart\",target=\"[::1]:2\","
              "detector=\"success_rate\"} 3\n",
              "mesh_outlier_ejections_active{upstream=\"cart\"} 1\n",
              "mesh_target_ejected{upstream=\"cart\",target=\"127.0.0.1:1\"} 1\n",
              "mesh_breaker_opened_total{scope=\"route\",name=\"pay\"} 1\n",
              "mesh_breaker_state{scope=\"route\",name=\"pay\"} 2\n",
              "mesh_limit_reached_total{upstream=\"ca\\\"rt\",limit=\"max_pending\"} 4\n",
              "mesh_limit_open{upstream=\"cart\",limit=\"max_pending\"} 1\n",
              "mesh_upstream_panic{upstream=\"cart\"} 1\n",
              "mesh_upstream_tls_failures_total{upstream=\"cart\",target=\"[::1]:2\","
              "reason=\"certificate_expired\"} 2\n",
              "mesh_plaintext_refused_total{scope=\"listener\",name=\"cart-1 inbound\"} 6\n",
              "mesh_retries_total{scope=\"service\",name=\"cart\"} 2\n"}) {
            QVERIFY2(holds(first, row), row);
        }
        QVERIFY(holds(second, "mesh_retries_total{scope=\"service\",name=\"cart\"} 7\n"));
        QVERIFY(holds(second, "mesh_breaker_state{scope=\"route\",name=\"pay\"} 0\n"));
        QVERIFY(holds(second, "mesh_outlier_ejections_active{upstream=\"cart\"} 0\n"));
        QVERIFY(!holds(second, "mesh_upstream_panic{"));
    }

    void aFrameIsOneJsonObject()
    {
        const auto json = nlohmann::json::parse(toJson(frameOf(3)));

        QCOMPARE(json["kind"].get<std::string>(), std::string("stats"));
        QCOMPARE(json["requests"][0]["answers"][2].get<int>(), 3);
        QCOMPARE(json["health"][0]["health"].get<std::string>(), std::string("UNHEALTHY"));
    }
};

QTEST_APPLESS_MAIN(TotalsTest)
#include "totals_test.moc"
