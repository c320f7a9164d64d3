#include "simulator/live/call_book.h"

#include <fmt/format.h>

#include <algorithm>

namespace mesh::simulator {
namespace {

constexpr std::size_t kSecondsMax = 24 * 3600; // A live run of a day.

} // namespace

CallBook::Line& CallBook::lineOf(std::string_view caller, std::string_view callee)
{
    const auto known = std::ranges::find_if(m_lines, [&](const std::unique_ptr<Line>& line) {
        return line->caller == caller && line->callee == callee;
    });
    if (known != m_lines.end()) {
        return **known;
    }
    m_lines.push_back(
        std::make_unique<Line>(fmt::format("{}->{}", caller, callee), m_windows.size())
    );
    m_lines.back()->caller = caller;
    m_lines.back()->callee = callee;
    return *m_lines.back();
}

// Null before the begin and beyond a day. In-flight calls of seconds in which nothing happened are
// those of the second before.
RunSecond* CallBook::secondOf(Line& line, TimePoint at) const
{
    const Duration passed = at - m_begin;
    if (passed < Duration::zero()) {
        return nullptr;
    }
    const auto index =
        static_cast<std::size_t>(std::chrono::duration_cast<std::chrono::seconds>(passed).count());
    if (index >= kSecondsMax) {
        return nullptr;
    }
    std::vector<RunSecond>& seconds = line.series.seconds;
    while (seconds.size() <= index) {
        const std::uint32_t before = seconds.empty() ? 0 : seconds.back().inFlight;
        seconds.emplace_back().inFlight = before;
    }
    return &seconds[index];
}

void CallBook::onBegun(Line& line, TimePoint at)
{
    line.row.begin(since(at), m_windows);
    ++line.inFlight;
    if (RunSecond* const second = secondOf(line, at)) {
        ++second->begun;
        second->inFlight = line.inFlight;
    }
}

void CallBook::onEnded(Line& line, TimePoint startedAt, TimePoint now, MeasureRow::Outcome outcome)
{
    line.row.end(since(startedAt), since(now), outcome, 1, m_windows);
    --line.inFlight;
    if (RunSecond* const second = secondOf(line, now)) {
        const bool isGood = outcome == MeasureRow::Outcome::Succeeded;
        second->succeeded += isGood ? 1U : 0U;
        second->failed += isGood ? 0U : 1U;
        ++second->attempts;
        second->inFlight = line.inFlight;
        ++second->durations[RunSecond::bucketOf(now - startedAt)];
    }
}

void CallBook::onWorker(std::string_view service, TimePoint now, int by)
{
    auto known = m_busy.find(service);
    if (known == m_busy.end()) {
        known = m_busy.emplace(std::string(service), TimeSum(m_windows.size())).first;
    }
    known->second.change(since(now), by, m_windows);
}

RunSecond CallBook::secondOf(std::string_view subject, std::size_t second) const
{
    RunSecond sum;
    for (const std::unique_ptr<Line>& line : m_lines) {
        if (line->series.name != subject && line->callee != subject) {
            continue;
        }
        const std::vector<RunSecond>& seconds = line->series.seconds;
        if (second < seconds.size()) {
            sum.merge(seconds[second]);
        } else if (!seconds.empty()) {
            sum.inFlight += seconds.back().inFlight;
        }
    }
    return sum;
}

void CallBook::endLoad(TimePoint now)
{
    for (const std::unique_ptr<Line>& line : m_lines) {
        line->row.cut(since(now), m_windows);
    }
    for (auto& [service, sum] : m_busy) {
        sum.cut(since(now), m_windows);
    }
    for (MeasureWindow& window : m_windows) {
        window.cut(since(now));
    }
}

void CallBook::close(TimePoint now)
{
    for (const std::unique_ptr<Line>& line : m_lines) {
        line->row.close(since(now), m_windows);
    }
    for (auto& [service, sum] : m_busy) {
        sum.close(since(now), m_windows);
    }
}

Duration CallBook::busy(std::string_view service, std::size_t window) const
{
    const auto known = m_busy.find(service);
    return known == m_busy.end() ? Duration::zero() : known->second.sum(window);
}

} // namespace mesh::simulator
