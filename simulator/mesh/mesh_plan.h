#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/config/snapshot.h"
#include "proxyengine/model/document.h"
#include "simulator/models/instance.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mesh::simulator {

// One instance, its service's place, and the place of what its proxy runs.
struct InstancePlan
{
    Instance instance;
    std::uint32_t service = 0; // Into MeshPlan::models().
    std::uint32_t zone = 0; // Into MeshPlan::snapshots().
    std::string version; // Empty: none.
    std::string node; // Of the document's workload; empty: made up.
};

// How the proxies of one zone call one service. Pointers are into the plan's snapshots.
struct CalleePlan
{
    const config::Snapshot* snapshot = nullptr;
    const config::ServicePlan* service = nullptr;
    const config::UpstreamPlan* upstream = nullptr;
    const config::ResiliencePlan* resilience = nullptr; // Null: nothing is said.
    std::vector<std::uint32_t> instances; // By target; into MeshPlan::instances().
    bool isGateway = false; // The caller is the gateway.
};

// Where the gateway sends root requests of one service: to it, or to the parts of its route's
// split.
struct EntryPlan
{
    struct Part
    {
        std::uint32_t service = 0; // Into MeshPlan::models().
        CalleePlan callee;
        std::uint32_t weight = 1;
    };
    std::vector<Part> parts;
};

// A document as it is simulated: the instances of its models, and the snapshots that the proxy's
// own compiler makes of it, one per zone, because the proxies of a zone run the same.
//
// Instances come from the document's workloads, or are made up where a service has none. The
// gateway calls an entry as the document's first route to it says, and as a sidecar of its zone
// where no route leads to it.
class MeshPlan
{
public:
    // Errors: the first problem of the compiler; DanglingReference for a call of a service that has
    // no model.
    [[nodiscard]] static Result<MeshPlan> make(const model::Document& document);

    [[nodiscard]] const std::vector<model::ServiceModel>& models() const { return m_models; }
    [[nodiscard]] const std::vector<InstancePlan>& instances() const { return m_instances; }
    [[nodiscard]] const std::vector<std::uint32_t>& instancesOf(std::uint32_t service) const
    {
        return m_byService[service];
    }
    [[nodiscard]] const CalleePlan& callee(std::uint32_t zone, std::uint32_t service) const
    {
        return m_callees[zone][service];
    }
    [[nodiscard]] const EntryPlan& entry(std::uint32_t service) const { return m_entries[service]; }
    [[nodiscard]] const config::Snapshot& snapshot(std::uint32_t zone) const
    {
        return *m_snapshots[zone];
    }
    [[nodiscard]] std::uint32_t gatewayZone() const { return m_gatewayZone; }
    // Whether the way between two zones crosses a border. Who has no zone is near everybody.
    [[nodiscard]] bool areApart(std::uint32_t zone, std::uint32_t other) const
    {
        return zone != other && !m_zones[zone].empty() && !m_zones[other].empty();
    }
    [[nodiscard]] bool isGatewayNode(std::string_view name) const;
    // The services that a service's script calls, each once, in its order.
    [[nodiscard]] std::vector<std::uint32_t> calleesOf(std::uint32_t service) const;

    // The place of a service's model, or nothing.
    [[nodiscard]] std::optional<std::uint32_t> find(std::string_view service) const;
    // The place of a zone that an instance is in, or nothing.
    [[nodiscard]] std::optional<std::uint32_t> findZone(std::string_view zone) const;

private:
    void addInstances(const model::Document& document);
    [[nodiscard]] model::Document simulated(const model::Document& document) const;
    Result<void> compileZones(const model::Document& document);
    Result<void> addCallees(std::size_t zone);
    Result<void> addEntries(const model::Document& document);
    [[nodiscard]] std::optional<EntryPlan::Part> partOf(
        const config::Snapshot& snapshot,
        std::size_t service,
        const std::optional<std::size_t>& resilience
    ) const;
    void bindTargets(CalleePlan& callee, std::uint32_t service) const;
    [[nodiscard]] Result<void> checkScript(const model::ServiceModel& model) const;

    std::vector<model::ServiceModel> m_models; // Sorted by service.
    std::vector<InstancePlan> m_instances;
    std::vector<std::vector<std::uint32_t>> m_byService;
    std::vector<std::string> m_zones;
    std::vector<std::string> m_gatewayNodes;
    std::vector<std::shared_ptr<const config::Snapshot>> m_snapshots; // By zone.
    std::vector<std::vector<CalleePlan>> m_callees; // By zone and service.
    std::shared_ptr<const config::Snapshot> m_gateway;
    std::vector<EntryPlan> m_entries; // By service.
    std::unordered_map<std::string, std::uint32_t> m_byName; // Instances.
    std::uint32_t m_gatewayZone = 0;
};

} // namespace mesh::simulator
