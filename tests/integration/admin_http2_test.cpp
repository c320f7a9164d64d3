// Goal: a node's admin port speaks HTTP/2 to whoever begins with it, HTTP/1.1 to all others, and a
// console makes its calls over one connection that it finds again when the node was away.
// Method: a real meshwrightd with curl and nghttp on its admin port; NodeCalls to it, its sockets
// counted in /proc; servers in this process that stop and come back.
#include "proxyengine/control/admin_server.h"
#include "proxyengine/control/node_calls.h"
#include "proxyengine/http/server.h"
#include "proxyengine/net/event_loop.h"
#include "tests/support/certificate_maker.h"
#include "tests/support/manual_engine.h"
#include "tests/support/node_process.h"

#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <atomic>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

namespace mesh::control {

using test::IssuedCertificate;
using test::ManualEngine;
using test::NodeProcess;

class AdminHttp2Test : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void curlIsAnsweredInEveryVersion_data();
    void curlIsAnsweredInEveryVersion();
    void nghttpIsAnswered();
    void eventsStreamOverHttp2();
    void tlsAgreesOnHttp2();
    void whoeverIsRefusedIsToldInEveryVersion_data();
    void whoeverIsRefusedIsToldInEveryVersion();
    void aHundredCallsGoOverOneConnection();
    void aNodeThatRestartsIsFoundAgain();
    void anOldNodeIsAskedByHttp1();

private:
    // On a state directory of its own.
    bool start(NodeProcess& node, const QStringList& arguments = {});
    QStringList tlsArguments() const;
    static QByteArray run(const QString& program, const QStringList& arguments);
    QString write(const QString& name, const std::string& text);
    QStringList certificateOf(const QString& name, const IssuedCertificate& issuer);
    std::unique_ptr<AdminServer> serve(ManualEngine& engine, const std::string& hostPort);
    static std::size_t connectionsTo(const std::string& hostPort);

    SystemClock m_clock;
    QTemporaryDir m_directory;
    int m_nodes = 0;
    IssuedCertificate m_shop = test::issueAuthority("shop authority");
    IssuedCertificate m_other = test::issueAuthority("other authority");
};

bool AdminHttp2Test::start(NodeProcess& node, const QStringList& arguments)
{
    const QString state = m_directory.filePath(QStringLiteral("state%1").arg(++m_nodes));
    return node.start(QStringList{QStringLiteral("--state-dir"), state} + arguments);
}

QStringList AdminHttp2Test::tlsArguments() const
{
    QStringList files;
    for (const char* name : {"node.pem", "node.key", "ca.pem"}) {
        files.push_back(m_directory.filePath(QString::fromLatin1(name)));
    }
    return {QStringLiteral("--admin-tls"), files.join(QLatin1Char(','))};
}

