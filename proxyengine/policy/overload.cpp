#include "proxyengine/policy/overload.h"

#include "proxyengine/policy/reason_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mesh::policy {

namespace {

// Pressures in millionths, so that every build sheds alike.
struct Span
{
    std::int64_t from; // At which the first requests are shed,
    std::int64_t to; // and at which all are.
};

constexpr std::int64_t kPercent = 10'000;
constexpr double kPressureMax = 1000; // What is above makes no difference.

Span spanOf(const model::Overload& settings, model::RequestPriority priority)
{
    switch (priority) {
    case model::RequestPriority::Low:
        return {std::llround(std::min(settings.shedFrom, 100.0) * kPercent), 100 * kPercent};
    case model::RequestPriority::Default:
        return {100 * kPercent, 110 * kPercent};
    case model::RequestPriority::High:
        break;
    }
    return {120 * kPercent, 130 * kPercent};
}

double requestPressure(const model::Overload& settings, const OverloadReading& reading)
{
    return settings.maxRequests <= 0
               ? 0.0
               : static_cast<double>(reading.inFlight) / static_cast<double>(settings.maxRequests);
}

double lagPressure(const model::Overload& settings, const OverloadReading& reading)
{
    return settings.maxLoopLag <= Duration::zero() || reading.loopLag <= Duration::zero()
               ? 0.0
               : static_cast<double>(reading.loopLag.count())
                     / static_cast<double>(settings.maxLoopLag.count());
}

} // namespace

double pressureOf(const model::Overload& settings, const OverloadReading& reading)
{
    return std::max(requestPressure(settings, reading), lagPressure(settings, reading));
}

double shedShare(const model::Overload& settings, model::RequestPriority priority, double pressure)
{
    const Span span = spanOf(settings, priority);
    const std::int64_t present = std::llround(std::min(pressure, kPressureMax) * 100 * kPercent);
    if (present >= span.to) {
        return 1;
    }
    return present <= span.from ? 0
                                : static_cast<double>(present - span.from)
                                      / static_cast<double>(span.to - span.from);
}

OverloadVerdict decideOverload(
    const model::Overload& settings,
    model::RequestPriority priority,
    double pressure,
    Random& random
)
{
    const double share = shedShare(settings, priority, pressure);
    const bool isShed = share >= 1 || (share > 0 && random.chance(share));
    return isShed ? OverloadVerdict::Shed : OverloadVerdict::Admit;
}

std::string overloadReason(const model::Overload& settings, const OverloadReading& reading)
{
    const double requests = requestPressure(settings, reading);
    const double lag = lagPressure(settings, reading);
    if (requests <= 0 && lag <= 0) {
        return {};
    }
    if (requests >= lag) {
        return fmt::format("{} of {} requests in flight", reading.inFlight, settings.maxRequests);
    }
    return fmt::format(
        "event loop {} late of {} allowed",
        toSpanText(reading.loopLag),
        toSpanText(settings.maxLoopLag)
    );
}

} // namespace mesh::policy
