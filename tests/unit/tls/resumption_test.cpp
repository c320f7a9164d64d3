// Goal: after the handshake the server's connection keeps only what it needs, and whatever a client
// may still ask of it (other keys, to resume, more records) is answered.
// Method: OpenSSL itself is the client, so that it can do what our own never does.
#include "proxyengine/base/handles.h"
#include "proxyengine/tls/certificate.h"
#include "proxyengine/tls/context.h"
#include "proxyengine/tls/stream.h"

#include <QTest>

#include <openssl/ssl.h>

#include <fcntl.h>
#include <sys/socket.h>

#include <array>

// OpenSSL's macros cast the old way.
#pragma GCC diagnostic ignored "-Wold-style-cast"

namespace mesh::tls {
namespace {

constexpr WallTime kNow{std::chrono::seconds(1'500'000'000)};
constexpr Duration kThirtyYears = std::chrono::hours(24 * 365 * 30); // Valid whenever this runs.

using ContextPtr = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;
using ConnectionPtr = std::unique_ptr<SSL, FreeWith<SSL_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, FreeWith<SSL_SESSION_free>>;

ContextPtr clientFor(int version)
{
    ContextPtr context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    return context;
}

struct Visit
{
    FileDescriptor clientSocket;
    FileDescriptor serverSocket;
    ConnectionPtr client;
    std::unique_ptr<TlsStream> server;
    bool isConnected = false;
};

// Connects; `session`: what to resume, or null.
Visit visit(const ServerContext& server, SSL_CTX* client, SSL_SESSION* session)
{
    std::array<int, 2> sockets{};
    static_cast<void>(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets.data()));
    Visit made;
    made.clientSocket.reset(sockets[0]);
    made.serverSocket.reset(sockets[1]);
    made.server = *TlsStream::server(server, sockets[1]);
    made.client.reset(SSL_new(client));
    SSL_set_fd(made.client.get(), sockets[0]);
    SSL_set_tlsext_host_name(made.client.get(), "a.test");
    SSL_set_connect_state(made.client.get());
    if (session != nullptr) {
        SSL_set_session(made.client.get(), session);
    }
    bool isServerDone = false;
    for (int step = 0; step < 20; ++step) {
        const bool isClientDone = SSL_do_handshake(made.client.get()) == 1;
        isServerDone = isServerDone || made.server->handshake().status == StreamStatus::Done;
        made.isConnected = isClientDone && isServerDone;
    }
    return made;
}

// One message each way; what both heard, in a row.
std::string talk(Visit& visit, std::string_view question, std::string_view answer)
{
    std::array<char, 64> buffer{};
    SSL_write(visit.client.get(), question.data(), static_cast<int>(question.size()));
    const StreamStep asked = visit.server->read(buffer);
    std::string heard(buffer.data(), asked.count);
    static_cast<void>(visit.server->write(answer));
    const int got = SSL_read(visit.client.get(), buffer.data(), static_cast<int>(buffer.size()));
    return heard.append(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
}

std::string ticketOf(const SSL_SESSION* session)
{
    const unsigned char* bytes = nullptr;
    std::size_t size = 0;
    SSL_SESSION_get0_ticket(session, &bytes, &size);
    return {bytes, bytes + size};
}

} // namespace

class ResumptionTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aSessionIsResumedByItsTicket_data();
    void aSessionIsResumedByItsTicket();
    void aResumedClientGetsAFreshTicket();
    void newTrafficKeysAreAgreedOn();
    void nothingTravelsUnencrypted_data();
    void nothingTravelsUnencrypted();
    void shortDigestsArePreferred();

private:
    std::shared_ptr<const ServerContext> m_server =
        *ServerContext::make({*makeSelfSigned("a.test", kNow, kThirtyYears)}, Http2Offer::No);
};

void ResumptionTest::aSessionIsResumedByItsTicket_data()
{
    QTest::addColumn<int>("version");
    QTest::newRow("TLS 1.2") << TLS1_2_VERSION;
    QTest::newRow("TLS 1.3") << TLS1_3_VERSION;
}

void ResumptionTest::aSessionIsResumedByItsTicket()
{
    QFETCH(const int, version);
    const ContextPtr client = clientFor(version);
    Visit first = visit(*m_server, client.get(), nullptr);
    QVERIFY(first.isConnected);
    QCOMPARE(SSL_session_reused(first.client.get()), 0);
    QCOMPARE(talk(first, "ping", "pong"), std::string("pingpong")); // Brings the ticket too.
    const SessionPtr session(SSL_get1_session(first.client.get()));

    Visit second = visit(*m_server, client.get(), session.get());

    QVERIFY(second.isConnected);
    QCOMPARE(SSL_session_reused(second.client.get()), 1);
    QCOMPARE(second.server->serverName(), std::string_view("a.test"));
    QCOMPARE(talk(second, "ping", "pong"), std::string("pingpong"));
}

// Of TLS 1.3, where a ticket is used once.
void ResumptionTest::aResumedClientGetsAFreshTicket()
{
    const ContextPtr client = clientFor(TLS1_3_VERSION);
    Visit first = visit(*m_server, client.get(), nullptr);
    QCOMPARE(talk(first, "ping", "pong"), std::string("pingpong"));
    SessionPtr session(SSL_get1_session(first.client.get()));
    for (int times = 0; times < 3; ++times) {
        Visit next = visit(*m_server, client.get(), session.get());
        QVERIFY(next.isConnected);
        QCOMPARE(SSL_session_reused(next.client.get()), 1);
        QCOMPARE(talk(next, "ping", "pong"), std::string("pingpong"));
        const std::string used = ticketOf(session.get());
        session.reset(SSL_get1_session(next.client.get()));
        QVERIFY(!ticketOf(session.get()).empty());
        QVERIFY(ticketOf(session.get()) != used);
        SSL_set_shutdown(next.client.get(), SSL_SENT_SHUTDOWN); // Or its session would be no good.
    }
}

void ResumptionTest::newTrafficKeysAreAgreedOn()
{
    const ContextPtr client = clientFor(TLS1_3_VERSION);
    Visit visited = visit(*m_server, client.get(), nullptr);
    QCOMPARE(talk(visited, "ping", "pong"), std::string("pingpong"));

    for (int round = 0; round < 3; ++round) {
        QCOMPARE(SSL_key_update(visited.client.get(), SSL_KEY_UPDATE_REQUESTED), 1);
        QCOMPARE(talk(visited, "more", "less"), std::string("moreless"));
    }
}

void ResumptionTest::nothingTravelsUnencrypted_data() { aSessionIsResumedByItsTicket_data(); }

void ResumptionTest::nothingTravelsUnencrypted()
{
    QFETCH(const int, version);
    const ContextPtr client = clientFor(version);
    Visit visited = visit(*m_server, client.get(), nullptr);
    QVERIFY(visited.isConnected);
    QCOMPARE(talk(visited, "ping", "pong"), std::string("pingpong"));

    QCOMPARE(visited.server->write(std::string_view("secret")).count, std::size_t{6});
    std::array<char, 256> wire{};
    const ssize_t count = ::recv(visited.clientSocket.get(), wire.data(), wire.size(), 0);

    QVERIFY(count > 6);
    QCOMPARE(wire[0], '\x17'); // Application data, as every record is from now on.
    const std::string_view seen(wire.data(), static_cast<std::size_t>(count));
    QVERIFY(seen.find("secret") == std::string_view::npos);
}

void ResumptionTest::shortDigestsArePreferred()
{
    const ContextPtr client = clientFor(TLS1_3_VERSION); // Offers all, AES-256 first.
    const Visit visited = visit(*m_server, client.get(), nullptr);

    QCOMPARE(
        std::string(SSL_get_cipher_name(visited.client.get())),
        std::string("TLS_AES_128_GCM_SHA256")
    );
}

} // namespace mesh::tls

QTEST_APPLESS_MAIN(mesh::tls::ResumptionTest)
#include "resumption_test.moc"
