#include "proxyengine/base/assert.h"
#include "simulator/mesh/mesh_run.h"
#include "simulator/mesh/run_events.h"

#include <fmt/format.h>

#include <array>
#include <string>

// The attempts of a call: whom to ask, when to ask another beside it, and when again.
namespace mesh::simulator {
namespace {

constexpr std::string_view kMethod = "GET"; // Calls of models may be repeated.
constexpr WallTime kEpoch{};

ConnectionPool::After afterwards(policy::AttemptOutcome::Kind kind)
{
    using Kind = policy::AttemptOutcome::Kind;
    return kind == Kind::Answer    ? ConnectionPool::After::Keep
           : kind == Kind::Timeout ? ConnectionPool::After::Leave
                                   : ConnectionPool::After::Close;
}

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

policy::Observation observationOf(const AttemptOutcome& outcome)
{
    using Kind = policy::Observation::Kind;
    switch (outcome.kind) {
    case AttemptOutcome::Kind::Answer:
        return {policy::Check::Passive, Kind::Status, outcome.status};
    case AttemptOutcome::Kind::Timeout:
        return {policy::Check::Passive, Kind::Timeout, 0};
    default:
        return {policy::Check::Passive, Kind::ConnectFailure, 0};
    }
}

// For the trace of a request.
std::string outcomeWord(const AttemptOutcome& outcome)
{
    switch (outcome.kind) {
    case AttemptOutcome::Kind::Answer:
        return fmt::format("{}", outcome.status);
    case AttemptOutcome::Kind::Timeout:
        return "timeout";
    case AttemptOutcome::Kind::Reset:
        return "reset";
    default:
        return "no connection";
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
    if (!out.hosts.isUsable(out.rules->threshold)) {
        return std::nullopt;
    }
    policy::PickRequest request{m_agenda.now(), tried, {}, out.subset};
    // Each root request is a caller.
    request.hash = CallPath().below(m_settings.seed.value).below(call.root).hash();
    return out.balancer.pick(request, out.hosts, call.luck).host;
}

void MeshRun::startAttempt(SlabHandle handle)
{
    Call& call = m_calls[handle];
    Outbound& out = outbound(call.proxy, call.callee);
    const auto host = pick(call, out, call.tried);
    if (!host) {
        refuse(handle);
        return;
    }
    const std::uint32_t instance = out.rules->instances[*host];
    __builtin_prefetch(&m_instances[instance]);
    __builtin_prefetch(&m_proxies[instance + 1]);
    if (!out.rules->limits || admitAttempt(handle, out, *host)) {
        launchAttempt(handle, *host, policy::HedgeRace::Role::Main);
        planHedge(handle);
    }
}

void MeshRun::launchAttempt(SlabHandle handle, std::uint32_t host, policy::HedgeRace::Role role)
{
    Call& call = m_calls[handle];
    Outbound& out = outbound(call.proxy, call.callee);
    if (out.detector) {
        out.detector->foresee(host);
    }
    const auto slot = call.race.onStarted(role, m_agenda.now());
    MESH_ASSERT(slot.has_value());
    ++call.attempts;
    out.hosts.begin(host);
    const SlabHandle made = m_attempts.take();
    Attempt& attempt = m_attempts[made];
    attempt.call = handle;
    attempt.host = host;
    attempt.instance = out.rules->instances[host];
    attempt.startedAt = m_agenda.now();
    attempt.slot = *slot;
    attempt.isHedge = role == policy::HedgeRace::Role::Hedge;
    attempt.next = call.running;
    attempt.number = static_cast<std::uint32_t>(call.attempts);
    // What a later attempt calls has luck of its own, as the attempt itself has.
    attempt.path = call.path.below((std::uint64_t{attempt.number} << 32U) | call.service);
    call.running = made;
    if (m_tracer != nullptr) {
        traceAttempt(made);
    }
    if (!isWayPlain(out, attempt.instance)) {
        setOut(made);
    } else if (m_instances[attempt.instance].downs > 0) {
        schedule(Duration::zero(), kConnectFailed, made);
    } else {
        attempt.timeout = startTimer(out.rules->tryTimeout, kTryTimeout, made);
        sendTo(made, Duration::zero());
    }
}

void MeshRun::traceAttempt(SlabHandle handle)
{
    const Attempt& attempt = m_attempts[handle];
    if (m_tracer->isFollowed(m_calls[attempt.call].root)) {
        m_tracer->beginAttempt(
            m_agenda.now(), handle, attempt.call, m_plan.instances()[attempt.instance].instance.name
        );
    }
}

// Sets when the next hedge is due, now that an attempt has begun.
void MeshRun::planHedge(SlabHandle handle)
{
    Call& call = m_calls[handle];
    Outbound& out = outbound(call.proxy, call.callee);
    if (!out.rules->hasHedge || call.isCopy) {
        return;
    }
    m_agenda.cancel(call.hedge);
    const TimePoint now = m_agenda.now();
    const auto known = out.latencies ? out.latencies->value(now) : std::nullopt;
    const auto delay = policy::hedgeDelay(out.rules->hedge->after, known);
    const auto due = delay ? call.race.nextHedgeAt(*delay) : std::nullopt;
    if (due) {
        call.hedge = startTimer(*due - now, kHedge, handle);
    }
}

// A copy is a retry for whoever counts those: the budget, or without one max_retries.
bool MeshRun::holdRepeat(Outbound& out)
{
    if (!out.rules->allowance) {
        return holdLimitedRetry(out);
    }
    if (policy::tryBeginRetry(*out.rules->allowance, out.budget)) {
        return true;
    }
    ++m_budgetRefusals;
    markOnce(RunMarker::Kind::BudgetExhausted, out);
    return false;
}

// Without limits there is nothing to hold, and nothing is refused.
bool MeshRun::holdLimitedRetry(Outbound& out)
{
    const OutboundRules& rules = *out.rules;
    const auto resource = policy::LimitedResource::Retries;
    if (!rules.limits
        || policy::admit(*rules.limits, resource, rules.lane, out.use.of(resource, rules.lane))
               .isAdmitted) {
        return true;
    }
    markOnce(RunMarker::Kind::LimitReached, out);
    return false;
}

void MeshRun::endRepeatHold(Outbound& out)
{
    if (out.rules->allowance) {
        policy::endRetry(out.budget);
    } else if (out.rules->limits) {
        policy::release(out.use.of(policy::LimitedResource::Retries, out.rules->lane));
    }
}

void MeshRun::onHedge(SlabHandle handle)
{
    Call& call = m_calls[handle];
    Outbound& out = outbound(call.proxy, call.callee);
    call.hedge = {};
    if (out.rules->retry
        && out.rules->retry->decideCopy(kMethod, policy::RetryProgress::Body::Kept)
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
    if (out.rules->limits
        && !policy::admit(
                *out.rules->limits, resource, out.rules->lane, out.use.of(resource, out.rules->lane)
        )
                .isAdmitted) {
        return;
    }
    if (!holdRepeat(out)) {
        if (out.rules->limits) {
            policy::release(out.use.of(resource, out.rules->lane));
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
    const TimePoint now = m_agenda.now();
    if (out.rules->hasChecks) {
        if (out.machines[host].observe(now, observationOf(outcome))) {
            mark(
                out.machines[host].isAvailable() ? RunMarker::Kind::CheckPassed
                                                 : RunMarker::Kind::CheckFailed,
                out,
                host
            );
            armProbes(out); // They have another interval now.
            settle(out, host);
        }
    }
    if (!out.detector) {
        return;
    }
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
    settle(out, host);
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
void MeshRun::dropAttempt(SlabHandle handle, ConnectionPool::After after)
{
    const Attempt attempt = m_attempts[handle];
    Call& call = m_calls[attempt.call];
    Outbound& out = outbound(call.proxy, call.callee);
    if (m_tracer != nullptr) {
        m_tracer->endAttempt(m_agenda.now(), handle);
    }
    m_agenda.cancel(attempt.timeout);
    out.hosts.end(attempt.host);
    if (attempt.isHedge) {
        endRepeatHold(out);
    }
    if (out.rules->limits) {
        policy::release(out.use.of(policy::LimitedResource::Requests, out.rules->lane));
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
    leaveConnection(attempt, out, after);
    m_attempts.free(handle);
}

// Whether this is what the caller gets, although other attempts still run.
bool MeshRun::isAnswerOfAll(const Call& call, Outbound& out, const AttemptOutcome& outcome) const
{
    if (isSuccess(outcome)) {
        return true;
    }
    policy::RetryProgress progress;
    progress.attemptsMade = call.attempts;
    const policy::RetryRules* rules = rulesOf(call, out);
    return outcome.kind == AttemptOutcome::Kind::Answer
           && (rules == nullptr
               || rules->decide(kMethod, outcome, progress)
                      == policy::PolicyRetryVerdict::NotRetryable);
}

void MeshRun::endAttempt(SlabHandle handle, const AttemptOutcome& outcome)
{
    const Attempt attempt = m_attempts[handle];
    if (m_tracer != nullptr) {
        m_tracer->tellOutcome(handle, outcomeWord(outcome));
    }
    dropAttempt(handle, afterwards(outcome.kind));
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

// What repeats the call's attempts: its policy, or that of callers who have lost their heads.
const policy::RetryRules* MeshRun::rulesOf(const Call& call, Outbound& out) const
{
    const int attempts = m_storms.empty() ? 0 : m_storms[call.service];
    if (attempts == 0) {
        return out.rules->retry ? &*out.rules->retry : nullptr;
    }
    if (!out.storm || out.storm->attempts() != attempts) {
        model::Retry settings;
        if (out.plan->resilience != nullptr && out.plan->resilience->retry) {
            settings = out.plan->snapshot->retries[*out.plan->resilience->retry].settings;
        }
        settings.on.push_back(model::RetryOn::FiveXx);
        settings.attempts = attempts;
        out.storm = std::make_unique<policy::RetryRules>(settings);
    }
    return &*out.storm;
}

// True: the call goes on, now or after its back-off.
bool MeshRun::repeat(SlabHandle handle, Outbound& out, const AttemptOutcome& outcome)
{
    Call& call = m_calls[handle];
    if (call.isCopy) {
        return false;
    }
    const auto sent = outcome.kind == AttemptOutcome::Kind::ConnectFailure
                          ? policy::AttemptProgress::Sent::Nothing
                          : policy::AttemptProgress::Sent::Something;
    const policy::RetryRules* rules = rulesOf(call, out);
    if (rules == nullptr) {
        return repeatByService(handle, out, outcome, sent);
    }
    policy::RetryProgress progress;
    progress.attemptsMade = call.attempts;
    progress.sent = sent;
    if (rules->decide(kMethod, outcome, progress) != policy::PolicyRetryVerdict::Retry) {
        return false;
    }
    std::optional<Duration> left;
    if (out.rules->timeout) {
        left = call.startedAt + *out.rules->timeout - m_agenda.now();
    }
    const policy::RetryWait wait =
        rules->wait(outcome, call.retriesMade + 1, left, call.luck, kEpoch);
    if (wait.verdict != policy::PolicyRetryVerdict::Retry) {
        return false;
    }
    endRetryHold(call, out); // Of the attempt that has just ended.
    const bool isStorm = rules == out.storm.get(); // It asks nobody.
    if (!isStorm) {
        if (!holdRepeat(out)) {
            return false;
        }
        call.holdsRetry = out.rules->allowance.has_value();
        call.holdsLimitedRetry = !call.holdsRetry && out.rules->limits.has_value();
    }
    ++call.retriesMade;
    call.backoff = startTimer(wait.wait, kBackoffOver, handle);
    return true;
}

// The gateway format's retries: for failures of connections, at once, and within the upstream's
// max_retries.
bool MeshRun::repeatByService(
    SlabHandle handle,
    Outbound& out,
    const AttemptOutcome& outcome,
    policy::AttemptProgress::Sent sent
)
{
    Call& call = m_calls[handle];
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
    endRetryHold(call, out);
    if (!holdLimitedRetry(out)) {
        return false;
    }
    call.holdsLimitedRetry = out.rules->limits.has_value();
    ++call.retriesMade;
    startAttempt(handle);
    return true;
}

} // namespace mesh::simulator
