#include "simulator/mesh/mesh_plan.h"

#include "proxyengine/base/assert.h"
#include "proxyengine/config/compile.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace mesh::simulator {
namespace {

constexpr std::string_view kGateway = "gateway";
constexpr std::string_view kGatewayNode = "simulated gateway";

std::string nodeOf(std::string_view zone) { return fmt::format("simulated zone '{}'", zone); }

std::string zoneOfGateway(const model::Document& document)
{
    for (const model::Node& node : document.nodes) {
        if (node.role == model::NodeRole::Gateway) {
            return node.zone.value_or("");
        }
    }
    return {};
}

// Workloads say their zone themselves or by their node.
std::vector<model::Workload> withZones(const model::Document& document)
{
    std::vector<model::Workload> workloads = document.workloads;
    for (model::Workload& workload : workloads) {
        const auto node = std::ranges::find(document.nodes, workload.node, &model::Node::name);
        if (!workload.zone && node != document.nodes.end()) {
            workload.zone = node->zone;
        }
    }
    return workloads;
}

std::uint32_t placeOf(std::vector<std::string>& zones, const std::string& zone)
{
    const auto found = std::ranges::find(zones, zone);
    const auto place = static_cast<std::uint32_t>(found - zones.begin());
    if (found == zones.end()) {
        zones.push_back(zone);
    }
    return place;
}

model::Workload workloadOf(std::string name, std::string service, const std::string& zone)
{
    model::Workload workload;
    workload.name = std::move(name);
    workload.service = std::move(service);
    workload.node = nodeOf(zone);
    workload.zone = zone;
    workload.address = workload.name + ":80";
    workload.inbound = workload.name + ":81";
    workload.outbound = workload.name + ":82";
    return workload;
}

} // namespace

Result<MeshPlan> MeshPlan::make(const model::Document& document)
{
    MeshPlan plan;
    plan.m_models = document.models;
    std::ranges::sort(plan.m_models, {}, &model::ServiceModel::service);
    plan.addInstances(document);
    for (const model::ServiceModel& model : plan.m_models) {
        MESH_TRY_VOID(plan.checkScript(model));
    }
    const model::Document simulated = plan.simulated(document);
    MESH_TRY_VOID(plan.compileZones(simulated));
    MESH_TRY_VOID(plan.addEntries(simulated));
    return plan;
}

std::optional<std::uint32_t> MeshPlan::find(std::string_view service) const
{
    const auto found = std::ranges::lower_bound(
        m_models,
        service,
        {},
        [](const model::ServiceModel& model) -> std::string_view { return model.service; }
    );
    if (found == m_models.end() || found->service != service) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(found - m_models.begin());
}

std::optional<std::uint32_t> MeshPlan::findZone(std::string_view zone) const
{
    for (const InstancePlan& each : m_instances) {
        if (each.instance.zone == zone) {
            return each.zone;
        }
    }
    return std::nullopt;
}

bool MeshPlan::isGatewayNode(std::string_view name) const
{
    return std::ranges::find(m_gatewayNodes, name) != m_gatewayNodes.end();
}

std::vector<std::uint32_t> MeshPlan::calleesOf(std::uint32_t service) const
{
    std::vector<std::uint32_t> callees;
    for (const model::ModelStep& step : m_models[service].script) {
        for (const model::ModelCall& call : step.calls) {
            const std::uint32_t callee = *find(call.call);
            if (std::ranges::find(callees, callee) == callees.end()) {
                callees.push_back(callee);
            }
        }
    }
    return callees;
}

