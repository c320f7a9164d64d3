#pragma once

#include "proxyengine/base/time.h"

namespace mesh {

// Gives time to those who may know it: loops, stores, mains. Policies get time as an argument.
// Threads: any.
class Clock
{
public:
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    virtual ~Clock() = default;

    [[nodiscard]] virtual TimePoint now() const = 0; // Monotonic.
    [[nodiscard]] virtual WallTime wallNow() const = 0;
};

// The machine's clocks: CLOCK_MONOTONIC and CLOCK_REALTIME.
class SystemClock final : public Clock
{
public:
    [[nodiscard]] TimePoint now() const override;
    [[nodiscard]] WallTime wallNow() const override;
};

} // namespace mesh
