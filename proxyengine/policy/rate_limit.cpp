#include "proxyengine/policy/rate_limit.h"

#include <algorithm>
#include <chrono>

namespace mesh::policy {

namespace {

using std::chrono::days;
using std::chrono::microseconds;
using std::chrono::seconds;

// Beyond 73 years of tokens a bucket grows no further, so that no sum leaves 64 bits.
constexpr std::int64_t kToleranceMax = std::int64_t{1} << 61U;
constexpr WallTimeline::duration kWallLagMax = seconds(1); // Between the readings of two workers.

// A fixed window's word: number of the window above, count below.
constexpr int kIndexShift = 32;
constexpr std::uint64_t kCountMask = 0xffffffffU;

constexpr std::int64_t divideUp(std::int64_t number, std::int64_t by)
{
    return number / by + (number % by > 0 ? 1 : 0);
}

std::chrono::year_month_day dateOf(WallTime wall)
{
    return std::chrono::sys_days(std::chrono::floor<days>(wall.time_since_epoch()));
}

WallTime toWallTime(std::chrono::year_month_day date)
{
    return WallTime(std::chrono::sys_days(date).time_since_epoch());
}

std::int64_t toResetSeconds(Duration wait) { return toRetryAfterSeconds(wait); }

} // namespace

RateRule::RateRule(const model::RateLimit& settings)
    : m_algorithm(settings.algorithm)
    , m_requests(std::max(1, settings.requests))
    , m_burst(std::max(1, settings.burst.value_or(settings.requests)))
    , m_per(std::max<Duration>(settings.per, microseconds(1)))
    , m_interval(divideUp(m_per.count(), m_requests))
    , m_sliding(m_requests, m_per)
{
    m_tolerance = Duration(
        m_burst - 1 > kToleranceMax / m_interval.count() ? kToleranceMax
                                                         : (m_burst - 1) * m_interval.count()
    );
    m_lagMax = static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(divideUp(Duration(kWallLagMax).count(), m_per.count()), 1, 1 << 20)
    );
}

RateRule::RateRule(int requests, Calendar calendar)
    : m_algorithm(model::RateAlgorithm::FixedWindow)
    , m_calendar(calendar)
    , m_requests(std::max(1, requests))
    , m_burst(m_requests)
    , m_per(calendar == Calendar::Year ? days(365) : days(30))
{}

RateVerdict RateRule::take(std::uint64_t& word, RateNow now) const
{
    switch (m_algorithm) {
    case model::RateAlgorithm::TokenBucket:
        return takeToken(word, now.now);
    case model::RateAlgorithm::FixedWindow:
        return takeFixed(word, now.wall);
    case model::RateAlgorithm::SlidingWindow:
        break;
    }
    const SlidingWindow::Verdict verdict = m_sliding.take(word, now.now);
    return {
        verdict.isAdmitted,
        m_requests,
        verdict.remaining,
        verdict.retryAfter,
        toResetSeconds(verdict.untilRest)};
}

void RateRule::giveBack(std::uint64_t& word, RateNow now) const
{
    switch (m_algorithm) {
    case model::RateAlgorithm::TokenBucket:
        word -= std::min(word, static_cast<std::uint64_t>(m_interval.count()));
        return;
    case model::RateAlgorithm::FixedWindow:
        if ((word >> kIndexShift) == countedWindow(word, now.wall) && (word & kCountMask) > 0) {
            --word;
        }
        return;
    case model::RateAlgorithm::SlidingWindow:
        m_sliding.giveBack(word, now.now);
        return;
    }
}

bool RateRule::isAtRest(std::uint64_t word, RateNow now) const
{
    switch (m_algorithm) {
    case model::RateAlgorithm::TokenBucket:
        return static_cast<std::int64_t>(word) <= now.now.time_since_epoch().count();
    case model::RateAlgorithm::FixedWindow:
        return (word & kCountMask) == 0 || (word >> kIndexShift) != countedWindow(word, now.wall);
    case model::RateAlgorithm::SlidingWindow:
        break;
    }
    return m_sliding.isAtRest(word, now.now);
}

std::int64_t RateRule::limit() const
{
    return m_algorithm == model::RateAlgorithm::TokenBucket ? m_burst : m_requests;
}

RateVerdict RateRule::takeToken(std::uint64_t& word, TimePoint now) const
{
    const Duration time = now.time_since_epoch();
    const Duration due = std::max(Duration(static_cast<std::int64_t>(word)), time);
    const Duration ahead = due - time; // The time that the tokens already taken still need.
    if (ahead > m_tolerance) {
        return {false, m_burst, 0, ahead - m_tolerance, toResetSeconds(ahead)};
    }
    const Duration next = due + m_interval;
    word = static_cast<std::uint64_t>(next.count());
    const std::int64_t remaining = (m_tolerance - ahead) / m_interval;
    return {true, m_burst, remaining, Duration{}, toResetSeconds(next - time)};
}

