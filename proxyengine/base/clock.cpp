#include "proxyengine/base/clock.h"

namespace mesh {

TimePoint SystemClock::now() const
{
    return TimePoint(std::chrono::steady_clock::now().time_since_epoch());
}

WallTime SystemClock::wallNow() const
{
    return WallTime(std::chrono::duration_cast<WallTimeline::duration>(
        std::chrono::system_clock::now().time_since_epoch()
    ));
}

} // namespace mesh
