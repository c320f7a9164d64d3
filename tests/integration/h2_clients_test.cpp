// Goal: what real programs see of HTTP/2 on the client's side of a node, in every mix with
// upstreams. Method: an engine in this process, origins on the test's loop, curl, nghttp and h2load
// as processes.
#include "tests/support/h2_test_server.h"
#include "tests/support/proxy_fixture.h"

#include <QFile>
#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

using namespace mesh;
using namespace mesh::test;

namespace {

constexpr std::size_t kLarge = 3'000'000;
constexpr Duration kProgramTime = std::chrono::seconds(20);

QString find(const char* name) { return QStandardPaths::findExecutable(QString::fromLatin1(name)); }

std::string headerOf(const http::Request& request, std::string_view name)
{
    return std::string(http::findHeader(request.headers, name).value_or(std::string_view()));
}

// What both origins answer: told by the path.
struct Told
{
    int status = 200;
    std::string body;
};

Told answerTo(std::string_view path, const std::string& received)
{
    if (path == "/large") {
        return {200, std::string(kLarge, 'x')};
    }
    if (path == "/none") {
        return {204, {}};
    }
    if (path == "/same") {
        return {304, {}};
    }
    return {200, received.empty() ? "hello" : received};
}

enum class Origin : std::uint8_t { Http1, Http2 };

struct Mesh : ProxyFixture
{
    std::unique_ptr<http::Server> first;
    std::unique_ptr<H2TestServer> second;
    std::string lastVia;
    std::string lastTrailer;
    QTemporaryDir directory;

    bool begin(Origin origin)
    {
        options.proxyListen = {{"127.0.0.1:0", false, false}, {"127.0.0.1:0", true, true}};
        options.accessLog = api::AccessLogFormat::Text;
        options.accessLogFile = pathOf("access.log").toStdString();
        if (!start()) {
            return false;
        }
        http::ServerOptions large;
        large.bodyBytesMax = 2 * kLarge;
        large.connectionsMax = 1000; // More than there are streams at once.
        first = *http::Server::listen(
            *loop,
            net::SocketAddress::loopback(0),
            large,
            [this](const http::Request& request, http::Responder responder) {
                lastVia = headerOf(request, "via");
                Told told = answerTo(request.path(), request.body);
                responder.send({told.status, {{"X-Origin", "one"}}, std::move(told.body)});
            }
        );
        second = std::make_unique<H2TestServer>(*loop, [this](const H2Call& call) {
            lastVia = call.field("via");
            lastTrailer = call.trailers.empty() ? std::string() : call.trailers.front().second;
            Told told = answerTo(call.path, call.body);
            H2Answer answer;
            answer.head = {{":status", std::to_string(told.status)}, {"x-origin", "two"}};
            answer.body = std::move(told.body);
            if (call.path == "/trailers") {
                answer.trailers = {{"x-sum", "42"}};
            }
            return answer;
        });
        const net::SocketAddress& address =
            origin == Origin::Http1 ? first->address() : second->address();
        return apply(fmt::format(
                         "_format_version: \"3.0\"\nservices:\n- name: origin\n  url: http://{}\n{}"
                         "  routes:\n  - {{name: all, paths: [\"/\"]}}\n",
                         address.toText(),
                         origin == Origin::Http1 ? "" : "  http_version: http2\n"
                     ))
            .empty();
    }

    [[nodiscard]] QString pathOf(const char* name) const
    {
        return directory.filePath(QString::fromLatin1(name));
    }
    [[nodiscard]] QString url(const char* path, bool isTls = false) const
    {
        return QString::fromStdString(fmt::format(
            "{}://{}{}", isTls ? "https" : "http", proxies[isTls ? 1 : 0].toText(), path
        ));
    }

    // Everything that the program said, both ways, while the origins go on serving.
    QByteArray run(const char* program, const QStringList& arguments)
    {
        QProcess process;
        process.setProcessChannelMode(QProcess::MergedChannels);
        process.start(find(program), arguments);
        process.closeWriteChannel();
        const auto hasEnded = [&process] {
            process.waitForFinished(1);
            return process.state() == QProcess::NotRunning;
        };
        if (!runUntil(*loop, hasEnded, kProgramTime)) {
            process.kill();
            process.waitForFinished();
        }
        return process.readAll();
    }

