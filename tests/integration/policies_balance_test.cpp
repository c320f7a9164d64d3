// Goal: what the file says about hashing, zones and slow start decides which server gets a request.
// Method: golden cases from text to behaviour over a real engine; servers count what reaches them.
#include "tests/support/answers_by_key.h"

#include <QTest>

#include <set>

using namespace mesh;
using namespace mesh::test;

namespace {

std::string get(std::string_view target, std::string_view field = {})
{
    return fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n{}\r\n", target, field);
}

std::string cookieOf(const LoadAnswer& answer)
{
    const std::string field = answer.header("Set-Cookie");
    return field.substr(0, field.find(';'));
}

} // namespace

class PoliciesBalanceTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    // The same key always meets the same server, whatever connection or worker carries it.
    void hashingKeepsAKeyAtItsServer_data()
    {
        QTest::addColumn<QString>("hashOn");
        QTest::addColumn<QString>("target");
        QTest::addColumn<QString>("field");
        const auto row =
            [](const char* name, const char* hashOn, const char* target, const char* field) {
                for (const char* algorithm : {"consistent-hashing", "maglev"}) {
                    QTest::addRow("%s, %s", name, algorithm)
                        << QStringLiteral("  algorithm: %1\n").arg(QLatin1String(algorithm))
                               + QLatin1String(hashOn)
                        << QString::fromLatin1(target) << QString::fromLatin1(field);
                }
            };
        row("header", "  hash_on: header\n  hash_on_header: x-user\n", "/", "x-user: u{}\r\n");
        row("path", "  hash_on: path\n", "/item/{}", "");
        row("query argument", "  hash_on: query_arg\n  hash_on_query_arg: id\n", "/?x=1&id={}", "");
        row("cookie", "  hash_on: cookie\n  hash_on_cookie: sid\n", "/", "Cookie: sid={}\r\n");
        row("fallback",
            "  hash_on: header\n  hash_on_header: x-none\n  hash_fallback: header\n"
            "  hash_fallback_header: x-user\n",
            "/",
            "x-user: {}\r\n");
    }
    void hashingKeepsAKeyAtItsServer()
    {
        QFETCH(QString, hashOn);
        QFETCH(QString, target);
        QFETCH(QString, field);
        PolicyFixture mesh;
        QVERIFY(mesh.begin(4, 2));
        QCOMPARE(mesh.apply(mesh.webYaml("", hashOn.toStdString())), std::string());
        const auto request = [&](int key) {
            return get(
                fmt::format(fmt::runtime(target.toStdString()), key),
                fmt::format(fmt::runtime(field.toStdString()), key)
            );
        };
        const auto before = serversByKey(mesh, 100, 3, request);
        const auto counts = countServers(before);
        QVERIFY(!counts.contains("?"));
        QCOMPARE(counts.size(), 4U);

        // One server leaves: the others' keys stay where they are, nearly all with Maglev.
        QVERIFY(mesh.engine->submit(api::SetTargetHealth{
            "pool", mesh.servers[2]->address().toText(), api::HealthOverride::Unhealthy}));
        QVERIFY(runUntil(*mesh.loop, [&] {
            return !countServers(serversByKey(mesh, 100, 2, request)).contains("s2");
        }));
        const auto after = serversByKey(mesh, 100, 3, request);
        int moved = 0;
        for (const auto& [key, server] : before) {
            moved += server != "s2" && after.at(key) != server ? 1 : 0;
        }
        QVERIFY2(moved <= (hashOn.contains(u"maglev") ? 10 : 0), std::to_string(moved).c_str());
    }

    // A group of the expression that found the route.
    void hashingByAPartOfThePath()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(4, 2));
        const std::string yaml = fmt::format(
            "_format_version: \"3.0\"\nservices:\n- name: web\n  host: pool\n  routes:\n"
            "  - {{name: all, strip_path: false, paths: [\"~/users/(?<id>[0-9]+)/\"]}}\n"
            "upstreams:\n- name: pool\n  algorithm: consistent-hashing\n  hash_on: uri_capture\n"
            "  hash_on_uri_capture: id\n{}",
            mesh.targetsYaml(0, 4)
        );
        QCOMPARE(mesh.apply(yaml), std::string());
        int asked = 0;
        const auto counts = countServers(serversByKey(mesh, 100, 3, [&asked](int key) {
            return get(fmt::format("/users/{}/cart/{}", key, ++asked));
        }));
        QVERIFY(!counts.contains("?") && !counts.contains(""));
        QCOMPARE(counts.size(), 4U);
    }

    void hashingByAddressKeepsTheWholeClient()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(4, 2));
        QCOMPARE(
            mesh.apply(mesh.webYaml("", "  algorithm: consistent-hashing\n  hash_on: ip\n")),
            std::string()
        );
        const LoadReport report = mesh.load(100);
        QCOMPARE(report.good(), 100U);
        QCOMPARE(report.count("X-Server", report.answers[0].header("X-Server")), 100U);
    }

    // A client without the cookie gets one, and with it comes back to the same server.
    void aMissingCookieIsSet()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(4, 2));
        QCOMPARE(
            mesh.apply(mesh.webYaml(
                "", "  algorithm: consistent-hashing\n  hash_on: cookie\n  hash_on_cookie: sid\n"
            )),
            std::string()
        );
        std::set<std::string> cookies;
        for (int client = 0; client < 10; ++client) {
            const LoadAnswer first = mesh.ask();
            const std::string cookie = cookieOf(first);
            QVERIFY(cookie.starts_with("sid="));
            QVERIFY(cookies.insert(cookie).second);
            for (int again = 0; again < 3; ++again) {
                const LoadAnswer next = mesh.ask("/", fmt::format("Cookie: {}\r\n", cookie));
                QCOMPARE(next.header("X-Server"), first.header("X-Server"));
                QCOMPARE(next.header("Set-Cookie"), std::string());
            }
        }
    }

    // The node's zone first, then the zones of `failover`, told when it begins and ends.
    void zonesAreUsedInTheirOrder()
    {
        PolicyFixture mesh;
        mesh.options.node = "edge-1";
        QVERIFY(mesh.begin(6));
        const std::string yaml =
            mesh.webYaml(
                "",
                "  locality: {prefer_local_zone: true, failover: [c, b], panic_percent: 0}\n",
                {"zone:a", "zone:a", "zone:b", "zone:b", "zone:c", "zone:c"}
            )
            + "nodes:\n- {name: edge-1, role: gateway, zone: a}\n";
        QCOMPARE(mesh.apply(yaml), std::string());
        QCOMPARE(mesh.load(60, 3).good(), 60U);
        QCOMPARE(mesh.requestsByServer(), (std::vector<std::uint64_t>{30, 30, 0, 0, 0, 0}));

        const auto setZone = [&mesh](std::size_t first, api::HealthOverride word) {
            for (std::size_t at = first; at < first + 2; ++at) {
                static_cast<void>(mesh.engine->submit(api::SetTargetHealth{
                    "pool", mesh.servers[at]->address().toText(), word}));
            }
        };
        const auto allGoTo = [&mesh](std::string_view one, std::string_view other) {
            return runUntil(*mesh.loop, [&] {
                const LoadReport report = mesh.load(20, 2);
                return report.good() == 20
                       && report.count("X-Server", one) + report.count("X-Server", other) == 20;
            });
        };
        setZone(0, api::HealthOverride::Unhealthy);
        QVERIFY(allGoTo("s4", "s5"));
        const auto reason = mesh.policyEvent("failover_started", "upstream:pool");
        QVERIFY2(reason.has_value(), mesh.told().c_str());
        QVERIFY(!reason->empty());
        setZone(4, api::HealthOverride::Unhealthy);
        QVERIFY(allGoTo("s2", "s3"));
        setZone(0, api::HealthOverride::Healthy);
        QVERIFY(allGoTo("s0", "s1"));
        QVERIFY2(
            mesh.policyEvent("failover_ended", "upstream:pool").has_value(), mesh.told().c_str()
        );
    }

    // Half of a zone can carry 70 % (overprovisioning 140); the rest spills over.
    void aHalfHealthyZoneSpillsOver()
    {
        PolicyFixture mesh;
        mesh.options.node = "edge-1";
        QVERIFY(mesh.begin(4));
        const std::string yaml =
            mesh.webYaml(
                "", "  locality: {failover: [b]}\n", {"zone:a", "zone:a", "zone:b", "zone:b"}
            )
            + "nodes:\n- {name: edge-1, role: gateway, zone: a}\n";
        QCOMPARE(mesh.apply(yaml), std::string());
        QVERIFY(mesh.engine->submit(api::SetTargetHealth{
            "pool", mesh.servers[1]->address().toText(), api::HealthOverride::Unhealthy}));
        QVERIFY(runUntil(*mesh.loop, [&] { return mesh.load(10, 2).count("X-Server", "s1") == 0; })
        );
        const LoadReport report = mesh.load(1000, 4);
        QCOMPARE(report.good(), 1000U);
        const std::size_t local = report.count("X-Server", "s0");
        QVERIFY2(local > 620 && local < 780, std::to_string(local).c_str());
    }

    // Below the threshold health is ignored, which is told.
    void panicUsesAll()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(3));
        QCOMPARE(mesh.apply(mesh.webYaml("", "  locality: {panic_percent: 50}\n")), std::string());
        const auto set = [&mesh](std::size_t at, api::HealthOverride word) {
            static_cast<void>(mesh.engine->submit(api::SetTargetHealth{
                "pool", mesh.servers[at]->address().toText(), word}));
        };
        set(0, api::HealthOverride::Unhealthy);
        set(1, api::HealthOverride::Unhealthy);
        QVERIFY2(
            mesh.policyEvent("panic_entered", "upstream:pool").has_value(), mesh.told().c_str()
        );
        QVERIFY(runUntil(*mesh.loop, [&] { return mesh.load(30, 2).count("X-Server", "s0") == 10; })
        );
        set(0, api::HealthOverride::Healthy);
        set(1, api::HealthOverride::Healthy);
        QVERIFY2(mesh.policyEvent("panic_left", "upstream:pool").has_value(), mesh.told().c_str());
    }

    // A target that joins gets a tenth of its share at first.
    void aNewTargetStartsSlowly()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(3));
        const auto yaml = [&mesh](std::size_t count) {
            return fmt::format(
                "_format_version: \"3.0\"\nservices:\n- name: web\n  host: pool\n  routes:\n"
                "  - {{name: all, paths: [/]}}\nupstreams:\n- name: pool\n  slow_start: 1h\n{}",
                mesh.targetsYaml(0, count)
            );
        };
        QCOMPARE(mesh.apply(yaml(2)), std::string());
        QCOMPARE(mesh.load(200, 2).good(), 200U);
        QCOMPARE(mesh.servers[0]->requests(), 100U); // All are as new: equal shares.
        QCOMPARE(mesh.apply(yaml(3)), std::string());
        const LoadReport report = mesh.load(1000, 2);
        const std::size_t late = report.count("X-Server", "s2");
        QVERIFY2(late >= 20 && late <= 150, std::to_string(late).c_str());
    }
};

QTEST_APPLESS_MAIN(PoliciesBalanceTest)
#include "policies_balance_test.moc"
