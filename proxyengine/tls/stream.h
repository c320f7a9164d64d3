#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/tls/context.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct ssl_st; // OpenSSL's SSL.

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

// One TLS connection over a non-blocking socket that somebody else owns and watches.
//
// Threads: the loop's. Limits: an idle connection holds no record buffers
// (SSL_MODE_RELEASE_BUFFERS).
class TlsStream
{
public:
    // Errors: Tls when OpenSSL is out of memory. The socket stays the caller's.
    [[nodiscard]] static Result<std::unique_ptr<TlsStream>> server(
        const ServerContext& context, int socket
    );
    // `serverName`: sent as SNI and, when the context verifies, demanded of the certificate.
    [[nodiscard]] static Result<std::unique_ptr<TlsStream>> client(
        const ClientContext& context, int socket, const std::string& serverName
    );

    [[nodiscard]] StreamStep handshake();
    [[nodiscard]] StreamStep read(std::span<char> buffer);
    [[nodiscard]] StreamStep write(std::span<const char> bytes);
    // Sends close_notify once; never waits for the peer's.
    void shutdown();

    [[nodiscard]] bool hasPending(
    ) const; // Decrypted bytes wait: read before waiting for the socket.
    [[nodiscard]] std::string_view serverName() const; // What the client asked for; empty: nothing.
    [[nodiscard]] std::string_view protocol() const; // By ALPN, "h2" or "http/1.1"; empty: none.
    [[nodiscard]] const std::string& failure() const { return m_failure; }

private:
    struct Free
    {
        void operator()(ssl_st* connection) const noexcept;
    };
    using SslPtr = std::unique_ptr<ssl_st, Free>;

    explicit TlsStream(SslPtr connection);
    StreamStep finish(int outcome, std::size_t count);

    std::shared_ptr<const ServerContext> m_context; // A server's; the connection calls it back.
    SslPtr m_connection;
    std::string m_failure;
};

} // namespace mesh::tls
