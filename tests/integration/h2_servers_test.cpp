// Goal: other people's HTTP/2 servers behind a node: nghttpd in both ways of HTTP/2, and nginx,
// which says GOAWAY in the middle of the traffic.
// Method: an engine in this process, servers and h2load as processes on loopback.
#include "tests/support/certificate_maker.h"
#include "tests/support/free_port.h"
#include "tests/support/proxy_fixture.h"

#include <QFile>
#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <fmt/format.h>

using namespace mesh;
using namespace mesh::test;

namespace {

constexpr int kPatience_ms = 20'000;
constexpr std::size_t kLargeBytes = 1U << 20U;

QString find(const char* name)
{
    return QStandardPaths::findExecutable(
        QString::fromLatin1(name), {QStringLiteral("/usr/sbin"), QStringLiteral("/usr/bin")}
    );
}

std::string yamlOf(std::string_view protocol, int port)
{
    return fmt::format(
        "_format_version: \"3.0\"\nservices:\n- name: files\n  url: {}://127.0.0.1:{}\n"
        "  http_version: http2\n  retries: 0\n  routes: [{{name: all, paths: [/]}}]\n",
        protocol,
        port
    );
}

} // namespace

class H2ServersTest final : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanup();
    void nghttpdServesBothKindsOfClients_data();
    void nghttpdServesBothKindsOfClients();
    void goAwayOfNginxLosesNoRequest();

private:
    bool write(const char* name, const std::string& text);
    [[nodiscard]] QString path(const char* name) const
    {
        return m_directory.filePath(QString::fromLatin1(name));
    }
    bool startServer(const QString& program, const QStringList& arguments, int port);
    // What h2load says of requests through the node, in HTTP/2.
    [[nodiscard]] QString load(const QStringList& arguments, const char* target);

    QTemporaryDir m_directory;
    QProcess m_server;
    std::unique_ptr<ProxyFixture> m_fixture;
};

void H2ServersTest::initTestCase()
{
    CertificateSpec spec;
    spec.alternatives = "IP:127.0.0.1";
    const IssuedCertificate shown = issue(spec, nullptr);
    QVERIFY(write("cert.pem", shown.pem()) && write("key.pem", shown.keyPem()));
    QVERIFY(write("small", "hello") && write("large", std::string(kLargeBytes, 'x')));
}

void H2ServersTest::cleanup()
{
    m_server.kill();
    m_server.waitForFinished();
    m_fixture.reset();
}

bool H2ServersTest::write(const char* name, const std::string& text)
{
    QFile file(path(name));
    const auto size = static_cast<qint64>(text.size());
    return file.open(QIODevice::WriteOnly) && file.write(text.data(), size) == size;
}

bool H2ServersTest::startServer(const QString& program, const QStringList& arguments, int port)
{
    m_fixture = std::make_unique<ProxyFixture>();
    m_fixture->options.proxyListen = {{"127.0.0.1:0", false, true}};
    m_server.setProcessChannelMode(QProcess::MergedChannels);
    m_server.start(program, arguments);
    if (!m_server.waitForStarted(kPatience_ms) || !m_fixture->start()) {
        return false;
    }
    const net::SocketAddress address =
        *net::SocketAddress::parse(fmt::format("127.0.0.1:{}", port));
    return runUntil(*m_fixture->loop, [&] {
        const Result<FileDescriptor> probe = net::connectTo(address);
        return probe && net::connectOutcome(probe->get());
    });
}

QString H2ServersTest::load(const QStringList& arguments, const char* target)
{
    QProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    const QString url = QStringLiteral("http://%1/%2")
                            .arg(QString::fromStdString(m_fixture->proxy.toText()))
                            .arg(QString::fromLatin1(target));
    process.start(find("h2load"), arguments + QStringList{url});
    if (!process.waitForFinished(kPatience_ms)) {
        process.kill();
        process.waitForFinished();
    }
    return QString::fromUtf8(process.readAll());
}

