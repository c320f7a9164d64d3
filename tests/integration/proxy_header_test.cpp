// Goal: PROXY headers, in and out, for HTTP and streams, whole and wrong.
// Method: raw sockets against an engine on loopback; HAProxy and nginx where another's word counts.
#include "proxyengine/base/file.h"
#include "proxyengine/base/log.h"
#include "tests/support/stream_fixture.h"
#include "tests/support/tls_client.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <sys/socket.h>

#include <optional>

using namespace mesh;
using namespace mesh::test;

namespace {

std::string header2(const std::string& source, const std::string& destination)
{
    std::string bytes("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", 16);
    const auto from = *net::SocketAddress::parse(source);
    const auto to = *net::SocketAddress::parse(destination);
    for (const auto& address : {from, to}) {
        bytes.append(address.bytes().begin(), address.bytes().begin() + 4);
    }
    return bytes + number(from.port(), 2) + number(to.port(), 2);
}

} // namespace

class ProxyHeaderTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aHeaderTellsWhoTheClientIs_data();
    void aHeaderTellsWhoTheClientIs();
    void aHeaderRoutesBySource();
    void aWrongHeaderIsResetAndCounted();
    void manyWrongHeadersAreFewLinesOfTheLog();
    void aHeaderThatDoesNotComeIsReset();
    void headersComeInPiecesBeforeTls();
    void theServiceIsToldOfItsClient_data();
    void theServiceIsToldOfItsClient();
    void haproxyTellsUsAndWeTellNginx();
};

