#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/model/resilience.h"

#include <string>
#include <string_view>

namespace mesh::model {

// Reads "200ms" as a duration and "p95" or "p99.9" as a percentile.
//
// Errors: InvalidArgument for what is neither; OutOfRange for a duration of zero, and for a
//         percentile below p1 or not below p100.
[[nodiscard]] Result<HedgeAfter> parseHedgeAfter(std::string_view text);

// The text that parseHedgeAfter() reads back as the same.
[[nodiscard]] std::string toText(const HedgeAfter& after);

} // namespace mesh::model
