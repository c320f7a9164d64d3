#include "proxyengine/base/hash.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/tls/context.h"
#include "proxyengine/tls/name_pattern.h"
#include "proxyengine/tls/openssl_error.h"
#include "proxyengine/tls/openssl_objects.h"
#include "proxyengine/tls/stream.h"
#include "proxyengine/tls/tickets.h"
#include "proxyengine/tls/verifier.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

// OpenSSL's macros cast the old way.
#pragma GCC diagnostic ignored "-Wold-style-cast"

namespace mesh::tls {
namespace {

using NameListPtr = std::unique_ptr<STACK_OF(X509_NAME), void (*)(STACK_OF(X509_NAME)*)>;

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

// Of TLS 1.3, in order of preference. SHA-256 has instructions of its own in processors, SHA-384
// has not, and its digests are half as large in every idle connection.
constexpr const char* kServerSuites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

// Of TLS 1.2: forward secret and authenticated, or nothing. CBC suites (Lucky 13) and exchanges by
// RSA are what clients of before 2013 need.
constexpr const char* kServerCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

// X25519 first: the cheapest to compute, and what clients send a key share of unasked.
constexpr const char* kGroups = "X25519:P-256:P-384";

std::string_view offerOf(Http2Offer http2)
{
    switch (http2) {
    case Http2Offer::No:
        return kOfferHttp1;
    case Http2Offer::Yes:
        return kOfferBoth;
    case Http2Offer::Only:
        break;
    }
    return kOfferHttp2;
}

const unsigned char* bytesOf(std::string_view text)
{
    return static_cast<const unsigned char*>(static_cast<const void*>(text.data()));
}

int acceptAnything(int /*isGood*/, X509_STORE_CTX* /*verification*/) noexcept { return 1; }

NameListPtr namesOf(std::string_view caPem)
{
    NameListPtr names(sk_X509_NAME_new_null(), [](STACK_OF(X509_NAME) * list) {
        sk_X509_NAME_pop_free(list, X509_NAME_free);
    });
    for (const X509Ptr& authority : readCertificates(caPem)) {
        sk_X509_NAME_push(names.get(), X509_NAME_dup(X509_get_subject_name(authority.get())));
    }
    return names;
}

// Seals (`isSealing`) or opens a ticket with this key.
bool prepareTicket(
    const TicketKeys::Key& key,
    unsigned char* vector,
    EVP_CIPHER_CTX* cipher,
    EVP_MAC_CTX* mac,
    bool isSealing
)
{
    std::array<char, 7> digest = {'S', 'H', 'A', '2', '5', '6', '\0'};
    std::array<unsigned char, 32> macKey = key.mac;
    const std::array<OSSL_PARAM, 3> parameters = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, macKey.data(), macKey.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_end()};
    const bool isDone =
        EVP_MAC_CTX_set_params(mac, parameters.data()) == 1
        && EVP_CipherInit_ex(
               cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), vector, isSealing ? 1 : 0
           ) == 1;
    OPENSSL_cleanse(macKey.data(), macKey.size());
    return isDone;
}

int onTicket(
    SSL* connection,
    unsigned char* name,
    unsigned char* vector,
    EVP_CIPHER_CTX* cipher,
    EVP_MAC_CTX* mac,
    int isSealing
) noexcept
{
    const TicketKeys* keys = TlsStream::ticketsOf(connection);
    if (keys == nullptr) {
        return 0;
    }
    if (isSealing == 1) {
        const TicketKeys::Key& key = keys->current();
        std::ranges::copy(key.name, name);
        return RAND_bytes(vector, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1
                       && prepareTicket(key, vector, cipher, mac, true)
                   ? 1
                   : -1;
    }
    if (std::memcmp(name, keys->current().name.data(), keys->current().name.size()) == 0) {
        // Tickets of TLS 1.3 are used once: without a new one every second connection would pay
        // for a full handshake.
        const int isOpened = SSL_version(connection) >= TLS1_3_VERSION ? 2 : 1;
        return prepareTicket(keys->current(), vector, cipher, mac, false) ? isOpened : -1;
    }
    if (keys->previous()
        && std::memcmp(name, keys->previous()->name.data(), keys->previous()->name.size()) == 0) {
        return prepareTicket(*keys->previous(), vector, cipher, mac, false) ? 2 : -1; // Renew it.
    }
    return 0;
}

} // namespace

