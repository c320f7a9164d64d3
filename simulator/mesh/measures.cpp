#include "simulator/mesh/measures.h"

#include <algorithm>

namespace mesh::simulator {

bool MeasureWindow::contains(TimePoint at) const
{
    return std::ranges::any_of(spans, [at](const auto& span) {
        return span.first <= at && at < span.second;
    });
}

Duration MeasureWindow::overlap(TimePoint from, TimePoint to) const
{
    Duration sum{};
    for (const auto& [begin, end] : spans) {
        sum += std::max(std::min(to, end) - std::max(from, begin), Duration::zero());
    }
    return sum;
}

Duration MeasureWindow::length() const
{
    Duration sum{};
    for (const auto& [begin, end] : spans) {
        sum += end - begin;
    }
    return sum;
}

void MeasureWindow::cut(TimePoint at)
{
    std::erase_if(spans, [at](const auto& span) { return span.first >= at; });
    for (auto& [begin, end] : spans) {
        end = std::min(end, at);
    }
}

void TimeSum::handOut(const std::vector<MeasureWindow>& windows)
{
    for (std::size_t at = 0; at < windows.size(); ++at) {
        if (windows[at].contains(m_last)) {
            m_sums[at] += m_area;
        }
    }
    m_area = Duration::zero();
}

void TimeSum::passBorders(TimePoint now, const std::vector<MeasureWindow>& windows)
{
    while (now >= m_border) {
        m_area += m_level * (m_border - m_since);
        m_since = m_border;
        handOut(windows);
        m_last = m_border;
        m_border = TimePoint::max();
        for (const MeasureWindow& window : windows) {
            for (const auto& [begin, end] : window.spans) {
                m_border = begin > m_last ? std::min(m_border, begin) : m_border;
                m_border = end > m_last ? std::min(m_border, end) : m_border;
            }
        }
    }
}

void TimeSum::cut(TimePoint now, const std::vector<MeasureWindow>& before)
{
    close(now, before);
    m_last = now;
}

void TimeSum::close(TimePoint now, const std::vector<MeasureWindow>& windows)
{
    settle(now, windows);
    handOut(windows);
}

void MeasureRow::end(
    TimePoint startedAt,
    TimePoint now,
    Outcome outcome,
    int attempts,
    const std::vector<MeasureWindow>& windows
)
{
    m_inFlight.change(now, -1, windows);
    for (std::size_t at = 0; at < windows.size(); ++at) {
        if (!windows[at].contains(startedAt)) {
            continue;
        }
        CallFigures& figures = m_figures[at];
        ++figures.calls;
        figures.succeeded += outcome == Outcome::Succeeded ? 1U : 0U;
        figures.attempts += static_cast<std::uint64_t>(attempts);
        figures.durations.record(now - startedAt);
    }
}

void MeasureRow::close(TimePoint now, const std::vector<MeasureWindow>& windows)
{
    m_inFlight.close(now, windows);
    for (std::size_t at = 0; at < windows.size(); ++at) {
        m_figures[at].waited = m_inFlight.sum(at);
    }
}

void MeasureRow::merge(const MeasureRow& other)
{
    for (std::size_t at = 0; at < m_figures.size(); ++at) {
        const CallFigures& added = other.m_figures[at];
        CallFigures& figures = m_figures[at];
        figures.calls += added.calls;
        figures.succeeded += added.succeeded;
        figures.attempts += added.attempts;
        figures.waited += added.waited;
        figures.durations.merge(added.durations);
    }
}

} // namespace mesh::simulator
