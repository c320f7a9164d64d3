// Goal: which certificates are taken and why others are not, as a client sees servers, as a server
// sees clients, and among members of a mesh; what a SPIFFE ID is.
// Method: certificates made here, handshakes over a socket pair.
#include "proxyengine/base/clock.h"
#include "proxyengine/tls/context.h"
#include "proxyengine/tls/stream.h"
#include "proxyengine/tls/verifier.h"
#include "tests/support/certificate_maker.h"

#include <QTest>

#include <openssl/ssl.h>

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <map>

namespace mesh::tls {
namespace {

using test::CertificateSpec;
using test::issue;
using test::issueAuthority;
using test::IssuedCertificate;

constexpr Duration kHour = std::chrono::hours(1);

struct Ends
{
    FileDescriptor clientSocket;
    FileDescriptor serverSocket;
    std::unique_ptr<TlsStream> client;
    std::unique_ptr<TlsStream> server;
    StreamStatus clientStatus = StreamStatus::WantRead;
    StreamStatus serverStatus = StreamStatus::WantRead;
};

Ends meet(
    const ServerContext& server,
    const ClientContext& client,
    const std::string& name,
    ClientSession* session = nullptr,
    ServerHandshake handshake = {}
)
{
    std::array<int, 2> sockets{};
    static_cast<void>(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets.data()));
    Ends ends;
    ends.clientSocket.reset(sockets[0]);
    ends.serverSocket.reset(sockets[1]);
    ends.client = *TlsStream::client(client, sockets[0], name, session);
    ends.server = *TlsStream::server(server, sockets[1], std::move(handshake));
    const auto isOpen = [](StreamStatus status) {
        return status == StreamStatus::WantRead || status == StreamStatus::WantWrite;
    };
    for (int step = 0; step < 10; ++step) {
        if (isOpen(ends.clientStatus)) {
            ends.clientStatus = ends.client->handshake().status;
        }
        if (isOpen(ends.serverStatus)) {
            ends.serverStatus = ends.server->handshake().status;
        }
    }
    return ends;
}

// Both sides hear what the other has to say after the handshake: tickets and alerts.
void exchange(Ends& ends)
{
    std::array<char, 256> buffer{};
    static_cast<void>(ends.server->write(std::string_view("x")));
    static_cast<void>(ends.client->read(buffer));
    static_cast<void>(ends.client->write(std::string_view("y")));
    static_cast<void>(ends.server->read(buffer));
}

std::shared_ptr<const ServerContext> serverWith(const IssuedCertificate& shown)
{
    return *ServerContext::make({{shown.pem(), shown.keyPem(), {}, {}, {}}}, Http2Offer::No);
}

} // namespace

class VerifyTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void serversAreJudged_data();
    void serversAreJudged();
    void clientsAreJudged_data();
    void clientsAreJudged();
    void certificatesAreAskedForByName_data();
    void certificatesAreAskedForByName();
    void whoeverWasAskedGetsNoTicket();
    void ticketsOutliveOneRotation();
    void ticketsDoNotCrossPolicies();
    void ticketsDoNotOutliveCertificates();
    void sessionsThatPeersBreakOnAreForgotten();
    void meshPeersAreKnownByIdentity_data();
    void meshPeersAreKnownByIdentity();
    void aTooDeepChainIsNamed();
    void identitiesAreStrict_data();
    void identitiesAreStrict();

private:
    IssuedCertificate m_authority = issueAuthority("Good CA");
    IssuedCertificate m_other = issueAuthority("Other CA");
};

void VerifyTest::serversAreJudged_data()
{
    QTest::addColumn<QString>("kind");
    QTest::addColumn<QString>("word");
    QTest::newRow("good") << "good"
                          << "none";
    QTest::newRow("expired") << "expired"
                             << "certificate_expired";
    QTest::newRow("not yet valid") << "future"
                                   << "certificate_not_yet_valid";
    QTest::newRow("other name") << "name"
                                << "name_mismatch";
    QTest::newRow("unknown authority") << "foreign"
                                       << "unknown_authority";
    QTest::newRow("self-signed") << "self"
                                 << "self_signed";
}