void ProxyHeaderTest::aHeaderTellsWhoTheClientIs_data()
{
    QTest::addColumn<QByteArray>("header");
    QTest::addColumn<QByteArray>("client");
    QTest::newRow("version 1") << QByteArray("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n")
                               << QByteArray("192.0.2.7");
    QTest::newRow("version 2"
    ) << QByteArray::fromStdString(header2("192.0.2.8:4711", "198.51.100.1:80"))
      << QByteArray("192.0.2.8");
    QTest::newRow("local") << QByteArray("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16)
                           << QByteArray("127.0.0.1");
}

// HTTP: what the service hears of the client, and what limits and logs are kept by.
void ProxyHeaderTest::aHeaderTellsWhoTheClientIs()
{
    QFETCH(const QByteArray, header);
    QFETCH(const QByteArray, client);
    StreamFixture mesh;
    api::ListenOption listener{"127.0.0.1:0"};
    listener.proxyProtocol = true;
    mesh.options.proxyListen = {listener};
    QVERIFY(mesh.start());
    std::string forwarded;
    const auto origin = mesh.serve([&](const http::Request& request, http::Responder responder) {
        forwarded = http::findHeader(request.headers, "x-forwarded-for").value_or("");
        http::Response response;
        response.body = "served";
        responder.send(response);
    });
    QCOMPARE(mesh.apply(serviceYaml({origin->address()})), std::string());
    const std::string heard = mesh.talk(
        header.toStdString() + "GET /api HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "served"
    );
    QVERIFY2(heard.starts_with("HTTP/1.1 200"), heard.c_str());
    QCOMPARE(QByteArray::fromStdString(forwarded), client);
}

void ProxyHeaderTest::aHeaderRoutesBySource()
{
    StreamFixture mesh;
    api::ListenOption listener{"127.0.0.1:0"};
    listener.proxyProtocol = true;
    QVERIFY(mesh.begin({listener}));
    Target one(*mesh.loop);
    Target two(*mesh.loop);
    QCOMPARE(
        mesh.applyServices(
            mesh.service(
                "one",
                one.address(),
                "routes:\n  - {name: r1, protocols: [tcp], sources: [{ip: 192.0.2.0/24}]}"
            )
            + mesh.service(
                "two",
                two.address(),
                "routes:\n  - {name: r2, protocols: [tcp], destinations: [{ip: 198.51.100.9}]}"
            )
        ),
        std::string()
    );
    RawSocket first(mesh.streams.front());
    QVERIFY(first.send(*mesh.loop, header2("192.0.2.1:1000", "198.51.100.1:80") + "to one"));
    QVERIFY(one.waitFor("to one"));
    RawSocket second(mesh.streams.front());
    QVERIFY(second.send(*mesh.loop, header2("203.0.113.1:1000", "198.51.100.9:80") + "to two"));
    QVERIFY(two.waitFor("to two"));
    QCOMPARE(one.heard, std::string("to one"));
}

void ProxyHeaderTest::aWrongHeaderIsResetAndCounted()
{
    StreamFixture mesh;
    api::ListenOption listener{"127.0.0.1:0"};
    listener.proxyProtocol = true;
    mesh.options.proxyListen = {listener};
    QVERIFY(mesh.start());
    RawSocket client(mesh.proxy);
    QVERIFY(client.send(*mesh.loop, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    QVERIFY(client.waitForEnd(*mesh.loop));
    QVERIFY(client.wasReset());
    QVERIFY(mesh.counts([](const auto& frame) { return frame.streams.headersRefused == 1; }));
}

void ProxyHeaderTest::manyWrongHeadersAreFewLinesOfTheLog()
{
    constexpr std::uint64_t kClients = 100;
    const QTemporaryDir folder;
    const std::string path = folder.filePath(QStringLiteral("log")).toStdString();
    QVERIFY(startLog({LogLevel::Info, LogFormat::Text, path}));
    const TimePoint begun = SystemClock().now();
    {
        StreamFixture mesh;
        api::ListenOption listener{"127.0.0.1:0"};
        listener.proxyProtocol = true;
        mesh.options.proxyListen = {listener};
        QVERIFY(mesh.start());
        for (std::uint64_t at = 0; at < kClients; ++at) {
            RawSocket client(mesh.proxy);
            QVERIFY(client.send(*mesh.loop, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
            QVERIFY(client.waitForEnd(*mesh.loop));
        }
        std::uint64_t counted = 0;
        QVERIFY(runUntil(*mesh.loop, [&] {
            counted = 0;
            mesh.box.takeAll();
            for (const api::Event& event : mesh.box.events) {
                if (const auto* stats = std::get_if<api::StatsEvent>(&event)) {
                    counted += stats->frame->streams.headersRefused;
                }
            }
            return counted == kClients;
        }));
    }
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(SystemClock().now() - begun).count();
    stopLog();
    const std::string text = *readFile(path, 1'000'000);
    qsizetype lines = 0;
    for (std::size_t at = text.find("proxy_header.refused"); at != std::string::npos;
         at = text.find("proxy_header.refused", at + 1)) {
        ++lines;
    }
    QVERIFY(lines >= 1);
    QVERIFY2(lines <= seconds + 1, text.c_str());
}

void ProxyHeaderTest::aHeaderThatDoesNotComeIsReset()
{
    StreamFixture mesh;
    mesh.timeouts.streamPreface = std::chrono::milliseconds(50);
    api::ListenOption listener{"127.0.0.1:0"};
    listener.proxyProtocol = true;
    QVERIFY(mesh.begin({listener}));
    RawSocket client(mesh.streams.front());
    QVERIFY(client.send(*mesh.loop, "PROXY TCP4 "));
    QVERIFY(client.waitForEnd(*mesh.loop));
    QVERIFY(mesh.counts([](const auto& frame) { return frame.streams.headersRefused == 1; }));
}

void ProxyHeaderTest::headersComeInPiecesBeforeTls()
{
    StreamFixture mesh;
    api::ListenOption listener{"127.0.0.1:0", true};
    listener.proxyProtocol = true;
    QVERIFY(mesh.begin({listener}));
    Target target(*mesh.loop);
    QCOMPARE(
        mesh.applyServices(mesh.service(
            "one",
            target.address(),
            "routes:\n  - {name: r1, protocols: [tls], sources: [{ip: 192.0.2.0/24}]}"
        )),
        std::string()
    );
    TlsClient client(mesh.streams.front());
    const std::string header = header2("192.0.2.1:1000", "198.51.100.1:80");
    QVERIFY(runUntil(*mesh.loop, [&] {
        return net::connectOutcome(client.descriptor()).has_value()
               && net::writeSome(client.descriptor(), header.substr(0, 9)).count == 9;
    }));
    mesh.loop->runTurn(std::chrono::milliseconds(5));
    QCOMPARE(net::writeSome(client.descriptor(), header.substr(9)).count, header.size() - 9);
    QVERIFY(client.begin(*mesh.loop, "localhost"));
    QVERIFY(client.send(*mesh.loop, "behind both"));
    QVERIFY(target.waitFor("behind both"));
}

void ProxyHeaderTest::theServiceIsToldOfItsClient_data()
{
    QTest::addColumn<QByteArray>("version");
    QTest::newRow("version 1") << QByteArray("v1");
    QTest::newRow("version 2") << QByteArray("v2");
}

void ProxyHeaderTest::theServiceIsToldOfItsClient()
{
    QFETCH(const QByteArray, version);
    StreamFixture mesh;
    QVERIFY(mesh.begin({{"127.0.0.1:0"}}));
    Target target(*mesh.loop);
    QCOMPARE(
        mesh.applyServices(mesh.service(
            "one",
            target.address(),
            fmt::format(
                "protocol: tcp\n  proxy_protocol: {}\n  routes:\n  - {{name: r, protocols: [tcp], "
                "destinations: [{{port: {}}}]}}",
                version.toStdString(),
                mesh.streams[0].port()
            )
        )),
        std::string()
    );
    RawSocket client(mesh.streams.front());
    QVERIFY(client.send(*mesh.loop, "payload"));
    QVERIFY(target.waitFor("payload"));
    const net::SocketAddress own = net::localAddress(client.descriptor());
    const std::string expected =
        version == "v1" ? fmt::format(
            "PROXY TCP4 127.0.0.1 127.0.0.1 {} {}\r\n", own.port(), mesh.streams[0].port()
        )
                        : header2(own.toText(), mesh.streams[0].toText());
    QCOMPARE(target.heard, expected + "payload");
}

// The client's address survives three programs: HAProxy tells us, we tell nginx.
void ProxyHeaderTest::haproxyTellsUsAndWeTellNginx()
{
    const QString haproxy = QStringLiteral("/usr/sbin/haproxy");
    const QString nginx = QStringLiteral("/usr/sbin/nginx");
    QVERIFY2(QFile::exists(haproxy) && QFile::exists(nginx), "install haproxy and nginx-light");
    QTemporaryDir directory;
    StreamFixture mesh;
    api::ListenOption listener{"127.0.0.1:0"};
    listener.proxyProtocol = true;
    QVERIFY(mesh.begin({listener}));
    const std::uint16_t inner = freePort();
    const std::uint16_t outer = freePort();
    const auto write = [&](const char* name, const std::string& text) {
        QFile file(directory.filePath(QString::fromLatin1(name)));
        return file.open(QIODevice::WriteOnly)
               && file.write(QByteArray::fromStdString(text)) == qint64(text.size());
    };
    const std::string path = directory.path().toStdString();
    QVERIFY(write(
        "nginx.conf",
        fmt::format(
            "daemon off; master_process off; pid {0}/nginx.pid; error_log stderr; events {{}}\n"
            "http {{ access_log off; client_body_temp_path {0}/b; proxy_temp_path {0}/p; "
            "fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u; scgi_temp_path {0}/s;\n"
            "server {{ listen 127.0.0.1:{1} proxy_protocol; location / {{ return 200 "
            "\"client=$proxy_protocol_addr:$proxy_protocol_port "
            "server=$proxy_protocol_server_port\\n\"; }} }} }}\n",
            path,
            inner
        )
    ));
    QVERIFY(write(
        "haproxy.cfg",
        fmt::format(
            "defaults\n mode tcp\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n"
            "listen in\n bind 127.0.0.1:{}\n server us 127.0.0.1:{} send-proxy-v2\n",
            outer,
            mesh.streams[0].port()
        )
    ));
    Program back;
    Program front;
    QVERIFY(
        back.start(nginx, {QStringLiteral("-c"), directory.filePath(QStringLiteral("nginx.conf"))})
    );
    QVERIFY(front.start(
        haproxy, {QStringLiteral("-f"), directory.filePath(QStringLiteral("haproxy.cfg"))}
    ));
    for (const char* version : {"v1", "v2"}) {
        QCOMPARE(
            mesh.applyServices(mesh.service(
                "web",
                net::SocketAddress::loopback(inner),
                fmt::format(
                    "protocol: tcp\n  proxy_protocol: {}\n  routes:\n  - {{name: r, protocols: "
                    "[tcp], "
                    "sources: [{{ip: 127.0.0.0/8}}]}}",
                    version
                )
            )),
            std::string()
        );
        QVERIFY(answersOn(*mesh.loop, inner) && answersOn(*mesh.loop, outer));
        RawSocket client(net::SocketAddress::loopback(outer));
        QVERIFY(client.send(*mesh.loop, "GET / HTTP/1.0\r\n\r\n"));
        const std::string expected = fmt::format(
            "client={} server={}", net::localAddress(client.descriptor()).toText(), outer
        );
        QVERIFY2(client.waitFor(*mesh.loop, expected), client.heard().c_str());
    }
}

QTEST_APPLESS_MAIN(ProxyHeaderTest)
#include "proxy_header_test.moc"
