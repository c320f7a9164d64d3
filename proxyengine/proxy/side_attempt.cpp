#include "proxyengine/proxy/side_attempt.h"

#include "proxyengine/base/assert.h"
#include "proxyengine/proxy/worker.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mesh::proxy {

SideAttempt::SideAttempt(
    Worker& worker,
    Destination to,
    UsageLease lease,
    http::Method method,
    std::string request,
    Answer answer,
    DecidedFunction onDecided
)
    : m_worker(worker)
    , m_to(std::move(to))
    , m_lease(std::move(lease))
    , m_method(method)
    , m_request(std::move(request))
    , m_answerUse(answer)
    , m_onDecided(std::move(onDecided))
    , m_pool(m_to.pool)
    , m_startedAt(worker.loop().now())
{}

SideAttempt::~SideAttempt() { end(); }

void SideAttempt::begin()
{
    if (!m_isCounted) {
        m_to.upstream->hosts.begin(m_to.target);
        ++m_to.row->active;
        m_isCounted = true;
    }
    if (UpstreamConnection* kept = m_pool->take(age())) {
        m_connection = kept;
        kept->attach(*this);
        if (kept->isConnected) {
            go();
        } else {
            waitAtMost(m_to.service->connectTimeout);
        }
        return;
    }
    if (m_pool->literal()) {
        connect(*m_pool->literal());
        return;
    }
    const net::QueryId query = m_worker.resolver().resolve(
        m_pool->host(),
        m_pool->port(),
        [this](const Result<std::vector<net::SocketAddress>>& addresses) { onResolved(addresses); }
    );
    if (m_state == State::Begun && m_connection == nullptr) {
        m_lookup = query;
    }
}

void SideAttempt::cancel()
{
    m_state = State::Failed;
    end();
}

void SideAttempt::onResolved(const Result<std::vector<net::SocketAddress>>& addresses)
{
    m_lookup.reset();
    if (!addresses || addresses->empty()) {
        fail(policy::AttemptFailure::Connect, "the name of the target has no address");
        return;
    }
    connect((*addresses)[m_worker.random().below(addresses->size())]);
}

void SideAttempt::connect(const net::SocketAddress& address)
{
    auto made = m_pool->connect(address, *m_to.row, age());
    if (!made) {
        fail(policy::AttemptFailure::Connect, "the connection was refused");
        return;
    }
    m_connection = *made;
    m_connection->attach(*this);
    if (!takeConnectionLeases(*m_connection)) {
        m_reason = "the limits allow no further connection";
        m_failure = policy::AttemptFailure::Connect;
        decide(State::Failed);
        return;
    }
    waitAtMost(m_to.service->connectTimeout);
}

bool SideAttempt::takeConnectionLeases(UpstreamConnection& connection) const
{
    if (m_to.usage == nullptr || !connection.needsLease()) {
        return true;
    }
    UsageLease lease;
    UsageLease targetLease;
    const bool isAdmitted =
        proxy::takeLease(m_to.usage, policy::LimitedResource::Connections, m_to.lane, lease)
            .isAdmitted
        && takeTargetLease(m_to.usage, m_to.target, targetLease).isAdmitted;
    connection.keep(std::move(lease), std::move(targetLease));
    return isAdmitted;
}

ConnectionAge SideAttempt::age() const
{
    return m_needsFresh ? ConnectionAge::Fresh : ConnectionAge::Any;
}

void SideAttempt::onUpstreamReady(net::Ready ready)
{
    if (m_state != State::Begun || m_connection == nullptr) {
        return;
    }
    if (!m_connection->isConnected) {
        const auto step = m_connection->goOnConnecting(ready);
        if (step == UpstreamConnection::Connecting::Waiting) {
            return;
        }
        if (step == UpstreamConnection::Connecting::Failed) {
            fail(policy::AttemptFailure::Connect, m_connection->connectFailure());
            return;
        }
    }
    go();
}

void SideAttempt::onUpstreamTimeout()
{
    ++m_to.row->timeouts;
    fail(policy::AttemptFailure::Timeout, "the upstream took too long");
}

