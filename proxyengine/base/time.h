#pragma once

#include <chrono>
#include <cstdint>

namespace mesh {

// The timeline of the engine. It has no now() on purpose: a TimePoint can only come from somebody
// who was given a Clock, so "where did this time come from" always has an answer.
struct Timeline
{
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<Timeline, duration>;
    static constexpr bool is_steady = true;
};

using Duration = Timeline::duration;
using TimePoint = Timeline::time_point;

// Time of day for people, files and logs: since 1970-01-01 UTC. Never used to decide anything.
struct WallTimeline
{
    using duration = std::chrono::microseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<WallTimeline, duration>;
    static constexpr bool is_steady = false;
};

using WallTime = WallTimeline::time_point;

constexpr std::int64_t toMilliseconds(Duration duration)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

constexpr double toSeconds(Duration duration)
{
    return std::chrono::duration<double>(duration).count();
}

constexpr Duration fromSeconds(double seconds)
{
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

} // namespace mesh