void VerifyTest::serversAreJudged()
{
    QFETCH(const QString, kind);
    QFETCH(const QString, word);
    CertificateSpec spec;
    const IssuedCertificate* issuer = &m_authority;
    if (kind == QStringLiteral("expired")) {
        spec.begin = -kHour * 2;
        spec.end = -kHour;
    } else if (kind == QStringLiteral("future")) {
        spec.begin = kHour;
    } else if (kind == QStringLiteral("name")) {
        spec.name = "b.test";
    } else if (kind == QStringLiteral("foreign")) {
        issuer = &m_other;
    } else if (kind == QStringLiteral("self")) {
        issuer = nullptr;
    }
    ClientOptions options;
    options.caPem = m_authority.pem();
    const auto client = *ClientContext::make(options);

    const Ends ends = meet(*serverWith(issue(spec, issuer)), *client, "a.test");

    QCOMPARE(ends.clientStatus == StreamStatus::Done, word == QStringLiteral("none"));
    QCOMPARE(QString::fromStdString(std::string(wordOf(ends.client->failureKind()))), word);
    if (ends.clientStatus != StreamStatus::Done) {
        QCOMPARE(ends.server->failureKind(), Failure::PeerRefused);
        QCOMPARE(failureSaid(sentenceOf(ends.client->failureKind())), ends.client->failureKind());
    }
}

void VerifyTest::clientsAreJudged_data()
{
    QTest::addColumn<QString>("kind");
    QTest::addColumn<int>("mode");
    QTest::addColumn<QString>("word");
    const auto row = [](const char* name, const char* kind, RevocationCheck mode, const char* word
                     ) { QTest::newRow(name) << kind << static_cast<int>(mode) << word; };
    row("good", "good", RevocationCheck::IgnoreCaError, "none");
    row("none shown", "none", RevocationCheck::IgnoreCaError, "no_certificate");
    row("expired", "expired", RevocationCheck::IgnoreCaError, "certificate_expired");
    row("wrong authority", "foreign", RevocationCheck::IgnoreCaError, "unknown_authority");
    row("revoked", "revoked", RevocationCheck::IgnoreCaError, "certificate_revoked");
    row("revoked, strict", "revoked", RevocationCheck::Strict, "certificate_revoked");
    row("revoked, unasked", "revoked", RevocationCheck::Skip, "none");
    row("old list", "stale", RevocationCheck::IgnoreCaError, "none");
    row("old list, strict", "stale", RevocationCheck::Strict, "revocation_unknown");
    row("no list, strict", "listless", RevocationCheck::Strict, "revocation_unknown");
    row("self-signed", "self", RevocationCheck::IgnoreCaError, "self_signed");
}

void VerifyTest::clientsAreJudged()
{
    QFETCH(const QString, kind);
    QFETCH(const int, mode);
    QFETCH(const QString, word);
    CertificateSpec spec;
    spec.serial = kind == QStringLiteral("revoked") ? 7 : 8;
    if (kind == QStringLiteral("expired")) {
        spec.begin = -kHour * 2;
        spec.end = -kHour;
    }
    const IssuedCertificate* issuer = &m_authority;
    if (kind == QStringLiteral("foreign")) {
        issuer = &m_other;
    } else if (kind == QStringLiteral("self")) {
        issuer = nullptr;
    }
    const IssuedCertificate shown = issue(spec, issuer);
    ClientOptions options;
    options.verify = VerifyPeer::No;
    if (kind != QStringLiteral("none")) {
        options.certPem = shown.pem();
        options.keyPem = shown.keyPem();
    }
    ServerOptions asking;
    asking.wishes.push_back({});
    const IssuedCertificate own = issue({}, &m_authority);
    const auto server = *ServerContext::make({{own.pem(), own.keyPem(), {}, {}, {}}}, asking);
    VerifierOptions judging;
    judging.caPem = m_authority.pem();
    judging.revocation = static_cast<RevocationCheck>(mode);
    if (kind == QStringLiteral("stale")) {
        judging.crlPem = test::revoke(m_authority, {7}, -kHour);
    } else if (kind != QStringLiteral("listless")) {
        judging.crlPem = test::revoke(m_authority, {7});
    }
    const auto verifier = *PeerVerifier::make(judging);

    const Ends ends = meet(*server, **ClientContext::make(options), "a.test");

    QVERIFY(ends.serverStatus == StreamStatus::Done); // Asking refuses nobody.
    const WallTime now = SystemClock().wallNow();
    for (int again = 0; again < 2; ++again) { // The second time from what is kept.
        const Failure failure = ends.server->verifyPeer(verifier, now);
        QCOMPARE(QString::fromStdString(std::string(wordOf(failure))), word);
    }
}