void H2ServersTest::nghttpdServesBothKindsOfClients_data()
{
    QTest::addColumn<bool>("isTls");
    QTest::newRow("plain") << false;
    QTest::newRow("by ALPN") << true;
}

void H2ServersTest::nghttpdServesBothKindsOfClients()
{
    QFETCH(bool, isTls);
    const QString program = find("nghttpd");
    if (program.isEmpty()) {
        QSKIP("nghttpd is not installed");
    }
    const int port = test::freePort();
    QStringList arguments = {
        QStringLiteral("-a"),
        QStringLiteral("127.0.0.1"),
        QStringLiteral("-d"),
        m_directory.path(),
        QStringLiteral("-m"),
        QStringLiteral("7"),
        QStringLiteral("--echo-upload"),
        isTls ? QStringLiteral("--no-content-length") : QStringLiteral("--no-tls"),
        QString::number(port)};
    if (isTls) {
        arguments += {path("key.pem"), path("cert.pem")};
    }
    QVERIFY(startServer(program, arguments, port));
    QCOMPARE(m_fixture->apply(yamlOf(isTls ? "https" : "http", port)), std::string());

    const std::string said =
        m_fixture->talk("GET /small HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "hello");
    QVERIFY2(said.starts_with("HTTP/1.1 200 "), said.c_str());
    QVERIFY(said.find("nghttpd") != std::string::npos);

    // More at once than the server takes on a connection.
    const QString small =
        load({QStringLiteral("-n400"), QStringLiteral("-c2"), QStringLiteral("-m20")}, "small");
    QVERIFY2(small.contains(QStringLiteral(" 400 2xx, ")), qPrintable(small));
    const QString large =
        load({QStringLiteral("-n20"), QStringLiteral("-c2"), QStringLiteral("-m5")}, "large");
    QVERIFY2(large.contains(QStringLiteral(" 20 2xx, ")), qPrintable(large));
    const QString bytes = QStringLiteral("(%1) data").arg(20 * kLargeBytes);
    QVERIFY2(large.contains(bytes), qPrintable(large));
    const QString posted = load(
        {QStringLiteral("-n20"),
         QStringLiteral("-c2"),
         QStringLiteral("-m5"),
         QStringLiteral("-d"),
         path("large")},
        "echo"
    );
    QVERIFY2(posted.contains(QStringLiteral(" 20 2xx, ")), qPrintable(posted));
    QVERIFY2(posted.contains(bytes), qPrintable(posted));
}

void H2ServersTest::goAwayOfNginxLosesNoRequest()
{
    const QString program = find("nginx");
    if (program.isEmpty()) {
        QSKIP("nginx is not installed");
    }
    const int port = test::freePort();
    const std::string folder = m_directory.path().toStdString();
    QVERIFY(write(
        "nginx.conf",
        fmt::format(
            "daemon off; master_process off; pid {0}/pid; error_log {0}/error.log;\n"
            "events {{}}\nhttp {{ access_log off; client_body_temp_path {0}/b;\n"
            "proxy_temp_path {0}/p; fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u;\n"
            "scgi_temp_path {0}/s; keepalive_requests 25;\n"
            "server {{ listen 127.0.0.1:{1} http2; root {0}; }} }}\n",
            folder,
            port
        )
    ));
    QVERIFY(startServer(
        program,
        {QStringLiteral("-e"),
         path("error.log"),
         QStringLiteral("-p"),
         m_directory.path(),
         QStringLiteral("-c"),
         path("nginx.conf")},
        port
    ));
    QCOMPARE(m_fixture->apply(yamlOf("http", port)), std::string());

    // Without retries: what GOAWAY says was not begun is asked again all the same.
    const QString said =
        load({QStringLiteral("-n1000"), QStringLiteral("-c4"), QStringLiteral("-m10")}, "small");
    QVERIFY2(said.contains(QStringLiteral(" 1000 2xx, ")), qPrintable(said));
}

QTEST_APPLESS_MAIN(H2ServersTest)
#include "h2_servers_test.moc"
