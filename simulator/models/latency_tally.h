#pragma once

#include "proxyengine/base/time.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mesh::simulator {

// Counts durations: exact number, sum and extremes, and quantiles within 0.4 %.
//
// Units: nanoseconds; exact below 128, then 128 equal steps per power of two up to 2^44 (4.9 h),
//        where the last bucket takes all above. Merging is addition, so it does not depend on the
//        order. Cost: recording is an increment; 512 bytes for each power of two that was met.
//        Buckets are counted a few at a time, because with many tallies each is a miss of the
//        cache, and misses that do not wait for each other cost little more than one.
class LatencyTally
{
public:
    void record(Duration duration)
    {
        const auto value =
            duration > Duration::zero() ? static_cast<std::uint64_t>(duration.count()) : 0;
        m_late[m_lateCount++] = static_cast<std::uint16_t>(indexOf(value));
        ++m_total;
        m_sum += value;
        if (m_lateCount == kLateMax) {
            countLate();
        }
    }

    void merge(const LatencyTally& other);

    [[nodiscard]] std::uint64_t total() const { return m_total; }
    [[nodiscard]] Duration mean() const; // Zero when nothing was recorded.
    // The duration below which this share (0..1) of the records lies, linear within a bucket; zero
    // when nothing was recorded.
    [[nodiscard]] Duration quantile(double share) const;

private:
    static constexpr unsigned kStepBits = 7;
    static constexpr std::uint64_t kSteps = 1U << kStepBits;
    static constexpr unsigned kTopBit = 44;
    static constexpr std::size_t kBlocks = kTopBit - kStepBits + 1; // Of kSteps buckets each.
    static constexpr std::size_t kBuckets = kBlocks * kSteps;

    static std::size_t indexOf(std::uint64_t value);
    static std::uint64_t lowestOf(std::size_t index);

    static constexpr std::size_t kLateMax = 12;

    void countLate() const;
    // The buckets of a power of two; made when they are first asked for.
    [[nodiscard]] std::uint32_t* blockOf(std::size_t at) const;

    std::uint64_t m_total = 0;
    std::uint64_t m_sum = 0; // 584 years.
    mutable std::size_t m_lateCount = 0;
    mutable std::array<std::uint16_t, kLateMax> m_late{}; // Buckets that are not counted yet.
    mutable std::vector<std::uint32_t> m_counts; // Of the blocks that were met, one after another.
    mutable std::array<std::uint8_t, kBlocks> m_places{}; // By block: in m_counts, plus 1; 0: none.
};

} // namespace mesh::simulator
