#include "proxyengine/tls/context.h"

#include "proxyengine/base/handles.h"
#include "proxyengine/tls/openssl_error.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <map>
#include <span>

// OpenSSL's macros cast the old way.
#pragma GCC diagnostic ignored "-Wold-style-cast"

namespace mesh::tls {
namespace {

using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free>>;
using X509Ptr = std::unique_ptr<X509, FreeWith<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using ContextPtr = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;

BioPtr readingBio(std::string_view text)
{
    return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// What every context has: no old versions, no compression, no renegotiation, and buffers that an
// idle connection does not hold.
void applyDefaults(SSL_CTX* context)
{
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(
        context,
        SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE
            | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
    );
    SSL_CTX_set_read_ahead(context, 0);
}

Result<void> useCertificate(SSL_CTX* context, std::string_view chainPem, std::string_view keyPem)
{
    ERR_clear_error();
    const BioPtr chain = readingBio(chainPem);
    const X509Ptr leaf(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
    if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) {
        return takeOpensslError("certificate cannot be used");
    }
    for (;;) {
        X509Ptr issuer(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
        if (!issuer) {
            ERR_clear_error(); // The end of the text is an error to OpenSSL.
            break;
        }
        if (SSL_CTX_add0_chain_cert(context, issuer.get()) != 1) {
            return takeOpensslError("certificate chain cannot be used");
        }
        static_cast<void>(issuer.release()); // Owned by the context now.
    }

    const BioPtr keyText = readingBio(keyPem);
    const KeyPtr key(PEM_read_bio_PrivateKey(keyText.get(), nullptr, nullptr, nullptr));
    if (!key) {
        return takeOpensslError("private key cannot be read");
    }
    if (SSL_CTX_use_PrivateKey(context, key.get()) != 1
        || SSL_CTX_check_private_key(context) != 1) {
        ERR_clear_error();
        return fail(ErrorCode::Tls, "certificate does not match key");
    }
    return {};
}

// The names under which a.b.c may be listed, most specific first.
std::vector<std::string> candidatesOf(std::string_view name)
{
    std::vector<std::string> candidates = {std::string(name)};
    if (const std::size_t dot = name.find('.'); dot != std::string_view::npos) {
        candidates.push_back("*" + std::string(name.substr(dot)));
    }
    if (const std::size_t dot = name.rfind('.'); dot != std::string_view::npos) {
        candidates.push_back(std::string(name.substr(0, dot)) + ".*");
    }
    candidates.emplace_back("*");
    return candidates;
}

std::string lowerCase(std::string_view text)
{
    std::string lowered(text);
    std::ranges::transform(lowered, lowered.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return lowered;
}

// Of TLS 1.3, in order of preference. SHA-256 has instructions of its own in processors, SHA-384
// has not, and its digests are half as large in every idle connection.
constexpr const char* kServerSuites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

constexpr std::string_view kOfferBoth = "\x02h2\x08http/1.1";
constexpr std::string_view kOfferHttp1 = "\x08http/1.1";

const unsigned char* bytesOf(std::string_view text)
{
    return static_cast<const unsigned char*>(static_cast<const void*>(text.data()));
}

} // namespace

struct ServerContext::State
{
    std::vector<ContextPtr> contexts; // The first is the one handshakes begin with.
    std::map<std::string, SSL_CTX*, std::less<>> byName;
    Http2Offer http2 = Http2Offer::No;

    static int chooseCertificate(SSL* connection, int* /*alert*/, void* argument) noexcept
    {
        const auto* state = static_cast<const State*>(argument);
        const char* name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
        if (name == nullptr) {
            return SSL_TLSEXT_ERR_NOACK;
        }
        for (const std::string& candidate : candidatesOf(lowerCase(name))) {
            if (const auto found = state->byName.find(candidate); found != state->byName.end()) {
                SSL_set_SSL_CTX(connection, found->second);
                return SSL_TLSEXT_ERR_OK;
            }
        }
        return SSL_TLSEXT_ERR_NOACK;
    }

    static int chooseProtocol(
        SSL* /*connection*/,
        const unsigned char** chosen,
        unsigned char* chosenLength,
        const unsigned char* offered,
        unsigned int offeredLength,
        void* argument
    ) noexcept
    {
        const auto* state = static_cast<const State*>(argument);
        const std::string_view ours = state->http2 == Http2Offer::Yes ? kOfferBoth : kOfferHttp1;
        unsigned char* picked = nullptr;
        const int outcome = SSL_select_next_proto(
            &picked,
            chosenLength,
            bytesOf(ours),
            static_cast<unsigned int>(ours.size()),
            offered,
            offeredLength
        );
        *chosen = picked;
        return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
    }
};

ServerContext::ServerContext(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

ServerContext::~ServerContext() = default;

ssl_ctx_st* ServerContext::native() const { return m_state->contexts.front().get(); }

Result<std::shared_ptr<const ServerContext>> ServerContext::make(
    const std::vector<CertificateText>& certificates, Http2Offer http2
)
{
    if (certificates.empty()) {
        return fail(ErrorCode::InvalidArgument, "a TLS listener needs at least one certificate");
    }
    auto state = std::make_unique<State>();
    state->http2 = http2;
    for (std::size_t at = 0; at < certificates.size(); ++at) {
        ContextPtr context(SSL_CTX_new(TLS_server_method()));
        if (!context) {
            return takeOpensslError("SSL_CTX_new");
        }
        applyDefaults(context.get());
        SSL_CTX_set_options(
            context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA
        );
        SSL_CTX_set_ciphersuites(context.get(), kServerSuites);
        SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF); // Tickets instead.
        SSL_CTX_set_num_tickets(context.get(), 1); // A second is made, sent and not used.
        auto used =
            useCertificate(context.get(), certificates[at].chainPem, certificates[at].keyPem);
        if (!used) {
            used.error().message = fmt::format("certificate {}: {}", at + 1, used.error().message);
            return tl::unexpected(std::move(used).error());
        }
        SSL_CTX_set_alpn_select_cb(context.get(), &State::chooseProtocol, state.get());
        for (const std::string& sni : certificates[at].snis) {
            state->byName.emplace(
                lowerCase(sni), context.get()
            ); // The first certificate of a name wins.
        }
        state->contexts.push_back(std::move(context));
    }
    SSL_CTX* first = state->contexts.front().get();
    SSL_CTX_set_tlsext_servername_callback(first, &State::chooseCertificate);
    SSL_CTX_set_tlsext_servername_arg(first, state.get());
    return std::shared_ptr<const ServerContext>(new ServerContext(std::move(state)));
}

struct ClientContext::State
{
    ContextPtr context;
    VerifyPeer verify = VerifyPeer::Yes;
};

ClientContext::ClientContext(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

ClientContext::~ClientContext() = default;

ssl_ctx_st* ClientContext::native() const { return m_state->context.get(); }

VerifyPeer ClientContext::verify() const { return m_state->verify; }

Result<std::shared_ptr<const ClientContext>> ClientContext::make(const ClientOptions& options)
{
    auto state = std::make_unique<State>();
    state->verify = options.verify;
    state->context.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX* context = state->context.get();
    if (context == nullptr) {
        return takeOpensslError("SSL_CTX_new");
    }
    applyDefaults(context);
    SSL_CTX_set_verify(
        context, options.verify == VerifyPeer::Yes ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr
    );
    if (options.caPem.empty()) {
        if (options.verify == VerifyPeer::Yes && SSL_CTX_set_default_verify_paths(context) != 1) {
            return takeOpensslError("the system's trusted certificates cannot be read");
        }
    } else {
        const BioPtr roots = readingBio(options.caPem);
        int count = 0;
        while (const X509Ptr root{PEM_read_bio_X509(roots.get(), nullptr, nullptr, nullptr)}) {
            count += X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root.get());
        }
        ERR_clear_error();
        if (count == 0) {
            return fail(ErrorCode::Tls, "the CA text holds no certificate");
        }
    }
    if (!options.certPem.empty()) {
        MESH_TRY_VOID(useCertificate(context, options.certPem, options.keyPem));
    }
    constexpr std::array<unsigned char, 3> kHttp2 = {2, 'h', '2'};
    if (options.http2 == Http2Offer::Yes
        && SSL_CTX_set_alpn_protos(context, kHttp2.data(), kHttp2.size()) != 0) {
        return takeOpensslError("SSL_CTX_set_alpn_protos");
    }
    return std::shared_ptr<const ClientContext>(new ClientContext(std::move(state)));
}

} // namespace mesh::tls
