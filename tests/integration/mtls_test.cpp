// Goal: routes with mtls-auth let in whom their authorities vouch for and nobody else; a target's
// certificate that is no good is named as the reason; certificates change without a connection
// being dropped; sidecars speak mutual TLS, and plaintext peers are refused or counted.
// Method: engines, TLS clients and origins on loopback; certificates made here.
#include "tests/support/certificate_maker.h"
#include "tests/support/free_port.h"
#include "tests/support/proxy_fixture.h"
#include "tests/support/talking_server.h"
#include "tests/support/tls_client.h"
#include "tests/support/tls_yaml.h"

#include <QTest>

using namespace mesh;
using namespace mesh::test;

namespace {

constexpr Duration kHour = std::chrono::hours(1);
constexpr std::string_view kGood = "11111111-1111-4111-8111-111111111111";
constexpr std::string_view kServer = "22222222-2222-4222-8222-222222222222";
constexpr std::string_view kCart = "33333333-3333-4333-8333-333333333333";
constexpr std::string_view kEdge = "44444444-4444-4444-8444-444444444444";
constexpr std::string_view kNoCertificate = "No required TLS certificate was sent";
constexpr std::string_view kNotTrusted = "TLS certificate failed verification";

bool holds(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

std::string authorityYaml(const IssuedCertificate& authority, const std::string& crl = {})
{
    return "ca_certificates:\n" + authorityElementYaml(authority, kGood, crl);
}

// A port that nobody listens on at the moment.
std::string freeAddress() { return net::SocketAddress::loopback(freePort()).toText(); }

std::unique_ptr<http::Server> serveOk(ProxyFixture& mesh)
{
    return mesh.serve([](http::Request, http::Responder responder) {
        http::Response response;
        response.body = "hello|end";
        responder.send(response);
    });
}

// What a client with this certificate (null: none) is answered under this name.
std::string ask(
    ProxyFixture& mesh,
    const net::SocketAddress& address,
    const std::string& name,
    const IssuedCertificate* shown,
    std::string_view path
)
{
    tls::ClientOptions options;
    options.verify = tls::VerifyPeer::No;
    if (shown != nullptr) {
        options.certPem = shown->pem();
        options.keyPem = shown->keyPem();
    }
    TlsClient client(address);
    if (!client.begin(*mesh.loop, name, options)) {
        return "no handshake";
    }
    client.send(
        *mesh.loop, fmt::format("GET {} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", path)
    );
    client.waitForCloseNotify(*mesh.loop);
    return client.heard();
}

// A gateway and the sidecar of one workload, with the same document.
struct MeshPair
{
    ProxyFixture gateway;
    ProxyFixture sidecar;
    std::unique_ptr<http::Server> process;
    std::string inbound = freeAddress();
    IssuedCertificate authority = issueAuthority("Mesh CA");
    std::optional<IssuedCertificate> second; // An authority beside it.
    std::string trustDomain = "shop.local";

    [[nodiscard]] IssuedCertificate member(const std::string& name) const
    {
        CertificateSpec spec;
        spec.name = name;
        spec.alternatives = fmt::format("URI:spiffe://{}/{}", trustDomain, name);
        return issue(spec, &authority);
    }

    [[nodiscard]] std::string document(std::string_view mode) const
    {
        return fmt::format(
                   "_format_version: \"3.0\"\nservices:\n- name: cart\n  host: cart\n  routes:\n"
                   "  - {{name: cart, paths: [/]}}\n"
                   "mesh: {{name: shop, trust_domain: {}, mtls: {}, "
                   "ca_certificates: [{}{}]}}\n"
                   "nodes:\n- {{name: edge, role: gateway, certificate: {}}}\n"
                   "- {{name: side, role: sidecar}}\nworkloads:\n"
                   "- {{name: cart-1, service: cart, node: side, address: \"{}\", inbound: \"{}\", "
                   "certificate: {}}}\n",
                   trustDomain,
                   mode,
                   kGood,
                   second ? fmt::format(", {}", kServer) : std::string(),
                   kEdge,
                   process->address().toText(),
                   inbound,
                   kCart
               )
               + authorityYaml(authority)
               + (second ? authorityElementYaml(*second, kServer) : std::string())
               + "certificates:\n" + certificateYaml(member("cart"), kCart)
               + certificateYaml(member("edge"), kEdge);
    }

    std::string begin(std::string_view mode)
    {
        gateway.options.node = "edge";
        sidecar.options.node = "side";
        sidecar.options.proxyListen = {};
        process = serveOk(gateway);
        if (!gateway.start() || !sidecar.start()) {
            return "no start";
        }
        const std::string text = document(mode);
        const std::string refused = sidecar.apply(text);
        return refused.empty() ? gateway.apply(text) : refused;
    }

    std::string askDirectly()
    {
        RawSocket client(*net::SocketAddress::parse(inbound));
        client.send(*gateway.loop, "GET / HTTP/1.1\r\nHost: cart\r\nConnection: close\r\n\r\n");
        client.waitForEnd(*gateway.loop);
        return client.heard();
    }

    // Sums over all frames of this engine so far.
    static std::pair<std::uint64_t, std::uint64_t> protections(ProxyFixture& node)
    {
        node.box.takeAll();
        std::pair<std::uint64_t, std::uint64_t> sums{};
        for (const api::Event& event : node.box.events) {
            if (const auto* stats = std::get_if<api::StatsEvent>(&event)) {
                for (const auto& series : stats->frame->requests) {
                    sums.first += series.mtls;
                    sums.second += series.plaintext;
                }
            }
        }
        return sums;
    }
};

} // namespace

class MtlsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void clientsAreLetInByTheirCertificates_data();
    void clientsAreLetInByTheirCertificates();
    void whatATargetsCertificateLacksIsNamed_data();
    void whatATargetsCertificateLacksIsNamed();
    void targetsAreShownACertificate();
    void whatDecidesAHandshakeDividesPools();
    void connectionsToATargetResume();
    void certificatesChangeUnderOpenConnections();
    void clientsResumeOnEveryWorkerAcrossARotation();
    void sidecarsSpeakMutualTls();
    void sidecarsAgreeOnHttp2();
    void strictRefusesPlaintext();
    void permissiveServesAndCountsPlaintext();
    void peersAreJudgedByTheTrustOfNow_data();
    void peersAreJudgedByTheTrustOfNow();

private:
    IssuedCertificate m_authority = issueAuthority("Good CA");
    IssuedCertificate m_other = issueAuthority("Other CA");
};

