#pragma once

#include "proxyengine/base/error.h"
#include "simulator/mesh/mesh_plan.h"
#include "simulator/report/rehearsal.h"
#include "simulator/report/single_run.h"

#include <string>
#include <vector>

namespace mesh::simulator {

// One mesh of a rehearsal; it is run with every seed. Variants stand first, in file order, then the
// first variant without one policy each, then, when there are several, without all of them.
struct Lane
{
    RunKind kind = RunKind::Variant;
    std::string name; // Of the variant, or of the policy that is out; "all".
    MeshPlan plan;
};

// The name of the only variant of a scenario without policies.
inline constexpr const char* kOnlyVariant = "baseline";

// Adds what is wrong to `problems`: patches that do not fit, meshes that cannot be simulated.
// Complete when nothing was added.
[[nodiscard]] std::vector<Lane> makeLanes(
    const Scenario& scenario, const model::Document& document, std::vector<Error>& problems
);

} // namespace mesh::simulator
