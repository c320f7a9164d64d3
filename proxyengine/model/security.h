#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Who is trusted and who must prove it: authorities and the plugins that ask for certificates.
namespace mesh::model {

// Whose signature on a certificate is believed.
struct CaCertificate
{
    std::optional<std::string> id;
    std::string cert; // Exactly one, PEM.
    std::optional<std::string> certDigest; // SHA-256 of the certificate; read, not checked.
    std::optional<std::string> crl; // Its revocation list, PEM; an addition to the gateway format.
    std::vector<std::string> tags;
    std::optional<std::int64_t> createdAt;
    std::optional<std::int64_t> updatedAt;
    friend bool operator==(const CaCertificate&, const CaCertificate&) = default;
};

enum class PluginName : std::uint8_t { MtlsAuth };

enum class RevocationMode : std::uint8_t { Skip, IgnoreCaError, Strict };

// Settings of mtls-auth, as far as this version knows them.
struct MtlsAuth
{
    std::vector<std::string> caCertificates; // Ids; whoever they vouch for may come in.
    bool skipConsumerLookup = false;
    bool sendCaDn = false; // Tells clients in the handshake which authorities are believed.
    bool allowPartialChain = false; // An intermediate authority is enough.
    RevocationMode revocationCheckMode = RevocationMode::IgnoreCaError;
    friend bool operator==(const MtlsAuth&, const MtlsAuth&) = default;
};

// Of a service, a route, or everything. The most specific one of a name runs, no other.
struct Plugin
{
    std::optional<std::string> id;
    PluginName name = PluginName::MtlsAuth;
    std::optional<std::string> instanceName;
    bool enabled = true;
    MtlsAuth config;
    std::optional<std::string> service; // Only in the list at the top: name or id.
    std::optional<std::string> route; // The same.
    std::vector<std::string> tags;
    std::optional<std::int64_t> createdAt;
    std::optional<std::int64_t> updatedAt;
    friend bool operator==(const Plugin&, const Plugin&) = default;
};

} // namespace mesh::model
