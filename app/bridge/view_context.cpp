#include "app/bridge/view_context.h"

#include <algorithm>

namespace mesh::bridge {

namespace {

constexpr int kWindowMin_s = 10;
constexpr int kWindowMax_s = 3600;
constexpr int kDepthMin = 1;
constexpr int kDepthMax = 3;

} // namespace

ViewContext::ViewContext(QObject* parent)
    : QObject(parent)
{}

void ViewContext::select(const QString& id)
{
    if (id == m_selection) {
        return;
    }
    m_selection = id;
    Q_EMIT selectionChanged(m_selection);
    Q_EMIT changed();
}

void ViewContext::moveCursor(
    TimeMode mode, std::int64_t cursor_us, std::optional<std::int64_t> second_us, int window_s
)
{
    const bool isSame = mode == m_timeMode && cursor_us == m_cursor_us && second_us == m_second_us
                        && window_s == m_window_s;
    if (isSame) {
        return;
    }
    m_timeMode = mode;
    m_cursor_us = cursor_us;
    m_second_us = second_us;
    m_window_s = window_s;
    Q_EMIT timeChanged();
    Q_EMIT changed();
}

void ViewContext::goLive() { moveCursor(TimeMode::Live, 0, std::nullopt, m_window_s); }

void ViewContext::pauseAt(std::int64_t time_us)
{
    moveCursor(TimeMode::Paused, time_us, m_second_us, m_window_s);
}

void ViewContext::replayFrom(std::int64_t time_us)
{
    moveCursor(TimeMode::Replay, time_us, std::nullopt, m_window_s);
}

void ViewContext::moveTo(std::int64_t time_us)
{
    if (m_timeMode != TimeMode::Live) {
        moveCursor(m_timeMode, time_us, m_second_us, m_window_s);
    }
}

void ViewContext::setSpeed(double speed)
{
    const double bounded = std::clamp(speed, kSpeedMin, kSpeedMax);
    if (bounded != m_speed) {
        m_speed = bounded;
        Q_EMIT timeChanged();
        Q_EMIT changed();
    }
}

void ViewContext::compareWith(std::optional<std::int64_t> time_us)
{
    if (m_timeMode != TimeMode::Live) {
        moveCursor(TimeMode::Paused, m_cursor_us, time_us, m_window_s);
    }
}

void ViewContext::setWindow(int seconds)
{
    moveCursor(
        m_timeMode, m_cursor_us, m_second_us, std::clamp(seconds, kWindowMin_s, kWindowMax_s)
    );
}

void ViewContext::showSpan(std::int64_t begin_us, std::int64_t end_us)
{
    constexpr std::int64_t kSecond_us = 1'000'000;
    const std::int64_t length_s = (end_us - begin_us + kSecond_us - 1) / kSecond_us;
    const auto window_s =
        static_cast<int>(std::clamp<std::int64_t>(length_s, kWindowMin_s, kWindowMax_s));
    moveCursor(TimeMode::Paused, end_us, std::nullopt, window_s);
}

void ViewContext::setFind(const QString& text)
{
    if (text == m_find) {
        return;
    }
    m_find = text;
    Q_EMIT changed();
}

void ViewContext::setHide(const QString& text)
{
    if (text == m_hide) {
        return;
    }
    m_hide = text;
    Q_EMIT changed();
}

void ViewContext::focusOn(const QString& id, int depth)
{
    const int steps = std::clamp(depth, kDepthMin, kDepthMax);
    if (id == m_focus && steps == m_depth) {
        return;
    }
    m_focus = id;
    m_depth = steps;
    Q_EMIT changed();
}

} // namespace mesh::bridge
