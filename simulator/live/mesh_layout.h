#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/handles.h"
#include "proxyengine/model/document.h"
#include "proxyengine/net/socket_address.h"
#include "simulator/live/load_generator.h"
#include "simulator/scenario/scenario.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

// What a document says about the live mesh to be built from it.
namespace mesh::simulator {

// A port of loopback that nobody else gets while this lives. It is bound, not listened on, and
// shared (SO_REUSEPORT), so that a listener that shares ports can take it.
class ReservedPort
{
public:
    // Errors: Io.
    [[nodiscard]] static Result<ReservedPort> make();
    [[nodiscard]] const net::SocketAddress& address() const { return m_address; }

private:
    ReservedPort(FileDescriptor socket, net::SocketAddress address)
        : m_socket(std::move(socket))
        , m_address(std::move(address))
    {}
    FileDescriptor m_socket;
    net::SocketAddress m_address;
};

// Every problem that keeps the document from being run live: a part that is missing, a workload
// without model or node, a load without route.
[[nodiscard]] Result<void> checkLiveable(
    const model::Document& document, const std::vector<Load>& load
);

// Gives inbound and outbound listeners with port 0 a reserved one. Errors: InvalidArgument for an
// address that is none; Io.
[[nodiscard]] Result<std::vector<ReservedPort>> reserveListeners(model::Document& document);

// Null when there is none.
[[nodiscard]] std::shared_ptr<const model::ServiceModel> modelOf(
    const model::Document& document, std::string_view service
);

// How clients ask for the entry of a load: host and path of its first route.
// Errors: NotFound when no route leads to the service.
[[nodiscard]] Result<LoadGenerator::Entry> entryOf(
    const model::Document& document, const Load& load
);

// Addresses of workloads as in `running`, for those of the same name.
void adoptAddresses(model::Document& document, const model::Document& running);

// Its own or its node's; empty: none.
[[nodiscard]] std::string_view zoneOf(
    const model::Document& document, const model::Workload& workload
);

// The workloads a fault hits, in the order of their names: those of its service, zones, version or
// callee, or the one it names; of these its percentage, count, share or list.
[[nodiscard]] std::vector<std::string> workloadsOf(
    const model::Document& document, const Fault& fault
);

// The document as it is rehearsed live, with what virtual time makes up as well: one gateway with
// routes to the entries, services for all models, and every instance a workload behind a sidecar of
// its own. Beyond kLiveSidecarsMax instances the sidecars are shared, one per zone; `notes` says
// so. All ports are 0.
[[nodiscard]] model::Document withOwnSidecars(
    model::Document document, const std::vector<Load>& loads, std::vector<std::string>& notes
);
// The document as virtual time has it for one node: only those who call a service check its targets
// (by the scripts of the node's services; of a gateway, by the load).
[[nodiscard]] model::Document withChecksOfCallers(
    model::Document document, std::string_view node, const std::vector<Load>& loads
);
inline constexpr std::size_t kLiveSidecarsMax = 64; // Each is an engine with two threads.

} // namespace mesh::simulator
