#pragma once

#include "proxyengine/config/snapshot.h"
#include "proxyengine/model/document.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mesh::config {

// Compiles upstreams and their targets into the snapshot. Only for compile().
class UpstreamCompiler
{
public:
    // Both live longer than this.
    UpstreamCompiler(const model::Document& document, Snapshot& snapshot);

    // Every declared upstream; one without targets balances over the workloads of the services
    // that it is named after or that name it as their host.
    void addDeclared();

    // The index of the upstream a service balances over; made when it is not declared. One made of
    // workloads is protected as the declared upstream of the same name.
    [[nodiscard]] std::size_t of(const model::Service& service);

    // The workload's process itself, without its sidecar.
    [[nodiscard]] TargetPlan processOf(const model::Workload& workload) const;

private:
    [[nodiscard]] TargetPlan targetOf(const model::Workload& workload) const;
    void addWorkloads(UpstreamPlan& plan, std::string_view service);
    template <typename Fill>
    std::size_t make(const std::string& key, const std::string& name, const Fill& fill);

    const model::Document& m_document;
    Snapshot& m_snapshot;
    std::unordered_map<std::string_view, const model::Node*> m_nodes;
    std::unordered_map<std::string_view, std::vector<const model::Workload*>> m_workloads;
    std::unordered_map<std::string, std::size_t> m_upstreams; // By name or address.
};

} // namespace mesh::config