void MtlsTest::clientsAreLetInByTheirCertificates_data()
{
    QTest::addColumn<QString>("kind");
    QTest::addColumn<int>("status");
    QTest::addColumn<QString>("message");
    const QString refused = QString::fromLatin1(kNotTrusted.data());
    QTest::newRow("good") << "good" << 200 << "hello|end";
    QTest::newRow("none") << "none" << 401 << QString::fromLatin1(kNoCertificate.data());
    QTest::newRow("wrong authority") << "foreign" << 401 << refused;
    QTest::newRow("expired") << "expired" << 401 << refused;
    QTest::newRow("revoked") << "revoked" << 401 << refused;
    QTest::newRow("plain HTTP") << "plain" << 401 << QString::fromLatin1(kNoCertificate.data());
    QTest::newRow("open route") << "open" << 200 << "hello|end";
}

void MtlsTest::clientsAreLetInByTheirCertificates()
{
    QFETCH(const QString, kind);
    QFETCH(const int, status);
    QFETCH(const QString, message);
    ProxyFixture mesh;
    mesh.options.proxyListen = {{"127.0.0.1:0", false, false}, {"127.0.0.1:0", true, false}};
    QVERIFY(mesh.start());
    const auto origin = serveOk(mesh);
    QCOMPARE(
        mesh.apply(
            fmt::format(
                "_format_version: \"3.0\"\nservices:\n- name: o\n  url: http://{}\n  routes:\n"
                "  - name: secure\n    paths: [/secure]\n    plugins:\n"
                "    - {{name: mtls-auth, config: {{ca_certificates: [{}], "
                "skip_consumer_lookup: true}}}}\n"
                "  - {{name: open, paths: [/open]}}\n",
                origin->address().toText(),
                kGood
            )
            + authorityYaml(m_authority, revoke(m_authority, {7}))
        ),
        std::string()
    );
    CertificateSpec spec;
    spec.serial = kind == QStringLiteral("revoked") ? 7 : 8;
    if (kind == QStringLiteral("expired")) {
        spec.begin = -kHour * 2;
        spec.end = -kHour;
    }
    const IssuedCertificate shown =
        issue(spec, kind == QStringLiteral("foreign") ? &m_other : &m_authority);
    const bool isBare = kind == QStringLiteral("none") || kind == QStringLiteral("open");

    const std::string heard =
        kind == QStringLiteral("plain")
            ? mesh.talk("GET /secure HTTP/1.1\r\nHost: a\r\n\r\n", kNoCertificate)
            : ask(
                mesh,
                mesh.proxies[1],
                "a.test",
                isBare ? nullptr : &shown,
                kind == QStringLiteral("open") ? "/open" : "/secure"
            );

    QVERIFY2(holds(heard, fmt::format("HTTP/1.1 {} ", status)), heard.c_str());
    QVERIFY2(holds(heard, message.toStdString()), heard.c_str());
    if (status == 401) {
        QVERIFY(runUntil(*mesh.loop, [&] {
            return mesh.box.has<api::PolicyEvent>([](const api::PolicyEvent& event) {
                return event.kind == "certificate_refused" && event.subject == "route:secure";
            });
        }));
    }
}

