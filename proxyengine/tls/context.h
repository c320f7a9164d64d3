#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/tls/certificate.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st; // OpenSSL's SSL_CTX, so that its headers stay in this folder.

namespace mesh::tls {

class PeerVerifier;
class TicketKeys;

enum class Http2Offer : std::uint8_t { No, Yes, Only }; // In ALPN, before http/1.1 or without it.

// Whoever is asked for a certificate in the handshake. What it shows is looked at later, by a
// PeerVerifier; asking refuses nobody.
struct CertificateWish
{
    std::vector<std::string> snis; // Matched as NamePattern says; empty: every handshake.
    std::string caPem; // Authorities whose names are sent, as a hint which certificate to choose.
};

// Both sides of a mesh show a certificate of these authorities with an identity of this domain.
struct MeshTrust
{
    std::string caPem;
    std::string trustDomain;
};

struct ServerOptions
{
    Http2Offer http2 = Http2Offer::No; // For streams that do not say.
    std::vector<CertificateWish> wishes;
    std::optional<MeshTrust> mesh; // Present: peers without such a certificate are refused.
};

// Everything a server needs for its handshakes; immutable, so workers share it.
//
// The certificate of a ClientHello name a.b.c is chosen in this order: a.b.c, *.b.c, a.b.*, *, the
// first certificate. Sessions resume by tickets, under the keys of each stream, else under keys
// that live as long as the context; and only under the wishes they were made under. Who was asked
// for a certificate gets no ticket, so that it is judged anew each time.
// Threads: any, after make(). Streams keep it alive: a handshake asks it for names until its end.
class ServerContext : public std::enable_shared_from_this<ServerContext>
{
public:
    // Errors: Tls with the reason and the number of the certificate; InvalidArgument when there are
    // none.
    [[nodiscard]] static Result<std::shared_ptr<const ServerContext>> make(
        const std::vector<CertificateText>& certificates, const ServerOptions& options
    );
    [[nodiscard]] static Result<std::shared_ptr<const ServerContext>> make(
        const std::vector<CertificateText>& certificates, Http2Offer http2
    );
    ServerContext(const ServerContext&) = delete;
    ServerContext& operator=(const ServerContext&) = delete;
    ~ServerContext();

    [[nodiscard]] ssl_ctx_st* native() const;
    [[nodiscard]] Http2Offer http2() const;
    [[nodiscard]] const TicketKeys& ownTickets() const;
    [[nodiscard]] const std::optional<MeshTrust>& mesh() const;
    // What judges peers of the mesh after their handshakes; null without a mesh.
    [[nodiscard]] const std::shared_ptr<const PeerVerifier>& members() const;

private:
    struct State;
    explicit ServerContext(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

enum class VerifyPeer : std::uint8_t { No, Yes };

struct ClientOptions
{
    VerifyPeer verify = VerifyPeer::Yes;
    std::string caPem; // Trusted roots; empty: the system's.
    std::string certPem; // Client certificate chain; empty: none.
    std::string keyPem;
    Http2Offer http2 = Http2Offer::No;
    std::optional<int> verifyDepth; // Longest chain between the leaf and the root.
    std::string trustDomain; // Not empty: the server must have an identity of it, and no host name.
};

// Everything a client needs for its handshakes; immutable. Threads: any, after make().
class ClientContext
{
public:
    // Errors: Tls with the reason.
    [[nodiscard]] static Result<std::shared_ptr<const ClientContext>> make(
        const ClientOptions& options
    );
    ClientContext(const ClientContext&) = delete;
    ClientContext& operator=(const ClientContext&) = delete;
    ~ClientContext();

    [[nodiscard]] ssl_ctx_st* native() const;
    [[nodiscard]] VerifyPeer verify() const;
    [[nodiscard]] Http2Offer http2() const;
    [[nodiscard]] const std::string& trustDomain() const; // Empty: peers are known by host name.

private:
    struct State;
    explicit ClientContext(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace mesh::tls
