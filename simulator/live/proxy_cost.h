#pragma once

#include "simulator/live/live_rehearsal.h"

namespace mesh::simulator {

// What real proxies, connections and servers of this machine add to a call, as a law for
// NetworkLaws::proxy: measured with the scenario's own mesh and load, but with services that need
// no time and never fail, on the calls of services that call nobody. It is what the live twin pays
// for every call, and what a prediction of it has to know.
//
// Blocks for `length` and a second of warm-up. Faults and duration of the request are not looked
// at. Errors: NotFound when nobody called such a service; as rehearseLive().
[[nodiscard]] Result<model::DurationLaw> measureProxyCost(
    const LiveRehearsalRequest& request, Duration length
);

} // namespace mesh::simulator
