#pragma once

#include "simulator/report/lane_tally.h"
#include "simulator/report/rehearsal.h"
#include "simulator/report/windows.h"

#include <vector>

namespace mesh::simulator {

// The assertions of windows, in file order, on the runs of one variant.
[[nodiscard]] std::vector<AssertionResult> judgeWindows(
    const Scenario& scenario, const ScenarioWindows& windows, const LaneTally& tally
);

// One comparison: the mean over the replications of candidate minus reference, pair by pair.
[[nodiscard]] AssertionResult judgeComparison(
    const Scenario& scenario,
    std::size_t assertion,
    const LaneTally& candidate,
    const LaneTally& reference
);

// What taking a policy out costs: the first variant with it minus the same without it.
[[nodiscard]] AblationRow judgeAblation(
    std::string policy,
    const ScenarioWindows& windows,
    const LaneTally& with,
    const LaneTally& without
);

// When and how far the run answered to its faults, from the root requests of the first entry. A
// second is below the objective when its success is by more than three standard errors.
[[nodiscard]] Reaction reactionOf(
    const Scenario& scenario, const ScenarioWindows& windows, const LaneTally& tally
);

// The least that assertions "success(NAME) >= VALUE" demand: those of other windows than During,
// else those of During, else 0.99.
[[nodiscard]] double objectiveOf(const Scenario& scenario, std::string_view service);

} // namespace mesh::simulator
