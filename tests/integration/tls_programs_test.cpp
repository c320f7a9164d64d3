// Goal: what other people's programs say to our TLS: curl and openssl as clients, nginx and haproxy
// as targets that demand a certificate, testssl.sh as the judge of the default listener.
// Method: an engine in this process, the programs as processes on loopback; certificates made here.
#include "tests/support/certificate_maker.h"
#include "tests/support/free_port.h"
#include "tests/support/proxy_fixture.h"
#include "tests/support/tls_yaml.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

using namespace mesh;
using namespace mesh::test;

namespace {

constexpr std::string_view kGood = "11111111-1111-4111-8111-111111111111";
constexpr std::string_view kServer = "22222222-2222-4222-8222-222222222222";
constexpr int kPatience_ms = 20'000;
constexpr int kJudging_ms = 280'000;

QString find(const char* name)
{
    return QStandardPaths::findExecutable(
        QString::fromLatin1(name), {QStringLiteral("/usr/sbin"), QStringLiteral("/usr/bin")}
    );
}

// What the program said, both ways, until its end.
QString run(
    const QString& program,
    const QStringList& arguments,
    const QByteArray& input = {},
    int patience_ms = kPatience_ms
)
{
    QProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(program, arguments);
    process.write(input);
    if (input.isEmpty()) {
        process.closeWriteChannel();
    }
    if (!process.waitForFinished(patience_ms)) {
        process.kill();
        process.waitForFinished();
    }
    return QString::fromUtf8(process.readAll());
}

} // namespace

class TlsProgramsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void curlIsLetInByItsCertificate();
    void opensslResumes_data();
    void opensslResumes();
    void opensslIsToldWhoIsBelieved();
    void opensslIsRefusedOldVersions();
    void nginxIsShownACertificate();
    void haproxyIsShownACertificate();
    void certificatesChangeUnderLoad();
    void testsslFindsNoWeakness();

private:
    void write(const char* name, const std::string& text);
    [[nodiscard]] QString path(const char* name) const
    {
        return m_directory.filePath(QString::fromLatin1(name));
    }
    // A service at this port, called under TLS, perhaps with a certificate.
    [[nodiscard]] std::string callerOf(int port, bool showsCertificate) const;
    bool begin(ProxyFixture& mesh, const std::string& more);

    QTemporaryDir m_directory;
    IssuedCertificate m_authority = issueAuthority("Good CA");
    IssuedCertificate m_shown;
    std::unique_ptr<http::Server> m_origin;
};

void TlsProgramsTest::write(const char* name, const std::string& text)
{
    QFile file(path(name));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QByteArray::fromStdString(text));
}

void TlsProgramsTest::initTestCase()
{
    CertificateSpec spec;
    spec.name = "localhost";
    spec.alternatives = "DNS:localhost,IP:127.0.0.1";
    m_shown = issue(spec, &m_authority);
    write("ca.pem", m_authority.pem());
    write("cert.pem", m_shown.pem());
    write("key.pem", m_shown.keyPem());
    write("both.pem", m_shown.pem() + m_shown.keyPem());
}

std::string TlsProgramsTest::callerOf(int port, bool showsCertificate) const
{
    std::string yaml = fmt::format(
        "_format_version: \"3.0\"\nservices:\n- name: o\n  url: https://127.0.0.1:{}\n"
        "  tls_verify: true\n  retries: 0\n  ca_certificates: [{}]\n{}  routes:\n"
        "  - {{name: all, paths: [/]}}\n",
        port,
        kGood,
        showsCertificate ? fmt::format("  client_certificate: {}\n", kServer) : std::string()
    );
    return yaml
           + fmt::format(
               "ca_certificates:\n- id: {}\n  cert: |\n{}\ncertificates:\n- id: {}\n  cert: |\n{}\n"
               "  key: |\n{}\n",
               kGood,
               indentedPem(m_authority.pem()),
               kServer,
               indentedPem(m_shown.pem()),
               indentedPem(m_shown.keyPem())
           );
}

// Two listeners, plain and TLS, in front of an origin that answers hello.
bool TlsProgramsTest::begin(ProxyFixture& mesh, const std::string& more)
{
    mesh.options.proxyListen = {{"127.0.0.1:0", false, false}, {"127.0.0.1:0", true, true}};
    if (!mesh.start()) {
        return false;
    }
    const std::string refused = mesh.apply(
        "_format_version: \"3.0\"\nservices:\n- name: o\n  url: http://127.0.0.1:1\n"
        "  routes:\n  - name: secure\n    paths: [/secure]\n    snis: [localhost]\n"
        "    protocols: [https]\n    plugins:\n    - {name: mtls-auth, config: {ca_certificates: ["
        + std::string(kGood) + "], skip_consumer_lookup: true}}\n  - {name: open, paths: [/open]}\n"
        + more
        + fmt::format(
            "ca_certificates:\n- id: {}\n  cert: |\n{}\ncertificates:\n- cert: |\n{}\n  key: "
            "|\n{}\n",
            kGood,
            indentedPem(m_authority.pem()),
            indentedPem(m_shown.pem()),
            indentedPem(m_shown.keyPem())
        )
    );
    return refused.empty();
}

