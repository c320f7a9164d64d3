#include "simulator/mesh/mesh_run.h"
#include "simulator/mesh/run_events.h"

#include <algorithm>
#include <cmath>

// The way between two proxies: connections, laws of time, and what faults do to packets.
namespace mesh::simulator {
namespace {

// Parts of an attempt's way, each with luck of its own.
constexpr std::uint32_t kThere = 0;
constexpr std::uint32_t kBack = 1;
constexpr std::uint32_t kConnecting = 2;
constexpr std::uint32_t kThroughProxy = 3;

// Uniform within `add` plus or minus `jitter`; never negative.
Duration added(const Fault& fault, Random& luck)
{
    const double spread = (2.0 * luck.unit() - 1.0) * static_cast<double>(fault.jitter.count());
    return std::max(fault.add + Duration(std::llround(spread)), Duration::zero());
}

} // namespace

// Whether packets of this fault's partition vanish on the way there or back.
bool MeshRun::isCut(
    const FaultState& fault, const Fault& said, const AttemptState& attempt, Way way
)
{
    if (said.kind != FaultKind::Partition) {
        return false;
    }
    if (!said.isOneWay) {
        return true;
    }
    if (!fault.reach.zones) {
        return way == Way::There;
    }
    const std::uint32_t caller = m_proxies[m_calls[attempt.call].proxy].zone;
    const std::uint32_t from = way == Way::There ? caller : m_proxies[attempt.instance + 1].zone;
    return from == fault.reach.zones->first;
}

// What packets of the attempt meet one way, beside the law of its zones.
MeshRun::Passage MeshRun::pass(const AttemptState& attempt, Way way)
{
    Passage passage;
    const Call& call = m_calls[attempt.call];
    for (const std::uint32_t at : m_instances[attempt.instance].hazards()) {
        const Fault& fault = m_settings.timeline[at];
        FaultState& state = m_faults[at];
        if (!isHitBy(state, call.proxy, attempt.instance)) {
            continue;
        }
        Random luck = luckOfFault(call.root, attempt.path, at);
        const bool isMet = luck.chance(fault.probability);
        if (!isMet) {
            continue;
        }
        switch (fault.kind) {
        case FaultKind::Latency:
            passage.wait += way == Way::There ? added(fault, luck) : Duration::zero();
            break;
        case FaultKind::Bandwidth:
            passage.wait += queueBehind(state, fault, attempt.instance, way);
            break;
        case FaultKind::Reset:
            passage.isReset = passage.isReset || way == Way::There;
            break;
        case FaultKind::BlackHole:
            passage.isLost = true;
            break;
        case FaultKind::Partition:
            passage.isLost = passage.isLost || isCut(state, fault, attempt, way);
            break;
        default:
            break;
        }
    }
    return passage;
}

// A narrow link sends one message after the other, each way by itself.
Duration MeshRun::queueBehind(
    FaultState& state, const Fault& fault, std::uint32_t instance, Way way
)
{
    TimePoint& freeAt = state.links[instance][static_cast<std::size_t>(way)];
    const Duration takes = fromSeconds(kSimulatedMessageBytes / fault.bytesPerSecond);
    freeAt = std::max(freeAt, m_agenda.now()) + takes;
    return freeAt - m_agenda.now();
}

Duration MeshRun::drawWay(const AttemptState& attempt, std::uint32_t part)
{
    const Call& call = m_calls[attempt.call];
    const bool isFar =
        m_plan.areApart(m_proxies[call.proxy].zone, m_proxies[attempt.instance + 1].zone);
    const std::optional<DurationSampler>& law = part == kConnecting     ? m_laws.connect
                                                : part == kThroughProxy ? m_laws.proxy
                                                : isFar                 ? m_laws.crossZone
                                                                        : m_laws.sameZone;
    if (!law) {
        return Duration::zero();
    }
    Random luck = luckOf(m_settings.seed, {call.root, attempt.path, part, LuckFor::Network});
    return law->draw(luck);
}

// Whether the attempt has to be followed on its way at all.
bool MeshRun::isWayPlain(const Outbound& out, std::uint32_t instance) const
{
    return !m_hasLaws && !out.rules->hasPools && m_instances[instance].hazards().empty();
}

// Brings the attempt's request on its way, over a connection that is kept or made now.
void MeshRun::setOut(SlabHandle handle)
{
    Attempt& attempt = m_attempts[handle];
    Outbound& out = outboundOf(attempt);
    const Duration cost = drawWay(attempt, kThroughProxy);
    if (m_instances[attempt.instance].downs > 0) {
        schedule(cost + drawWay(attempt, kThere) + drawWay(attempt, kBack), kConnectFailed, handle);
        return;
    }
    if (out.pools.empty()) {
        send(handle, cost);
        return;
    }
    ConnectionPool& pool = out.poolOf(attempt.host, m_instances[attempt.instance].epoch);
    const ConnectionPool::Taken taken = pool.take(m_agenda.now());
    attempt.lease = taken.lease;
    TimePoint readyAt = taken.readyAt;
    if (taken.isNew) {
        readyAt = beginConnection(attempt, pool, cost);
    }
    if (readyAt <= m_agenda.now()) {
        send(handle, cost);
        return;
    }
    attempt.isConnecting = true;
    attempt.timeout = startTimer(out.rules->connectLimit(), kTryTimeout, handle);
    if (readyAt != TimePoint::max()) {
        schedule(readyAt - m_agenda.now(), kConnected, handle);
    }
}

// Shakes hands: the way there and back, and what the law of connections says. Gives the time at
// which it is done or has failed; now: there is nothing to wait for.
TimePoint MeshRun::beginConnection(const AttemptState& attempt, ConnectionPool& pool, Duration cost)
{
    const TimePoint now = m_agenda.now();
    const Call& call = m_calls[attempt.call];
    const auto hasExpired = [&](std::uint32_t instance) {
        return std::ranges::any_of(m_instances[instance].hazards(), [&](std::uint32_t at) {
            const Fault& fault = m_settings.timeline[at];
            return fault.kind == FaultKind::CertExpiry
                   && luckOfFault(call.root, attempt.path, at).chance(fault.probability);
        });
    };
    // Both sides show theirs; the proxy of the gateway is none of an instance.
    const bool isFailed =
        hasExpired(attempt.instance) || (call.proxy > 0 && hasExpired(call.proxy - 1));
    const Passage there = pass(attempt, Way::There);
    const Passage back = pass(attempt, Way::Back);
    if (there.isLost || back.isLost) {
        pool.setReady(attempt.lease, TimePoint::max());
        return TimePoint::max();
    }
    Duration takes = drawWay(attempt, kConnecting);
    if (m_laws.connect || isFailed) {
        takes += cost + drawWay(attempt, kThere) + drawWay(attempt, kBack);
    }
    if (isFailed) {
        // In a turn of its own: the caller is still in the middle of its step.
        const TimePoint at = now + std::max(takes, Duration(1));
        pool.setFailed(attempt.lease, at);
        return at;
    }
    pool.setReady(attempt.lease, now + takes);
    return now + takes;
}

void MeshRun::onConnected(SlabHandle handle)
{
    Attempt* attempt = m_attempts.find(handle);
    if (attempt == nullptr) {
        return;
    }
    Outbound& out = outboundOf(*attempt);
    attempt->isConnecting = false;
    m_agenda.cancel(attempt->timeout);
    attempt->timeout = {};
    if (out.pools[attempt->host].made(attempt->lease) == ConnectionPool::Made::Failed) {
        endAttempt(handle, {policy::AttemptOutcome::Kind::ConnectFailure, false, 0, {}, {}});
        return;
    }
    send(handle, Duration::zero());
}

// The request leaves the caller's proxy after `wait`.
void MeshRun::send(SlabHandle handle, Duration wait)
{
    Attempt& attempt = m_attempts[handle];
    Outbound& out = outboundOf(attempt);
    const Duration left = out.rules->tryLimit(m_agenda.now() - attempt.startedAt);
    attempt.timeout = startTimer(left, kTryTimeout, handle);
    const Passage passage = pass(attempt, Way::There);
    wait += drawWay(attempt, kThere) + passage.wait;
    if (passage.isLost) {
        attempt.isLost = true;
    } else if (passage.isReset) {
        schedule(wait, kReset, handle);
    } else {
        sendTo(handle, wait);
    }
}

// The instance's answer leaves it.
void MeshRun::answer(SlabHandle handle, int status)
{
    Attempt& attempt = m_attempts[handle];
    if (isWayPlain(outboundOf(attempt), attempt.instance)) {
        endAttempt(handle, {policy::AttemptOutcome::Kind::Answer, false, status, {}, {}});
        return;
    }
    const Passage passage = pass(attempt, Way::Back);
    const Duration wait = drawWay(attempt, kBack) + passage.wait;
    attempt.isLost = passage.isLost;
    attempt.isAnswered = !passage.isLost;
    if (passage.isLost) {
        return;
    }
    if (wait == Duration::zero()) {
        endAttempt(handle, {policy::AttemptOutcome::Kind::Answer, false, status, {}, {}});
        return;
    }
    m_agenda.schedule(
        wait, {kAnswerArrives, static_cast<std::uint32_t>(status), handle.index, handle.generation}
    );
}

// Gives the attempt's connection back; somebody may have waited for it.
void MeshRun::leaveConnection(const AttemptState& attempt, Outbound& out, ConnectionPool::After how)
{
    if (attempt.lease.serial != 0) {
        out.pools[attempt.host].giveBack(
            attempt.lease, m_agenda.now(), attempt.isLost ? ConnectionPool::After::Close : how
        );
    }
    if (!out.pending.empty()) {
        m_agenda.schedule(Duration::zero(), {kConnectionFreed, out.proxy, out.callee, 0});
    }
}

} // namespace mesh::simulator
