#include "proxyengine/policy/hedge.h"

#include "proxyengine/base/assert.h"

#include <utility>

namespace mesh::policy {

namespace {

std::uint32_t bitOf(AttemptSlot slot)
{
    MESH_ASSERT(slot.index < static_cast<std::uint32_t>(HedgeRace::kAttemptsMax));
    return std::uint32_t{1} << slot.index;
}

} // namespace

std::optional<double> hedgePercentile(const model::HedgeAfter& after)
{
    const auto* percentile = std::get_if<double>(&after.delay);
    return percentile == nullptr ? std::nullopt : std::optional(*percentile);
}

std::optional<Duration> hedgeDelay(
    const model::HedgeAfter& after, std::optional<Duration> atPercentile
)
{
    const auto* delay = std::get_if<Duration>(&after.delay);
    return delay == nullptr ? atPercentile : std::optional(*delay);
}

HedgeRace::HedgeRace(int maxHedges)
    : m_hedgesMax(maxHedges)
{}

std::optional<AttemptSlot> HedgeRace::onStarted(Role role, TimePoint now)
{
    const bool isOpen = m_state == State::Waiting || m_state == State::Running;
    if (!isOpen || m_running.size() == kAttemptsMax) {
        return std::nullopt;
    }
    if (role == Role::Hedge) {
        // A hedge runs beside something, or it would be a retry without its checks.
        if (m_state != State::Running || m_hedgesStarted >= m_hedgesMax) {
            return std::nullopt;
        }
        ++m_hedgesStarted;
    }
    const AttemptSlot slot{static_cast<std::uint32_t>(std::countr_one(m_running.bits))};
    m_running.bits |= bitOf(slot);
    m_hedges.bits |= role == Role::Hedge ? bitOf(slot) : 0;
    m_newestBegan = now;
    m_state = State::Running;
    return slot;
}

AttemptSet HedgeRace::onWon(AttemptSlot slot)
{
    if (m_state != State::Running || !m_running.contains(slot)) {
        return {};
    }
    const AttemptSet losers{m_running.bits & ~bitOf(slot)};
    m_running.bits = bitOf(slot);
    m_hedges.bits &= bitOf(slot);
    m_state = State::Decided;
    return losers;
}

HedgeRace::Failed HedgeRace::onFailed(AttemptSlot slot)
{
    if (!m_running.contains(slot)) {
        return Failed::Ignored;
    }
    m_running.bits &= ~bitOf(slot);
    m_hedges.bits &= ~bitOf(slot);
    if (m_state == State::Decided) {
        m_state = State::Over;
        return Failed::NoneRuns;
    }
    if (!m_running.isEmpty()) {
        return Failed::OthersRun;
    }
    m_state = State::Waiting;
    return Failed::NoneRuns;
}

AttemptSet HedgeRace::onClientGone()
{
    m_state = State::Over;
    m_hedges = {};
    return std::exchange(m_running, {});
}

std::optional<TimePoint> HedgeRace::nextHedgeAt(Duration delay) const
{
    if (m_state != State::Running || m_hedgesStarted >= m_hedgesMax
        || m_running.size() == kAttemptsMax) {
        return std::nullopt;
    }
    return m_newestBegan + delay;
}

} // namespace mesh::policy
