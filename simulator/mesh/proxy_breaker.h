#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/base/time.h"
#include "proxyengine/model/gateway.h"
#include "proxyengine/policy/breaker.h"

#include <cstdint>
#include <vector>

namespace mesh::simulator {

// A breaker as a proxy drives it: requests are admitted at once, outcomes reach the machine in
// batches, at most kDelay after the first of each; at once while it is not closed, and when a batch
// is full. What is due by then happens before whatever is asked next, at its own time.
// Source: proxyengine/proxy/policy_tally.h; lock_step_test compares the two.
class ProxyBreaker
{
public:
    static constexpr Duration kDelay = std::chrono::milliseconds(20);
    static constexpr std::uint32_t kBatchMax = 32; // Outcomes of one round.

    ProxyBreaker(const model::Breaker& settings, TimePoint now)
        : m_machine(settings, now)
    {}

    // Each admission owes one onOutcome() or onAbandoned() with its round. Time never goes back.
    [[nodiscard]] policy::BreakerAdmission admit(TimePoint now, Random& random);
    void onOutcome(
        TimePoint now, std::uint32_t round, policy::BreakerOutcome outcome, Duration latency
    );
    void onAbandoned(std::uint32_t round) { m_gate = policy::returnProbe(m_gate, round); }

    [[nodiscard]] policy::BreakerState state() const { return m_machine.state(); }

private:
    struct Batch
    {
        std::uint32_t round = 0;
        policy::BreakerCounts counts;

        [[nodiscard]] bool isEmpty() const { return counts.succeeded + counts.failed == 0; }
    };

    Batch& batchOf(std::uint32_t round);

    void settle(TimePoint now);
    void tell(TimePoint now);
    void take(const policy::BreakerStep& step);

    policy::BreakerGate m_gate;
    TimePoint m_dueAt = TimePoint::max(); // Of those that wait.
    // By round, in the order of their first outcomes. The first one lies here: there is seldom
    // another, and what lies elsewhere is far.
    Batch m_first; // Waits when it counts anything.
    std::vector<Batch> m_others;
    policy::BreakerMachine m_machine;
};

} // namespace mesh::simulator
