#include "simulator/live/live_twin.h"

#include "simulator/live/proxy_cost.h"
#include "simulator/models/duration_law.h"
#include "simulator/scenario/patch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mesh::simulator {
namespace {

Result<LiveRehearsalRequest> liveRequest(const TwinRequest& request)
{
    LiveRehearsalRequest live;
    live.scenario = request.rehearsal.scenario;
    live.document = request.rehearsal.document;
    const auto& policies = request.rehearsal.scenario.policies;
    if (!policies.empty() && !policies.front().patch.isNull()) {
        MESH_TRY(
            model::Document patched, applyPatch(*request.rehearsal.document, policies.front().patch)
        );
        live.document = std::make_shared<const model::Document>(std::move(patched));
    }
    live.engineFactory = request.engineFactory;
    live.clock = request.clock;
    live.onProgress = request.onLiveProgress;
    live.cancelled = request.rehearsal.cancelled;
    return live;
}

double shareOf(const model::DurationLaw& law, double share)
{
    const auto found =
        std::ranges::lower_bound(law.quantiles, share, {}, &std::pair<double, Duration>::first);
    return found == law.quantiles.end() ? 0.0 : toSeconds(found->second) * 1e3;
}

Rehearsal ofLiveAlone(const Scenario& scenario, const LiveRehearsal& live)
{
    Rehearsal rehearsal;
    rehearsal.scenario = scenario;
    rehearsal.entries = live.entries;
    rehearsal.faults = live.faults;
    rehearsal.variants = {live.figures};
    rehearsal.hops = live.figures.hops;
    rehearsal.trust.liveNotes = live.notes;
    const bool isFine = std::ranges::all_of(live.figures.asserts, &AssertionResult::holds);
    rehearsal.verdict = live.stoppedBy ? Verdict::Stopped
                        : isFine       ? Verdict::Holds
                                       : Verdict::Fails;
    rehearsal.stoppedBy = live.stoppedBy;
    return rehearsal;
}

} // namespace

std::vector<Error> checkTwin(const TwinRequest& request)
{
    const auto live = liveRequest(request);
    return live ? checkLive(*live) : std::vector<Error>{live.error()};
}

Result<Rehearsal> rehearseWithTwin(const TwinRequest& request)
{
    MESH_TRY(const LiveRehearsalRequest live, liveRequest(request));
    if (std::vector<Error> errors = checkLive(live); !errors.empty()) {
        return tl::unexpected(std::move(errors.front()));
    }
    if (request.mode == TwinMode::Live) {
        MESH_TRY(const LiveRehearsal found, rehearseLive(live));
        return ofLiveAlone(request.rehearsal.scenario, found);
    }
    RehearsalRequest predicted = request.rehearsal;
    std::string note;
    if (predicted.scenario.network == NetworkLaws()) {
        MESH_TRY(const model::DurationLaw cost, measureProxyCost(live, kCostLength));
        predicted.scenario.network.proxy = cost;
        note = fmt::format(
            "virtual calls cost what those of this machine do, measured with services of constant "
            "time: "
            "median {:.2f} ms, p99 {:.2f} ms a call",
            shareOf(cost, 0.5),
            shareOf(cost, 0.99)
        );
    }
    MESH_TRY(Rehearsal rehearsal, rehearse(predicted));
    MESH_TRY(const LiveRehearsal found, rehearseLive(live));
    compareWithLive(rehearsal, found);
    if (!note.empty()) {
        rehearsal.trust.liveNotes.insert(rehearsal.trust.liveNotes.begin(), std::move(note));
    }
    return rehearsal;
}

} // namespace mesh::simulator
