// Goal: what the file says about splits, mirrors and versions decides which server gets a
// request.
// Method: golden cases from text to behaviour over a real engine; servers count what reaches them.
#include "tests/support/answers_by_key.h"

#include <QTest>

#include <map>
#include <set>

using namespace mesh;
using namespace mesh::test;

namespace {

// Services a (first server), b (second) ... and one route of a that is split.
std::string splitYaml(const PolicyFixture& mesh, std::string_view split)
{
    std::string yaml = "_format_version: \"3.0\"\nservices:\n";
    for (std::size_t at = 0; at < mesh.servers.size(); ++at) {
        yaml += fmt::format(
            "- name: {0}\n  url: http://{1}\n",
            static_cast<char>('a' + at),
            mesh.servers[at]->address().toText()
        );
        if (at == 0) {
            yaml += fmt::format("  routes:\n  - {{name: all, paths: [/], {}}}\n", split);
        }
    }
    return yaml;
}

std::string get(std::string_view target, std::string_view field = {})
{
    return fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n{}\r\n", target, field);
}

} // namespace

class PoliciesSplitTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void splitsFollowTheirWeights_data()
    {
        QTest::addColumn<int>("first");
        QTest::addColumn<int>("second");
        QTest::newRow("95 and 5") << 95 << 5;
        QTest::newRow("2 and 1") << 2 << 1;
        QTest::newRow("1 and 0") << 1 << 0;
    }
    void splitsFollowTheirWeights()
    {
        QFETCH(int, first);
        QFETCH(int, second);
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        QCOMPARE(
            mesh.apply(splitYaml(
                mesh,
                fmt::format(
                    "split: [{{service: a, weight: {}}}, {{service: b, weight: {}}}]", first, second
                )
            )),
            std::string()
        );
        const std::size_t requests = 2000;
        const LoadReport report = mesh.load(requests);
        QCOMPARE(report.good(), requests);
        const double share = static_cast<double>(first) / (first + second);
        const double expected = share * requests;
        const double deviation = std::sqrt(requests * share * (1 - share));
        const auto got = static_cast<double>(report.count("X-Server", "s0"));
        QVERIFY2(std::abs(got - expected) <= 5 * deviation, report.summary().c_str());
        QCOMPARE(mesh.servers[0]->requests() + mesh.servers[1]->requests(), requests);
        // Counted as requests of the service that took them.
        QVERIFY(runUntil(*mesh.loop, [&] {
            return mesh.box.has<api::StatsEvent>([&](const api::StatsEvent& event) {
                return std::ranges::any_of(event.frame->requests, [&](const auto& row) {
                    return row.service == (second > 0 ? "b" : "a") && row.route == "all";
                });
            });
        }));
    }

    void stickyCallersStay_data()
    {
        QTest::addColumn<QString>("sticky");
        QTest::addColumn<QString>("field");
        QTest::newRow("header") << "{by: header, name: x-user}"
                                << "x-user: {}\r\n";
        QTest::newRow("cookie") << "{by: cookie, name: user}"
                                << "Cookie: a=1; user={}\r\n";
    }
    void stickyCallersStay()
    {
        QFETCH(QString, sticky);
        QFETCH(QString, field);
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2, 2));
        const auto yaml = [&](int first) {
            return splitYaml(
                mesh,
                fmt::format(
                    "split: [{{service: a, weight: {}}}, {{service: b, weight: {}}}], "
                    "split_sticky: {}",
                    first,
                    100 - first,
                    sticky.toStdString()
                )
            );
        };
        const auto request = [&](int key) {
            return get("/", fmt::format(fmt::runtime(field.toStdString()), key));
        };
        QCOMPARE(mesh.apply(yaml(80)), std::string());
        const auto before = serversByKey(mesh, 200, 3, request);
        const auto counts = countServers(before);
        QVERIFY(!counts.contains("?"));
        QVERIFY(counts.at("s1") > 10 && counts.at("s1") < 80);

        QCOMPARE(mesh.apply(yaml(50)), std::string()); // Who was with b stays there.
        const auto after = serversByKey(mesh, 200, 3, request);
        QVERIFY(!countServers(after).contains("?"));
        QVERIFY(countServers(after).at("s1") > counts.at("s1"));
        for (const auto& [key, server] : before) {
            QVERIFY(server != "s1" || after.at(key) == "s1");
        }
    }

    void stickyByAddressKeepsTheWholeClient()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2, 2));
        QCOMPARE(
            mesh.apply(splitYaml(
                mesh,
                "split: [{service: a, weight: 50}, {service: b, weight: 50}], "
                "split_sticky: {by: ip}"
            )),
            std::string()
        );
        const LoadReport report = mesh.load(100);
        const std::size_t first = report.count("X-Server", "s0");
        QVERIFY(first == 0 || first == 100);
    }

    // The copy has the body; what the mirror does is nobody's business.
    void aMirrorGetsCopiesAndItsAnswersAreDropped_data()
    {
        QTest::addColumn<QString>("fault");
        for (const char* fault : {"ok", "unavailable", "reset-at-request", "hang", "refuse"}) {
            QTest::newRow(fault) << QString::fromLatin1(fault);
        }
    }
    void aMirrorGetsCopiesAndItsAnswersAreDropped()
    {
        QFETCH(QString, fault);
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        mesh.servers[1]->behave(*parseFault(fault.toStdString()));
        const std::string yaml = fmt::format(
            "_format_version: \"3.0\"\nservices:\n- name: web\n  url: http://{}\n"
            "  resilience: {{mirror: {{service: shadow, percent: 100, max_body_bytes: 1000}}}}\n"
            "  routes:\n  - {{name: all, paths: [/api]}}\n- name: shadow\n  url: http://{}\n",
            mesh.servers[0]->address().toText(),
            mesh.servers[1]->address().toText()
        );
        QCOMPARE(mesh.apply(yaml), std::string());
        LoadPlan plan = mesh.plan(30, 3);
        plan.request = [](std::size_t at) {
            return fmt::format(
                "POST /api/{} HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\nbody {:02}",
                at % 30,
                at % 30
            );
        };

        const LoadReport report = runLoad(*mesh.loop, plan);

        QCOMPARE(report.good(), 30U);
        QCOMPARE(report.count("X-Server", "s0"), 30U);
        if (fault == QLatin1String("refuse")) {
            return;
        }
        QVERIFY(runUntil(*mesh.loop, [&] { return mesh.servers[1]->requests() == 30; }));
        std::set<std::string> seen;
        for (const ReceivedRequest& copy : mesh.servers[1]->takeReceived()) {
            QCOMPARE(copy.method, std::string("POST"));
            QCOMPARE(copy.target, fmt::format("/{}", std::stoi(copy.body.substr(5))));
            QVERIFY(seen.insert(copy.body).second);
        }
        QVERIFY(mesh.policyEvent("mirrored", "service:web").has_value());
        QVERIFY(mesh.waitForCount("mirrored", "service:web", 30));

        // Too long a body is not copied, and passes all the same.
        const std::string large(1001, 'x');
        QCOMPARE(mesh.ask("/api", {}, large, "POST").header("X-Got"), std::string("1001"));
        QCOMPARE(mesh.ask("/api", {}, large.substr(1), "POST").status, 200);
        QVERIFY(runUntil(*mesh.loop, [&] { return mesh.servers[1]->requests() == 31; }));
    }

    void aMirrorOfHalfGetsHalf()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2));
        const std::string yaml = fmt::format(
            "_format_version: \"3.0\"\nservices:\n- name: web\n  url: http://{}\n"
            "  resilience: {{mirror: {{service: shadow, percent: 50}}}}\n"
            "  routes:\n  - {{name: all, paths: [/]}}\n- name: shadow\n  url: http://{}\n",
            mesh.servers[0]->address().toText(),
            mesh.servers[1]->address().toText()
        );
        QCOMPARE(mesh.apply(yaml), std::string());
        QCOMPARE(mesh.load(1000, 2).good(), 1000U);
        QVERIFY(runUntil(*mesh.loop, [&] {
            const std::uint64_t copies = mesh.servers[1]->requests();
            return copies > 0 && mesh.policyCount("mirrored", "service:web") == copies;
        }));
        const std::uint64_t copies = mesh.servers[1]->requests();
        QVERIFY2(copies > 420 && copies < 580, std::to_string(copies).c_str());
    }

    void aRouteOfAVersionReachesOnlyItsTargets()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(4));
        const std::string yaml = fmt::format(
            "_format_version: \"3.0\"\nservices:\n- name: web\n  host: pool\n  routes:\n"
            "  - {{name: all, paths: [/], resilience: {{version: v1}}}}\n"
            "  - {{name: canary, paths: [/], headers: {{x-canary: [\"1\"]}},"
            " resilience: {{version: v2}}}}\nupstreams:\n- name: pool\n{}",
            mesh.targetsYaml(0, 4, {"version:v1", "version:v1", "version:v1", "version:v2"})
        );
        QCOMPARE(mesh.apply(yaml), std::string());
        QCOMPARE(mesh.load(90, 3).good(), 90U);
        QCOMPARE(mesh.requestsByServer(), (std::vector<std::uint64_t>{30, 30, 30, 0}));
        LoadPlan plan = mesh.plan(30, 3);
        plan.request = [](std::size_t) { return get("/", "x-canary: 1\r\n"); };
        QCOMPARE(runLoad(*mesh.loop, plan).count("X-Server", "s3"), 30U);

        // Without a target of the version that can be used, no other takes its place.
        QVERIFY(mesh.engine->submit(api::SetTargetHealth{
            "pool", mesh.servers[3]->address().toText(), api::HealthOverride::Unhealthy}));
        QVERIFY(runUntil(*mesh.loop, [&] { return mesh.ask("/", "x-canary: 1\r\n").status == 503; })
        );
        QCOMPARE(mesh.ask("/").status, 200);
    }
};

QTEST_APPLESS_MAIN(PoliciesSplitTest)
#include "policies_split_test.moc"