void MeshPlan::addInstances(const model::Document& document)
{
    m_gatewayZone = placeOf(m_zones, zoneOfGateway(document));
    for (const model::Node& node : document.nodes) {
        if (node.role == model::NodeRole::Gateway) {
            m_gatewayNodes.push_back(node.name);
        }
    }
    const std::vector<model::Workload> workloads = withZones(document);
    std::unordered_map<std::string_view, const model::Workload*> byName;
    for (const model::Workload& workload : workloads) {
        byName.emplace(workload.name, &workload);
    }
    m_byService.resize(m_models.size());
    for (std::uint32_t service = 0; service < m_models.size(); ++service) {
        for (Instance& each : simulator::instancesOf(m_models[service], workloads)) {
            const std::uint32_t zone = placeOf(m_zones, each.zone);
            m_byService[service].push_back(static_cast<std::uint32_t>(m_instances.size()));
            InstancePlan& plan = m_instances.emplace_back();
            plan.instance = std::move(each);
            plan.service = service;
            plan.zone = zone;
            const auto known = byName.find(plan.instance.name);
            if (known != byName.end()) {
                plan.version = known->second->version.value_or("");
                plan.node = known->second->node;
            }
            m_byName.emplace(plan.instance.name, m_byService[service].back());
        }
    }
}

Result<void> MeshPlan::checkScript(const model::ServiceModel& model) const
{
    for (const model::ModelStep& step : model.script) {
        for (const model::ModelCall& call : step.calls) {
            if (!find(call.call)) {
                return fail(
                    ErrorCode::DanglingReference,
                    fmt::format("'{}' calls '{}', which has no model", model.service, call.call)
                );
            }
        }
    }
    return {};
}

// The document with one node per zone and a workload for every instance, so that the compiler
// gives each service its targets and its policies.
model::Document MeshPlan::simulated(const model::Document& document) const
{
    model::Document result = document;
    result.nodes.clear();
    for (const std::string& zone : m_zones) {
        model::Node node;
        node.name = nodeOf(zone);
        node.role = model::NodeRole::Sidecar;
        node.zone = zone;
        result.nodes.push_back(std::move(node));
    }
    model::Node gateway;
    gateway.name = std::string(kGatewayNode);
    gateway.role = model::NodeRole::Gateway;
    gateway.zone = m_zones[m_gatewayZone];
    result.nodes.push_back(std::move(gateway));
    result.workloads.clear();
    for (const InstancePlan& each : m_instances) {
        model::Workload workload =
            workloadOf(each.instance.name, each.instance.service, m_zones[each.zone]);
        if (!each.version.empty()) {
            workload.version = each.version;
        }
        result.workloads.push_back(std::move(workload));
    }
    // A caller in every zone, so that every zone's node gets a table of all services.
    for (const std::string& zone : m_zones) {
        result.workloads.push_back(
            workloadOf(fmt::format("{} of {}", kGateway, zone), std::string(kGateway), zone)
        );
    }
    for (const model::ServiceModel& model : m_models) {
        const auto known = std::ranges::find(result.services, model.service, &model::Service::name);
        if (known == result.services.end()) {
            model::Service service;
            service.name = model.service;
            service.host = model.service;
            service.retries = 0; // Nobody has asked for any.
            result.services.push_back(std::move(service));
        }
    }
    return result;
}

Result<void> MeshPlan::compileZones(const model::Document& document)
{
    m_snapshots.resize(m_zones.size());
    m_callees.resize(m_zones.size());
    for (std::size_t zone = 0; zone < m_zones.size(); ++zone) {
        config::CompileResult result = config::compile(document, nodeOf(m_zones[zone]));
        if (result.snapshot == nullptr) {
            const config::Problem& problem = result.problems.front();
            return fail(problem.code, fmt::format("{}: {}", problem.path, problem.message));
        }
        m_snapshots[zone] = std::move(result.snapshot);
        MESH_TRY_VOID(addCallees(zone));
    }
    return {};
}