void VerifyTest::certificatesAreAskedForByName_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<bool>("isAsked");
    QTest::newRow("named") << "secure.test" << true;
    QTest::newRow("in capitals") << "SECURE.test" << true;
    QTest::newRow("by wildcard") << "a.inner.test" << true;
    QTest::newRow("another") << "open.test" << false;
    QTest::newRow("nothing") << "" << false;
}

void VerifyTest::certificatesAreAskedForByName()
{
    QFETCH(const QString, name);
    QFETCH(const bool, isAsked);
    const IssuedCertificate shown = issue({}, &m_authority);
    ServerOptions asking;
    asking.wishes.push_back({{"secure.test"}, m_authority.pem()});
    asking.wishes.push_back({{"*.inner.test"}, {}});
    const auto server = *ServerContext::make({{shown.pem(), shown.keyPem(), {}, {}, {}}}, asking);
    ClientOptions options{VerifyPeer::No, {}, shown.pem(), shown.keyPem(), Http2Offer::No, {}, {}};

    const Ends ends = meet(*server, **ClientContext::make(options), name.toStdString());

    QVERIFY(ends.serverStatus == StreamStatus::Done);
    QCOMPARE(ends.server->hasPeerCertificate(), isAsked);
    QCOMPARE(ends.server->peerFacts().has_value(), isAsked);
}

void VerifyTest::whoeverWasAskedGetsNoTicket()
{
    const IssuedCertificate shown = issue({}, &m_authority);
    ServerOptions asking;
    asking.wishes.push_back({{"secure.test"}, {}});
    const auto server = *ServerContext::make({{shown.pem(), shown.keyPem(), {}, {}, {}}}, asking);
    ClientOptions options{VerifyPeer::No, {}, shown.pem(), shown.keyPem(), Http2Offer::No, {}, {}};
    const auto client = *ClientContext::make(options);
    ClientSession asked;
    ClientSession unasked;

    Ends first = meet(*server, *client, "secure.test", &asked);
    exchange(first);
    Ends second = meet(*server, *client, "open.test", &unasked);
    exchange(second);

    QVERIFY(asked.get() == nullptr);
    QVERIFY(unasked.get() != nullptr);
    const Ends resumed = meet(*server, *client, "open.test", &unasked);
    QVERIFY(resumed.client->isResumed());
}

void VerifyTest::ticketsOutliveOneRotation()
{
    const auto client = *ClientContext::make({VerifyPeer::No, {}, {}, {}, Http2Offer::No, {}, {}});
    const IssuedCertificate shown = issue({}, &m_authority);
    // Two contexts as before and after a push; keys as two workers have them.
    const auto before = serverWith(shown);
    const auto after = serverWith(shown);
    const auto keys = *TicketKeys::make();
    const auto rotated = *keys->rotated();
    const auto twice = *rotated->rotated();
    ClientSession session;
    Ends first = meet(*before, *client, "a.test", &session, {std::nullopt, keys});
    exchange(first);
    QVERIFY(session.get() != nullptr);
    QVERIFY(!first.client->isResumed());

    ClientSession old;
    SSL_SESSION_up_ref(session.get());
    old.keep(session.get());
    Ends second = meet(*after, *client, "a.test", &session, {std::nullopt, rotated});
    exchange(second);
    QVERIFY(second.client->isResumed());
    const Ends third = meet(*after, *client, "a.test", &session, {std::nullopt, twice});
    QVERIFY(third.client->isResumed()); // The ticket was renewed by the second.
    const Ends late = meet(*after, *client, "a.test", &old, {std::nullopt, twice});
    QVERIFY(late.clientStatus == StreamStatus::Done);
    QVERIFY(!late.client->isResumed());
}

