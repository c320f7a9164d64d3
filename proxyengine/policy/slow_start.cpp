#include "proxyengine/policy/slow_start.h"

#include <algorithm>

namespace mesh::policy {

std::uint32_t warmth(Duration age, Duration window)
{
    constexpr Duration kFirstStep = std::chrono::seconds(1);
    const Duration counted = std::max(age, kFirstStep);
    if (counted >= window) {
        return kWarmPercent;
    }
    // In microseconds a window of a century still leaves room for the factor.
    const auto micros = [](Duration duration) {
        return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
    };
    const auto percent = static_cast<std::uint32_t>(100 * micros(counted) / micros(window));
    return std::max(percent, kColdPercent);
}

Duration warmingStep(Duration window)
{
    return std::clamp<Duration>(
        window / 100, std::chrono::milliseconds(100), std::chrono::seconds(1)
    );
}

} // namespace mesh::policy
