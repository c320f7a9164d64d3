#include "proxyengine/base/duration_text.h"

#include "proxyengine/base/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace mesh {
namespace {

struct Unit
{
    std::string_view suffix;
    Duration length;
};

// Largest first, which is the order toDurationText() tries.
constexpr std::array kUnits = {
    Unit{"h", std::chrono::hours(1)},
    Unit{"m", std::chrono::minutes(1)},
    Unit{"s", std::chrono::seconds(1)},
    Unit{"ms", std::chrono::milliseconds(1)},
    Unit{"us", std::chrono::microseconds(1)},
    Unit{"ns", std::chrono::nanoseconds(1)},
};

} // namespace

Result<Duration> parseDuration(std::string_view text)
{
    std::int64_t count = 0;
    const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (status != std::errc{} || count < 0) {
        return fail(
            ErrorCode::InvalidArgument, "expected a whole number and a unit, as in 250ms", Offset{0}
        );
    }

    const auto suffixAt = static_cast<std::size_t>(rest - text.data());
    const auto unit = std::ranges::find(kUnits, text.substr(suffixAt), &Unit::suffix);
    if (unit == kUnits.end()) {
        return fail(
            ErrorCode::InvalidArgument, "needs a unit: ns, us, ms, s, m or h", Offset{suffixAt}
        );
    }
    if (count > kDurationTextMax / unit->length) {
        return fail(ErrorCode::OutOfRange, "longest duration is 24h", Offset{0});
    }
    return count * unit->length;
}

std::string toDurationText(Duration duration)
{
    if (duration == Duration::zero()) {
        return "0s";
    }
    const auto unit = std::ranges::find_if(kUnits, [&](const Unit& candidate) {
        return duration % candidate.length == Duration::zero();
    });
    return fmt::format("{}{}", duration / unit->length, unit->suffix);
}

std::string toIsoText(WallTime time)
{
    const std::int64_t micros = time.time_since_epoch().count();
    const std::int64_t seconds = micros / 1'000'000;
    const std::time_t whole = static_cast<std::time_t>(seconds);
    std::tm parts{};
    gmtime_r(&whole, &parts);
    return fmt::format(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        parts.tm_year + 1900,
        parts.tm_mon + 1,
        parts.tm_mday,
        parts.tm_hour,
        parts.tm_min,
        parts.tm_sec,
        (micros % 1'000'000) / 1'000
    );
}

} // namespace mesh
