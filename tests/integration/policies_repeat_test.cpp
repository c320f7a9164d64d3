// Goal: what the file says about retries and timeouts is what a client and the servers
// see.
// Method: golden cases from text to behaviour over a real engine; servers count what reaches them.
#include "tests/support/policy_fixture.h"

#include <QTest>

#include <map>
#include <set>

using namespace mesh;
using namespace mesh::test;

namespace {

constexpr std::string_view kSubject = "service:web";
constexpr Duration kMillisecond = std::chrono::milliseconds(1);

std::string withRetry(std::string_view words)
{
    return fmt::format(
        "  resilience: {{timeout: 5s, retry: {{backoff: {{base: 1ms, max: 2ms}},"
        " budget: {{percent: 100, min_concurrent: 100}}, {}}}}}\n",
        words
    );
}

Behaviour answering(int status)
{
    Behaviour behaviour;
    behaviour.status = status;
    return behaviour;
}

std::uint64_t sum(const std::vector<std::uint64_t>& counts)
{
    std::uint64_t all = 0;
    for (const std::uint64_t count : counts) {
        all += count;
    }
    return all;
}

} // namespace

class PoliciesRepeatTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    // One of two servers answers so; whether the client sees it is the condition's doing.
    void retryConditions_data()
    {
        QTest::addColumn<QString>("retry");
        QTest::addColumn<QString>("fault");
        QTest::addColumn<int>("status");
        QTest::addColumn<QString>("method");
        QTest::addColumn<bool>("isRepeated");
        QTest::addColumn<QString>("field"); // Of the bad server's answers.
        const auto row = [](const char* name,
                            const char* retry,
                            const char* fault,
                            int status,
                            const char* method,
                            bool isRepeated,
                            const char* field = "") {
            QTest::newRow(name) << QString::fromLatin1(retry) << QString::fromLatin1(fault)
                                << status << QString::fromLatin1(method) << isRepeated
                                << QString::fromLatin1(field);
        };
        row("5xx on 500", "on: [5xx]", "ok", 500, "GET", true);
        row("5xx on 404", "on: [5xx]", "ok", 404, "GET", false);
        row("gateway-error on 502", "on: [gateway-error]", "ok", 502, "GET", true);
        row("gateway-error on 500", "on: [gateway-error]", "ok", 500, "GET", false);
        row("retriable-4xx on 409", "on: [retriable-4xx]", "ok", 409, "GET", true);
        row("retriable-4xx on 400", "on: [retriable-4xx]", "ok", 400, "GET", false);
        row("statuses on 418",
            "on: [retriable-status-codes], statuses: [418]",
            "ok",
            418,
            "GET",
            true);
        row("connect-failure on refusal", "on: [connect-failure]", "refuse", 502, "GET", true);
        row("connect-failure on 503", "on: [connect-failure]", "ok", 503, "GET", false);
        row("connect-failure on reset",
            "on: [connect-failure]",
            "reset-at-request",
            502,
            "GET",
            false);
        row("reset on reset", "on: [reset]", "reset-at-request", 502, "GET", true);
        row("reset on refusal", "on: [reset]", "refuse", 502, "GET", true);
        row("reset on 503", "on: [reset]", "ok", 503, "GET", false);
        row("5xx on 503, POST", "on: [5xx]", "ok", 503, "POST", false);
        row("refusal, POST", "on: [connect-failure]", "refuse", 502, "POST", true);
        row("5xx on 503, POST that may be repeated",
            "on: [5xx], non_idempotent: true",
            "ok",
            503,
            "POST",
            true);
        row("5xx on 503, PUT", "on: [5xx]", "ok", 503, "PUT", true);
        row("unavailable on gRPC 14", "on: [unavailable]", "ok", 200, "GET", true, "grpc-status: 14"
        );
        row("unavailable on gRPC 13",
            "on: [unavailable]",
            "ok",
            200,
            "GET",
            false,
            "grpc-status: 13");
        row("cancelled on gRPC 1", "on: [cancelled]", "ok", 200, "GET", true, "grpc-status: 1");
        row("headers on a header",
            "on: [retriable-headers], headers: {x-again: [\"yes\"]}",
            "ok",
            200,
            "GET",
            true,
            "x-again: yes");
        row("headers on another value",
            "on: [retriable-headers], headers: {x-again: [\"yes\"]}",
            "ok",
            200,
            "GET",
            false,
            "x-again: no");
        row("one attempt", "on: [5xx], attempts: 1", "ok", 503, "GET", false);
    }
    void retryConditions()
    {
        QFETCH(QString, retry);
        QFETCH(QString, fault);
        QFETCH(int, status);
        QFETCH(QString, method);
        QFETCH(bool, isRepeated);
        QFETCH(QString, field);
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        QCOMPARE(mesh.apply(mesh.webYaml(withRetry(retry.toStdString()), "")), std::string());
        Behaviour bad = answering(status);
        bad.fault = *parseFault(fault.toStdString());
        if (!field.isEmpty()) {
            bad.headers.emplace_back(
                field.section(QStringLiteral(": "), 0, 0).toStdString(),
                field.section(QStringLiteral(": "), 1).toStdString()
            );
        }
        mesh.servers[0]->behave(bad);
        LoadPlan plan = mesh.plan(20, 1);
        plan.request = [&method](std::size_t) {
            return fmt::format(
                "{} / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", method.toStdString()
            );
        };

        const LoadReport report = runLoad(*mesh.loop, plan);

        // Round robin meets the bad one with every second request that is begun.
        const std::size_t fromGood = report.count("X-Server", "s1");
        QVERIFY2(fromGood == (isRepeated ? 20U : 10U), (report.summary() + mesh.told()).c_str());
        QCOMPARE(report.count(status), status == 200 ? 20U : 20U - fromGood);
        if (isRepeated) {
            QVERIFY(mesh.policyEvent("retried", kSubject).has_value());
        } else {
            QVERIFY(!mesh.hasPolicyEvent("retried"));
        }
    }

    void attemptsAreCountedAndGoToOthers()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(4));
        QCOMPARE(mesh.apply(mesh.webYaml(withRetry("on: [5xx], attempts: 3"), "")), std::string());
        for (auto& server : mesh.servers) {
            server->behave(Fault::Unavailable);
        }
        std::map<std::string, std::set<std::size_t>> serversOf;
        LoadPlan plan = mesh.plan(20, 1);
        plan.request = [](std::size_t at) {
            return fmt::format("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", at);
        };
        QCOMPARE(runLoad(*mesh.loop, plan).count(503), 20U);

        QCOMPARE(sum(mesh.requestsByServer()), 60U);
        for (std::size_t at = 0; at < mesh.servers.size(); ++at) {
            for (const ReceivedRequest& request : mesh.servers[at]->takeReceived()) {
                QVERIFY(serversOf[request.target].insert(at).second); // Never the same again.
            }
        }
        QVERIFY(mesh.waitForCount("retried", kSubject, 40));
    }

    // A body beyond the limit is passed on and not kept.
    void aBodyBeyondTheLimitIsSentOnce()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        QCOMPARE(
            mesh.apply(mesh.webYaml(withRetry("on: [5xx], max_body_bytes: 1000"), "")),
            std::string()
        );
        mesh.servers[0]->behave(Fault::Unavailable);
        for (const std::size_t size : {1000U, 1001U, 500'000U}) {
            LoadPlan plan = mesh.plan(10, 1);
            const std::string body(size, 'b');
            plan.request = [&body](std::size_t) {
                return fmt::format(
                    "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{}", body.size(), body
                );
            };
            const LoadReport report = runLoad(*mesh.loop, plan);
            QCOMPARE(report.count(200), size <= 1000 ? 10U : 5U);
            QCOMPARE(report.count("X-Got", std::to_string(size)), 10U);
        }
    }

    // One retry at once: of sixteen requests that all fail, at most one is repeated at a time.
    void anExhaustedBudgetStopsRetries()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        QCOMPARE(
            mesh.apply(mesh.webYaml(
                "  resilience: {retry: {on: [5xx], attempts: 2, backoff: {base: 1ms, max: 1ms},"
                " budget: {percent: 0, min_concurrent: 1}}}\n",
                ""
            )),
            std::string()
        );
        Behaviour slow;
        slow.fault = Fault::Unavailable;
        slow.delay = 50 * kMillisecond;
        for (auto& server : mesh.servers) {
            server->behave(slow);
        }
        QCOMPARE(mesh.load(64, 16).count(503), 64U);

        const auto reason = mesh.policyEvent("budget_exhausted", kSubject);
        QVERIFY2(reason.has_value(), mesh.told().c_str());
        QVERIFY(!reason->empty());
        // Four rounds of 50 ms; in each a retry of 50 ms fits once or twice.
        const std::uint64_t retries = sum(mesh.requestsByServer()) - 64;
        QVERIFY2(retries >= 1 && retries <= 16, std::to_string(retries).c_str());
        QVERIFY(mesh.waitForCount("retried", kSubject, retries));
    }

    void withoutABudgetEveryFailureIsRepeated()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        QCOMPARE(
            mesh.apply(mesh.webYaml(
                "  resilience: {retry: {on: [5xx], attempts: 3, backoff: {base: 1ms, max: 1ms}}}\n",
                ""
            )),
            std::string()
        );
        Behaviour slow = answering(503);
        slow.delay = 20 * kMillisecond;
        for (auto& server : mesh.servers) {
            server->behave(slow);
        }
        QCOMPARE(mesh.load(64, 32).count(503), 64U);
        QCOMPARE(sum(mesh.requestsByServer()), std::uint64_t{192});
        QVERIFY(mesh.waitForCount("retried", kSubject, 128));
    }

    // As anExhaustedBudgetStopsRetries, by the upstream's limits.
    void withoutABudgetMaxRetriesBoundsRetries()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        QCOMPARE(
            mesh.apply(mesh.webYaml(
                "  resilience: {retry: {on: [5xx], attempts: 2, backoff: {base: 1ms, max: 1ms}}}\n",
                "  limits: {max_retries: 1}\n"
            )),
            std::string()
        );
        Behaviour slow;
        slow.fault = Fault::Unavailable;
        slow.delay = 50 * kMillisecond;
        for (auto& server : mesh.servers) {
            server->behave(slow);
        }
        QCOMPARE(mesh.load(64, 16).count(503), 64U);

        QVERIFY2(
            mesh.policyEvent("limit_reached", "upstream:pool").has_value(), mesh.told().c_str()
        );
        const std::uint64_t retries = sum(mesh.requestsByServer()) - 64;
        QVERIFY2(retries >= 1 && retries <= 16, std::to_string(retries).c_str());
        QVERIFY(mesh.waitForCount("retried", kSubject, retries));
    }

    void retryAfterIsWaitedFor()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(1));
        QCOMPARE(mesh.apply(mesh.webYaml(withRetry("on: [5xx]"), "")), std::string());
        bool isFirst = true;
        mesh.servers[0]->decide([&isFirst](const ReceivedRequest&) {
            Behaviour behaviour;
            behaviour.fault = std::exchange(isFirst, false) ? Fault::RetryLater : Fault::None;
            return behaviour;
        });
        const LoadAnswer answer = mesh.ask();
        QCOMPARE(answer.status, 200);
        QVERIFY(answer.took >= std::chrono::seconds(1));
        QCOMPARE(mesh.servers[0]->requests(), 2U);
    }

    void aRetryAfterBeyondTheTimeoutIsPassedOn()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        QCOMPARE(
            mesh.apply(mesh.webYaml("  resilience: {timeout: 900ms, retry: {on: [5xx]}}\n", "")),
            std::string()
        );
        for (auto& server : mesh.servers) {
            server->behave(Fault::RetryLater);
        }
        const LoadAnswer answer = mesh.ask();
        QCOMPARE(answer.status, 503);
        QCOMPARE(answer.header("Retry-After"), std::string("1"));
        QCOMPARE(sum(mesh.requestsByServer()), 1U);
    }

    void theTimeoutIsForTheWholeRequest()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        QCOMPARE(
            mesh.apply(mesh.webYaml(
                "  resilience: {timeout: 150ms, per_try_timeout: 100ms, retry: {on: [reset],"
                " attempts: 10, backoff: {base: 1ms, max: 1ms}}}\n",
                ""
            )),
            std::string()
        );
        for (auto& server : mesh.servers) {
            server->behave(Fault::Hang);
        }
        const LoadAnswer answer = mesh.ask();
        QCOMPARE(answer.status, 504);
        QVERIFY(answer.body.find("The upstream server is timing out") != std::string::npos);
        QVERIFY(answer.took >= 150 * kMillisecond);
        QCOMPARE(sum(mesh.requestsByServer()), 2U);
        QVERIFY(mesh.policyEvent("timed_out", kSubject).has_value());
        for (auto& server : mesh.servers) { // Nobody goes on working for nobody.
            QVERIFY(runUntil(*mesh.loop, [&] { return server->abandoned() == 1; }));
        }
        // The connection to the client is of use still.
        QCOMPARE(mesh.load(3, 1).count(504), 3U);
    }

    void anAttemptThatTakesTooLongIsRepeatedElsewhere()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        QCOMPARE(
            mesh.apply(mesh.webYaml(
                "  resilience: {timeout: 5s, per_try_timeout: 50ms, retry: {on: [reset],"
                " backoff: {base: 1ms, max: 1ms}}}\n",
                ""
            )),
            std::string()
        );
        mesh.servers[0]->behave(Fault::Hang);
        const LoadReport report = mesh.load(10, 1);
        QCOMPARE(report.good(), 10U);
        QVERIFY(mesh.servers[0]->requests() >= 5);
        QVERIFY(runUntil(*mesh.loop, [&] {
            return mesh.servers[0]->abandoned() == mesh.servers[0]->requests();
        }));
        // Only until the head: a body may take its time.
        Behaviour slow;
        slow.fault = Fault::SlowBody;
        slow.pace = 70 * kMillisecond;
        mesh.servers[0]->behave(slow);
        QCOMPARE(mesh.load(4, 1).good(), 4U);
    }

    // A route's words win over its service's, field by field.
    void aRouteSaysItsOwn()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        const std::string yaml = fmt::format(
            "_format_version: \"3.0\"\nservices:\n- name: web\n  host: pool\n"
            "  resilience: {{timeout: 5s, retry: {{on: [5xx], backoff: {{base: 1ms, max: "
            "1ms}}}}}}\n"
            "  routes:\n  - {{name: all, paths: [/]}}\n"
            "  - {{name: once, paths: [/once], resilience: {{retry: {{on: [5xx], attempts: "
            "1}}}}}}\n"
            "upstreams:\n- name: pool\n{}",
            mesh.targetsYaml(0, 2)
        );
        QCOMPARE(mesh.apply(yaml), std::string());
        mesh.servers[0]->behave(Fault::Unavailable);
        LoadPlan plan = mesh.plan(20, 1);
        QCOMPARE(runLoad(*mesh.loop, plan).count(200), 20U);
        plan.path = "/once";
        QCOMPARE(runLoad(*mesh.loop, plan).count(503), 10U);
    }
};

QTEST_APPLESS_MAIN(PoliciesRepeatTest)
#include "policies_repeat_test.moc"
