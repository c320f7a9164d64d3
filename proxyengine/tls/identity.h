#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mesh::tls {

// A SPIFFE ID, spiffe://TRUST_DOMAIN/PATH.
struct SpiffeId
{
    std::string trustDomain;
    std::string path; // With its first slash; empty: the trust domain itself.
    friend bool operator==(const SpiffeId&, const SpiffeId&) = default;

    [[nodiscard]] std::string toText() const { return "spiffe://" + trustDomain + path; }
};

// Nothing when the text is not a SPIFFE ID: scheme, a trust domain of [a-z0-9.-_] up to 255 bytes,
// segments of [A-Za-z0-9.-_] that are neither empty nor "." nor "..", no trailing slash, 2048 bytes
// at most. (SPIFFE-ID, sections 2 and 2.3.)
[[nodiscard]] std::optional<SpiffeId> parseSpiffeId(std::string_view text);

} // namespace mesh::tls
