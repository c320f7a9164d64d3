#pragma once

#include "proxyengine/base/clock.h"

namespace mesh::test {

// Time that stands still until a test moves it.
class ManualClock final : public Clock
{
public:
    [[nodiscard]] TimePoint now() const override { return m_now; }
    [[nodiscard]] WallTime wallNow() const override
    {
        return m_wallStart
               + std::chrono::duration_cast<WallTime::duration>(m_now.time_since_epoch());
    }
    void advance(Duration step) { m_now += step; }

private:
    TimePoint m_now{std::chrono::seconds(1000)};
    WallTime m_wallStart{std::chrono::seconds(1'767'225'600)}; // 2026-01-01T00:00:00Z
};

} // namespace mesh::test