void TlsProgramsTest::curlIsLetInByItsCertificate()
{
    const QString curl = find("curl");
    if (curl.isEmpty()) {
        QSKIP("curl is not installed");
    }
    ProxyFixture mesh;
    QVERIFY(begin(mesh, {}));
    const QString url = QStringLiteral("https://localhost:%1/secure").arg(mesh.proxies[1].port());
    const QStringList common = {
        QStringLiteral("-si"), QStringLiteral("--cacert"), path("ca.pem"), QStringLiteral("-4")};

    const QString bare = run(curl, common + QStringList{url});
    const QString shown =
        run(curl,
            common
                + QStringList{
                    QStringLiteral("--cert"),
                    path("cert.pem"),
                    QStringLiteral("--key"),
                    path("key.pem"),
                    url});

    QVERIFY2(bare.contains(QStringLiteral(" 401")), qPrintable(bare));
    QVERIFY2(
        bare.contains(QStringLiteral("No required TLS certificate was sent")), qPrintable(bare)
    );
    // Nobody is behind the route: who gets this far was let in.
    QVERIFY2(shown.contains(QStringLiteral(" 502")), qPrintable(shown));
}

void TlsProgramsTest::opensslResumes_data()
{
    QTest::addColumn<QString>("version");
    QTest::newRow("TLS 1.2") << "-tls1_2";
    QTest::newRow("TLS 1.3") << "-tls1_3";
}

void TlsProgramsTest::opensslResumes()
{
    QFETCH(const QString, version);
    const QString openssl = find("openssl");
    if (openssl.isEmpty()) {
        QSKIP("openssl is not installed");
    }
    ProxyFixture mesh;
    QVERIFY(begin(mesh, {}));
    const QStringList common = {
        QStringLiteral("s_client"),
        version,
        QStringLiteral("-connect"),
        QStringLiteral("127.0.0.1:%1").arg(mesh.proxies[1].port()),
        QStringLiteral("-servername"),
        QStringLiteral("other.test"), // Nobody asks for a certificate there.
        QStringLiteral("-ign_eof")};
    const QByteArray request = "GET /open HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    const QString first =
        run(openssl, common + QStringList{QStringLiteral("-sess_out"), path("session")}, request);
    const QString second =
        run(openssl, common + QStringList{QStringLiteral("-sess_in"), path("session")}, request);

    QVERIFY2(first.contains(QStringLiteral("\nNew, TLSv1")), qPrintable(first));
    QVERIFY2(second.contains(QStringLiteral("\nReused, TLSv1")), qPrintable(second));
    QVERIFY(first.contains(QStringLiteral("X25519")));
    QVERIFY(first.contains(QStringLiteral("No client certificate CA names sent")));
}

void TlsProgramsTest::opensslIsToldWhoIsBelieved()
{
    const QString openssl = find("openssl");
    if (openssl.isEmpty()) {
        QSKIP("openssl is not installed");
    }
    ProxyFixture mesh;
    QVERIFY(begin(
        mesh,
        "  - name: named\n    paths: [/named]\n    snis: [named.test]\n    protocols: [https]\n"
        "    plugins:\n    - {name: mtls-auth, config: {ca_certificates: ["
            + std::string(kGood) + "], skip_consumer_lookup: true, send_ca_dn: true}}\n"
    ));
    const auto saidTo = [&](const char* name) {
        return run(
            openssl,
            {QStringLiteral("s_client"),
             QStringLiteral("-connect"),
             QStringLiteral("127.0.0.1:%1").arg(mesh.proxies[1].port()),
             QStringLiteral("-servername"),
             QString::fromLatin1(name)}
        );
    };
    const QString told = saidTo("named.test");
    QVERIFY2(
        told.contains(QStringLiteral("Acceptable client certificate CA names\nCN = Good CA")),
        qPrintable(told)
    );
    const QString untold = saidTo("localhost"); // Asked for one, but not told whose.
    QVERIFY(!untold.contains(QStringLiteral("Acceptable client certificate CA names")));
    QVERIFY(untold.contains(QStringLiteral("Requested Signature Algorithms")));
}

