#pragma once

#include "proxyengine/base/time.h"
#include "simulator/mesh/measures.h"
#include "simulator/mesh/run_record.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mesh::simulator {

// What the calls of one thread of a live mesh did, in the words of a run in virtual time: counted
// by who makes the call, from its start to its final answer, with everything the proxies do
// between. Attempts are not known here; each call counts as one.
//
// Threads: one at a time; the loop that writes, and after it its owner.
class CallBook
{
public:
    // Windows and results are in time since the begin.
    explicit CallBook(std::vector<MeasureWindow> windows)
        : m_windows(std::move(windows))
    {}

    // Before the first call. What was noted before counts from here.
    void setBegin(TimePoint begin) { m_begin = begin; }

    // Calls of one edge; stays valid.
    class Line
    {
    public:
        Line(std::string name, std::size_t windows)
            : row(name, windows)
            , series{std::move(name), {}}
        {}
        MeasureRow row;
        RunSeries series;
        std::uint32_t inFlight = 0;
        std::string caller;
        std::string callee;
    };
    [[nodiscard]] Line& lineOf(std::string_view caller, std::string_view callee);

    void onBegun(Line& line, TimePoint at);
    void onEnded(Line& line, TimePoint startedAt, TimePoint now, MeasureRow::Outcome outcome);
    // A worker of a service became busy or idle again.
    void onWorker(std::string_view service, TimePoint now, int by);

    // What the calls of a service (of all its callers) or of an edge did in one second since the
    // begin, so far.
    [[nodiscard]] RunSecond secondOf(std::string_view subject, std::size_t second) const;
    // All windows end here; calls of them that end later still count.
    void endLoad(TimePoint now);
    // After the last call. Once.
    void close(TimePoint now);

    [[nodiscard]] const std::vector<MeasureWindow>& windows() const { return m_windows; }
    // In the order of their first calls.
    [[nodiscard]] const std::vector<std::unique_ptr<Line>>& lines() const { return m_lines; }
    // Busy worker time of a service within a window.
    [[nodiscard]] Duration busy(std::string_view service, std::size_t window) const;

private:
    [[nodiscard]] TimePoint since(TimePoint at) const { return TimePoint(at - m_begin); }
    [[nodiscard]] RunSecond* secondOf(Line& line, TimePoint at) const;

    std::vector<MeasureWindow> m_windows;
    TimePoint m_begin{};
    std::vector<std::unique_ptr<Line>> m_lines;
    std::map<std::string, TimeSum, std::less<>> m_busy;
};

} // namespace mesh::simulator
