#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mesh {

// Buckets of a log-linear scale: exact below 32, then 32 equal steps per power of two.
//
// A bucket's middle is at most 1/64 of its value away from anything in it, so a quantile is at most
// 1.6 % off. Values above the top (2^36, 19 h in microseconds) are counted in the last bucket.
// Source: HdrHistogram's layout (Tene), with 5 sub-bucket bits.
struct HistogramScale
{
    static constexpr unsigned kStepBits = 5;
    static constexpr std::uint64_t kSteps = 1U << kStepBits;
    static constexpr unsigned kTopBit = 36;
    static constexpr std::size_t kBuckets = kSteps + (kTopBit - kStepBits) * kSteps;

    static std::size_t indexOf(std::uint64_t value);
    static double middleOf(std::size_t index);
};

// Counts in the buckets of HistogramScale, only those that are not zero; what frames carry.
// Merging is exact, so quantiles of merged histograms are as good as those of one.
class HistogramCounts
{
public:
    struct Bucket
    {
        std::uint16_t index;
        std::uint32_t count;
        friend bool operator==(const Bucket&, const Bucket&) = default;
    };

    HistogramCounts() = default;
    // Buckets sorted by index, unique; anything else is repaired by sorting and adding up.
    explicit HistogramCounts(std::vector<Bucket> buckets);

    void record(std::uint64_t value, std::uint32_t count = 1);
    void merge(const HistogramCounts& other);

    [[nodiscard]] std::uint64_t total() const;
    // The value below which this share (0..1) of the records lies; 0 when there are none.
    [[nodiscard]] double quantile(double share) const;
    [[nodiscard]] double mean() const; // From bucket middles; 0 when there are none.
    [[nodiscard]] const std::vector<Bucket>& buckets() const
    {
        return m_buckets;
    } // Sorted by index.

    friend bool operator==(const HistogramCounts&, const HistogramCounts&) = default;

private:
    std::vector<Bucket> m_buckets;
};

// The same scale with room for every bucket: recording is one increment. 4 KiB, of which only what
// lies between the least and the greatest bucket in use is looked at.
class Histogram
{
public:
    void record(std::uint64_t value)
    {
        const std::size_t index = HistogramScale::indexOf(value);
        ++m_counts[index];
        m_begin = std::min(m_begin, index);
        m_end = std::max(m_end, index + 1);
    }
    // What was recorded since the last take; empties the histogram.
    [[nodiscard]] HistogramCounts take();
    [[nodiscard]] HistogramCounts counts() const;

private:
    std::size_t m_begin = HistogramScale::kBuckets; // Of the buckets in use.
    std::size_t m_end = 0;
    std::array<std::uint32_t, HistogramScale::kBuckets> m_counts{};
};

} // namespace mesh
