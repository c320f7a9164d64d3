// Goal: a push of the command line ends as it says: every node runs what was read back from it.
// Method: real meshwrightd processes on loopback, the commands as a library.
#include "proxyengine/base/thread.h"
#include "tests/support/certificate_maker.h"
#include "tests/support/ctl_fleet.h"

#include <QElapsedTimer>
#include <QTest>

#include <atomic>
#include <csignal>

namespace mesh {

using test::CtlFleet;

class CtlPushTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void wavesConvergeAndAreRemembered();
    void aGateThatFailsTakesEveryNodeBack();
    void aGateThatHoldsLetsThePushEnd();
    void aNodeThatRefusesIsFourAndTellsItsWords();
    void aNodeThatIsGoneIsThreeAndTheOthersConverge();
    void interruptionStopsAndSaysWhatEachNodeRuns();
    void rollbackIsANewRevisionWithTheOldText();
    void textTellsEveryNodeAndItsRevision();
    void overMutualTlsItPushesAndListsNodes();
    void aNodeOfAnotherMeshIsRefusedAndNamed();
    void badPlansSendNothing_data();
    void badPlansSendNothing();

private:
    // The three files of mutual TLS, as the flags --cert, --key and --ca want them.
    static std::vector<std::string> files(
        const CtlFleet& fleet,
        const char* name,
        const test::IssuedCertificate& issuer,
        const test::IssuedCertificate& trusted
    );
    // edge-1 with its admin API over TLS, and a document with a service on it.
    static bool startWithTls(CtlFleet& fleet, const std::vector<std::string>& nodeFiles);
    static std::string documentOverTls(const CtlFleet& fleet);

    // Runs the command in the background while every node gets requests.
    static int ctlUnderLoad(CtlFleet& fleet, const std::vector<std::string>& words);
};

int CtlPushTest::ctlUnderLoad(CtlFleet& fleet, const std::vector<std::string>& words)
{
    std::atomic<int> code{-1};
    Thread command("push", [&] { code = fleet.ctl(words); });
    QElapsedTimer timer;
    timer.start();
    while (code < 0 && timer.elapsed() < 60'000) {
        for (const auto& node : fleet.nodes) {
            static_cast<void>(node->proxy("/status"));
        }
    }
    command.join();
    return code;
}

// A document becomes its own history: revision, push and how it ended.
void CtlPushTest::wavesConvergeAndAreRemembered()
{
    CtlFleet fleet;
    QVERIFY(fleet.start(3));
    const std::string file = fleet.write("shop.yaml", fleet.documentText(3, fleet.goodPort()));
    const std::string document = fleet.directory.filePath("shop.mesh").toStdString();
    QCOMPARE(fleet.ctl({"import", file, "--into", document}), 0);

    const int code = fleet.ctl({"push", document, "--wave", "canary,100%", "--json"});

    QVERIFY2(code == 0, (fleet.output.out + fleet.output.err).c_str());
    const nlohmann::json json = fleet.json();
    QCOMPARE(json["outcome"].get<std::string>(), std::string("done"));
    QCOMPARE(json["converged"].get<int>(), 3);
    QCOMPARE(json["waves"].size(), 2U);
    for (std::size_t at = 0; at < 3; ++at) {
        QCOMPARE(fleet.hashOf(at), json["hash"].get<std::string>());
        QCOMPARE(json["nodes"][at]["hash"].get<std::string>(), json["hash"].get<std::string>());
        QCOMPARE(json["nodes"][at]["revision"].get<int>(), 1);
    }
    QCOMPARE(fleet.ctl({"history", document, "--json"}), 0);
    QCOMPARE(fleet.json()["revisions"][0]["outcome"].get<std::string>(), std::string("done"));
    QCOMPARE(fleet.json()["revisions"][0]["converged"].get<int>(), 3);
    QCOMPARE(fleet.ctl({"nodes", document, "--json"}), 0);
    QCOMPARE(fleet.json()["converged"].get<bool>(), true);
}

