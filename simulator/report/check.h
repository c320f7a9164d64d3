#pragma once

#include "proxyengine/base/error.h"
#include "simulator/report/lanes.h"
#include "simulator/report/windows.h"
#include "simulator/scenario/scenario.h"

#include <vector>

namespace mesh::simulator {

// What stands against running the scenario on these lanes. Places of errors are paths in the
// scenario, "assert[2].that".
void checkScenario(
    const Scenario& scenario, const std::vector<Lane>& lanes, std::vector<Error>& problems
);

// What stands against running it on any document: no duration, no load.
void checkWithoutMesh(const Scenario& scenario, std::vector<Error>& problems);

} // namespace mesh::simulator
