#include "proxyengine/policy/sliding_window.h"

#include <algorithm>
#include <bit>

namespace mesh::policy {

namespace {

constexpr int kCounterBits = 6;
constexpr std::uint64_t kCounterMax = (1U << kCounterBits) - 1;
constexpr int kCountersMax = 8;
constexpr int kPartBitsMin = 12; // A number wraps after 4 096 parts; see countsAt().
// How far one worker's reading of the clock may lag behind another's: a turn is 5 ms.
constexpr Duration kLagMax = std::chrono::milliseconds(100);

constexpr std::uint64_t maskOf(int bits)
{
    return bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
}

constexpr std::int64_t divideUp(std::int64_t number, std::int64_t by)
{
    return number / by + (number % by > 0 ? 1 : 0);
}

std::int64_t sumOf(std::uint64_t counters)
{
    std::int64_t sum = 0;
    for (; counters != 0; counters >>= kCounterBits) {
        sum += static_cast<std::int64_t>(counters & kCounterMax);
    }
    return sum;
}

} // namespace

SlidingWindow::SlidingWindow(std::int64_t requests, Duration per)
    : m_requests(std::max<std::int64_t>(1, requests))
    , m_unit(divideUp(m_requests, static_cast<std::int64_t>(kCounterMax)))
    , m_remainderBits(static_cast<int>(std::bit_width(static_cast<std::uint64_t>(m_unit - 1))))
    , m_counters(std::min(kCountersMax, (64 - kPartBitsMin - m_remainderBits) / kCounterBits))
    , m_counterBits(m_counters * kCounterBits)
    , m_part(std::max<std::int64_t>(1, divideUp(per.count(), parts())))
    , m_lagMax(std::clamp<std::int64_t>(
          divideUp(kLagMax.count(), m_part.count()), 1, std::int64_t{1} << (kPartBitsMin - 2)
      ))
{}

SlidingWindow::Counts SlidingWindow::countsAt(std::uint64_t word, TimePoint now) const
{
    const int partBits = 64 - m_counterBits - m_remainderBits;
    const std::int64_t part = now.time_since_epoch() / m_part;
    const std::uint64_t stored = word >> (m_counterBits + m_remainderBits);
    const std::uint64_t age = (static_cast<std::uint64_t>(part) - stored) & maskOf(partBits);
    Counts counts{
        part,
        static_cast<std::int64_t>(word >> m_counterBits & maskOf(m_remainderBits)),
        word & maskOf(m_counterBits)};

    // Another worker's clock was further on: count into its part. A word that nobody touched for
    // almost all numbers looks the same, and at worst keeps old counts for kLagMax.
    const std::uint64_t ahead = (std::uint64_t{1} << partBits) - age;
    if (age != 0 && ahead <= static_cast<std::uint64_t>(m_lagMax)) {
        counts.part += static_cast<std::int64_t>(ahead);
    } else if (age >= static_cast<std::uint64_t>(m_counters)) {
        counts.counters = 0;
        counts.remainder = 0;
    } else {
        const int shift = static_cast<int>(age) * kCounterBits;
        counts.counters = counts.counters << shift & maskOf(m_counterBits);
    }
    return counts;
}

std::uint64_t SlidingWindow::toWord(const Counts& counts) const
{
    return static_cast<std::uint64_t>(counts.part) << (m_counterBits + m_remainderBits)
           | static_cast<std::uint64_t>(counts.remainder) << m_counterBits | counts.counters;
}

std::int64_t SlidingWindow::totalOf(const Counts& counts) const
{
    return m_unit * sumOf(counts.counters) + counts.remainder;
}

SlidingWindow::Verdict SlidingWindow::take(std::uint64_t& word, TimePoint now) const
{
    Counts counts = countsAt(word, now);
    if (totalOf(counts) >= m_requests) {
        return {false, 0, untilRoom(counts, now), untilRest(counts, now)};
    }
    if (++counts.remainder == m_unit) {
        counts.remainder = 0;
        ++counts.counters;
    }
    word = toWord(counts);
    return {true, m_requests - totalOf(counts), Duration{}, untilRest(counts, now)};
}

void SlidingWindow::giveBack(std::uint64_t& word, TimePoint now) const
{
    Counts counts = countsAt(word, now);
    if (counts.remainder > 0) {
        --counts.remainder;
    } else if ((counts.counters & kCounterMax) > 0) {
        --counts.counters;
        counts.remainder = m_unit - 1;
    } else {
        return; // Its part has passed; it will be forgotten in time.
    }
    word = toWord(counts);
}

bool SlidingWindow::isAtRest(std::uint64_t word, TimePoint now) const
{
    const Counts counts = countsAt(word, now);
    return counts.counters == 0 && counts.remainder == 0;
}

// The first beginning of a part that leaves room for one more.
Duration SlidingWindow::untilRoom(const Counts& counts, TimePoint now) const
{
    std::uint64_t counters = counts.counters;
    std::int64_t part = counts.part;
    do {
        counters = counters << kCounterBits & maskOf(m_counterBits);
        ++part;
    } while (counters != 0 && m_unit * sumOf(counters) + counts.remainder >= m_requests);
    return m_part * part - now.time_since_epoch();
}

Duration SlidingWindow::untilRest(const Counts& counts, TimePoint now) const
{
    // A remainder is forgotten only with the whole window.
    const int newest = std::countr_zero(counts.counters) / kCounterBits;
    const int age = counts.remainder > 0 ? 0 : newest;
    return m_part * (counts.part + m_counters - age) - now.time_since_epoch();
}

} // namespace mesh::policy
