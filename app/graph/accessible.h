#pragma once

namespace mesh::graph {

// Teaches Qt to show a TopologyView to assistive technology as a list of its nodes, each with its
// name and its state in words. May be called more than once. Private to app/graph.
void installAccessibility();

} // namespace mesh::graph
