#pragma once

#include "simulator/mesh/mesh_plan.h"
#include "simulator/scenario/scenario.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mesh::simulator {

// A fault worth trying on a mesh, and what it hits.
struct ExploreCandidate
{
    Fault fault;
    std::string text; // "kill cart-1"
    std::vector<std::string> instances; // Sorted; of an edge, of its callee.
    bool isAloneWorthTrying = true; // Stale endpoints hurt nobody before something else changes.
};

// Every kind of fault on every kind of thing in the mesh that it can hit, the smallest first: by
// instances hit, then in a fixed order. Instances of one service and zone are alike, so that one
// of them stands for all. Left out: bandwidth (bodies are not modelled), swizzle (a row of kills),
// config_delay (changes nothing without a push).
[[nodiscard]] std::vector<ExploreCandidate> exploreCandidates(
    const MeshPlan& plan, const std::vector<Load>& loads, Duration at, Duration length
);

// Whether what breaks under `smaller` can be expected to break under `larger`: the same fault on
// more instances, or a zone's outage over the end of one of its instances.
[[nodiscard]] bool isCovered(const ExploreCandidate& larger, const ExploreCandidate& smaller);

} // namespace mesh::simulator
