#include "proxyengine/base/assert.h"
#include "proxyengine/proxy/client_connection.h"
#include "proxyengine/proxy/error_page.h"
#include "proxyengine/proxy/head_forward.h"
#include "proxyengine/proxy/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

// Copies of a request: hedges, which race the present attempt, and mirrors, whose answers are
// dropped.
namespace mesh::proxy {

// A target of the service for a copy of the request; nothing when none may be used, or the limits
// of its upstream allow no further request.
std::optional<Destination> ClientConnection::chooseDestination(
    const config::ServicePlan& service, const policy::TriedHosts& tried, UsageLease& lease
)
{
    Exchange& exchange = *m_exchange;
    Destination to;
    to.runtime = exchange.runtime;
    to.service = &service;
    to.upstream = exchange.runtime->upstreams[service.upstream];
    const auto picked = pickTarget(*to.upstream, service, tried);
    if (!picked) {
        return std::nullopt;
    }
    to.target = *picked;
    to.pool = &poolOf(*to.upstream, service, *picked);
    to.row = &exchange.runtime->attemptRow(
        m_worker.counters(), exchange.listener, service.upstream, *picked
    );
    to.usage = exchange.runtime->activation.cells->usages[service.upstream];
    to.lane = exchange.policy->lane;
    to.hasNameOfClient = isNameOfClient(exchange);
    if (exchange.policy->plan->perTryTimeout) {
        to.headBy = m_worker.loop().now() + *exchange.policy->plan->perTryTimeout;
    }
    if (to.usage != nullptr
        && !takeLease(to.usage, policy::LimitedResource::Requests, to.lane, lease).isAdmitted) {
        return std::nullopt;
    }
    return to;
}

// The request as this target would get it, body included.
std::optional<std::string> ClientConnection::copyRequest(const Destination& to)
{
    Exchange& exchange = *m_exchange;
    http::HeadWriter out(m_worker.scratch());
    const config::UpstreamPlan& upstream = to.upstream->plan;
    writeUpstreamHead(
        out,
        exchange,
        *to.service,
        upstream,
        upstream.targets[to.target],
        {m_peer, m_listener->port, m_listener->isTls, m_worker.loop().now(), isOverStream()},
        m_worker.names()
    );
    if (out.hasOverflowed()) {
        return std::nullopt;
    }
    std::string copy(out.written());
    copy.append(wholeBody());
    return copy;
}

bool ClientConnection::isBodyWhole() const
{
    const Exchange& exchange = *m_exchange;
    return exchange.head.body.kind == http::BodyFraming::Kind::None
           || (exchange.up.isEndSeen() && !exchange.isBodyConsumed);
}

// Sets when the next hedge is due, now that an attempt has begun.
void ClientConnection::planHedge()
{
    RequestPolicy& state = *m_exchange->policy;
    state.hedgeAt = TimePoint::max();
    if (!state.race) {
        return;
    }
    const auto percentile = policy::hedgePercentile(state.plan->hedge->after);
    std::optional<Duration> atPercentile;
    if (percentile) {
        const TimePoint now = m_worker.loop().now();
        atPercentile = m_exchange->runtime->latencyWindow(state.resilience, now).value(now);
    }
    const auto delay = policy::hedgeDelay(state.plan->hedge->after, atPercentile);
    if (delay) {
        state.hedgeAt = state.race->nextHedgeAt(*delay).value_or(TimePoint::max());
    }
}

void ClientConnection::startHedge()
{
    Exchange& exchange = *m_exchange;
    RequestPolicy& state = *exchange.policy;
    state.hedgeAt = TimePoint::max();
    if (state.race->state() != policy::HedgeRace::State::Running) {
        return;
    }
    const auto body =
        isBodyWhole() ? policy::RetryProgress::Body::Kept : policy::RetryProgress::Body::TooLarge;
    const bool mayCopy = state.retry != nullptr
                             ? state.retry->rules.decideCopy(exchange.head.methodText(), body)
                                   == policy::PolicyRetryVerdict::Retry
                             : policy::isIdempotent(exchange.head.methodText()) && isBodyWhole();
    if (!mayCopy || exchange.hasAnswered || exchange.isAnswerHead) {
        return;
    }
    policy::TriedHosts tried = exchange.tried;
    tried.add(exchange.target);
    for (const RequestPolicy::Hedge& hedge : state.hedges) {
        tried.add(hedge.attempt->destination().target);
    }
    UsageLease lease;
    const auto to = chooseDestination(*exchange.service, tried, lease);
    if (!to || tried.contains(to->target)) {
        return; // The same host twice would only add to its load.
    }
    UsageLease retryLease;
    if (!holdHedge(state, retryLease)) {
        return;
    }
    const auto slot = state.race->onStarted(policy::HedgeRace::Role::Hedge, m_worker.loop().now());
    auto request = slot ? copyRequest(*to) : std::nullopt;
    if (!request) {
        if (slot) {
            static_cast<void>(state.race->onFailed(*slot));
        }
        endHedgeHold(state);
        return;
    }
    RequestPolicy::Hedge hedge;
    hedge.slot = *slot;
    hedge.retryLease = std::move(retryLease);
    hedge.attempt = std::make_unique<SideAttempt>(
        m_worker,
        *to,
        std::move(lease),
        exchange.head.method,
        *std::move(request),
        SideAttempt::Answer::HandOver,
        [this](SideAttempt& decided) { onHedgeDecided(decided); }
    );
    ++exchange.attempts;
    ++exchange.row->retries;
    noteVerdict(
        "hedged",
        state.plan->subject,
        fmt::format(
            "no answer after {} ms", toMilliseconds(m_worker.loop().now() - exchange.attemptAt)
        )
    );
    SideAttempt& attempt = *hedge.attempt;
    state.hedges.push_back(std::move(hedge));
    planHedge();
    attempt.begin();
}

// A copy is a retry for whoever counts those: the budget, or without one max_retries.
bool ClientConnection::holdHedge(RequestPolicy& state, UsageLease& retryLease)
{
    if (!state.hasBudget()) {
        return holdLimitedRetry(retryLease);
    }
    RetryCell& cell = *state.retry;
    const bool isGranted = policy::step(cell.budget, [&cell](std::uint64_t& word) {
        return policy::tryBeginRetry(*cell.allowance, word);
    });
    if (!isGranted) {
        noteVerdict(
            "budget_exhausted",
            cell.plan.subject,
            policy::exhaustedText(*cell.allowance, policy::readWord(cell.budget))
        );
    }
    return isGranted;
}

void ClientConnection::endHedgeHold(RequestPolicy& state)
{
    if (state.hasBudget()) {
        policy::step(state.retry->budget, [](std::uint64_t& word) {
            policy::endRetry(word);
            return true;
        });
    }
}

void ClientConnection::onHedgeDecided(SideAttempt& decided)
{
    Exchange& exchange = *m_exchange;
    RequestPolicy& state = *exchange.policy;
    const auto hedge = std::ranges::find_if(state.hedges, [&decided](const auto& each) {
        return each.attempt.get() == &decided;
    });
    MESH_ASSERT(hedge != state.hedges.end() && !exchange.hasAnswered);
    if (decided.state() == SideAttempt::State::Answered && !mayBeBettered(decided.head())) {
        takeOverHedge(static_cast<std::size_t>(hedge - state.hedges.begin()));
        return;
    }
    const policy::AttemptSlot slot = hedge->slot;
    const policy::AttemptFailure failure = decided.failure();
    const std::string_view reason = decided.reason();
    decided.cancel();
    exchange.tried.add(decided.destination().target);
    m_worker.loop().destroyLater(std::move(hedge->attempt));
    state.hedges.erase(hedge);
    endHedgeHold(state);
    if (state.race->onFailed(slot) == policy::HedgeRace::Failed::NoneRuns
        && state.wait != RequestPolicy::Wait::Connection) {
        if (isForeignName(reason)) {
            refuseName(reason);
        } else {
            onAllFailed(failure);
        }
    }
}

// No attempt runs any more: retry, or answer for the last one.
void ClientConnection::onAllFailed(policy::AttemptFailure failure)
{
    RequestPolicy& state = *m_exchange->policy;
    switch (repeatByPolicy(failure)) {
    case AfterFailure::Again:
        ++m_exchange->row->retries;
        startAttempts();
        break;
    case AfterFailure::Wait:
        ++m_exchange->row->retries;
        state.arm();
        break;
    case AfterFailure::Undecided:
    case AfterFailure::GiveUp: {
        state.ending = RequestPolicy::Ending::Failed;
        if (m_exchange->runtime->listeners[m_exchange->listener].isInbound) {
            abort("no attempt was answered");
            return;
        }
        const int status = failure == policy::AttemptFailure::Timeout ? 504 : 502;
        answerSelf(status, messageOf(status), "no attempt was answered");
        break;
    }
    }
    if (!m_isRunning && m_phase == Phase::Exchange) {
        run();
    }
}

// The hedge's answer is the first: its attempt becomes the request's own, all others end.
void ClientConnection::takeOverHedge(std::size_t winnerAt)
{
    Exchange& exchange = *m_exchange;
    RequestPolicy& state = *exchange.policy;
    RequestPolicy::Hedge winner = std::move(state.hedges[winnerAt]);
    state.hedges.erase(state.hedges.begin() + static_cast<std::ptrdiff_t>(winnerAt));
    static_cast<void>(state.race->onWon(winner.slot));
    if (exchange.hasAttempt) {
        reportRoundTrip(policy::AttemptEnd::Failed); // It would have taken longer still.
        exchange.isAnswerHead = false; // So that the loser's connection is closed.
        endAttempt();
    }
    cancelHedges();
    leaveQueue(state);
    endRetryHold(state);
    state.holdsRetry = state.hasBudget(); // The winner's.
    state.retryLease = std::move(winner.retryLease);
    state.requestLease = winner.attempt->takeLease();
    state.isMainRunning = false;
    state.wait = RequestPolicy::Wait::Nothing;
    state.waitEnd = TimePoint::max();
    state.tryDeadline = TimePoint::max();
    state.hedgeAt = TimePoint::max();
    state.arm();
    SideAttempt& attempt = *winner.attempt;
    const Destination& to = attempt.destination();
    exchange.target = to.target;
    exchange.pool = to.pool;
    exchange.attemptRow = to.row;
    exchange.attemptAt = attempt.startedAt();
    exchange.connection = &attempt.takeOver();
    exchange.connection->attach(*this);
    exchange.hasAttempt = true;
    exchange.isHeadSent = true;
    exchange.hasSentAny = true;
    exchange.toUpstream.release();
    exchange.answer = attempt.head();
    exchange.isAnswerRecorded = true;
    exchange.owesReport = exchange.answer.status < 400;
    rewindBody();
    skipBufferedBody();
    m_worker.loop().destroyLater(std::move(winner.attempt));
    if (!repeatsAnswer()) {
        static_cast<void>(sendAnswerHead());
    }
    if (!m_isRunning && m_phase == Phase::Exchange) {
        run();
    }
}

void ClientConnection::cancelHedges()
{
    RequestPolicy& state = *m_exchange->policy;
    for (RequestPolicy::Hedge& hedge : state.hedges) {
        hedge.attempt->cancel();
        m_worker.loop().destroyLater(std::move(hedge.attempt));
        endHedgeHold(state);
    }
    state.hedges.clear();
    state.hedgeAt = TimePoint::max();
}

// Sends the mirror its copy, once all of the body is here.
void ClientConnection::sendMirror()
{
    Exchange& exchange = *m_exchange;
    RequestPolicy& state = *exchange.policy;
    if (!state.wantsMirror || !isBodyWhole()) {
        return;
    }
    state.wantsMirror = false;
    if (!state.compiled->mirror->fits(wholeBody().size())) {
        return;
    }
    UsageLease lease;
    const auto to = chooseDestination(
        exchange.runtime->snapshot().services[*state.plan->mirrorService],
        policy::TriedHosts(),
        lease
    );
    auto request = to ? copyRequest(*to) : std::nullopt;
    if (request
        && m_worker.sendMirror(*to, std::move(lease), exchange.head.method, *std::move(request))) {
        noteVerdict(
            "mirrored",
            state.plan->subject,
            fmt::format("copy to service {}", state.plan->mirror->service)
        );
    }
}

} // namespace mesh::proxy
