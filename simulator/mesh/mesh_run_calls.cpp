#include "simulator/mesh/mesh_run.h"
#include "simulator/mesh/run_events.h"

#include <fmt/format.h>

#include <utility>

// The caller's side of a call: what a proxy does with one request.
namespace mesh::simulator {
namespace {

constexpr std::string_view kMethod = "GET"; // Calls of models may be repeated.
constexpr WallTime kEpoch{};

using policy::AttemptOutcome;

bool isSuccess(const AttemptOutcome& outcome)
{
    return outcome.kind == AttemptOutcome::Kind::Answer && outcome.status < 500;
}

policy::OutlierOutcome outlierOutcome(const AttemptOutcome& outcome)
{
    using Kind = policy::OutlierOutcome::Kind;
    switch (outcome.kind) {
    case AttemptOutcome::Kind::Answer:
        return outcome.status < 500 ? policy::OutlierOutcome{Kind::Success, 0}
                                    : policy::OutlierOutcome{Kind::Answer5xx, outcome.status};
    case AttemptOutcome::Kind::Timeout:
        return {Kind::Timeout, 0};
    default:
        return {Kind::ConnectFailure, 0};
    }
}

policy::AttemptFailure failureOf(AttemptOutcome::Kind kind)
{
    switch (kind) {
    case AttemptOutcome::Kind::ConnectFailure:
        return policy::AttemptFailure::Connect;
    case AttemptOutcome::Kind::Timeout:
        return policy::AttemptFailure::Timeout;
    default:
        return policy::AttemptFailure::Broken;
    }
}

} // namespace

Outbound& MeshRun::outbound(std::uint32_t proxy, std::uint32_t callee)
{
    Proxy& caller = m_proxies[proxy];
    std::unique_ptr<Outbound>& place = caller.outbounds[callee];
    if (place != nullptr) {
        return *place;
    }
    Caller::Callee& called = m_callers[caller.caller].callees[callee];
    Random luck = luckOf(
        m_settings.seed, {proxy, CallPath().below(called.service), 0xffff'ffffU, LuckFor::Proxy}
    );
    place = std::make_unique<Outbound>(
        m_plan.callee(caller.zone, called.service),
        m_plan.snapshot(caller.zone).zone,
        m_agenda.now(),
        luck
    );
    if (called.edge == kNoEdge) {
        called.edge = static_cast<std::uint32_t>(m_edges.size());
        const std::string from = caller.caller == m_plan.models().size()
                                     ? std::string("gateway")
                                     : m_plan.models()[caller.caller].service;
        m_edges.emplace_back(
            fmt::format("{}->{}", from, m_plan.models()[called.service].service),
            m_settings.windows.size()
        );
    }
    place->edge = called.edge;
    if (place->detector) {
        m_agenda.startTimer(
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
        m_ejections += verdict.kind == policy::OutlierVerdict::Kind::Ejected ? 1U : 0U;
        m_agenda.note(
            (std::uint64_t{static_cast<std::uint8_t>(verdict.kind)} << 32U) | verdict.host
        );
        out.apply(verdict, now);
    }
    if (out.detector->nextSweepAt() - TimePoint{} < m_settings.duration) {
        m_agenda.startTimer(out.detector->nextSweepAt() - now, {kSweep, proxy, callee, 0});
    }
}

void MeshRun::beginCall(Call made)
{
    made.startedAt = m_agenda.now();
    made.service = m_callers[m_proxies[made.proxy].caller].callees[made.callee].service;
    made.luck = luckOf(m_settings.seed, {made.root, made.path, 0, LuckFor::Proxy});
    const SlabHandle handle = m_calls.take();
    m_calls[handle] = std::move(made);
    Call& call = m_calls[handle];
    Outbound& out = outbound(call.proxy, call.callee);
    m_edges[out.edge].begin(call.startedAt, m_settings.windows);
    if (!admit(call, out)) {
        // Later, never from inside: the caller is still in the middle of its step.
        schedule(Duration::zero(), kCallRefused, handle);
        return;
    }
    if (out.timeout) {
        call.deadline = startTimer(*out.timeout, kDeadline, handle);
    }
    startAttempt(handle);
}

bool MeshRun::admit(Call& call, Outbound& out)
{
    if (out.breaker) {
        const policy::BreakerAdmission admission = out.breaker->admit(m_agenda.now(), call.luck);
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

void MeshRun::startAttempt(SlabHandle handle)
{
    Call& call = m_calls[handle];
    Outbound& out = outbound(call.proxy, call.callee);
    const TimePoint now = m_agenda.now();
    policy::PickRequest request{now, call.tried, {}, out.subset};
    request.hash = call.root * 0x9e3779b97f4a7c15U;
    const policy::PickVerdict picked = out.balancer.pick(request, out.hosts, call.luck);
    if (!picked.host) {
        schedule(Duration::zero(), kCallRefused, handle);
        return;
    }
    ++call.attempts;
    out.hosts.begin(*picked.host);
    const SlabHandle made = m_attempts.take();
    Attempt& attempt = m_attempts[made];
    attempt.call = handle;
    attempt.host = *picked.host;
    attempt.instance = out.plan->instances[*picked.host];
    attempt.startedAt = now;
    call.attempt = made;
    if (m_instances[attempt.instance].isDown) {
        schedule(Duration::zero(), kConnectFailed, made);
        return;
    }
    attempt.timeout = startTimer(out.tryTimeout, kTryTimeout, made);
    arriveAt(made);
}

void MeshRun::observe(
    Outbound& out, std::uint32_t host, const AttemptOutcome& outcome, Random& luck
)
{
    if (!out.detector) {
        return;
    }
    const TimePoint now = m_agenda.now();
    if (const auto verdict = out.detector->observe(now, host, outlierOutcome(outcome), luck)) {
        m_ejections += verdict->kind == policy::OutlierVerdict::Kind::Ejected ? 1U : 0U;
        m_agenda.note(
            (std::uint64_t{static_cast<std::uint8_t>(verdict->kind)} << 32U) | verdict->host
        );
        out.apply(*verdict, now);
    }
}

void MeshRun::endAttempt(SlabHandle handle, const AttemptOutcome& outcome)
{
    const Attempt attempt = m_attempts[handle];
    m_agenda.cancel(attempt.timeout);
    m_attempts.free(handle);
    Call& call = m_calls[attempt.call];
    call.attempt = {};
    Outbound& out = outbound(call.proxy, call.callee);
    const TimePoint now = m_agenda.now();
    const bool isGood = isSuccess(outcome);
    out.hosts.end(attempt.host);
    out.balancer.report(
        attempt.host,
        now,
        now - attempt.startedAt,
        isGood ? policy::AttemptEnd::Succeeded : policy::AttemptEnd::Failed
    );
    observe(out, attempt.host, outcome, call.luck);
    m_agenda.note(
        (std::uint64_t{static_cast<std::uint8_t>(outcome.kind)} << 32U)
        | static_cast<std::uint32_t>(outcome.status)
    );
    if (isGood) {
        endCall(attempt.call, CallEnd::Succeeded);
        return;
    }
    call.tried.add(attempt.host);
    if (!repeat(attempt.call, out, outcome)) {
        endCall(attempt.call, CallEnd::Failed);
    }
}

// True: the call goes on, now or after its back-off.
bool MeshRun::repeat(SlabHandle handle, Outbound& out, const AttemptOutcome& outcome)
{
    Call& call = m_calls[handle];
    const auto sent = outcome.kind == AttemptOutcome::Kind::ConnectFailure
                          ? policy::AttemptProgress::Sent::Nothing
                          : policy::AttemptProgress::Sent::Something;
    if (!out.retry) {
        // The gateway format's retries: for failures of connections, at once.
        if (outcome.kind == AttemptOutcome::Kind::Answer) {
            return false;
        }
        policy::AttemptProgress progress;
        progress.retriesLeft = out.plan->service->retries - call.retriesMade;
        progress.sent = sent;
        if (policy::decideRetry(kMethod, failureOf(outcome.kind), progress)
            != policy::RetryVerdict::Retry) {
            return false;
        }
        ++call.retriesMade;
        startAttempt(handle);
        return true;
    }
    policy::RetryProgress progress;
    progress.attemptsMade = call.attempts;
    progress.sent = sent;
    if (out.retry->decide(kMethod, outcome, progress) != policy::PolicyRetryVerdict::Retry) {
        return false;
    }
    std::optional<Duration> left;
    if (out.timeout) {
        left = call.startedAt + *out.timeout - m_agenda.now();
    }
    const policy::RetryWait wait =
        out.retry->wait(outcome, call.retriesMade + 1, left, call.luck, kEpoch);
    if (wait.verdict != policy::PolicyRetryVerdict::Retry) {
        return false;
    }
    endRetryHold(call, out); // Of the attempt that has just ended.
    if (!policy::tryBeginRetry(*out.allowance, out.budget)) {
        ++m_budgetRefusals;
        return false;
    }
    call.holdsRetry = true;
    ++call.retriesMade;
    call.backoff = startTimer(wait.wait, kBackoffOver, handle);
    return true;
}

void MeshRun::endRetryHold(Call& call, Outbound& out)
{
    if (call.holdsRetry) {
        call.holdsRetry = false;
        policy::endRetry(out.budget);
    }
}

// The whole time is over: the attempt is left alone, and its instance does not hear of it.
void MeshRun::onDeadline(SlabHandle handle)
{
    Call& call = m_calls[handle];
    call.deadline = {};
    if (!call.attempt.isNone()) {
        const Attempt attempt = m_attempts[call.attempt];
        Outbound& out = outbound(call.proxy, call.callee);
        m_agenda.cancel(attempt.timeout);
        m_attempts.free(call.attempt);
        call.attempt = {};
        out.hosts.end(attempt.host);
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
        out.breaker->onOutcome(
            now,
            call.breakerRound,
            end == CallEnd::Succeeded ? policy::BreakerOutcome::Succeeded
                                      : policy::BreakerOutcome::Failed,
            now - call.startedAt
        );
    }
    const auto outcome =
        end == CallEnd::Succeeded ? MeasureRow::Outcome::Succeeded : MeasureRow::Outcome::Failed;
    m_edges[out.edge].end(call.startedAt, now, outcome, call.attempts, m_settings.windows);
    const SlabHandle parent = call.parent;
    m_calls.free(handle);
    if (!parent.isNone()) {
        onCallEnded(parent, end);
    }
}

} // namespace mesh::simulator
