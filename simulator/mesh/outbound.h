#pragma once

#include "proxyengine/policy/balancer.h"
#include "proxyengine/policy/breaker.h"
#include "proxyengine/policy/budget.h"
#include "proxyengine/policy/hedge.h"
#include "proxyengine/policy/latency_window.h"
#include "proxyengine/policy/limits.h"
#include "proxyengine/policy/outlier.h"
#include "proxyengine/policy/retry_rules.h"
#include "simulator/kernel/timer_wheel.h"
#include "simulator/mesh/mesh_plan.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace mesh::simulator {

// What one simulated proxy knows of one service: the same policy objects that a real proxy has,
// with plain words where that shares atomics among workers. It sees only its own requests.
struct Outbound
{
    // Host numbers are those of the plan's targets.
    Outbound(const CalleePlan& callee, std::string_view zone, TimePoint now, Random& random);

    const CalleePlan* plan;
    policy::HostSet hosts;
    policy::Balancer balancer;
    policy::Subset subset = policy::kAllHosts;
    std::optional<policy::RetryRules> retry; // Nothing: the service's plain `retries`.
    std::optional<policy::RetryAllowance> allowance; // With `retry`.
    std::uint64_t budget = 0; // The word.
    std::optional<policy::CircuitBreaker> breaker;
    std::optional<policy::OutlierDetector> detector;
    std::optional<policy::LimitRules> limits;
    policy::LimitUse<std::uint64_t> use;
    policy::LimitLane lane = policy::LimitLane::Default;
    std::optional<model::Hedge> hedge;
    std::unique_ptr<policy::LatencyWindow> latencies; // With a hedge after a percentile.
    Duration tryTimeout{}; // One attempt, to its answer.
    std::optional<Duration> timeout; // All of them.
    std::uint32_t edge = 0; // The row of measures of its edge.
    TimerHandle sweep; // The detector's next.
    bool wasInPanic = false; // When it was told last.

    // Makes a verdict of the detector true for the balancer.
    void apply(const policy::OutlierVerdict& verdict, TimePoint now);
};

} // namespace mesh::simulator
