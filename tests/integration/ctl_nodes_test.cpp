// Goal: what the command line says about nodes is what the nodes do.
// Method: real meshwrightd processes on loopback, the commands as a library.
#include "proxyengine/base/thread.h"
#include "tests/support/ctl_fleet.h"

#include <QElapsedTimer>
#include <QTest>

#include <atomic>

namespace mesh {

using test::CtlFleet;

class CtlNodesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void nodesTellsWhoRunsSomethingElse();
    void diffComparesWithWhatANodeRuns();
    void diffComparesFilesAndTellsTheEffect();
    void compileTellsTheOriginOfValues();
    void aRouteTestOfFileAndNodeSayTheSame();
    void aRouteTestWithoutARouteIsOne();
    void tapShowsRequestsThatMatch();
    void tapEndsWithOneWhenItsTimeIsOver();
    void badInputEndsWithItsCode_data();
    void badInputEndsWithItsCode();

private:
    std::string url(std::size_t node) const
    {
        return "http://" + m_fleet.nodes[node]->adminAddress();
    }

    CtlFleet m_fleet;
    std::string m_file;
};

void CtlNodesTest::initTestCase()
{
    QVERIFY(m_fleet.start(2));
    m_file = m_fleet.write("shop.yaml", m_fleet.documentText(2, m_fleet.goodPort()));
    QCOMPARE(m_fleet.ctl({"push", m_file}), 0);
}

void CtlNodesTest::nodesTellsWhoRunsSomethingElse()
{
    QCOMPARE(m_fleet.ctl({"nodes", m_file, "--json"}), 0);
    const nlohmann::json row = m_fleet.json()["nodes"][0];
    QCOMPARE(row["name"].get<std::string>(), std::string("edge-1"));
    QCOMPARE(row["state"].get<std::string>(), std::string("running"));
    QCOMPARE(row["converged"].get<bool>(), true);
    QVERIFY(row["clock_offset_ms"].is_number());
    QVERIFY(!row["version"].get<std::string>().empty());

    const std::string other =
        m_fleet.write("other.yaml", m_fleet.documentText(2, m_fleet.goodPort(), 5000));
    QCOMPARE(m_fleet.ctl({"nodes", other}), 1);
    QVERIFY(m_fleet.output.out.find("edge-2") != std::string::npos);
}

void CtlNodesTest::diffComparesWithWhatANodeRuns()
{
    const std::string other =
        m_fleet.write("other.yaml", m_fleet.documentText(2, m_fleet.goodPort(), 5000));

    QCOMPARE(m_fleet.ctl({"diff", m_file, "--node", "edge-1"}), 0);
    QCOMPARE(m_fleet.ctl({"diff", other, "--node", url(1), "--json"}), 1);

    const nlohmann::json json = m_fleet.json();
    QCOMPARE(json["objects"].size(), 1U);
    QCOMPARE(json["objects"][0]["name"].get<std::string>(), std::string("shop"));
    QCOMPARE(
        json["objects"][0]["fields"][0]["path"].get<std::string>(), std::string("read_timeout")
    );
    QCOMPARE(json["objects"][0]["fields"][0]["after"].get<int>(), 5000);
    QCOMPARE(json["effective"].size(), 1U);
    QCOMPARE(json["effective"][0]["nodes"].size(), 1U);
    QCOMPARE(json["effective"][0]["nodes"][0].get<std::string>(), std::string("edge-2"));
}

void CtlNodesTest::diffComparesFilesAndTellsTheEffect()
{
    const std::string other =
        m_fleet.write("other.yaml", m_fleet.documentText(2, m_fleet.goodPort(), 5000));

    QCOMPARE(m_fleet.ctl({"diff", m_file, "--against", m_file}), 0);
    QCOMPARE(m_fleet.ctl({"diff", other, "--against", m_file}), 1);

    const QByteArray out = QByteArray::fromStdString(m_fleet.output.out);
    QVERIFY2(out.contains("updated  services/shop\n"), out);
    QVERIFY2(out.contains("read_timeout: (default) -> 5000"), out);
    QVERIFY2(out.contains("Effective on edge-1, edge-2:\n"), out);
    QVERIFY2(out.contains("read_timeout: 60000\n"), out);
    QVERIFY2(out.contains("read_timeout: 5000\n"), out);
}

void CtlNodesTest::compileTellsTheOriginOfValues()
{
    QCOMPARE(m_fleet.ctl({"compile", m_file, "--node", "edge-1", "--explain", "--json"}), 0);

    std::string origins;
    const nlohmann::json json = m_fleet.json();
    for (const nlohmann::json& value : json["values"]) {
        if (value["object"] == "services/shop" && value["field"] == "retries") {
            QCOMPARE(value["value"].get<int>(), 0);
            origins += value["origin"].get<std::string>() + " " + value["from"].get<std::string>();
        }
        if (value["object"] == "services/shop" && value["field"] == "connect_timeout") {
            origins += "; " + value["origin"].get<std::string>();
        }
    }
    QVERIFY2(origins.find("document services[0].retries") != std::string::npos, origins.c_str());
    QVERIFY2(origins.find("default") != std::string::npos, origins.c_str());
    QCOMPARE(m_fleet.ctl({"compile", m_file, "--node", "edge-1"}), 0);
    QVERIFY(m_fleet.output.out.find("services/shop\n") != std::string::npos);
    QCOMPARE(m_fleet.ctl({"compile", m_file, "--node", "nobody"}), 1);
}

