#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/time.h"
#include "proxyengine/tls/certificate.h"

#include <string>
#include <string_view>

// How somebody gets a certificate of a mesh: a key that never leaves its place, a request that is
// carried to the mesh's authority, and what the authority answers.
namespace mesh::tls {

struct KeyAndRequest
{
    std::string keyPem; // P-256, not encrypted; a secret.
    std::string requestPem; // PKCS #10, signed with the key.
};

// A fresh key and a request with this common name. `identity`: a SPIFFE ID that becomes the one URI
// name; empty: none, and the common name becomes a DNS name.
// Errors: InvalidArgument for a name that is empty or above 64 bytes and for an identity that is no
// SPIFFE ID; Tls.
[[nodiscard]] Result<KeyAndRequest> makeRequest(std::string_view name, std::string_view identity);

// An authority that vouches for itself, with a fresh P-256 key.
// Errors: as makeRequest().
[[nodiscard]] Result<CertificateText> makeAuthority(
    std::string_view name, WallTime now, Duration lifetime
);

// The certificate that answers a request, for servers and clients: the request's key, common name
// and alternative names, nothing else of what it asks for. Valid from five minutes before `now`,
// because clocks differ.
// Errors: Tls when the request cannot be read or was not signed with its own key, and when the
// authority's key is not that of its certificate.
[[nodiscard]] Result<std::string> signRequest(
    std::string_view requestPem, const CertificateText& authority, WallTime now, Duration lifetime
);

} // namespace mesh::tls