void MtlsTest::whatATargetsCertificateLacksIsNamed_data()
{
    QTest::addColumn<QString>("kind");
    QTest::addColumn<QString>("word");
    QTest::newRow("good") << "good"
                          << "";
    QTest::newRow("expired") << "expired"
                             << "certificate_expired";
    QTest::newRow("other name") << "name"
                                << "name_mismatch";
    QTest::newRow("unknown authority") << "foreign"
                                       << "unknown_authority";
}

void MtlsTest::whatATargetsCertificateLacksIsNamed()
{
    QFETCH(const QString, kind);
    QFETCH(const QString, word);
    CertificateSpec spec;
    spec.name = kind == QStringLiteral("name") ? "other.test" : "127.0.0.1";
    spec.alternatives = kind == QStringLiteral("name") ? "DNS:other.test" : "IP:127.0.0.1";
    if (kind == QStringLiteral("expired")) {
        spec.begin = -kHour * 2;
        spec.end = -kHour;
    }
    const IssuedCertificate shown =
        issue(spec, kind == QStringLiteral("foreign") ? &m_other : &m_authority);
    ProxyFixture mesh;
    QVERIFY(mesh.start());
    std::string heardByTarget;
    TalkingServer target(
        *mesh.loop,
        *tls::ServerContext::make({{shown.pem(), shown.keyPem(), {}, {}, {}}}, tls::Http2Offer::No),
        [&] {
            return std::make_unique<CannedTalk>(
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", heardByTarget
            );
        }
    );
    QCOMPARE(
        mesh.apply(
            fmt::format(
                "_format_version: \"3.0\"\nservices:\n- name: o\n  url: https://{}\n"
                "  tls_verify: true\n  ca_certificates: [{}]\n  retries: 0\n  routes:\n"
                "  - {{name: all, paths: [/]}}\n",
                target.address().toText(),
                kGood
            )
            + authorityYaml(m_authority)
        ),
        std::string()
    );

    const std::string heard = mesh.talk("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n");

    if (word.isEmpty()) {
        QVERIFY2(holds(heard, "HTTP/1.1 200 "), heard.c_str());
        return;
    }
    tls::Failure failure = tls::Failure::None;
    for (const tls::Failure each :
         {tls::Failure::Expired, tls::Failure::NameMismatch, tls::Failure::UnknownAuthority}) {
        failure = tls::wordOf(each) == word.toStdString() ? each : failure;
    }
    const std::string sentence(tls::sentenceOf(failure));
    QVERIFY2(holds(heard, "HTTP/1.1 502 "), heard.c_str());
    QVERIFY2(holds(heard, "x-meshwright-proxy-error: " + sentence), heard.c_str());
    QVERIFY(runUntil(*mesh.loop, [&] {
        return mesh.box.has<api::AccessEvent>([&](const api::AccessEvent& event) {
            return event.status == 502 && event.failure == sentence;
        });
    }));
    if (kind != QStringLiteral("expired")) {
        return; // Frames come once a second: one row waits for them.
    }
    QVERIFY(runUntil(*mesh.loop, [&] {
        return mesh.box.has<api::StatsEvent>([&](const api::StatsEvent& event) {
            return std::ranges::any_of(event.frame->policy, [&](const auto& count) {
                return count.kind == "tls_failed" && count.detail == word.toStdString();
            });
        });
    }));
}

