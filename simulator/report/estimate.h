#pragma once

#include "simulator/report/rehearsal.h"

#include <optional>
#include <utility>
#include <vector>

namespace mesh::simulator {

// The two-sided 95 % quantile of Student's t. Source: tables up to 30 degrees of freedom, beyond
// them the Cornish-Fisher expansion about the normal quantile (error below 1e-4).
[[nodiscard]] double studentQuantile(std::size_t degreesOfFreedom);

// The 95 % interval of the mean of these values; nothing for fewer than two.
[[nodiscard]] std::optional<std::pair<double, double>> intervalOf(const std::vector<double>& values
);

// Their mean with its interval; nothing without values.
[[nodiscard]] std::optional<Estimate> estimateOf(const std::vector<double>& values);

} // namespace mesh::simulator
