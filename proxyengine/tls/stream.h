#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/time.h"
#include "proxyengine/tls/context.h"
#include "proxyengine/tls/failure.h"
#include "proxyengine/tls/identity.h"
#include "proxyengine/tls/tickets.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct ssl_st; // OpenSSL's SSL.
struct ssl_session_st;
struct x509_st;

namespace mesh::tls {

// How a non-blocking step ended.
enum class StreamStatus : std::uint8_t {
    Done, // For handshakes: finished. For reads and writes: `count` bytes moved, at least one.
    WantRead, // Call again when the socket is readable.
    WantWrite, // Call again when the socket is writable.
    Closed, // The peer ended the stream properly.
    Failed, // The connection is unusable; failure() says why.
};

struct StreamStep
{
    StreamStatus status;
    std::size_t count = 0;
};

// Whether a server chooses among the protocols a client offers by ALPN, or leaves that to whoever
// it carries the bytes to.
enum class AlpnUse : std::uint8_t { Chosen, Ignored };

// What one server handshake has beside its context's.
struct ServerHandshake
{
    std::optional<Http2Offer> http2; // Absent: the context's.
    std::shared_ptr<const TicketKeys> tickets; // Null: the context's own.
    AlpnUse alpn = AlpnUse::Chosen;
};

// The last session that a peer gave: the next handshake with it resumes, which saves both sides
// signatures and certificates; one that fails forgets it. Belongs to a pool of connections of one
// peer and one context.
class ClientSession
{
public:
    ClientSession();
    ClientSession(const ClientSession&) = delete;
    ClientSession& operator=(const ClientSession&) = delete;
    ~ClientSession();

    void keep(ssl_session_st* session); // Takes a reference over.
    void forget();
    [[nodiscard]] ssl_session_st* get() const { return m_session.get(); }

private:
    struct Free
    {
        void operator()(ssl_session_st* session) const noexcept;
    };
    std::unique_ptr<ssl_session_st, Free> m_session;
};

class PeerVerifier;
class SocketBio;

// One TLS connection over a non-blocking socket that somebody else owns and watches.
//
// Threads: the loop's. Limits: an idle connection holds no record buffers
// (SSL_MODE_RELEASE_BUFFERS).
class TlsStream
{
public:
    // Errors: Tls when OpenSSL is out of memory. The socket stays the caller's.
    [[nodiscard]] static Result<std::unique_ptr<TlsStream>> server(
        const ServerContext& context, int socket, ServerHandshake handshake = {}
    );
    // `serverName`: sent as SNI, unless it is an address, and, when the context verifies, demanded
    // of the certificate. `session` is resumed and replaced, and outlives the stream; may be null.
    [[nodiscard]] static Result<std::unique_ptr<TlsStream>> client(
        const ClientContext& context,
        int socket,
        const std::string& serverName,
        ClientSession* session = nullptr
    );
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;
    ~TlsStream();

    [[nodiscard]] StreamStep handshake();
    // Its second half is used on the way, for what comes off the socket.
    [[nodiscard]] StreamStep read(std::span<char> buffer);
    // The peer has ended; no event of the socket will tell it again.
    void expectEnd();
    // After read(): more may come without a new event of the socket.
    [[nodiscard]] bool mayHaveMore() const { return m_mayHaveMore; }
    [[nodiscard]] StreamStep write(std::span<const char> bytes);
    // Sends close_notify once; never waits for the peer's.
    void shutdown();

