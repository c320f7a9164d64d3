// Goal: what an operator does to a node with files, signals and pushes has the promised effect.
// Method: the real program in a process of its own, on ports the kernel picks.
#include "proxyengine/base/hash.h"
#include "proxyengine/http/server.h"
#include "tests/support/certificate_maker.h"
#include "tests/support/node_process.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

#include <csignal>

namespace mesh {

using Json = nlohmann::json;
using test::NodeProcess;

class DaemonTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void commandLineErrorsHaveTheirCodes_data();
    void commandLineErrorsHaveTheirCodes();
    void aBadFileNamesEveryPlaceAndEndsWithTwo();
    void refusedPushesChangeNothing();
    void hangupReadsTheFileAgain();
    void theAdminApiSpeaksMutualTlsAndTakesNewFiles();
    void startsFromTheStateDirectory();
    void survivesKillAtAnyMoment();
    void terminationLetsARequestFinish_data();
    void terminationLetsARequestFinish();
    void drainByTheAdminApiEndsTheNode();

private:
    QString write(const std::string& text);
    static std::string configOf(int services);
    static std::string hashIn(const control::NodeAnswer& answer);

    QTemporaryDir m_directory;
};

QString DaemonTest::write(const std::string& text)
{
    const QString path = m_directory.filePath(QStringLiteral("mesh.yaml"));
    QFile file(path);
    if (file.open(QIODevice::WriteOnly | QIODevice::Truncate)) {
        file.write(QByteArray::fromStdString(text));
    }
    return path;
}

std::string DaemonTest::configOf(int services)
{
    std::string text = "_format_version: \"3.0\"\nservices:\n";
    for (int i = 0; i < services; ++i) {
        const std::string name = "s" + std::to_string(i);
        text += "- {name: " + name + ", host: 127.0.0.1, port: 9, routes: [{name: " + name
                + ", paths: [/" + name + "]}]}\n";
    }
    return text;
}

std::string DaemonTest::hashIn(const control::NodeAnswer& answer)
{
    return Json::parse(answer.body, nullptr, false).value("hash", "");
}

void DaemonTest::commandLineErrorsHaveTheirCodes_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("code");

    const auto row = [](const char* name, const char* arguments, int code) {
        QTest::newRow(name) << QString::fromLatin1(arguments).split(QLatin1Char('|')) << code;
    };
    row("help", "--help", 0);
    row("version", "--version", 0);
    row("nothing to run", "run", 2);
    row("file is not there", "run|--config|/nowhere/mesh.yaml", 3);
    row("remote admin", "run|--config|/dev/null|--admin-listen|0.0.0.0:0", 2);
    row("two files of three",
        "run|--config|/dev/null|--admin-listen|0.0.0.0:0|--admin-tls|a.pem,a.key",
        2);
    row("bad listener", "run|--config|/dev/null|--proxy-listen|127.0.0.1:0 tls", 2);
}

void DaemonTest::commandLineErrorsHaveTheirCodes()
{
    QFETCH(const QStringList, arguments);
    QFETCH(const int, code);
    QProcess process;

    process.start(QStringLiteral(MESH_NODE_PROGRAM), arguments);

    QVERIFY(process.waitForFinished());
    QCOMPARE(process.exitCode(), code);
}

void DaemonTest::aBadFileNamesEveryPlaceAndEndsWithTwo()
{
    const QString file =
        write("_format_version: \"3.0\"\nservices:\n- {name: a, host: h, bogus: 1}\n- {name: b}\n");
    NodeProcess node;

    QVERIFY(!node.start({QStringLiteral("--config"), file}));

    QCOMPARE(node.waitForEnd(), 2);
    QVERIFY2(node.log().contains(file + QStringLiteral(":3:")), qPrintable(node.log()));
    QVERIFY2(node.log().contains(file + QStringLiteral(":4:")), qPrintable(node.log()));
}

void DaemonTest::refusedPushesChangeNothing()
{
    NodeProcess node;
    QVERIFY(node.start({QStringLiteral("--config"), write(configOf(1))}));
    const auto before = node.admin("GET", "/config");

    const auto refused = node.admin("POST", "/config", "services: [{nam: x}, {port: y}]");

    QCOMPARE(refused.status, 400);
    QVERIFY(Json::parse(refused.body)["errors"].size() >= 3);
    QCOMPARE(node.admin("GET", "/config").body, before.body);
    QCOMPARE(hashIn(node.admin("GET", "/config/hash")), sha256Hex(before.body));
    QVERIFY(node.proxy("/s0").status >= 500); // The old route still takes it; nobody is behind.
    QCOMPARE(node.proxy("/other").status, 404);
}