void MtlsTest::targetsAreShownACertificate()
{
    CertificateSpec spec;
    spec.name = "shop.test";
    const IssuedCertificate shown = issue(spec, &m_authority);
    ProxyFixture mesh;
    QVERIFY(mesh.start());
    std::string heardByTarget;
    tls::ServerOptions demanding;
    demanding.wishes.push_back({});
    TalkingServer target(
        *mesh.loop,
        *tls::ServerContext::make({{shown.pem(), shown.keyPem(), {}, {}, {}}}, demanding),
        [&] {
            return std::make_unique<CannedTalk>(
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", heardByTarget
            );
        }
    );
    QCOMPARE(
        mesh.apply(
            fmt::format(
                "_format_version: \"3.0\"\nservices:\n- name: o\n  protocol: https\n  host: pool\n"
                "  tls_verify: true\n  ca_certificates: [{}]\n  client_certificate: {}\n"
                "  retries: 0\n  routes:\n  - {{name: all, paths: [/]}}\n"
                "upstreams:\n- {{name: pool, host_header: \"shop.test\", targets: [{{target: "
                "\"{}\"}}]}}\n",
                kGood,
                kServer,
                target.address().toText()
            )
            + authorityYaml(m_authority) + "certificates:\n" + certificateYaml(shown, kServer)
        ),
        std::string()
    );

    const std::string heard = mesh.talk("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "ok");

    QVERIFY2(holds(heard, "HTTP/1.1 200 "), heard.c_str());
    QCOMPARE(target.serverName(), std::string("shop.test"));
    QVERIFY(target.hasPeerCertificate());
}

// A connection that was let in without a certificate, or without a look at the target's, serves
// nobody who asks for more.
void MtlsTest::whatDecidesAHandshakeDividesPools()
{
    CertificateSpec spec;
    spec.name = "shop.test";
    const IssuedCertificate shown = issue(spec, &m_authority);
    ProxyFixture mesh;
    QVERIFY(mesh.start());
    std::string heardByTarget;
    tls::ServerOptions asking;
    asking.wishes.push_back({});
    TalkingServer target(
        *mesh.loop,
        *tls::ServerContext::make({{shown.pem(), shown.keyPem(), {}, {}, {}}}, asking),
        [&] {
            heardByTarget.clear();
            return std::make_unique<CannedTalk>(
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", heardByTarget
            );
        }
    );
    const auto document = [&](std::string_view more) {
        return fmt::format(
                   "_format_version: \"3.0\"\nservices:\n- name: o\n  protocol: https\n"
                   "  host: pool\n  retries: 0\n{}  routes:\n  - {{name: all, paths: [/]}}\n"
                   "upstreams:\n- {{name: pool, host_header: \"shop.test\", targets: "
                   "[{{target: \"{}\"}}]}}\n",
                   more,
                   target.address().toText()
               )
               + authorityYaml(m_authority) + "certificates:\n" + certificateYaml(shown, kServer);
    };
    const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string verified =
        fmt::format("  tls_verify: true\n  ca_certificates: [{}]\n", kGood);
    const std::string known = verified + fmt::format("  client_certificate: {}\n", kServer);

    std::size_t expected = 0;
    for (const std::string& more : {std::string(), verified, known}) {
        QCOMPARE(mesh.apply(document(more)), std::string());
        QVERIFY(holds(mesh.talk(get, "ok"), "HTTP/1.1 200 "));
        QCOMPARE(target.accepted(), ++expected);
        QCOMPARE(target.hasPeerCertificate(), more == known);
    }
}

void MtlsTest::connectionsToATargetResume()
{
    CertificateSpec spec;
    spec.alternatives = "IP:127.0.0.1";
    const IssuedCertificate shown = issue(spec, &m_authority);
    ProxyFixture mesh;
    QVERIFY(mesh.start());
    std::string heardByTarget;
    TalkingServer target(
        *mesh.loop,
        *tls::ServerContext::make({{shown.pem(), shown.keyPem(), {}, {}, {}}}, tls::Http2Offer::No),
        [&] {
            heardByTarget.clear();
            return std::make_unique<CannedTalk>(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", heardByTarget
            );
        }
    );
    QCOMPARE(
        mesh.apply(
            fmt::format(
                "_format_version: \"3.0\"\nservices:\n- name: o\n  url: https://{}\n"
                "  tls_verify: true\n  ca_certificates: [{}]\n  retries: 0\n  routes:\n"
                "  - {{name: all, paths: [/]}}\n",
                target.address().toText(),
                kGood
            )
            + authorityYaml(m_authority)
        ),
        std::string()
    );

    for (std::size_t at = 0; at < 5; ++at) {
        const std::string heard = mesh.talk("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "ok");
        QVERIFY2(holds(heard, "HTTP/1.1 200 "), heard.c_str());
        QCOMPARE(target.accepted(), at + 1);
        QCOMPARE(target.isResumed(), at > 0);
    }
}

void MtlsTest::certificatesChangeUnderOpenConnections()
{
    ProxyFixture mesh;
    mesh.options.proxyListen = {{"127.0.0.1:0", true, false}};
    QVERIFY(mesh.start(2));
    const auto origin = serveOk(mesh);
    const auto document = [&](const IssuedCertificate& shown) {
        return fmt::format(
                   "_format_version: \"3.0\"\nservices:\n- name: o\n  url: http://{}\n  routes:\n"
                   "  - {{name: all, paths: [/]}}\ncertificates:\n",
                   origin->address().toText()
               )
               + certificateYaml(shown, kServer, "a.test");
    };
    CertificateSpec spec;
    QCOMPARE(mesh.apply(document(issue(spec, &m_authority))), std::string());
    TlsClient old(mesh.proxy);
    QVERIFY(old.begin(*mesh.loop, "a.test", m_authority.pem()));
    std::size_t asked = 0;
    const auto answers = [&] {
        old.receive();
        std::size_t count = 0;
        for (std::size_t at = 0; (at = old.heard().find("|end", at)) != std::string::npos; ++at) {
            ++count;
        }
        return count;
    };
    const auto askAgain = [&] {
        return old.send(*mesh.loop, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
               && runUntil(*mesh.loop, [&, want = ++asked] { return answers() == want; });
    };
    QVERIFY(askAgain());

    for (int round = 0; round < 5; ++round) {
        const IssuedCertificate& issuer = round % 2 == 0 ? m_other : m_authority;
        QCOMPARE(mesh.apply(document(issue(spec, &issuer))), std::string());
        TlsClient fresh(mesh.proxy);
        QVERIFY(fresh.begin(*mesh.loop, "a.test", issuer.pem())); // Sees the new one...
        QVERIFY(askAgain()); // ... while the old connection goes on.
    }
    QVERIFY(!holds(old.heard(), "Connection: close"));
}

void MtlsTest::clientsResumeOnEveryWorkerAcrossARotation()
{
    ProxyFixture mesh;
    mesh.options.proxyListen = {{"127.0.0.1:0", true, false}};
    mesh.timeouts.ticketRotation = std::chrono::milliseconds(200);
    QVERIFY(mesh.start(4));
    const auto origin = serveOk(mesh);
    const auto context =
        *tls::ClientContext::make({tls::VerifyPeer::No, {}, {}, {}, tls::Http2Offer::No, {}, {}});
    tls::ClientSession session;
    int resumed = 0;
    const TimePoint begin = mesh.clock.now();
    // Ten connections within two periods land on several workers; each renews the ticket.
    for (int at = 0; at < 10; ++at) {
        FileDescriptor socket = *net::connectTo(mesh.proxy);
        QVERIFY(runUntil(*mesh.loop, [&] { return net::connectOutcome(socket.get()).has_value(); })
        );
        const auto stream = *tls::TlsStream::client(*context, socket.get(), "a.test", &session);
        QVERIFY(runUntil(*mesh.loop, [&] {
            return stream->handshake().status == tls::StreamStatus::Done;
        }));
        resumed += stream->isResumed() ? 1 : 0;
        std::array<char, 4096> buffer{};
        static_cast<void>(stream->write(std::string_view("GET / HTTP/1.1\r\nHost: a\r\n\r\n")));
        QVERIFY(runUntil(*mesh.loop, [&] {
            return stream->read(buffer).status == tls::StreamStatus::Done;
        }));
        QVERIFY(runUntil(*mesh.loop, [&] {
            return mesh.clock.now() - begin >= std::chrono::milliseconds(30) * at;
        }));
    }
    // Only the first, unless this machine slept through a whole period between two.
    QVERIFY2(resumed >= 7, std::to_string(resumed).c_str());
}

void MtlsTest::sidecarsSpeakMutualTls()
{
    MeshPair pair;
    QCOMPARE(pair.begin("strict"), std::string());
    const std::string heard =
        pair.gateway.talk("GET / HTTP/1.1\r\nHost: cart\r\n\r\n", "hello|end");

    QVERIFY2(holds(heard, "HTTP/1.1 200 "), heard.c_str());
    for (ProxyFixture* node : {&pair.gateway, &pair.sidecar}) {
        QVERIFY(runUntil(*pair.gateway.loop, [&] {
            return MeshPair::protections(*node) == std::pair<std::uint64_t, std::uint64_t>(1, 0);
        }));
    }
}

void MtlsTest::sidecarsAgreeOnHttp2()
{
    MeshPair pair;
    QCOMPARE(pair.begin("strict"), std::string());
    const IssuedCertificate member = pair.member("other");
    tls::ClientOptions options;
    options.verify = tls::VerifyPeer::No;
    options.certPem = member.pem();
    options.keyPem = member.keyPem();
    options.http2 = tls::Http2Offer::Yes;
    TlsClient caller(*net::SocketAddress::parse(pair.inbound));
    QVERIFY(caller.begin(*pair.gateway.loop, "cart", options));
    QCOMPARE(caller.stream().protocol(), std::string_view("h2")); // The sidecar takes it...

    const IssuedCertificate cart = pair.member("cart");
    tls::ServerOptions taking;
    taking.http2 = tls::Http2Offer::Yes;
    taking.mesh = tls::MeshTrust{pair.authority.pem(), "shop.local"};
    std::string heardByTarget;
    TalkingServer target(
        *pair.gateway.loop,
        *tls::ServerContext::make({{cart.pem(), cart.keyPem(), {}, {}, {}}}, taking),
        [&] { return std::make_unique<CannedTalk>(std::string(), heardByTarget); }
    );
    pair.inbound = target.address().toText();
    QCOMPARE(pair.gateway.apply(pair.document("strict")), std::string());
    RawSocket client(pair.gateway.proxy);
    QVERIFY(client.send(*pair.gateway.loop, "GET / HTTP/1.1\r\nHost: cart\r\n\r\n"));
    QVERIFY(runUntil(*pair.gateway.loop, [&] { // ... and the gateway speaks it.
        return heardByTarget.starts_with("PRI * HTTP/2.0\r\n");
    }));
    QVERIFY(target.hasPeerCertificate());
}

void MtlsTest::strictRefusesPlaintext()
{
    MeshPair pair;
    QCOMPARE(pair.begin("strict"), std::string());

    QCOMPARE(pair.askDirectly(), std::string());
    const auto isTold = [&](std::string_view kind) {
        return runUntil(*pair.gateway.loop, [&] {
            return pair.sidecar.box.has<api::PolicyEvent>([&](const api::PolicyEvent& event) {
                return event.kind == kind && event.subject == "listener:cart-1 inbound";
            });
        });
    };
    QVERIFY(isTold("plaintext_refused"));
    const IssuedCertificate stranger = issue({}, &m_authority);
    const auto inbound = *net::SocketAddress::parse(pair.inbound);
    QVERIFY(!holds(ask(pair.gateway, inbound, "cart", &stranger, "/"), "HTTP/1.1"));
    QVERIFY(isTold("peer_refused"));
    const IssuedCertificate member = pair.member("other");
    QVERIFY(holds(ask(pair.gateway, inbound, "cart", &member, "/"), "HTTP/1.1 200 "));
}

void MtlsTest::permissiveServesAndCountsPlaintext()
{
    MeshPair pair;
    QCOMPARE(pair.begin("permissive"), std::string());

    QVERIFY(holds(pair.askDirectly(), "HTTP/1.1 200 "));
    const std::string heard =
        pair.gateway.talk("GET / HTTP/1.1\r\nHost: cart\r\n\r\n", "hello|end");
    QVERIFY2(holds(heard, "HTTP/1.1 200 "), heard.c_str());
    QVERIFY(runUntil(*pair.gateway.loop, [&] {
        return MeshPair::protections(pair.sidecar) == std::pair<std::uint64_t, std::uint64_t>(1, 1);
    }));
}

void MtlsTest::peersAreJudgedByTheTrustOfNow_data()
{
    QTest::addColumn<QString>("change");
    QTest::addColumn<bool>("isServed");
    QTest::newRow("another authority") << "replaced" << false;
    QTest::newRow("one more authority") << "added" << true;
    QTest::newRow("another trust domain") << "domain" << false;
    QTest::newRow("permissive now") << "permissive" << true;
}

// Who was let in under an authority that nobody trusts any more must not stay.
void MtlsTest::peersAreJudgedByTheTrustOfNow()
{
    QFETCH(const QString, change);
    QFETCH(const bool, isServed);
    MeshPair pair;
    QCOMPARE(pair.begin("strict"), std::string());
    const IssuedCertificate member = pair.member("other");
    tls::ClientOptions options;
    options.verify = tls::VerifyPeer::No;
    options.certPem = member.pem();
    options.keyPem = member.keyPem();
    TlsClient peer(*net::SocketAddress::parse(pair.inbound));
    QVERIFY(peer.begin(*pair.gateway.loop, "cart", options));
    const std::string_view get = "GET / HTTP/1.1\r\nHost: cart\r\n\r\n";
    QVERIFY(peer.send(*pair.gateway.loop, get));
    QVERIFY(peer.waitFor(*pair.gateway.loop, "hello|end"));

    if (change == QStringLiteral("replaced")) {
        pair.authority = issueAuthority("Next mesh CA");
    } else if (change == QStringLiteral("added")) {
        pair.second = issueAuthority("Next mesh CA");
    } else if (change == QStringLiteral("domain")) {
        pair.trustDomain = "next.local";
    }
    QCOMPARE(
        pair.sidecar.apply(
            pair.document(change == QStringLiteral("permissive") ? "permissive" : "strict")
        ),
        std::string()
    );
    QVERIFY(peer.send(*pair.gateway.loop, get));
    QCOMPARE(peer.waitFor(*pair.gateway.loop, "hello|endHTTP/1.1 200 "), isServed);

    const auto isRefused = [&] {
        return pair.sidecar.box.has<api::PolicyEvent>([](const api::PolicyEvent& event) {
            return event.kind == "peer_refused" && event.subject == "listener:cart-1 inbound";
        });
    };
    QVERIFY(isServed || runUntil(*pair.gateway.loop, isRefused));
    QVERIFY(!isServed || !isRefused());
}

QTEST_APPLESS_MAIN(MtlsTest)
#include "mtls_test.moc"
