#include "proxyengine/tls/failure.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace mesh::tls {
namespace {

constexpr std::size_t kCount = static_cast<std::size_t>(Failure::Other) + 1;

// In the order of the enumeration.
constexpr std::array<std::string_view, kCount> kWords = {
    "none",
    "certificate_expired",
    "certificate_not_yet_valid",
    "name_mismatch",
    "unknown_authority",
    "self_signed",
    "certificate_revoked",
    "revocation_unknown",
    "chain_too_long",
    "bad_certificate",
    "foreign_identity",
    "no_certificate",
    "refused_by_peer",
    "no_shared_protocol",
    "not_tls",
    "closed",
    "failed",
};

constexpr std::array<std::string_view, kCount> kSentences = {
    "the connection was refused",
    "the upstream's certificate has expired",
    "the upstream's certificate is not valid yet",
    "the upstream's certificate names another host",
    "the upstream's certificate comes from an unknown authority",
    "the upstream's certificate is self-signed",
    "the upstream's certificate was revoked",
    "whether the upstream's certificate was revoked is not known",
    "the upstream's certificate chain is too long",
    "the upstream's certificate is not acceptable",
    "the upstream has no identity of this trust domain",
    "the upstream showed no certificate",
    "the upstream refused the TLS handshake",
    "the upstream shares no TLS version, cipher or protocol with us",
    "the upstream does not speak TLS",
    "the upstream closed during the TLS handshake",
    "the TLS handshake with the upstream failed",
};

} // namespace

std::string_view wordOf(Failure failure) { return kWords[static_cast<std::size_t>(failure)]; }

std::string_view sentenceOf(Failure failure)
{
    return kSentences[static_cast<std::size_t>(failure)];
}

Failure failureSaid(std::string_view sentence)
{
    const auto* const found = std::find(kSentences.begin() + 1, kSentences.end(), sentence);
    return found == kSentences.end() ? Failure::None
                                     : static_cast<Failure>(found - kSentences.begin());
}

std::span<const std::string_view> failureWords() { return std::span(kWords).subspan(1); }

} // namespace mesh::tls
