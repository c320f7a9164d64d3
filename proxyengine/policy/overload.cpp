#include "proxyengine/policy/overload.h"

#include "proxyengine/policy/reason_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mesh::policy {

namespace {

struct Span
{
    double from; // Percent of pressure at which the first requests are shed,
    double to; // and at which all are.
};

Span spanOf(const model::Overload& settings, model::RequestPriority priority)
{
    switch (priority) {
    case model::RequestPriority::Low:
        return {std::min(settings.shedFrom, 100.0), 100};
    case model::RequestPriority::Default:
        return {100, 110};
    case model::RequestPriority::High:
        break;
    }
    return {120, 130};
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
    const double percent = pressure * 100;
    if (percent >= span.to) {
        return 1;
    }
    return percent <= span.from ? 0 : (percent - span.from) / (span.to - span.from);
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