struct ServerContext::State
{
    struct Wish
    {
        std::vector<NamePattern> snis; // Empty: everybody.
        NameListPtr names;
    };

    std::vector<ContextPtr> contexts; // The first is the one handshakes begin with.
    std::map<std::string, SSL_CTX*, std::less<>> byName;
    Http2Offer http2 = Http2Offer::No;
    std::vector<Wish> wishes;
    std::optional<MeshTrust> mesh;
    std::shared_ptr<const PeerVerifier> members;
    std::shared_ptr<const TicketKeys> tickets;

    // Asks for a certificate when a route that wants one can be reached under this name. The names
    // of authorities are sent only when each of those routes says some; otherwise a client would
    // believe that no other will do.
    void wishFor(SSL* connection, std::string_view name) const
    {
        bool isAsked = false;
        bool areNamesKnown = true;
        NameListPtr names = namesOf({});
        for (const Wish& wish : wishes) {
            const bool isMeant = wish.snis.empty()
                                 || std::ranges::any_of(wish.snis, [name](const NamePattern& each) {
                                        return each.matches(name);
                                    });
            if (!isMeant) {
                continue;
            }
            isAsked = true;
            areNamesKnown = areNamesKnown && sk_X509_NAME_num(wish.names.get()) > 0;
            for (int at = 0; at < sk_X509_NAME_num(wish.names.get()); ++at) {
                sk_X509_NAME_push(
                    names.get(), X509_NAME_dup(sk_X509_NAME_value(wish.names.get(), at))
                );
            }
        }
        if (!isAsked) {
            return;
        }
        SSL_set_verify(connection, SSL_VERIFY_PEER, &acceptAnything);
        SSL_set_options(connection, SSL_OP_NO_TICKET);
        SSL_set_num_tickets(connection, 0);
        if (areNamesKnown) {
            SSL_set0_CA_list(connection, names.release());
        }
    }

    static int chooseCertificate(SSL* connection, int* /*alert*/, void* argument) noexcept
    {
        const auto* state = static_cast<const State*>(argument);
        const char* name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
        const std::string wanted = name == nullptr ? std::string() : comparable(name);
        if (!state->wishes.empty()) {
            state->wishFor(connection, wanted);
        }
        if (name == nullptr) {
            return SSL_TLSEXT_ERR_NOACK;
        }
        for (const std::string& candidate : candidatesOf(wanted)) {
            if (const auto found = state->byName.find(candidate); found != state->byName.end()) {
                SSL_set_SSL_CTX(connection, found->second);
                break;
            }
        }
        return SSL_TLSEXT_ERR_OK; // Kept with the session, so that routes see it when it is
                                  // resumed.
    }

