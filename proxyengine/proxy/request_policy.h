#pragma once

#include "proxyengine/net/timer_queue.h"
#include "proxyengine/policy/hedge.h"
#include "proxyengine/proxy/policy_cells.h"
#include "proxyengine/proxy/side_attempt.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace mesh::proxy {

class ClientConnection;

// What one request owes to the policies that it passed through, and what it waits for. Kept by the
// worker for the next request. A request of a service about which nothing is said has none.
//
// Lifetime: between attach and reset() its plan's runtime is alive, because the exchange holds it.
class RequestPolicy final : private net::TimerHandler
{
public:
    explicit RequestPolicy(net::TimerQueue& timers)
        : m_timer(timers, *this)
    {}

    enum class Wait : std::uint8_t {
        Nothing,
        Fault, // An injected delay; the request has not gone further.
        Backoff, // Before a retry.
        Connection, // The upstream's limits allow no further connection now.
    };
    // What became of the request as its breaker sees it.
    enum class Ending : std::uint8_t { ByStatus, Failed, Abandoned };

    ClientConnection* owner = nullptr;
    const config::ResiliencePlan* plan = nullptr; // Never null while in use.
    const CompiledResilience* compiled = nullptr; // Null: the plan says nothing.
    std::size_t resilience = 0; // Index of the plan, when `compiled` is there.
    policy::LimitLane lane = policy::LimitLane::Default;

    std::shared_ptr<RetryCell> retry; // Null: the gateway format's `retries` hold.
    [[nodiscard]] bool hasBudget() const { return retry != nullptr && retry->allowance; }
    bool isInBudget = false; // The request is counted as in flight.
    bool holdsRetry = false; // The present attempt is a retry, counted by budget.
    int retriesMade = 0;

    std::shared_ptr<BreakerCell> breaker; // Null once nothing is owed.
    std::uint32_t breakerRound = 0;
    std::shared_ptr<ConcurrencyCell> concurrency; // Null once nothing is owed.
    std::uint16_t concurrencyEpoch = 0;
    Ending ending = Ending::ByStatus;

    std::optional<policy::HedgeRace> race; // Absent: no hedging.
    policy::AttemptSlot mainSlot;
    struct Hedge
    {
        policy::AttemptSlot slot;
        std::unique_ptr<SideAttempt> attempt;
        UsageLease retryLease; // Of limits.max_retries, without a budget.
    };
    std::vector<Hedge> hedges;
    bool isMainRunning = false;

    std::optional<int> faultStatus; // To be answered, after the delay if there is one.
    bool wantsMirror = false;
    UsageLease requestLease;
    UsageLease retryLease; // Of limits.max_retries, without a budget.
    UsageLease pendingLease; // Held: in the worker's list of those that wait.
    UsageLease connectionLease; // On their way to the connection that is about to be made.
    UsageLease targetLease;

    Wait wait = Wait::Nothing;
    TimePoint waitEnd = TimePoint::max();
    TimePoint deadline = TimePoint::max(); // Of the whole request.
    const config::ResiliencePlan* deadlinePlan = nullptr; // Whose timeout that is.
    TimePoint tryDeadline = TimePoint::max(); // Of the present attempt, to its response head.
    TimePoint hedgeAt = TimePoint::max();

    // Sets the timer to the earliest of the four.
    void arm();
    // For the next request. The owner has settled all debts.
    void reset();

private:
    void onTimer(net::Timer& timer) override;

    net::Timer m_timer;
};

} // namespace mesh::proxy
