#include "app/ctl/live_twin.h"

#include "proxyengine/base/log.h"
#include "proxyengine/proxy/local_engine.h"
#include "simulator/scenario/patch.h"

#include <algorithm>
#include <utility>

namespace mesh::ctl {
namespace {

using simulator::LiveRehearsal;
using simulator::LiveRehearsalRequest;
using simulator::Rehearsal;
using simulator::RehearsalRequest;
using simulator::Verdict;

// The patch of the first variant fits: the request has been checked.
LiveRehearsalRequest liveRequest(const RehearsalRequest& request, const Clock& clock)
{
    LiveRehearsalRequest live;
    live.scenario = request.scenario;
    live.document = request.document;
    if (!request.scenario.policies.empty()) {
        auto document =
            simulator::applyPatch(*request.document, request.scenario.policies.front().patch);
        if (document) {
            live.document = std::make_shared<const model::Document>(*std::move(document));
        }
    }
    live.engineFactory = [](const api::EngineOptions& options,
                            const std::shared_ptr<const model::Document>&) {
        return proxy::makeLocalEngine(options); // The document comes as its first command.
    };
    live.clock = &clock;
    live.cancelled = request.cancelled;
    return live;
}

} // namespace

std::vector<Error> checkLiveTwin(const RehearsalRequest& request, const Clock& clock)
{
    return simulator::checkLive(liveRequest(request, clock));
}

Result<LiveRehearsal> runLiveTwin(const RehearsalRequest& request, const Clock& clock)
{
    setLogLevel(LogLevel::Error); // Thirty engines that start and stop are no news here.
    return simulator::rehearseLive(liveRequest(request, clock));
}

Rehearsal reportOf(const RehearsalRequest& request, LiveRehearsal live)
{
    Rehearsal rehearsal;
    rehearsal.scenario = request.scenario;
    rehearsal.scenario.replications = 1;
    rehearsal.entries = std::move(live.entries);
    rehearsal.faults = std::move(live.faults);
    rehearsal.trust.liveNotes = std::move(live.notes);
    const auto& asserts = live.figures.asserts;
    const bool allHold = std::ranges::all_of(asserts, &simulator::AssertionResult::holds);
    rehearsal.verdict = allHold ? Verdict::Holds : Verdict::Fails;
    rehearsal.variants.push_back(std::move(live.figures));
    return rehearsal;
}

} // namespace mesh::ctl
