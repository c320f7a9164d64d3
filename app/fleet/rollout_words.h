#pragma once

#include "app/fleet/rollout.h"

#include <string>

// What the parts of the rollout machine share.
namespace mesh::fleet {

constexpr Duration kAskAgain = std::chrono::milliseconds(500); // A node that restarts needs 0.3 s.
constexpr int kSendsMax = 3; // Without any effect; then the node counts as unreachable.

[[nodiscard]] inline std::string shortHash(const std::string& hash) { return hash.substr(0, 12); }

// Phases in which a node gets nothing of the push any more, whatever it runs.
[[nodiscard]] inline bool isLeftBehind(NodePhase phase)
{
    return phase == NodePhase::Rejected || phase == NodePhase::Drifted
           || phase == NodePhase::Unreachable || phase == NodePhase::Superseded;
}

} // namespace mesh::fleet