void DaemonTest::hangupReadsTheFileAgain()
{
    NodeProcess node;
    QVERIFY(node.start({QStringLiteral("--config"), write(configOf(1))}));
    const std::string first = hashIn(node.admin("GET", "/config/hash"));

    write(configOf(2));
    node.signal(SIGHUP);
    QTRY_VERIFY(hashIn(node.admin("GET", "/config/hash")) != first);
    const std::string second = hashIn(node.admin("GET", "/config/hash"));
    write("services: [{nam: x}]");
    node.signal(SIGHUP);
    QTRY_VERIFY(
        node.log().contains(QStringLiteral("config.refused")) || node.process().waitForReadyRead(50)
    );

    QTRY_VERIFY(node.log().contains(QStringLiteral("services[0].nam")));
    QCOMPARE(hashIn(node.admin("GET", "/config/hash")), second);
}

void DaemonTest::theAdminApiSpeaksMutualTlsAndTakesNewFiles()
{
    const test::IssuedCertificate shop = test::issueAuthority("shop authority");
    test::CertificateSpec spec;
    spec.alternatives = "IP:127.0.0.1";
    spec.name = "edge-1";
    const auto put = [this](const char* name, const std::string& text) {
        QFile file(m_directory.filePath(QString::fromLatin1(name)));
        if (file.open(QIODevice::WriteOnly | QIODevice::Truncate)) {
            file.write(QByteArray::fromStdString(text));
        }
        return file.fileName();
    };
    const auto putPair = [&](const char* cert, const char* key) {
        const test::IssuedCertificate made = test::issue(spec, &shop);
        return put(cert, made.pem()) + QLatin1Char(',') + put(key, made.keyPem());
    };
    const QString ca = put("ca.pem", shop.pem());
    const QString pair = putPair("node.pem", "node.key");
    NodeProcess node;
    QVERIFY(node.start(
        {QStringLiteral("--config"),
         write(configOf(1)),
         QStringLiteral("--admin-tls"),
         pair + QLatin1Char(',') + ca}
    ));
    spec.name = "console";
    const QString mine = putPair("console.pem", "console.key");
    const SystemClock clock;
    control::NodeRequest request;
    request.address = {node.adminAddress(), {}, true};
    request.path = "/v1/node";
    request.credentials = {
        mine.section(QLatin1Char(','), 0, 0).toStdString(),
        mine.section(QLatin1Char(','), 1, 1).toStdString(),
        ca.toStdString()};
    const auto subject = [&] {
        const auto answer = control::requestNode(clock, request);
        return answer ? Json::parse(answer->body)["certificates"][0].value("subject", "")
                      : answer.error().message;
    };
    QCOMPARE(subject(), std::string("CN=edge-1"));
    QCOMPARE(node.admin("GET", "/").status, 0); // Without TLS nobody is served.

    spec.name = "edge-1 renewed";
    QCOMPARE(putPair("node.pem", "node.key"), pair);
    node.signal(SIGHUP);

    QTRY_COMPARE(subject(), std::string("CN=edge-1 renewed"));
}

void DaemonTest::startsFromTheStateDirectory()
{
    const QStringList arguments{
        QStringLiteral("--state-dir"), m_directory.filePath(QStringLiteral("state"))};
    std::string hash;
    {
        NodeProcess node;
        QVERIFY(node.start(arguments));
        const auto pushed = node.admin("POST", "/config", configOf(3));
        QCOMPARE(pushed.status, 201);
        hash = hashIn(pushed);
        node.signal(SIGTERM);
        QCOMPARE(node.waitForEnd(), 0);
    }

    NodeProcess again;
    QVERIFY(again.start(arguments));

    QCOMPARE(hashIn(again.admin("GET", "/config/hash")), hash);
}

