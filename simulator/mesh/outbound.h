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
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace mesh::simulator {

// A probe that is on its way.
struct ProbeState
{
    bool isRunning = false;
    policy::Observation found;
    TimerHandle end;
};

// What one simulated proxy knows of one service: the same policy objects that a real proxy has,
// with plain words where that shares atomics among workers. It sees only its own requests.
struct Outbound
{
    enum class Connections : std::uint8_t { Ignored, Followed };

    // Host numbers are those of the plan's targets.
    Outbound(
        const CalleePlan& called,
        std::string_view zone,
        TimePoint now,
        Random& random,
        Connections connections
    );

    const CalleePlan* plan;
    policy::HostSet hosts;
    policy::Balancer balancer;
    policy::Subset subset = policy::kAllHosts;
    std::optional<policy::RetryRules> retry; // Nothing: the service's plain `retries`.
    std::optional<policy::RetryAllowance> allowance; // With `retry`.
    std::uint64_t budget = 0; // The word.
    std::optional<ProxyBreaker> breaker;
    std::optional<policy::OutlierDetector> detector;
    std::optional<policy::LimitRules> limits;
    policy::LimitUse<std::uint64_t> use;
    policy::LimitLane lane = policy::LimitLane::Default;
    std::optional<model::Hedge> hedge;
    std::unique_ptr<policy::LatencyWindow> latencies; // With a hedge after a percentile.
    Duration tryTimeout{}; // One attempt, to its answer.
    std::optional<Duration> timeout; // All of them.
    std::vector<ConnectionPool> pools; // By host; empty: connections make no difference.
    std::vector<std::uint32_t> poolEpochs; // Of the instances, when the pools were last used.
    std::deque<SlabHandle> pending; // Calls that wait for a connection.
    std::optional<policy::RetryRules> storm; // While callers repeat as they should not.
    std::optional<policy::FaultRule> fault;
    std::optional<policy::MirrorRule> mirror;
    std::optional<std::uint32_t> mirrorCallee; // Of the caller.
    std::optional<std::uint32_t> fallbackCallee; // Likewise; for an open breaker.
    std::optional<policy::AdaptiveConcurrency> concurrency;
    // One word each: the callers that a rule tells apart are either one, or never come twice.
    std::vector<std::pair<policy::RateRule, std::uint64_t>> rates;
    std::optional<policy::HealthRules> rules; // Of health checks; nothing: none are made.
    std::vector<policy::HealthMachine> machines; // By host.
    std::vector<ProbeState> probes; // By host.
    int probing = 0;
    TimerHandle nextProbes;
    std::vector<bool> isAvailable; // By host: as decided, though perhaps not seen yet.
    std::vector<std::pair<std::uint32_t, TimerHandle>> unseen; // Changes of hosts, late.
    std::uint32_t proxy = 0; // Whose it is.
    std::uint32_t callee = 0;
    std::uint32_t edge = 0; // The row of measures of its edge.
    TimerHandle sweep; // The detector's next.
    bool wasInPanic = false; // When it was told last.

    // The host's pool; connections to an instance that was killed since are gone.
    ConnectionPool& poolOf(std::uint32_t host, std::uint32_t epoch);
    [[nodiscard]] std::uint64_t openConnections() const;
    // How long a connection may take, and an attempt that has run for so long already.
    [[nodiscard]] Duration connectLimit() const;
    [[nodiscard]] Duration tryLimit(Duration passed) const;

private:
    void addPolicies(const config::ResiliencePlan& said, TimePoint now);
    [[nodiscard]] bool limitsConnections() const;
};

} // namespace mesh::simulator
