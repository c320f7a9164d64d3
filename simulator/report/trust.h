#pragma once

#include "simulator/report/rehearsal.h"

namespace mesh::simulator {

// How far more than what was measured still counts as measured: rates of stretches scatter.
inline constexpr double kBeyondFactor = 1.1;

// What a virtual run leaves out, in words for the report, and which services of the variant were
// called more often than when their models were fitted, in any of the windows.
[[nodiscard]] Trust trustOf(
    const VariantResult& variant, const std::vector<CalibratedRange>& calibrated
);

} // namespace mesh::simulator
