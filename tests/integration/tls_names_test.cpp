// Goal: a name that the client chose and no certificate holds costs that client its request and
// nobody else anything; under every name that leads to a route with mtls-auth, clients are asked.
// Method: engines and TLS targets on loopback; certificates made here.
#include "tests/support/certificate_maker.h"
#include "tests/support/proxy_fixture.h"
#include "tests/support/talking_server.h"
#include "tests/support/tls_client.h"
#include "tests/support/tls_yaml.h"

#include <QTest>

using namespace mesh;
using namespace mesh::test;

namespace {

constexpr std::string_view kGood = "11111111-1111-4111-8111-111111111111";
constexpr std::string_view kForeign = "x-meshwright-proxy-error: the upstream's certificate names "
                                      "another host";

bool holds(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

// Answers every request of its connection, which it keeps.
class PatientTalk final : public ServerTalk
{
public:
    std::string onBytes(std::string_view bytes) override
    {
        m_heard.append(bytes);
        std::string answers;
        for (std::size_t end = 0; (end = m_heard.find("\r\n\r\n")) != std::string::npos;) {
            m_heard.erase(0, end + 4);
            answers += "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        }
        return answers;
    }

private:
    std::string m_heard;
};

// A gateway before targets whose certificates name a.test alone.
struct NamesFixture : ProxyFixture
{
    IssuedCertificate authority = issueAuthority("Good CA");
    IssuedCertificate shown = issue({}, &authority);
    std::vector<std::unique_ptr<TalkingServer>> targets;

    bool begin(std::size_t count)
    {
        for (std::size_t at = 0; at < count; ++at) {
            targets.push_back(std::make_unique<TalkingServer>(
                *loop,
                *tls::ServerContext::make(
                    {{shown.pem(), shown.keyPem(), {}, {}, {}}}, tls::Http2Offer::Yes
                ),
                [] { return std::make_unique<PatientTalk>(); }
            ));
        }
        return start();
    }

    // The upstream of all targets: the first refusal is enough to take one out.
    [[nodiscard]] std::string poolYaml() const
    {
        std::string yaml = "upstreams:\n- name: pool\n  healthchecks: {passive: {unhealthy: "
                           "{tcp_failures: 1}}}\n  targets:\n";
        for (const auto& target : targets) {
            yaml += fmt::format("  - {{target: \"{}\"}}\n", target->address().toText());
        }
        return yaml + "ca_certificates:\n" + authorityElementYaml(authority, kGood);
    }

    std::string ask(std::string_view host)
    {
        return talk(
            fmt::format("GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", host), "\r\n\r\n"
        );
    }

    [[nodiscard]] std::size_t accepted() const
    {
        std::size_t count = 0;
        for (const auto& target : targets) {
            count += target->accepted();
        }
        return count;
    }

    // Waits until the frames have counted this many requests; what was reported before the last of
    // them has been judged by then.
    bool waitForRequests(std::uint64_t expected)
    {
        return runUntil(*loop, [&] {
            box.takeAll();
            std::uint64_t count = 0;
            for (const api::Event& event : box.events) {
                if (const auto* stats = std::get_if<api::StatsEvent>(&event)) {
                    for (const auto& series : stats->frame->requests) {
                        for (const std::uint64_t answers : series.answers) {
                            count += answers;
                        }
                    }
                }
            }
            return count == expected;
        });
    }

    bool hasUnhealthy()
    {
        return box.has<api::HealthEvent>([](const api::HealthEvent& event) {
            return event.health.state == telemetry::TargetState::Unhealthy;
        });
    }
};

} // namespace

class TlsNamesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aForeignNameBlamesNoTarget_data();
    void aForeignNameBlamesNoTarget();
    void aListedNameIsTheTargetsDuty();
    void aMirrorIsNotBlamedEither();
    void whoIsRoutedByANameIsAskedUnderIt_data();
    void whoIsRoutedByANameIsAskedUnderIt();
};

void TlsNamesTest::aForeignNameBlamesNoTarget_data()
{
    QTest::addColumn<QByteArray>("version");
    QTest::addColumn<QByteArray>("hosts"); // Of the route.
    QTest::newRow("any name") << QByteArray("http1") << QByteArray("[]");
    QTest::newRow("any name of a kind") << QByteArray("http1") << QByteArray("[\"*.test\"]");
    QTest::newRow("over HTTP/2") << QByteArray("http2") << QByteArray("[]");
}

// Two anonymous requests would take all targets out, and open the breaker.
void TlsNamesTest::aForeignNameBlamesNoTarget()
{
    QFETCH(const QByteArray, version);
    QFETCH(const QByteArray, hosts);
    NamesFixture mesh;
    QVERIFY(mesh.begin(2));
    QCOMPARE(
        mesh.apply(
            fmt::format(
                "_format_version: \"3.0\"\nservices:\n- name: o\n  protocol: https\n  host: pool\n"
                "  http_version: {}\n  tls_verify: true\n  ca_certificates: [{}]\n"
                "  resilience: {{breaker: {{min_requests: 2, error_ratio: 0.5}}}}\n  routes:\n"
                "  - {{name: all, paths: [/], hosts: {}, preserve_host: true}}\n",
                version.toStdString(),
                kGood,
                hosts.toStdString()
            )
            + mesh.poolYaml()
        ),
        std::string()
    );

    for (std::size_t at = 1; at <= 4; ++at) {
        const std::string heard = mesh.ask("b.test");
        QVERIFY2(holds(heard, "HTTP/1.1 421 Misdirected Request\r\n"), heard.c_str());
        QVERIFY2(holds(heard, kForeign), heard.c_str());
        QCOMPARE(mesh.accepted(), at); // And not once more for each target.
    }
    QVERIFY(mesh.waitForRequests(4));
    QVERIFY(!mesh.hasUnhealthy());
    QVERIFY(!mesh.box.has<api::PolicyEvent>([](const api::PolicyEvent& event) {
        return event.kind == "breaker_opened";
    }));
    QVERIFY(runUntil(*mesh.loop, [&] { // Whoever configured it can find out why.
        return mesh.box.has<api::PolicyEvent>([](const api::PolicyEvent& event) {
            return event.kind == "tls_failed";
        });
    }));
    if (version == "http1") { // The targets of this test speak nothing else.
        QVERIFY(holds(mesh.ask("a.test"), "HTTP/1.1 200 "));
        QVERIFY(holds(mesh.ask("a.test"), "HTTP/1.1 200 "));
    }
}

// Where the file lists the name, a certificate without it is what it is for any other target.
void TlsNamesTest::aListedNameIsTheTargetsDuty()
{
    NamesFixture mesh;
    QVERIFY(mesh.begin(2));
    QCOMPARE(
        mesh.apply(
            fmt::format(
                "_format_version: \"3.0\"\nservices:\n- name: o\n  protocol: https\n  host: pool\n"
                "  tls_verify: true\n  ca_certificates: [{}]\n  retries: 1\n  routes:\n"
                "  - {{name: all, paths: [/], hosts: [B.test], preserve_host: true}}\n",
                kGood
            )
            + mesh.poolYaml()
        ),
        std::string()
    );

    const std::string heard = mesh.ask("b.test");

    QVERIFY2(holds(heard, "HTTP/1.1 502 "), heard.c_str());
    QVERIFY2(holds(heard, kForeign), heard.c_str());
    QCOMPARE(mesh.accepted(), std::size_t{2});
    QVERIFY(runUntil(*mesh.loop, [&] { return mesh.hasUnhealthy(); }));
}

void TlsNamesTest::aMirrorIsNotBlamedEither()
{
    NamesFixture mesh;
    QVERIFY(mesh.begin(1));
    const auto origin = mesh.serve([](http::Request, http::Responder responder) {
        http::Response response;
        response.body = "hello|end";
        responder.send(response);
    });
    QCOMPARE(
        mesh.apply(
            fmt::format(
                "_format_version: \"3.0\"\nservices:\n- name: o\n  url: http://{}\n"
                "  resilience: {{mirror: {{service: copy}}}}\n  routes:\n"
                "  - {{name: all, paths: [/], preserve_host: true}}\n"
                "- name: copy\n  protocol: https\n  host: pool\n  tls_verify: true\n"
                "  ca_certificates: [{}]\n",
                origin->address().toText(),
                kGood
            )
            + mesh.poolYaml()
        ),
        std::string()
    );

    QVERIFY(holds(mesh.ask("b.test"), "HTTP/1.1 200 "));
    QVERIFY(runUntil(*mesh.loop, [&] {
        return mesh.box.has<api::PolicyEvent>([](const api::PolicyEvent& event) {
            return event.kind == "tls_failed";
        });
    }));
    QVERIFY(mesh.waitForRequests(1));
    QVERIFY(!mesh.hasUnhealthy());
}

void TlsNamesTest::whoIsRoutedByANameIsAskedUnderIt_data()
{
    QTest::addColumn<QByteArray>("listed"); // SNI of the route.
    QTest::addColumn<QByteArray>("asked"); // By the client; empty: none.
    QTest::addColumn<bool>("isMatch");
    QTest::newRow("the name") << QByteArray("a.test") << QByteArray("A.test") << true;
    QTest::newRow("with a last dot") << QByteArray("a.test") << QByteArray("a.test.") << true;
    QTest::newRow("listed with one") << QByteArray("a.test.") << QByteArray("a.test") << true;
    QTest::newRow("another") << QByteArray("a.test") << QByteArray("b.test") << false;
    QTest::newRow("below") << QByteArray("*.a.test") << QByteArray("b.a.test") << true;
    QTest::newRow("deep below") << QByteArray("*.a.test") << QByteArray("c.b.a.test") << true;
    QTest::newRow("not below") << QByteArray("*.a.test") << QByteArray("a.test") << false;
    QTest::newRow("any end") << QByteArray("shop.*") << QByteArray("shop.co.uk") << true;
    QTest::newRow("any name") << QByteArray("*") << QByteArray("c.b.a.test") << true;
    QTest::newRow("any, and none") << QByteArray("*") << QByteArray() << true;
    QTest::newRow("one, and none") << QByteArray("a.test") << QByteArray() << false;
}

void TlsNamesTest::whoIsRoutedByANameIsAskedUnderIt()
{
    QFETCH(const QByteArray, listed);
    QFETCH(const QByteArray, asked);
    QFETCH(const bool, isMatch);
    NamesFixture mesh;
    mesh.options.proxyListen = {{"127.0.0.1:0", true, false}};
    QVERIFY(mesh.begin(0));
    const auto origin = mesh.serve([](http::Request, http::Responder responder) {
        responder.send(http::Response());
    });
    QCOMPARE(
        mesh.apply(
            fmt::format(
                "_format_version: \"3.0\"\nservices:\n- name: o\n  url: http://{}\n  routes:\n"
                "  - name: asking\n    protocols: [https]\n    snis: [\"{}\"]\n    plugins:\n"
                "    - {{name: mtls-auth, config: {{ca_certificates: [{}], "
                "skip_consumer_lookup: true}}}}\nca_certificates:\n",
                origin->address().toText(),
                listed.toStdString(),
                kGood
            )
            + authorityElementYaml(mesh.authority, kGood)
        ),
        std::string()
    );
    tls::ClientOptions options;
    options.verify = tls::VerifyPeer::No;
    options.certPem = mesh.shown.pem();
    options.keyPem = mesh.shown.keyPem();
    TlsClient client(mesh.proxy);
    QVERIFY(client.begin(*mesh.loop, asked.toStdString(), options));
    QVERIFY(client.send(*mesh.loop, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    QVERIFY(client.waitFor(*mesh.loop, "\r\n\r\n"));

    const std::string_view expected = isMatch ? "HTTP/1.1 200 " : "HTTP/1.1 404 ";
    QVERIFY2(client.heard().starts_with(expected), client.heard().c_str());
}

QTEST_APPLESS_MAIN(TlsNamesTest)
#include "tls_names_test.moc"
