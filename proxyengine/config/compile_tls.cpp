#include "proxyengine/config/compile_tls.h"

#include "proxyengine/base/hash.h"
#include "proxyengine/config/plugin_scope.h"

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

bool isMeshed(const model::Document& document)
{
    return document.mesh && document.mesh->mtls != model::MtlsMode::Off
           && !document.mesh->caCertificates.empty();
}

bool takesHttps(const model::Route& route)
{
    return std::ranges::any_of(route.protocols, [](Protocol each) {
        return each == Protocol::Https || each == Protocol::Grpcs;
    });
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
    plan.caPem = authorities(service.caCertificates);
    using model::HttpVersion;
    const bool isGrpc = service.protocol == Protocol::Grpcs;
    const auto version =
        service.httpVersion.value_or(isGrpc ? HttpVersion::Http2 : HttpVersion::Http1);
    plan.offersHttp2 = version != HttpVersion::Http1;
    plan.needsHttp2 = version == HttpVersion::Http2;
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

std::string TlsCompiler::authorities(const std::vector<std::string>& ids) const
{
    std::string all;
    for (const model::CaCertificate& each : m_document.caCertificates) {
        if (each.id && std::ranges::find(ids, *each.id) != ids.end()) {
            all += each.cert;
            all += '\n';
        }
    }
    return all;
}

std::optional<std::size_t> TlsCompiler::ofRoute(
    const model::Route& route, const model::Service* service
)
{
    const model::Plugin* running = mtlsAuthOf(m_document, route, service);
    if (running == nullptr) {
        return std::nullopt;
    }
    const model::MtlsAuth* plugin = &running->config;
    MtlsAuthPlan plan;
    plan.caPem = authorities(plugin->caCertificates);
    for (const model::CaCertificate& each : m_document.caCertificates) {
        if (each.crl && each.id
            && std::ranges::find(plugin->caCertificates, *each.id)
                   != plugin->caCertificates.end()) {
            plan.crlPem += *each.crl + '\n';
        }
    }
    plan.revocation = plugin->revocationCheckMode;
    plan.acceptsPartialChain = plugin->allowPartialChain;
    plan.key = sha256Hex(fmt::format(
        "{} {} {}:{}{}",
        static_cast<int>(plan.revocation),
        plan.acceptsPartialChain,
        plan.caPem.size(),
        plan.caPem,
        plan.crlPem
    ));
    if (takesHttps(route)) {
        m_snapshot.certificateWishes.push_back(
            {route.snis, plugin->sendCaDn ? plan.caPem : std::string()}
        );
    }
    const auto known = std::ranges::find(m_snapshot.mtlsAuths, plan.key, &MtlsAuthPlan::key);
    if (known != m_snapshot.mtlsAuths.end()) {
        return static_cast<std::size_t>(known - m_snapshot.mtlsAuths.begin());
    }
    m_snapshot.mtlsAuths.push_back(std::move(plan));
    return m_snapshot.mtlsAuths.size() - 1;
}

// The workload's own, else its node's; null: the node's that is compiled for.
const model::Certificate* TlsCompiler::identityOf(const model::Workload* workload) const
{
    if (workload != nullptr && workload->certificate) {
        return certificate(workload->certificate);
    }
    const std::string& name = workload == nullptr ? m_snapshot.node : workload->node;
    const auto node = std::ranges::find(m_document.nodes, name, &model::Node::name);
    return node == m_document.nodes.end() ? nullptr : certificate(node->certificate);
}

std::optional<std::size_t> TlsCompiler::meshOf(const model::Workload* caller)
{
    const model::Certificate* shown = isMeshed(m_document) ? identityOf(caller) : nullptr;
    if (shown == nullptr) {
        return std::nullopt;
    }
    UpstreamTlsPlan plan;
    plan.isVerified = true;
    plan.isMesh = true;
    plan.caPem = authorities(m_document.mesh->caCertificates);
    plan.certPem = shown->cert;
    plan.keyPem = shown->key;
    plan.offersHttp2 = true;
    plan.trustDomain = m_document.mesh->trustDomain.value_or("");
    return add(std::move(plan));
}

std::optional<MeshServerPlan> TlsCompiler::meshServerOf(const model::Workload& workload) const
{
    if (!takesMesh(m_document, workload)) {
        return std::nullopt;
    }
    const model::Certificate* shown = identityOf(&workload);
    MeshServerPlan plan;
    plan.mode = m_document.mesh->mtls;
    plan.certPem = shown->cert;
    plan.keyPem = shown->key;
    plan.caPem = authorities(m_document.mesh->caCertificates);
    plan.trustDomain = m_document.mesh->trustDomain.value_or("");
    return plan;
}

bool takesMesh(const model::Document& document, const model::Workload& workload)
{
    if (!isMeshed(document) || !workload.inbound) {
        return false;
    }
    if (workload.certificate) {
        return true;
    }
    const auto node = std::ranges::find(document.nodes, workload.node, &model::Node::name);
    return node != document.nodes.end() && node->certificate.has_value();
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