void TlsProgramsTest::opensslIsRefusedOldVersions()
{
    const QString openssl = find("openssl");
    if (openssl.isEmpty()) {
        QSKIP("openssl is not installed");
    }
    ProxyFixture mesh;
    QVERIFY(begin(mesh, {}));
    const QString said =
        run(openssl,
            {QStringLiteral("s_client"),
             QStringLiteral("-tls1_1"),
             QStringLiteral("-cipher"),
             QStringLiteral("ALL:@SECLEVEL=0"),
             QStringLiteral("-connect"),
             QStringLiteral("127.0.0.1:%1").arg(mesh.proxies[1].port())});
    QVERIFY2(said.contains(QStringLiteral("protocol version")), qPrintable(said));
}

void TlsProgramsTest::nginxIsShownACertificate()
{
    const QString nginx = find("nginx");
    if (nginx.isEmpty()) {
        QSKIP("nginx is not installed");
    }
    const int port = test::freePort();
    const std::string folder = m_directory.path().toStdString();
    write(
        "nginx.conf",
        fmt::format(
            "daemon off;\nmaster_process off;\npid {0}/pid;\nerror_log {0}/error.log;\nevents "
            "{{}}\n"
            "http {{ access_log off; client_body_temp_path {0}/b; proxy_temp_path {0}/p;\n"
            "fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u; scgi_temp_path {0}/s;\n"
            "server {{ listen 127.0.0.1:{1} ssl; ssl_certificate {0}/cert.pem;\n"
            "ssl_certificate_key {0}/key.pem; ssl_client_certificate {0}/ca.pem;\n"
            "ssl_verify_client on; location / {{ return 200 \"$ssl_client_s_dn "
            "$ssl_session_reused\"; }} }} }}\n",
            folder,
            port
        )
    );
    QProcess server;
    server.start(
        nginx,
        {QStringLiteral("-p"),
         m_directory.path(),
         QStringLiteral("-c"),
         path("nginx.conf"),
         QStringLiteral("-e"),
         path("start.log")}
    );
    QVERIFY(server.waitForStarted());
    ProxyFixture mesh;
    QVERIFY(mesh.start());
    const std::string get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    QCOMPARE(mesh.apply(callerOf(port, true)), std::string());
    std::string shown;
    QVERIFY(QTest::qWaitFor(
        [&] {
            shown = mesh.talk(get, "CN=localhost");
            return shown.find("CN=localhost") != std::string::npos;
        },
        kPatience_ms
    ));
    QVERIFY2(shown.find("HTTP/1.1 200 ") != std::string::npos, shown.c_str());
    QCOMPARE(mesh.apply(callerOf(port, false)), std::string());
    const std::string bare = mesh.talk(get, "</html>");
    QVERIFY2(bare.find("No required SSL certificate was sent") != std::string::npos, bare.c_str());
    server.terminate();
    server.waitForFinished();
}

void TlsProgramsTest::haproxyIsShownACertificate()
{
    const QString haproxy = find("haproxy");
    if (haproxy.isEmpty()) {
        QSKIP("haproxy is not installed");
    }
    const int port = test::freePort();
    const std::string folder = m_directory.path().toStdString();
    write(
        "haproxy.cfg",
        fmt::format(
            "defaults\n  mode http\n  timeout client 10s\n  timeout connect 10s\n  timeout server "
            "10s\nfrontend f\n  bind 127.0.0.1:{} ssl crt {}/both.pem ca-file {}/ca.pem verify "
            "required ssl-max-ver TLSv1.2\n  http-request return status 200 content-type "
            "text/plain "
            "string \"let in|end\"\n",
            port,
            folder,
            folder
        )
    );
    QProcess server;
    server.start(haproxy, {QStringLiteral("-db"), QStringLiteral("-f"), path("haproxy.cfg")});
    QVERIFY(server.waitForStarted());
    ProxyFixture mesh;
    QVERIFY(mesh.start());
    const std::string get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    QCOMPARE(mesh.apply(callerOf(port, true)), std::string());
    std::string shown;
    QVERIFY(QTest::qWaitFor(
        [&] {
            shown = mesh.talk(get, "|end");
            return shown.find("let in|end") != std::string::npos;
        },
        kPatience_ms
    ));
    QCOMPARE(mesh.apply(callerOf(port, false)), std::string());
    const std::string bare = mesh.talk(get, "\r\n\r\n");
    QVERIFY2(bare.find("HTTP/1.1 502 ") != std::string::npos, bare.c_str());
    QVERIFY2(
        bare.find("x-meshwright-proxy-error: the upstream refused the TLS handshake")
            != std::string::npos,
        bare.c_str()
    );
    server.terminate();
    server.waitForFinished();
}

