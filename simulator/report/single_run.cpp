#include "simulator/report/single_run.h"

#include "proxyengine/base/assert.h"
#include "simulator/mesh/mesh_run.h"
#include "simulator/report/guard_watch.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace mesh::simulator {
namespace {

constexpr Duration kStep = std::chrono::seconds(1);

MeshRunSettings settingsOf(const RunOrder& order)
{
    const Scenario& scenario = *order.scenario;
    MeshRunSettings settings;
    settings.seed = seedOf(scenario, order.replication);
    settings.duration = *scenario.duration;
    settings.loads = scenario.load;
    settings.timeline = scenario.timeline;
    settings.network = scenario.network;
    settings.windows = order.windows->all();
    settings.isRecorded = order.kind == RunKind::Variant;
    settings.slowestMax = order.kind == RunKind::Variant ? order.slowestMax : 0;
    settings.slowestWindow = order.windows->ofFaults();
    settings.traced = order.traced;
    return settings;
}

void addBusy(const RunOrder& order, const MeshRun& run, RunOutcome& outcome)
{
    const MeshPlan& plan = *order.plan;
    for (const MeasureRow& row : outcome.services) {
        const auto service = plan.find(row.name());
        MESH_ASSERT(service.has_value());
        const double workers = static_cast<double>(plan.instancesOf(*service).size())
                               * static_cast<double>(plan.models()[*service].concurrency);
        std::vector<double>& busy = outcome.busy.emplace_back();
        for (std::size_t window = 0; window < order.windows->all().size(); ++window) {
            const double capacity = workers * toSeconds(run.windows()[window].length());
            busy.push_back(run.utilization(row.name(), window) * capacity);
        }
        outcome.workers.push_back(workers);
    }
}

} // namespace

Seed seedOf(const Scenario& scenario, int replication)
{
    return deriveSeed(scenario.seed, static_cast<std::uint64_t>(replication));
}

RunOutcome runOnce(const RunOrder& order)
{
    const bool isWatched = order.kind == RunKind::Variant;
    RunOutcome outcome;
    outcome.measured = *order.scenario->duration;
    MeshRun run(*order.plan, settingsOf(order));
    GuardWatch watch(order.scenario->guards, order.scenario->warmup);
    for (std::size_t second = 0;; ++second) {
        const Duration now = kStep * static_cast<Duration::rep>(second + 1);
        const bool hasMore = run.runUntil(TimePoint{} + now);
        if (isWatched && !outcome.guard && now <= *order.scenario->duration) {
            outcome.guard = watch.look(run.record(), second);
            if (outcome.guard) {
                outcome.measured = now;
                run.endLoad(TimePoint{} + now);
            }
        }
        if (order.onSecond) {
            order.onSecond(run.record(), second);
        }
        outcome.isCancelled =
            order.cancelled != nullptr && order.cancelled->load(std::memory_order_relaxed);
        if (!hasMore || outcome.isCancelled) {
            break;
        }
    }
    run.close();
    outcome.services = run.services();
    outcome.edges = run.edges();
    addBusy(order, run, outcome);
    outcome.fingerprint = run.fingerprint();
    outcome.events = run.events();
    outcome.hops = run.hops();
    outcome.record = run.record();
    outcome.slowest = run.slowest();
    outcome.traces = run.takeTraces();
    if (outcome.guard) {
        RunMarker marker;
        marker.at = outcome.measured;
        marker.kind = RunMarker::Kind::GuardStopped;
        std::vector<RunMarker>& markers = outcome.record.markers;
        const auto next = std::ranges::upper_bound(markers, marker.at, {}, &RunMarker::at);
        markers.insert(next, std::move(marker));
    }
    return outcome;
}

} // namespace mesh::simulator
