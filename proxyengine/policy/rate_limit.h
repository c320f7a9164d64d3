#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/model/resilience.h"
#include "proxyengine/policy/sliding_window.h"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace mesh::policy {

// Both clocks, read once per loop turn. Only fixed windows look at the wall.
struct RateNow
{
    TimePoint now{};
    WallTime wall{};
};

struct RateVerdict
{
    bool isAdmitted = true;
    std::int64_t limit = 0; // Of the rule: what RateLimit-Limit says.
    std::int64_t remaining = 0; // That would still be admitted at this moment.
    Duration retryAfter{}; // Until one more is admitted; zero when this one was.
    std::int64_t resetSeconds = 1; // Until the limit is whole again; at least 1.
};

// One rate limit, compiled. Its state is one word per key; a fresh word is 0, and no state is
// kNoWord. All functions are pure.
//
// Token bucket: at most burst + t * requests / per in any time t. The interval between two tokens
//   is rounded up to a nanosecond. Source: the generic cell rate algorithm (ITU-T I.371), the word
//   is the theoretical arrival time.
// Fixed window: at most `requests` from one multiple of `per` since 1970 to the next. A wall clock
//   that lags by up to a second (or one window, if longer) counts into the newest window seen;
//   one that was set back further begins anew.
// Sliding window: at most `requests` in any time `per`; see sliding_window.h for its price.
//
// Threads: any, after construction (immutable).
class RateRule
{
public:
    static constexpr std::uint64_t kNoWord = ~std::uint64_t{0};

    enum class Calendar : std::uint8_t { None, Month, Year };

    explicit RateRule(const model::RateLimit& settings);
    // A fixed window that follows the calendar (UTC).
    RateRule(int requests, Calendar calendar);

    // Counts one request if it fits. A refused one is not counted.
    [[nodiscard]] RateVerdict take(std::uint64_t& word, RateNow now) const;

    // Undoes one take() that admitted, for a request that another limit then refused.
    void giveBack(std::uint64_t& word, RateNow now) const;

    // Whether the word says no more than a fresh one: its key can be forgotten.
    [[nodiscard]] bool isAtRest(std::uint64_t word, RateNow now) const;

    [[nodiscard]] std::int64_t limit() const;
    [[nodiscard]] Duration window() const { return m_per; } // Months: 30 days, years: 365.

private:
    [[nodiscard]] RateVerdict takeToken(std::uint64_t& word, TimePoint now) const;
    [[nodiscard]] RateVerdict takeFixed(std::uint64_t& word, WallTime wall) const;
    [[nodiscard]] std::uint32_t windowIndexOf(WallTime wall) const;
    [[nodiscard]] std::uint32_t countedWindow(std::uint64_t word, WallTime wall) const;
    [[nodiscard]] WallTime windowEnd(std::uint32_t index, WallTime wall) const;

    model::RateAlgorithm m_algorithm;
    Calendar m_calendar = Calendar::None;
    std::int64_t m_requests; // 1 or more.
    std::int64_t m_burst; // Tokens of a full bucket.
    Duration m_per;
    Duration m_interval{}; // Between two tokens.
    Duration m_tolerance{}; // (burst - 1) intervals.
    std::uint32_t m_lagMax = 1; // Windows a wall clock may lag.
    SlidingWindow m_sliding;
};

// The tighter of two verdicts about one request: fewer remain; among equals the longer window.
[[nodiscard]] bool isTighter(
    const RateVerdict& one, Duration oneWindow, const RateVerdict& other, Duration otherWindow
);

// A response field whose value is a whole number.
struct RateHeader
{
    std::string_view name;
    std::int64_t value = 0;
};

// RateLimit-Limit, -Remaining and -Reset of the tightest limit, and Retry-After when it refused.
struct RateHeaders
{
    std::array<RateHeader, 4> fields{};
    std::size_t count = 0;

    [[nodiscard]] std::span<const RateHeader> all() const { return {fields.data(), count}; }
};
[[nodiscard]] RateHeaders rateHeaders(const RateVerdict& tightest);

// X-RateLimit-Limit-<Period> and X-RateLimit-Remaining-<Period> of one limit whose window is a
// second, minute, hour, day, month or year; otherwise none.
[[nodiscard]] RateHeaders periodHeaders(const RateVerdict& verdict, Duration window);

// Whole seconds, rounded up, at least 1: the value of Retry-After.
[[nodiscard]] std::int64_t toRetryAfterSeconds(Duration wait);

} // namespace mesh::policy
