#include "proxyengine/base/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace mesh {

std::size_t HistogramScale::indexOf(std::uint64_t value)
{
    if (value < kSteps) {
        return static_cast<std::size_t>(value);
    }
    const unsigned topBit = static_cast<unsigned>(std::bit_width(value)) - 1;
    if (topBit >= kTopBit) {
        return kBuckets - 1;
    }
    const unsigned octave = topBit - kStepBits;
    const std::uint64_t step = (value >> octave) - kSteps;
    return static_cast<std::size_t>(kSteps + octave * kSteps + step);
}

double HistogramScale::middleOf(std::size_t index)
{
    if (index < kSteps) {
        return static_cast<double>(index);
    }
    const std::uint64_t octave = (index - kSteps) / kSteps;
    const std::uint64_t step = (index - kSteps) % kSteps;
    const double width = std::ldexp(1.0, static_cast<int>(octave));
    return (static_cast<double>(kSteps + step) + 0.5) * width - (octave == 0 ? 0.5 : 0.0);
}

HistogramCounts::HistogramCounts(std::vector<Bucket> buckets)
    : m_buckets(std::move(buckets))
{
    std::ranges::sort(m_buckets, {}, &Bucket::index);
    std::size_t kept = 0;
    for (std::size_t at = 0; at < m_buckets.size(); ++at) {
        if (kept > 0 && m_buckets[kept - 1].index == m_buckets[at].index) {
            m_buckets[kept - 1].count += m_buckets[at].count;
        } else {
            m_buckets[kept++] = m_buckets[at];
        }
    }
    m_buckets.resize(kept);
}

void HistogramCounts::record(std::uint64_t value, std::uint32_t count)
{
    const auto index = static_cast<std::uint16_t>(HistogramScale::indexOf(value));
    const auto found = std::ranges::lower_bound(m_buckets, index, {}, &Bucket::index);
    if (found != m_buckets.end() && found->index == index) {
        found->count += count;
    } else {
        m_buckets.insert(found, Bucket{index, count});
    }
}

void HistogramCounts::merge(const HistogramCounts& other)
{
    // Mostly nothing is new; what is new makes room, and is merged from the back.
    std::size_t fresh = 0;
    auto own = m_buckets.begin();
    for (const Bucket& bucket : other.m_buckets) {
        own = std::find_if(own, m_buckets.end(), [&bucket](const Bucket& candidate) {
            return candidate.index >= bucket.index;
        });
        if (own == m_buckets.end() || own->index != bucket.index) {
            ++fresh;
        }
    }
    std::size_t left = m_buckets.size();
    std::size_t right = other.m_buckets.size();
    m_buckets.resize(left + fresh);
    std::size_t to = m_buckets.size();
    while (right > 0) {
        Bucket next = other.m_buckets[right - 1];
        if (left > 0 && m_buckets[left - 1].index > next.index) {
            next = m_buckets[--left];
        } else {
            if (left > 0 && m_buckets[left - 1].index == next.index) {
                next.count += m_buckets[--left].count;
            }
            --right;
        }
        m_buckets[--to] = next;
    }
}

std::uint64_t HistogramCounts::total() const
{
    std::uint64_t sum = 0;
    for (const Bucket& bucket : m_buckets) {
        sum += bucket.count;
    }
    return sum;
}

double HistogramCounts::quantile(double share) const
{
    const std::uint64_t all = total();
    if (all == 0) {
        return 0.0;
    }
    const double rank = std::clamp(share, 0.0, 1.0) * static_cast<double>(all);
    std::uint64_t seen = 0;
    for (const Bucket& bucket : m_buckets) {
        seen += bucket.count;
        if (static_cast<double>(seen) >= rank) {
            return HistogramScale::middleOf(bucket.index);
        }
    }
    return HistogramScale::middleOf(m_buckets.back().index);
}

double HistogramCounts::mean() const
{
    double sum = 0.0;
    std::uint64_t all = 0;
    for (const Bucket& bucket : m_buckets) {
        sum += HistogramScale::middleOf(bucket.index) * bucket.count;
        all += bucket.count;
    }
    return all == 0 ? 0.0 : sum / static_cast<double>(all);
}

HistogramCounts Histogram::take()
{
    HistogramCounts taken = counts();
    for (std::size_t index = m_begin; index < m_end; ++index) {
        m_counts[index] = 0;
    }
    m_begin = HistogramScale::kBuckets;
    m_end = 0;
    return taken;
}

HistogramCounts Histogram::counts() const
{
    std::vector<HistogramCounts::Bucket> buckets;
    for (std::size_t index = m_begin; index < m_end; ++index) {
        if (m_counts[index] != 0) {
            buckets.push_back({static_cast<std::uint16_t>(index), m_counts[index]});
        }
    }
    return HistogramCounts(std::move(buckets));
}

} // namespace mesh
