#include "app/bridge/replay.h"

#include "app/bridge/view_context.h"
#include "proxyengine/base/clock.h"

#include <cmath>
#include <utility>

namespace mesh::bridge {

namespace {

constexpr int kStep_ms = 100;

} // namespace

Replay::Replay(
    ViewContext& context, const Clock& clock, std::function<std::int64_t()> end_us, QObject* parent
)
    : QObject(parent)
    , m_context(context)
    , m_clock(clock)
    , m_end_us(std::move(end_us))
{
    m_timer.setInterval(kStep_ms);
    connect(&m_timer, &QTimer::timeout, this, &Replay::step);
    connect(&context, &ViewContext::timeChanged, this, &Replay::follow);
}

void Replay::follow()
{
    const bool isReplay = m_context.timeMode() == TimeMode::Replay;
    if (isReplay && !m_timer.isActive()) {
        m_steppedAt = m_clock.now();
        m_timer.start();
    } else if (!isReplay) {
        m_timer.stop();
    }
}

void Replay::step()
{
    const TimePoint now = m_clock.now();
    const double passed_s = toSeconds(now - m_steppedAt);
    m_steppedAt = now;
    constexpr double kSecond_us = 1'000'000;
    const std::int64_t next_us =
        m_context.cursor_us() + std::llround(passed_s * m_context.speed() * kSecond_us);
    if (next_us >= m_end_us()) {
        m_context.goLive();
    } else {
        m_context.moveTo(next_us);
    }
}

} // namespace mesh::bridge
