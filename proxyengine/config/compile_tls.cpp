#include "proxyengine/config/compile_tls.h"

#include "proxyengine/base/hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mesh::config {
namespace {

using model::Protocol;

std::string keyOf(const UpstreamTlsPlan& plan)
{
    std::string all = fmt::format(
        "{} {} {} {} {} {}\n",
        plan.isVerified,
        plan.verifyDepth.value_or(-1),
        plan.offersHttp2,
        plan.needsHttp2,
        plan.isMesh,
        plan.trustDomain
    );
    for (const std::string* part : {&plan.caPem, &plan.certPem, &plan.keyPem}) {
        all += fmt::format("{}:{}\n", part->size(), *part);
    }
    return sha256Hex(all);
}

} // namespace

bool speaksTls(Protocol protocol)
{
    return protocol == Protocol::Https || protocol == Protocol::Grpcs || protocol == Protocol::Tls;
}

TlsCompiler::TlsCompiler(const model::Document& document, Snapshot& snapshot)
    : m_document(document)
    , m_snapshot(snapshot)
{}

std::size_t TlsCompiler::add(UpstreamTlsPlan plan)
{
    plan.key = keyOf(plan);
    const auto [known, isNew] = m_byKey.emplace(plan.key, m_snapshot.upstreamTls.size());
    if (isNew) {
        m_snapshot.upstreamTls.push_back(std::move(plan));
    }
    return known->second;
}

const model::Certificate* TlsCompiler::certificate(const std::optional<std::string>& id) const
{
    const auto found =
        std::ranges::find_if(m_document.certificates, [&id](const model::Certificate& each) {
            return id && each.id == id;
        });
    return found == m_document.certificates.end() ? nullptr : &*found;
}

std::optional<std::size_t> TlsCompiler::ofService(const model::Service& service)
{
    if (!speaksTls(service.protocol)) {
        return std::nullopt;
    }
    UpstreamTlsPlan plan;
    plan.isVerified = service.tlsVerify.value_or(false); // The gateway format's default.
    plan.verifyDepth = service.tlsVerifyDepth;
    plan.offersHttp2 = service.protocol == Protocol::Grpcs;
    plan.needsHttp2 = plan.offersHttp2;
    const model::Certificate* shown = certificate(service.clientCertificate);
    if (shown == nullptr) {
        const auto upstream =
            std::ranges::find(m_document.upstreams, service.host, &model::Upstream::name);
        if (upstream != m_document.upstreams.end()) {
            shown = certificate(upstream->clientCertificate);
        }
    }
    if (shown != nullptr) {
        plan.certPem = shown->cert;
        plan.keyPem = shown->key;
    }
    return add(std::move(plan));
}

void TlsCompiler::addCertificates()
{
    for (const model::Certificate& certificate : m_document.certificates) {
        CertificatePlan plan{
            certificate.cert,
            certificate.key,
            certificate.certAlt.value_or(""),
            certificate.keyAlt.value_or(""),
            {}};
        for (const model::Sni& sni : certificate.snis) {
            plan.snis.push_back(sni.name);
        }
        m_snapshot.certificates.push_back(std::move(plan));
    }
}

} // namespace mesh::config
