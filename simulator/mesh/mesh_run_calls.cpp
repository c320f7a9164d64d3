#include "simulator/mesh/mesh_run.h"
#include "simulator/mesh/run_events.h"

#include <fmt/format.h>

// The caller's side of a call: what a proxy does with one request, but for its attempts.
namespace mesh::simulator {

using policy::AttemptOutcome;

Outbound& MeshRun::outbound(std::uint32_t proxy, std::uint32_t callee)
{
    ProxyState& caller = m_proxies[proxy];
    std::unique_ptr<Outbound>& place = caller.outbounds[callee];
    if (place != nullptr) {
        return *place;
    }
    CallerState::Callee& called = m_callers[caller.caller].callees[callee];
    Random luck = luckOf(
        m_settings.seed, {proxy, CallPath().below(called.service), 0xffff'ffffU, LuckFor::Proxy}
    );
    place = std::make_unique<Outbound>(
        m_plan.callee(caller.zone, called.service),
        m_plan.snapshot(caller.zone).zone,
        m_agenda.now(),
        luck
    );
    if (called.edge == CallerState::kNoEdge) {
        called.edge = static_cast<std::uint32_t>(m_edges.size());
        const std::string from = caller.caller == m_plan.models().size()
                                     ? std::string("gateway")
                                     : m_plan.models()[caller.caller].service;
        const std::string name =
            fmt::format("{}->{}", from, m_plan.models()[called.service].service);
        m_edges.emplace_back(name, m_settings.windows.size());
        if (m_recorder != nullptr) {
            m_recorder->addEdge(name, from, called.service);
        }
    }
    place->edge = called.edge;
    if (place->detector) {
        place->sweep = m_agenda.startTimer(
            place->detector->nextSweepAt() - m_agenda.now(), {kSweep, proxy, callee, 0}
        );
    }
    return *place;
}

// The detector sweeps as long as there is load; afterwards its events would never end.
void MeshRun::onSweep(std::uint32_t proxy, std::uint32_t callee)
{
    Outbound& out = outbound(proxy, callee);
    const TimePoint now = m_agenda.now();
    Random luck = luckOf(
        m_settings.seed,
        {static_cast<std::uint64_t>(now.time_since_epoch().count()),
         CallPath().below(proxy).below(callee),
         0xffff'fffeU,
         LuckFor::Proxy}
    );
    for (const policy::OutlierVerdict& verdict : out.detector->sweep(now, luck)) {
        take(out, verdict);
    }
    if (out.detector->nextSweepAt() - TimePoint{} < m_settings.duration) {
        out.sweep =
            m_agenda.startTimer(out.detector->nextSweepAt() - now, {kSweep, proxy, callee, 0});
    }
}

void MeshRun::beginCall(const Call& made)
{
    const SlabHandle handle = m_calls.take();
    Call& call = m_calls[handle];
    call = made;
    call.startedAt = m_agenda.now();
    call.service = m_callers[m_proxies[call.proxy].caller].callees[call.callee].service;
    call.luck = luckOf(m_settings.seed, {call.root, call.path, 0, LuckFor::Proxy});
    Outbound& out = outbound(call.proxy, call.callee);
    m_edges[out.edge].begin(call.startedAt, m_settings.windows);
    if (m_recorder != nullptr) {
        m_recorder->begin(out.edge);
    }
    if (!admit(call, out)) {
        // Later, never from inside: the caller is still in the middle of its step.
        schedule(Duration::zero(), kCallRefused, handle);
        return;
    }
    if (out.hedge) {
        call.race = policy::HedgeRace(out.hedge->max);
    }
    if (out.timeout) {
        call.deadline = startTimer(*out.timeout, kDeadline, handle);
    }
    startAttempt(handle);
}

bool MeshRun::admit(Call& call, Outbound& out)
{
    if (out.breaker) {
        const policy::BreakerState before = out.breaker->state();
        const policy::BreakerAdmission admission = out.breaker->admit(m_agenda.now(), call.luck);
        markBreaker(out, before);
        if (!admission.isAdmitted()) {
            return false;
        }
        call.hasBreaker = true;
        call.breakerRound = admission.round();
    }
    if (out.limits) {
        const auto resource = policy::LimitedResource::Requests;
        if (!policy::admit(*out.limits, resource, out.lane, out.use.of(resource, out.lane))
                 .isAdmitted) {
            markOnce(RunMarker::Kind::LimitReached, out);
            return false;
        }
        call.holdsLimit = true;
    }
    if (out.retry) {
        policy::beginRequest(out.budget);
        call.isInBudget = true;
    }
    return true;
}

void MeshRun::endRetryHold(Call& call, Outbound& out)
{
    if (call.holdsRetry) {
        call.holdsRetry = false;
        policy::endRetry(out.budget);
    }
}

// The whole time is over: attempts are left alone, and their instances do not hear of it.
void MeshRun::onDeadline(SlabHandle handle)
{
    Call& call = m_calls[handle];
    call.deadline = {};
    Outbound& out = outbound(call.proxy, call.callee);
    while (!call.running.isNone()) {
        const Attempt attempt = m_attempts[call.running];
        dropAttempt(call.running);
        out.balancer.report(
            attempt.host,
            m_agenda.now(),
            m_agenda.now() - attempt.startedAt,
            policy::AttemptEnd::Failed
        );
        observe(out, attempt.host, {AttemptOutcome::Kind::Timeout, false, 0, {}, {}}, call.luck);
    }
    endCall(handle, CallEnd::Failed);
}

void MeshRun::endCall(SlabHandle handle, CallEnd end)
{
    Call& call = m_calls[handle];
    Outbound& out = outbound(call.proxy, call.callee);
    const TimePoint now = m_agenda.now();
    m_agenda.cancel(call.deadline);
    m_agenda.cancel(call.backoff);
    m_agenda.cancel(call.hedge);
    while (!call.running.isNone()) {
        dropAttempt(call.running); // Hedges that have lost; their work goes on.
    }
    endRetryHold(call, out);
    if (call.isInBudget) {
        policy::endRequest(out.budget);
    }
    if (call.holdsLimit) {
        policy::release(out.use.of(policy::LimitedResource::Requests, out.lane));
    }
    if (call.hasBreaker && end == CallEnd::Refused) {
        out.breaker->onAbandoned(call.breakerRound);
    } else if (call.hasBreaker) {
        const policy::BreakerState before = out.breaker->state();
        out.breaker->onOutcome(
            now,
            call.breakerRound,
            end == CallEnd::Succeeded ? policy::BreakerOutcome::Succeeded
                                      : policy::BreakerOutcome::Failed,
            now - call.startedAt
        );
        markBreaker(out, before);
    }
    const auto outcome =
        end == CallEnd::Succeeded ? MeasureRow::Outcome::Succeeded : MeasureRow::Outcome::Failed;
    m_edges[out.edge].end(call.startedAt, now, outcome, call.attempts, m_settings.windows);
    if (m_recorder != nullptr) {
        m_recorder->end(out.edge, now - call.startedAt, outcome, call.attempts);
    }
    const SlabHandle parent = call.parent;
    m_calls.free(handle);
    if (!parent.isNone()) {
        onCallEnded(parent, end);
    }
}

} // namespace mesh::simulator
