#pragma once

#include <cstddef>

namespace mesh {

// Pushes to a fleet.
inline constexpr std::size_t kRolloutWavesMax = 32; // Doubling reaches every fleet in twelve.
inline constexpr std::size_t kRolloutNodesMax = 10'000; // Ten times the fleet that is measured.
inline constexpr std::size_t kRolloutNotesMax = 500; // A page of history; the oldest go.
inline constexpr std::size_t kNodeCallsMax = 64; // Requests to nodes at once, a thread each.
inline constexpr std::size_t kReviewLinesMax = 500; // Of one group of nodes; a long page.
inline constexpr std::size_t kReviewSamplesMax = 5000; // Routed twice each; some 50 ms.
inline constexpr std::size_t kReviewBehaviourMax = 200; // Shapes of requests that are listed.
inline constexpr std::size_t kReviewFindingsMax = 1000; // As problems of a document.
inline constexpr std::size_t kReviewFixesMax = 32; // Made at once; each is a whole document.

} // namespace mesh
