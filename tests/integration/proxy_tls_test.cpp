// Goal: what a TLS client sees of a listener with "ssl", and who is sent from HTTP to HTTPS.
// Method: a real TLS client against an engine on loopback; origins on the test's loop.
#include "proxyengine/tls/certificate.h"
#include "tests/support/proxy_fixture.h"
#include "tests/support/tls_client.h"
#include "tests/support/tls_yaml.h"

#include <QTest>

#include <malloc.h>

using namespace mesh;
using namespace mesh::test;

namespace {

bool holds(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

tls::CertificateText certificateFor(std::string_view name)
{
    return *tls::makeSelfSigned(name, SystemClock().wallNow(), std::chrono::hours(24));
}

std::string certificateYaml(const tls::CertificateText& certificate, std::string_view name)
{
    return fmt::format(
        "- cert: |\n{}\n  key: |\n{}\n  snis: [{{name: {}}}]\n",
        indentedPem(certificate.chainPem),
        indentedPem(certificate.keyPem),
        name
    );
}

// Two listeners, plain and TLS; the origin says what it was sent.
struct TlsFixture : ProxyFixture
{
    std::unique_ptr<http::Server> origin;

    bool begin(const std::string& more = {})
    {
        options.proxyListen = {{"127.0.0.1:0", false, false}, {"127.0.0.1:0", true, true}};
        if (!start()) {
            return false;
        }
        origin = serve([](http::Request request, http::Responder responder) {
            http::Response response;
            response.body = fmt::format(
                "{}|{}|{}|",
                request.target,
                request.body.size(),
                http::findHeader(request.headers, "X-Forwarded-Proto").value_or("none")
            );
            response.body += request.body + "|end";
            responder.send(response);
        });
        return apply(serviceYaml({origin->address()}) + more).empty();
    }
};

} // namespace

class ProxyTlsTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void aListenerWithoutCertificatesHasOneOfItsOwn()
    {
        TlsFixture mesh;
        QVERIFY(mesh.begin());
        TlsClient client(mesh.proxies[1]);

        QVERIFY(client.begin(*mesh.loop, "localhost"));
        QVERIFY(client.send(*mesh.loop, "GET /api/x HTTP/1.1\r\nHost: a\r\n\r\n"));

        QVERIFY(client.waitFor(*mesh.loop, "/base/x|0|https||end"));
        QVERIFY(holds(client.heard(), "HTTP/1.1 200 OK\r\n"));
    }

    void theServerNameChoosesTheCertificate()
    {
        const auto first = certificateFor("one.test");
        const auto second = certificateFor("two.test");
        TlsFixture mesh;
        QVERIFY(mesh.begin(
            "certificates:\n" + certificateYaml(first, "one.test")
            + certificateYaml(second, "two.test")
        ));

        TlsClient one(mesh.proxies[1]);
        TlsClient two(mesh.proxies[1]);
        TlsClient wrong(mesh.proxies[1]);
        QVERIFY(one.begin(*mesh.loop, "one.test", first.chainPem));
        QVERIFY(two.begin(*mesh.loop, "two.test", second.chainPem));
        QVERIFY(!wrong.begin(*mesh.loop, "two.test", first.chainPem));
    }

    void aConnectionIsKeptAndLargeBodiesPassWhole()
    {
        TlsFixture mesh;
        QVERIFY(mesh.begin());
        TlsClient client(mesh.proxies[1]);
        QVERIFY(client.begin(*mesh.loop, "localhost"));
        std::string large(2'000'000, 'x');
        for (std::size_t at = 0; at < large.size(); ++at) {
            large[at] = static_cast<char>('a' + at % 23);
        }

        for (int at = 0; at < 3; ++at) {
            QVERIFY(client.send(
                *mesh.loop,
                fmt::format(
                    "POST /api/{} HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n", at
                ) + large
            ));
            QVERIFY(client.waitFor(*mesh.loop, fmt::format("/base/{}|2000000|https|", at)));
            std::size_t ends = 0;
            QVERIFY(runUntil(*mesh.loop, [&] {
                client.receive();
                ends = 0;
                for (std::size_t found = client.heard().find("|end"); found != std::string::npos;
                     found = client.heard().find("|end", found + 1)) {
                    ++ends;
                }
                return ends == static_cast<std::size_t>(at) + 1;
            }));
        }
        QVERIFY(holds(client.heard(), "|https|" + large + "|end"));
        QVERIFY(!holds(client.heard(), "Connection: close"));
    }

