#pragma once

#include "proxyengine/base/time.h"
#include "simulator/scenario/condition.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mesh::simulator {

// Figures of a report as people read them, in UTF-8: thin space between thousands, narrow no-break
// space before a unit, true minus, "–" for what is absent or no number.

// Text that means itself in HTML and XML, inside and outside of attributes. What no document may
// carry (control characters, broken UTF-8) becomes U+FFFD.
[[nodiscard]] std::string escapeMarkup(std::string_view text);

// The sign of a missing value.
[[nodiscard]] std::string_view noValueText();

[[nodiscard]] std::string numberText(double value, int decimals); // "1 977.5"
[[nodiscard]] std::string countText(std::uint64_t count); // "12 034"
[[nodiscard]] std::string rateText(std::optional<double> perSecond); // "0.25", "84.0", "1 977"
[[nodiscard]] std::string millisecondsText(std::optional<double> value_ms); // "4.2 ms", "3.4 s"
// "99.71 %". Only a share of exactly one reads 100 %; the nearest below is ">99.99 %".
[[nodiscard]] std::string shareText(std::optional<double> share);
[[nodiscard]] std::string timesText(std::optional<double> factor); // "1.14 ×"
[[nodiscard]] std::string lengthText(std::optional<Duration> length); // "12 s", "4 min 58 s"

// A value of this quantity with its unit.
[[nodiscard]] std::string typesetValue(Quantity quantity, double value);
// A difference of two such values, with its sign; shares in percentage points.
[[nodiscard]] std::string typesetDifference(Quantity quantity, double value);

} // namespace mesh::simulator