void VerifyTest::ticketsDoNotCrossPolicies()
{
    const auto client = *ClientContext::make({VerifyPeer::No, {}, {}, {}, Http2Offer::No, {}, {}});
    const IssuedCertificate shown = issue({}, &m_authority);
    const auto keys = *TicketKeys::make();
    ClientSession session;
    Ends first = meet(*serverWith(shown), *client, "a.test", &session, {std::nullopt, keys});
    exchange(first);
    ServerOptions asking;
    asking.wishes.push_back({});
    const auto strict = *ServerContext::make({{shown.pem(), shown.keyPem(), {}, {}, {}}}, asking);

    const Ends second = meet(*strict, *client, "a.test", &session, {std::nullopt, keys});

    QVERIFY(second.serverStatus == StreamStatus::Done);
    QVERIFY(!second.client->isResumed()); // Or nobody would have been asked.
}

void VerifyTest::ticketsDoNotOutliveCertificates()
{
    CertificateSpec spec;
    spec.begin = -kHour * 2;
    spec.end = -kHour;
    const auto server = serverWith(issue(spec, &m_authority));
    const auto trusting =
        *ClientContext::make({VerifyPeer::No, {}, {}, {}, Http2Offer::No, {}, {}});
    const auto judging =
        *ClientContext::make({VerifyPeer::Yes, m_authority.pem(), {}, {}, Http2Offer::No, {}, {}});
    ClientSession session; // As if it had been good when it was made.
    Ends first = meet(*server, *trusting, "a.test", &session);
    exchange(first);
    QVERIFY(session.get() != nullptr);

    const Ends again = meet(*server, *trusting, "a.test", &session);
    QVERIFY(again.client->isResumed());
    const Ends judged = meet(*server, *judging, "a.test", &session);
    QCOMPARE(judged.client->failureKind(), Failure::Expired);
}

// Or every further connection would fail as well.
void VerifyTest::sessionsThatPeersBreakOnAreForgotten()
{
    const auto client = *ClientContext::make({VerifyPeer::No, {}, {}, {}, Http2Offer::No, {}, {}});
    const auto server = serverWith(issue({}, &m_authority));
    ClientSession session;
    Ends first = meet(*server, *client, "a.test", &session);
    exchange(first);
    QVERIFY(session.get() != nullptr);
    std::array<int, 2> sockets{};
    QCOMPARE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets.data()), 0);
    const FileDescriptor ours(sockets[0]);
    const FileDescriptor theirs(sockets[1]);
    const auto stream = *TlsStream::client(*client, ours.get(), "a.test", &session);

    QVERIFY(stream->handshake().status == StreamStatus::WantRead);
    QVERIFY(session.get() != nullptr);
    const std::string_view alert("\x15\x03\x03\x00\x02\x02\x50", 7); // Fatal: internal_error.
    QCOMPARE(::write(theirs.get(), alert.data(), alert.size()), ssize_t{7});
    QVERIFY(stream->handshake().status == StreamStatus::Failed);

    QVERIFY(session.get() == nullptr);
    const Ends next = meet(*server, *client, "a.test", &session);
    QVERIFY(next.clientStatus == StreamStatus::Done && !next.client->isResumed());
}

void VerifyTest::meshPeersAreKnownByIdentity_data()
{
    QTest::addColumn<QString>("ofClient");
    QTest::addColumn<QString>("ofServer");
    QTest::addColumn<QString>("seenByServer");
    QTest::addColumn<QString>("seenByClient");
    const QString good = QStringLiteral("URI:spiffe://shop.local/cart");
    const QString none = QStringLiteral("none");
    const QString foreign = QStringLiteral("foreign_identity");
    QTest::newRow("both good") << good << good << none << none;
    QTest::newRow("other domain") << "URI:spiffe://other.local/x" << good << foreign << none;
    QTest::newRow("no identity") << "DNS:a.test" << good << foreign << none;
    QTest::newRow("two identities")
        << "URI:spiffe://shop.local/a,URI:spiffe://shop.local/b" << good << foreign << none;
    QTest::newRow("server of another") << good << "URI:spiffe://other.local/x" << none << foreign;
    QTest::newRow("no certificate") << "" << good << "no_certificate" << none;
}

