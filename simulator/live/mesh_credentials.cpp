#include "simulator/live/mesh_credentials.h"

#include "proxyengine/tls/enrolment.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>

namespace mesh::simulator {

namespace {

constexpr const char* kTrustDomain = "rehearsal.local"; // Where the document names none.
constexpr const char* kAuthorityId = "rehearsal-authority";
constexpr Duration kCredentialsLife = std::chrono::hours(24); // Longer than any run.
constexpr std::size_t kCommonNameMax = 64; // RFC 5280, ub-common-name.

model::Certificate certificateOf(std::string id, const std::string& chain, const std::string& key)
{
    model::Certificate certificate;
    certificate.id = std::move(id);
    certificate.cert = chain;
    certificate.key = key;
    return certificate;
}

} // namespace

Result<MeshCredentials::Pair> MeshCredentials::makePair(
    const std::string& name,
    const std::string& identity,
    const std::pair<std::string, std::string>& authority,
    WallTime now
)
{
    tls::CertificateText issuer;
    issuer.chainPem = authority.first;
    issuer.keyPem = authority.second;
    MESH_TRY(
        const tls::KeyAndRequest own, tls::makeRequest(name.substr(0, kCommonNameMax), identity)
    );
    Pair pair;
    pair.keyPem = own.keyPem;
    MESH_TRY(pair.goodPem, tls::signRequest(own.requestPem, issuer, now, kCredentialsLife));
    const auto before = std::chrono::duration_cast<WallTime::duration>(kCredentialsLife);
    MESH_TRY(
        pair.expiredPem,
        tls::signRequest(own.requestPem, issuer, now - before, kCredentialsLife / 2)
    );
    return pair;
}

Result<MeshCredentials> MeshCredentials::make(const model::Document& document, WallTime now)
{
    MeshCredentials credentials;
    credentials.m_trustDomain =
        document.mesh ? document.mesh->trustDomain.value_or(kTrustDomain) : kTrustDomain;
    const auto before = std::chrono::duration_cast<WallTime::duration>(kCredentialsLife);
    MESH_TRY(
        const tls::CertificateText authority,
        tls::makeAuthority("Rehearsal", now - before, 3 * kCredentialsLife)
    );
    credentials.m_authorityPem = authority.chainPem;
    const std::pair issuer{authority.chainPem, authority.keyPem};
    const auto identity = [&credentials](std::string_view kind, std::string_view name) {
        return fmt::format("spiffe://{}/{}/{}", credentials.m_trustDomain, kind, name);
    };
    for (const model::Node& node : document.nodes) {
        MESH_TRY(Pair pair, makePair(node.name, identity("node", node.name), issuer, now));
        credentials.m_nodes.emplace(node.name, std::move(pair));
    }
    for (const model::Workload& workload : document.workloads) {
        MESH_TRY(Pair pair, makePair(workload.name, identity("sa", workload.service), issuer, now));
        credentials.m_workloads.emplace(workload.name, std::move(pair));
    }
    return credentials;
}

model::Document MeshCredentials::secured(
    model::Document document, const std::set<std::string>& expired
) const
{
    model::MeshSettings mesh = document.mesh.value_or(model::MeshSettings());
    mesh.mtls = model::MtlsMode::Strict;
    mesh.trustDomain = m_trustDomain;
    mesh.caCertificates = {kAuthorityId};
    document.mesh = std::move(mesh);
    std::erase_if(document.caCertificates, [](const model::CaCertificate& each) {
        return each.id == kAuthorityId;
    });
    model::CaCertificate authority;
    authority.id = kAuthorityId;
    authority.cert = m_authorityPem;
    document.caCertificates.push_back(std::move(authority));
    std::erase_if(document.certificates, [](const model::Certificate& each) {
        return each.id && each.id->starts_with("rehearsal-");
    });
    for (model::Node& node : document.nodes) {
        const auto own = m_nodes.find(node.name);
        if (own != m_nodes.end()) {
            node.certificate = fmt::format("rehearsal-node-{}", node.name);
            document.certificates.push_back(
                certificateOf(*node.certificate, own->second.goodPem, own->second.keyPem)
            );
        }
    }
    for (model::Workload& workload : document.workloads) {
        const auto own = m_workloads.find(workload.name);
        if (own != m_workloads.end()) {
            const Pair& pair = own->second;
            workload.certificate = fmt::format("rehearsal-{}", workload.name);
            document.certificates.push_back(certificateOf(
                *workload.certificate,
                expired.contains(workload.name) ? pair.expiredPem : pair.goodPem,
                pair.keyPem
            ));
        }
    }
    return document;
}

} // namespace mesh::simulator
