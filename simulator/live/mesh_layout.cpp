#include "simulator/live/mesh_layout.h"

#include "proxyengine/net/sockets.h"
#include "simulator/mesh/fault_reach.h"
#include "simulator/models/instance.h"

#include <fmt/format.h>

#include <sys/socket.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace mesh::simulator {

namespace {

const model::Service* serviceOf(const model::Document& document, std::string_view name)
{
    const auto found = std::ranges::find_if(document.services, [name](const auto& service) {
        return service.name == name;
    });
    return found == document.services.end() ? nullptr : &*found;
}

const model::Route* routeTo(const model::Document& document, std::string_view service)
{
    const model::Service* const found = serviceOf(document, service);
    if (found != nullptr && !found->routes.empty()) {
        return &found->routes.front();
    }
    const auto route = std::ranges::find_if(document.routes, [service](const auto& candidate) {
        return candidate.service == service;
    });
    return route == document.routes.end() ? nullptr : &*route;
}

Result<void> reserve(std::optional<std::string>& text, std::vector<ReservedPort>& ports)
{
    if (!text) {
        return {};
    }
    MESH_TRY(const net::SocketAddress address, net::SocketAddress::parse(*text));
    if (address.port() == 0) {
        MESH_TRY(ReservedPort port, ReservedPort::make());
        text = port.address().toText();
        ports.push_back(std::move(port));
    }
    return {};
}

} // namespace

Result<ReservedPort> ReservedPort::make()
{
    FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket.isOpen()) {
        return failErrno("socket", errno);
    }
    const int on = 1;
    const auto native = net::SocketAddress::loopback(0).toNative();
    if (::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0
        || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0
        || ::bind(socket.get(), native.get(), native.length) != 0) {
        return failErrno("bind", errno);
    }
    const net::SocketAddress address = net::localAddress(socket.get());
    return ReservedPort(std::move(socket), address);
}

Result<void> checkLiveable(const model::Document& document, const std::vector<Load>& load)
{
    const bool hasGateway = std::ranges::any_of(document.nodes, [](const model::Node& node) {
        return node.role == model::NodeRole::Gateway;
    });
    if (document.workloads.empty()) {
        return fail(ErrorCode::InvalidArgument, "the document has no workloads to run");
    }
    if (!hasGateway && !load.empty()) {
        return fail(ErrorCode::InvalidArgument, "the document has no gateway node for the load");
    }
    for (const model::Workload& workload : document.workloads) {
        if (modelOf(document, workload.service) == nullptr) {
            return fail(
                ErrorCode::InvalidArgument,
                fmt::format(
                    "workload {} cannot be run: service {} has no model; add one to models",
                    workload.name,
                    workload.service
                )
            );
        }
    }
    for (const Load& wanted : load) {
        if (const auto entry = entryOf(document, wanted); !entry) {
            return tl::unexpected(entry.error());
        }
    }
    return {};
}

Result<std::vector<ReservedPort>> reserveListeners(model::Document& document)
{
    std::vector<ReservedPort> ports;
    for (model::Workload& workload : document.workloads) {
        MESH_TRY_VOID(reserve(workload.inbound, ports));
        MESH_TRY_VOID(reserve(workload.outbound, ports));
    }
    return ports;
}

std::shared_ptr<const model::ServiceModel> modelOf(
    const model::Document& document, std::string_view service
)
{
    const auto found =
        std::ranges::find(document.models, service, [](const model::ServiceModel& model) {
            return std::string_view(model.service);
        });
    return found == document.models.end() ? nullptr
                                          : std::make_shared<const model::ServiceModel>(*found);
}