void CtlPushTest::aGateThatFailsTakesEveryNodeBack()
{
    CtlFleet fleet;
    QVERIFY(fleet.start(2));
    const std::string good = fleet.write("good.yaml", fleet.documentText(2, fleet.goodPort()));
    const std::string bad = fleet.write("bad.yaml", fleet.documentText(2, 9)); // Nobody listens.
    QCOMPARE(fleet.ctl({"push", good, "--json"}), 0);
    const std::string hash = fleet.json()["hash"];

    const int code = ctlUnderLoad(
        fleet, {"push", bad, "--wave", "canary,100%", "--gate", "error<1% for 20s", "--json"}
    );

    QVERIFY2(code == 4, (fleet.output.out + fleet.output.err).c_str());
    const nlohmann::json json = fleet.json();
    QCOMPARE(json["outcome"].get<std::string>(), std::string("rolled_back"));
    QCOMPARE(json["gates"][0]["state"].get<std::string>(), std::string("fails"));
    QVERIFY(json["gates"][0]["measured"].get<double>() > 0.01);
    QCOMPARE(fleet.cell("edge-1", "result"), std::string("rolled_back"));
    QCOMPARE(fleet.cell("edge-1", "hash"), hash);
    QCOMPARE(fleet.cell("edge-2", "result"), std::string("not_touched"));
    QCOMPARE(fleet.hashOf(0), hash);
    QCOMPARE(fleet.hashOf(1), hash);
}

void CtlPushTest::aGateThatHoldsLetsThePushEnd()
{
    CtlFleet fleet;
    QVERIFY(fleet.start(2));
    const std::string good = fleet.write("good.yaml", fleet.documentText(2, fleet.goodPort()));

    const int code =
        ctlUnderLoad(fleet, {"push", good, "--gate", "error<50% p95<20s for 2s", "--json"});

    QVERIFY2(code == 0, (fleet.output.out + fleet.output.err).c_str());
    QCOMPARE(fleet.json()["gates"][0]["state"].get<std::string>(), std::string("holds"));
}

// A node whose name the document does not list cannot compile it.
void CtlPushTest::aNodeThatRefusesIsFourAndTellsItsWords()
{
    CtlFleet fleet;
    QVERIFY(fleet.start(2));
    const std::string before = fleet.hashOf(1);
    std::string text = fleet.documentText(2, fleet.goodPort());
    text.replace(text.find("edge-2"), 6, "edge-9"); // The second node is called edge-2.

    const int code = fleet.ctl({"push", fleet.write("other.yaml", text), "--json"});

    QVERIFY2(code == 4, (fleet.output.out + fleet.output.err).c_str());
    QCOMPARE(fleet.cell("edge-9", "result"), std::string("refused"));
    QVERIFY(!fleet.cell("edge-9", "message").empty());
    QCOMPARE(fleet.hashOf(1), before);
    QCOMPARE(fleet.cell("edge-9", "hash"), before);
}

void CtlPushTest::aNodeThatIsGoneIsThreeAndTheOthersConverge()
{
    CtlFleet fleet;
    QVERIFY(fleet.start(3));
    const std::string file = fleet.write("shop.yaml", fleet.documentText(3, fleet.goodPort()));
    fleet.nodes[1]->signal(SIGKILL);
    static_cast<void>(fleet.nodes[1]->waitForEnd());

    const int code = fleet.ctl({"push", file, "--json"});

    QVERIFY2(code == 3, (fleet.output.out + fleet.output.err).c_str());
    QCOMPARE(fleet.cell("edge-1", "result"), std::string("converged"));
    QCOMPARE(fleet.cell("edge-2", "result"), std::string("unreachable"));
    QCOMPARE(fleet.cell("edge-3", "result"), std::string("converged"));
    QCOMPARE(fleet.hashOf(2), fleet.json()["hash"].get<std::string>());
}

