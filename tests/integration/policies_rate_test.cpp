// Goal: what the file says about rate limits decides what is let through, and what the others are
// told.
// Method: golden cases from text to behaviour over a real engine; servers count what reaches them.
#include "tests/support/policy_fixture.h"

#include <QTest>

using namespace mesh;
using namespace mesh::test;

namespace {

constexpr std::string_view kSubject = "service:web";

std::string limitedBy(std::string_view words)
{
    return fmt::format("  resilience: {{rate_limits: [{{{}}}]}}\n", words);
}

} // namespace

class PoliciesRateTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    // All that arrive at once over four connections of two workers share one limit.
    void aRateLimitHoldsForTheNode_data()
    {
        QTest::addColumn<QString>("limit");
        QTest::addColumn<int>("admitted");
        QTest::newRow("token bucket") << "requests: 7, per: 24h" << 7;
        QTest::newRow("token bucket with burst") << "requests: 100, per: 24h, burst: 5" << 5;
        QTest::newRow("fixed window") << "requests: 9, per: 24h, algorithm: fixed-window" << 9;
        QTest::newRow("sliding window") << "requests: 8, per: 24h, algorithm: sliding-window" << 8;
    }
    void aRateLimitHoldsForTheNode()
    {
        QFETCH(QString, limit);
        QFETCH(int, admitted);
        PolicyFixture mesh;
        QVERIFY(mesh.begin(1, 2));
        QCOMPARE(mesh.apply(mesh.webYaml(limitedBy(limit.toStdString()), "")), std::string());

        const LoadReport report = mesh.load(60, 4);

        const auto expected = static_cast<std::size_t>(admitted);
        QVERIFY2(report.count(200) == expected, report.summary().c_str());
        QCOMPARE(report.count(429), 60 - expected);
        QCOMPARE(mesh.servers[0]->requests(), expected);
        for (const LoadAnswer& answer : report.answers) {
            QVERIFY(!answer.header("RateLimit-Limit").empty());
            QVERIFY(!answer.header("RateLimit-Remaining").empty());
            QVERIFY(std::stoll(answer.header("RateLimit-Reset")) >= 1);
            if (answer.status == 429) {
                QCOMPARE(answer.header("RateLimit-Remaining"), std::string("0"));
                QVERIFY(std::stoll(answer.header("Retry-After")) >= 1);
                QVERIFY(answer.body.find("API rate limit exceeded") != std::string::npos);
            } else {
                QCOMPARE(answer.header("Retry-After"), std::string());
            }
        }
        QVERIFY(mesh.policyEvent("rate_limited", kSubject).has_value());
        QVERIFY(mesh.waitForCount("rate_limited", kSubject, 60 - expected));
    }

    void theLimitOfADayIsNamedByItsPeriod()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(1));
        QCOMPARE(
            mesh.apply(mesh.webYaml(
                limitedBy("requests: 3, per: 24h, algorithm: fixed-window, status: 503"), ""
            )),
            std::string()
        );
        QCOMPARE(mesh.ask().header("X-RateLimit-Remaining-Day"), std::string("2"));
        QCOMPARE(mesh.ask().header("RateLimit-Remaining"), std::string("1"));
        QCOMPARE(mesh.ask().header("X-RateLimit-Limit-Day"), std::string("3"));
        QCOMPARE(mesh.ask().status, 503);
    }

    // A bucket fills again.
    void aBucketFillsAgain()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(1));
        QCOMPARE(
            mesh.apply(mesh.webYaml(limitedBy("requests: 5, per: 1s, burst: 1"), "")), std::string()
        );
        QCOMPARE(mesh.ask().status, 200);
        QCOMPARE(mesh.ask().status, 429);
        const TimePoint began = mesh.clock.now();
        QVERIFY(runUntil(*mesh.loop, [&] { return mesh.ask().status == 200; }));
        QVERIFY(mesh.clock.now() - began >= std::chrono::milliseconds(100));
    }

    void eachKeyHasItsOwnLimit_data()
    {
        QTest::addColumn<QString>("limit");
        QTest::addColumn<QString>("target");
        QTest::addColumn<QString>("field");
        QTest::newRow("header") << "by: header, header: x-user"
                                << "/"
                                << "x-user: {}\r\n";
        QTest::newRow("path") << "by: path"
                              << "/item/{}"
                              << "";
    }
    void eachKeyHasItsOwnLimit()
    {
        QFETCH(QString, limit);
        QFETCH(QString, target);
        QFETCH(QString, field);
        PolicyFixture mesh;
        QVERIFY(mesh.begin(1, 2));
        QCOMPARE(
            mesh.apply(mesh.webYaml(limitedBy("requests: 2, per: 24h, " + limit.toStdString()), "")
            ),
            std::string()
        );
        LoadPlan plan = mesh.plan(100, 4);
        plan.request = [&](std::size_t at) {
            const std::size_t key = at % 20;
            return fmt::format(
                "GET {} HTTP/1.1\r\nHost: a\r\n{}\r\n",
                fmt::format(fmt::runtime(target.toStdString()), key),
                fmt::format(fmt::runtime(field.toStdString()), key)
            );
        };
        const LoadReport report = runLoad(*mesh.loop, plan);
        QVERIFY2(report.count(200) == 40, report.summary().c_str());
        QCOMPARE(report.count(429), 60U);
    }

    // Two limits: the tighter one is told, and a refused request counts in neither.
    void allLimitsMustAdmit()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(1));
        QCOMPARE(
            mesh.apply(mesh.webYaml(
                "  resilience: {rate_limits: [{requests: 5, per: 24h},"
                " {requests: 2, per: 24h, by: header, header: x-user}]}\n",
                ""
            )),
            std::string()
        );
        const auto askAs = [&mesh](std::string_view user) {
            return mesh.ask("/", fmt::format("x-user: {}\r\n", user));
        };
        QCOMPARE(askAs("a").status, 200);
        QCOMPARE(askAs("a").status, 200);
        const LoadAnswer refused = askAs("a");
        QCOMPARE(refused.status, 429);
        QCOMPARE(refused.header("RateLimit-Limit"), std::string("2"));
        QCOMPARE(askAs("b").status, 200);
        QCOMPARE(askAs("b").status, 200);
        QCOMPARE(askAs("c").status, 200); // The fifth: the third of a was given back.
        const LoadAnswer full = askAs("c");
        QCOMPARE(full.status, 429);
        QCOMPARE(full.header("RateLimit-Limit"), std::string("5"));
    }

    // What was counted stays counted when something else in the file changes.
    void countsOutliveAConfiguration()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(1));
        const std::string limit = limitedBy("requests: 3, per: 24h");
        QCOMPARE(mesh.apply(mesh.webYaml(limit, "")), std::string());
        QCOMPARE(mesh.load(10, 1).count(200), 3U);
        QCOMPARE(mesh.apply(mesh.webYaml(limit + "  read_timeout: 5000\n", "")), std::string());
        QCOMPARE(mesh.load(10, 1).count(200), 0U);
        QCOMPARE(
            mesh.apply(mesh.webYaml(limitedBy("requests: 4, per: 24h"), "")), std::string()
        ); // Another limit, from the start.
        QCOMPARE(mesh.load(10, 1).count(200), 4U);
    }
};

QTEST_APPLESS_MAIN(PoliciesRateTest)
#include "policies_rate_test.moc"
