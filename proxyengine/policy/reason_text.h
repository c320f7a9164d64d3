#pragma once

#include "proxyengine/base/time.h"

#include <cstdint>
#include <string>
#include <string_view>

// Words that reasons of policies share, so that all of them read alike.
namespace mesh::policy {

// "30 s", "1.5 s", "250 ms"; below a millisecond "under 1 ms". Rounded up to the next 0.1 s above
// a second, to the next millisecond below it.
[[nodiscard]] std::string toSpanText(Duration span);

// "1 request", "3 requests".
[[nodiscard]] std::string toCountText(std::uint64_t count, std::string_view singular);

} // namespace mesh::policy
