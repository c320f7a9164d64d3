#include "proxyengine/policy/hash_key.h"
#include "proxyengine/policy/route_rule.h"
#include "proxyengine/proxy/client_connection.h"
#include "proxyengine/proxy/error_page.h"
#include "proxyengine/proxy/head_forward.h"
#include "proxyengine/proxy/worker.h"

#include <array>
#include <span>
#include <string>
#include <utility>

// Choosing a target, connecting to it, and what happens when that fails.
namespace mesh::proxy {

void ClientConnection::startAttempts()
{
    if (m_exchange->policy != nullptr) {
        sendMirror();
    }
    while (tryOnce() == Begun::Failed) {
        if (!prepareRetry(policy::AttemptFailure::Connect, connectFailureText())) {
            return;
        }
    }
}

// A host for one attempt of this request; nothing when none may be used.
std::optional<std::uint32_t> ClientConnection::pickTarget(
    UpstreamState& upstream, const config::ServicePlan& service, const policy::TriedHosts& tried
)
{
    const Exchange& exchange = *m_exchange;
    if (!upstream.hosts.isUsable(upstream.plan.healthchecks.threshold)) {
        return std::nullopt;
    }
    policy::PickRequest request{m_worker.loop().now(), tried};
    const bool isOwn = &service == exchange.service; // Not a mirror, which keeps no caller.
    if (isOwn && upstream.isHashing) {
        request.hash = hashFor(upstream);
    }
    if (isOwn && exchange.policy != nullptr && !exchange.policy->plan->version.empty()) {
        request.subset = upstream.hosts.subsetOf(exchange.policy->plan->version);
    }
    return upstream.balancer.pick(request, upstream.hosts, m_worker.random()).host;
}

// The hash of what the upstream goes by. A client that lacks the cookie gets one, once.
std::optional<std::uint64_t> ClientConnection::hashFor(const UpstreamState& upstream)
{
    Exchange& exchange = *m_exchange;
    if (exchange.hashedFor == &upstream) {
        return exchange.hash;
    }
    auto& headers = m_worker.headerViews();
    headers.clear();
    for (const http::FieldPlace& field : exchange.head.fields) {
        headers.push_back({exchange.head.fields.name(field), exchange.head.fields.value(field)});
    }
    policy::HashInput input;
    input.clientIp = m_peer;
    input.path = exchange.path;
    input.query = exchange.query.empty() ? exchange.query : exchange.query.substr(1);
    input.headers = headers;
    std::array<policy::UriCapture, policy::Pattern::kCapturesMax> groups;
    if (exchange.pattern != nullptr) {
        const std::size_t count = exchange.pattern->captures(exchange.path, groups);
        input.captures = std::span(groups).first(count);
    }
    const policy::HashVerdict verdict = hashOf(upstream.hashRule, input, m_worker.random());
    if (verdict.cookie) {
        exchange.answerFields.append("Set-Cookie: ");
        exchange.answerFields.append(policy::setCookieText(*verdict.cookie));
        exchange.answerFields.append("\r\n");
    }
    exchange.hashedFor = &upstream;
    exchange.hash = verdict.hash;
    return exchange.hash;
}

// The connections that a request of this kind may use: the hop's protection and the name that is
// asked for are part of which.
UpstreamPool& ClientConnection::poolOf(
    UpstreamState& upstream, const config::ServicePlan& service, std::uint32_t picked
)
{
    const Exchange& exchange = *m_exchange;
    const config::TargetPlan& target = upstream.plan.targets[picked];
    const auto& tls = exchange.runtime->hopTls(exchange.listener, service, target);
    std::string_view name;
    if (tls != nullptr && !target.isMesh) {
        name = serverNameFor(exchange, upstream.plan, target);
    }
    return m_worker.poolFor(upstream, picked, tls, name, service.httpVersion);
}

ClientConnection::Begun ClientConnection::tryOnce()
{
    Exchange& exchange = *m_exchange;
    UpstreamState& upstream = *exchange.upstream;
    const auto picked = pickTarget(upstream, *exchange.service, exchange.tried);
    if (!picked) {
        answerSelf(503, "failure to get a peer from the ring-balancer", "no target is available");
        return Begun::Started;
    }
    exchange.target = *picked;
    exchange.pool = &poolOf(upstream, *exchange.service, *picked);
    if (exchange.policy != nullptr && !admitAttempt()) {
        return Begun::Started;
    }
    exchange.attemptRow = &exchange.runtime->attemptRow(
        m_worker.counters(), exchange.listener, exchange.service->upstream, *picked
    );
    upstream.hosts.begin(*picked);
    ++exchange.attemptRow->active;
    exchange.hasAttempt = true;
    ++exchange.attempts;
    exchange.attemptAt = m_worker.loop().now();
    exchange.hasNameFailed = false;
    if (exchange.policy != nullptr) {
        beginTry();
    }
    const auto age = exchange.needsFresh ? ConnectionAge::Fresh : ConnectionAge::Any;
    if (UpstreamConnection* kept = exchange.pool->take(age)) {
        exchange.connection = kept;
        kept->attach(*this);
        if (!kept->isConnected) {
            kept->timer.arm(m_worker.loop().now() + exchange.service->connectTimeout);
        }
        return Begun::Started;
    }
    if (exchange.pool->literal()) {
        return connect(*exchange.pool->literal());
    }
    // A cached name is answered before resolve() returns; its failure goes to the caller's loop.
    m_lookup = Lookup::Asking;
    const net::QueryId query = m_worker.resolver().resolve(
        exchange.pool->host(),
        exchange.pool->port(),
        [this](const Result<std::vector<net::SocketAddress>>& addresses) { onResolved(addresses); }
    );
    switch (std::exchange(m_lookup, Lookup::None)) {
    case Lookup::Failed:
        return Begun::Failed;
    case Lookup::Asking:
        exchange.lookup = query;
        break;
    case Lookup::Answered:
    case Lookup::None:
        break;
    }
    return Begun::Started;
}

void ClientConnection::onResolved(const Result<std::vector<net::SocketAddress>>& addresses)
{
    Exchange& exchange = *m_exchange;
    exchange.lookup.reset();
    exchange.hasNameFailed = !addresses || addresses->empty();
    const bool isFailed =
        exchange.hasNameFailed
        || connect((*addresses)[m_worker.random().below(addresses->size())]) == Begun::Failed;
    if (m_lookup == Lookup::Asking) {
        m_lookup = isFailed ? Lookup::Failed : Lookup::Answered;
    } else if (isFailed) {
        onAttemptFailed(policy::AttemptFailure::Connect, connectFailureText());
    }
}

std::string_view ClientConnection::connectFailureText() const
{
    return m_exchange->hasNameFailed ? "the name of the target has no address"
                                     : "the connection was refused";
}

ClientConnection::Begun ClientConnection::connect(const net::SocketAddress& address)
{
    Exchange& exchange = *m_exchange;
    auto made = exchange.pool->connect(
        address,
        *exchange.attemptRow,
        exchange.needsFresh ? ConnectionAge::Fresh : ConnectionAge::Any
    );
    if (!made) {
        return Begun::Failed;
    }
    exchange.connection = *made;
    exchange.connection->attach(*this);
    if (exchange.policy != nullptr) {
        exchange.connection->keep(
            std::move(exchange.policy->connectionLease), std::move(exchange.policy->targetLease)
        );
    }
    exchange.connection->timer.arm(m_worker.loop().now() + exchange.service->connectTimeout);
    return Begun::Started;
}

void ClientConnection::onConnecting(net::Ready ready)
{
    UpstreamConnection& connection = *m_exchange->connection;
    switch (connection.goOnConnecting(ready)) {
    case UpstreamConnection::Connecting::Waiting:
        return;
    case UpstreamConnection::Connecting::Failed:
        onAttemptFailed(policy::AttemptFailure::Connect, connection.connectFailure());
        return;
    case UpstreamConnection::Connecting::Done:
        break;
    }
    run();
}

void ClientConnection::onUpstreamReady(net::Ready ready)
{
    if (m_phase != Phase::Exchange || m_exchange->connection == nullptr) {
        return;
    }
    if (!m_exchange->connection->isConnected) {
        onConnecting(ready);
        return;
    }
    run();
}

void ClientConnection::onUpstreamTimeout()
{
    Exchange& exchange = *m_exchange;
    ++exchange.attemptRow->timeouts;
    if (!exchange.connection->isConnected) {
        onAttemptFailed(policy::AttemptFailure::Timeout, "the connection took too long");
    } else {
        onAttemptFailed(policy::AttemptFailure::Timeout, "the upstream took too long");
    }
}

bool ClientConnection::isStale(policy::AttemptFailure failure) const
{
    const Exchange& exchange = *m_exchange;
    if (exchange.connection != nullptr && exchange.connection->isTurnedAway()) {
        return !exchange.isBodyConsumed && !exchange.isAnswerHead;
    }
    return failure == policy::AttemptFailure::Broken && exchange.connection != nullptr
           && exchange.connection->isReused && !exchange.isAnswerHead
           && exchange.connection->in.isEmpty() && !exchange.isBodyConsumed
           && (!exchange.hasSentAny || policy::isIdempotent(exchange.head.methodText()));
}

void ClientConnection::onAttemptFailed(policy::AttemptFailure failure, std::string_view reason)
{
    if (prepareRetry(failure, reason)) {
        startAttempts();
    }
    if (!m_isRunning && m_phase == Phase::Exchange) {
        run();
    }
}

// True: the caller tries again. False: the client has been answered, is gone, or waits.
bool ClientConnection::prepareRetry(policy::AttemptFailure failure, std::string_view reason)
{
    Exchange& exchange = *m_exchange;
    exchange.isOwnAnswer = false;
    if (exchange.connection != nullptr) {
        failure = exchange.connection->failureOr(failure);
        if (failure != policy::AttemptFailure::Timeout) {
            reason = exchange.connection->failureTextOr(reason);
        }
    }
    if (isStale(failure)) {
        if (!exchange.connection->isTurnedAway()) {
            exchange.pool->closeIdle(); // The server restarted or timed out: the others as well.
            exchange.needsFresh = true;
        }
        --exchange.attempts;
        if (exchange.policy != nullptr) {
            takeBackTry();
        }
        endAttempt();
        prepareNextAttempt();
        return true;
    }
    tellTlsFailure(reason);
    if (isForeignName(reason)) {
        endAttempt();
        refuseName(reason);
        return false;
    }
    recordFailure(failure);
    AfterFailure next = AfterFailure::Undecided;
    if (exchange.policy != nullptr && !exchange.isAnswerHead) {
        next = repeatByPolicy(failure);
    }
    if (next == AfterFailure::Undecided) {
        next = repeatByService(failure);
    }
    if (exchange.hasNameFailed && exchange.upstream->hosts.size() == 1
        && next == AfterFailure::Again) {
        next = AfterFailure::GiveUp; // The same name again at once: the same answer.
    }
    exchange.tried.add(exchange.target);
    endAttempt();
    switch (next) {
    case AfterFailure::Again:
        ++exchange.row->retries;
        prepareNextAttempt();
        return true;
    case AfterFailure::Wait:
        if (exchange.policy->wait == RequestPolicy::Wait::Backoff) {
            ++exchange.row->retries;
        }
        prepareNextAttempt();
        exchange.policy->arm();
        return false;
    case AfterFailure::Undecided:
    case AfterFailure::GiveUp:
        break;
    }
    giveUp(failure, reason);
    return false;
}

// The last attempt has failed.
void ClientConnection::giveUp(policy::AttemptFailure failure, std::string_view reason)
{
    Exchange& exchange = *m_exchange;
    if (exchange.policy != nullptr) {
        exchange.policy->ending = RequestPolicy::Ending::Failed;
    }
    // A sidecar whose process is gone is as good as gone itself: a connection that breaks is what
    // the caller's sidecar may repeat elsewhere; a 502 would be an answer.
    if (exchange.hasAnswered && exchange.isGrpc) {
        const auto status = failure == policy::AttemptFailure::Timeout
                                ? http::GrpcStatus::DeadlineExceeded
                                : http::GrpcStatus::Unavailable;
        if (endGrpc(status, reason)) {
            return;
        }
        exchange.grpcStatus = status;
    }
    if (exchange.hasAnswered || exchange.runtime->listeners[exchange.listener].isInbound) {
        abort(reason);
        return;
    }
    if (exchange.hasNameFailed) {
        answerSelf(503, "name resolution failed", reason);
        return;
    }
    const int status = failure == policy::AttemptFailure::Timeout ? 504 : 502;
    answerSelf(status, messageOf(status), reason);
}

// The gateway format's `retries`.
ClientConnection::AfterFailure ClientConnection::repeatByService(policy::AttemptFailure failure)
{
    Exchange& exchange = *m_exchange;
    policy::AttemptProgress progress;
    progress.retriesLeft = exchange.retriesLeft;
    progress.sent = exchange.hasSentAny ? policy::AttemptProgress::Sent::Something
                                        : policy::AttemptProgress::Sent::Nothing;
    progress.answered = exchange.hasAnswered ? policy::AttemptProgress::Answered::Something
                                             : policy::AttemptProgress::Answered::Nothing;
    progress.body = exchange.isBodyConsumed ? policy::AttemptProgress::Body::Consumed
                                            : policy::AttemptProgress::Body::Replayable;
    --exchange.retriesLeft;
    const auto verdict = policy::decideRetry(exchange.head.methodText(), failure, progress);
    if (verdict != policy::RetryVerdict::Retry
        || (exchange.policy != nullptr && !holdLimitedRetry(exchange.policy->retryLease))) {
        return AfterFailure::GiveUp;
    }
    return AfterFailure::Again;
}

// What a failed attempt leaves in counters and health.
void ClientConnection::recordFailure(policy::AttemptFailure failure)
{
    Exchange& exchange = *m_exchange;
    if (exchange.connection == nullptr || !exchange.connection->isConnected) {
        ++exchange.attemptRow->connectFailures;
    }
    const auto kind = failure == policy::AttemptFailure::Timeout
                          ? policy::Observation::Kind::Timeout
                          : policy::Observation::Kind::ConnectFailure;
    const bool owesReport = std::exchange(exchange.owesReport, false);
    if (exchange.isAnswerHead) {
        if (owesReport) {
            if (std::exchange(exchange.owesCount, false)) {
                ++exchange.attemptRow->answers[0]; // Until now it could have been any.
            }
            report(kind, 0);
        }
        return;
    }
    ++exchange.attemptRow->answers[0];
    report(kind, 0);
    reportRoundTrip(policy::AttemptEnd::Failed);
}

// What the balancer learns of the present attempt.
void ClientConnection::reportRoundTrip(policy::AttemptEnd end)
{
    const Exchange& exchange = *m_exchange;
    const TimePoint now = m_worker.loop().now();
    exchange.upstream->balancer.report(exchange.target, now, now - exchange.attemptAt, end);
}

void ClientConnection::endAttempt()
{
    Exchange& exchange = *m_exchange;
    if (exchange.lookup) {
        m_worker.resolver().cancel(*exchange.lookup);
        exchange.lookup.reset();
    }
    if (exchange.hasAttempt) {
        exchange.hasAttempt = false;
        exchange.upstream->hosts.end(exchange.target);
        --exchange.attemptRow->active;
    }
    if (exchange.policy != nullptr) {
        exchange.policy->requestLease.end();
        exchange.policy->connectionLease.end(); // No connection was made.
        exchange.policy->targetLease.end();
        exchange.policy->tryDeadline = TimePoint::max();
    }
    UpstreamConnection* connection = exchange.connection;
    exchange.connection = nullptr;
    if (connection == nullptr) {
        return;
    }
    const bool isReusable = exchange.isAnswerHead && exchange.answer.keepsAlive
                            && exchange.down.isDone() && exchange.up.isDone() && exchange.isHeadSent
                            && exchange.toUpstream.isEmpty();
    if (isReusable) {
        if (connection->holdsLease()) {
            m_worker.watchIdle();
        }
        exchange.pool->giveBack(*connection);
    } else {
        exchange.pool->close(*connection);
    }
    m_worker.onConnectionFreed();
}

void ClientConnection::report(policy::Observation::Kind kind, int status)
{
    const Exchange& exchange = *m_exchange;
    m_worker.observe(*exchange.upstream, exchange.target, kind, status);
}

} // namespace mesh::proxy