    // curl's own report behind the answer: protocol, status, bytes of body.
    QByteArray curl(const QStringList& arguments)
    {
        const QStringList always = {
            QStringLiteral("-sk"),
            QStringLiteral("-o"),
            pathOf("body"),
            QStringLiteral("-w"),
            QStringLiteral("%{http_version} %{response_code} %{size_download}")};
        return run("curl", always + arguments);
    }
    [[nodiscard]] QByteArray read(const char* name) const
    {
        QFile file(pathOf(name));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }
};

} // namespace

class H2ClientsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void curlComesToHttp2InEveryWay_data();
    void curlComesToHttp2InEveryWay();
    void messagesPassInEveryMix_data();
    void messagesPassInEveryMix();
    void nghttpUpgradesAndKnows();
    void trailersPassBothWays();
    void h2loadIsAnsweredOnEveryStream_data();
    void h2loadIsAnsweredOnEveryStream();
    void theAccessLogNamesTheProtocol();
};

void H2ClientsTest::curlComesToHttp2InEveryWay_data()
{
    QTest::addColumn<QString>("option");
    QTest::addColumn<bool>("isTls");
    QTest::newRow("ALPN") << QStringLiteral("--http2") << true;
    QTest::newRow("upgrade") << QStringLiteral("--http2") << false;
    QTest::newRow("prior knowledge") << QStringLiteral("--http2-prior-knowledge") << false;
}

void H2ClientsTest::curlComesToHttp2InEveryWay()
{
    QFETCH(QString, option);
    QFETCH(bool, isTls);
    Mesh mesh;
    QVERIFY(mesh.begin(Origin::Http1));
    QCOMPARE(mesh.curl({option, mesh.url("/", isTls)}), QByteArray("2 200 5"));
    QCOMPARE(mesh.read("body"), QByteArray("hello"));
    QVERIFY(mesh.lastVia.starts_with("2.0 "));
    if (option != QStringLiteral("--http2")) {
        return; // curl 7.88 cannot use such a connection again, whoever serves it.
    }
    // The second uses the connection that the first made.
    const QStringList twice = {
        option,
        mesh.url("/", isTls),
        QStringLiteral("-o"),
        mesh.pathOf("body"),
        mesh.url("/large", isTls)};
    QCOMPARE(mesh.curl(twice), QByteArray("2 200 52 200 3000000"));
}

void H2ClientsTest::messagesPassInEveryMix_data()
{
    QTest::addColumn<QString>("option");
    QTest::addColumn<QByteArray>("version");
    QTest::addColumn<int>("origin");
    const QString known = QStringLiteral("--http2-prior-knowledge");
    const QString old = QStringLiteral("--http1.1");
    QTest::newRow("h1 to h1") << old << QByteArray("1.1 ") << 0;
    QTest::newRow("h1 to h2") << old << QByteArray("1.1 ") << 1;
    QTest::newRow("h2 to h1") << known << QByteArray("2 ") << 0;
    QTest::newRow("h2 to h2") << known << QByteArray("2 ") << 1;
}

void H2ClientsTest::messagesPassInEveryMix()
{
    QFETCH(QString, option);
    QFETCH(QByteArray, version);
    QFETCH(int, origin);
    Mesh mesh;
    QVERIFY(mesh.begin(static_cast<Origin>(origin)));
    QFile upload(mesh.pathOf("upload"));
    QVERIFY(upload.open(QIODevice::WriteOnly));
    const QByteArray sent(kLarge, 'u');
    upload.write(sent);
    upload.close();
    const QString from = QStringLiteral("@") + upload.fileName();

    QCOMPARE(mesh.curl({option, mesh.url("/")}), version + "200 5");
    QCOMPARE(mesh.curl({option, mesh.url("/large")}), version + "200 3000000");
    QCOMPARE(mesh.read("body"), QByteArray(kLarge, 'x'));
    QCOMPARE(
        mesh.curl({option, QStringLiteral("--data-binary"), from, mesh.url("/")}),
        version + "200 3000000"
    );
    QCOMPARE(mesh.read("body"), sent);
    // Of unknown length, and only when the node has said that it may come.
    QCOMPARE(
        mesh.curl(
            {option,
             QStringLiteral("-H"),
             QStringLiteral("Expect: 100-continue"),
             QStringLiteral("--expect100-timeout"),
             QStringLiteral("10"),
             QStringLiteral("-X"),
             QStringLiteral("PUT"),
             QStringLiteral("-T"),
             upload.fileName(),
             mesh.url("/put")}
        ),
        version + "200 3000000"
    );
    QCOMPARE(mesh.curl({option, QStringLiteral("-I"), mesh.url("/")}), version + "200 0");
    QCOMPARE(mesh.curl({option, mesh.url("/none")}), version + "204 0");
    QCOMPARE(mesh.curl({option, mesh.url("/same")}), version + "304 0");
}

