#include "simulator/live/mesh_layout.h"

#include "proxyengine/net/sockets.h"

#include <fmt/format.h>

#include <sys/socket.h>

#include <algorithm>

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

std::vector<std::string> workloadsOf(const model::Document& document, const FaultTarget& target)
{
    std::vector<std::string> names;
    for (const model::Workload& workload : document.workloads) {
        if (target.instance.empty() ? workload.service == target.service
                                    : workload.name == target.instance) {
            names.push_back(workload.name);
        }
    }
    std::ranges::sort(names);
    if (target.percent) {
        const std::size_t share =
            (names.size() * static_cast<std::size_t>(std::max(*target.percent, 0)) + 99) / 100;
        names.resize(std::min(share, names.size()));
    } else if (target.count) {
        names.resize(std::min(static_cast<std::size_t>(std::max(*target.count, 0)), names.size()));
    }
    return names;
}

} // namespace mesh::simulator
