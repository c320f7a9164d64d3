#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/base/time.h"
#include "proxyengine/model/resilience.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The breaker of a service or a route: stops calling what fails, looks with a few requests whether
// it works again, and lets the rest back in step by step.
//
//            ratio reached                  open time over
//   Closed ----------------> Open ------------------------------> HalfOpen
//     ^                      ^  ^                                  |   |
//     |                      |  +---------- a probe failed --------+   | all probes succeeded
//     |        ratio reached |                                         v
//     +---- ramp over ---- Ramping <-----------------------------------+
//
// In two parts, because in the proxy many threads ask and one decides: the machine sees outcomes
// and time and owns the state; the gate is one 64-bit word through which requests are admitted by
// a pure function. The proxy keeps the word in an atomic and runs the function in a
// compare-exchange loop; CircuitBreaker keeps both for a single owner. Same code, two drivers.
// Source: Traefik's circuit breaker (recovery ramp), Envoy's terms; minimum requests and slow
//         ratio as users of both asked for.
namespace mesh::policy {

enum class BreakerState : std::uint8_t {
    Closed, // Every request is admitted.
    Open, // None is.
    HalfOpen, // The probes are.
    Ramping, // A growing share is.
};

[[nodiscard]] std::string_view toText(BreakerState state); // "closed", "open", "half_open", ...

// What a request needs to know to be admitted. Trivially copyable, as one word.
//
// The round numbers the openings: it grows when the breaker opens and at no other time. An outcome
// belongs to the round in which its request was admitted, and counts only in that round: what was
// sent before the breaker opened says nothing about the recovery.
class BreakerGate
{
public:
    static constexpr std::uint32_t kWholeShare = 10'000; // Everybody.
    static constexpr std::uint32_t kProbesMax = 65'535;

    constexpr BreakerGate() = default; // Closed, round 0.
    // share <= kWholeShare, probesLeft <= kProbesMax.
    BreakerGate(
        BreakerState state, std::uint32_t round, std::uint32_t share, std::uint32_t probesLeft
    );
    [[nodiscard]] static constexpr BreakerGate fromWord(std::uint64_t word)
    {
        BreakerGate gate;
        gate.m_word = word;
        return gate;
    }

    [[nodiscard]] constexpr std::uint64_t word() const { return m_word; }
    [[nodiscard]] constexpr BreakerState state() const
    {
        return static_cast<BreakerState>(m_word & 3U);
    }
    // Of requests admitted while ramping, in 1/10000; kWholeShare when closed, 0 when open.
    [[nodiscard]] constexpr std::uint32_t share() const
    {
        return static_cast<std::uint32_t>((m_word >> 2U) & 0x3fffU);
    }
    [[nodiscard]] constexpr std::uint32_t probesLeft() const
    {
        return static_cast<std::uint32_t>((m_word >> 16U) & 0xffffU);
    }
    [[nodiscard]] constexpr std::uint32_t round() const
    {
        return static_cast<std::uint32_t>(m_word >> 32U);
    }

    friend constexpr bool operator==(BreakerGate, BreakerGate) = default;

private:
    std::uint64_t m_word = std::uint64_t{kWholeShare} << 2U;
};

enum class BreakerOutcome : std::uint8_t { Succeeded, Failed };

enum class BreakerVerdict : std::uint8_t { Admit, AdmitAsProbe, Reject };

struct BreakerAdmission
{
    BreakerVerdict verdict = BreakerVerdict::Admit;
    BreakerGate gate; // To be stored instead of the old; equal to it unless a probe was taken.

    [[nodiscard]] bool isAdmitted() const { return verdict != BreakerVerdict::Reject; }
    // Each admission owes one outcome, or one abandonment, with this number.
    [[nodiscard]] std::uint32_t round() const { return gate.round(); }
};

// Whether one request may pass. Draws from the generator only while ramping.
// Cost: a few instructions; changes the gate only in half-open.
[[nodiscard]] BreakerAdmission admitThrough(BreakerGate gate, Random& random);

// The gate after an admitted request ended without outcome (its caller left): a probe of the
// present round is given back; anything else changes nothing.
[[nodiscard]] BreakerGate returnProbe(BreakerGate gate, std::uint32_t round);

// Outcomes of requests that were admitted in the same round.
struct BreakerCounts
{
    std::uint32_t succeeded = 0;
    std::uint32_t failed = 0;
    std::uint32_t slow = 0; // Among the two above.
};

// What a call of the machine changed.
struct BreakerStep
{
    std::optional<BreakerGate> gate; // To be published; absent: nothing changed for requests.
    std::optional<BreakerState> entered;
};

// The state, from outcomes and time. Owned by one thread; see above for its gate.
//
// Outcomes are counted in kBuckets slices of the window that are forgotten one by one, so the
// window that is judged is between 9/10 and the whole of `window` long. Ratios are compared as
// integers in millionths. In half-open `probes` successes are needed; a slow answer is a failure
// there if `slow_ratio` is set. The window starts empty in the ramp and is judged as when closed.
// Cost: observe() is constant; nothing allocates but reason().
class BreakerMachine
{
public:
    static constexpr std::size_t kBuckets = 10;
    static constexpr int kRampSteps = 20; // Shares of 5 %, 10 %, ... 100 % for equal times.

