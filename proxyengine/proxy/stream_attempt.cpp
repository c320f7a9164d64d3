#include "proxyengine/proxy/proxy_protocol.h"
#include "proxyengine/proxy/stream_relay.h"
#include "proxyengine/proxy/worker.h"

#include <utility>

// How a relay comes to a connection: targets, tries, failures.
namespace mesh::proxy {

void StreamRelay::startAttempts()
{
    while (m_phase == Phase::Connecting && !tryOnce()) {
        if (m_retriesLeft-- <= 0) {
            giveUp(502, "the connection was refused");
            return;
        }
        ++m_row->retries;
    }
}

// Of all that can be hashed, a TCP connection has only its client's address.
std::optional<std::uint32_t> StreamRelay::pickTarget()
{
    if (!m_upstream->hosts.isUsable(m_upstream->plan.healthchecks.threshold)) {
        return std::nullopt;
    }
    policy::PickRequest request{m_worker.loop().now(), m_tried};
    if (m_upstream->isHashing) {
        policy::HashInput input;
        input.clientIp = m_client;
        request.hash = policy::hashOf(m_upstream->hashRule, input, m_worker.random()).hash;
    }
    return m_upstream->balancer.pick(request, m_upstream->hosts, m_worker.random()).host;
}

bool StreamRelay::tryOnce()
{
    const auto picked = pickTarget();
    if (!picked) {
        giveUp(503, "no target is available");
        return true;
    }
    m_target = *picked;
    const config::TargetPlan& target = m_upstream->plan.targets[m_target];
    m_attemptRow = &m_worker.counters().holdAttempts(
        m_row->source, m_upstream->plan.name, target.address, target.workload
    );
    m_upstream->hosts.begin(m_target);
    ++m_attemptRow->active;
    m_hasAttempt = true;
    ++m_attempts;
    m_attemptAt = m_worker.loop().now();
    if (const auto literal = literalOf(target.host, target.port)) {
        return connect(*literal);
    }
    const net::QueryId query = m_worker.resolver().resolve(
        target.host,
        target.port,
        [this](const Result<std::vector<net::SocketAddress>>& addresses) { onResolved(addresses); }
    );
    if (m_phase == Phase::Connecting && m_hasAttempt && m_connection == nullptr && !m_lookup) {
        m_lookup = query;
    }
    return true;
}

void StreamRelay::onResolved(const Result<std::vector<net::SocketAddress>>& addresses)
{
    m_lookup.reset();
    if (!addresses || addresses->empty()) {
        noteFailure(policy::Observation::Kind::ConnectFailure);
        giveUp(503, "the name of the target has no address");
        return;
    }
    if (!connect((*addresses)[m_worker.random().below(addresses->size())])) {
        retryOrGiveUp(502, "the connection was refused");
    }
}

bool StreamRelay::connect(const net::SocketAddress& address)
{
    auto made = StreamTarget::connect(m_worker.loop(), address, *m_attemptRow, *this);
    if (!made) {
        noteFailure(policy::Observation::Kind::ConnectFailure);
        return false;
    }
    m_connection = *std::move(made);
    m_connection->timer.arm(m_worker.loop().now() + m_connectTimeout);
    return true;
}

// The header goes out first of all, in front of TLS too. A new socket has room for it.
bool StreamRelay::tellClient()
{
    if (!m_proxyProtocol) {
        return true;
    }
    std::string header;
    appendProxyHeader(header, *m_proxyProtocol, m_peers.client, m_peers.destination);
    return net::writeSome(m_connection->transport.descriptor(), header).count == header.size();
}

void StreamRelay::onConnecting(net::Ready ready)
{
    Transport& transport = m_connection->transport;
    bool isGood = true;
    if (!transport.isHandshaking()) {
        if (!ready.canWrite()) {
            return;
        }
        isGood = net::connectOutcome(transport.descriptor()).has_value() && tellClient();
        if (isGood && m_tls != nullptr) {
            const std::string& host = m_upstream->plan.targets[m_target].host;
            auto stream = tls::TlsStream::client(*m_tls, transport.descriptor(), host);
            isGood = stream.has_value();
            if (isGood) {
                transport.setTls(*std::move(stream));
            }
        }
    }
    if (isGood) {
        const Transport::Handshake outcome = transport.handshake();
        if (outcome == Transport::Handshake::Waiting) {
            return;
        }
        isGood = outcome == Transport::Handshake::Done;
    }
    if (isGood) {
        onConnected();
        return;
    }
    noteFailure(policy::Observation::Kind::ConnectFailure);
    retryOrGiveUp(502, "the connection was refused");
}

void StreamRelay::retryOrGiveUp(int status, std::string_view reason)
{
    if (m_retriesLeft-- <= 0) {
        giveUp(status, reason);
        return;
    }
    ++m_row->retries;
    startAttempts();
}

void StreamRelay::onConnected()
{
    m_connection->mayWrite = true;
    m_connection->timer.cancel();
    m_phase = Phase::Relaying;
    m_status = 200;
    m_connectTook = m_worker.loop().now() - m_attemptAt;
    m_waited = m_attemptAt - m_startedAt;
    ++m_attemptRow->answers[telemetry::classOf(200)];
    m_attemptRow->latency.record(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(m_connectTook).count()
    ));
    m_worker.observe(*m_upstream, m_target, policy::Observation::Kind::Status, 200);
    m_upstream->balancer.report(
        m_target, m_worker.loop().now(), m_connectTook, policy::AttemptEnd::Succeeded
    );
    m_timer.arm(m_worker.loop().now() + m_idleTimeout);
    run();
}

void StreamRelay::noteFailure(policy::Observation::Kind kind)
{
    ++m_attemptRow->connectFailures;
    ++m_attemptRow->answers[0];
    m_worker.observe(*m_upstream, m_target, kind, 0);
    const TimePoint now = m_worker.loop().now();
    m_upstream->balancer.report(m_target, now, now - m_attemptAt, policy::AttemptEnd::Failed);
    m_tried.add(m_target);
    endAttempt();
}

void StreamRelay::endAttempt()
{
    if (m_lookup) {
        m_worker.resolver().cancel(*m_lookup);
        m_lookup.reset();
    }
    if (m_connection != nullptr) {
        StreamTarget::end(std::move(m_connection));
    }
    if (m_hasAttempt) {
        m_hasAttempt = false;
        m_upstream->hosts.end(m_target);
        --m_attemptRow->active;
        telemetry::WorkerCounters::release(*m_attemptRow);
    }
}

void StreamRelay::giveUp(int status, std::string_view reason)
{
    m_status = status;
    m_failure = reason;
    close(Ending::Reset);
}

void StreamRelay::onTargetReady(net::Ready ready)
{
    if (m_phase == Phase::Connecting) {
        onConnecting(ready);
    } else {
        run();
    }
}

void StreamRelay::onTargetTimeout()
{
    ++m_attemptRow->timeouts;
    noteFailure(policy::Observation::Kind::Timeout);
    retryOrGiveUp(504, "the connection took too long");
}

} // namespace mesh::proxy
