#include "proxyengine/config/compile_upstreams.h"

#include "proxyengine/config/compile_tls.h"
#include "proxyengine/config/target_facts.h"
#include "proxyengine/model/format.h"

#include <algorithm>
#include <utility>

namespace mesh::config {
namespace {

using model::Service;
using model::Upstream;
using model::Workload;

// The name beside a kind of hashing; empty when the kind has none.
std::string hashName(
    model::HashOn on,
    const std::optional<std::string>& header,
    const std::optional<std::string>& cookie,
    const std::optional<std::string>& queryArg,
    const std::optional<std::string>& uriCapture
)
{
    switch (on) {
    case model::HashOn::Header:
        return header.value_or("");
    case model::HashOn::Cookie:
        return cookie.value_or("");
    case model::HashOn::QueryArg:
        return queryArg.value_or("");
    case model::HashOn::UriCapture:
        return uriCapture.value_or("");
    default:
        return {};
    }
}

HashPlan hashOf(const Upstream& upstream)
{
    HashPlan plan;
    plan.on = upstream.hashOn;
    plan.fallback = upstream.hashFallback;
    plan.name = hashName(
        upstream.hashOn,
        upstream.hashOnHeader,
        upstream.hashOnCookie,
        upstream.hashOnQueryArg,
        upstream.hashOnUriCapture
    );
    plan.fallbackName = hashName(
        upstream.hashFallback,
        upstream.hashFallbackHeader,
        upstream.hashOnCookie,
        upstream.hashFallbackQueryArg,
        upstream.hashFallbackUriCapture
    );
    plan.cookiePath = upstream.hashOnCookiePath;
    return plan;
}

// What protects the targets, whoever they are.
void takeProtection(const Upstream& upstream, UpstreamPlan& plan)
{
    plan.outlierDetection = upstream.outlierDetection;
    plan.limits = upstream.limits;
    plan.slowStart = upstream.slowStart.value_or(Duration::zero());
    plan.locality = upstream.locality;
}

TargetPlan targetAt(std::string address)
{
    TargetPlan plan;
    if (const auto parts = model::splitHostPort(address)) {
        plan.host = parts->host;
        plan.port = parts->port.value_or(0);
    }
    plan.address = std::move(address);
    return plan;
}

} // namespace

UpstreamCompiler::UpstreamCompiler(const model::Document& document, Snapshot& snapshot)
    : m_document(document)
    , m_snapshot(snapshot)
{
    for (const model::Node& each : document.nodes) {
        m_nodes.emplace(each.name, &each);
    }
    for (const Workload& workload : document.workloads) {
        m_workloads[workload.service].push_back(&workload);
    }
}

TargetPlan UpstreamCompiler::processOf(const Workload& workload) const
{
    Workload bare = workload;
    bare.inbound.reset();
    return targetOf(bare);
}

TargetPlan UpstreamCompiler::targetOf(const Workload& workload) const
{
    TargetPlan plan = targetAt(workload.inbound.value_or(workload.address));
    plan.isMesh = takesMesh(m_document, workload);
    const auto node = m_nodes.find(workload.node);
    const bool hasZone = node != m_nodes.end() && node->second->zone;
    plan.zone = workload.zone.value_or(hasZone ? *node->second->zone : std::string());
    plan.version = workload.version.value_or("");
    plan.weight = workload.weight;
    plan.workload = workload.name;
    return plan;
}

void UpstreamCompiler::addDeclared()
{
    std::unordered_map<std::string_view, std::vector<std::string_view>> servicesByHost;
    if (!m_workloads.empty()) {
        for (const Service& service : m_document.services) {
            if (service.name && m_workloads.contains(*service.name)) {
                servicesByHost[service.host].push_back(*service.name);
            }
        }
    }
    for (const Upstream& upstream : m_document.upstreams) {
        UpstreamPlan plan;
        plan.name = upstream.name;
        plan.algorithm = upstream.algorithm;
        plan.healthchecks = upstream.healthchecks;
        plan.hash = hashOf(upstream);
        takeProtection(upstream, plan);
        plan.hostHeader = upstream.hostHeader;
        plan.isDeclared = true;
        for (const model::Target& target : upstream.targets) {
            TargetPlan& added = plan.targets.emplace_back(targetAt(target.target));
            added.weight = target.weight;
            added.zone = tagValue(target.tags, "zone:");
            added.version = tagValue(target.tags, "version:");
        }
        if (plan.targets.empty()) {
            addWorkloads(plan, upstream.name);
            for (const std::string_view service : servicesByHost[upstream.name]) {
                if (service != upstream.name) {
                    addWorkloads(plan, service);
                }
            }
        }
        m_upstreams.emplace(plan.name, m_snapshot.upstreams.size());
        m_snapshot.upstreams.push_back(std::move(plan));
    }
}

void UpstreamCompiler::addWorkloads(UpstreamPlan& plan, std::string_view service)
{
    const auto found = m_workloads.find(service);
    if (found == m_workloads.end()) {
        return;
    }
    for (const Workload* const workload : found->second) {
        plan.targets.push_back(targetOf(*workload));
    }
    if (!plan.hostHeader) {
        plan.hostHeader = service; // A workload's address says nothing to its process.
    }
}

std::size_t UpstreamCompiler::of(const Service& service)
{
    if (const auto found = m_upstreams.find(service.host); found != m_upstreams.end()) {
        return found->second;
    }
    for (const std::string& name : {service.name.value_or(service.host), service.host}) {
        if (m_workloads.contains(name)) {
            const std::string key = "workloads of " + name;
            return make(key, name, [&](UpstreamPlan& plan) {
                addWorkloads(plan, name);
                const auto same = std::ranges::find(m_document.upstreams, name, &Upstream::name);
                if (same != m_document.upstreams.end()) {
                    takeProtection(*same, plan);
                }
            });
        }
    }
    const std::string address = model::joinHostPort(service.host, service.port);
    return make(address, address, [&](UpstreamPlan& plan) {
        plan.targets.push_back(targetAt(address));
    });
}

template <typename Fill>
std::size_t UpstreamCompiler::make(
    const std::string& key, const std::string& name, const Fill& fill
)
{
    const auto [found, isNew] = m_upstreams.emplace(key, m_snapshot.upstreams.size());
    if (isNew) {
        UpstreamPlan plan;
        plan.name = name;
        fill(plan);
        m_snapshot.upstreams.push_back(std::move(plan));
    }
    return found->second;
}

} // namespace mesh::config
