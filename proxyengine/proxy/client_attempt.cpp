#include "proxyengine/proxy/client_connection.h"
#include "proxyengine/proxy/error_page.h"
#include "proxyengine/proxy/worker.h"

#include <string>

// Choosing a target, connecting to it, and what happens when that fails.
namespace mesh::proxy {

void ClientConnection::startAttempts()
{
    while (tryOnce() == Begun::Failed) {
        if (!prepareRetry(policy::AttemptFailure::Connect, "the connection was refused")) {
            return;
        }
    }
}

ClientConnection::Begun ClientConnection::tryOnce()
{
    Exchange& exchange = *m_exchange;
    UpstreamState& upstream = *exchange.upstream;
    const auto picked =
        upstream.hosts.isUsable(upstream.plan.healthchecks.threshold)
            ? upstream.balancer.pick(upstream.hosts, exchange.tried, m_worker.random())
            : std::nullopt;
    if (!picked) {
        answerSelf(503, "failure to get a peer from the ring-balancer", "no target is available");
        return Begun::Started;
    }
    exchange.target = *picked;
    exchange.pool = upstream.pools[*picked];
    exchange.attemptRow = &exchange.runtime->attemptRow(
        m_worker.counters(), exchange.listener, exchange.service->upstream, *picked
    );
    upstream.hosts.begin(*picked);
    ++exchange.attemptRow->active;
    exchange.hasAttempt = true;
    ++exchange.attempts;
    exchange.attemptAt = m_worker.loop().now();
    if (!exchange.needsFresh) {
        if (UpstreamConnection* kept = exchange.pool->takeIdle()) {
            exchange.connection = kept;
            kept->attach(*this);
            return Begun::Started;
        }
    }
    if (exchange.pool->literal()) {
        return connect(*exchange.pool->literal());
    }
    const net::QueryId query = m_worker.resolver().resolve(
        exchange.pool->host(),
        exchange.pool->port(),
        [this](const Result<std::vector<net::SocketAddress>>& addresses) { onResolved(addresses); }
    );
    if (m_exchange != nullptr && exchange.hasAttempt && exchange.connection == nullptr) {
        exchange.lookup = query;
    }
    return Begun::Started;
}

void ClientConnection::onResolved(const Result<std::vector<net::SocketAddress>>& addresses)
{
    Exchange& exchange = *m_exchange;
    exchange.lookup.reset();
    if (!addresses || addresses->empty()) {
        endAttempt();
        answerSelf(503, "name resolution failed", "the name of the target has no address");
        return;
    }
    const std::size_t at = m_worker.random().below(addresses->size());
    if (connect((*addresses)[at]) == Begun::Failed
        && prepareRetry(policy::AttemptFailure::Connect, "the connection was refused")) {
        startAttempts();
    }
}

ClientConnection::Begun ClientConnection::connect(const net::SocketAddress& address)
{
    Exchange& exchange = *m_exchange;
    auto made = exchange.pool->connect(address, *exchange.attemptRow);
    if (!made) {
        return Begun::Failed;
    }
    exchange.connection = *made;
    exchange.connection->attach(*this);
    exchange.connection->timer.arm(m_worker.loop().now() + exchange.service->connectTimeout);
    return Begun::Started;
}

Result<void> ClientConnection::beginUpstreamTls()
{
    Exchange& exchange = *m_exchange;
    const auto& context = exchange.runtime->activation.clientTls;
    const config::TargetPlan& target = exchange.upstream->plan.targets[exchange.target];
    if (context == nullptr) {
        return fail(ErrorCode::Tls, "there is no client context");
    }
    MESH_TRY(
        auto stream,
        tls::TlsStream::client(*context, exchange.connection->transport.descriptor(), target.host)
    );
    exchange.connection->transport.setTls(std::move(stream));
    return {};
}

void ClientConnection::onConnecting(net::Ready ready)
{
    UpstreamConnection& connection = *m_exchange->connection;
    if (!connection.transport.isHandshaking()) {
        if (!ready.canWrite()) {
            return;
        }
        if (!net::connectOutcome(connection.transport.descriptor())) {
            onAttemptFailed(policy::AttemptFailure::Connect, "the connection was refused");
            return;
        }
        if (speaksTls(m_exchange->service->protocol) && !beginUpstreamTls()) {
            onAttemptFailed(policy::AttemptFailure::Connect, "TLS could not begin");
            return;
        }
    }
    switch (connection.transport.handshake()) {
    case Transport::Handshake::Waiting:
        return;
    case Transport::Handshake::Failed:
        onAttemptFailed(policy::AttemptFailure::Connect, "the TLS handshake failed");
        return;
    case Transport::Handshake::Done:
        break;
    }
    connection.isConnected = true;
    connection.mayWrite = true;
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

// True: the caller tries again. False: the client has been answered or is gone.
bool ClientConnection::prepareRetry(policy::AttemptFailure failure, std::string_view reason)
{
    Exchange& exchange = *m_exchange;
    policy::RetryVerdict verdict = policy::RetryVerdict::Retry;
    const bool wasConnecting = exchange.connection == nullptr || !exchange.connection->isConnected;
    if (isStale(failure)) {
        exchange.pool->closeIdle(); // The server restarted or timed out: the others are stale too.
        exchange.needsFresh = true;
        --exchange.attempts;
    } else {
        policy::AttemptProgress progress;
        progress.retriesLeft = exchange.retriesLeft;
        progress.sent = exchange.hasSentAny ? policy::AttemptProgress::Sent::Something
                                            : policy::AttemptProgress::Sent::Nothing;
        progress.answered = exchange.hasAnswered ? policy::AttemptProgress::Answered::Something
                                                 : policy::AttemptProgress::Answered::Nothing;
        progress.body = exchange.isBodyConsumed ? policy::AttemptProgress::Body::Consumed
                                                : policy::AttemptProgress::Body::Replayable;
        verdict = policy::decideRetry(exchange.head.methodText(), failure, progress);
        if (wasConnecting) {
            ++exchange.attemptRow->connectFailures;
        }
        if (!exchange.isAnswerHead) {
            ++exchange.attemptRow->answers[0];
            report(
                failure == policy::AttemptFailure::Timeout
                    ? policy::Observation::Kind::Timeout
                    : policy::Observation::Kind::ConnectFailure,
                0
            );
        }
        exchange.tried.add(exchange.target);
        --exchange.retriesLeft;
    }
    exchange.isOwnAnswer = false;
    endAttempt();
    if (verdict == policy::RetryVerdict::Retry) {
        if (!exchange.needsFresh || failure != policy::AttemptFailure::Broken) {
            ++exchange.row->retries;
        }
        exchange.isHeadSent = false;
        exchange.hasSentAny = false;
        exchange.isAnswerHead = false;
        exchange.answerParser.reset();
        exchange.toUpstream.release();
        exchange.bodyAt = exchange.head.size;
        exchange.up.start(exchange.head.body, http::ChunkedDecoder::Mode::Keep);
        return true;
    }
    // A sidecar whose process is gone is as good as gone itself: a connection that breaks is what
    // the caller's sidecar may repeat elsewhere; a 502 would be an answer.
    if (exchange.hasAnswered || exchange.runtime->listeners[exchange.listener].isInbound) {
        abort(reason);
        return false;
    }
    const int status = failure == policy::AttemptFailure::Timeout ? 504 : 502;
    answerSelf(status, messageOf(status), reason);
    return false;
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
    UpstreamConnection* connection = exchange.connection;
    exchange.connection = nullptr;
    if (connection == nullptr) {
        return;
    }
    const bool isReusable = exchange.isAnswerHead && exchange.answer.keepsAlive
                            && exchange.down.isDone() && exchange.up.isDone() && exchange.isHeadSent
                            && exchange.toUpstream.isEmpty();
    if (isReusable) {
        exchange.pool->giveBack(*connection);
    } else {
        exchange.pool->close(*connection);
    }
}

void ClientConnection::report(policy::Observation::Kind kind, int status)
{
    const Exchange& exchange = *m_exchange;
    m_worker.observe(*exchange.upstream, exchange.target, kind, status);
}

} // namespace mesh::proxy
