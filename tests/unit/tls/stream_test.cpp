// Goal: handshakes end with the right certificate, bytes pass both ways, and bad material is
// refused. Method: a socket pair; both sides are stepped by hand until neither can go on.
#include "proxyengine/tls/stream.h"

#include "proxyengine/base/handles.h"
#include "proxyengine/tls/certificate.h"
#include "proxyengine/tls/context.h"

#include <QTest>

#include <fcntl.h>
#include <sys/socket.h>

#include <array>

namespace mesh::tls {
namespace {

constexpr WallTime kNow{std::chrono::seconds(1'500'000'000)};
constexpr Duration kThirtyYears = std::chrono::hours(24 * 365 * 30); // Valid whenever this runs.

CertificateText certificateFor(const std::string& name)
{
    return *makeSelfSigned(name, kNow, kThirtyYears);
}

struct Pair
{
    FileDescriptor clientSocket;
    FileDescriptor serverSocket;
    std::unique_ptr<TlsStream> client;
    std::unique_ptr<TlsStream> server;
    StreamStatus clientStatus = StreamStatus::WantRead;
    StreamStatus serverStatus = StreamStatus::WantRead;
};

bool isWaiting(StreamStatus status)
{
    return status == StreamStatus::WantRead || status == StreamStatus::WantWrite;
}

Pair connectPair(const ServerContext& server, const ClientContext& client, const std::string& name)
{
    std::array<int, 2> sockets{};
    static_cast<void>(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets.data()));
    Pair pair;
    pair.clientSocket.reset(sockets[0]);
    pair.serverSocket.reset(sockets[1]);
    pair.client = *TlsStream::client(client, sockets[0], name);
    pair.server = *TlsStream::server(server, sockets[1]);
    for (int step = 0; step < 20; ++step) {
        if (isWaiting(pair.clientStatus)) {
            pair.clientStatus = pair.client->handshake().status;
        }
        if (isWaiting(pair.serverStatus)) {
            pair.serverStatus = pair.server->handshake().status;
        }
    }
    return pair;
}

std::shared_ptr<const ClientContext> trusting(const CertificateText& certificate)
{
    ClientOptions options;
    options.caPem = certificate.chainPem;
    return *ClientContext::make(options);
}

} // namespace

class StreamTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void bytesPassBothWaysAfterTheHandshake();
    void theCertificateIsChosenByServerName_data();
    void theCertificateIsChosenByServerName();
    void aWrongNameFailsTheHandshake();
    void http2IsOfferedOnlyWhenAllowed();
    void aKeyOfAnotherCertificateIsRefused();
    void textThatIsNotPemIsRefused();
    void factsNameTheCertificate();
};

void StreamTest::bytesPassBothWaysAfterTheHandshake()
{
    const CertificateText certificate = certificateFor("a.test");
    const auto server = *ServerContext::make({certificate}, Http2Offer::No);
    Pair pair = connectPair(*server, *trusting(certificate), "a.test");
    QVERIFY(pair.clientStatus == StreamStatus::Done && pair.serverStatus == StreamStatus::Done);

    std::array<char, 16> buffer{};
    QCOMPARE(pair.client->write(std::string_view("ping")).count, std::size_t{4});
    const StreamStep heard = pair.server->read(buffer);
    QCOMPARE(std::string(buffer.data(), heard.count), std::string("ping"));
    QVERIFY(pair.server->read(buffer).status == StreamStatus::WantRead);
    QCOMPARE(pair.server->serverName(), std::string_view("a.test"));

    pair.server->shutdown();
    QVERIFY(pair.client->read(buffer).status == StreamStatus::Closed);
}

void StreamTest::theCertificateIsChosenByServerName_data()
{
    QTest::addColumn<QByteArray>("asked");
    QTest::addColumn<int>("expected"); // Index of the certificate the client trusts.

    QTest::newRow("exact before wildcard") << QByteArray("x.shop.test") << 1;
    QTest::newRow("leading wildcard") << QByteArray("y.shop.test") << 2;
    QTest::newRow("trailing wildcard") << QByteArray("edge.example") << 3;
    QTest::newRow("case does not matter") << QByteArray("X.Shop.Test") << 1;
    QTest::newRow("unknown gets the first") << QByteArray("other") << 0;
}

void StreamTest::theCertificateIsChosenByServerName()
{
    QFETCH(const QByteArray, asked);
    QFETCH(const int, expected);
    const std::string name = asked.toStdString();
    std::vector<CertificateText> certificates(4);
    for (CertificateText& certificate : certificates) {
        certificate = certificateFor(name); // All would verify: only the chosen one is trusted.
    }
    certificates[0].snis = {"first.test"};
    certificates[1].snis = {"x.shop.test"};
    certificates[2].snis = {"*.shop.test"};
    certificates[3].snis = {"edge.*"};
    const auto server = *ServerContext::make(certificates, Http2Offer::No);

    for (int trusted = 0; trusted < 4; ++trusted) {
        const auto client = trusting(certificates[static_cast<std::size_t>(trusted)]);
        const Pair pair = connectPair(*server, *client, name);
        QCOMPARE(pair.clientStatus == StreamStatus::Done, trusted == expected);
    }
}

void StreamTest::aWrongNameFailsTheHandshake()
{
    const CertificateText certificate = certificateFor("a.test");
    const auto server = *ServerContext::make({certificate}, Http2Offer::No);

    const Pair pair = connectPair(*server, *trusting(certificate), "b.test");

    QVERIFY(pair.clientStatus == StreamStatus::Failed);
    QCOMPARE(pair.client->failure(), std::string("certificate verify failed"));
}

void StreamTest::http2IsOfferedOnlyWhenAllowed()
{
    const CertificateText certificate = certificateFor("a.test");
    const auto server = *ServerContext::make({certificate}, Http2Offer::Yes);

    const Pair pair = connectPair(*server, *trusting(certificate), "a.test");

    QVERIFY(pair.clientStatus == StreamStatus::Done);
    QVERIFY(pair.client->protocol().empty()); // Our client offers nothing, so nothing is chosen.
}

void StreamTest::aKeyOfAnotherCertificateIsRefused()
{
    CertificateText mixed = certificateFor("a.test");
    mixed.keyPem = certificateFor("a.test").keyPem;

    QCOMPARE(
        checkCertificate(mixed).error().message, std::string("certificate does not match key")
    );
    QVERIFY(!ServerContext::make({mixed}, Http2Offer::No));
}

void StreamTest::textThatIsNotPemIsRefused()
{
    const auto checked = checkCertificate({"not pem", "not pem", {}, {}, {}});

    QVERIFY(checked.error().code == ErrorCode::Tls);
    QVERIFY(!ServerContext::make({}, Http2Offer::No));
}

void StreamTest::factsNameTheCertificate()
{
    const CertificateFacts facts = *checkCertificate(certificateFor("a.test"));

    QCOMPARE(facts.subject, std::string("CN=a.test"));
    QCOMPARE(facts.names, std::vector<std::string>{"a.test"});
    QVERIFY(facts.notBefore == kNow);
    QVERIFY(
        facts.notAfter == kNow + std::chrono::duration_cast<WallTimeline::duration>(kThirtyYears)
    );
}

} // namespace mesh::tls

QTEST_APPLESS_MAIN(mesh::tls::StreamTest)
#include "stream_test.moc"