    BreakerMachine(const model::Breaker& settings, TimePoint now);

    // Time may stand still between calls but never goes back. Changes the state by what was
    // observed alone; a change that is due by time waits for advance().
    BreakerStep observe(TimePoint now, std::uint32_t round, const BreakerCounts& counts);
    // What time alone changes: due when nextChangeAt() has passed; earlier it does nothing.
    BreakerStep advance(TimePoint now);

    [[nodiscard]] BreakerState state() const { return m_state; }
    [[nodiscard]] TimePoint since() const { return m_since; } // Of the present state.
    [[nodiscard]] TimePoint nextChangeAt() const { return m_nextChangeAt; } // Or max(): never.
    // As of the last change: probes taken since are only in the published word.
    [[nodiscard]] BreakerGate gate() const { return m_gate; }
    // "12 of 20 requests failed in 10 s; probes in 3 s"; empty when closed.
    [[nodiscard]] std::string reason(TimePoint now) const;
    [[nodiscard]] Duration slowLimit() const { return m_settings.slow; }

private:
    enum class Cause : std::uint8_t { None, Errors, Slowness, FailedProbe, SlowProbe };
    struct Bucket
    {
        std::uint32_t all = 0;
        std::uint32_t failed = 0;
        std::uint32_t slow = 0;
    };
    struct Settings
    {
        std::uint64_t errorRatio = 0; // Millionths.
        std::optional<std::uint64_t> slowRatio;
        Duration slow{};
        std::uint64_t minRequests = 0;
        Duration window{};
        Duration bucket{};
        Duration open{};
        std::uint32_t probes = 0;
        Duration ramp{};
    };

    void count(TimePoint now, const BreakerCounts& counts);
    void forgetUntil(TimePoint now);
    void startWindow(TimePoint now);
    [[nodiscard]] Cause judge() const;
    BreakerStep judgeProbes(TimePoint now, const BreakerCounts& counts);
    BreakerStep enter(TimePoint now, BreakerState state);
    [[nodiscard]] std::string causeText() const;

    Settings m_settings;
    BreakerState m_state = BreakerState::Closed;
    BreakerGate m_gate;
    TimePoint m_since;
    TimePoint m_nextChangeAt = TimePoint::max();
    std::uint32_t m_round = 0;
    std::uint32_t m_probesSucceeded = 0;
    int m_rampStep = 0;

    std::array<Bucket, kBuckets> m_buckets{};
    std::size_t m_bucketAt = 0;
    TimePoint m_bucketEnd;
    struct Sums
    {
        std::uint64_t all = 0;
        std::uint64_t failed = 0;
        std::uint64_t slow = 0;
    };
    Sums m_sums;

    Cause m_cause = Cause::None; // Of the present opening.
    Sums m_causeSums;
};

// The whole breaker for one owner: the simulator's, and the tests' in lock step.
class CircuitBreaker
{
public:
    CircuitBreaker(const model::Breaker& settings, TimePoint now)
        : m_machine(settings, now)
    {}

    // Each admission owes one onOutcome() or onAbandoned() with its round.
    [[nodiscard]] BreakerAdmission admit(TimePoint now, Random& random);
    // The state that was entered, if one was.
    std::optional<BreakerState> onOutcome(
        TimePoint now, std::uint32_t round, BreakerOutcome outcome, Duration latency
    );
    void onAbandoned(std::uint32_t round) { m_gate = returnProbe(m_gate, round); }
    std::optional<BreakerState> advance(TimePoint now);

    [[nodiscard]] BreakerState state() const { return m_machine.state(); }
    [[nodiscard]] BreakerGate gate() const { return m_gate; }
    [[nodiscard]] TimePoint since() const { return m_machine.since(); }
    [[nodiscard]] TimePoint nextChangeAt() const { return m_machine.nextChangeAt(); }
    [[nodiscard]] std::string reason(TimePoint now) const { return m_machine.reason(now); }

private:
    std::optional<BreakerState> take(const BreakerStep& step);

    BreakerMachine m_machine;
    BreakerGate m_gate;
};

} // namespace mesh::policy
