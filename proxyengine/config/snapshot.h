#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/model/document.h"
#include "proxyengine/model/gateway.h"
#include "proxyengine/model/resilience.h"
#include "proxyengine/policy/router.h"
#include "proxyengine/policy/stream_router.h"

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
    bool isMesh = false; // A sidecar that takes mutual TLS: see ListenerPlan::meshTls.
};

// Everything that decides a handshake with a target, but for the server name.
struct UpstreamTlsPlan
{
    std::string key; // SHA-256 of all the rest, hex: two plans of one key shake hands alike.
    bool isVerified = false;
    std::optional<int> verifyDepth;
    std::string caPem; // Trusted authorities; empty: the system's.
    std::string certPem; // Shown to the target; empty: none.
    std::string keyPem;
    bool offersHttp2 = false; // In ALPN, before http/1.1.
    bool needsHttp2 = false; // h2 alone is offered: gRPC.
    bool isMesh = false; // The target must have an identity of the trust domain, not a host name.
    std::string trustDomain;
};

// What consistent-hashing and maglev hash; the names belong to the kind beside them.
struct HashPlan
{
    model::HashOn on = model::HashOn::None;
    model::HashOn fallback = model::HashOn::None;
    std::string name; // Header, cookie, query argument or URI capture.
    std::string fallbackName;
    std::string cookiePath = "/";
    friend bool operator==(const HashPlan&, const HashPlan&) = default;
};

// A named set of targets and how to choose among them. Every service has one: its own targets, an
// upstream of the document, the workloads of the service, or the single host it names.
struct UpstreamPlan
{
    std::string name;
    model::Algorithm algorithm = model::Algorithm::RoundRobin;
    model::Healthchecks healthchecks;
    HashPlan hash;
    std::optional<model::OutlierDetection> outlierDetection;
    std::optional<model::Limits> limits;
    Duration slowStart{}; // Zero: none.
    std::optional<model::Locality> locality;
    std::optional<std::string> hostHeader;
    std::vector<TargetPlan> targets; // In document order.
    bool isDeclared = false; // Stands in the document's `upstreams`; listed by the admin API.
};

struct ServicePlan
{
    std::string name; // Or a stable stand-in when the file gives none.
    model::Protocol protocol = model::Protocol::Http;
    model::HttpVersion httpVersion = model::HttpVersion::Http1; // Of its targets.
    std::string path; // "/" when absent.
    std::size_t upstream = 0; // Index into Snapshot::upstreams.
    // Index into Snapshot::upstreamTls, for targets that are no sidecars; absent: plain.
    std::optional<std::size_t> tls;
    int retries = 5;
    Duration connectTimeout{};
    Duration writeTimeout{};
    Duration readTimeout{};
    std::optional<model::ProxyProtocol> proxyProtocol; // Said to its targets.
    std::vector<std::string> upgrades; // Protocols that may be changed to.
};

// Where one part of a route's traffic goes.
struct SplitPlan
{
    std::size_t service = 0; // Index into Snapshot::services.
    std::optional<std::size_t> resilience; // Index into Snapshot::resiliences.
    std::uint32_t weight = 0;
};

