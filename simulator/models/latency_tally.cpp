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

std::uint32_t* LatencyTally::blockOf(std::size_t at) const
{
    if (m_places[at] == 0) {
        m_counts.resize(m_counts.size() + kSteps);
        m_places[at] = static_cast<std::uint8_t>(m_counts.size() / kSteps);
    }
    return &m_counts[(m_places[at] - std::size_t{1}) * kSteps];
}

void LatencyTally::countLate() const
{
    for (std::size_t at = 0; at < m_lateCount; ++at) {
        ++blockOf(m_late[at] / kSteps)[m_late[at] % kSteps];
    }
    m_lateCount = 0;
}

void LatencyTally::merge(const LatencyTally& other)
{
    countLate();
    other.countLate();
    for (std::size_t block = 0; block < kBlocks; ++block) {
        if (other.m_places[block] == 0) {
            continue;
        }
        std::uint32_t* const own = blockOf(block);
        const std::uint32_t* const added = other.blockOf(block);
        for (std::size_t step = 0; step < kSteps; ++step) {
            own[step] += added[step];
        }
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
        const std::uint32_t count =
            m_places[at / kSteps] == 0 ? 0 : blockOf(at / kSteps)[at % kSteps];
        if (count == 0) {
            continue;
        }
        last = at;
        const auto here = static_cast<double>(count);
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
