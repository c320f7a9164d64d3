#pragma once

#include "proxyengine/base/error.h"
#include "simulator/mesh/mesh_plan.h"
#include "simulator/scenario/scenario.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace mesh::simulator {

// What a fault hits in a plan: its target's names made into places.
struct FaultReach
{
    std::vector<std::uint32_t>
        instances; // Into MeshPlan::instances(), in the order of their names.
    std::vector<std::uint32_t> services; // Into MeshPlan::models(): those that the target names.
    std::optional<std::uint32_t> caller; // Of an edge: into models(); the gateway comes after them.
    std::optional<std::pair<std::uint32_t, std::uint32_t>> zones; // Of `between`.
    std::vector<std::uint32_t> proxies; // Of a node: 0 is the gateway's, then one per instance.
};

// The reach of the timeline's fault at this place. Names that do not exist reach nothing. Instances
// that another fault of the timeline turns into a version count as of that version.
[[nodiscard]] FaultReach reachOf(
    const MeshPlan& plan, std::span<const Fault> timeline, std::size_t at
);

// Every reason for which the timeline cannot be played on the plan: names that do not exist,
// targets that the kind does not take or that reach nothing, edges that nobody calls along.
[[nodiscard]] std::vector<Error> checkFaults(
    const MeshPlan& plan, std::span<const Fault> timeline, std::span<const Load> loads
);

// Whether one name stands before another when a person sorts them: cart-2 before cart-10.
[[nodiscard]] bool isNaturallyBefore(std::string_view one, std::string_view other);

} // namespace mesh::simulator
