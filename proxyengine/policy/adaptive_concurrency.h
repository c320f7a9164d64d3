#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/base/time.h"
#include "proxyengine/model/resilience.h"
#include "proxyengine/policy/latency_window.h"

#include <cstdint>
#include <optional>
#include <string>

// A limit of requests in flight that follows the measured round trips.
//
// As with the breaker, in two parts: the controller sees round trips and time and owns the limit;
// the gate is one 64-bit word (in flight, limit, epoch) that requests enter and leave by pure
// functions.
// Source: Envoy's gradient controller.
namespace mesh::policy {

// Requests in flight beside their limit. The epoch numbers the measurements of the smallest round
// trip: a round trip counts only in the epoch in which its request entered, because what was sent
// before the concurrency was pinned has waited behind others.
class ConcurrencyGate
{
public:
    static constexpr std::uint32_t kInFlightMax = (1U << 24U) - 1;
    static constexpr std::uint32_t kLimitMax = (1U << 24U) - 1;

    constexpr ConcurrencyGate() = default; // Limit 0: nothing enters.
    [[nodiscard]] static constexpr ConcurrencyGate fromWord(std::uint64_t word)
    {
        ConcurrencyGate gate;
        gate.m_word = word;
        return gate;
    }
    ConcurrencyGate(std::uint32_t inFlight, std::uint32_t limit, std::uint16_t epoch);

    [[nodiscard]] constexpr std::uint64_t word() const { return m_word; }
    [[nodiscard]] constexpr std::uint32_t inFlight() const
    {
        return static_cast<std::uint32_t>(m_word & kInFlightMax);
    }
    [[nodiscard]] constexpr std::uint32_t limit() const
    {
        return static_cast<std::uint32_t>((m_word >> 24U) & kLimitMax);
    }
    [[nodiscard]] constexpr std::uint16_t epoch() const
    {
        return static_cast<std::uint16_t>(m_word >> 48U);
    }

    friend constexpr bool operator==(ConcurrencyGate, ConcurrencyGate) = default;

private:
    std::uint64_t m_word = 0;
};

enum class ConcurrencyVerdict : std::uint8_t { Admit, Reject };

struct ConcurrencyAdmission
{
    ConcurrencyVerdict verdict = ConcurrencyVerdict::Reject;
    ConcurrencyGate gate; // To be stored instead of the old; equal to it when rejected.

    [[nodiscard]] bool isAdmitted() const { return verdict == ConcurrencyVerdict::Admit; }
    [[nodiscard]] std::uint16_t epoch() const { return gate.epoch(); }
};

// Whether one more request may begin; if so it owes one leave().
[[nodiscard]] ConcurrencyAdmission enter(ConcurrencyGate gate);
[[nodiscard]] ConcurrencyGate leave(ConcurrencyGate gate);
// The same requests under another limit; what is over it may end.
[[nodiscard]] ConcurrencyGate withLimit(
    ConcurrencyGate gate, std::uint32_t limit, std::uint16_t epoch
);

// The next limit after an interval whose median round trip is `sample`.
//
//   gradient = clamp((smallest + buffer % of it) / sample, 0.5, 2)
//   next = clamp(gradient * limit + sqrt(gradient * limit), min, max), rounded down
[[nodiscard]] std::uint32_t nextConcurrencyLimit(
    const model::AdaptiveConcurrency& settings,
    Duration smallest,
    Duration sample,
    std::uint32_t limit
);

// The limit, from round trips and time. Owned by one thread.
//
// It begins by measuring the smallest round trip: the limit is pinned to `min_concurrency` until
// `min_rtt_requests` round trips are there, and their median is taken. Then, every
// `update_interval` with a round trip in it, the limit follows the gradient. It measures again
// after `min_rtt_interval` (plus up to 15 % at random, so that the proxies of a mesh do not do so
// together), or after 5 updates in a row that left the limit at its minimum.
// Cost: a record is one increment; 4 KiB; nothing allocates.
class AdaptiveConcurrencyController
{
public:
    static constexpr int kIntervalJitterPercent = 15; // Of min_rtt_interval; Envoy's default.
    static constexpr int kUpdatesAtMinimumMax = 5; // Envoy's.

    AdaptiveConcurrencyController(const model::AdaptiveConcurrency& settings, TimePoint now);

    // Round trips of requests that entered in this epoch; others are dropped.
    void record(std::uint16_t epoch, Duration roundTrip, std::uint32_t count = 1);
    void recordBucket(std::uint16_t epoch, std::size_t index, std::uint32_t count);

    // To be called at nextUpdateAt() and not needed earlier. True when limit() or epoch() changed.
    bool advance(TimePoint now, Random& random);

    [[nodiscard]] TimePoint nextUpdateAt() const { return m_nextUpdateAt; }
    [[nodiscard]] std::uint32_t limit() const { return m_limit; }
    [[nodiscard]] std::uint16_t epoch() const { return m_epoch; }
    [[nodiscard]] bool isMeasuring() const { return m_isMeasuring; }
    [[nodiscard]] Duration smallestRoundTrip() const { return m_smallest; } // Zero: not yet known.
    [[nodiscard]] Duration lastRoundTrip() const { return m_sample; }
    // "limit of 12 requests in flight; round trip 85 ms, smallest 20 ms".
    [[nodiscard]] std::string reason() const;

private:
    void startMeasuring();
    void endMeasuring(TimePoint now, Random& random);
    void follow();

    model::AdaptiveConcurrency m_settings;
    LatencyHistogram m_roundTrips; // Since the last update, or of the measurement.
    TimePoint m_nextUpdateAt;
    TimePoint m_measureAt;
    std::uint32_t m_limit = 0;
    std::uint32_t m_limitBefore = 0; // The measurement.
    std::uint16_t m_epoch = 0;
    bool m_isMeasuring = true;
    int m_updatesAtMinimum = 0;
    Duration m_smallest{};
    Duration m_sample{};
};

// Controller and gate for one owner: the simulator's.
class AdaptiveConcurrency
{
public:
    AdaptiveConcurrency(const model::AdaptiveConcurrency& settings, TimePoint now);

    // Each admission owes one onDone() or onAbandoned().
    [[nodiscard]] ConcurrencyAdmission enter(TimePoint now, Random& random);
    void onDone(TimePoint now, std::uint16_t epoch, Duration roundTrip, Random& random);
    void onAbandoned() { m_gate = leave(m_gate); }
    // The two calls with a time do this first; a timer may, too.
    void advance(TimePoint now, Random& random);

    [[nodiscard]] const AdaptiveConcurrencyController& controller() const { return m_controller; }
    [[nodiscard]] std::uint32_t limit() const { return m_gate.limit(); }
    [[nodiscard]] std::uint32_t inFlight() const { return m_gate.inFlight(); }

private:
    AdaptiveConcurrencyController m_controller;
    ConcurrencyGate m_gate;
};

} // namespace mesh::policy
