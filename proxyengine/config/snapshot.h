#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/model/gateway.h"
#include "proxyengine/policy/router.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// What one node runs: compiled, immutable, shared by all workers. Indices instead of names, so that
// the request path never looks a name up.
namespace mesh::config {

struct TargetPlan
{
    std::string address; // "host:port" as in the file; identity of the target within its upstream.
    std::string host;
    std::uint16_t port = 0;
    int weight = 100;
    std::string zone; // From the tag zone:x or the workload; empty: unknown.
    std::string version;
    std::string workload; // Name of the instance; empty: not a workload.
};

// A named set of targets and how to choose among them. Every service has one: its own targets, an
// upstream of the document, the workloads of the service, or the single host it names.
struct UpstreamPlan
{
    std::string name;
    model::Algorithm algorithm = model::Algorithm::RoundRobin;
    model::Healthchecks healthchecks;
    std::optional<std::string> hostHeader;
    std::vector<TargetPlan> targets; // In document order.
    bool isDeclared = false; // Stands in the document's `upstreams`; listed by the admin API.
};

struct ServicePlan
{
    std::string name; // Or a stable stand-in when the file gives none.
    model::Protocol protocol = model::Protocol::Http;
    std::string path; // "/" when absent.
    std::size_t upstream = 0; // Index into Snapshot::upstreams.
    int retries = 5;
    Duration connectTimeout{};
    Duration writeTimeout{};
    Duration readTimeout{};
};

struct RoutePlan
{
    std::string name;
    std::optional<std::size_t> service; // Index into Snapshot::services; absent: 503.
    bool stripPath = true;
    bool preserveHost = false;
    bool allowsHttp = true; // False: only https; then redirectStatus answers plain HTTP.
    int redirectStatus = 426;
};

// Routes of one kind of listener. Router::match() gives an index into `routes`.
struct RouteTable
{
    policy::Router router;
    std::vector<RoutePlan> routes;
};

enum class ListenerKind : std::uint8_t {
    Gateway, // The node's own --proxy-listen addresses; `address` is empty.
    Inbound, // A sidecar's: from other nodes to the workload's process.
    Outbound, // A sidecar's: from the workload's process to other services.
};

struct ListenerPlan
{
    ListenerKind kind = ListenerKind::Gateway;
    std::string name; // "gateway", "cart-1 inbound".
    std::string address; // host:port
    std::string workload; // Empty for a gateway.
    std::string source; // What counters call the caller: the workload's service; empty on inbound
                        // and gateway.
    std::size_t table = 0; // Index into Snapshot::tables.
};

// A TCP route: connections that arrive at `port` go to the service's upstream.
struct StreamRoutePlan
{
    std::string name;
    std::uint16_t port = 0;
    std::size_t service = 0;
};

struct CertificatePlan
{
    std::string certPem;
    std::string keyPem;
    std::vector<std::string> snis;
};

struct Snapshot
{
    std::string node;
    std::string zone; // Of the node; empty: unknown.
    std::string hash; // SHA-256 of the whole document's canonical JSON, 64 hex digits.
    std::vector<UpstreamPlan> upstreams;
    std::vector<ServicePlan> services;
    std::vector<RouteTable> tables;
    std::vector<ListenerPlan> listeners;
    std::vector<StreamRoutePlan> streamRoutes;
    std::vector<CertificatePlan> certificates;
};

} // namespace mesh::config
