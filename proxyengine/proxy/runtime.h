#pragma once

#include "proxyengine/config/snapshot.h"
#include "proxyengine/policy/balancer.h"
#include "proxyengine/policy/hash_key.h"
#include "proxyengine/policy/hosts.h"
#include "proxyengine/policy/latency_window.h"
#include "proxyengine/proxy/policy_cells.h"
#include "proxyengine/proxy/upstream_pools.h"
#include "proxyengine/telemetry/counters.h"
#include "proxyengine/tls/context.h"
#include "proxyengine/tls/verifier.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::proxy {

// One upstream as one worker drives it. Survives a change of the snapshot when its plan did not
// change, so that a push does not reset the balancer.
struct UpstreamState
{
    // `before`: the state of the upstream's former plan, whose hosts are not new; may be null.
    UpstreamState(
        const config::UpstreamPlan& from,
        std::string_view nodeZone,
        const UpstreamState* before,
        TimePoint now,
        Random& random
    );

    config::UpstreamPlan plan;
    std::string zone; // Of the node.
    policy::HostSet hosts;
    policy::Balancer balancer;
    policy::HashRule hashRule;
    bool isHashing = false; // Its algorithm wants a hash of each request.
    std::vector<UpstreamPools::Known> pools; // By target; see Worker::poolFor().
    std::vector<bool> hasReported; // By target: a failure was reported and no success since.
    std::vector<std::uint32_t> successes; // By target, not reported yet.
    bool isPassive = false; // Requests can change the health of its targets.
    bool isWatched = false; // Its outlier detection wants every success counted.
    std::uint32_t holders = 0; // Runtimes.
};

// Whether an old state can serve the new plan.
[[nodiscard]] bool isSamePlan(const config::UpstreamPlan& a, const config::UpstreamPlan& b);

// One listener's part of a runtime.
struct ListenerView
{
    std::string source; // As counters call the callers.
    std::size_t table = kNoTable;
    bool isInbound = false; // A sidecar's, in front of the workload's process.
    std::vector<telemetry::RequestRow*> requestRows; // By route, "no route", parts of splits.
    std::size_t noRoute = 0; // Its place.
    std::shared_ptr<const tls::ServerContext> meshServer; // Of a sidecar in a mesh; null: plain.
    model::MtlsMode meshMode = model::MtlsMode::Off;
    std::optional<std::size_t> meshTls; // As ListenerPlan::meshTls.
    std::vector<std::size_t> splitRows; // By route: place of its first part.
    std::vector<std::vector<telemetry::AttemptRow*>> attemptRows; // By upstream and target.

    static constexpr std::size_t kNoTable = ~std::size_t{0};
};

// What the control thread sends to every worker for one configuration.
struct Activation
{
    std::shared_ptr<const config::Snapshot> snapshot;
    std::shared_ptr<const tls::ServerContext> serverTls; // Null: no listener needs it.
    std::vector<std::shared_ptr<const tls::ServerContext>> meshServers; // By Snapshot::listeners.
    std::vector<std::shared_ptr<const tls::PeerVerifier>> verifiers; // By Snapshot::mtlsAuths.
    std::vector<std::shared_ptr<const tls::ClientContext>> upstreamTls; // By Snapshot::upstreamTls.
    std::vector<std::vector<bool>> isAvailable; // By upstream and target.
    std::shared_ptr<const PolicyCells> cells;
};

// A snapshot as one worker runs it. Dies with its last stream.
struct Runtime
{
    Runtime() = default;
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;
    ~Runtime();

    Activation activation;
    std::vector<UpstreamState*> upstreams; // By index of the snapshot.
    std::vector<ListenerView> listeners; // By index of the worker's listeners.
    std::uint32_t streams = 0;

    [[nodiscard]] const config::Snapshot& snapshot() const { return *activation.snapshot; }
    // Without a route: the row of requests that match none. `part`: of the route's split.
    [[nodiscard]] telemetry::RequestRow& requestRow(
        telemetry::WorkerCounters& counters,
        std::size_t listener,
        std::optional<std::size_t> route,
        std::optional<std::size_t> part
    );
    [[nodiscard]] telemetry::AttemptRow& attemptRow(
        telemetry::WorkerCounters& counters,
        std::size_t listener,
        std::size_t upstream,
        std::size_t target
    );
    // How requests of this listener reach this target of the service; null: plainly.
    [[nodiscard]] const std::shared_ptr<const tls::ClientContext>& hopTls(
        std::size_t listener, const config::ServicePlan& service, const config::TargetPlan& target
    ) const;
    // Latencies of the requests under this plan, as this worker saw them.
    [[nodiscard]] policy::LatencyWindow& latencyWindow(std::size_t resilience, TimePoint now);

private:
    std::map<std::size_t, std::unique_ptr<policy::LatencyWindow>> m_latencyWindows;
};

} // namespace mesh::proxy