struct RoutePlan
{
    std::string name;
    std::optional<std::size_t> service; // Index into Snapshot::services; absent: 503.
    std::optional<std::size_t> resilience; // Of this route with its own service.
    std::vector<SplitPlan> split; // Empty: all to `service`. Otherwise two parts or more.
    std::optional<model::SplitSticky> splitSticky;
    std::optional<std::size_t> mtlsAuth; // Index into Snapshot::mtlsAuths; absent: anybody.
    bool stripPath = true;
    bool preserveHost = false;
    // With preserveHost: the hosts that the file lists without a wildcard, lower case. Under any
    // other name a request goes on under one that its client chose.
    std::vector<std::string> listedHosts;
    bool isGrpc = false; // Takes gRPC calls only, and those over HTTP/2.
    std::optional<std::size_t> compression; // Index into Snapshot::compressions.
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

// How a sidecar takes calls of other nodes.
struct MeshServerPlan
{
    model::MtlsMode mode = model::MtlsMode::Strict; // Strict or Permissive.
    std::string certPem;
    std::string keyPem;
    std::string caPem; // Of the callers.
    std::string trustDomain; // Callers show an identity of it: spiffe://TRUST_DOMAIN/...
    friend bool operator==(const MeshServerPlan&, const MeshServerPlan&) = default;
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
    // Of gateway and outbound: how its requests reach targets with `isMesh`, as HTTP/2 over mutual
    // TLS. Index into Snapshot::upstreamTls; absent: plainly.
    std::optional<std::size_t> meshTls;
    std::optional<MeshServerPlan> mesh; // Of inbound; absent: mesh.mtls is off.
};

// Something that keeps a state of its own for the whole node: a breaker, a limiter, a budget. Two
// plans of the same subject and settings in two snapshots are the same thing, and keep their state.
template <typename Settings>
struct KeptPlan
{
    std::string subject; // "service:cart" or "route:checkout"; whoever says the settings.
    Settings settings;
    friend bool operator==(const KeptPlan&, const KeptPlan&) = default;
};

// A route's resilience over its service's, field by field. Indices are into the Snapshot's lists
// of the same name; absent means that nothing is said.
struct ResiliencePlan
{
    std::string subject; // Of the service; what events of no own subject are about.
    std::optional<Duration> timeout;
    std::optional<Duration> perTryTimeout;
    std::optional<std::size_t> retry;
    std::optional<model::Hedge> hedge;
    std::optional<std::size_t> breaker;
    std::optional<std::size_t> fallbackService; // Of the breaker.
    std::optional<std::size_t> fallbackResilience; // With which the fallback service is called.
    std::optional<model::Mirror> mirror;
    std::optional<std::size_t> mirrorService;
    std::optional<model::Fault> fault;
    std::vector<std::size_t> rateLimits;
    std::optional<std::size_t> adaptiveConcurrency;
    model::RequestPriority priority = model::RequestPriority::Default;
    std::string version; // Only targets of this version; empty: all.
};

// A route of connections or UDP sessions to the service's upstream; found by
// Snapshot::streamRouter.
struct StreamRoutePlan
{
    std::string name;
    std::vector<std::uint16_t> ports; // That it names as destinations; empty: it takes any.
    std::optional<std::size_t> service; // Index into Snapshot::services; absent: refused.
    bool passesTls = false; // Its protocol is tls_passthrough.
    friend bool operator==(const StreamRoutePlan&, const StreamRoutePlan&) = default;
};

// What a route demands of its clients' certificates.
struct MtlsAuthPlan
{
    std::string key; // SHA-256 of all the rest, hex.
    std::string caPem; // Who may vouch.
    std::string crlPem; // What those have taken back.
    model::RevocationMode revocation = model::RevocationMode::IgnoreCaError;
    bool acceptsPartialChain = false;
};

// Handshakes in which a client is asked for a certificate.
struct CertificateWishPlan
{
    std::vector<std::string> snis; // Empty: all.
    std::string caPem; // Whose names are sent; empty: none.
};

struct CertificatePlan
{
    std::string certPem;
    std::string keyPem;
    std::string altCertPem; // A second pair of another type; empty: none.
    std::string altKeyPem;
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
    std::vector<ResiliencePlan> resiliences;
    std::vector<KeptPlan<model::Retry>> retries; // The budget is what is kept.
    std::vector<KeptPlan<model::Breaker>> breakers;
    std::vector<KeptPlan<model::RateLimit>> rateLimits;
    std::vector<KeptPlan<model::AdaptiveConcurrency>> adaptiveConcurrencies;
    std::vector<model::Compression> compressions;
    std::optional<model::Overload> overload;
    policy::StreamRouter streamRouter;
    std::vector<StreamRoutePlan> streamRoutes;
    std::vector<CertificatePlan> certificates;
    model::MtlsMode mtls = model::MtlsMode::Off; // Of the mesh.
    std::vector<UpstreamTlsPlan> upstreamTls;
    std::vector<MtlsAuthPlan> mtlsAuths;
    std::vector<CertificateWishPlan> certificateWishes; // Of gateway listeners.
};

} // namespace mesh::config
