#include "proxyengine/policy/reason_text.h"

#include <fmt/format.h>

namespace mesh::policy {

std::string toSpanText(Duration span)
{
    if (span < std::chrono::milliseconds(1)) {
        return "under 1 ms";
    }
    const std::int64_t ms = std::chrono::ceil<std::chrono::milliseconds>(span).count();
    if (ms < 1000) {
        return fmt::format("{} ms", ms);
    }
    const std::int64_t tenths = (ms + 99) / 100;
    return tenths % 10 == 0 ? fmt::format("{} s", tenths / 10)
                            : fmt::format("{}.{} s", tenths / 10, tenths % 10);
}

std::string toCountText(std::uint64_t count, std::string_view singular)
{
    return fmt::format("{} {}{}", count, singular, count == 1 ? "" : "s");
}

} // namespace mesh::policy
