#pragma once

#include "proxyengine/base/time.h"

#include <cstdint>

namespace mesh::policy {

// Counts requests of the last `per` in one 64-bit word, so that no time `per` ever sees more than
// `requests` admitted, wherever it begins.
//
// The word holds n counters of 6 bits, one for the current part of the window and each of the n-1
// before it (a part is per/(n-1), rounded up), a remainder, and the number of the current part:
//
//   | part number | remainder | oldest ... newest |
//
// A counter counts units of ceil(requests/63) requests. Requests of an unfinished unit are the
// remainder, and always counted as if they were new: they are kept longer than needed, never
// shorter. n is 8 up to 1 008 requests, 7 up to 64 512, 6 up to 4 128 768 and never below 4.
//
// The price of exactness: a request is remembered for up to one part longer than `per`. From rest
// all `requests` are admitted at once; under lasting pressure (n-1)/n of them per window, less at
// most one unit. Part numbers wrap after at least 4 096 parts: a word that is left alone for just
// that long may remember its requests for one window more.
class SlidingWindow
{
public:
    SlidingWindow() = default; // Of no use but to be assigned.
    SlidingWindow(std::int64_t requests, Duration per);

    struct Verdict
    {
        bool isAdmitted = false;
        std::int64_t remaining = 0;
        Duration retryAfter{}; // Zero when admitted.
        Duration untilRest{}; // Until nothing is remembered.
    };

    [[nodiscard]] Verdict take(std::uint64_t& word, TimePoint now) const;
    void giveBack(std::uint64_t& word, TimePoint now) const;
    [[nodiscard]] bool isAtRest(std::uint64_t word, TimePoint now) const;

    [[nodiscard]] int parts() const { return m_counters - 1; } // Of one window.
    [[nodiscard]] std::int64_t unit() const { return m_unit; }

private:
    struct Counts
    {
        std::int64_t part = 0; // Absolute number of the newest counter's part.
        std::int64_t remainder = 0;
        std::uint64_t counters = 0; // Newest in the lowest 6 bits.
    };
    [[nodiscard]] Counts countsAt(std::uint64_t word, TimePoint now) const;
    [[nodiscard]] std::uint64_t toWord(const Counts& counts) const;
    [[nodiscard]] std::int64_t totalOf(const Counts& counts) const;
    [[nodiscard]] Duration untilRoom(const Counts& counts, TimePoint now) const;
    [[nodiscard]] Duration untilRest(const Counts& counts, TimePoint now) const;

    std::int64_t m_requests = 1;
    std::int64_t m_unit = 1;
    int m_remainderBits = 0;
    int m_counters = 8;
    int m_counterBits = 48; // All together.
    Duration m_part{1};
    std::int64_t m_lagMax = 1; // Parts a clock may lag behind another worker's.
};

} // namespace mesh::policy