Result<LoadGenerator::Entry> entryOf(const model::Document& document, const Load& load)
{
    const model::Route* const route = routeTo(document, load.entry);
    if (route == nullptr) {
        return fail(
            ErrorCode::NotFound,
            fmt::format("no route leads to {}, the entry of a load", load.entry)
        );
    }
    LoadGenerator::Entry entry{load, {}, "/"};
    for (const std::string& path : route->paths) {
        if (path.starts_with('/')) {
            entry.path = path;
            break;
        }
    }
    for (const std::string& host : route->hosts) {
        if (host.find('*') == std::string::npos) {
            entry.host = host;
            break;
        }
    }
    return entry;
}

void adoptAddresses(model::Document& document, const model::Document& running)
{
    for (model::Workload& workload : document.workloads) {
        const auto known =
            std::ranges::find(running.workloads, workload.name, &model::Workload::name);
        if (known != running.workloads.end()) {
            workload.address = known->address;
            workload.inbound = known->inbound;
            workload.outbound = known->outbound;
        }
    }
}

std::string_view zoneOf(const model::Document& document, const model::Workload& workload)
{
    if (workload.zone) {
        return *workload.zone;
    }
    const auto node = std::ranges::find(document.nodes, workload.node, &model::Node::name);
    return node != document.nodes.end() && node->zone ? std::string_view(*node->zone)
                                                      : std::string_view();
}

namespace {

bool isOf(
    const model::Document& document, const model::Workload& workload, const FaultTarget& target
)
{
    if (!target.instance.empty()) {
        return workload.name == target.instance;
    }
    if (!target.zone.empty()) {
        return zoneOf(document, workload) == target.zone;
    }
    if (target.edge) {
        return workload.service == target.edge->second;
    }
    if (target.between) {
        const std::string_view zone = zoneOf(document, workload);
        return zone == target.between->first || zone == target.between->second;
    }
    if (!target.services.empty()) {
        return std::ranges::find(target.services, workload.service) != target.services.end();
    }
    if (!target.version.empty() && target.service.empty()) {
        return workload.version == target.version;
    }
    return workload.service == target.service;
}

// The lowest names; a share is rounded up.
void keepShare(std::vector<std::string>& names, double share)
{
    const double wanted = std::ceil(static_cast<double>(names.size()) * share - 1e-9);
    names.resize(std::min(names.size(), static_cast<std::size_t>(std::max(wanted, 0.0))));
}

} // namespace

std::vector<std::string> workloadsOf(const model::Document& document, const Fault& fault)
{
    const FaultTarget& target = fault.target;
    std::vector<std::string> names;
    for (const model::Workload& workload : document.workloads) {
        if (isOf(document, workload, target)) {
            names.push_back(workload.name);
        }
    }
    std::ranges::sort(names, isNaturallyBefore);
    if (target.percent) {
        keepShare(names, *target.percent / 100.0);
    } else if (target.count) {
        names.resize(std::min(static_cast<std::size_t>(std::max(*target.count, 0)), names.size()));
    } else if (!target.names.empty()) {
        std::erase_if(names, [&target](const std::string& name) {
            return std::ranges::find(target.names, name) == target.names.end();
        });
    }
    if (fault.kind == FaultKind::BadDeploy) {
        keepShare(names, fault.share);
    }
    return names;
}