void VerifyTest::meshPeersAreKnownByIdentity()
{
    QFETCH(const QString, ofClient);
    QFETCH(const QString, ofServer);
    QFETCH(const QString, seenByServer);
    QFETCH(const QString, seenByClient);
    CertificateSpec spec;
    spec.alternatives = ofServer.toStdString();
    const IssuedCertificate server = issue(spec, &m_authority);
    ServerOptions serving;
    serving.mesh = MeshTrust{m_authority.pem(), "shop.local"};
    ClientOptions calling;
    calling.caPem = m_authority.pem();
    calling.trustDomain = "shop.local";
    if (!ofClient.isEmpty()) {
        spec.alternatives = ofClient.toStdString();
        const IssuedCertificate client = issue(spec, &m_authority);
        calling.certPem = client.pem();
        calling.keyPem = client.keyPem();
    }

    const Ends ends = meet(
        **ServerContext::make({{server.pem(), server.keyPem(), {}, {}, {}}}, serving),
        **ClientContext::make(calling),
        ""
    );

    const auto wordFor = [](const TlsStream& stream) {
        return QString::fromStdString(std::string(wordOf(stream.failureKind())));
    };
    QCOMPARE(wordFor(*ends.server), seenByServer);
    QCOMPARE(wordFor(*ends.client), seenByClient);
    if (seenByServer == QStringLiteral("none")) {
        QCOMPARE(ends.server->peerIdentity()->toText(), std::string("spiffe://shop.local/cart"));
    }
}

void VerifyTest::aTooDeepChainIsNamed()
{
    CertificateSpec between;
    between.name = "Between";
    between.isAuthority = true;
    const IssuedCertificate intermediate = issue(between, &m_authority);
    const IssuedCertificate leaf = issue({}, &intermediate);
    const auto server = *ServerContext::make(
        {{leaf.pem() + intermediate.pem(), leaf.keyPem(), {}, {}, {}}}, Http2Offer::No
    );
    ClientOptions options;
    options.caPem = m_authority.pem();
    options.verifyDepth = 0;
    const Ends shallow = meet(*server, **ClientContext::make(options), "a.test");
    options.verifyDepth = 1;
    const Ends deep = meet(*server, **ClientContext::make(options), "a.test");

    QVERIFY(shallow.clientStatus == StreamStatus::Failed);
    QCOMPARE(wordOf(shallow.client->failureKind()), std::string_view("chain_too_long"));
    QVERIFY(deep.clientStatus == StreamStatus::Done);
}

void VerifyTest::identitiesAreStrict_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<bool>("isGood");
    const std::map<const char*, bool> cases = {
        {"spiffe://shop.local/cart", true},
        {"spiffe://shop.local/ns/a/sa/b", true},
        {"spiffe://shop.local", true},
        {"spiffe://shop.local/", false},
        {"spiffe://Shop.local/cart", false},
        {"spiffe://shop.local:80/cart", false},
        {"spiffe://me@shop.local/cart", false},
        {"spiffe:///cart", false},
        {"spiffe://shop.local/a//b", false},
        {"spiffe://shop.local/a/../b", false},
        {"spiffe://shop.local/.", false},
        {"spiffe://shop.local/%41", false},
        {"spiffe://shop.local/a?b", false},
        {"https://shop.local/a", false},
        {"", false}};
    for (const auto& [text, isGood] : cases) {
        QTest::newRow(text) << text << isGood;
    }
}

void VerifyTest::identitiesAreStrict()
{
    QFETCH(const QString, text);
    QFETCH(const bool, isGood);
    const auto identity = parseSpiffeId(text.toStdString());
    QCOMPARE(identity.has_value(), isGood);
    if (identity) {
        QCOMPARE(identity->toText(), text.toStdString());
    }
}

} // namespace mesh::tls

QTEST_APPLESS_MAIN(mesh::tls::VerifyTest)
#include "verify_test.moc"
