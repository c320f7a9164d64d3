#pragma once

#include <QString>

#include <cstdint>
#include <optional>

// Figures in words, the same wherever they stand: thin space between thousands, narrow no-break
// space before a unit, true minus, "–" for no value. Source: the visual design, section 2.
namespace mesh::bridge {

// "–": there is no value; never 0 or NaN.
[[nodiscard]] QString noValueText();

// "1 977"
[[nodiscard]] QString formatCount(std::uint64_t count);

// Below 1 two decimals, below 100 one, else none: "0.25", "84.0", "1 977". Nothing, not finite:
// "–".
[[nodiscard]] QString formatRate(std::optional<double> perSecond);

// A share of 0..1: "4.5 %", "0.04 %", "100 %"; below 0.1 % two decimals, below 10 % one.
[[nodiscard]] QString formatRatio(std::optional<double> ratio);

// Milliseconds: "0.8 ms", "486 ms", "3.4 s", "4 min 58 s", "2 h 5 min".
[[nodiscard]] QString formatDuration(std::optional<double> milliseconds);

// "184 MB", "2.4 kB": powers of 1000.
[[nodiscard]] QString formatBytes(std::optional<double> bytes);

// "14:08:06" in local time.
[[nodiscard]] QString formatTime(std::int64_t time_us);

} // namespace mesh::bridge
