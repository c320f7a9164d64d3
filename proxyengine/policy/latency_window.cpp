#include "proxyengine/policy/latency_window.h"

#include "proxyengine/base/assert.h"

#include <algorithm>
#include <cmath>

namespace mesh::policy {

namespace {

// How many records, of the smallest on, the percentile needs.
std::uint64_t rankOf(double share, std::uint64_t total)
{
    const double exact = std::ceil(share * static_cast<double>(total));
    return std::clamp(static_cast<std::uint64_t>(exact), std::uint64_t{1}, total);
}

} // namespace

std::size_t LatencyHistogram::indexOf(Duration latency)
{
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(latency).count();
    return HistogramScale::indexOf(static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0)));
}

Duration LatencyHistogram::middleOf(std::size_t index)
{
    // Exact: middles are whole or half microseconds.
    return Duration(std::llround(HistogramScale::middleOf(index) * 1000));
}

void LatencyHistogram::record(Duration latency, std::uint32_t count)
{
    recordBucket(indexOf(latency), count);
}

void LatencyHistogram::recordBucket(std::size_t index, std::uint32_t count)
{
    m_counts[index] += count;
    m_total += count;
}

void LatencyHistogram::clear()
{
    if (m_total != 0) {
        m_counts.fill(0);
        m_total = 0;
    }
}

Duration LatencyHistogram::percentile(double percent) const
{
    if (m_total == 0) {
        return {};
    }
    const std::uint64_t rank = rankOf(percent / 100, m_total);
    std::uint64_t seen = 0;
    std::size_t index = 0;
    while (seen + m_counts[index] < rank) {
        seen += m_counts[index++];
    }
    return middleOf(index);
}

LatencyWindow::LatencyWindow(Duration window, double percent, TimePoint now)
    : m_half(std::max(window / 2, Duration(1)))
    , m_share(percent / 100)
    , m_turnAt(now + m_half)
{
    MESH_ASSERT(window > Duration::zero());
    MESH_ASSERT(percent > 0 && percent <= 100);
}

void LatencyWindow::record(TimePoint now, Duration latency, std::uint32_t count)
{
    turn(now);
    const std::size_t index = LatencyHistogram::indexOf(latency);
    m_newer.recordBucket(index, count);
    if (index < m_cursor) {
        m_below += count;
    }
    settle();
}

std::optional<Duration> LatencyWindow::value(TimePoint now)
{
    turn(now);
    if (count() < kSamplesMin) {
        return std::nullopt;
    }
    return LatencyHistogram::middleOf(m_cursor);
}

void LatencyWindow::turn(TimePoint now)
{
    if (now < m_turnAt) {
        return;
    }
    if (now - m_turnAt < m_half) {
        m_older = m_newer;
        m_turnAt += m_half;
    } else {
        m_older.clear();
        m_turnAt = now + m_half;
    }
    m_newer.clear();
    m_cursor = 0;
    m_below = 0;
    settle();
}

// Moves the cursor to the smallest bucket up to which enough records lie.
void LatencyWindow::settle()
{
    const std::uint64_t total = count();
    if (total == 0) {
        return;
    }
    const std::uint64_t rank = rankOf(m_share, total);
    const auto inBucket = [this](std::size_t index) -> std::uint64_t {
        return std::uint64_t{m_older[index]} + m_newer[index];
    };
    while (m_below + inBucket(m_cursor) < rank) {
        m_below += inBucket(m_cursor++);
    }
    while (m_below >= rank) {
        m_below -= inBucket(--m_cursor);
    }
}

} // namespace mesh::policy
