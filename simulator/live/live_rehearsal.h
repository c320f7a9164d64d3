#pragma once

#include "proxyengine/base/clock.h"
#include "proxyengine/base/error.h"
#include "proxyengine/model/document.h"
#include "simulator/live/live_mesh.h"
#include "simulator/report/rehearsal.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mesh::simulator {

struct LiveProgress
{
    Duration passed{}; // Since the load began.
    Duration length{}; // Of the scenario.
    LoadFigures clients;
};

struct LiveRehearsalRequest
{
    Scenario scenario; // Its mesh and policies are not looked at.
    std::shared_ptr<const model::Document> document; // The variant's patch is in it.
    EngineFactory engineFactory;
    const Clock* clock = nullptr;
    std::function<void(const LiveProgress&)> onProgress; // Optional; some times a second.
    const std::atomic<bool>* cancelled = nullptr; // Optional.
};

// What the scenario did with real servers and proxies on loopback.
struct LiveRehearsal
{
    VariantResult figures; // Named "live". Nothing of it repeats exactly: it has no hash.
    std::vector<std::string> entries;
    std::vector<ResolvedFault> faults; // By place in the timeline.
    std::vector<std::string> notes; // What was otherwise than in virtual time, and why.
    double processorsUsed = 0.0; // Of this process, mean over the run.
    std::optional<std::string> stoppedBy; // The guard that ended the load.
    // False: the load was cut, a guard ended it, or this machine was the bottleneck.
    bool isComparable = true;
};

// Root requests per second of all loads together. A root request of the demo is some ten proxy
// hops, and clients, servers and proxies share the machine.
inline constexpr double kLiveRateMax = 2000.0;

// Every reason for which the scenario cannot be run live: no duration, faults that only virtual
// time can play, an entry without a model.
[[nodiscard]] std::vector<Error> checkLive(const LiveRehearsalRequest& request);

// Runs the scenario in wall time. Every instance gets a sidecar of its own, as in virtual time.
//
// Calls are counted where they are made, by the clients and the instances themselves: from the
// intended start to the final answer, with all that the proxies do between. What started before the
// end is finished and counted, for at most kLiveDrainMax. Attempts per call are the proxies' own
// counts, told once a second: those of a second on the border of two windows are divided by time.
// Guards are looked at when a second is over; one on amplification when the proxies have told it.
// Blocks for the scenario's duration and some seconds.
// Errors: the first of checkLive(); those of LiveMesh::start(); Cancelled.
[[nodiscard]] Result<LiveRehearsal> rehearseLive(const LiveRehearsalRequest& request);
inline constexpr Duration kLiveDrainMax = std::chrono::seconds(15);

// Puts the live twin and the prediction's error into a rehearsal: its first variant minus the twin,
// over the window always; of several entries the one that is furthest off. Errors are left open
// when the twin is not comparable or nothing was called.
void compareWithLive(Rehearsal& rehearsal, const LiveRehearsal& live);

} // namespace mesh::simulator
