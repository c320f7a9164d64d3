#pragma once

#include "proxyengine/base/time.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mesh::simulator {

// Counts durations: exact number, sum and extremes, and quantiles within 0.4 %.
//
// Units: nanoseconds; exact below 128, then 128 equal steps per power of two up to 2^44 (4.9 h),
//        where the last bucket takes all above. Merging is addition, so it does not depend on the
//        order. Cost: recording is an increment; 20 KB from the first record on.
class LatencyTally
{
public:
    void record(Duration duration)
    {
        const auto value =
            duration > Duration::zero() ? static_cast<std::uint64_t>(duration.count()) : 0;
        if (m_counts.empty()) {
            m_counts.resize(kBuckets);
        }
        ++m_counts[indexOf(value)];
        ++m_total;
        m_sum += value;
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
    static constexpr std::size_t kBuckets = (kTopBit - kStepBits + 1) * kSteps;

    static std::size_t indexOf(std::uint64_t value);
    static std::uint64_t lowestOf(std::size_t index);

    std::vector<std::uint32_t> m_counts; // Empty until something is recorded.
    std::uint64_t m_total = 0;
    std::uint64_t m_sum = 0; // 584 years.
};

} // namespace mesh::simulator
