#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace mesh::tls {

// Why a handshake failed, or why a peer's certificate is not taken: a closed set, so that it can be
// counted, searched for and explained.
enum class Failure : std::uint8_t {
    None,
    Expired,
    NotYetValid,
    NameMismatch, // Another host than the one that was meant.
    UnknownAuthority, // No chain to a trusted authority.
    SelfSigned,
    Revoked,
    RevocationUnknown, // No list of the authority, or one that is out of date.
    ChainTooLong,
    BadCertificate, // Wrong purpose, weak key, bad signature, not readable.
    ForeignIdentity, // No identity, more than one, or one of another trust domain.
    NoCertificate, // The peer was asked for one and showed none.
    PeerRefused, // The peer ended the handshake by an alert.
    NoSharedProtocol, // No version, cipher or application protocol that both know.
    NotTls, // The peer does not speak TLS here.
    Closed, // The peer went away in the middle.
    Other,
};

// "certificate_expired": for metrics and events.
[[nodiscard]] std::string_view wordOf(Failure failure);

// "the upstream's certificate has expired": for logs and for people. The peer is an upstream.
[[nodiscard]] std::string_view sentenceOf(Failure failure);

// The failure whose sentence this is; None when it is none of them.
[[nodiscard]] Failure failureSaid(std::string_view sentence);

// All words, None left out.
[[nodiscard]] std::span<const std::string_view> failureWords();

} // namespace mesh::tls
