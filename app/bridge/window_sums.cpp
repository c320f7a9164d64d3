#include "app/bridge/window_sums.h"

#include "proxyengine/base/histogram.h"

#include <algorithm>

namespace mesh::bridge {

void WindowSums::add(const store::MetricRow& row)
{
    if (m_end_s != 0 && row.time_s < m_end_s - kLengthMax_s) {
        return;
    }
    const auto place = m_sums.try_emplace(row.key).first;
    m_seconds[row.time_s].emplace_back(&place->first, row.value);
    if (row.time_s >= m_begin_s && row.time_s < m_end_s) {
        include(row.key, row.value, row.time_s);
    }
}

void WindowSums::moveTo(std::int64_t end_s, std::int64_t length_s)
{
    const std::int64_t begin_s = end_s - std::clamp<std::int64_t>(length_s, 1, kLengthMax_s);
    for (const auto& [time, second] : m_seconds) {
        const bool wasIn = time >= m_begin_s && time < m_end_s;
        const bool isIn = time >= begin_s && time < end_s;
        if (wasIn == isIn) {
            continue;
        }
        for (const auto& [key, value] : second) {
            if (isIn) {
                include(*key, value, time);
            } else {
                exclude(*key, value);
            }
        }
    }
    m_begin_s = begin_s;
    m_end_s = end_s;
    m_seconds.erase(m_seconds.begin(), m_seconds.lower_bound(end_s - kLengthMax_s));
}

void WindowSums::clear()
{
    m_seconds.clear();
    m_sums.clear();
    m_begin_s = 0;
    m_end_s = 0;
}

void WindowSums::include(
    const store::SeriesKey& key, const store::MetricValue& value, std::int64_t time
)
{
    Sum& sum = m_sums[key];
    sum.value.addCounters(value);
    if (sum.latency.empty()) {
        sum.latency.resize(HistogramScale::kBuckets);
    }
    for (const HistogramCounts::Bucket& bucket : value.latency.buckets()) {
        sum.latency[bucket.index] += bucket.count;
    }
    ++sum.rows;
    sum.last_s = std::max(sum.last_s, time);
}

void WindowSums::exclude(const store::SeriesKey& key, const store::MetricValue& value)
{
    Sum& sum = m_sums[key];
    sum.value.subtractCounters(value);
    for (const HistogramCounts::Bucket& bucket : value.latency.buckets()) {
        sum.latency[bucket.index] -= bucket.count;
    }
    --sum.rows;
}

std::vector<store::SeriesTotal> WindowSums::totals() const
{
    std::vector<store::SeriesTotal> totals;
    for (const auto& [key, sum] : m_sums) {
        if (sum.rows == 0) {
            continue;
        }
        store::SeriesTotal total{key, sum.value, sum.last_s};
        std::vector<HistogramCounts::Bucket> buckets;
        for (std::size_t at = 0; at < sum.latency.size(); ++at) {
            if (sum.latency[at] != 0) {
                buckets.push_back({static_cast<std::uint16_t>(at), sum.latency[at]});
            }
        }
        total.value.latency = HistogramCounts(std::move(buckets));
        totals.push_back(std::move(total));
    }
    return totals;
}

} // namespace mesh::bridge
