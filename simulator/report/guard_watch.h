#pragma once

#include "proxyengine/base/time.h"
#include "simulator/mesh/run_record.h"
#include "simulator/scenario/scenario.h"

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace mesh::simulator {

// What a second says about a quantity. Shares and ratios are of the calls that ended in it;
// `success` of a second in which calls waited and none ended is 0. Durations are within a fifth of
// a power of two, in milliseconds. Nothing: nothing happened, or the quantity is not known by
// second (utilization).
[[nodiscard]] std::optional<double> valueOf(const RunSecond& second, Quantity quantity);

// Looks at every second of a run and says when a guard has been true for long enough. Seconds that
// begin in the warm-up do not count, as their calls count nowhere.
class GuardWatch
{
public:
    GuardWatch(const std::vector<Guard>& guards, Duration warmup)
        : m_guards(guards)
        , m_warmup(warmup)
        , m_trueFor(guards.size())
    {}

    // To be called once for every second, from 0 on. Returns the place of the guard that stops the
    // run now.
    [[nodiscard]] std::optional<std::size_t> look(const RunRecord& record, std::size_t second);

private:
    const std::vector<Guard>& m_guards;
    Duration m_warmup;
    std::vector<Duration> m_trueFor;
};

// The series of a service or an edge; null when it was never called.
[[nodiscard]] const RunSeries* seriesOf(const RunRecord& record, std::string_view name);

} // namespace mesh::simulator
