#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/config/problem.h"
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

// Those errors of a run that problems of the file, or errors told before, do not explain: what the
// reader could not take, or somebody else refuses, is not judged again at the same place. Places
// are paths in the scenario.
[[nodiscard]] std::vector<Error> unexplained(
    std::vector<Error> ofRun, const std::vector<config::Problem>& ofFile
);
[[nodiscard]] std::vector<Error> unexplained(
    std::vector<Error> more, const std::vector<Error>& known
);

} // namespace mesh::simulator
