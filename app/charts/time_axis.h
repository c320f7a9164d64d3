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

// The smallest 1, 2, 2.5 or 5 times a power of ten that is not below `value`; at least `floor`.
[[nodiscard]] double roundTop(double value, double floor);

// Spans inside `span` without points: between two points further apart than 2 steps, and at both
// ends. Sorted.
[[nodiscard]] std::vector<TimeSpan> gaps(const bridge::Series& series, const TimeSpan& span);

// The point that covers a moment (at most 2 steps old), or null.
[[nodiscard]] const bridge::SeriesPoint* pointAt(
    const bridge::Series& series, std::int64_t time_us
);

} // namespace mesh::charts
