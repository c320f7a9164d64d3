#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/base/time.h"
#include "proxyengine/model/resilience.h"

#include <optional>
#include <string_view>

namespace mesh::policy {

// How long to wait before retry `retryNumber` (1: the first repetition): uniform in
// [0, min((2^n - 1) * base, max)). Draws exactly once, so that variants stay in step.
//
// Source: Envoy, fully jittered exponential back-off. With 25 ms and 250 ms: below 25, 75, 175,
//         and 250 ms from the fourth on.
[[nodiscard]] Duration backoff(
    const model::RetryBackoff& settings, int retryNumber, Random& random
);

// What a Retry-After field asks for: a number of seconds, or a date (all three forms that HTTP
// knows); a date that has passed asks for nothing. Nothing is returned for any other text.
// Numbers beyond 100 years read as 100 years.
// Source: RFC 9110, 10.2.3 and 5.6.7.
[[nodiscard]] std::optional<Duration> parseRetryAfter(std::string_view value, WallTime now);

// The wait for an upstream that asked for `asked`: uniform in [asked, 1.5 * asked], so that not
// all callers come back at once. Draws exactly once.
// Source: Envoy, rate_limited_retry_back_off.
[[nodiscard]] Duration spreadRetryAfter(Duration asked, Random& random);

} // namespace mesh::policy
