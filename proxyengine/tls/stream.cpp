#include "proxyengine/tls/stream.h"

#include "proxyengine/tls/openssl_error.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <system_error>

// OpenSSL's macros cast the old way.
#pragma GCC diagnostic ignored "-Wold-style-cast"

namespace mesh::tls {
namespace {

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

} // namespace

void TlsStream::Free::operator()(ssl_st* connection) const noexcept { SSL_free(connection); }

TlsStream::TlsStream(SslPtr connection)
    : m_connection(std::move(connection))
{}

Result<std::unique_ptr<TlsStream>> TlsStream::server(const ServerContext& context, int socket)
{
    SslPtr connection(SSL_new(context.native()));
    if (!connection || SSL_set_fd(connection.get(), socket) != 1) {
        return takeOpensslError("SSL_new");
    }
    SSL_set_accept_state(connection.get());
    std::unique_ptr<TlsStream> stream(new TlsStream(std::move(connection)));
    stream->m_context = context.shared_from_this();
    return stream;
}

Result<std::unique_ptr<TlsStream>> TlsStream::client(
    const ClientContext& context, int socket, const std::string& serverName
)
{
    SslPtr connection(SSL_new(context.native()));
    if (!connection || SSL_set_fd(connection.get(), socket) != 1) {
        return takeOpensslError("SSL_new");
    }
    SSL_set_connect_state(connection.get());
    if (!serverName.empty()) {
        SSL_set_tlsext_host_name(connection.get(), serverName.c_str());
        if (context.verify() == VerifyPeer::Yes
            && SSL_set1_host(connection.get(), serverName.c_str()) != 1) {
            return takeOpensslError("SSL_set1_host");
        }
    }
    return std::unique_ptr<TlsStream>(new TlsStream(std::move(connection)));
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
        m_failure = systemError == 0 ? "peer closed without close_notify"
                                     : std::generic_category().message(systemError);
        return {StreamStatus::Failed};
    default:
        m_failure = takeOpensslReason();
        return {StreamStatus::Failed};
    }
}

StreamStep TlsStream::handshake()
{
    ERR_clear_error();
    errno = 0;
    const StreamStep step = finish(SSL_do_handshake(m_connection.get()), 0);
    if (step.status == StreamStatus::Done) {
        eraseExchangeKeys(m_connection.get());
        forgetOffer(m_connection.get());
    }
    return step;
}

StreamStep TlsStream::read(std::span<char> buffer)
{
    ERR_clear_error();
    errno = 0;
    std::size_t count = 0;
    const int outcome = SSL_read_ex(m_connection.get(), buffer.data(), buffer.size(), &count);
    return finish(outcome, count);
}

StreamStep TlsStream::write(std::span<const char> bytes)
{
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
