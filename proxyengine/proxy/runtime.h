#pragma once

#include "proxyengine/config/snapshot.h"
#include "proxyengine/policy/balancer.h"
#include "proxyengine/policy/hosts.h"
#include "proxyengine/proxy/upstream_pool.h"
#include "proxyengine/telemetry/counters.h"
#include "proxyengine/tls/context.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mesh::proxy {

// One upstream as one worker drives it. Survives a change of the snapshot when its plan did not
// change, so that a push does not reset the balancer.
struct UpstreamState
{
    UpstreamState(const config::UpstreamPlan& from, Random& random);

    config::UpstreamPlan plan;
    policy::HostSet hosts;
    policy::Balancer balancer;
    std::vector<UpstreamPool*> pools; // By target.
    std::vector<bool> hasReported; // By target: a failure was reported and no success since.
    bool isPassive = false; // Requests can change the health of its targets.
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
    std::vector<telemetry::RequestRow*> requestRows; // By route; the last is "no route".
    std::vector<std::vector<telemetry::AttemptRow*>> attemptRows; // By upstream and target.

    static constexpr std::size_t kNoTable = ~std::size_t{0};
};

// Whether a service's targets are spoken to under TLS.
[[nodiscard]] constexpr bool speaksTls(model::Protocol protocol)
{
    return protocol == model::Protocol::Https || protocol == model::Protocol::Grpcs
           || protocol == model::Protocol::Tls;
}

// What the control thread sends to every worker for one configuration.
struct Activation
{
    std::shared_ptr<const config::Snapshot> snapshot;
    std::shared_ptr<const tls::ServerContext> serverTls; // Null: no listener needs it.
    std::shared_ptr<const tls::ClientContext> clientTls; // Null: no service needs it.
    std::vector<std::vector<bool>> isAvailable; // By upstream and target.
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
    [[nodiscard]] telemetry::RequestRow& requestRow(
        telemetry::WorkerCounters& counters, std::size_t listener, std::size_t route
    );
    [[nodiscard]] telemetry::AttemptRow& attemptRow(
        telemetry::WorkerCounters& counters,
        std::size_t listener,
        std::size_t upstream,
        std::size_t target
    );
};

} // namespace mesh::proxy
