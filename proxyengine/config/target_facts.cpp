#include "proxyengine/config/target_facts.h"

#include <algorithm>
#include <utility>

namespace mesh::config {

std::string tagValue(const model::Tags& tags, std::string_view prefix)
{
    const auto found =
        std::ranges::find_if(tags, [&](const std::string& tag) { return tag.starts_with(prefix); });
    return found == tags.end() ? std::string() : found->substr(prefix.size());
}

TargetBook::TargetBook(const model::Document& document)
{
    for (const model::Workload& workload : document.workloads) {
        m_workloads[workload.service].push_back(&workload);
    }
    for (const model::Service& service : document.services) {
        if (service.name && m_workloads.contains(*service.name)) {
            m_servicesByHost[service.host].push_back(*service.name);
        }
    }
    for (const model::Upstream& upstream : document.upstreams) {
        m_upstreams.emplace(upstream.name, &upstream);
    }
    for (const model::Node& node : document.nodes) {
        m_nodes.emplace(node.name, &node);
    }
}

std::vector<TargetFacts> TargetBook::ofUpstream(const model::Upstream& upstream) const
{
    std::vector<TargetFacts> facts;
    for (const model::Target& target : upstream.targets) {
        facts.push_back({tagValue(target.tags, "zone:"), tagValue(target.tags, "version:")});
    }
    if (!facts.empty()) {
        return facts;
    }
    addWorkloads(upstream.name, facts);
    if (const auto found = m_servicesByHost.find(upstream.name); found != m_servicesByHost.end()) {
        for (const std::string_view service : found->second) {
            if (service != upstream.name) {
                addWorkloads(service, facts);
            }
        }
    }
    return facts;
}

std::vector<TargetFacts> TargetBook::ofService(const model::Service& service) const
{
    if (const auto found = m_upstreams.find(service.host); found != m_upstreams.end()) {
        return ofUpstream(*found->second);
    }
    std::vector<TargetFacts> facts;
    if (service.name) {
        addWorkloads(*service.name, facts);
    }
    if (facts.empty()) {
        addWorkloads(service.host, facts);
    }
    return facts;
}

void TargetBook::addWorkloads(std::string_view service, std::vector<TargetFacts>& facts) const
{
    const auto found = m_workloads.find(service);
    if (found == m_workloads.end()) {
        return;
    }
    for (const model::Workload* const workload : found->second) {
        const auto node = m_nodes.find(workload->node);
        const bool hasZone = node != m_nodes.end() && node->second->zone;
        facts.push_back(
            {workload->zone.value_or(hasZone ? *node->second->zone : std::string()),
             workload->version.value_or("")}
        );
    }
}

} // namespace mesh::config
