#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/tls/certificate.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st; // OpenSSL's SSL_CTX, so that its headers stay in this folder.

namespace mesh::tls {

enum class Http2Offer : std::uint8_t { No, Yes }; // In ALPN, before http/1.1.

// Everything a server needs for its handshakes; immutable, so workers share it.
//
// The certificate of a ClientHello name a.b.c is chosen in this order: a.b.c, *.b.c, a.b.*, *, the
// first certificate. Sessions resume by tickets, whose keys live as long as the context.
// Threads: any, after make(). Streams keep it alive: a handshake asks it for names until its end.
class ServerContext : public std::enable_shared_from_this<ServerContext>
{
public:
    // Errors: Tls with the reason and the number of the certificate; InvalidArgument when there are
    // none.
    [[nodiscard]] static Result<std::shared_ptr<const ServerContext>> make(
        const std::vector<CertificateText>& certificates, Http2Offer http2
    );
    ServerContext(const ServerContext&) = delete;
    ServerContext& operator=(const ServerContext&) = delete;
    ~ServerContext();

    [[nodiscard]] ssl_ctx_st* native() const;

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
    Http2Offer http2 = Http2Offer::No; // Yes: "h2" alone is offered by ALPN.
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

private:
    struct State;
    explicit ClientContext(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace mesh::tls
