#pragma once

#include "proxyengine/base/histogram.h"
#include "proxyengine/base/time.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace mesh::policy {

// Latencies of a stretch of time on HistogramScale in microseconds. A quantile is at most 1.6 %
// off (0.5 us below 32 us). 4 KiB, nothing allocates.
class LatencyHistogram
{
public:
    void record(Duration latency, std::uint32_t count = 1);
    void recordBucket(std::size_t index, std::uint32_t count);
    void clear();

    [[nodiscard]] std::uint64_t total() const { return m_total; }
    [[nodiscard]] std::uint32_t operator[](std::size_t index) const { return m_counts[index]; }
    // The smallest latency that this share (percent, 0..100) of the records does not exceed;
    // zero when there are none. Cost: one pass over the buckets, below a microsecond.
    [[nodiscard]] Duration percentile(double percent) const;

    [[nodiscard]] static std::size_t indexOf(Duration latency);
    [[nodiscard]] static Duration middleOf(std::size_t index);

private:
    std::array<std::uint32_t, HistogramScale::kBuckets> m_counts{};
    std::uint64_t m_total = 0;
};

// One percentile of the recent latencies, always ready: what "hedge after p95" asks for.
//
// Two histograms take turns: the newer is written, both are read, and after half of the window the
// older is forgotten. So what is judged is between half of and the whole window old.
// Cost: record() and value() are a few instructions, a turn one pass over the buckets. 8 KiB.
class LatencyWindow
{
public:
    // Below it a percentile says more about chance than about the service.
    static constexpr std::uint64_t kSamplesMin = 20;

    // percent in (0, 100], window > 0.
    LatencyWindow(Duration window, double percent, TimePoint now);

    void record(TimePoint now, Duration latency, std::uint32_t count = 1);
    // Absent while fewer than kSamplesMin latencies are in the window.
    [[nodiscard]] std::optional<Duration> value(TimePoint now);
    [[nodiscard]] std::uint64_t count() const { return m_older.total() + m_newer.total(); }

private:
    void turn(TimePoint now);
    void settle();

    Duration m_half;
    double m_share; // 0..1
    TimePoint m_turnAt;
    LatencyHistogram m_older;
    LatencyHistogram m_newer;
    std::size_t m_cursor = 0; // Bucket of the percentile.
    std::uint64_t m_below = 0; // Records in the buckets before it.
};

} // namespace mesh::policy