Result<void> MeshPlan::addCallees(std::size_t zone)
{
    const config::Snapshot& snapshot = *m_snapshots[zone];
    const auto outbound = std::ranges::find(
        snapshot.listeners, config::ListenerKind::Outbound, &config::ListenerPlan::kind
    );
    MESH_ASSERT(outbound != snapshot.listeners.end());
    m_callees[zone].resize(m_models.size());
    for (const config::RoutePlan& route : snapshot.tables[outbound->table].routes) {
        const auto service = find(route.name);
        if (!service || !route.service) {
            continue;
        }
        CalleePlan& callee = m_callees[zone][*service];
        callee.snapshot = &snapshot;
        callee.service = &snapshot.services[*route.service];
        callee.upstream = &snapshot.upstreams[callee.service->upstream];
        callee.resilience = route.resilience ? &snapshot.resiliences[*route.resilience] : nullptr;
        bindTargets(callee, *service);
        for (std::size_t target = 0; target < callee.instances.size(); ++target) {
            InstancePlan& instance = m_instances[callee.instances[target]];
            if (instance.version.empty()) {
                instance.version = callee.upstream->targets[target].version;
            }
        }
    }
    for (std::size_t service = 0; service < m_models.size(); ++service) {
        if (m_callees[zone][service].service == nullptr) {
            return fail(
                ErrorCode::Unsupported,
                fmt::format("the service '{}' of a model is disabled", m_models[service].service)
            );
        }
    }
    return {};
}

// Targets that are not workloads are the service's instances in their order.
void MeshPlan::bindTargets(CalleePlan& callee, std::uint32_t service) const
{
    const auto& own = m_byService[service];
    for (std::size_t target = 0; target < callee.upstream->targets.size(); ++target) {
        const auto known = m_byName.find(callee.upstream->targets[target].workload);
        callee.instances.push_back(
            known != m_byName.end() ? known->second : own[target % own.size()]
        );
    }
}

// What the gateway's own snapshot says of a service that it sends to.
std::optional<EntryPlan::Part> MeshPlan::partOf(
    const config::Snapshot& snapshot,
    std::size_t service,
    const std::optional<std::size_t>& resilience
) const
{
    const config::ServicePlan& plan = snapshot.services[service];
    const auto known = find(plan.name);
    if (!known || snapshot.upstreams[plan.upstream].targets.empty()) {
        return std::nullopt;
    }
    EntryPlan::Part part;
    part.service = *known;
    part.callee.snapshot = &snapshot;
    part.callee.service = &plan;
    part.callee.upstream = &snapshot.upstreams[plan.upstream];
    part.callee.resilience = resilience ? &snapshot.resiliences[*resilience] : nullptr;
    part.callee.isGateway = true;
    bindTargets(part.callee, *known);
    return part;
}

Result<void> MeshPlan::addEntries(const model::Document& document)
{
    for (std::uint32_t service = 0; service < m_models.size(); ++service) {
        EntryPlan::Part part;
        part.service = service;
        part.callee = m_callees[m_gatewayZone][service];
        part.callee.isGateway = true;
        m_entries.push_back({{part}});
    }
    config::CompileResult result = config::compile(document, std::string(kGatewayNode));
    if (result.snapshot == nullptr) {
        const config::Problem& problem = result.problems.front();
        return fail(problem.code, fmt::format("{}: {}", problem.path, problem.message));
    }
    m_gateway = std::move(result.snapshot);
    const auto listener = std::ranges::find(
        m_gateway->listeners, config::ListenerKind::Gateway, &config::ListenerPlan::kind
    );
    std::vector<bool> isKnown(m_models.size());
    for (const config::RoutePlan& route : m_gateway->tables[listener->table].routes) {
        const auto entry = route.service ? find(m_gateway->services[*route.service].name)
                                         : std::optional<std::uint32_t>();
        if (!entry || isKnown[*entry]) {
            continue;
        }
        EntryPlan plan;
        if (route.split.empty()) {
            if (auto part = partOf(*m_gateway, *route.service, route.resilience)) {
                plan.parts.push_back(std::move(*part));
            }
        }
        for (const config::SplitPlan& each : route.split) {
            if (auto part = partOf(*m_gateway, each.service, each.resilience)) {
                part->weight = each.weight;
                plan.parts.push_back(std::move(*part));
            }
        }
        const bool isWhole = plan.parts.size() == std::max<std::size_t>(route.split.size(), 1);
        if (isWhole) {
            isKnown[*entry] = true;
            m_entries[*entry] = std::move(plan);
        }
    }
    return {};
}

} // namespace mesh::simulator
