#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/time.h"
#include "proxyengine/tls/failure.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

struct x509_st; // OpenSSL's X509.
struct stack_st_X509;

namespace mesh::tls {

enum class RevocationCheck : std::uint8_t {
    Skip, // No list is looked at.
    IgnoreCaError, // Who is on a list is refused; a list that is missing or too old is no reason.
    Strict, // Every authority of the chain must have a list that is in force.
};

struct VerifierOptions
{
    std::string caPem; // Who may vouch.
    std::string crlPem; // Their revocation lists, as many as there are.
    RevocationCheck revocation = RevocationCheck::IgnoreCaError;
    std::optional<int> depth; // Most authorities between the certificate and the root.
    bool acceptsPartialChain = false; // An intermediate of `caPem` is enough.
};

// Judges the certificates that clients show, after their handshakes. Threads: any.
class PeerVerifier
{
public:
    // Errors: Tls when a text cannot be read.
    [[nodiscard]] static Result<std::shared_ptr<const PeerVerifier>> make(
        const VerifierOptions& options
    );
    PeerVerifier(const PeerVerifier&) = delete;
    PeerVerifier& operator=(const PeerVerifier&) = delete;
    ~PeerVerifier();

    // `leaf`: null when there is none; `chain`: what else the peer sent, may be null.
    [[nodiscard]] Failure verify(x509_st* leaf, stack_st_X509* chain, WallTime now) const;

private:
    struct State;
    explicit PeerVerifier(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

} // namespace mesh::tls