// A configuration that was answered with 201 is there after kill -9, or a later one is.
void DaemonTest::survivesKillAtAnyMoment()
{
    const QStringList arguments{
        QStringLiteral("--state-dir"), m_directory.filePath(QStringLiteral("killed"))};
    std::string answered;
    for (int round = 0; round < 20; ++round) {
        NodeProcess node;
        QVERIFY2(node.start(arguments), qPrintable(node.log()));
        const std::string running = hashIn(node.admin("GET", "/config/hash"));
        QVERIFY(answered.empty() || running == answered);
        for (int i = 0; i <= round % 3; ++i) {
            const auto pushed = node.admin("POST", "/config", configOf(1 + (round * 3 + i) % 40));
            QCOMPARE(pushed.status, 201);
            answered = hashIn(pushed);
        }
        // One more that nobody waits for: the kill lands in the middle of it.
        QProcess writer;
        const QString file = write(configOf(50 + round));
        writer.start(
            QStringLiteral("curl"),
            {QStringLiteral("-s"),
             QStringLiteral("--data-binary"),
             QStringLiteral("@") + file,
             QStringLiteral("http://") + QString::fromStdString(node.adminAddress())
                 + QStringLiteral("/config")}
        );
        QVERIFY(writer.waitForStarted());
        static_cast<void>(writer.waitForFinished(round)); // Milliseconds: another moment each time.
        node.signal(SIGKILL);
        static_cast<void>(node.waitForEnd());
        writer.waitForFinished();
        NodeProcess check;
        QVERIFY2(check.start(arguments), qPrintable(check.log()));
        const auto config = check.admin("GET", "/config");
        const std::string after = hashIn(check.admin("GET", "/config/hash"));
        QCOMPARE(sha256Hex(config.body), after);
        const bool isLater =
            Json::parse(config.body)["services"].size() == 50U + std::size_t(round);
        QVERIFY(after == answered || isLater);
        answered = after;
        check.signal(SIGKILL);
    }
}

void DaemonTest::terminationLetsARequestFinish_data()
{
    QTest::addColumn<QStringList>("protocol");
    QTest::newRow("HTTP/1.1") << QStringList();
    QTest::newRow("HTTP/2") << QStringList{QStringLiteral("--http2-prior-knowledge")};
}

void DaemonTest::terminationLetsARequestFinish()
{
    QFETCH(const QStringList, protocol);
    const SystemClock clock;
    auto loop = net::EventLoop::make(clock);
    QVERIFY(loop);
    http::Responder held;
    bool hasRequest = false;
    const auto server = http::Server::listen(
        **loop,
        net::SocketAddress::loopback(0),
        {},
        [&](http::Request, http::Responder responder) {
            held = std::move(responder);
            hasRequest = true;
        }
    );
    QVERIFY(server);
    NodeProcess node;
    const std::string port = std::to_string((*server)->address().port());
    QVERIFY(node.start(
        {QStringLiteral("--config"),
         write(
             "_format_version: \"3.0\"\nservices:\n- {name: a, host: 127.0.0.1, port: " + port
             + ", routes: [{name: a, paths: [/]}]}\n"
         )}
    ));
    QProcess client;
    const QStringList arguments = {
        QStringLiteral("-s"),
        QStringLiteral("-w"),
        QStringLiteral(" %{http_code} %{http_version}"),
        QStringLiteral("http://") + QString::fromStdString(node.proxyAddress())};
    client.start(QStringLiteral("curl"), protocol + arguments);
    const auto turnUntil = [&](const auto& condition) {
        for (int i = 0; i < 2000 && !condition(); ++i) {
            (*loop)->runTurn(std::chrono::milliseconds(10));
        }
        return condition();
    };
    QVERIFY(turnUntil([&] { return hasRequest; }));

    node.signal(SIGTERM);
    QVERIFY(turnUntil([&] {
        return node.log().contains(QStringLiteral("node.draining"))
               || (node.process().waitForReadyRead(1), false);
    }));
    http::Response response;
    response.body = "late";
    held.send(response);
    QVERIFY(turnUntil([&] {
        return client.waitForFinished(1) || client.state() == QProcess::NotRunning;
    }));

    const QByteArray version = protocol.isEmpty() ? "1.1" : "2";
    QCOMPARE(client.readAllStandardOutput(), "late 200 " + version);
    QCOMPARE(node.waitForEnd(), 0);
}

void DaemonTest::drainByTheAdminApiEndsTheNode()
{
    NodeProcess node;
    QVERIFY(node.start({QStringLiteral("--config"), write(configOf(1))}));

    QCOMPARE(node.admin("POST", "/v1/drain?grace=1s").status, 202);

    QCOMPARE(node.waitForEnd(), 0);
}

} // namespace mesh

QTEST_GUILESS_MAIN(mesh::DaemonTest)
#include "daemon_test.moc"
