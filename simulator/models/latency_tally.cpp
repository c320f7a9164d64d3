#include "simulator/models/latency_tally.h"

#include <algorithm>
#include <bit>

namespace mesh::simulator {

std::size_t LatencyTally::indexOf(std::uint64_t value)
{
    if (value < kSteps) {
        return static_cast<std::size_t>(value);
    }
    const auto highest = static_cast<unsigned>(std::bit_width(value)) - 1U;
    if (highest >= kTopBit) {
        return kBuckets - 1;
    }
    const unsigned octave = highest - kStepBits;
    return static_cast<std::size_t>(octave * kSteps + (value >> octave));
}

std::uint64_t LatencyTally::lowestOf(std::size_t index)
{
    if (index < kSteps) {
        return index;
    }
    const std::size_t octave = index / kSteps - 1;
    return (index - octave * kSteps) << octave;
}

void LatencyTally::countLate() const
{
    m_counts.resize(kBuckets);
    for (std::size_t at = 0; at < m_lateCount; ++at) {
        ++m_counts[m_late[at]];
    }
    m_lateCount = 0;
}

void LatencyTally::merge(const LatencyTally& other)
{
    countLate();
    other.countLate();
    for (std::size_t at = 0; at < other.m_counts.size(); ++at) {
        m_counts[at] += other.m_counts[at];
    }
    m_total += other.m_total;
    m_sum += other.m_sum;
}

Duration LatencyTally::mean() const
{
    return Duration(static_cast<Duration::rep>(m_total == 0 ? 0 : m_sum / m_total));
}

Duration LatencyTally::quantile(double share) const
{
    if (m_total == 0) {
        return Duration::zero();
    }
    countLate();
    const double rank = std::clamp(share, 0.0, 1.0) * static_cast<double>(m_total);
    double below = 0.0;
    std::size_t last = 0;
    for (std::size_t at = 0; at < kBuckets; ++at) {
        if (m_counts[at] == 0) {
            continue;
        }
        last = at;
        const auto here = static_cast<double>(m_counts[at]);
        if (below + here >= rank) {
            const auto low = static_cast<double>(lowestOf(at));
            const auto width = static_cast<double>(lowestOf(at + 1) - lowestOf(at));
            return Duration(static_cast<Duration::rep>(low + width * (rank - below) / here));
        }
        below += here;
    }
    return Duration(static_cast<Duration::rep>(lowestOf(last)));
}

} // namespace mesh::simulator
