#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/handles.h"
#include "proxyengine/tls/certificate.h"
#include "proxyengine/tls/failure.h"
#include "proxyengine/tls/identity.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

// What the sources of this folder share; no header of ours includes it.
namespace mesh::tls {

using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free>>;
using X509Ptr = std::unique_ptr<X509, FreeWith<X509_free>>;
using CrlPtr = std::unique_ptr<X509_CRL, FreeWith<X509_CRL_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using ContextPtr = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;
using StorePtr = std::unique_ptr<X509_STORE, FreeWith<X509_STORE_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;

// Protocols as ALPN lists them (RFC 7301 section 3.1), the preferred one first.
inline constexpr std::string_view kOfferBoth = "\x02h2\x08http/1.1";
inline constexpr std::string_view kOfferHttp1 = "\x08http/1.1";
inline constexpr std::string_view kOfferHttp2 = "\x02h2";

[[nodiscard]] BioPtr readingBio(std::string_view text);

// For readers of PEM: an encrypted text is an error. OpenSSL's own callback asks at the terminal.
int refusePassword(char* buffer, int size, int isWriting, void* user) noexcept;

// All certificates of a PEM text, in order; none when there is none.
[[nodiscard]] std::vector<X509Ptr> readCertificates(std::string_view pem);

// Gives the context a chain (leaf first) and its key; a second pair of another type stands beside
// the first. Errors: Tls with the reason.
[[nodiscard]] Result<void> useCertificate(
    SSL_CTX* context, std::string_view chainPem, std::string_view keyPem
);

// Trusts these authorities. Errors: Tls when the text holds no certificate.
[[nodiscard]] Result<void> trust(X509_STORE* store, std::string_view caPem);

// What every context has: no old versions, no compression, no renegotiation, and buffers that an
// idle connection does not hold.
void applyDefaults(SSL_CTX* context);

// What a verification error (X509_V_ERR_...) means.
[[nodiscard]] Failure failureOf(int verifyError);

[[nodiscard]] CertificateFacts factsOf(X509* certificate);

// The identity of a certificate: exactly one URI name, a SPIFFE ID, in a certificate that is no
// authority.
[[nodiscard]] std::optional<SpiffeId> identityOf(X509* certificate);

} // namespace mesh::tls
