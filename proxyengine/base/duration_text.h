#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/time.h"

#include <string>
#include <string_view>

namespace mesh {

// Reads a duration the way people write it: a whole number and a unit, "250ms", "10s", "2m".
//
// Nothing is guessed: "10" is an error because its unit is unknown, "1.5s" because 1500ms says it.
// Errors: InvalidArgument with the offset of the first character that does not fit;
//         OutOfRange above 24 h (kDurationTextMax).
[[nodiscard]] Result<Duration> parseDuration(std::string_view text);

// The shortest text that parseDuration() reads back as the same duration: 1500ms, 2s, 90s, 2m.
// The unit is the largest that divides; zero is "0s".
std::string toDurationText(Duration duration);

// ISO 8601 in UTC with milliseconds: 2026-03-14T09:14:03.128Z.
std::string toIsoText(WallTime time);

} // namespace mesh