    [[nodiscard]] bool hasPending(
    ) const; // Decrypted bytes wait: read before waiting for the socket.
    [[nodiscard]] std::string_view serverName() const; // What the client asked for; empty: nothing.
    [[nodiscard]] std::string_view protocol() const; // By ALPN, "h2" or "http/1.1"; empty: none.
    [[nodiscard]] const std::string& failure() const { return m_failure; }
    [[nodiscard]] Failure failureKind() const { return m_failureKind; }
    [[nodiscard]] bool isResumed() const;
    // "TLSv1.3"; and its cipher suite's name.
    [[nodiscard]] std::string_view version() const;
    [[nodiscard]] std::string_view cipher() const;
    // The peer's certificate: who it is, for mesh peers after the handshake; null: it showed none.
    [[nodiscard]] std::optional<SpiffeId> peerIdentity() const;
    [[nodiscard]] bool hasPeerCertificate() const;
    // The certificate because of which a client's handshake failed; null: it failed otherwise.
    [[nodiscard]] const CertificateFacts* refusedPeer() const { return m_refused.get(); }
    // Subject (RFC 2253) and names of the peer's certificate; nothing when it showed none.
    [[nodiscard]] std::optional<CertificateFacts> peerFacts() const;
    // Whether these authorities vouch for the peer's certificate now; NoCertificate when it showed
    // none. The answer is kept for a minute, so that the requests of a connection ask once.
    [[nodiscard]] Failure verifyPeer(
        const std::shared_ptr<const PeerVerifier>& verifier, WallTime now
    ) const;
    // Whether the peer belongs to the mesh of this context, which may be a later one than that of
    // the handshake: by its authorities and its trust domain. Kept likewise.
    [[nodiscard]] Failure verifyMember(const ServerContext& context, WallTime now) const;

    // For the callbacks of contexts.
    static const TicketKeys* ticketsOf(ssl_st* connection);
    static std::optional<Http2Offer> offerOf(ssl_st* connection);
    static AlpnUse alpnOf(ssl_st* connection);
    static void noteRefused(ssl_st* connection, x509_st* certificate);

private:
    struct Free
    {
        void operator()(ssl_st* connection) const noexcept;
    };
    using SslPtr = std::unique_ptr<ssl_st, Free>;

    explicit TlsStream(SslPtr connection);
    [[nodiscard]] StreamStep shakeHands();
    StreamStep finish(int outcome, std::size_t count);
    void noteSession(); // A client's; tickets come with anything that is read.
    [[nodiscard]] Result<void> attach(int socket);
    [[nodiscard]] StreamStep readRecord(std::span<char> buffer);
    [[nodiscard]] StreamStep fail(Failure kind, std::string text);
    [[nodiscard]] Failure kindOfError(unsigned long code) const; // NOLINT(google-runtime-int)
    [[nodiscard]] bool isOfDomain(const std::string& trustDomain) const;
    [[nodiscard]] bool hasVerdictOf(
        const std::shared_ptr<const PeerVerifier>& verifier, WallTime now
    ) const;
    Failure keepVerdict(
        const std::shared_ptr<const PeerVerifier>& verifier, WallTime now, Failure failure
    ) const;
    static TlsStream* of(ssl_st* connection);

    struct Verdict
    {
        std::shared_ptr<const PeerVerifier> verifier;
        WallTime until{};
        Failure failure = Failure::None;
    };

    std::shared_ptr<const ServerContext> m_context; // A server's; the connection calls it back.
    std::unique_ptr<SocketBio> m_bio; // The connection's.
    SslPtr m_connection;
    std::shared_ptr<const TicketKeys> m_tickets; // Until the handshake is done.
    mutable std::unique_ptr<Verdict> m_verdict; // The last of verifyPeer() or verifyMember().
    ClientSession* m_session = nullptr;
    const ssl_session_st* m_noted = nullptr; // Compared only: the last that noteSession() saw.
    const std::string* m_trustDomain = nullptr; // The context's; the peer's identity must be of it.
    std::string m_failure;
    std::unique_ptr<CertificateFacts> m_refused;
    std::optional<Http2Offer> m_offer;
    AlpnUse m_alpn = AlpnUse::Chosen;
    Failure m_failureKind = Failure::None;
    std::optional<StreamStatus> m_next; // What ended the last read after it had brought bytes.
    bool m_mayHaveMore = false;
};

} // namespace mesh::tls
