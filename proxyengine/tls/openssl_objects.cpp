#include "proxyengine/tls/openssl_objects.h"

#include "proxyengine/tls/openssl_error.h"

#include <openssl/err.h>

// OpenSSL's macros cast the old way.
#pragma GCC diagnostic ignored "-Wold-style-cast"

namespace mesh::tls {

BioPtr readingBio(std::string_view text)
{
    return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

int refusePassword(char* /*buffer*/, int /*size*/, int /*isWriting*/, void* /*user*/) noexcept
{
    return -1;
}

std::vector<X509Ptr> readCertificates(std::string_view pem)
{
    std::vector<X509Ptr> found;
    const BioPtr text = readingBio(pem);
    while (X509* certificate = PEM_read_bio_X509(text.get(), nullptr, &refusePassword, nullptr)) {
        found.emplace_back(certificate);
    }
    ERR_clear_error(); // The end of the text is an error to OpenSSL.
    return found;
}

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
    std::vector<X509Ptr> chain = readCertificates(chainPem);
    if (chain.empty()) {
        return fail(ErrorCode::Tls, "certificate cannot be used: it is not PEM");
    }
    if (SSL_CTX_use_certificate(context, chain.front().get()) != 1) {
        return takeOpensslError("certificate cannot be used");
    }
    for (std::size_t at = 1; at < chain.size(); ++at) {
        if (SSL_CTX_add0_chain_cert(context, chain[at].get()) != 1) {
            return takeOpensslError("certificate chain cannot be used");
        }
        static_cast<void>(chain[at].release()); // Owned by the context now.
    }

    const BioPtr keyText = readingBio(keyPem);
    const KeyPtr key(PEM_read_bio_PrivateKey(keyText.get(), nullptr, &refusePassword, nullptr));
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

Result<void> trust(X509_STORE* store, std::string_view caPem)
{
    const std::vector<X509Ptr> authorities = readCertificates(caPem);
    for (const X509Ptr& authority : authorities) {
        if (X509_STORE_add_cert(store, authority.get()) != 1) {
            return takeOpensslError("the CA certificate cannot be used");
        }
    }
    if (authorities.empty()) {
        return fail(ErrorCode::Tls, "the CA text holds no certificate");
    }
    return {};
}

Failure failureOf(int verifyError)
{
    switch (verifyError) {
    case X509_V_OK:
        return Failure::None;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return Failure::Expired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return Failure::NotYetValid;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return Failure::NameMismatch;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return Failure::UnknownAuthority;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return Failure::SelfSigned;
    case X509_V_ERR_CERT_REVOKED:
        return Failure::Revoked;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
        return Failure::RevocationUnknown;
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
        return Failure::ChainTooLong;
    default:
        return Failure::BadCertificate;
    }
}

std::optional<SpiffeId> identityOf(X509* certificate)
{
    const NamesPtr names(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)
    ));
    std::optional<SpiffeId> identity;
    int uris = 0;
    for (int at = 0; names && at < sk_GENERAL_NAME_num(names.get()); ++at) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), at);
        if (name->type != GEN_URI) {
            continue;
        }
        ++uris;
        const ASN1_IA5STRING* text = name->d.ia5;
        const void* bytes = ASN1_STRING_get0_data(text);
        identity = parseSpiffeId(
            {static_cast<const char*>(bytes), static_cast<std::size_t>(ASN1_STRING_length(text))}
        );
    }
    if (uris != 1 || X509_check_ca(certificate) != 0) {
        return std::nullopt;
    }
    return identity;
}

} // namespace mesh::tls
