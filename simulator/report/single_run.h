#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/base/time.h"
#include "simulator/mesh/measures.h"
#include "simulator/mesh/mesh_plan.h"
#include "simulator/mesh/request_trace.h"
#include "simulator/mesh/run_record.h"
#include "simulator/report/windows.h"
#include "simulator/scenario/scenario.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace mesh::simulator {

enum class RunKind : std::uint8_t {
    Variant, // Recorded, and stopped by guards.
    Ablation, // Neither: only its figures are asked for.
};

struct RunOrder
{
    const MeshPlan* plan = nullptr;
    const Scenario* scenario = nullptr;
    const ScenarioWindows* windows = nullptr;
    int replication = 0;
    RunKind kind = RunKind::Variant;
    const std::atomic<bool>* cancelled = nullptr; // Optional.
    std::size_t slowestMax = 0; // Of a variant: root requests during the faults to be noted.
    std::vector<std::uint64_t> traced; // Numbers of root requests to be followed.
    // Optional; after each second of virtual time, with the record so far.
    std::function<void(const RunRecord&, std::size_t second)> onSecond;
};

// What one run gave, without its mesh.
struct RunOutcome
{
    std::vector<MeasureRow> services;
    std::vector<MeasureRow> edges; // Those along which somebody called.
    std::vector<std::vector<double>> busy; // Worker-seconds, by service and window.
    std::vector<double> workers; // By service.
    RunRecord record;
    std::vector<SlowRequest> slowest;
    std::vector<TracedRequest> traces;
    Duration measured{}; // Since the start: to the end of the load, or to where a guard stopped it.
    std::optional<std::size_t> guard; // Which one.
    bool isCancelled = false;
    std::uint64_t fingerprint = 0;
    std::uint64_t events = 0;
    std::uint64_t hops = 0;
};

// The luck of a replication: the same for every variant.
[[nodiscard]] Seed seedOf(const Scenario& scenario, int replication);

// Runs to its end, second by second: guards and cancellation are looked at in between. A guard ends
// the load; what has begun by then goes on to its end and is counted.
[[nodiscard]] RunOutcome runOnce(const RunOrder& order);

} // namespace mesh::simulator