QByteArray AdminHttp2Test::run(const QString& program, const QStringList& arguments)
{
    QProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(program, arguments);
    if (!process.waitForFinished(20'000)) {
        process.kill();
        process.waitForFinished();
        return "did not end: " + process.readAll();
    }
    return process.readAll();
}

QString AdminHttp2Test::write(const QString& name, const std::string& text)
{
    const QString path = m_directory.filePath(name);
    QFile file(path);
    if (file.open(QIODevice::WriteOnly | QIODevice::Truncate)) {
        file.write(QByteArray::fromStdString(text));
    }
    return path;
}

void AdminHttp2Test::initTestCase()
{
    test::CertificateSpec spec;
    spec.name = "edge-1";
    spec.alternatives = "IP:127.0.0.1";
    const IssuedCertificate made = test::issue(spec, &m_shop);
    write(QStringLiteral("node.pem"), made.pem());
    write(QStringLiteral("node.key"), made.keyPem());
    write(QStringLiteral("ca.pem"), m_shop.pem());
}

// curl's arguments to show a certificate of this issuer.
QStringList AdminHttp2Test::certificateOf(const QString& name, const IssuedCertificate& issuer)
{
    test::CertificateSpec spec;
    spec.name = name.toStdString();
    const IssuedCertificate made = test::issue(spec, &issuer);
    return {
        QStringLiteral("--cacert"),
        m_directory.filePath(QStringLiteral("ca.pem")),
        QStringLiteral("--cert"),
        write(name + QStringLiteral(".pem"), made.pem()),
        QStringLiteral("--key"),
        write(name + QStringLiteral(".key"), made.keyPem())};
}

std::unique_ptr<AdminServer> AdminHttp2Test::serve(
    ManualEngine& engine, const std::string& hostPort
)
{
    AdminOptions options;
    options.address = {hostPort, {}};
    auto server = AdminServer::start(engine, m_clock, options);
    return server ? *std::move(server) : nullptr;
}

// Of this machine, established, to an address of 127.0.0.1.
std::size_t AdminHttp2Test::connectionsTo(const std::string& hostPort)
{
    const auto port = QString::fromStdString(hostPort.substr(hostPort.rfind(':') + 1)).toInt();
    const QString remote = QStringLiteral("0100007F:%1").arg(port, 4, 16, QLatin1Char('0'));
    QFile file(QStringLiteral("/proc/net/tcp"));
    if (!file.open(QIODevice::ReadOnly)) {
        return 0;
    }
    std::size_t count = 0;
    const QStringList lines = QString::fromLatin1(file.readAll()).split(QLatin1Char('\n'));
    for (const QString& line : lines) {
        const QStringList words = line.simplified().split(QLatin1Char(' '));
        const bool isOurs =
            words.size() > 3 && words[2] == remote.toUpper() && words[3] == QLatin1String("01");
        count += isOurs ? 1U : 0U;
    }
    return count;
}

void AdminHttp2Test::curlIsAnsweredInEveryVersion_data()
{
    QTest::addColumn<QString>("option");
    QTest::addColumn<QByteArray>("version");
    QTest::newRow("1.0") << QStringLiteral("--http1.0") << QByteArray("1.0");
    QTest::newRow("1.1") << QStringLiteral("--http1.1") << QByteArray("1.1");
    QTest::newRow("an upgrade that is not taken") << QStringLiteral("--http2") << QByteArray("1.1");
    QTest::newRow("prior knowledge")
        << QStringLiteral("--http2-prior-knowledge") << QByteArray("2");
}

void AdminHttp2Test::curlIsAnsweredInEveryVersion()
{
    QFETCH(const QString, option);
    QFETCH(const QByteArray, version);
    NodeProcess node;
    QVERIFY2(start(node), qPrintable(node.log()));
    const QString url = QStringLiteral("http://") + QString::fromStdString(node.adminAddress());
    const QStringList always = {
        option,
        QStringLiteral("-sS"),
        QStringLiteral("-w"),
        QStringLiteral(" %{http_version} %{http_code}")};
    std::string config = "_format_version: \"3.0\"\nservices:\n";
    for (int i = 0; i < 3000; ++i) {
        config += "- {name: s" + std::to_string(i) + ", host: h.test}\n";
    }
    const QString file = write(QStringLiteral("config.yaml"), config);
    const QByteArray posted =
        run(QStringLiteral("curl"),
            always
                + QStringList{
                    QStringLiteral("--data-binary"),
                    QStringLiteral("@") + file,
                    url + QStringLiteral("/config")});
    const QByteArray answered = version == "1.0" ? QByteArray("1.1") : version;
    QVERIFY2(posted.startsWith("{\"hash\":") && posted.endsWith(" " + answered + " 201"), posted);
    const QByteArray got = run(QStringLiteral("curl"), always + QStringList{url + "/config"});
    QVERIFY2(got.contains("\"s2999\"") && got.endsWith(" " + answered + " 200"), got.right(100));
    const QByteArray none = run(QStringLiteral("curl"), always + QStringList{url + "/nothing"});
    QVERIFY2(none.endsWith(" " + answered + " 404"), none);
}

void AdminHttp2Test::nghttpIsAnswered()
{
    NodeProcess node;
    QVERIFY2(start(node), qPrintable(node.log()));
    const QString url = QStringLiteral("http://") + QString::fromStdString(node.adminAddress());
    const QByteArray heard = run(
        QStringLiteral("nghttp"),
        {QStringLiteral("-v"), url + QStringLiteral("/status"), url + QStringLiteral("/metrics")}
    );
    QCOMPARE(heard.count(":status: 200"), 2);
    QVERIFY2(heard.contains("recv SETTINGS frame"), heard);
}

void AdminHttp2Test::eventsStreamOverHttp2()
{
    NodeProcess node;
    QVERIFY2(start(node), qPrintable(node.log()));
    QProcess curl;
    curl.start(
        QStringLiteral("curl"),
        {QStringLiteral("-sSN"),
         QStringLiteral("--http2-prior-knowledge"),
         QStringLiteral("http://") + QString::fromStdString(node.adminAddress())
             + QStringLiteral("/v1/events?kinds=stats")}
    );
    QByteArray heard;
    QTRY_VERIFY_WITH_TIMEOUT(
        (curl.waitForReadyRead(10),
         heard += curl.readAllStandardOutput(),
         heard.count("\"kind\":\"stats\"") >= 2),
        20'000
    );
    node.signal(SIGTERM); // Its readers are let go.
    QVERIFY(curl.waitForFinished(20'000));
    QCOMPARE(node.waitForEnd(), 0);
}

void AdminHttp2Test::tlsAgreesOnHttp2()
{
    NodeProcess node;
    QVERIFY2(start(node, tlsArguments()), qPrintable(node.log()));
    const QString url = QStringLiteral("https://") + QString::fromStdString(node.adminAddress());
    const QStringList always = certificateOf(QStringLiteral("console"), m_shop)
                               + QStringList{
                                   QStringLiteral("-sS"),
                                   QStringLiteral("-w"),
                                   QStringLiteral(" %{http_version} %{http_code}")};
    const QByteArray two = run(QStringLiteral("curl"), always + QStringList{url + "/status"});
    QVERIFY2(two.endsWith(" 2 200"), two);
    const QByteArray one =
        run(QStringLiteral("curl"),
            always + QStringList{QStringLiteral("--http1.1"), url + "/status"});
    QVERIFY2(one.endsWith(" 1.1 200"), one);
}

void AdminHttp2Test::whoeverIsRefusedIsToldInEveryVersion_data()
{
    QTest::addColumn<QString>("option");
    QTest::addColumn<QByteArray>("end");
    QTest::newRow("HTTP/2") << QStringLiteral("--http2") << QByteArray(" 2 401");
    QTest::newRow("HTTP/1.1") << QStringLiteral("--http1.1") << QByteArray(" 1.1 401");
}

void AdminHttp2Test::whoeverIsRefusedIsToldInEveryVersion()
{
    QFETCH(const QString, option);
    QFETCH(const QByteArray, end);
    NodeProcess node;
    QVERIFY2(start(node, tlsArguments()), qPrintable(node.log()));
    const QByteArray heard =
        run(QStringLiteral("curl"),
            certificateOf(QStringLiteral("stranger"), m_other)
                + QStringList{
                    option,
                    QStringLiteral("-sS"),
                    QStringLiteral("-w"),
                    QStringLiteral(" %{http_version} %{http_code}"),
                    QStringLiteral("--data"),
                    QStringLiteral("x"),
                    QStringLiteral("https://") + QString::fromStdString(node.adminAddress())
                        + QStringLiteral("/config")});
    QVERIFY2(heard.contains("this node refuses you"), heard);
    QVERIFY2(heard.contains("subject CN=stranger, issuer CN=other authority"), heard);
    QVERIFY2(heard.endsWith(end), heard);
}

void AdminHttp2Test::aHundredCallsGoOverOneConnection()
{
    NodeProcess node;
    QVERIFY2(start(node), qPrintable(node.log()));
    const auto calls = *NodeCalls::start(m_clock);
    std::atomic<int> answered{0};
    std::atomic<int> fine{0};
    for (int i = 0; i < 100; ++i) {
        NodeCall call;
        call.caller = calls->makeCaller();
        call.request.address.hostPort = node.adminAddress();
        call.request.path = "/status";
        calls->call(std::move(call), [&](const Result<NodeAnswer>& answer) {
            fine += answer && answer->status == 200 ? 1 : 0;
            ++answered;
        });
    }
    std::size_t most = 0;
    QTRY_VERIFY_WITH_TIMEOUT(
        (most = std::max(most, connectionsTo(node.adminAddress())), answered == 100), 20'000
    );
    QCOMPARE(fine.load(), 100);
    QVERIFY(most <= 1);
    QCOMPARE(connectionsTo(node.adminAddress()), std::size_t{1}); // It is kept.
}

void AdminHttp2Test::aNodeThatRestartsIsFoundAgain()
{
    ManualEngine engine(ManualEngine::Answers::AtOnce);
    auto server = serve(engine, "127.0.0.1:0");
    QVERIFY(server != nullptr);
    const std::string address = server->address();
    const auto calls = *NodeCalls::start(m_clock);
    std::atomic<int> answered{0};
    std::atomic<int> fine{0};
    const auto ask = [&] {
        const int before = answered;
        NodeCall call;
        call.caller = calls->makeCaller();
        call.request.address.hostPort = address;
        call.request.path = "/status";
        calls->call(std::move(call), [&](const Result<NodeAnswer>& answer) {
            fine += answer ? 1 : 0;
            ++answered;
        });
        return QTest::qWaitFor([&] { return answered > before; }, 20'000);
    };
    QVERIFY(ask());
    QCOMPARE(fine.load(), 1);

    server->stop();
    for (int i = 0; i < 3; ++i) { // Each waits a little longer, and is answered all the same.
        QVERIFY(ask());
    }
    QCOMPARE(fine.load(), 1);

    server = serve(engine, address);
    QVERIFY(server != nullptr);
    QVERIFY(ask());
    QCOMPARE(fine.load(), 2);
    QCOMPARE(connectionsTo(address), std::size_t{1});
    server->stop();
}

void AdminHttp2Test::anOldNodeIsAskedByHttp1()
{
    const auto loop = *net::EventLoop::make(m_clock);
    const auto server = *http::Server::listen(
        *loop,
        net::SocketAddress::loopback(0),
        {},
        [](const http::Request& request, http::Responder responder) {
            responder.send({200, {}, request.method + request.body});
        }
    );
    const auto calls = *NodeCalls::start(m_clock);
    std::atomic<int> answered{0};
    std::atomic<int> fine{0};
    for (int i = 0; i < 10; ++i) {
        NodeCall call;
        call.caller = calls->makeCaller();
        call.request.address.hostPort = server->address().toText();
        call.request.method = "POST";
        call.request.path = "/config";
        call.request.body = std::to_string(i);
        calls->call(std::move(call), [&, i](const Result<NodeAnswer>& answer) {
            fine += answer && answer->body == "POST" + std::to_string(i) ? 1 : 0;
            ++answered;
        });
    }
    const TimePoint end = m_clock.now() + std::chrono::seconds(20);
    while (answered < 10 && m_clock.now() < end) {
        loop->runTurn(std::chrono::milliseconds(5));
    }
    QCOMPARE(fine.load(), 10);
}

} // namespace mesh::control

QTEST_GUILESS_MAIN(mesh::control::AdminHttp2Test)
#include "admin_http2_test.moc"
