#include "simulator/mesh/mesh_run.h"
#include "simulator/mesh/run_events.h"

#include <fmt/format.h>

#include <algorithm>

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
        rulesFor(calleeOf(caller, called)), m_plan.snapshot(caller.zone).zone, m_agenda.now(), luck
    );
    place->proxy = proxy;
    place->callee = callee;
    place->service = called.service;
    if (m_hasDeploys) {
        showVersions(*place);
    }
    place->mirrorCallee = called.mirror;
    place->fallbackCallee = called.fallback;
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
    if (!place->machines.empty()) {
        armProbes(*place);
    }
    return *place;
}

const OutboundRules& MeshRun::rulesFor(const CalleePlan& called)
{
    std::unique_ptr<OutboundRules>& rules = m_rules[&called];
    if (rules == nullptr) {
        rules = std::make_unique<OutboundRules>(called, m_connections);
    }
    return *rules;
}

const CalleePlan& MeshRun::calleeOf(const ProxyState& caller, const CallerState::Callee& called)
    const
{
    return called.entry == nullptr ? m_plan.callee(caller.zone, called.service) : *called.entry;
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

void MeshRun::endRetryHold(Call& call, Outbound& out)
{
    if (call.holdsRetry) {
        call.holdsRetry = false;
        policy::endRetry(out.budget);
    }
    if (call.holdsLimitedRetry) {
        call.holdsLimitedRetry = false;
        policy::release(out.use.of(policy::LimitedResource::Retries, out.rules->lane));
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
        dropAttempt(call.running, ConnectionPool::After::Leave);
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
        // Hedges that have lost; their work goes on.
        dropAttempt(call.running, ConnectionPool::After::Leave);
    }
    endRetryHold(call, out);
    if (call.isInBudget) {
        policy::endRequest(out.budget);
    }
    leaveQueue(handle, out);
    --m_proxies[call.proxy].inFlight;
    settleConcurrency(call, out, end);
    // After an attempt, an upstream has failed too, and the breaker shall know.
    if (call.hasBreaker && end == CallEnd::Refused && call.attempts == 0) {
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
    if (call.parent.isNone() && m_settings.slowestMax > 0) {
        noteSlow(call);
    }
    if (m_tracer != nullptr) {
        m_tracer->endCall(now, handle, end == CallEnd::Succeeded ? "ok" : "failed");
    }
    const SlabHandle parent = call.parent;
    const SlabHandle standsFor = call.standsFor;
    m_calls.free(handle);
    if (m_calls.find(standsFor) != nullptr) {
        endCall(standsFor, end);
    }
    if (!parent.isNone()) {
        onCallEnded(parent, end);
    }
}

// Root requests only, but neither copies nor stand-ins of theirs.
void MeshRun::noteSlow(const Call& call)
{
    if (call.isCopy || !call.standsFor.isNone()
        || !m_settings.windows[m_settings.slowestWindow].contains(call.startedAt)) {
        return;
    }
    const SlowRequest slow{call.root, call.startedAt, m_agenda.now() - call.startedAt};
    const auto isBefore = [](const SlowRequest& a, const SlowRequest& b) {
        return a.took != b.took ? a.took > b.took : a.startedAt < b.startedAt;
    };
    if (m_slowest.size() == m_settings.slowestMax) {
        if (!isBefore(slow, m_slowest.back())) {
            return;
        }
        m_slowest.pop_back();
    }
    m_slowest.insert(std::ranges::upper_bound(m_slowest, slow, isBefore), slow);
}

void MeshRun::traceCall(SlabHandle handle, const Outbound& out)
{
    const Call& call = m_calls[handle];
    if (!call.isCopy && m_tracer->isFollowed(call.root)) {
        m_tracer->beginCall(
            m_agenda.now(),
            {handle, call.root, call.parent, call.standsFor},
            m_edges[out.edge].name(),
            m_plan.models()[out.service].service
        );
    }
}

std::vector<TracedRequest> MeshRun::takeTraces()
{
    return m_tracer == nullptr ? std::vector<TracedRequest>() : m_tracer->take();
}

void MeshRun::settleConcurrency(const Call& call, Outbound& out, CallEnd end)
{
    if (!call.isInConcurrency) {
        return;
    }
    const TimePoint now = m_agenda.now();
    if (end == CallEnd::Succeeded) {
        Random luck = call.luck;
        out.concurrency->onDone(now, call.concurrencyEpoch, now - call.startedAt, luck);
    } else {
        out.concurrency->onAbandoned();
    }
}

} // namespace mesh::simulator
