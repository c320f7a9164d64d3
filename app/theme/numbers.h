#pragma once

#include <QString>

#include <optional>

// Figures as people read them: thin space between thousands, narrow no-break space before a unit,
// true minus, "–" for no value. Source: the visual design, section 2.
namespace mesh::theme {

// The sign of a missing value.
[[nodiscard]] QString noValue();

// < 1 two decimals, < 100 one decimal, else none: "0.25", "84.0", "1 977".
[[nodiscard]] QString rateText(double perSecond);

// "486 ms", "3.4 s"; "–" without a value.
[[nodiscard]] QString millisecondsText(std::optional<double> value_ms);

// 0..1 as "4.5 %"; "–" without a value.
[[nodiscard]] QString shareText(std::optional<double> share);

} // namespace mesh::theme