    void theEndIsAnnouncedByCloseNotify()
    {
        TlsFixture mesh;
        mesh.timeouts.clientIdle = std::chrono::milliseconds(300);
        QVERIFY(mesh.begin());
        TlsClient asking(mesh.proxies[1]);
        QVERIFY(asking.begin(*mesh.loop, "localhost"));
        QVERIFY(asking.send(*mesh.loop, "GET /api HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        );
        QVERIFY(asking.waitForCloseNotify(*mesh.loop));
        QVERIFY(holds(asking.heard(), "|end"));

        TlsClient idle(mesh.proxies[1]); // Its handshake has the same time.
        QVERIFY(idle.begin(*mesh.loop, "localhost"));
        QVERIFY(idle.waitForCloseNotify(*mesh.loop));
    }

    void plainTextOnATlsListenerIsDropped()
    {
        TlsFixture mesh;
        QVERIFY(mesh.begin());
        RawSocket client(mesh.proxies[1]);
        QVERIFY(client.send(*mesh.loop, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        QVERIFY(client.waitForEnd(*mesh.loop));
        QVERIFY(!holds(client.heard(), "HTTP/1.1 200"));
    }

    void httpsOnlyRoutesSendPlainClientsAway_data()
    {
        QTest::addColumn<int>("status");
        for (const int status : {301, 302, 307, 308, 426}) {
            QTest::newRow(std::to_string(status).c_str()) << status;
        }
    }
    void httpsOnlyRoutesSendPlainClientsAway()
    {
        QFETCH(int, status);
        TlsFixture mesh;
        QVERIFY(mesh.begin());
        QCOMPARE(
            mesh.apply(fmt::format(
                "_format_version: \"3.0\"\nservices:\n- name: o\n  url: http://{}\n  routes:\n"
                "  - {{name: s, paths: [\"/\"], protocols: [https],"
                " https_redirect_status_code: {}}}\n",
                mesh.origin->address().toText(),
                status
            )),
            std::string()
        );

        RawSocket client(mesh.proxies[0]);
        QVERIFY(client.send(*mesh.loop, "GET /a?b=1 HTTP/1.1\r\nHost: Shop.test:80\r\n\r\n"));
        QVERIFY(client.waitFor(*mesh.loop, "\r\n\r\n"));
        QVERIFY(holds(client.heard(), fmt::format("HTTP/1.1 {} ", status)));
        if (status == 426) {
            QVERIFY(client.waitFor(*mesh.loop, "Please use HTTPS protocol"));
            QVERIFY(holds(client.heard(), "Upgrade: TLS/1.2, HTTP/1.1\r\n"));
        } else {
            QVERIFY(holds(client.heard(), "Location: https://shop.test/a?b=1\r\n"));
        }

        TlsClient secure(mesh.proxies[1]);
        QVERIFY(secure.begin(*mesh.loop, "shop.test"));
        QVERIFY(secure.send(*mesh.loop, "GET /a HTTP/1.1\r\nHost: shop.test\r\n\r\n"));
        QVERIFY(secure.waitFor(*mesh.loop, "|end"));
    }

    // With preserve_host the client chooses the name that the upstream's TLS is asked for.
    void pastNamesOfUpstreamsKeepNoMemory_data()
    {
        QTest::addColumn<bool>("isHttp2");
        QTest::newRow("HTTP/1.1") << false;
        QTest::newRow("HTTP/2") << true;
    }
    void pastNamesOfUpstreamsKeepNoMemory()
    {
        QFETCH(bool, isHttp2);
        constexpr std::size_t kNames = 500;
        constexpr std::size_t kAtOnce = 10;
        TlsFixture mesh;
        QVERIFY(mesh.begin());
        QCOMPARE(
            mesh.apply(fmt::format(
                "_format_version: \"3.0\"\nservices:\n- name: hop\n  url: https://{}/api\n"
                "  tls_verify: false\n{}  routes:\n"
                "  - {{name: by-tls, paths: [\"/by-tls\"], preserve_host: true}}\n"
                "- name: origin\n  url: http://{}\n  routes:\n"
                "  - {{name: all, paths: [\"/api\"]}}\n",
                mesh.proxies[1].toText(),
                isHttp2 ? "  http_version: http2\n" : "",
                mesh.origin->address().toText()
            )),
            std::string()
        );
        std::size_t inUse = 0;
        for (std::size_t at = 0; at < kNames; at += kAtOnce) {
            std::vector<std::unique_ptr<RawSocket>> clients;
            for (std::size_t one = at; one < at + kAtOnce; ++one) {
                clients.push_back(std::make_unique<RawSocket>(mesh.proxies[0]));
                QVERIFY(clients.back()->send(
                    *mesh.loop, fmt::format("GET /by-tls HTTP/1.1\r\nHost: {}.test\r\n\r\n", one)
                ));
            }
            for (const auto& client : clients) {
                QVERIFY(client->waitFor(*mesh.loop, "|end"));
                QVERIFY(holds(client->heard(), "HTTP/1.1 200"));
            }
            inUse = at + kAtOnce == 2 * kServerNamesPerTargetMax / kAtOnce * kAtOnce
                        ? mallinfo2().uordblks
                        : inUse;
        }
        const auto grown = static_cast<std::int64_t>(mallinfo2().uordblks - inUse);
        QVERIFY2(grown < 1'000'000, std::to_string(grown).c_str());
    }
};

QTEST_APPLESS_MAIN(ProxyTlsTest)
#include "proxy_tls_test.moc"