    static int chooseProtocol(
        SSL* connection,
        const unsigned char** chosen,
        unsigned char* chosenLength,
        const unsigned char* offered,
        unsigned int offeredLength,
        void* argument
    ) noexcept
    {
        if (TlsStream::alpnOf(connection) == AlpnUse::Ignored) {
            return SSL_TLSEXT_ERR_NOACK;
        }
        const auto* state = static_cast<const State*>(argument);
        const std::string_view ours =
            offerOf(TlsStream::offerOf(connection).value_or(state->http2));
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

    Result<void> add(const CertificateText& certificate);
    Result<void> demandMesh(SSL_CTX* context) const;
};

Result<void> ServerContext::State::demandMesh(SSL_CTX* context) const
{
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    return trust(SSL_CTX_get_cert_store(context), mesh->caPem);
}

Result<void> ServerContext::State::add(const CertificateText& certificate)
{
    ContextPtr made(SSL_CTX_new(TLS_server_method()));
    SSL_CTX* context = made.get();
    if (context == nullptr) {
        return takeOpensslError("SSL_CTX_new");
    }
    applyDefaults(context);
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    if (SSL_CTX_set_ciphersuites(context, kServerSuites) != 1
        || SSL_CTX_set_cipher_list(context, kServerCiphers) != 1
        || SSL_CTX_set1_groups_list(context, kGroups) != 1) {
        return takeOpensslError("ciphers cannot be set");
    }
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); // Tickets instead.
    SSL_CTX_set_num_tickets(context, 1); // A second is made, sent and not used.
    SSL_CTX_set_timeout(
        context, std::chrono::duration_cast<std::chrono::seconds>(kTicketLifetime).count()
    );
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &onTicket);
    MESH_TRY_VOID(useCertificate(context, certificate.chainPem, certificate.keyPem));
    if (!certificate.altChainPem.empty()) {
        MESH_TRY_VOID(useCertificate(context, certificate.altChainPem, certificate.altKeyPem));
    }
    if (mesh) {
        MESH_TRY_VOID(demandMesh(context));
    }
    SSL_CTX_set_alpn_select_cb(context, &State::chooseProtocol, this);
    for (const std::string& sni : certificate.snis) {
        byName.emplace(comparable(sni), context); // The first certificate of a name wins.
    }
    contexts.push_back(std::move(made));
    return {};
}

ServerContext::ServerContext(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

ServerContext::~ServerContext() = default;

ssl_ctx_st* ServerContext::native() const { return m_state->contexts.front().get(); }

Http2Offer ServerContext::http2() const { return m_state->http2; }

const TicketKeys& ServerContext::ownTickets() const { return *m_state->tickets; }

const std::optional<MeshTrust>& ServerContext::mesh() const { return m_state->mesh; }

const std::shared_ptr<const PeerVerifier>& ServerContext::members() const
{
    return m_state->members;
}

Result<std::shared_ptr<const ServerContext>> ServerContext::make(
    const std::vector<CertificateText>& certificates, Http2Offer http2
)
{
    ServerOptions options;
    options.http2 = http2;
    return make(certificates, options);
}

Result<std::shared_ptr<const ServerContext>> ServerContext::make(
    const std::vector<CertificateText>& certificates, const ServerOptions& options
)
{
    if (certificates.empty()) {
        return fail(ErrorCode::InvalidArgument, "a TLS listener needs at least one certificate");
    }
    auto state = std::make_unique<State>();
    state->http2 = options.http2;
    state->mesh = options.mesh;
    if (options.mesh) {
        VerifierOptions members;
        members.caPem = options.mesh->caPem;
        MESH_TRY(state->members, PeerVerifier::make(members));
    }
    MESH_TRY(state->tickets, TicketKeys::make());
    std::string policy; // What a session was made under; another policy does not resume it.
    for (const CertificateWish& wish : options.wishes) {
        State::Wish& added = state->wishes.emplace_back(State::Wish{{}, namesOf(wish.caPem)});
        for (const std::string& sni : wish.snis) {
            added.snis.emplace_back(sni);
        }
        policy += fmt::format("{}\n", fmt::join(wish.snis, " "));
    }
    for (std::size_t at = 0; at < certificates.size(); ++at) {
        auto added = state->add(certificates[at]);
        if (!added) {
            added.error().message =
                fmt::format("certificate {}: {}", at + 1, added.error().message);
            return tl::unexpected(std::move(added).error());
        }
    }
    const std::string digest = sha256Hex(policy).substr(0, SSL_MAX_SID_CTX_LENGTH);
    for (const ContextPtr& context : state->contexts) {
        SSL_CTX_set_session_id_context(
            context.get(), bytesOf(digest), static_cast<unsigned int>(digest.size())
        );
    }
    SSL_CTX* first = state->contexts.front().get();
    SSL_CTX_set_tlsext_servername_callback(first, &State::chooseCertificate);
    SSL_CTX_set_tlsext_servername_arg(first, state.get());
    return std::shared_ptr<const ServerContext>(new ServerContext(std::move(state)));
}

} // namespace mesh::tls
