#pragma once

#include "app/bridge/topology.h"
#include "app/graph/layout.h"

// A shop of 13 services in two zones, as the design pictures show it: one degraded service with a
// fault, an ejected and a stale instance, TCP, an external service.
namespace mesh::test {

[[nodiscard]] bridge::Topology shopTopology();
[[nodiscard]] graph::Positions shopPositions();

// `nodes` services in layers with `edges` calls, the same for the same numbers.
[[nodiscard]] bridge::Topology largeTopology(int nodes, int edges);

} // namespace mesh::test
