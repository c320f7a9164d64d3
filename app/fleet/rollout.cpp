#include "app/fleet/rollout.h"

#include <algorithm>
#include <array>

namespace mesh::fleet {
namespace {

constexpr std::array<std::string_view, 14> kPhases = {
    "queued",
    "sent",
    "acknowledged",
    "applied",
    "baking",
    "done",
    "rejected",
    "unreachable",
    "set_aside",
    "superseded",
    "drifted",
    "rolling_back",
    "rolled_back",
    "not_touched",
};
constexpr std::array<std::string_view, 6> kWaveStates = {
    "waiting", "sending", "baking", "held", "done", "failed"};
constexpr std::array<std::string_view, 3> kGateStates = {"no_data", "holds", "fails"};
constexpr std::array<std::string_view, 9> kRolloutStates = {
    "running",
    "held",
    "stopping",
    "stopped",
    "rolling_back",
    "rolled_back",
    "done",
    "partial",
    "failed",
};

template <typename Enum, std::size_t kCount>
std::string_view wordOf(const std::array<std::string_view, kCount>& words, Enum value)
{
    return words.at(static_cast<std::size_t>(value));
}

} // namespace

bool isOver(RolloutState state)
{
    return state == RolloutState::Stopped || state == RolloutState::RolledBack
           || state == RolloutState::Done || state == RolloutState::Partial
           || state == RolloutState::Failed;
}

std::size_t Rollout::convergedCount() const
{
    return static_cast<std::size_t>(std::ranges::count_if(nodes, [this](const NodeProgress& node) {
        return !hash.empty() && node.hashNow == hash;
    }));
}

std::string_view toText(NodePhase phase) { return wordOf(kPhases, phase); }
std::string_view toText(WaveState state) { return wordOf(kWaveStates, state); }
std::string_view toText(GateState state) { return wordOf(kGateStates, state); }
std::string_view toText(RolloutState state) { return wordOf(kRolloutStates, state); }

} // namespace mesh::fleet
