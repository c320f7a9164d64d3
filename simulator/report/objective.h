#pragma once

#include "proxyengine/base/time.h"
#include "simulator/scenario/scenario.h"

#include <optional>
#include <string_view>

namespace mesh::simulator {

// The objective of a service's success (judge.h) when the scenario demands one; absent: it does
// not.
[[nodiscard]] std::optional<double> demandedSuccess(
    const Scenario& scenario, std::string_view service
);

// From the first fault's begin to the last one's end, no later than the run's; absent: no fault.
struct FaultSpan
{
    Duration from{};
    Duration to{};
};
[[nodiscard]] std::optional<FaultSpan> faultSpanOf(const Scenario& scenario);

} // namespace mesh::simulator