void SideAttempt::go()
{
    if (!send()) {
        return;
    }
    receive();
}

void SideAttempt::waitAtMost(Duration time)
{
    const TimePoint end = m_worker.loop().now() + time;
    const bool isBound = m_answerUse == Answer::HandOver && !m_isHead;
    m_connection->timer.arm(isBound ? std::min(end, m_to.headBy) : end);
}

bool SideAttempt::send()
{
    while (m_sent < m_request.size()) {
        if (!m_connection->mayWrite) {
            waitAtMost(m_to.service->writeTimeout);
            return false;
        }
        const std::array<iovec, 1> parts = {
            net::partOf(std::string_view(m_request).substr(m_sent))};
        const Transport::Step step = m_connection->transport.write(parts);
        m_connection->mayWrite = step.mayHaveMore;
        if (step.status == net::IoStatus::WouldBlock) {
            continue;
        }
        if (step.status != net::IoStatus::Done) {
            fail(policy::AttemptFailure::Broken, "the upstream closed");
            return false;
        }
        if (m_sent == 0) {
            ++m_connection->requests;
        }
        m_sent += step.count;
        if (m_sent == m_request.size()) {
            waitAtMost(m_to.service->readTimeout);
        }
    }
    return true;
}

void SideAttempt::receive()
{
    while (m_state == State::Begun && m_connection != nullptr) {
        if (m_isHead) {
            discard();
            if (m_state != State::Begun) {
                return;
            }
        }
        if (!m_connection->mayRead) {
            m_connection->in.releaseIfEmpty();
            return;
        }
        m_connection->in.acquire(m_worker.loop().buffers());
        m_connection->in.compact();
        const Transport::Step step = m_connection->transport.read(m_connection->in.writable());
        m_connection->mayRead = step.mayHaveMore;
        if (step.status == net::IoStatus::WouldBlock) {
            continue;
        }
        if (step.status != net::IoStatus::Done) {
            if (m_isHead && step.status == net::IoStatus::Closed && m_down.endByClose()) {
                m_head.keepsAlive = false;
                decide(State::Answered);
                return;
            }
            fail(policy::AttemptFailure::Broken, "the upstream closed early");
            return;
        }
        m_connection->in.commit(step.count);
        waitAtMost(m_to.service->readTimeout);
        if (!m_isHead && readHead() && m_answerUse == Answer::HandOver) {
            decide(State::Answered);
            return;
        }
    }
}

bool SideAttempt::readHead()
{
    for (;;) {
        const http::ParseStatus status =
            m_parser.parse(m_connection->in.readable(), m_method, m_head);
        if (status == http::ParseStatus::NeedMore) {
            if (m_connection->in.writable().empty()) {
                fail(policy::AttemptFailure::Broken, "the answer's head is too large");
            }
            return false;
        }
        if (status == http::ParseStatus::Refused || m_head.status == 101) {
            fail(policy::AttemptFailure::Broken, "the answer is not proper HTTP");
            return false;
        }
        if (!m_head.isInterim()) {
            break;
        }
        m_connection->in.consume(m_head.size);
        m_parser.reset();
    }
    m_isHead = true;
    m_latency = m_worker.loop().now() - m_startedAt;
    ++m_to.row->answers[telemetry::classOf(m_head.status)];
    m_to.row->latency.record(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(m_latency).count()
    ));
    m_to.upstream->balancer.report(
        m_to.target,
        m_worker.loop().now(),
        m_latency,
        m_head.status < 500 ? policy::AttemptEnd::Succeeded : policy::AttemptEnd::Failed
    );
    if (m_answerUse == Answer::Discard || m_head.status >= 400) {
        // A success that is handed over is reported when its body has come whole.
        m_worker.observe(
            *m_to.upstream, m_to.target, policy::Observation::Kind::Status, m_head.status
        );
    }
    if (m_answerUse == Answer::Discard) {
        m_connection->in.consume(m_head.size);
        m_down.start(m_head.body, http::ChunkedDecoder::Mode::Keep);
    }
    return true;
}

