#pragma once

#include "proxyengine/base/time.h"
#include "simulator/models/latency_tally.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mesh::simulator {

// A named part of a run: the union of spans, each from its begin to before its end.
struct MeasureWindow
{
    std::string name;
    std::vector<std::pair<TimePoint, TimePoint>> spans; // Sorted, apart from each other.

    [[nodiscard]] bool contains(TimePoint at) const;
    // How much of [from, to) lies in it.
    [[nodiscard]] Duration overlap(TimePoint from, TimePoint to) const;
    [[nodiscard]] Duration length() const;
    // Nothing of it lies at or after this time any more.
    void cut(TimePoint at);
};

// What one service or edge did in one window. Definitions are those of the report: a call is one
// logical request, all its attempts included, and belongs to the window in which it started.
struct CallFigures
{
    std::uint64_t calls = 0; // Begun and ended.
    std::uint64_t succeeded = 0;
    std::uint64_t attempts = 0;
    Duration waited{}; // Sum over time of the calls in progress; by the window's length: inflight.
    LatencyTally durations;
};

// A level that changes now and then, summed over time in each of the windows.
//
// Between two borders of windows one sum is enough for all of them; it is handed out at a border.
class TimeSum
{
public:
    explicit TimeSum(std::size_t windows)
        : m_sums(windows)
    {}

    void change(TimePoint now, std::int64_t by, const std::vector<MeasureWindow>& windows)
    {
        settle(now, windows);
        m_level += by;
    }

    // Counts the level up to now.
    void settle(TimePoint now, const std::vector<MeasureWindow>& windows)
    {
        if (now >= m_border) {
            passBorders(now, windows);
        }
        m_area += m_level * (now - m_since);
        m_since = now;
    }

    // From now on nothing is counted, whatever the level: the windows that are given from now on
    // end here.
    void cut(TimePoint now, const std::vector<MeasureWindow>& before);
    // Level times nanoseconds, up to the last border. To be called once, at the end.
    void close(TimePoint now, const std::vector<MeasureWindow>& windows);
    [[nodiscard]] Duration sum(std::size_t window) const { return m_sums[window]; }
    [[nodiscard]] std::int64_t level() const { return m_level; }

private:
    void passBorders(TimePoint now, const std::vector<MeasureWindow>& windows);
    void handOut(const std::vector<MeasureWindow>& windows);

    TimePoint m_since{};
    TimePoint m_border{}; // The next at which a window begins or ends; a first one at 0.
    std::int64_t m_level = 0;
    Duration m_area{}; // Since the last border.
    TimePoint m_last{}; // That border.
    std::vector<Duration> m_sums;
};

// A service's or an edge's figures in all windows. Recording changes nothing that the run sees.
class alignas(64) MeasureRow // Lines of the cache: a large mesh has thousands.
{
public:
    MeasureRow(std::string name, std::size_t windows)
        : m_inFlight(windows)
        , m_figures(windows)
        , m_name(std::move(name))
    {}

    void begin(TimePoint now, const std::vector<MeasureWindow>& windows)
    {
        m_inFlight.change(now, 1, windows);
    }

    enum class Outcome : std::uint8_t { Succeeded, Failed };
    void end(
        TimePoint startedAt,
        TimePoint now,
        Outcome outcome,
        int attempts,
        const std::vector<MeasureWindow>& windows
    );

    // Attempts beyond those of end(), where somebody else counts them.
    void addAttempts(std::size_t window, std::uint64_t count)
    {
        m_figures[window].attempts += count;
    }

    // As TimeSum::cut(): calls of these windows that end later still count.
    void cut(TimePoint now, const std::vector<MeasureWindow>& before)
    {
        m_inFlight.cut(now, before);
    }

    // Counts calls still in progress up to now. To be called once, at the end.
    void close(TimePoint now, const std::vector<MeasureWindow>& windows);

    // Adds another row's figures; both must be closed.
    void merge(const MeasureRow& other);

    // A call will end soon: what it will change is fetched from memory.
    void foresee() const
    {
        for (const CallFigures& figures : m_figures) {
            __builtin_prefetch(&figures);
            __builtin_prefetch(&figures.durations);
        }
    }

    [[nodiscard]] const std::string& name() const { return m_name; }
    [[nodiscard]] const CallFigures& figures(std::size_t window) const { return m_figures[window]; }

private:
    TimeSum m_inFlight;
    std::vector<CallFigures> m_figures;
    std::string m_name;
};

} // namespace mesh::simulator