void H2ClientsTest::nghttpUpgradesAndKnows()
{
    Mesh mesh;
    QVERIFY(mesh.begin(Origin::Http1));
    const QStringList ways[] = {
        {QStringLiteral("-nv"), mesh.url("/")},
        {QStringLiteral("-nvu"), mesh.url("/")},
        {QStringLiteral("-nvy"), mesh.url("/", true)}};
    for (const QStringList& way : ways) {
        const QByteArray said = mesh.run("nghttp", way);
        QVERIFY2(said.contains(":status: 200"), said.constData());
        QVERIFY2(said.contains("x-origin: one"), said.constData());
    }
}

void H2ClientsTest::trailersPassBothWays()
{
    Mesh mesh;
    QVERIFY(mesh.begin(Origin::Http2));
    QFile upload(mesh.pathOf("upload"));
    QVERIFY(upload.open(QIODevice::WriteOnly));
    upload.write(QByteArray(100'000, 'u'));
    upload.close();
    const QByteArray said = mesh.run(
        "nghttp",
        {QStringLiteral("-nv"),
         QStringLiteral("-d"),
         upload.fileName(),
         QStringLiteral("--trailer"),
         QStringLiteral("x-mine: 7"),
         mesh.url("/trailers")}
    );
    QVERIFY2(said.contains("x-sum: 42"), said.constData());
    QCOMPARE(mesh.lastTrailer, "7");
}

void H2ClientsTest::h2loadIsAnsweredOnEveryStream_data()
{
    QTest::addColumn<QStringList>("options");
    QTest::addColumn<int>("requests");
    QTest::addColumn<bool>("isLarge");
    QTest::addColumn<bool>("isTls");
    const QStringList hundred = {QStringLiteral("-c4"), QStringLiteral("-m100")};
    // Windows of 16 KiB for each stream and of 64 for all: every body waits many times.
    const QStringList narrow = {
        QStringLiteral("-c2"),
        QStringLiteral("-m10"),
        QStringLiteral("-w14"),
        QStringLiteral("-W16")};
    QTest::newRow("small in plain") << hundred << 2000 << false << false;
    QTest::newRow("small under TLS") << hundred << 2000 << false << true;
    QTest::newRow("large through small windows") << narrow << 20 << true << false;
}

void H2ClientsTest::h2loadIsAnsweredOnEveryStream()
{
    QFETCH(QStringList, options);
    QFETCH(int, requests);
    QFETCH(bool, isLarge);
    QFETCH(bool, isTls);
    Mesh mesh;
    QVERIFY(mesh.begin(Origin::Http1));
    const QStringList rest = {
        QStringLiteral("-n%1").arg(requests), mesh.url(isLarge ? "/large" : "/", isTls)};
    const QByteArray said = mesh.run("h2load", options + rest);
    const QByteArray all = QByteArray::number(requests);
    QVERIFY2(said.contains("status codes: " + all + " 2xx, 0 3xx"), said.constData());
    QVERIFY2(said.contains(all + " succeeded, 0 failed, 0 errored, 0 timeout"), said.constData());
}

void H2ClientsTest::theAccessLogNamesTheProtocol()
{
    Mesh mesh;
    QVERIFY(mesh.begin(Origin::Http1));
    QCOMPARE(
        mesh.curl({QStringLiteral("--http2-prior-knowledge"), mesh.url("/two")}),
        QByteArray("2 200 5")
    );
    QCOMPARE(mesh.curl({QStringLiteral("--http1.1"), mesh.url("/one")}), QByteArray("1.1 200 5"));
    QVERIFY(runUntil(*mesh.loop, [&] {
        const QByteArray log = mesh.read("access.log");
        return log.contains("\"GET /two HTTP/2\" 200") && log.contains("\"GET /one HTTP/1.1\" 200");
    }));
}

QTEST_GUILESS_MAIN(H2ClientsTest)
#include "h2_clients_test.moc"
