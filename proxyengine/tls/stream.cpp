#include "proxyengine/tls/stream.h"

#include "proxyengine/tls/openssl_error.h"
#include "proxyengine/tls/openssl_objects.h"
#include "proxyengine/tls/socket_bio.h"
#include "proxyengine/tls/verifier.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <arpa/inet.h>

#include <array>
#include <cerrno>
#include <system_error>

// OpenSSL's macros cast the old way.
#pragma GCC diagnostic ignored "-Wold-style-cast"

namespace mesh::tls {
namespace {

constexpr std::size_t kFlightBytes = 4096; // A longer one takes more than one read.
constexpr WallTime::duration kVerdictLifetime = std::chrono::minutes(1);

// Once a certificate is refused OpenSSL forgets it, and nobody could be told whose it was.
int noteRefusal(int isGood, X509_STORE_CTX* verification) noexcept
{
    if (isGood != 1) {
        void* connection =
            X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx());
        TlsStream::noteRefused(
            static_cast<SSL*>(connection), X509_STORE_CTX_get0_cert(verification)
        );
    }
    return isGood;
}

bool isIpAddress(const std::string& text)
{
    std::array<unsigned char, sizeof(in6_addr)> address{};
    return inet_pton(AF_INET, text.c_str(), address.data()) == 1
           || inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

// The keys of the exchange are of no more use once the handshake is done, but OpenSSL keeps them
// as long as a TLS 1.3 connection. Emptying them takes half a kilobyte off every idle connection,
// and leaves nothing in memory from which the traffic keys could be derived again.
void eraseExchangeKeys(SSL* connection)
{
    EVP_PKEY* key = nullptr;
    if (SSL_get_tmp_key(connection, &key) == 1) {
        EVP_PKEY_set_type(key, EVP_PKEY_X25519); // Any type will do: what the key held is freed.
        EVP_PKEY_free(key);
    }
    if (SSL_get_peer_tmp_key(connection, &key) == 1) {
        EVP_PKEY_set_type(key, EVP_PKEY_X25519);
        EVP_PKEY_free(key);
    }
}

// The client's offer is read once, by the handshake, and OpenSSL keeps it too: 8 bytes a cipher.
void forgetOffer(SSL* connection)
{
    if (STACK_OF(SSL_CIPHER)* offered = SSL_get_client_ciphers(connection)) {
        sk_SSL_CIPHER_zero(offered);
        sk_SSL_CIPHER_reserve(offered, 0); // Gives back what no cipher needs any more.
    }
}

// Who resumes is not judged again, and tickets are renewed for ever: without this a certificate
// that expires would be believed as long as its server runs.
bool hasExpired(SSL_SESSION* session)
{
    const X509* peer = SSL_SESSION_get0_peer(session);
    return peer != nullptr && X509_cmp_current_time(X509_get0_notAfter(peer)) <= 0;
}

} // namespace

void ClientSession::Free::operator()(ssl_session_st* session) const noexcept
{
    SSL_SESSION_free(session);
}

ClientSession::ClientSession() = default;

ClientSession::~ClientSession() = default;

void ClientSession::keep(ssl_session_st* session) { m_session.reset(session); }

void ClientSession::forget() { m_session.reset(); }

void TlsStream::Free::operator()(ssl_st* connection) const noexcept { SSL_free(connection); }

TlsStream::TlsStream(SslPtr connection)
    : m_connection(std::move(connection))
{
    SSL_set_app_data(m_connection.get(), this);
}

// OpenSSL takes a connection that goes without a close_notify for a broken one, and the session
// that we keep for the next handshake with it.
TlsStream::~TlsStream()
{
    if (SSL_is_init_finished(m_connection.get()) == 1) {
        SSL_set_shutdown(m_connection.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
}

Result<void> TlsStream::attach(int socket)
{
    m_bio = std::make_unique<SocketBio>(socket);
    BIO* bio = SocketBio::make(*m_bio);
    if (bio == nullptr) {
        return takeOpensslError("BIO_new");
    }
    SSL_set_bio(m_connection.get(), bio, bio);
    return {};
}

TlsStream* TlsStream::of(ssl_st* connection)
{
    return static_cast<TlsStream*>(SSL_get_app_data(connection));
}

const TicketKeys* TlsStream::ticketsOf(ssl_st* connection)
{
    const TlsStream* stream = of(connection);
    if (stream == nullptr || stream->m_context == nullptr) {
        return nullptr;
    }
    return stream->m_tickets != nullptr ? stream->m_tickets.get()
                                        : &stream->m_context->ownTickets();
}

std::optional<Http2Offer> TlsStream::offerOf(ssl_st* connection)
{
    const TlsStream* stream = of(connection);
    return stream == nullptr ? std::nullopt : stream->m_offer;
}

AlpnUse TlsStream::alpnOf(ssl_st* connection)
{
    const TlsStream* stream = of(connection);
    return stream == nullptr ? AlpnUse::Chosen : stream->m_alpn;
}

void TlsStream::noteRefused(ssl_st* connection, x509_st* certificate)
{
    TlsStream* stream = of(connection);
    if (stream != nullptr && certificate != nullptr) {
        stream->m_refused = std::make_unique<CertificateFacts>(factsOf(certificate));
    }
}

void TlsStream::noteSession()
{
    const SSL_SESSION* session = SSL_get_session(m_connection.get());
    if (session == m_noted || SSL_SESSION_is_resumable(session) == 0) {
        return;
    }
    m_noted = session;
    if (session != m_session->get()) {
        m_session->keep(SSL_get1_session(m_connection.get()));
    }
}

Result<std::unique_ptr<TlsStream>> TlsStream::server(
    const ServerContext& context, int socket, ServerHandshake handshake
)
{
    SslPtr connection(SSL_new(context.native()));
    if (!connection) {
        return takeOpensslError("SSL_new");
    }
    SSL_set_accept_state(connection.get());
    std::unique_ptr<TlsStream> stream(new TlsStream(std::move(connection)));
    MESH_TRY_VOID(stream->attach(socket));
    stream->m_context = context.shared_from_this();
    stream->m_tickets = std::move(handshake.tickets);
    stream->m_offer = handshake.http2;
    stream->m_alpn = handshake.alpn;
    if (context.mesh()) {
        stream->m_trustDomain = &context.mesh()->trustDomain;
    }
    return stream;
}

Result<std::unique_ptr<TlsStream>> TlsStream::client(
    const ClientContext& context, int socket, const std::string& serverName, ClientSession* session
)
{
    SslPtr connection(SSL_new(context.native()));
    if (!connection) {
        return takeOpensslError("SSL_new");
    }
    SSL* raw = connection.get();
    SSL_set_connect_state(raw);
    if (context.verify() == VerifyPeer::Yes) {
        SSL_set_verify(raw, SSL_VERIFY_PEER, &noteRefusal);
    }
    const bool isMesh = !context.trustDomain().empty();
    const bool isNamed = !serverName.empty();
    const bool isAddress = isNamed && isIpAddress(serverName);
    if (isNamed && !isAddress) {
        SSL_set_tlsext_host_name(raw, serverName.c_str());
    }
    if (isNamed && !isMesh && context.verify() == VerifyPeer::Yes) {
        X509_VERIFY_PARAM* parameters = SSL_get0_param(raw);
        const int isSet = isAddress ? X509_VERIFY_PARAM_set1_ip_asc(parameters, serverName.c_str())
                                    : SSL_set1_host(raw, serverName.c_str());
        if (isSet != 1) {
            return takeOpensslError("the server name cannot be demanded");
        }
    }
    if (session != nullptr && session->get() != nullptr) {
        if (context.verify() == VerifyPeer::Yes && hasExpired(session->get())) {
            session->forget();
        } else {
            SSL_set_session(raw, session->get());
        }
    }
    std::unique_ptr<TlsStream> stream(new TlsStream(std::move(connection)));
    MESH_TRY_VOID(stream->attach(socket));
    stream->m_session = session;
    if (isMesh) {
        stream->m_trustDomain = &context.trustDomain();
    }
    return stream;
}

StreamStep TlsStream::fail(Failure kind, std::string text)
{
    m_failureKind = kind;
    m_failure = std::move(text);
    return {StreamStatus::Failed};
}

// NOLINTNEXTLINE(google-runtime-int): OpenSSL's own type.
Failure TlsStream::kindOfError(unsigned long code) const
{
    // NOLINTNEXTLINE(google-runtime-int): OpenSSL's own type.
    const long verified = SSL_get_verify_result(m_connection.get());
    const int reason = ERR_GET_REASON(code);
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && verified != X509_V_OK) {
        return failureOf(static_cast<int>(verified));
    }
    if (reason >= SSL_AD_REASON_OFFSET) {
        return Failure::PeerRefused; // Its alert is the reason.
    }
    switch (reason) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return Failure::NoCertificate;
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
        return Failure::NotTls;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_NO_APPLICATION_PROTOCOL:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
        return Failure::NoSharedProtocol;
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
        return Failure::Closed;
    default:
        return ERR_GET_LIB(code) == ERR_LIB_X509 ? Failure::BadCertificate : Failure::Other;
    }
}

StreamStep TlsStream::finish(int outcome, std::size_t count)
{
    if (outcome > 0) {
        return {StreamStatus::Done, count};
    }
    const int systemError = errno;
    switch (SSL_get_error(m_connection.get(), outcome)) {
    case SSL_ERROR_WANT_READ:
        return {StreamStatus::WantRead};
    case SSL_ERROR_WANT_WRITE:
        return {StreamStatus::WantWrite};
    case SSL_ERROR_ZERO_RETURN:
        return {StreamStatus::Closed};
    case SSL_ERROR_SYSCALL:
        ERR_clear_error();
        return fail(
            Failure::Closed,
            systemError == 0 ? "peer closed without close_notify"
                             : std::generic_category().message(systemError)
        );
    default:
        break;
    }
    const Failure kind = kindOfError(ERR_peek_error());
    return fail(kind, takeOpensslReason());
}

StreamStep TlsStream::handshake()
{
    const StreamStep step = shakeHands();
    const bool isBroken =
        step.status == StreamStatus::Failed || step.status == StreamStatus::Closed;
    if (isBroken && m_session != nullptr) {
        m_session->forget(); // It may be what the peer broke on, and the next would offer it again.
    }
    return step;
}

StreamStep TlsStream::shakeHands()
{
    ERR_clear_error();
    errno = 0;
    std::array<char, kFlightBytes> room; // Filled as far as it is used.
    m_bio->begin(room);
    const StreamStep step = finish(SSL_do_handshake(m_connection.get()), 0);
    m_bio->end();
    if (step.status == StreamStatus::Done) {
        if (m_trustDomain != nullptr && !isOfDomain(*m_trustDomain)) {
            return fail(Failure::ForeignIdentity, "the peer has no identity of this trust domain");
        }
        m_tickets.reset();
        eraseExchangeKeys(m_connection.get());
        forgetOffer(m_connection.get());
        if (m_session != nullptr) {
            noteSession();
        }
    }
    return step;
}

void TlsStream::expectEnd() { m_bio->expectEnd(); }

StreamStep TlsStream::readRecord(std::span<char> buffer)
{
    ERR_clear_error();
    errno = 0;
    std::size_t count = 0;
    const int outcome = SSL_read_ex(m_connection.get(), buffer.data(), buffer.size(), &count);
    return finish(outcome, count);
}

StreamStep TlsStream::read(std::span<char> buffer)
{
    if (m_next) { // Told only now, behind the bytes that came before it.
        m_mayHaveMore = false;
        return {*m_next};
    }
    const std::size_t half = buffer.size() / 2;
    const std::span<char> room = buffer.first(buffer.size() - half);
    m_bio->begin(buffer.last(half));
    StreamStep step = readRecord(room);
    StreamStep next = step;
    while (next.status == StreamStatus::Done && step.count < room.size()
           && (m_bio->hasBytes() || hasPending())) {
        next = readRecord(room.subspan(step.count));
        step.count += next.count;
    }
    m_bio->end();
    if (m_session != nullptr) {
        noteSession();
    }
    if (next.status == StreamStatus::Closed || next.status == StreamStatus::Failed) {
        m_next = next.status;
    }
    m_mayHaveMore = step.status == StreamStatus::Done
                    && (m_next || m_bio->hasBytes() || hasPending() || !m_bio->isDrained());
    return step;
}

StreamStep TlsStream::write(std::span<const char> bytes)
{
    if (m_failureKind != Failure::None) {
        return {StreamStatus::Failed}; // OpenSSL would say what it last waited for.
    }
    ERR_clear_error();
    errno = 0;
    std::size_t count = 0;
    const int outcome = SSL_write_ex(m_connection.get(), bytes.data(), bytes.size(), &count);
    return finish(outcome, count);
}

void TlsStream::shutdown()
{
    if (SSL_is_init_finished(m_connection.get()) == 1) {
        static_cast<void>(SSL_shutdown(m_connection.get()));
    }
    ERR_clear_error();
}

bool TlsStream::isOfDomain(const std::string& trustDomain) const
{
    const auto identity = peerIdentity();
    return identity && identity->trustDomain == trustDomain;
}

std::optional<SpiffeId> TlsStream::peerIdentity() const
{
    X509* certificate = SSL_get0_peer_certificate(m_connection.get());
    return certificate == nullptr ? std::nullopt : identityOf(certificate);
}

bool TlsStream::hasPeerCertificate() const
{
    return SSL_get0_peer_certificate(m_connection.get()) != nullptr;
}

std::optional<CertificateFacts> TlsStream::peerFacts() const
{
    X509* certificate = SSL_get0_peer_certificate(m_connection.get());
    return certificate == nullptr ? std::nullopt : std::optional(factsOf(certificate));
}

Failure TlsStream::verifyPeer(const std::shared_ptr<const PeerVerifier>& verifier, WallTime now)
    const
{
    if (hasVerdictOf(verifier, now)) {
        return m_verdict->failure;
    }
    const Failure failure = verifier->verify(
        SSL_get0_peer_certificate(m_connection.get()),
        SSL_get_peer_cert_chain(m_connection.get()),
        now
    );
    return keepVerdict(verifier, now, failure);
}

Failure TlsStream::verifyMember(const ServerContext& context, WallTime now) const
{
    const std::shared_ptr<const PeerVerifier>& members = context.members();
    if (hasVerdictOf(members, now)) {
        return m_verdict->failure;
    }
    if (m_verdict == nullptr && m_context.get() == &context) {
        return keepVerdict(members, now, Failure::None); // The handshake has just judged it.
    }
    const Failure failure = verifyPeer(members, now);
    const bool isForeign = failure == Failure::None && !isOfDomain(context.mesh()->trustDomain);
    return isForeign ? keepVerdict(members, now, Failure::ForeignIdentity) : failure;
}

bool TlsStream::hasVerdictOf(const std::shared_ptr<const PeerVerifier>& verifier, WallTime now)
    const
{
    return m_verdict != nullptr && m_verdict->verifier == verifier && now < m_verdict->until;
}

Failure TlsStream::keepVerdict(
    const std::shared_ptr<const PeerVerifier>& verifier, WallTime now, Failure failure
) const
{
    m_verdict = std::make_unique<Verdict>(Verdict{verifier, now + kVerdictLifetime, failure});
    return failure;
}

bool TlsStream::isResumed() const { return SSL_session_reused(m_connection.get()) == 1; }

std::string_view TlsStream::version() const { return SSL_get_version(m_connection.get()); }

std::string_view TlsStream::cipher() const
{
    const char* name = SSL_get_cipher_name(m_connection.get());
    return name == nullptr ? std::string_view() : std::string_view(name);
}

bool TlsStream::hasPending() const { return SSL_has_pending(m_connection.get()) == 1; }

std::string_view TlsStream::serverName() const
{
    const char* name = SSL_get_servername(m_connection.get(), TLSEXT_NAMETYPE_host_name);
    return name == nullptr ? std::string_view() : std::string_view(name);
}

std::string_view TlsStream::protocol() const
{
    const unsigned char* name = nullptr;
    unsigned int length = 0;
    SSL_get0_alpn_selected(m_connection.get(), &name, &length);
    return {static_cast<const char*>(static_cast<const void*>(name)), length};
}

} // namespace mesh::tls
