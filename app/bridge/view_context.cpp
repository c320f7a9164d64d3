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

void ViewContext::goLive()
{
    if (m_timeMode == TimeMode::Live) {
        return;
    }
    m_timeMode = TimeMode::Live;
    m_cursor_us = 0;
    Q_EMIT timeChanged();
    Q_EMIT changed();
}

void ViewContext::pauseAt(std::int64_t time_us)
{
    if (m_timeMode == TimeMode::Paused && m_cursor_us == time_us) {
        return;
    }
    m_timeMode = TimeMode::Paused;
    m_cursor_us = time_us;
    Q_EMIT timeChanged();
    Q_EMIT changed();
}

void ViewContext::setWindow(int seconds)
{
    const int window_s = std::clamp(seconds, kWindowMin_s, kWindowMax_s);
    if (window_s == m_window_s) {
        return;
    }
    m_window_s = window_s;
    Q_EMIT timeChanged();
    Q_EMIT changed();
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
