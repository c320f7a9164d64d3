#include "proxyengine/base/assert.h"
#include "simulator/mesh/mesh_run.h"
#include "simulator/mesh/run_events.h"

#include <array>

// The attempts of a call: whom to ask, when to ask another beside it, and when again.
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

std::optional<std::uint32_t> MeshRun::pick(
    Call& call, Outbound& out, const policy::TriedHosts& tried
)
{
    policy::PickRequest request{m_agenda.now(), tried, {}, out.subset};
    request.hash = (call.root + 1) * 0x9e3779b97f4a7c15U; // Each root request is a caller.
    return out.balancer.pick(request, out.hosts, call.luck).host;
}

void MeshRun::startAttempt(SlabHandle handle)
{
    Call& call = m_calls[handle];
    const auto host = pick(call, outbound(call.proxy, call.callee), call.tried);
    if (!host) {
        schedule(Duration::zero(), kCallRefused, handle);
        return;
    }
    launchAttempt(handle, *host, policy::HedgeRace::Role::Main);
    planHedge(handle);
}

void MeshRun::launchAttempt(SlabHandle handle, std::uint32_t host, policy::HedgeRace::Role role)
{
    Call& call = m_calls[handle];
    Outbound& out = outbound(call.proxy, call.callee);
    const auto slot = call.race.onStarted(role, m_agenda.now());
    MESH_ASSERT(slot.has_value());
    ++call.attempts;
    out.hosts.begin(host);
    const SlabHandle made = m_attempts.take();
    Attempt& attempt = m_attempts[made];
    attempt.call = handle;
    attempt.host = host;
    attempt.instance = out.plan->instances[host];
    attempt.startedAt = m_agenda.now();
    attempt.slot = *slot;
    attempt.isHedge = role == policy::HedgeRace::Role::Hedge;
    attempt.next = call.running;
    call.running = made;
    if (m_instances[attempt.instance].downs > 0) {
        schedule(Duration::zero(), kConnectFailed, made);
        return;
    }
    attempt.timeout = startTimer(out.tryTimeout, kTryTimeout, made);
    sendTo(made);
}

// Sets when the next hedge is due, now that an attempt has begun.
void MeshRun::planHedge(SlabHandle handle)
{
    Call& call = m_calls[handle];
    Outbound& out = outbound(call.proxy, call.callee);
    if (!out.hedge) {
        return;
    }
    m_agenda.cancel(call.hedge);
    const TimePoint now = m_agenda.now();
    const auto known = out.latencies ? out.latencies->value(now) : std::nullopt;
    const auto delay = policy::hedgeDelay(out.hedge->after, known);
    const auto due = delay ? call.race.nextHedgeAt(*delay) : std::nullopt;
    if (due) {
        call.hedge = startTimer(*due - now, kHedge, handle);
    }
}

void MeshRun::onHedge(SlabHandle handle)
{
    Call& call = m_calls[handle];
    Outbound& out = outbound(call.proxy, call.callee);
    call.hedge = {};
    if (out.retry
        && out.retry->decideCopy(kMethod, policy::RetryProgress::Body::Kept)
               != policy::PolicyRetryVerdict::Retry) {
        return;
    }
    policy::TriedHosts tried = call.tried;
    for (SlabHandle at = call.running; !at.isNone(); at = m_attempts[at].next) {
        tried.add(m_attempts[at].host);
    }
    const auto host = pick(call, out, tried);
    if (!host || tried.contains(*host)) {
        return; // The same host twice would only add to its load.
    }
    const auto resource = policy::LimitedResource::Requests;
    if (out.limits
        && !policy::admit(*out.limits, resource, out.lane, out.use.of(resource, out.lane))
                .isAdmitted) {
        return;
    }
    if (out.retry && !policy::tryBeginRetry(*out.allowance, out.budget)) {
        ++m_budgetRefusals;
        markOnce(RunMarker::Kind::BudgetExhausted, out);
        if (out.limits) {
            policy::release(out.use.of(resource, out.lane));
        }
        return;
    }
    launchAttempt(handle, *host, policy::HedgeRace::Role::Hedge);
    planHedge(handle);
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
        take(out, *verdict);
    }
}

// Carries a verdict of the detector out.
void MeshRun::take(Outbound& out, const policy::OutlierVerdict& verdict)
{
    using Kind = policy::OutlierVerdict::Kind;
    m_ejections += verdict.kind == Kind::Ejected ? 1U : 0U;
    m_agenda.note((std::uint64_t{static_cast<std::uint8_t>(verdict.kind)} << 32U) | verdict.host);
    const auto host = static_cast<std::uint32_t>(verdict.host);
    if (m_recorder != nullptr) {
        constexpr std::array kMarkers = {
            RunMarker::Kind::Ejected, RunMarker::Kind::Returned, RunMarker::Kind::EjectionHeld};
        mark(kMarkers[static_cast<std::size_t>(verdict.kind)], out, host);
    }
    out.apply(verdict, m_agenda.now());
    markPanic(out);
}

