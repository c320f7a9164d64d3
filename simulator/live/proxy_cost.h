#pragma once

#include "simulator/live/live_rehearsal.h"

namespace mesh::simulator {

// What real proxies, connections, timers and servers of this machine add to a call, as a law for
// NetworkLaws::proxy: measured with the scenario's own mesh and load, but with services that always
// take their mean time and never fail or queue. What calls of services that call nobody take beyond
// that time is the cost: what the live twin pays for every call, and a prediction of it has to
// know. Services that took no time at all would not do: a machine that sleeps between requests
// wakes up more slowly than one that is kept awake.
//
// Blocks for `length` and a second of warm-up. Faults and duration of the request are not looked
// at. Errors: NotFound when nobody called such a service; as rehearseLive().
[[nodiscard]] Result<model::DurationLaw> measureProxyCost(
    const LiveRehearsalRequest& request, Duration length
);

} // namespace mesh::simulator
