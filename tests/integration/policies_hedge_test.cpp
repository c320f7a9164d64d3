// Goal: what the file says about hedging is what a client and the servers see.
// Method: golden cases from text to behaviour over a real engine; servers count what reaches them.
#include "tests/support/policy_fixture.h"

#include <QTest>

#include <algorithm>

using namespace mesh;
using namespace mesh::test;

namespace {

constexpr std::string_view kSubject = "service:web";
constexpr Duration kMillisecond = std::chrono::milliseconds(1);

std::uint64_t sum(const std::vector<std::uint64_t>& counts)
{
    std::uint64_t all = 0;
    for (const std::uint64_t count : counts) {
        all += count;
    }
    return all;
}

} // namespace

class PoliciesHedgeTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    // A slow server is asked, another after 50 ms, and the first to answer wins.
    void aHedgeWinsAgainstASlowServer()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        QCOMPARE(
            mesh.apply(mesh.webYaml("  resilience: {hedge: {after: 50ms, max: 1}}\n", "")),
            std::string()
        );
        Behaviour slow;
        slow.delay = std::chrono::seconds(20);
        mesh.servers[0]->behave(slow);

        const LoadReport report = mesh.load(20, 2);

        QVERIFY2(report.good() == 20, (report.summary() + mesh.told()).c_str());
        QCOMPARE(report.count("X-Server", "s1"), 20U);
        QVERIFY2(report.slowest() < slow.delay, report.summary().c_str());
        const std::uint64_t hedged = mesh.servers[0]->requests();
        QVERIFY(hedged >= 5);
        QVERIFY(mesh.policyEvent("hedged", kSubject).has_value());
        QVERIFY(mesh.waitForCount("hedged", kSubject, hedged));
        // The losers are cancelled: their connections end.
        QVERIFY(runUntil(*mesh.loop, [&] { return mesh.servers[0]->abandoned() == hedged; }));
        QCOMPARE(mesh.servers[1]->requests(), 20U);
    }

    // Without a retry policy a copy counts among the upstream's retries.
    void aHedgeIsBoundedByMaxRetries()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        QCOMPARE(
            mesh.apply(mesh.webYaml(
                "  resilience: {hedge: {after: 20ms, max: 1}}\n", "  limits: {max_retries: 0}\n"
            )),
            std::string()
        );
        Behaviour slow;
        slow.delay = 200 * kMillisecond;
        mesh.servers[0]->behave(slow);
        mesh.servers[1]->behave(slow);

        const LoadAnswer answer = mesh.ask();

        QCOMPARE(answer.status, 200);
        QCOMPARE(sum(mesh.requestsByServer()), 1U);
        QVERIFY(mesh.policyEvent("limit_reached", "upstream:pool").has_value());
    }

    // The first attempt may win after all; then the hedge is cancelled.
    void aHedgeThatLosesIsCancelled()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        QCOMPARE(
            mesh.apply(mesh.webYaml("  resilience: {hedge: {after: 20ms, max: 1}}\n", "")),
            std::string()
        );
        std::atomic<int> asked{0};
        const auto first = [&asked](const ReceivedRequest&) {
            Behaviour behaviour;
            behaviour.delay = asked++ == 0 ? 200 * kMillisecond : std::chrono::seconds(20);
            return behaviour;
        };
        mesh.servers[0]->decide(first);
        mesh.servers[1]->decide(first);

        const LoadAnswer answer = mesh.ask();

        QCOMPARE(answer.status, 200);
        QCOMPARE(sum(mesh.requestsByServer()), 2U);
        QVERIFY(runUntil(*mesh.loop, [&] {
            return mesh.servers[0]->abandoned() + mesh.servers[1]->abandoned() == 1;
        }));
    }

    void whatMustNotBeSentTwiceIsNotHedged()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        QCOMPARE(
            mesh.apply(mesh.webYaml("  resilience: {hedge: {after: 10ms, max: 1}}\n", "")),
            std::string()
        );
        Behaviour slow;
        slow.delay = 100 * kMillisecond;
        mesh.servers[0]->behave(slow);
        mesh.servers[1]->behave(slow);
        for (int at = 0; at < 4; ++at) {
            QCOMPARE(mesh.ask("/", {}, "body", "POST").status, 200);
        }
        QCOMPARE(sum(mesh.requestsByServer()), 4U);
        QVERIFY(!mesh.hasPolicyEvent("hedged"));
    }

    // A body is copied too.
    void aHedgeCarriesTheBody()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        QCOMPARE(
            mesh.apply(mesh.webYaml(
                "  resilience: {hedge: {after: 30ms, max: 1}, retry: {on: [5xx]}}\n", ""
            )),
            std::string()
        );
        mesh.servers[0]->behave(Fault::Hang);
        for (int at = 0; at < 4; ++at) {
            const LoadAnswer answer = mesh.ask("/", {}, "four", "PUT");
            QCOMPARE(answer.status, 200);
            QCOMPARE(answer.header("X-Got"), std::string("4"));
        }
        QVERIFY(mesh.servers[0]->requests() >= 1);
    }

    // A client that goes takes all attempts with it.
    void noAttemptOutlivesItsRequest()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(3));
        QCOMPARE(
            mesh.apply(mesh.webYaml("  resilience: {hedge: {after: 20ms, max: 2}}\n", "")),
            std::string()
        );
        for (auto& server : mesh.servers) {
            server->behave(Fault::Hang);
        }
        RawSocket client(mesh.proxy);
        QVERIFY(client.send(*mesh.loop, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        QVERIFY(runUntil(*mesh.loop, [&] { return sum(mesh.requestsByServer()) == 3; }));
        client.close();
        QVERIFY(runUntil(*mesh.loop, [&] {
            return std::ranges::all_of(mesh.servers, [](const auto& server) {
                return server->abandoned() == 1 && server->open() == 0;
            });
        }));
    }

    // Not before there are latencies to go by; then beyond their 90th percentile.
    void aHedgeWaitsForThePercentile()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        QCOMPARE(
            mesh.apply(
                mesh.webYaml("  resilience: {timeout: 500ms, hedge: {after: p90, max: 1}}\n", "")
            ),
            std::string()
        );
        mesh.servers[0]->behave(Fault::Hang);
        mesh.servers[1]->behave(Fault::Hang);
        QCOMPARE(mesh.ask().status, 504);
        QCOMPARE(sum(mesh.requestsByServer()), 1U);

        mesh.servers[0]->behave(Fault::None);
        mesh.servers[1]->behave(Fault::None);
        QCOMPARE(mesh.load(400, 2).good(), 400U);
        mesh.servers[0]->behave(Fault::Hang);
        const LoadReport report = mesh.load(20, 2);
        QVERIFY2(report.good() == 20, (report.summary() + mesh.told()).c_str());
        QVERIFY(mesh.servers[0]->abandoned() >= 1);
    }
};

QTEST_APPLESS_MAIN(PoliciesHedgeTest)
#include "policies_hedge_test.moc"
