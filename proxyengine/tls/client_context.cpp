#include "proxyengine/tls/context.h"
#include "proxyengine/tls/openssl_error.h"
#include "proxyengine/tls/openssl_objects.h"

#include <openssl/err.h>

// OpenSSL's macros cast the old way.
#pragma GCC diagnostic ignored "-Wold-style-cast"

namespace mesh::tls {
struct ClientContext::State
{
    ContextPtr context;
    VerifyPeer verify = VerifyPeer::Yes;
    Http2Offer http2 = Http2Offer::No;
    std::string trustDomain;
};

ClientContext::ClientContext(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

ClientContext::~ClientContext() = default;

ssl_ctx_st* ClientContext::native() const { return m_state->context.get(); }

VerifyPeer ClientContext::verify() const { return m_state->verify; }

Http2Offer ClientContext::http2() const { return m_state->http2; }

const std::string& ClientContext::trustDomain() const { return m_state->trustDomain; }

Result<std::shared_ptr<const ClientContext>> ClientContext::make(const ClientOptions& options)
{
    ERR_clear_error();
    auto state = std::make_unique<State>();
    state->verify = options.verify;
    state->http2 = options.http2;
    state->trustDomain = options.trustDomain;
    state->context.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX* context = state->context.get();
    if (context == nullptr) {
        return takeOpensslError("SSL_CTX_new");
    }
    applyDefaults(context);
    SSL_CTX_set_verify(
        context, options.verify == VerifyPeer::Yes ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr
    );
    if (options.verifyDepth) {
        SSL_CTX_set_verify_depth(context, *options.verifyDepth);
    }
    const bool verifies = options.verify == VerifyPeer::Yes;
    if (!options.caPem.empty()) {
        MESH_TRY_VOID(trust(SSL_CTX_get_cert_store(context), options.caPem));
    } else if (verifies && SSL_CTX_set_default_verify_paths(context) != 1) {
        return takeOpensslError("the system's trusted certificates cannot be read");
    }
    if (!options.certPem.empty()) {
        MESH_TRY_VOID(useCertificate(context, options.certPem, options.keyPem));
    }
    if (options.http2 != Http2Offer::No) {
        const std::string_view offer = options.http2 == Http2Offer::Only ? kOfferHttp2 : kOfferBoth;
        const void* bytes = offer.data();
        if (SSL_CTX_set_alpn_protos(
                context,
                static_cast<const unsigned char*>(bytes),
                static_cast<unsigned int>(offer.size())
            )
            != 0) {
            return takeOpensslError("SSL_CTX_set_alpn_protos");
        }
    }
    // Sessions are kept by whoever makes streams, per peer. OpenSSL's own keeping would take a
    // session from us when the first connection resumes it, and every other one would not.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return std::shared_ptr<const ClientContext>(new ClientContext(std::move(state)));
}

} // namespace mesh::tls
