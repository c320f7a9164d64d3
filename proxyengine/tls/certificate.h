#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/time.h"

#include <string>
#include <string_view>
#include <vector>

namespace mesh::tls {

// A certificate chain and its key as PEM text, with the server names it is chosen for.
struct CertificateText
{
    std::string chainPem; // Leaf first.
    std::string keyPem;
    std::vector<std::string> snis; // "a.b.c", "*.b.c", "a.b.*" or "*". Empty: the default only.
    std::string altChainPem; // A second pair of another type (RSA and ECDSA); empty: none.
    std::string altKeyPem;
};

// What people want to know about a certificate.
struct CertificateFacts
{
    std::string subject; // RFC 2253 text.
    std::vector<std::string> names; // DNS and URI subject alternative names.
    std::string issuer = {}; // RFC 2253 text.
    std::vector<std::string> addresses = {}; // IP subject alternative names.
    WallTime notBefore{};
    WallTime notAfter{};
    bool isAuthority = false; // Its basic constraints say CA:TRUE.
    std::string identity; // "spiffe://shop.local/cart"; empty: it has none.
    int keyType = 0; // RSA, EC, ...: only good for telling whether two are of one type.
};

// Errors: Tls when the text is not PEM, holds no certificate, or the key does not belong to it
//         ("certificate does not match key").
[[nodiscard]] Result<CertificateFacts> checkCertificate(const CertificateText& text);

// Every certificate of a PEM text. Errors: Tls when there is none.
[[nodiscard]] Result<std::vector<CertificateFacts>> readAuthorities(std::string_view pem);

// Errors: Tls when the text holds no certificate revocation list.
[[nodiscard]] Result<void> checkRevocationList(std::string_view pem);

// A fresh P-256 certificate for this name, signed by itself, valid for `lifetime` from `now`.
// For a node that is told to speak TLS before it was given a certificate, and for tests.
[[nodiscard]] Result<CertificateText> makeSelfSigned(
    std::string_view name, WallTime now, Duration lifetime
);

} // namespace mesh::tls
