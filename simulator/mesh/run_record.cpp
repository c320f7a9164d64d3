#include "simulator/mesh/run_record.h"

#include <algorithm>
#include <bit>

namespace mesh::simulator {
namespace {

constexpr std::int64_t kQuarter = 16'000; // Nanoseconds: a quarter of the first bucket's end.
constexpr unsigned kStepsPerOctave = 4;

} // namespace

std::size_t RunSecond::bucketOf(Duration duration)
{
    const auto quarters =
        static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0) / kQuarter);
    if (quarters < kStepsPerOctave) {
        return 0;
    }
    const auto octave = static_cast<unsigned>(std::bit_width(quarters)) - 3U;
    const auto step = static_cast<unsigned>(quarters >> octave) - kStepsPerOctave;
    return std::min<std::size_t>(1 + kStepsPerOctave * octave + step, kBuckets - 1);
}

Duration RunSecond::lowestOf(std::size_t bucket)
{
    if (bucket == 0) {
        return Duration::zero();
    }
    const auto place = static_cast<unsigned>(bucket - 1);
    const auto quarters = static_cast<std::int64_t>(kStepsPerOctave + place % kStepsPerOctave)
                          << (place / kStepsPerOctave);
    return Duration(quarters * kQuarter);
}

Duration RunSecond::quantile(double share) const
{
    double all = 0.0;
    for (const std::uint32_t count : durations) {
        all += count;
    }
    if (all == 0.0) {
        return Duration::zero();
    }
    const double rank = std::clamp(share, 0.0, 1.0) * all;
    double below = 0.0;
    std::size_t last = 0;
    for (std::size_t at = 0; at < kBuckets; ++at) {
        if (durations[at] == 0) {
            continue;
        }
        last = at;
        const double here = durations[at];
        if (below + here >= rank) {
            const Duration low = lowestOf(at);
            const auto width = static_cast<double>((lowestOf(at + 1) - low).count());
            return low + Duration(static_cast<Duration::rep>(width * (rank - below) / here));
        }
        below += here;
    }
    return lowestOf(last + 1);
}

void RunSecond::merge(const RunSecond& other)
{
    begun += other.begun;
    succeeded += other.succeeded;
    failed += other.failed;
    attempts += other.attempts;
    inFlight += other.inFlight;
    for (std::size_t at = 0; at < kBuckets; ++at) {
        durations[at] += other.durations[at];
    }
}

} // namespace mesh::simulator