void CtlPushTest::interruptionStopsAndSaysWhatEachNodeRuns()
{
    CtlFleet fleet;
    QVERIFY(fleet.start(2));
    const std::string before = fleet.hashOf(1);
    const std::string file = fleet.write("shop.yaml", fleet.documentText(2, fleet.goodPort()));
    // Pressed once the canary has it: the push bakes then.
    fleet.isInterrupted = [&] { return fleet.hashOf(0) != before; };

    const int code = fleet.ctl({"push", file, "--wave", "canary,100%", "--bake", "60s", "--json"});

    QVERIFY2(code == 1, (fleet.output.out + fleet.output.err).c_str());
    QCOMPARE(fleet.json()["outcome"].get<std::string>(), std::string("stopped"));
    QCOMPARE(fleet.cell("edge-1", "hash"), fleet.hashOf(0));
    QCOMPARE(fleet.cell("edge-2", "result"), std::string("not_touched"));
    QCOMPARE(fleet.hashOf(1), before);
}

void CtlPushTest::rollbackIsANewRevisionWithTheOldText()
{
    CtlFleet fleet;
    QVERIFY(fleet.start(1));
    const std::string document = fleet.directory.filePath("shop.mesh").toStdString();
    const std::string one = fleet.write("one.yaml", fleet.documentText(1, fleet.goodPort()));
    const std::string two = fleet.write("two.yaml", fleet.documentText(1, fleet.goodPort(), 1000));
    QCOMPARE(fleet.ctl({"import", one, "--into", document}), 0);
    QCOMPARE(fleet.ctl({"push", document, "--json"}), 0);
    const std::string hash = fleet.json()["hash"];
    QCOMPARE(fleet.ctl({"import", two, "--into", document}), 0);
    QCOMPARE(fleet.ctl({"push", document}), 0);
    QVERIFY(fleet.hashOf(0) != hash);

    QCOMPARE(fleet.ctl({"rollback", "1", "--document", document, "--json"}), 0);

    QCOMPARE(fleet.hashOf(0), hash);
    QCOMPARE(fleet.json()["revision"].get<int>(), 3);
    QCOMPARE(fleet.ctl({"rollback", document, "2", "--json"}), 0);
    QVERIFY(fleet.hashOf(0) != hash);
    QCOMPARE(fleet.ctl({"rollback", document, "99"}), 2);
}

void CtlPushTest::textTellsEveryNodeAndItsRevision()
{
    CtlFleet fleet;
    QVERIFY(fleet.start(2));
    const std::string document = fleet.directory.filePath("shop.mesh").toStdString();
    const std::string file = fleet.write("shop.yaml", fleet.documentText(2, fleet.goodPort()));
    QCOMPARE(fleet.ctl({"import", file, "--into", document}), 0);

    QCOMPARE(fleet.ctl({"push", document}), 0);

    const QByteArray out = QByteArray::fromStdString(fleet.output.out);
    QVERIFY2(out.startsWith("NODE    WAVE"), out);
    QVERIFY2(out.contains("edge-1  "), out);
    QVERIFY2(out.contains("converged"), out);
    QVERIFY2(out.contains("done: 2 of 2 nodes run revision 1, "), out);
    QVERIFY2(fleet.output.err.find("edge-2: done") != std::string::npos, fleet.output.err.c_str());
}

std::vector<std::string> CtlPushTest::files(
    const CtlFleet& fleet,
    const char* name,
    const test::IssuedCertificate& issuer,
    const test::IssuedCertificate& trusted
)
{
    test::CertificateSpec spec;
    spec.name = name;
    spec.alternatives = "IP:127.0.0.1";
    const test::IssuedCertificate made = test::issue(spec, &issuer);
    const std::string file = name;
    return {
        fleet.write((file + ".pem").c_str(), made.pem()),
        fleet.write((file + ".key").c_str(), made.keyPem()),
        fleet.write((file + ".ca").c_str(), trusted.pem())};
}

bool CtlPushTest::startWithTls(CtlFleet& fleet, const std::vector<std::string>& nodeFiles)
{
    const std::string first = fleet.write("first.yaml", fleet.documentText(1));
    fleet.nodes.push_back(std::make_unique<test::NodeProcess>());
    return fleet.nodes.back()->start(
        {QStringLiteral("--config"),
         QString::fromStdString(first),
         QStringLiteral("--node"),
         QStringLiteral("edge-1"),
         QStringLiteral("--admin-tls"),
         QString::fromStdString(nodeFiles[0] + "," + nodeFiles[1] + "," + nodeFiles[2])}
    );
}

