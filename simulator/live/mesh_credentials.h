#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/time.h"
#include "proxyengine/model/document.h"

#include <map>
#include <set>
#include <string>

namespace mesh::simulator {

// Certificates for a mesh that is played under mutual TLS: an authority of its own, and for every
// node and workload one that is good and one whose time is over. Made for one run and thrown away
// with it.
class MeshCredentials
{
public:
    // Errors: those of tls::makeAuthority(), makeRequest() and signRequest().
    [[nodiscard]] static Result<MeshCredentials> make(
        const model::Document& document, WallTime now
    );

    // The document under strict mutual TLS, whatever it said. These workloads show a certificate
    // that has expired.
    [[nodiscard]] model::Document secured(
        model::Document document, const std::set<std::string>& expired
    ) const;

private:
    struct Pair
    {
        std::string keyPem;
        std::string goodPem;
        std::string expiredPem;
    };

    MeshCredentials() = default;
    [[nodiscard]] static Result<Pair> makePair(
        const std::string& name,
        const std::string& identity,
        const std::pair<std::string, std::string>& authority,
        WallTime now
    );

    std::string m_trustDomain;
    std::string m_authorityPem;
    std::map<std::string, Pair> m_nodes;
    std::map<std::string, Pair> m_workloads;
};

} // namespace mesh::simulator