namespace {

constexpr const char* kAnyPort = "127.0.0.1:0";

// One per instance, as the document names them or as virtual time does.
std::vector<model::Workload> everyInstance(const model::Document& document)
{
    std::vector<model::Workload> workloads;
    for (const model::ServiceModel& model : document.models) {
        for (const Instance& instance : instancesOf(model, document.workloads)) {
            const auto known =
                std::ranges::find(document.workloads, instance.name, &model::Workload::name);
            const bool isKnown = known != document.workloads.end();
            model::Workload workload = isKnown ? *known : model::Workload();
            std::string zone =
                instance.zone.empty() ? std::string(zoneOf(document, workload)) : instance.zone;
            workload.zone = zone.empty() ? std::optional<std::string>()
                                         : std::optional<std::string>(std::move(zone));
            workload.name = instance.name;
            workload.service = instance.service;
            workload.address = kAnyPort;
            workload.inbound = kAnyPort;
            workload.outbound = kAnyPort;
            workloads.push_back(std::move(workload));
        }
    }
    return workloads;
}

void keepOneGateway(model::Document& document, std::vector<std::string>& notes)
{
    std::erase_if(document.nodes, [](const model::Node& node) {
        return node.role == model::NodeRole::Sidecar;
    });
    if (document.nodes.size() > 1) {
        notes.push_back(fmt::format(
            "{} takes the place of all {} gateways, as in virtual time",
            document.nodes.front().name,
            document.nodes.size()
        ));
        document.nodes.resize(1);
    }
    if (document.nodes.empty()) {
        document.nodes.emplace_back().name = "gateway";
    }
}

void addServices(model::Document& document)
{
    for (const model::ServiceModel& model : document.models) {
        if (serviceOf(document, model.service) == nullptr) {
            model::Service& service = document.services.emplace_back();
            service.name = model.service;
            service.host = model.service;
        }
    }
}

void addRoutes(model::Document& document, const std::vector<Load>& loads)
{
    for (const Load& load : loads) {
        if (routeTo(document, load.entry) != nullptr) {
            continue;
        }
        for (model::Service& service : document.services) {
            if (service.name == load.entry) {
                model::Route& route = service.routes.emplace_back();
                route.name = fmt::format("rehearsed-{}", load.entry);
                route.paths = {fmt::format("/{}", load.entry)};
            }
        }
    }
}

} // namespace

model::Document withOwnSidecars(
    model::Document document, const std::vector<Load>& loads, std::vector<std::string>& notes
)
{
    std::vector<model::Workload> workloads = everyInstance(document);
    keepOneGateway(document, notes);
    addServices(document);
    addRoutes(document, loads);
    const bool isShared = workloads.size() > kLiveSidecarsMax;
    if (isShared) {
        notes.push_back(fmt::format(
            "{} instances share one sidecar per zone: one machine carries {} engines",
            workloads.size(),
            kLiveSidecarsMax
        ));
    }
    for (model::Workload& workload : workloads) {
        workload.node = isShared ? fmt::format("sidecars-{}", workload.zone.value_or("all"))
                                 : fmt::format("{}-sidecar", workload.name);
        const auto known = std::ranges::find(document.nodes, workload.node, &model::Node::name);
        if (known == document.nodes.end()) {
            model::Node& node = document.nodes.emplace_back();
            node.name = workload.node;
            node.role = model::NodeRole::Sidecar;
            node.zone = workload.zone;
        }
    }
    document.workloads = std::move(workloads);
    return document;
}

namespace {

std::set<std::string> calledBy(
    const model::Document& document, std::string_view node, const std::vector<Load>& loads
)
{
    std::set<std::string> called;
    const auto found = std::ranges::find(document.nodes, node, &model::Node::name);
    if (found != document.nodes.end() && found->role == model::NodeRole::Gateway) {
        for (const Load& load : loads) {
            called.insert(load.entry);
        }
    }
    for (const model::Workload& workload : document.workloads) {
        const auto model = workload.node == node ? modelOf(document, workload.service) : nullptr;
        if (model == nullptr) {
            continue;
        }
        for (const model::ModelStep& step : model->script) {
            for (const model::ModelCall& call : step.calls) {
                called.insert(call.call);
            }
        }
    }
    return called;
}

} // namespace

model::Document withChecksOfCallers(
    model::Document document, std::string_view node, const std::vector<Load>& loads
)
{
    const std::set<std::string> called = calledBy(document, node, loads);
    for (model::Upstream& upstream : document.upstreams) {
        const bool isCalled =
            std::ranges::any_of(document.services, [&](const model::Service& service) {
                return service.host == upstream.name && called.contains(service.name.value_or(""));
            });
        if (!isCalled) {
            upstream.healthchecks.active.healthy.interval = {};
            upstream.healthchecks.active.unhealthy.interval = {};
        }
    }
    return document;
}

} // namespace mesh::simulator