std::string CtlPushTest::documentOverTls(const CtlFleet& fleet)
{
    return fleet.write(
        "shop.yaml",
        "_format_version: \"3.0\"\nnodes: [{name: edge-1, role: gateway, admin: \"https://"
            + fleet.nodes.back()->adminAddress()
            + "\"}]\nservices: [{name: shop, host: 127.0.0.1, port: 9}]\n"
    );
}

void CtlPushTest::overMutualTlsItPushesAndListsNodes()
{
    CtlFleet fleet;
    const test::IssuedCertificate shop = test::issueAuthority("shop authority");
    QVERIFY(startWithTls(fleet, files(fleet, "edge-1", shop, shop)));
    const auto own = files(fleet, "console", shop, shop);
    const std::string file = documentOverTls(fleet);

    const int code =
        fleet.ctl({"push", file, "--cert", own[0], "--key", own[1], "--ca", own[2], "--json"});

    QVERIFY2(code == 0, (fleet.output.out + fleet.output.err).c_str());
    const std::string hash = fleet.json()["hash"];
    QCOMPARE(fleet.cell("edge-1", "result"), std::string("converged"));
    QCOMPARE(
        fleet.ctl({"nodes", file, "--cert", own[0], "--key", own[1], "--ca", own[2], "--json"}), 0
    );
    QCOMPARE(fleet.json()["converged"].get<bool>(), true);
    QCOMPARE(fleet.json()["nodes"][0]["hash"].get<std::string>(), hash);
    // Who shows no certificate gets nothing.
    QCOMPARE(fleet.ctl({"push", file, "--json"}), 3);
}

void CtlPushTest::aNodeOfAnotherMeshIsRefusedAndNamed()
{
    CtlFleet fleet;
    const test::IssuedCertificate shop = test::issueAuthority("shop authority");
    const test::IssuedCertificate other = test::issueAuthority("other authority");
    QVERIFY(startWithTls(fleet, files(fleet, "impostor", other, shop)));
    const auto own = files(fleet, "console", shop, shop);
    const std::string file = documentOverTls(fleet);

    const int code =
        fleet.ctl({"push", file, "--cert", own[0], "--key", own[1], "--ca", own[2], "--json"});

    QVERIFY2(code == 3, (fleet.output.out + fleet.output.err).c_str());
    QCOMPARE(fleet.cell("edge-1", "result"), std::string("unreachable"));
    const std::string message = fleet.cell("edge-1", "message");
    for (const char* const part :
         {"subject CN=impostor", "issuer CN=other authority", "CN=shop authority"}) {
        QVERIFY2(message.find(part) != std::string::npos, message.c_str());
    }
}

void CtlPushTest::badPlansSendNothing_data()
{
    QTest::addColumn<QStringList>("flags");
    QTest::addColumn<int>("code");

    QTest::newRow("waves") << QStringList({"--wave", "canary,,"}) << 2;
    QTest::newRow("gates") << QStringList({"--gate", "error>1%"}) << 2;
    QTest::newRow("bake") << QStringList({"--bake", "soon"}) << 2;
    QTest::newRow("an unknown node") << QStringList({"--node", "edge-7"}) << 2;
    QTest::newRow("a node twice") << QStringList({"--node", "edge-1", "--node", "edge-1"}) << 2;
    QTest::newRow("on failure") << QStringList({"--on-failure", "panic"}) << 2;
    QTest::newRow("draft of a file") << QStringList({"--draft"}) << 2;
}

void CtlPushTest::badPlansSendNothing()
{
    QFETCH(const QStringList, flags);
    QFETCH(const int, code);
    CtlFleet fleet;
    const std::string file = fleet.write(
        "shop.yaml",
        "_format_version: \"3.0\"\nnodes: [{name: edge-1, role: gateway, admin: "
        "\"http://127.0.0.1:1\"}]\n"
    );
    std::vector<std::string> words = {"push", file};
    for (const QString& flag : flags) {
        words.push_back(flag.toStdString());
    }

    QCOMPARE(fleet.ctl(words), code);
    QVERIFY(!fleet.output.err.empty());
}

} // namespace mesh

QTEST_APPLESS_MAIN(mesh::CtlPushTest)
#include "ctl_push_test.moc"