RateVerdict RateRule::takeFixed(std::uint64_t& word, WallTime wall) const
{
    const std::uint32_t index = countedWindow(word, wall);
    const bool isSame = (word >> kIndexShift) == index;
    const auto counted = isSame ? static_cast<std::int64_t>(word & kCountMask) : 0;
    const Duration untilEnd = std::max<Duration>(windowEnd(index, wall) - wall, microseconds(1));
    if (counted >= m_requests) {
        return {false, m_requests, 0, untilEnd, toResetSeconds(untilEnd)};
    }
    word = std::uint64_t{index} << kIndexShift | static_cast<std::uint64_t>(counted + 1);
    return {true, m_requests, m_requests - counted - 1, Duration{}, toResetSeconds(untilEnd)};
}

// Wraps after 2^32 windows; a word that old has long been forgotten.
std::uint32_t RateRule::windowIndexOf(WallTime wall) const
{
    if (m_calendar == Calendar::None) {
        const std::int64_t time = Duration(wall.time_since_epoch()).count();
        return static_cast<std::uint32_t>(time / m_per.count());
    }
    const std::chrono::year_month_day date = dateOf(wall);
    const int year = static_cast<int>(date.year());
    const int month = static_cast<int>(static_cast<unsigned>(date.month()));
    return static_cast<std::uint32_t>(m_calendar == Calendar::Year ? year : year * 12 + month - 1);
}

// The window that a request counts in: that of its time, or the word's own when that is a little
// further on.
std::uint32_t RateRule::countedWindow(std::uint64_t word, WallTime wall) const
{
    const std::uint32_t index = windowIndexOf(wall);
    const auto stored = static_cast<std::uint32_t>(word >> kIndexShift);
    const std::uint32_t ahead = stored - index; // Modulo 2^32.
    const bool isUsed = (word & kCountMask) > 0;
    return isUsed && ahead > 0 && ahead <= m_lagMax ? stored : index;
}

WallTime RateRule::windowEnd(std::uint32_t index, WallTime wall) const
{
    using std::chrono::year;
    if (m_calendar == Calendar::None) {
        const std::uint32_t ahead = index - windowIndexOf(wall);
        const Duration time = wall.time_since_epoch();
        const Duration end = (time / m_per + 1 + ahead) * m_per;
        return WallTime(std::chrono::ceil<microseconds>(end));
    }
    const auto number = static_cast<int>(index) + 1;
    if (m_calendar == Calendar::Year) {
        return toWallTime(year(number) / 1 / 1);
    }
    return toWallTime(year(number / 12) / (number % 12 + 1) / 1);
}

bool isTighter(
    const RateVerdict& one, Duration oneWindow, const RateVerdict& other, Duration otherWindow
)
{
    return one.remaining != other.remaining ? one.remaining < other.remaining
                                            : oneWindow > otherWindow;
}

RateHeaders rateHeaders(const RateVerdict& tightest)
{
    RateHeaders headers;
    headers.fields = {{
        {"RateLimit-Limit", tightest.limit},
        {"RateLimit-Remaining", tightest.remaining},
        {"RateLimit-Reset", tightest.resetSeconds},
        {"Retry-After", toRetryAfterSeconds(tightest.retryAfter)},
    }};
    headers.count = tightest.isAdmitted ? 3 : 4;
    return headers;
}

RateHeaders periodHeaders(const RateVerdict& verdict, Duration window)
{
    struct Period
    {
        Duration window;
        std::string_view limit;
        std::string_view remaining;
    };
    static constexpr std::array<Period, 6> kPeriods = {{
        {seconds(1), "X-RateLimit-Limit-Second", "X-RateLimit-Remaining-Second"},
        {seconds(60), "X-RateLimit-Limit-Minute", "X-RateLimit-Remaining-Minute"},
        {seconds(3600), "X-RateLimit-Limit-Hour", "X-RateLimit-Remaining-Hour"},
        {days(1), "X-RateLimit-Limit-Day", "X-RateLimit-Remaining-Day"},
        {days(30), "X-RateLimit-Limit-Month", "X-RateLimit-Remaining-Month"},
        {days(365), "X-RateLimit-Limit-Year", "X-RateLimit-Remaining-Year"},
    }};
    RateHeaders headers;
    const auto* period = std::ranges::find(kPeriods, window, &Period::window);
    if (period != kPeriods.end()) {
        headers.fields[0] = {period->limit, verdict.limit};
        headers.fields[1] = {period->remaining, verdict.remaining};
        headers.count = 2;
    }
    return headers;
}

std::int64_t toRetryAfterSeconds(Duration wait)
{
    return std::max<std::int64_t>(1, std::chrono::ceil<seconds>(wait).count());
}

} // namespace mesh::policy
