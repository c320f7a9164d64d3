#include "simulator/mesh/proxy_breaker.h"

#include <algorithm>
#include <utility>

namespace mesh::simulator {

using policy::BreakerOutcome;

policy::BreakerAdmission ProxyBreaker::admit(TimePoint now, Random& random)
{
    settle(now);
    const policy::BreakerAdmission admission = policy::admitThrough(m_gate, random);
    m_gate = admission.gate;
    return admission;
}

void ProxyBreaker::onOutcome(
    TimePoint now, std::uint32_t round, BreakerOutcome outcome, Duration latency
)
{
    settle(now);
    Batch& batch = batchOf(round);
    ++(outcome == BreakerOutcome::Succeeded ? batch.counts.succeeded : batch.counts.failed);
    batch.counts.slow += latency > m_machine.slowLimit() ? 1U : 0U;
    const bool isFull = batch.counts.succeeded + batch.counts.failed >= kBatchMax;
    if (isFull || m_gate.state() != policy::BreakerState::Closed) {
        tell(now);
    } else {
        m_dueAt = std::min(m_dueAt, now + kDelay);
    }
}

ProxyBreaker::Batch& ProxyBreaker::batchOf(std::uint32_t round)
{
    if (m_first.isEmpty()) {
        m_first.round = round;
    }
    if (m_first.round == round) {
        return m_first;
    }
    const auto other = std::ranges::find(m_others, round, &Batch::round);
    return other == m_others.end() ? m_others.emplace_back(Batch{round, {}}) : *other;
}

// What time has brought up to now, in its order.
void ProxyBreaker::settle(TimePoint now)
{
    for (;;) {
        const TimePoint changeAt = m_machine.nextChangeAt();
        if (std::min(m_dueAt, changeAt) > now) {
            return;
        }
        if (m_dueAt < changeAt) {
            tell(m_dueAt);
        } else {
            take(m_machine.advance(changeAt));
        }
    }
}

void ProxyBreaker::tell(TimePoint now)
{
    m_dueAt = TimePoint::max();
    const Batch first = std::exchange(m_first, Batch{});
    if (first.isEmpty()) {
        return;
    }
    take(m_machine.advance(now));
    take(m_machine.observe(now, first.round, first.counts));
    for (const Batch& batch : m_others) {
        take(m_machine.advance(now));
        take(m_machine.observe(now, batch.round, batch.counts));
    }
    m_others.clear();
}

void ProxyBreaker::take(const policy::BreakerStep& step)
{
    if (step.gate) {
        m_gate = *step.gate;
    }
}

} // namespace mesh::simulator
