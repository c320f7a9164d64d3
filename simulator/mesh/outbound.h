#pragma once

#include "proxyengine/policy/adaptive_concurrency.h"
#include "proxyengine/policy/balancer.h"
#include "proxyengine/policy/budget.h"
#include "proxyengine/policy/fault.h"
#include "proxyengine/policy/health.h"
#include "proxyengine/policy/hedge.h"
#include "proxyengine/policy/latency_window.h"
#include "proxyengine/policy/limits.h"
#include "proxyengine/policy/mirror.h"
#include "proxyengine/policy/outlier.h"
#include "proxyengine/policy/rate_limit.h"
#include "proxyengine/policy/retry_rules.h"
#include "simulator/kernel/slab.h"
#include "simulator/kernel/timer_wheel.h"
#include "simulator/mesh/connection_pool.h"
#include "simulator/mesh/mesh_plan.h"
#include "simulator/mesh/proxy_breaker.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mesh::simulator {

// What the document says of one callee, compiled once for all proxies that call it alike.
struct OutboundRules
{
    enum class Connections : std::uint8_t { Ignored, Followed };

    OutboundRules(const CalleePlan& called, Connections connections);

    const CalleePlan* plan;
    std::optional<policy::RetryRules> retry; // Nothing: the service's plain `retries`.
    std::optional<policy::RetryAllowance> allowance; // With a budget.
    std::optional<policy::LimitRules> limits;
    std::optional<std::uint64_t> connectionsMax; // Only when it can be reached.
    std::optional<std::uint64_t> targetConnectionsMax;
    policy::LimitLane lane = policy::LimitLane::Default;
    std::optional<model::Hedge> hedge;
    Duration tryTimeout{}; // One attempt, to its answer.
    std::optional<Duration> timeout; // All of them.
    std::optional<policy::FaultRule> fault;
    std::optional<policy::MirrorRule> mirror;
    std::optional<policy::HealthRules> checks; // Nothing: none are made.
    std::vector<policy::RateRule> rates; // Those that can refuse anything.
    bool hasPools = false; // Connections are followed one by one.

    // How long a connection may take, and an attempt that has run for so long already.
    [[nodiscard]] Duration connectLimit() const;
    [[nodiscard]] Duration tryLimit(Duration passed) const;
    [[nodiscard]] bool limitsConnections() const
    {
        return connectionsMax.has_value() || targetConnectionsMax.has_value();
    }

private:
    void addPolicies(const config::ResiliencePlan& said);
    void addLimits();
};

// A probe that is on its way.
struct ProbeState
{
    bool isRunning = false;
    policy::Observation found;
    TimerHandle end;
};

// What one simulated proxy knows of one service: the same policy objects that a real proxy has,
// with plain words where that shares atomics among workers. It sees only its own requests.
//
// A mesh has ten thousands of them, so that what every call needs stands close together, and what
// few have comes last.
struct Outbound
{
    // Host numbers are those of the plan's targets.
    Outbound(const OutboundRules& from, std::string_view zone, TimePoint now, Random& random);

    // Up to `latencies`.
    static constexpr std::size_t kHotBytes = 19 * 64;

    const CalleePlan* plan;
    const OutboundRules* rules;
    std::uint32_t edge = 0; // The row of measures of its edge.
    policy::Subset subset = policy::kAllHosts;
    std::uint32_t proxy = 0; // Whose it is.
    std::uint32_t callee = 0;
    std::uint64_t budget = 0; // The word.
    policy::LimitUse<std::uint64_t> use;
    policy::HostSet hosts;
    policy::Balancer balancer;
    std::optional<ProxyBreaker> breaker;
    std::optional<policy::OutlierDetector> detector;
    std::unique_ptr<policy::LatencyWindow> latencies; // With a hedge after a percentile.
    std::unique_ptr<policy::AdaptiveConcurrency> concurrency;
    std::unique_ptr<policy::RetryRules> storm; // While callers repeat as they should not.
    // One word each: the callers that a rule tells apart are either one, or never come twice.
    std::vector<std::uint64_t> rates;
    std::vector<ConnectionPool> pools; // By host; empty: not followed.
    std::vector<SlabHandle> pending; // Calls that wait for a connection.
    std::vector<policy::HealthMachine> machines; // By host.

    std::vector<std::uint32_t> poolEpochs; // Of the instances, when the pools were last used.
    std::vector<ProbeState> probes; // By host.
    int probing = 0;
    TimerHandle nextProbes;
    TimerHandle sweep; // The detector's next.
    std::vector<bool> isAvailable; // By host: as decided, though perhaps not seen yet.
    std::vector<std::pair<std::uint32_t, TimerHandle>> unseen; // Changes of hosts, late.
    std::optional<std::uint32_t> mirrorCallee; // Of the caller.
    std::optional<std::uint32_t> fallbackCallee; // Likewise; for an open breaker.
    bool wasInPanic = false; // When it was told last.

    // The hosts are of these versions from now on.
    void setVersions(
        std::span<const std::string> versions, std::string_view zone, TimePoint now, Random& random
    );

    // A call will come soon: what it will look at is fetched from memory.
    void foresee() const
    {
        __builtin_prefetch(hosts.hosts().data());
        __builtin_prefetch(hosts.hosts().data() + 4);
        __builtin_prefetch(hosts.hosts().data() + 8);
        balancer.foresee();
    }

    // The host's pool; connections to an instance that was killed since are gone.
    ConnectionPool& poolOf(std::uint32_t host, std::uint32_t epoch);
    [[nodiscard]] std::uint64_t openConnections() const;
};

} // namespace mesh::simulator