void MeshRun::mark(RunMarker::Kind kind, const Outbound& out, std::uint32_t host)
{
    if (m_recorder != nullptr) {
        const std::uint32_t instance = out.plan->instances[host];
        const std::string& name = m_plan.instances()[instance].instance.name;
        m_recorder->mark(kind, m_agenda.now(), out.edge, name);
    }
}

void MeshRun::markPanic(Outbound& out)
{
    if (m_recorder != nullptr && out.wasInPanic != out.hosts.isInPanic()) {
        out.wasInPanic = !out.wasInPanic;
        m_recorder->mark(
            out.wasInPanic ? RunMarker::Kind::PanicEntered : RunMarker::Kind::PanicLeft,
            m_agenda.now(),
            out.edge,
            {}
        );
    }
}

void MeshRun::markBreaker(const Outbound& out, policy::BreakerState before)
{
    using State = policy::BreakerState;
    const State after = out.breaker->state();
    if (m_recorder == nullptr || before == after || after == State::Ramping) {
        return;
    }
    m_recorder->mark(
        after == State::Open       ? RunMarker::Kind::BreakerOpened
        : after == State::HalfOpen ? RunMarker::Kind::BreakerHalfOpen
                                   : RunMarker::Kind::BreakerClosed,
        m_agenda.now(),
        out.edge,
        {}
    );
}

void MeshRun::markOnce(RunMarker::Kind kind, const Outbound& out)
{
    if (m_recorder != nullptr) {
        m_recorder->markOnce(kind, m_agenda.now(), out.edge);
    }
}

// The attempt runs no more, for whatever reason; all that it held is given back.
void MeshRun::dropAttempt(SlabHandle handle)
{
    const Attempt attempt = m_attempts[handle];
    Call& call = m_calls[attempt.call];
    Outbound& out = outbound(call.proxy, call.callee);
    m_agenda.cancel(attempt.timeout);
    out.hosts.end(attempt.host);
    if (attempt.isHedge && out.retry) {
        policy::endRetry(out.budget);
    }
    if (attempt.isHedge && out.limits) {
        policy::release(out.use.of(policy::LimitedResource::Requests, out.lane));
    }
    if (call.running == handle) {
        call.running = attempt.next;
    } else {
        SlabHandle before = call.running;
        while (m_attempts[before].next != handle) {
            before = m_attempts[before].next;
        }
        m_attempts[before].next = attempt.next;
    }
    m_attempts.free(handle);
}

// Whether this is what the caller gets, although other attempts still run.
bool MeshRun::isAnswerOfAll(const Call& call, const Outbound& out, const AttemptOutcome& outcome)
{
    if (isSuccess(outcome)) {
        return true;
    }
    policy::RetryProgress progress;
    progress.attemptsMade = call.attempts;
    return outcome.kind == AttemptOutcome::Kind::Answer
           && (!out.retry
               || out.retry->decide(kMethod, outcome, progress)
                      == policy::PolicyRetryVerdict::NotRetryable);
}

void MeshRun::endAttempt(SlabHandle handle, const AttemptOutcome& outcome)
{
    const Attempt attempt = m_attempts[handle];
    dropAttempt(handle);
    Call& call = m_calls[attempt.call];
    Outbound& out = outbound(call.proxy, call.callee);
    const TimePoint now = m_agenda.now();
    const Duration took = now - attempt.startedAt;
    const bool isGood = isSuccess(outcome);
    out.balancer.report(
        attempt.host, now, took, isGood ? policy::AttemptEnd::Succeeded : policy::AttemptEnd::Failed
    );
    if (out.latencies && outcome.kind == AttemptOutcome::Kind::Answer) {
        out.latencies->record(now, took);
    }
    observe(out, attempt.host, outcome, call.luck);
    m_agenda.note(
        (std::uint64_t{static_cast<std::uint8_t>(outcome.kind)} << 32U)
        | static_cast<std::uint32_t>(outcome.status)
    );
    if (isAnswerOfAll(call, out, outcome)) {
        static_cast<void>(call.race.onWon(attempt.slot));
        endCall(attempt.call, isGood ? CallEnd::Succeeded : CallEnd::Failed);
        return;
    }
    call.tried.add(attempt.host);
    if (call.race.onFailed(attempt.slot) == policy::HedgeRace::Failed::OthersRun) {
        return;
    }
    m_agenda.cancel(call.hedge);
    call.hedge = {};
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
        markOnce(RunMarker::Kind::BudgetExhausted, out);
        return false;
    }
    call.holdsRetry = true;
    ++call.retriesMade;
    call.backoff = startTimer(wait.wait, kBackoffOver, handle);
    return true;
}

} // namespace mesh::simulator
