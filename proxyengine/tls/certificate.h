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
};

// What people want to know about a certificate.
struct CertificateFacts
{
    std::string subject; // RFC 2253 text.
    std::vector<std::string> names; // DNS and URI subject alternative names.
    WallTime notBefore{};
    WallTime notAfter{};
};

// Errors: Tls when the text is not PEM, holds no certificate, or the key does not belong to it
//         ("certificate does not match key").
[[nodiscard]] Result<CertificateFacts> checkCertificate(const CertificateText& text);

// A fresh P-256 certificate for this name, signed by itself, valid for `lifetime` from `now`.
// For a node that is told to speak TLS before it was given a certificate, and for tests.
[[nodiscard]] Result<CertificateText> makeSelfSigned(
    std::string_view name, WallTime now, Duration lifetime
);

} // namespace mesh::tls
