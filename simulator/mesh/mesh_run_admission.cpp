#include "proxyengine/policy/overload.h"
#include "simulator/mesh/mesh_run.h"
#include "simulator/mesh/run_events.h"

#include <fmt/format.h>

#include <chrono>

// What stands between a call and its first attempt, in the order of the proxy: overload, rate
// limits, injected faults, the breaker, the adaptive limit.
namespace mesh::simulator {
namespace {

// Requests are told apart by an identity of their own, as the proxy does it.
std::string identityOf(const CallState& call)
{
    return fmt::format("{:016x}{:016x}", call.root * 0x9e3779b97f4a7c15U, call.path.hash());
}

constexpr int kFirstError = 400;

} // namespace

void MeshRun::beginCall(const Call& made)
{
    const SlabHandle handle = m_calls.take();
    Call& call = m_calls[handle];
    call = made;
    call.startedAt = m_agenda.now();
    ProxyState& proxy = m_proxies[call.proxy];
    call.luck = luckOf(m_settings.seed, {call.root, call.path, 0, LuckFor::Proxy});
    Outbound& out = outbound(call.proxy, call.callee);
    call.service = out.service;
    m_edges[out.edge].begin(call.startedAt, m_settings.windows);
    if (m_recorder != nullptr) {
        m_recorder->begin(out.edge);
    }
    if (m_tracer != nullptr) {
        traceCall(handle, out);
    }
    ++proxy.inFlight;
    if (call.isCopy) {
        startAttempt(handle);
        return;
    }
    if (out.rules->timeout) {
        call.deadline = startTimer(*out.rules->timeout, kDeadline, handle);
    }
    if (!admitByOverload(call, out) || !admitByRate(out)) {
        refuse(handle);
        return;
    }
    if (!out.rules->hasFault || passFault(handle, out)) {
        admit(handle);
    }
}

// Later, never from inside: the caller is still in the middle of its step.
void MeshRun::refuse(SlabHandle handle) { schedule(Duration::zero(), kCallRefused, handle); }

bool MeshRun::admitByOverload(Call& call, const Outbound& out) const
{
    if (!out.rules->isShedding) {
        return true;
    }
    const auto& overload = out.plan->snapshot->overload;
    policy::OverloadReading reading;
    reading.inFlight = m_proxies[call.proxy].inFlight - 1; // But for this one.
    const auto priority = out.plan->resilience == nullptr ? model::RequestPriority::Default
                                                          : out.plan->resilience->priority;
    return policy::decideOverload(
               *overload, priority, policy::pressureOf(*overload, reading), call.luck
           )
           == policy::OverloadVerdict::Admit;
}

// Every limit counts the call, or none does.
bool MeshRun::admitByRate(Outbound& out)
{
    if (!out.rules->hasRates) {
        return true;
    }
    policy::RateNow now;
    now.now = m_agenda.now();
    now.wall =
        WallTime(std::chrono::duration_cast<WallTime::duration>(m_agenda.now().time_since_epoch()));
    for (std::size_t at = 0; at < out.rates.size(); ++at) {
        if (out.rules->rates[at].take(out.rates[at], now).isAdmitted) {
            continue;
        }
        for (std::size_t before = 0; before < at; ++before) {
            out.rules->rates[before].giveBack(out.rates[before], now);
        }
        markOnce(RunMarker::Kind::RateLimited, out);
        return false;
    }
    return true;
}

// True: go on at once. Otherwise the call waits for its injected delay, or is answered.
bool MeshRun::passFault(SlabHandle handle, const Outbound& out)
{
    Call& call = m_calls[handle];
    const policy::FaultVerdict verdict = out.rules->fault->decide(identityOf(call));
    call.abortStatus = verdict.abortStatus.value_or(0);
    if (verdict.delay > Duration::zero()) {
        call.backoff = startTimer(verdict.delay, kInjectedDelayOver, handle);
        return false;
    }
    if (call.abortStatus != 0) {
        refuse(handle);
        return false;
    }
    return true;
}

void MeshRun::onInjectedDelayOver(SlabHandle handle)
{
    Call& call = m_calls[handle];
    call.backoff = {};
    if (call.abortStatus != 0) {
        refuse(handle);
    } else {
        admit(handle);
    }
}

// Through the breaker and the adaptive limit to the first attempt.
void MeshRun::admit(SlabHandle handle)
{
    Call& call = m_calls[handle];
    Outbound& out = outbound(call.proxy, call.callee);
    if (out.breaker) {
        const policy::BreakerState before = out.breaker->state();
        const policy::BreakerAdmission admission = out.breaker->admit(m_agenda.now(), call.luck);
        markBreaker(out, before);
        if (!admission.isAdmitted()) {
            fallBack(handle, out);
            return;
        }
        call.hasBreaker = true;
        call.breakerRound = admission.round();
    }
    if (out.concurrency) {
        const policy::ConcurrencyAdmission admission =
            out.concurrency->enter(m_agenda.now(), call.luck);
        if (!admission.isAdmitted()) {
            markOnce(RunMarker::Kind::LimitReached, out);
            refuse(handle);
            return;
        }
        call.isInConcurrency = true;
        call.concurrencyEpoch = admission.epoch();
    }
    if (out.rules->allowance) {
        policy::beginRequest(out.budget);
        call.isInBudget = true;
    }
    if (out.rules->hasHedge) {
        call.race = policy::HedgeRace(out.rules->hedge->max);
    }
    const bool isMirrored =
        out.rules->hasMirror && out.mirrorCallee
        && out.rules->mirror->decide(identityOf(call), 0) == policy::MirrorVerdict::Send;
    startAttempt(handle);
    if (isMirrored) {
        sendCopy(handle);
    }
}

// To the mirror of the service: one attempt, whose answer nobody waits for.
void MeshRun::sendCopy(SlabHandle handle)
{
    const Call& call = m_calls[handle];
    Call copy;
    copy.proxy = call.proxy;
    copy.callee = *outbound(call.proxy, call.callee).mirrorCallee;
    copy.root = call.root;
    copy.path = call.path.below(kPathOfCopy);
    copy.isCopy = true;
    beginCall(copy);
}

// The breaker is open: another service, or the answer that is configured for this case.
void MeshRun::fallBack(SlabHandle handle, const Outbound& out)
{
    const Call& call = m_calls[handle];
    if (!out.fallbackCallee) {
        const auto at = *out.plan->resilience->breaker;
        const int status = out.plan->snapshot->breakers[at].settings.fallback.status;
        m_agenda.schedule(
            Duration::zero(),
            {kCallRefused, status < kFirstError ? 1U : 0U, handle.index, handle.generation}
        );
        return;
    }
    Call stand;
    stand.proxy = call.proxy;
    stand.callee = *out.fallbackCallee;
    stand.root = call.root;
    stand.path = call.path.below(kPathOfFallback);
    stand.standsFor = handle;
    beginCall(stand);
}

// What the upstream's limits say to one more attempt. False: refused, or waiting for a connection.
bool MeshRun::admitAttempt(SlabHandle handle, Outbound& out, std::uint32_t host)
{
    using policy::LimitedResource;
    Call& call = m_calls[handle];
    std::uint64_t& requests = out.use.of(LimitedResource::Requests, out.rules->lane);
    if (!policy::admit(*out.rules->limits, LimitedResource::Requests, out.rules->lane, requests)
             .isAdmitted) {
        markOnce(RunMarker::Kind::LimitReached, out);
        refuse(handle);
        return false;
    }
    if (!out.rules->limitsConnections() || mayConnect(out, host)) {
        leaveQueue(handle, out);
        return true;
    }
    markOnce(RunMarker::Kind::LimitReached, out);
    policy::release(requests);
    if (call.isPending) {
        return false;
    }
    std::uint64_t& pending = out.use.of(LimitedResource::Pending, out.rules->lane);
    if (!policy::admit(*out.rules->limits, LimitedResource::Pending, out.rules->lane, pending)
             .isAdmitted) {
        refuse(handle);
        return false;
    }
    call.isPending = true;
    out.pending.push_back(handle);
    return false;
}

// Whether an attempt at the host finds a connection or may make one.
bool MeshRun::mayConnect(Outbound& out, std::uint32_t host)
{
    const auto& most = out.rules->connectionsMax;
    const auto& mostOfTarget = out.rules->targetConnectionsMax;
    if (out.pools.empty()) {
        // Every running attempt has a connection of its own, and idle ones make room. This attempt
        // is counted already.
        const std::uint64_t running =
            out.use.of(policy::LimitedResource::Requests, out.rules->lane) - 1;
        return (!most || running < *most)
               && (!mostOfTarget || out.hosts[host].active < *mostOfTarget);
    }
    const std::uint32_t epoch = m_instances[out.plan->instances[host]].epoch;
    if (out.poolOf(host, epoch).canTake(m_agenda.now())) {
        return true;
    }
    if (most && out.openConnections() >= *most) {
        for (ConnectionPool& pool : out.pools) {
            pool.closeIdle(); // Kept ones of other targets make room.
        }
        if (out.openConnections() >= *most) {
            return false;
        }
    }
    return !mostOfTarget || out.pools[host].open() < *mostOfTarget;
}

void MeshRun::leaveQueue(SlabHandle handle, Outbound& out)
{
    Call& call = m_calls[handle];
    if (call.isPending) {
        call.isPending = false;
        policy::release(out.use.of(policy::LimitedResource::Pending, out.rules->lane));
        std::erase(out.pending, handle);
    }
}

// A connection may be free for those that wait, in their order.
void MeshRun::onConnectionFreed(std::uint32_t proxy, std::uint32_t callee)
{
    Outbound* out = m_proxies[proxy].outbounds[callee].get();
    while (out != nullptr && !out->pending.empty()) {
        const SlabHandle first = out->pending.front();
        startAttempt(first);
        if (m_calls[first].isPending) {
            return;
        }
    }
}

} // namespace mesh::simulator
