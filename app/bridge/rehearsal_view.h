#pragma once

#include "app/bridge/rehearsal_rows.h"
#include "proxyengine/model/document.h"
#include "simulator/report/rehearsal.h"

// A rehearsal as the console shows it. Pure: nothing here is measured or remembered.
namespace mesh::bridge {

[[nodiscard]] ScenarioRow scenarioRow(const simulator::Scenario& scenario);

// Everything but id, name and the like, which are the session's. `shown`: the variant that verdict
// and table are about; the first of the others is what it is compared with.
[[nodiscard]] RunRow runRow(const simulator::Rehearsal& rehearsal, std::size_t shown);

// The sum of the series of these names second by second, over `replications` runs.
[[nodiscard]] SecondRows secondsOf(
    const std::vector<simulator::RunSeries>& series,
    const std::vector<std::string>& names,
    int replications
);

// First minus second, of the entries, figure by figure.
[[nodiscard]] std::vector<WindowLine> differenceLines(
    const simulator::VariantResult& first,
    const simulator::VariantResult& second,
    const std::string& entry
);

// What a recorded run looked like at a second: health from the last kStageWindow_s seconds,
// instances from the markers and from what the faults in force resolved to.
inline constexpr int kStageWindow_s = 5;
[[nodiscard]] StageState stageAt(
    const simulator::Rehearsal& rehearsal,
    const simulator::RunRecord& record,
    const model::Document& document,
    double second
);

} // namespace mesh::bridge
