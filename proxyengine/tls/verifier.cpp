#include "proxyengine/tls/verifier.h"

#include "proxyengine/tls/openssl_error.h"
#include "proxyengine/tls/openssl_objects.h"

#include <openssl/err.h>

// OpenSSL's macros cast the old way.
#pragma GCC diagnostic ignored "-Wold-style-cast"

namespace mesh::tls {
namespace {

using VerificationPtr = std::unique_ptr<X509_STORE_CTX, FreeWith<X509_STORE_CTX_free>>;

// A list that is missing or out of date is the authority's fault, not the client's.
int forgiveAuthorities(int isGood, X509_STORE_CTX* verification) noexcept
{
    if (isGood == 1) {
        return 1;
    }
    switch (X509_STORE_CTX_get_error(verification)) {
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
        X509_STORE_CTX_set_error(verification, X509_V_OK);
        return 1;
    default:
        return 0;
    }
}

Result<bool> addLists(X509_STORE* store, std::string_view crlPem)
{
    const BioPtr text = readingBio(crlPem);
    bool hasAny = false;
    for (;;) {
        const CrlPtr list(PEM_read_bio_X509_CRL(text.get(), nullptr, &refusePassword, nullptr));
        if (!list) {
            break;
        }
        if (X509_STORE_add_crl(store, list.get()) != 1) {
            return takeOpensslError("the revocation list cannot be used");
        }
        hasAny = true;
    }
    ERR_clear_error(); // The end of the text is an error to OpenSSL.
    if (!hasAny && !crlPem.empty()) {
        return fail(ErrorCode::Tls, "the text holds no revocation list");
    }
    return hasAny;
}

} // namespace

struct PeerVerifier::State
{
    StorePtr store;
    RevocationCheck revocation = RevocationCheck::Skip;
    std::optional<int> depth;
    bool acceptsPartialChain = false;
};

PeerVerifier::PeerVerifier(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

PeerVerifier::~PeerVerifier() = default;

Result<std::shared_ptr<const PeerVerifier>> PeerVerifier::make(const VerifierOptions& options)
{
    ERR_clear_error();
    auto state = std::make_unique<State>();
    state->store.reset(X509_STORE_new());
    if (!state->store) {
        return takeOpensslError("X509_STORE_new");
    }
    MESH_TRY_VOID(trust(state->store.get(), options.caPem));
    MESH_TRY(const bool hasLists, addLists(state->store.get(), options.crlPem));
    const bool isIdle = options.revocation == RevocationCheck::IgnoreCaError && !hasLists;
    state->revocation = isIdle ? RevocationCheck::Skip : options.revocation;
    state->depth = options.depth;
    state->acceptsPartialChain = options.acceptsPartialChain;
    return std::shared_ptr<const PeerVerifier>(new PeerVerifier(std::move(state)));
}

Failure PeerVerifier::verify(x509_st* leaf, stack_st_X509* chain, WallTime now) const
{
    if (leaf == nullptr) {
        return Failure::NoCertificate;
    }
    ERR_clear_error();
    const VerificationPtr verification(X509_STORE_CTX_new());
    if (!verification
        || X509_STORE_CTX_init(verification.get(), m_state->store.get(), leaf, chain) != 1) {
        ERR_clear_error();
        return Failure::Other;
    }
    X509_STORE_CTX_set_purpose(verification.get(), X509_PURPOSE_SSL_CLIENT);
    X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(verification.get());
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
    X509_VERIFY_PARAM_set_time(parameters, seconds.count());
    if (m_state->depth) {
        X509_VERIFY_PARAM_set_depth(parameters, *m_state->depth);
    }
    if (m_state->acceptsPartialChain) {
        X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
    }
    if (m_state->revocation != RevocationCheck::Skip) {
        X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    }
    if (m_state->revocation == RevocationCheck::IgnoreCaError) {
        X509_STORE_CTX_set_verify_cb(verification.get(), &forgiveAuthorities);
    }
    const bool isGood = X509_verify_cert(verification.get()) == 1;
    const int error = X509_STORE_CTX_get_error(verification.get());
    ERR_clear_error();
    if (isGood) {
        return Failure::None;
    }
    return error == X509_V_OK ? Failure::Other : failureOf(error);
}

} // namespace mesh::tls