// Two wrk, one of which makes a connection per request, while new certificates are pushed.
void TlsProgramsTest::certificatesChangeUnderLoad()
{
    const QString wrk = find("wrk");
    if (wrk.isEmpty()) {
        QSKIP("wrk is not installed");
    }
    ProxyFixture mesh;
    mesh.options.proxyListen = {{"127.0.0.1:0", true, false}};
    QVERIFY(mesh.start(2));
    const auto origin = mesh.serve([](http::Request, http::Responder responder) {
        http::Response response;
        response.body = "ok";
        responder.send(response);
    });
    const auto push = [&](int serial) {
        CertificateSpec spec;
        spec.serial = serial;
        const IssuedCertificate shown = issue(spec, &m_authority);
        return mesh.apply(fmt::format(
            "_format_version: \"3.0\"\nservices:\n- name: o\n  url: http://{}\n  routes:\n"
            "  - {{name: all, paths: [/]}}\ncertificates:\n- cert: |\n{}\n  key: |\n{}\n",
            origin->address().toText(),
            indentedPem(shown.pem()),
            indentedPem(shown.keyPem())
        ));
    };
    QCOMPARE(push(1), std::string());
    std::array<QProcess, 2> clients;
    const QString url = QStringLiteral("https://127.0.0.1:%1/").arg(mesh.proxy.port());
    QStringList arguments = {
        QStringLiteral("-t1"), QStringLiteral("-c8"), QStringLiteral("-d2s"), url};
    for (QProcess& client : clients) {
        client.start(wrk, arguments);
        QVERIFY(client.waitForStarted());
        arguments.prepend(QStringLiteral("Connection: close"));
        arguments.prepend(QStringLiteral("-H"));
    }
    int serial = 1;
    const auto isRunning = [&] {
        return std::ranges::any_of(clients, [](QProcess& client) {
            client.waitForFinished(1);
            return client.state() != QProcess::NotRunning;
        });
    };
    while (isRunning()) {
        QCOMPARE(push(++serial), std::string());
        const TimePoint next = mesh.clock.now() + std::chrono::milliseconds(50);
        runUntil(*mesh.loop, [&] { return mesh.clock.now() >= next; });
    }
    QVERIFY2(serial > 10, std::to_string(serial).c_str());
    for (QProcess& client : clients) {
        const QString report = QString::fromUtf8(client.readAll());
        QVERIFY2(report.contains(QStringLiteral("requests in")), qPrintable(report));
        QVERIFY2(!report.contains(QStringLiteral("\n  0 requests in")), qPrintable(report));
        QVERIFY2(!report.contains(QStringLiteral("Socket errors")), qPrintable(report));
        QVERIFY2(!report.contains(QStringLiteral("Non-2xx")), qPrintable(report));
    }
}

// The checks that a change of ours could fail: versions, kinds of ciphers, and what was found in
// handshakes, tickets, renegotiation and compression. MESH_TEST_TESTSSL=1 asks for all there are,
// which takes minutes.
void TlsProgramsTest::testsslFindsNoWeakness()
{
    const QString testssl = find("testssl");
    if (testssl.isEmpty()) {
        QSKIP("testssl is not installed");
    }
    ProxyFixture mesh;
    QVERIFY(begin(mesh, {}));
    const QString report = path("testssl.json");
    QStringList arguments = {
        QStringLiteral("--quiet"),
        QStringLiteral("--color"),
        QStringLiteral("0"),
        QStringLiteral("--warnings"),
        QStringLiteral("off"),
        QStringLiteral("--nodns"),
        QStringLiteral("none"),
        QStringLiteral("--add-ca"),
        path("ca.pem"),
        QStringLiteral("--jsonfile"),
        report,
    };
    const bool asksForAll = qEnvironmentVariableIntValue("MESH_TEST_TESTSSL") == 1;
    const char* const checks = asksForAll ? "-p -s -f -S -U" : "-p -s -H -I -T -BB -R -C -Z -F -J";
    arguments += QString::fromLatin1(checks).split(u' ');
    arguments << QStringLiteral("localhost:%1").arg(mesh.proxies[1].port());
    const QString said = run(testssl, arguments, {}, kJudging_ms);
    QFile file(report);
    QVERIFY2(file.open(QIODevice::ReadOnly), qPrintable(said));
    const QJsonArray findings = QJsonDocument::fromJson(file.readAll()).array();
    QVERIFY2(findings.size() >= (asksForAll ? 50 : 25), qPrintable(said));
    const QStringList bad = {
        QStringLiteral("MEDIUM"), QStringLiteral("HIGH"), QStringLiteral("CRITICAL")};
    QStringList weak;
    for (const QJsonValue& each : findings) {
        const QJsonObject finding = each.toObject();
        const QString id = finding[QStringLiteral("id")].toString();
        // What the certificate itself says is its issuer's affair, not the listener's.
        if (bad.contains(finding[QStringLiteral("severity")].toString())
            && !id.startsWith(QStringLiteral("cert_"))) {
            weak << id + QStringLiteral(": ") + finding[QStringLiteral("finding")].toString();
        }
    }
    QVERIFY2(weak.isEmpty(), qPrintable(weak.join(u'\n')));
}

QTEST_GUILESS_MAIN(TlsProgramsTest)
#include "tls_programs_test.moc"
