#include "proxyengine/proxy/tls_contexts.h"

#include <algorithm>
#include <utility>

namespace mesh::proxy {
namespace {

tls::ClientOptions optionsOf(const config::UpstreamTlsPlan& plan)
{
    tls::ClientOptions options;
    options.verify = plan.isVerified ? tls::VerifyPeer::Yes : tls::VerifyPeer::No;
    options.caPem = plan.caPem;
    options.certPem = plan.certPem;
    options.keyPem = plan.keyPem;
    options.verifyDepth = plan.verifyDepth;
    options.trustDomain = plan.trustDomain;
    if (plan.offersHttp2) {
        options.http2 = plan.needsHttp2 ? tls::Http2Offer::Only : tls::Http2Offer::Yes;
    }
    return options;
}

} // namespace

Result<std::vector<std::shared_ptr<const tls::ClientContext>>> UpstreamContexts::makeAll(
    const std::vector<config::UpstreamTlsPlan>& plans
)
{
    std::vector<std::shared_ptr<const tls::ClientContext>> contexts;
    std::map<std::string, std::shared_ptr<const tls::ClientContext>> byKey;
    for (const config::UpstreamTlsPlan& plan : plans) {
        std::shared_ptr<const tls::ClientContext>& context = byKey[plan.key];
        if (const auto known = m_byKey.find(plan.key); known != m_byKey.end()) {
            context = known->second;
        }
        if (context == nullptr) {
            MESH_TRY(context, tls::ClientContext::make(optionsOf(plan)));
        }
        contexts.push_back(context);
    }
    m_byKey = std::move(byKey);
    return contexts;
}

Result<std::vector<std::shared_ptr<const tls::PeerVerifier>>> makeVerifiers(
    const config::Snapshot& snapshot
)
{
    std::vector<std::shared_ptr<const tls::PeerVerifier>> verifiers;
    for (const config::MtlsAuthPlan& plan : snapshot.mtlsAuths) {
        tls::VerifierOptions options;
        options.caPem = plan.caPem;
        options.crlPem = plan.crlPem;
        options.acceptsPartialChain = plan.acceptsPartialChain;
        switch (plan.revocation) {
        case model::RevocationMode::Skip:
            options.revocation = tls::RevocationCheck::Skip;
            break;
        case model::RevocationMode::IgnoreCaError:
            options.revocation = tls::RevocationCheck::IgnoreCaError;
            break;
        case model::RevocationMode::Strict:
            options.revocation = tls::RevocationCheck::Strict;
            break;
        }
        MESH_TRY(auto verifier, tls::PeerVerifier::make(options));
        verifiers.push_back(std::move(verifier));
    }
    return verifiers;
}

Result<std::vector<std::shared_ptr<const tls::ServerContext>>> makeMeshServers(
    const config::Snapshot& snapshot
)
{
    std::vector<std::shared_ptr<const tls::ServerContext>> servers(snapshot.listeners.size());
    for (std::size_t at = 0; at < servers.size(); ++at) {
        if (const auto& plan = snapshot.listeners[at].mesh) {
            tls::ServerOptions options;
            options.http2 = tls::Http2Offer::Yes;
            options.mesh = tls::MeshTrust{plan->caPem, plan->trustDomain};
            MESH_TRY(
                servers[at],
                tls::ServerContext::make({{plan->certPem, plan->keyPem, {}, {}, {}}}, options)
            );
        }
    }
    return servers;
}

Result<std::shared_ptr<const tls::ClientContext>> makeMeshProbe(const config::Snapshot& snapshot)
{
    const auto plan =
        std::ranges::find(snapshot.upstreamTls, true, &config::UpstreamTlsPlan::isMesh);
    if (plan == snapshot.upstreamTls.end()) {
        return std::shared_ptr<const tls::ClientContext>();
    }
    tls::ClientOptions options = optionsOf(*plan);
    options.http2 = tls::Http2Offer::No;
    return tls::ClientContext::make(options);
}

Result<std::shared_ptr<const tls::ServerContext>> makeGatewayServer(
    const config::Snapshot& snapshot, const tls::CertificateText& own
)
{
    std::vector<tls::CertificateText> certificates;
    for (const config::CertificatePlan& plan : snapshot.certificates) {
        certificates.push_back(
            {plan.certPem, plan.keyPem, plan.snis, plan.altCertPem, plan.altKeyPem}
        );
    }
    if (certificates.empty()) {
        certificates.push_back(own);
    }
    tls::ServerOptions options;
    for (const config::CertificateWishPlan& wish : snapshot.certificateWishes) {
        options.wishes.push_back({wish.snis, wish.caPem});
    }
    return tls::ServerContext::make(certificates, options);
}

} // namespace mesh::proxy
