#pragma once

#include "proxyengine/base/time.h"

#include <cstdint>

// A host that is new, or came back, gets its share of traffic by and by.
//
// Source: Envoy's slow start, aggression 1, least share 10 % (reference 3.5). Used by round-robin,
//         least-requests and least-connections; the other algorithms ignore it.
namespace mesh::policy {

inline constexpr std::uint32_t kWarmPercent = 100;
inline constexpr std::uint32_t kColdPercent = 10;

// Percent of its weight that a host gets at this age; never falls with age. The first second
// counts as a whole one. A window of zero: always 100.
[[nodiscard]] std::uint32_t warmth(Duration age, Duration window);

// How often shares are brought up to date: 100 times within the window, but not more often than
// ten times and not less often than once a second.
[[nodiscard]] Duration warmingStep(Duration window);

} // namespace mesh::policy
