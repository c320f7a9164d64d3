#pragma once

#include "proxyengine/base/clock.h"
#include "simulator/live/live_rehearsal.h"
#include "simulator/report/rehearsal.h"

#include <vector>

// The first variant of a rehearsal with real servers and real proxies in this process.
namespace mesh::ctl {

// Every reason for which it cannot be run live.
[[nodiscard]] std::vector<Error> checkLiveTwin(
    const simulator::RehearsalRequest& request, const Clock& clock
);

// Takes as long as the scenario. Errors: those of rehearseLive().
[[nodiscard]] Result<simulator::LiveRehearsal> runLiveTwin(
    const simulator::RehearsalRequest& request, const Clock& clock
);

// A report of the twin alone, judged by its own figures. Comparisons and ablations need virtual
// time and are left out; there is no hash, because nothing of it repeats exactly.
[[nodiscard]] simulator::Rehearsal reportOf(
    const simulator::RehearsalRequest& request, simulator::LiveRehearsal live
);

} // namespace mesh::ctl