// Reads the body past, so that the connection can serve again.
void SideAttempt::discard()
{
    for (;;) {
        if (m_down.isEndSeen()) {
            decide(State::Answered);
            return;
        }
        if (!m_down.take(m_connection->in.readable())) {
            fail(policy::AttemptFailure::Broken, "the answer's body is malformed");
            return;
        }
        for (const iovec& piece : m_down.pieces()) {
            m_down.written(piece.iov_len);
        }
        const std::size_t consumed = m_down.takeConsumed();
        m_connection->in.consume(consumed);
        if (consumed == 0) {
            return;
        }
    }
}

void SideAttempt::fail(policy::AttemptFailure failure, std::string_view reason)
{
    if (m_state != State::Begun) {
        return;
    }
    if (m_connection != nullptr) {
        failure = m_connection->failureOr(failure);
        if (failure != policy::AttemptFailure::Timeout) {
            reason = m_connection->failureTextOr(reason);
        }
    }
    const bool isTurnedAway = m_connection != nullptr && m_connection->isTurnedAway() && !m_isHead;
    const bool isStale = m_connection != nullptr && m_connection->isReused && !m_isHead
                         && !m_needsFresh && failure == policy::AttemptFailure::Broken
                         && m_connection->in.isEmpty();
    if (isStale || isTurnedAway) {
        if (!isTurnedAway) {
            m_pool->closeIdle();
            m_needsFresh = true;
        }
        m_pool->close(*m_connection);
        m_connection = nullptr;
        m_sent = 0;
        begin();
        return;
    }
    m_worker.tellTlsFailure(m_to.upstream->plan, m_to.target, reason);
    m_failure = failure;
    m_reason = reason;
    if (m_to.hasNameOfClient && tls::failureSaid(reason) == tls::Failure::NameMismatch) {
        decide(State::Failed); // Nobody asked the target to be able to prove that name.
        return;
    }
    if (m_connection == nullptr || !m_connection->isConnected) {
        ++m_to.row->connectFailures;
    }
    if (!m_isHead) {
        const TimePoint now = m_worker.loop().now();
        m_to.upstream->balancer.report(
            m_to.target, now, now - m_startedAt, policy::AttemptEnd::Failed
        );
        ++m_to.row->answers[0];
        m_worker.observe(
            *m_to.upstream,
            m_to.target,
            failure == policy::AttemptFailure::Timeout ? policy::Observation::Kind::Timeout
                                                       : policy::Observation::Kind::ConnectFailure,
            0
        );
    }
    decide(State::Failed);
}

UpstreamConnection& SideAttempt::takeOver()
{
    MESH_ASSERT(m_state == State::Answered && m_connection != nullptr && m_isCounted);
    m_isCounted = false;
    m_connection->timer.cancel();
    return *std::exchange(m_connection, nullptr);
}

void SideAttempt::end()
{
    if (m_lookup) {
        m_worker.resolver().cancel(*m_lookup);
        m_lookup.reset();
    }
    if (m_isCounted) {
        m_isCounted = false;
        m_to.upstream->hosts.end(m_to.target);
        --m_to.row->active;
    }
    m_lease.end();
    UpstreamConnection* connection = std::exchange(m_connection, nullptr);
    if (connection == nullptr) {
        return;
    }
    const bool isReusable = m_state == State::Answered && m_answerUse == Answer::Discard
                            && m_head.keepsAlive && m_sent == m_request.size();
    if (isReusable) {
        if (connection->holdsLease()) {
            m_worker.watchIdle();
        }
        m_pool->giveBack(*connection);
    } else {
        m_pool->close(*connection);
    }
    m_worker.onConnectionFreed();
}

void SideAttempt::decide(State state)
{
    m_state = state;
    if (state == State::Failed || m_answerUse == Answer::Discard) {
        end();
    }
    m_onDecided(*this);
}

} // namespace mesh::proxy
