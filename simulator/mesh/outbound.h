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

#include <cstddef>
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
//
// What every call asks stands first; the rest is looked at when it is there.
struct alignas(64) OutboundRules
{
    enum class Connections : std::uint8_t { Ignored, Followed };

    OutboundRules(const CalleePlan& called, Connections connections);

    const CalleePlan* plan;
    const std::uint32_t* instances; // By target.
    double threshold; // Of health, in percent, below which nothing is sent.
    Duration tryTimeout{}; // One attempt, to its answer.
    std::optional<Duration> timeout; // All of them.
    policy::LimitLane lane = policy::LimitLane::Default;
    bool hasPools = false; // Connections are followed one by one.
    bool hasFault = false;
    bool hasMirror = false;
    bool hasHedge = false;
    bool hasChecks = false;
    bool hasRates = false;
    bool isShedding = false; // Under overload.
    std::optional<policy::RetryAllowance> allowance; // With a budget.
    std::optional<std::uint64_t> connectionsMax; // Only when it can be reached.
    std::optional<std::uint64_t> targetConnectionsMax;
    std::optional<policy::LimitRules> limits;

    std::optional<policy::RetryRules> retry; // Nothing: the service's plain `retries`.
    std::optional<model::Hedge> hedge;
    std::optional<policy::FaultRule> fault;
    std::optional<policy::MirrorRule> mirror;
    std::optional<policy::HealthRules> checks; // Nothing: none are made.
    std::vector<policy::RateRule> rates; // Those that can refuse anything.

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
struct alignas(64) Outbound
{
    // Host numbers are those of the plan's targets.
    Outbound(const OutboundRules& from, std::string_view zone, TimePoint now, Random& random);

    const CalleePlan* plan;
    const OutboundRules* rules;
    std::uint32_t edge = 0; // The row of measures of its edge.
    policy::Subset subset = policy::kAllHosts;
    std::uint32_t proxy = 0; // Whose it is.
    std::uint32_t callee = 0;
    std::uint32_t service = 0; // That is called.
    std::uint64_t budget = 0; // The word.
    std::unique_ptr<policy::LatencyWindow> latencies; // With a hedge after a percentile.
    std::unique_ptr<policy::AdaptiveConcurrency> concurrency;
    policy::LimitUse<std::uint64_t> use;
    std::vector<SlabHandle> pending; // Calls that wait for a connection.
    policy::HostSet hosts;
    policy::Balancer balancer;
    std::optional<ProxyBreaker> breaker;
    std::optional<policy::OutlierDetector> detector;
    std::unique_ptr<policy::RetryRules> storm; // While callers repeat as they should not.
    // One word each: the callers that a rule tells apart are either one, or never come twice.
    std::vector<std::uint64_t> rates;
    std::vector<ConnectionPool> pools; // By host; empty: not followed.
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

    // A call will come soon: what it will look at is fetched from memory, in three steps, because
    // each finds its places in what the one before has fetched.
    void foresee() const
    {
        constexpr std::size_t kHotBytesOfHosts = 96; // They stand first.
        fetch(this, &hosts, kHotBytesOfHosts);
        fetch(&balancer, &detector, 1);
        fetch(&storm, &storm, 1); // Beside it stands whether there is a detector.
    }
    void foreseeHosts() const
    {
        fetch(
            hosts.hosts().data(), hosts.hosts().data(), kForeseenHosts * sizeof(policy::HostState)
        );
        balancer.foresee();
    }
    void foreseeLists() const { balancer.foreseeLists(); }

    // The host's pool; connections to an instance that was killed since are gone.
    ConnectionPool& poolOf(std::uint32_t host, std::uint32_t epoch);
    [[nodiscard]] std::uint64_t openConnections() const;

private:
    static constexpr std::size_t kForeseenHosts = 12; // Of more, a pick meets others seldom.

    // Every line of the cache from the first object up to some bytes into the second.
    static void fetch(const void* from, const void* until, std::size_t bytes)
    {
        constexpr std::size_t kLine = 64;
        const auto* const end = static_cast<const char*>(until) + bytes;
        for (const auto* at = static_cast<const char*>(from); at < end; at += kLine) {
            __builtin_prefetch(at);
        }
    }
};

} // namespace mesh::simulator
