#include "simulator/report/guard_watch.h"

#include <algorithm>
#include <numeric>
#include <string_view>

namespace mesh::simulator {
namespace {

constexpr Duration kSecond = std::chrono::seconds(1);

double milliseconds(Duration duration) { return toSeconds(duration) * 1e3; }

// From the middle of the buckets.
double meanMilliseconds(const RunSecond& second)
{
    double sum = 0.0;
    double count = 0.0;
    RunSecond one;
    for (std::size_t at = 0; at < RunSecond::kBuckets; ++at) {
        if (second.durations[at] == 0) {
            continue;
        }
        one.durations[at] = 1;
        sum += milliseconds(one.quantile(0.5)) * second.durations[at];
        count += second.durations[at];
        one.durations[at] = 0;
    }
    return count == 0.0 ? 0.0 : sum / count;
}

} // namespace

std::optional<double> valueOf(const RunSecond& second, Quantity quantity)
{
    const auto ended = static_cast<double>(second.succeeded) + second.failed;
    const bool isWaiting = second.inFlight > 0;
    switch (quantity) {
    case Quantity::Rps:
        return second.begun;
    case Quantity::Goodput:
        return second.succeeded;
    case Quantity::InFlight:
        return second.inFlight;
    case Quantity::Success:
        return ended > 0.0 ? std::optional(second.succeeded / ended)
               : isWaiting ? std::optional(0.0)
                           : std::nullopt;
    case Quantity::Utilization:
        return std::nullopt;
    default:
        break;
    }
    if (ended == 0.0) {
        return std::nullopt;
    }
    switch (quantity) {
    case Quantity::Mean:
        return meanMilliseconds(second);
    case Quantity::P50:
        return milliseconds(second.quantile(0.5));
    case Quantity::P90:
        return milliseconds(second.quantile(0.9));
    case Quantity::P99:
        return milliseconds(second.quantile(0.99));
    case Quantity::P999:
        return milliseconds(second.quantile(0.999));
    case Quantity::Amplification:
        return second.attempts / ended;
    default:
        return std::nullopt;
    }
}

const RunSeries* seriesOf(const RunRecord& record, std::string_view name)
{
    const bool isEdge = name.find("->") != std::string_view::npos;
    const std::vector<RunSeries>& list = isEdge ? record.edges : record.services;
    const auto found = std::ranges::find(list, name, &RunSeries::name);
    return found == list.end() ? nullptr : &*found;
}

std::optional<std::size_t> GuardWatch::look(const RunRecord& record, std::size_t second)
{
    std::optional<std::size_t> stopped;
    if (kSecond * static_cast<Duration::rep>(second) < m_warmup) {
        return stopped;
    }
    for (std::size_t at = 0; at < m_guards.size(); ++at) {
        const Guard& guard = m_guards[at];
        const RunSeries* series = seriesOf(record, guard.condition.subject);
        const RunSecond seen = series != nullptr && second < series->seconds.size()
                                   ? series->seconds[second]
                                   : RunSecond();
        const auto value = valueOf(seen, guard.condition.quantity);
        const bool isTrue = value && guard.condition.holds(*value);
        m_trueFor[at] = isTrue ? m_trueFor[at] + kSecond : Duration::zero();
        if (!stopped && isTrue && m_trueFor[at] >= guard.length) {
            stopped = at;
        }
    }
    return stopped;
}

} // namespace mesh::simulator
