#include "proxyengine/proxy/tls_contexts.h"

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

} // namespace mesh::proxy
