#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/model/resilience.h"

#include <bit>
#include <cstdint>
#include <optional>

namespace mesh::policy {

// The percentile of `after` in (0, 100), or nothing when it is a plain duration.
[[nodiscard]] std::optional<double> hedgePercentile(const model::HedgeAfter& after);

// How long an attempt runs alone before the next one starts beside it. `atPercentile` is
// LatencyWindow::value() of that percentile; while it knows too few latencies: no hedge. Not looked
// at for a plain duration.
[[nodiscard]] std::optional<Duration> hedgeDelay(
    const model::HedgeAfter& after, std::optional<Duration> atPercentile
);

// A place in a race. Used again after the attempt in it has failed.
struct AttemptSlot
{
    std::uint32_t index = 0; // Below HedgeRace::kAttemptsMax.
    friend bool operator==(const AttemptSlot&, const AttemptSlot&) = default;
};

// A set of slots.
struct AttemptSet
{
    std::uint32_t bits = 0; // Bit i: slot i.

    [[nodiscard]] bool isEmpty() const { return bits == 0; }
    [[nodiscard]] int size() const { return std::popcount(bits); }
    [[nodiscard]] bool contains(AttemptSlot slot) const { return (bits >> slot.index & 1U) != 0; }
    // Takes the lowest out. The set must not be empty.
    AttemptSlot takeFirst()
    {
        const AttemptSlot slot{static_cast<std::uint32_t>(std::countr_zero(bits))};
        bits &= bits - 1;
        return slot;
    }
    friend bool operator==(const AttemptSet&, const AttemptSet&) = default;
};

// All attempts of one request, however started: the first, hedges and retries. Says which to
// cancel, so that none outlives the request.
//
//            onStarted                      onWon: all others are cancelled
//   Waiting ----------> Running -----------------------------------> Decided
//      ^                 |   |                                          |
//      |  onFailed       |   |  onClientGone: all are cancelled         | onClientGone: the
//      +-- of the last --+   +---------------> Over <-------------------+ winner is cancelled
//
// Waiting: nothing runs (before the first attempt, or in the wait before a retry). Whoever is told
// to cancel an attempt reports nothing about it any more; reports that cross the decision on their
// way are ignored.
class HedgeRace
{
public:
    static constexpr int kAttemptsMax = 32; // At once.

    enum class State : std::uint8_t { Waiting, Running, Decided, Over };

    // maxHedges: Hedge::max, or 0 when there is no hedging.
    explicit HedgeRace(int maxHedges);

    enum class Role : std::uint8_t { Main, Hedge }; // Main: the first attempt, and each retry.

    // Gives the attempt its slot, or nothing when it must not start: the race is decided or over,
    // the hedges are all started, or kAttemptsMax run.
    [[nodiscard]] std::optional<AttemptSlot> onStarted(Role role, TimePoint now);

    // The attempt's answer goes to the client. Gives those to cancel.
    [[nodiscard]] AttemptSet onWon(AttemptSlot slot);

    enum class Failed : std::uint8_t {
        OthersRun, // Keep the outcome, wait for them.
        NoneRuns, // The request's own outcome: retry, or answer it.
        Ignored, // The attempt was not running.
    };
    Failed onFailed(AttemptSlot slot);

    // The client left, the total timeout passed, or the last byte was sent: whatever ends the
    // request. Gives those to cancel; the race is over.
    [[nodiscard]] AttemptSet onClientGone();

    // When the next hedge is due if nothing changes: `delay` after the newest attempt began.
    // Nothing when no more may start.
    [[nodiscard]] std::optional<TimePoint> nextHedgeAt(Duration delay) const;

    [[nodiscard]] State state() const { return m_state; }
    [[nodiscard]] AttemptSet running() const { return m_running; }
    [[nodiscard]] bool isHedge(AttemptSlot slot) const { return m_hedges.contains(slot); }
    [[nodiscard]] int hedgesStarted() const { return m_hedgesStarted; }

private:
    AttemptSet m_running;
    AttemptSet m_hedges; // Of the running ones.
    TimePoint m_newestBegan{};
    int m_hedgesMax;
    int m_hedgesStarted = 0;
    State m_state = State::Waiting;
};

} // namespace mesh::policy
