#include "proxyengine/proxy/client_connection.h"
#include "proxyengine/proxy/error_page.h"
#include "proxyengine/proxy/worker.h"

#include <fmt/format.h>

#include <string>
#include <utility>

// Repeating attempts: after failures and answers that a retry policy names, with its waits and its
// budget; and the deadlines of a request.
namespace mesh::proxy {
namespace {

using policy::AttemptOutcome;

AttemptOutcome::Kind kindOf(policy::AttemptFailure failure)
{
    switch (failure) {
    case policy::AttemptFailure::Connect:
        return AttemptOutcome::Kind::ConnectFailure;
    case policy::AttemptFailure::Timeout:
        return AttemptOutcome::Kind::Timeout;
    case policy::AttemptFailure::Refused:
        return AttemptOutcome::Kind::RefusedStream;
    case policy::AttemptFailure::Broken:
        break;
    }
    return AttemptOutcome::Kind::Reset;
}

std::optional<int> grpcStatusOf(const http::ResponseHead& head)
{
    const auto text = head.fields.find("grpc-status");
    const auto status = text ? http::parseGrpcStatus(*text) : std::nullopt;
    return status ? std::optional(static_cast<int>(*status)) : std::nullopt;
}

} // namespace

std::optional<Duration> ClientConnection::timeLeft() const
{
    const RequestPolicy& state = *m_exchange->policy;
    if (state.deadline == TimePoint::max()) {
        return std::nullopt;
    }
    return state.deadline - m_worker.loop().now();
}

policy::RetryProgress ClientConnection::retryProgress() const
{
    const Exchange& exchange = *m_exchange;
    policy::RetryProgress progress;
    progress.attemptsMade = exchange.attempts;
    progress.sent = exchange.hasSentAny ? policy::AttemptProgress::Sent::Something
                                        : policy::AttemptProgress::Sent::Nothing;
    progress.answered = exchange.hasAnswered ? policy::AttemptProgress::Answered::Something
                                             : policy::AttemptProgress::Answered::Nothing;
    const bool isKept = !exchange.isBodyConsumed
                        && (exchange.policy->retry == nullptr
                            || wholeBody().size() <= exchange.policy->retry->rules.maxBodyBytes());
    progress.body =
        isKept ? policy::RetryProgress::Body::Kept : policy::RetryProgress::Body::TooLarge;
    return progress;
}

// Asks the retry policy; when it agrees, the retry is counted in the budget and its wait is given.
std::optional<Duration> ClientConnection::grantRetry(const AttemptOutcome& outcome)
{
    Exchange& exchange = *m_exchange;
    RequestPolicy& state = *exchange.policy;
    RetryCell& cell = *state.retry;
    const policy::PolicyRetryVerdict verdict =
        cell.rules.decide(exchange.head.methodText(), outcome, retryProgress());
    if (verdict != policy::PolicyRetryVerdict::Retry) {
        return std::nullopt;
    }
    const policy::RetryWait wait = cell.rules.wait(
        outcome, state.retriesMade + 1, timeLeft(), m_worker.random(), m_worker.loop().wallNow()
    );
    if (wait.verdict != policy::PolicyRetryVerdict::Retry) {
        return std::nullopt;
    }
    endRetryHold(state); // Of the attempt that has just ended.
    if (!holdRetry(state)) {
        return std::nullopt;
    }
    noteVerdict("retried", cell.plan.subject, toText(outcome));
    ++state.retriesMade;
    return wait.wait;
}

// By the budget; without one, the upstream's max_retries bounds retries.
bool ClientConnection::holdRetry(RequestPolicy& state)
{
    RetryCell& cell = *state.retry;
    if (!cell.allowance) {
        return holdLimitedRetry(state.retryLease);
    }
    const bool isGranted = policy::step(cell.budget, [&cell](std::uint64_t& word) {
        return policy::tryBeginRetry(*cell.allowance, word);
    });
    if (!isGranted) {
        noteVerdict(
            "budget_exhausted",
            cell.plan.subject,
            policy::exhaustedText(*cell.allowance, policy::readWord(cell.budget))
        );
        return false;
    }
    state.holdsRetry = true;
    return true;
}

void ClientConnection::endRetryHold(RequestPolicy& state)
{
    state.retryLease.end();
    if (!state.holdsRetry) {
        return;
    }
    state.holdsRetry = false;
    policy::step(state.retry->budget, [](std::uint64_t& word) {
        policy::endRetry(word);
        return true;
    });
}

// The present attempt failed without an answer. Next: what the caller does about it.
ClientConnection::AfterFailure ClientConnection::repeatByPolicy(policy::AttemptFailure failure)
{
    Exchange& exchange = *m_exchange;
    RequestPolicy& state = *exchange.policy;
    AttemptOutcome outcome;
    outcome.kind = kindOf(failure);
    outcome.isPerTryTimeout =
        failure == policy::AttemptFailure::Timeout && m_worker.loop().now() >= state.tryDeadline;
    if (state.race && state.isMainRunning) {
        state.isMainRunning = false;
        state.hedgeAt = TimePoint::max();
        if (state.race->onFailed(state.mainSlot) == policy::HedgeRace::Failed::OthersRun) {
            return AfterFailure::Wait;
        }
    }
    if (state.retry == nullptr) {
        return AfterFailure::Undecided;
    }
    const auto wait = grantRetry(outcome);
    if (!wait) {
        return AfterFailure::GiveUp;
    }
    if (*wait <= Duration{}) {
        return AfterFailure::Again;
    }
    state.wait = RequestPolicy::Wait::Backoff;
    state.waitEnd = m_worker.loop().now() + *wait;
    return AfterFailure::Wait;
}

// The answer as the retry policy sees it; its headers are views until the next use of the worker's
// list.
AttemptOutcome ClientConnection::outcomeOf(const http::ResponseHead& answer)
{
    AttemptOutcome outcome;
    outcome.kind = AttemptOutcome::Kind::Answer;
    outcome.status = answer.status;
    outcome.grpcStatus = grpcStatusOf(answer);
    auto& headers = m_worker.headerViews();
    headers.clear();
    for (const http::FieldPlace& field : answer.fields) {
        headers.push_back({answer.fields.name(field), answer.fields.value(field)});
    }
    outcome.headers = headers;
    return outcome;
}

// Whether the answer is one that is worth repeating while another attempt still runs.
bool ClientConnection::mayBeBettered(const http::ResponseHead& answer)
{
    const RequestPolicy& state = *m_exchange->policy;
    return state.retry != nullptr && state.race && state.race->running().size() > 1
           && state.retry->rules.decide(
                  m_exchange->head.methodText(), outcomeOf(answer), retryProgress()
              ) != policy::PolicyRetryVerdict::NotRetryable;
}

// Whether the answer whose head is here is dropped for another attempt.
bool ClientConnection::repeatsAnswer()
{
    Exchange& exchange = *m_exchange;
    RequestPolicy& state = *exchange.policy;
    state.tryDeadline = TimePoint::max();
    if (state.retry == nullptr) {
        return false;
    }
    if (state.isMainRunning && mayBeBettered(exchange.answer)) {
        dropAnswer();
        state.isMainRunning = false;
        static_cast<void>(state.race->onFailed(state.mainSlot));
        exchange.tried.add(exchange.target);
        endAttempt();
        prepareNextAttempt();
        state.arm();
        return true;
    }
    const AttemptOutcome outcome = outcomeOf(exchange.answer);
    const auto wait = grantRetry(outcome);
    if (!wait) {
        return false;
    }
    dropAnswer();
    exchange.tried.add(exchange.target);
    if (state.race && state.isMainRunning) {
        state.isMainRunning = false;
        static_cast<void>(state.race->onFailed(state.mainSlot));
    }
    endAttempt();
    prepareNextAttempt();
    ++exchange.row->retries;
    if (*wait > Duration{}) {
        state.wait = RequestPolicy::Wait::Backoff;
        state.waitEnd = m_worker.loop().now() + *wait;
        state.arm();
    } else {
        startAttempts();
    }
    return true;
}

// Counts the answer that nobody will see; its connection stays of use when all of it is here.
void ClientConnection::dropAnswer()
{
    Exchange& exchange = *m_exchange;
    UpstreamConnection& connection = *exchange.connection;
    recordAnswer();
    reportAnswer();
    exchange.isAnswerHead = true;
    connection.in.consume(exchange.answer.size);
    exchange.down.start(exchange.answer.body, http::ChunkedDecoder::Mode::Keep);
    if (exchange.down.take(connection.in.readable())) {
        while (!exchange.down.isFlushed()) {
            exchange.down.written(exchange.down.pieces().front().iov_len);
        }
        connection.in.consume(exchange.down.takeConsumed());
    }
}

// Back to before the head was sent.
void ClientConnection::prepareNextAttempt()
{
    Exchange& exchange = *m_exchange;
    if (exchange.pastAttempts.size() < kAccessAttemptsMax) {
        exchange.pastAttempts.push_back(
            {exchange.upstream->plan.targets[exchange.target].address,
             exchange.attemptAt,
             m_worker.loop().now(),
             exchange.isAnswerHead ? exchange.answer.status : 0}
        );
    }
    exchange.isHeadSent = false;
    exchange.hasSentAny = false;
    exchange.isAnswerHead = false;
    exchange.owesReport = false;
    exchange.owesCount = false;
    exchange.grpcStatus.reset();
    exchange.trailers.clear();
    exchange.answerParser.reset();
    exchange.toUpstream.release();
    exchange.down.start({}, http::ChunkedDecoder::Mode::Keep);
    rewindBody();
}

// An attempt begins: its own deadline, its place in the race, the next hedge.
void ClientConnection::beginTry()
{
    RequestPolicy& state = *m_exchange->policy;
    const TimePoint now = m_worker.loop().now();
    state.tryDeadline =
        state.plan->perTryTimeout ? now + *state.plan->perTryTimeout : TimePoint::max();
    if (state.race) {
        const auto slot = state.race->onStarted(policy::HedgeRace::Role::Main, now);
        state.isMainRunning = slot.has_value();
        state.mainSlot = slot.value_or(policy::AttemptSlot());
        planHedge();
    }
    state.arm();
}

// The attempt never reached anybody: it is made again and counts once.
void ClientConnection::takeBackTry()
{
    RequestPolicy& state = *m_exchange->policy;
    if (state.race && state.isMainRunning) {
        static_cast<void>(state.race->onFailed(state.mainSlot));
        state.isMainRunning = false;
    }
}

// The answer whose head is here goes to the client; nothing else may.
void ClientConnection::settleRace()
{
    Exchange& exchange = *m_exchange;
    RequestPolicy& state = *exchange.policy;
    state.tryDeadline = TimePoint::max();
    if (state.race && state.isMainRunning) {
        static_cast<void>(state.race->onWon(state.mainSlot));
        state.isMainRunning = false;
    }
    cancelHedges();
    if (state.plan->hedge && policy::hedgePercentile(state.plan->hedge->after)) {
        const TimePoint now = m_worker.loop().now();
        exchange.runtime->latencyWindow(state.resilience, now)
            .record(now, now - exchange.attemptAt);
    }
    state.arm();
}

void ClientConnection::onPolicyTimer()
{
    Exchange& exchange = *m_exchange;
    RequestPolicy& state = *exchange.policy;
    const TimePoint now = m_worker.loop().now();
    if (now >= state.deadline) {
        onDeadline();
    } else if (now >= state.waitEnd) {
        onWaitEnd();
    } else if (now >= state.tryDeadline) {
        ++exchange.attemptRow->timeouts;
        onAttemptFailed(policy::AttemptFailure::Timeout, "the attempt took too long");
    } else if (now >= state.hedgeAt) {
        startHedge();
    }
    if (m_phase == Phase::Exchange && m_exchange->policy != nullptr) {
        m_exchange->policy->arm();
        if (!m_isRunning) {
            run();
        }
    }
}

void ClientConnection::onDeadline()
{
    Exchange& exchange = *m_exchange;
    RequestPolicy& state = *exchange.policy;
    state.deadline = TimePoint::max();
    state.waitEnd = TimePoint::max();
    state.tryDeadline = TimePoint::max();
    state.hedgeAt = TimePoint::max();
    state.wait = RequestPolicy::Wait::Nothing;
    leaveQueue(state);
    if (state.deadlinePlan == nullptr) {
        noteVerdict(
            "timed_out",
            fmt::format("service:{}", exchange.service->name),
            "no whole answer before the caller's deadline"
        );
    } else {
        noteVerdict(
            "timed_out",
            state.deadlinePlan->subject,
            fmt::format(
                "no whole answer within {} ms", toMilliseconds(*state.deadlinePlan->timeout)
            )
        );
    }
    cancelHedges();
    if (exchange.isOwnAnswer) {
        return; // It is on its way; the client's own timeout holds.
    }
    state.ending = RequestPolicy::Ending::Failed;
    if (exchange.hasAnswered) {
        if (exchange.connection != nullptr && m_mayWrite && exchange.down.isFlushed()) {
            ++exchange.attemptRow->timeouts; // The upstream is slow, not the client.
            recordFailure(policy::AttemptFailure::Timeout);
        }
        if (endGrpc(http::GrpcStatus::DeadlineExceeded, "the request took too long")) {
            return;
        }
        abort("the request took too long");
        return;
    }
    if (exchange.hasAttempt) {
        ++exchange.attemptRow->timeouts;
        ++exchange.attemptRow->answers[0];
        report(policy::Observation::Kind::Timeout, 0);
        reportRoundTrip(policy::AttemptEnd::Failed);
        endAttempt();
    }
    answerSelf(504, messageOf(504), "the request took too long");
}

void ClientConnection::onWaitEnd()
{
    RequestPolicy& state = *m_exchange->policy;
    const RequestPolicy::Wait wait = std::exchange(state.wait, RequestPolicy::Wait::Nothing);
    state.waitEnd = TimePoint::max();
    switch (wait) {
    case RequestPolicy::Wait::Fault:
        if (!abortByFault() && admitByBreaker()) {
            startAttempts();
        }
        return;
    case RequestPolicy::Wait::Backoff:
    case RequestPolicy::Wait::Connection:
        startAttempts();
        return;
    case RequestPolicy::Wait::Nothing:
        return;
    }
}

} // namespace mesh::proxy