void CtlNodesTest::aRouteTestOfFileAndNodeSayTheSame()
{
    const std::string request = "GET http://any.test/status?x=1";

    QCOMPARE(m_fleet.ctl({"route-test", m_file, request, "--node", "edge-1", "--json"}), 0);
    const nlohmann::json here = m_fleet.json();
    QCOMPARE(m_fleet.ctl({"route-test", "--node", url(0), request, "--json"}), 0);

    QCOMPARE(here["route"].get<std::string>(), std::string("all"));
    QCOMPARE(m_fleet.json().dump(), here.dump());
    QCOMPARE(m_fleet.ctl({"route-test", m_file, request, "-H", "X-A: b"}), 0);
    QVERIFY2(
        m_fleet.output.out.starts_with("all  services[0].routes[0]\n"), m_fleet.output.out.c_str()
    );
}

void CtlNodesTest::aRouteTestWithoutARouteIsOne()
{
    const std::string file = m_fleet.write(
        "one.yaml",
        "_format_version: \"3.0\"\nservices: [{name: s, host: 127.0.0.1, routes: [{name: posts, "
        "paths: [/p], methods: [POST]}]}]\n"
    );

    QCOMPARE(m_fleet.ctl({"route-test", file, "GET http://any.test/p"}), 1);

    const QByteArray out = QByteArray::fromStdString(m_fleet.output.out);
    QVERIFY2(out.startsWith("no route; 404\n"), out);
    QVERIFY2(out.contains("not posts: "), out);
}

void CtlNodesTest::tapShowsRequestsThatMatch()
{
    std::atomic<int> code{-1};
    Thread tap("tap", [&] {
        code = m_fleet.ctl(
            {"tap",
             "--node",
             url(1),
             "path contains stat and status = 200",
             "--count",
             "2",
             "--json"}
        );
    });
    QElapsedTimer timer;
    timer.start();
    while (code < 0 && timer.elapsed() < 30'000) {
        static_cast<void>(m_fleet.nodes[1]->proxy("/status"));
        static_cast<void>(m_fleet.nodes[1]->proxy("/services"));
        static_cast<void>(m_fleet.nodes[1]->proxy("/nostat"));
    }
    tap.join();

    QCOMPARE(code.load(), 0);
    const QList<QByteArray> lines =
        QByteArray::fromStdString(m_fleet.output.out).trimmed().split('\n');
    QCOMPARE(lines.size(), 2);
    for (const QByteArray& line : lines) {
        const auto json = nlohmann::json::parse(line.toStdString(), nullptr, false);
        QCOMPARE(json["kind"].get<std::string>(), std::string("access"));
        QCOMPARE(json["route"].get<std::string>(), std::string("all"));
        QCOMPARE(json["path"].get<std::string>(), std::string("/status"));
    }
}

void CtlNodesTest::tapEndsWithOneWhenItsTimeIsOver()
{
    QCOMPARE(m_fleet.ctl({"tap", "--node", url(0), "never", "--count", "1", "--for", "200ms"}), 1);
    QCOMPARE(m_fleet.ctl({"tap", "--node", url(0), "--for", "200ms"}), 0);
}

void CtlNodesTest::badInputEndsWithItsCode_data()
{
    QTest::addColumn<QStringList>("words");
    QTest::addColumn<int>("code");

    QTest::newRow("diff with nothing") << QStringList({"diff", "@"}) << 2;
    QTest::newRow("diff with a revision of a file")
        << QStringList({"diff", "@", "--against", "3"}) << 2;
    QTest::newRow("diff with what is not there")
        << QStringList({"diff", "@", "--against", "/nowhere.yaml"}) << 3;
    QTest::newRow("diff with who is not there")
        << QStringList({"diff", "@", "--node", "http://127.0.0.1:1"}) << 3;
    QTest::newRow("diff with an unknown node") << QStringList({"diff", "@", "--node", "x"}) << 2;
    QTest::newRow("compile without a node") << QStringList({"compile", "@"}) << 2;
    QTest::newRow("route test of nothing") << QStringList({"route-test", "GET http://a/"}) << 2;
    QTest::newRow("route test of no request")
        << QStringList({"route-test", "@", "GET ftp://a/"}) << 2;
    QTest::newRow("route test of a method alone") << QStringList({"route-test", "@", "GET"}) << 2;
    QTest::newRow("route test of a method and nothing")
        << QStringList({"route-test", "@", "GET "}) << 2;
    QTest::newRow("route test of an empty request") << QStringList({"route-test", "@", ""}) << 2;
    QTest::newRow("route test with a bad header")
        << QStringList({"route-test", "@", "GET http://a/", "-H", "x"}) << 2;
    QTest::newRow("tap with a bad filter")
        << QStringList({"tap", "--node", "http://127.0.0.1:1", "status >"}) << 2;
    QTest::newRow("tap of who is not there")
        << QStringList({"tap", "--node", "http://127.0.0.1:1"}) << 3;
    QTest::newRow("https without a certificate")
        << QStringList({"dump", "--node", "https://127.0.0.1:1"}) << 3;
    QTest::newRow("nodes of what is not there") << QStringList({"nodes", "/nowhere.yaml"}) << 3;
}

void CtlNodesTest::badInputEndsWithItsCode()
{
    QFETCH(const QStringList, words);
    QFETCH(const int, code);
    std::vector<std::string> arguments;
    for (const QString& word : words) {
        arguments.push_back(word == QStringLiteral("@") ? m_file : word.toStdString());
    }

    QCOMPARE(m_fleet.ctl(arguments), code);
    QVERIFY(!(m_fleet.output.out.empty() && m_fleet.output.err.empty()));
}

} // namespace mesh

QTEST_APPLESS_MAIN(mesh::CtlNodesTest)
#include "ctl_nodes_test.moc"
