// Goal: what the file says about faults, limits, breakers and overload decides what is
// let through, and what the others are told.
// Method: golden cases from text to behaviour over a real engine; servers count what reaches them.
#include "proxyengine/policy/fault.h"
#include "tests/support/policy_fixture.h"

#include <QTest>

#include <algorithm>
#include <span>

using namespace mesh;
using namespace mesh::test;

namespace {

constexpr std::string_view kSubject = "service:web";
constexpr Duration kMillisecond = std::chrono::milliseconds(1);

Behaviour slowBy(Duration delay)
{
    Behaviour behaviour;
    behaviour.delay = delay;
    return behaviour;
}

} // namespace

class PoliciesAdmissionTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    // Exactly the requests that the id says.
    void faultsMeetTheRequestsThatTheirIdsSay()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(1));
        QCOMPARE(
            mesh.apply(mesh.webYaml(
                "  resilience: {fault: {delay: {time: 60ms, percent: 20},"
                " abort: {status: 418, percent: 30}}}\n",
                ""
            )),
            std::string()
        );
        model::Fault settings;
        settings.delay = model::FaultDelay{60 * kMillisecond, 20};
        settings.abort = model::FaultAbort{418, 30};
        const policy::FaultRule rule(settings);

        const LoadReport report = mesh.load(400, 8);

        std::size_t aborted = 0;
        std::size_t injected = 0;
        for (const LoadAnswer& answer : report.answers) {
            const std::string id = answer.header("X-Meshwright-Request-Id");
            QCOMPARE(id.size(), 32U);
            const policy::FaultVerdict verdict = rule.decide(id);
            QCOMPARE(answer.status, verdict.abortStatus.value_or(200));
            QVERIFY(answer.took >= verdict.delay);
            aborted += verdict.abortStatus ? 1U : 0U;
            injected += verdict.isNone() ? 0U : 1U;
        }
        QVERIFY(aborted > 60 && aborted < 180);
        QCOMPARE(mesh.servers[0]->requests(), 400 - aborted);
        QVERIFY(mesh.policyEvent("fault_injected", kSubject).has_value());
        QVERIFY(mesh.waitForCount("fault_injected", kSubject, injected));
    }

    // Over max_requests the answer is 503 at once; the limit is the node's.
    void moreRequestsThanTheLimitAreRefused()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(1, 2));
        QCOMPARE(mesh.apply(mesh.webYaml("", "  limits: {max_requests: 3}\n")), std::string());
        mesh.servers[0]->behave(slowBy(500 * kMillisecond));
        const LoadReport report = mesh.load(10, 10);
        QVERIFY2(report.count(200) == 3, report.summary().c_str());
        QCOMPARE(report.count(503), 7U);
        QCOMPARE(report.count("x-meshwright-overloaded", "true"), 7U);
        QCOMPARE(mesh.servers[0]->requests(), 3U);
        const auto reason = mesh.policyEvent("limit_reached", "upstream:pool");
        QVERIFY2(reason.has_value(), mesh.told().c_str());
        QVERIFY(!reason->empty());
        QCOMPARE(mesh.load(3, 3).good(), 3U); // Those have ended.
    }

    // Two connections; two requests may wait for one; the rest is refused.
    void requestsWaitForConnections()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(1));
        QCOMPARE(
            mesh.apply(mesh.webYaml("", "  limits: {max_connections: 2, max_pending: 2}\n")),
            std::string()
        );
        mesh.servers[0]->behave(slowBy(200 * kMillisecond));
        const LoadReport report = mesh.load(10, 10);
        QVERIFY2(report.count(200) == 4, report.summary().c_str());
        QCOMPARE(report.count(503), 6U);
        QCOMPARE(mesh.servers[0]->accepted(), 2U);
        QCOMPARE(mesh.load(8, 2).good(), 8U);
        QCOMPARE(mesh.servers[0]->accepted(), 2U);
    }

    // One connection to each of two targets: all wait their turn, and no second one is made.
    void aTargetHasItsOwnLimitOfConnections()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        QCOMPARE(
            mesh.apply(mesh.webYaml("", "  limits: {max_connections_per_target: 1}\n")),
            std::string()
        );
        for (auto& server : mesh.servers) {
            server->behave(slowBy(30 * kMillisecond));
        }
        const LoadReport report = mesh.load(12, 6);
        QVERIFY2(report.good() == 12, report.summary().c_str());
        QCOMPARE(mesh.servers[0]->accepted(), 1U);
        QCOMPARE(mesh.servers[1]->accepted(), 1U);
    }

    // What has a high priority is counted apart.
    void highPriorityHasItsOwnLimits()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(1));
        const std::string yaml = fmt::format(
            "_format_version: \"3.0\"\nservices:\n- name: web\n  host: pool\n  routes:\n"
            "  - {{name: all, paths: [/]}}\n"
            "  - {{name: high, paths: [/high], resilience: {{priority: high}}}}\n"
            "upstreams:\n- name: pool\n  limits: {{max_requests: 2, high: {{max_requests: "
            "3}}}}\n{}",
            mesh.targetsYaml(0, 1)
        );
        QCOMPARE(mesh.apply(yaml), std::string());
        mesh.servers[0]->behave(slowBy(500 * kMillisecond));
        LoadPlan plan = mesh.plan(10, 10);
        plan.request = [](std::size_t at) {
            return fmt::format("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", at < 5 ? "high" : "low");
        };
        const LoadReport report = runLoad(*mesh.loop, plan);
        const auto high = std::span(report.answers).first(5);
        QVERIFY2(report.good() == 5, report.summary().c_str());
        QCOMPARE(std::ranges::count_if(high, &LoadAnswer::isGood), 3);
    }

    void retriesHaveALimitToo()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        QCOMPARE(mesh.apply(mesh.webYaml("", "  limits: {max_retries: 0}\n")), std::string());
        mesh.servers[0]->behave(Fault::Refuse);
        const LoadReport report = mesh.load(10, 1);
        QCOMPARE(report.count(200), 5U); // The gateway format's retries would make it 10.
        QCOMPARE(report.count(502), 5U);
    }

    // Closed, open with its own answer, half-open, closed.
    void aBreakerOpensAnswersAndCloses()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(1, 2));
        QCOMPARE(
            mesh.apply(mesh.webYaml(
                "  resilience: {breaker: {error_ratio: 0.5, min_requests: 10, window: 10s,"
                " open: 300ms, probes: 2, ramp: 0s, fallback: {status: 203, body: \"sorry\","
                " content_type: \"text/x-sorry\"}}}\n",
                ""
            )),
            std::string()
        );
        QCOMPARE(mesh.load(9, 1).good(), 9U);
        mesh.servers[0]->behave(Fault::Unavailable);
        QVERIFY(runUntil(*mesh.loop, [&] { return mesh.ask().status == 203; }));

        const auto opened = mesh.policyEvent("breaker_opened", kSubject);
        QVERIFY2(opened.has_value(), mesh.told().c_str());
        QVERIFY(opened->find("failed") != std::string::npos);
        const auto before = mesh.servers[0]->requests();
        const LoadReport open = mesh.load(20, 4);
        // The open time may end meanwhile: two probes at most.
        QVERIFY2(open.count(203) >= 18, open.summary().c_str());
        QVERIFY(mesh.servers[0]->requests() <= before + 2);
        QCOMPARE(open.count("Content-Type", "text/x-sorry"), open.count(203));
        QVERIFY(std::ranges::all_of(open.answers, [](const LoadAnswer& answer) {
            return answer.status != 203 || answer.body == "sorry";
        }));
        QVERIFY(mesh.policyEvent("fallback_served", kSubject).has_value());

        mesh.servers[0]->behave(Fault::None);
        QVERIFY(runUntil(*mesh.loop, [&] {
            return mesh.ask().status == 200 && mesh.hasPolicyEvent("breaker_closed");
        }));
        QVERIFY(mesh.policyEvent("breaker_half_opened", kSubject).has_value());
        QCOMPARE(mesh.load(40, 4).good(), 40U);
    }

    void anOpenBreakerCallsItsFallbackService()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        const std::string yaml = fmt::format(
            "_format_version: \"3.0\"\nservices:\n- name: web\n  url: http://{}\n"
            "  resilience: {{breaker: {{min_requests: 5, open: 60s, fallback: {{service: "
            "spare}}}}}}"
            "\n  routes:\n  - {{name: all, paths: [/]}}\n- name: spare\n  url: http://{}\n",
            mesh.servers[0]->address().toText(),
            mesh.servers[1]->address().toText()
        );
        QCOMPARE(mesh.apply(yaml), std::string());
        mesh.servers[0]->behave(Fault::Unavailable);
        QVERIFY(runUntil(*mesh.loop, [&] { return mesh.ask().status == 200; }));
        const auto before = mesh.servers[0]->requests();
        const LoadReport report = mesh.load(20, 4);
        QCOMPARE(report.count("X-Server", "s1"), 20U);
        QCOMPARE(mesh.servers[0]->requests(), before);
    }

    // Slow answers open it too.
    void aBreakerOpensForSlowness()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(1));
        QCOMPARE(
            mesh.apply(mesh.webYaml(
                "  resilience: {breaker: {slow_ratio: 0.5, slow: 20ms, min_requests: 6,"
                " open: 60s}}\n",
                ""
            )),
            std::string()
        );
        mesh.servers[0]->behave(slowBy(60 * kMillisecond));
        QCOMPARE(mesh.load(4, 4).good(), 4U);
        QVERIFY(runUntil(*mesh.loop, [&] { return mesh.ask().status == 503; }));
        QVERIFY(mesh.policyEvent("breaker_opened", kSubject).has_value());
    }

    // A limit that can be no other than two.
    void adaptiveConcurrencyRefusesWhatIsTooMuch()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(1, 2));
        QCOMPARE(
            mesh.apply(mesh.webYaml(
                "  resilience: {adaptive_concurrency: {min_concurrency: 2, max_concurrency: 2}}\n",
                ""
            )),
            std::string()
        );
        mesh.servers[0]->behave(slowBy(200 * kMillisecond));
        const LoadReport report = mesh.load(8, 8);
        QVERIFY2(report.count(200) == 2, report.summary().c_str());
        QCOMPARE(report.count(503), 6U);
        for (const LoadAnswer& answer : report.answers) {
            QVERIFY(
                answer.status == 200
                || answer.body.find("reached concurrency limit") != std::string::npos
            );
        }
        QVERIFY(mesh.policyEvent("concurrency_limited", kSubject).has_value());
    }

    // Under overload the low go first, the high are served until the limit itself.
    void overloadShedsTheLowFirst()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(1));
        const std::string yaml = fmt::format(
            "_format_version: \"3.0\"\nmesh: {{name: shop, overload: {{max_requests: 10,"
            " shed_from: 10}}}}\nservices:\n- name: web\n  host: pool\n  routes:\n"
            "  - {{name: low, paths: [/low], resilience: {{priority: low}}}}\n"
            "  - {{name: high, paths: [/high], resilience: {{priority: high}}}}\n"
            "upstreams:\n- name: pool\n{}",
            mesh.targetsYaml(0, 1)
        );
        QCOMPARE(mesh.apply(yaml), std::string());
        mesh.servers[0]->behave(slowBy(500 * kMillisecond));
        LoadPlan plan = mesh.plan(18, 18);
        plan.request = [](std::size_t at) {
            return fmt::format("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", at < 8 ? "high" : "low");
        };
        const LoadReport report = runLoad(*mesh.loop, plan);
        for (std::size_t at = 0; at < 8; ++at) {
            QVERIFY2(report.answers[at].status == 200, report.summary().c_str());
        }
        const std::size_t shed = report.count(503);
        QVERIFY2(shed >= 8, report.summary().c_str()); // No more than ten at once.
        QCOMPARE(report.count("x-meshwright-overloaded", "true"), shed);
        QVERIFY(runUntil(*mesh.loop, [&] { return mesh.hasPolicyEvent("shed"); }));
    }
};

QTEST_APPLESS_MAIN(PoliciesAdmissionTest)
#include "policies_admission_test.moc"
