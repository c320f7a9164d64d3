#pragma once

#include "app/bridge/topology.h"
#include "app/charts/time_chart.h"

#include <QString>

#include <vector>

namespace mesh::charts {

// "14:02", or "14:02:30" when `step_us` is below a minute. Local time.
[[nodiscard]] QString clockText(std::int64_t time_us, std::int64_t step_us);

// Round moments inside the span, at most `countMax`, sorted.
[[nodiscard]] std::vector<std::int64_t> timeTicks(const TimeSpan& span, int countMax);
[[nodiscard]] std::int64_t tickStep(const TimeSpan& span, int countMax);

// The part of `wanted` that has data: from its first point on, at least `least_s` wide and never
// wider than `wanted`. Without points, `wanted`.
[[nodiscard]] TimeSpan grownSpan(const bridge::Series& series, const TimeSpan& wanted, int least_s);

// How many grid lines above zero divide a round top into round steps: 3 for 3 and 6, else 2.
[[nodiscard]] int gridLines(double top);

// The smallest 1, 2, 3, 4, 5, 6 or 8 times a power of ten that is not below `value`; at least
// `floor`.
[[nodiscard]] double roundTop(double value, double floor);

// Spans inside `span` without points: between two points further apart than 2 steps, and after the
// last one. Before the first point nothing was to be measured yet; without points all is a gap.
// Sorted.
[[nodiscard]] std::vector<TimeSpan> gaps(const bridge::Series& series, const TimeSpan& span);

// The point that covers a moment (at most 2 steps old), or null.
[[nodiscard]] const bridge::SeriesPoint* pointAt(
    const bridge::Series& series, std::int64_t time_us
);

} // namespace mesh::charts
