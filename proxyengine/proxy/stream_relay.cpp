#include "proxyengine/proxy/stream_relay.h"

#include "proxyengine/proxy/worker.h"

#include <array>
#include <utility>

namespace mesh::proxy {
namespace {

constexpr int kStepsPerEventMax = 16; // 1 MiB each way; then others get their share.

} // namespace

StreamRelay::StreamRelay(Worker& worker, FileDescriptor socket, const RelayPlan& plan)
    : m_worker(worker)
    , m_transport(std::move(socket))
    , m_timer(worker.loop().timers(), *this)
    , m_upstream(*plan.upstream)
    , m_row(worker.counters().holdRequests(plan.source, plan.service, plan.route))
    , m_tls(plan.tls)
    , m_startedAt(worker.loop().now())
    , m_connectTimeout(plan.connectTimeout)
    , m_idleTimeout(plan.idleTimeout)
    , m_source(plan.source)
    , m_client(net::peerAddress(m_transport.descriptor()).hostText())
    , m_listener(net::localAddress(m_transport.descriptor()).toText())
    , m_retriesLeft(plan.retries)
{
    ++m_upstream.holders;
    ++m_row.inflight;
}

StreamRelay::~StreamRelay()
{
    if (m_phase != Phase::Closed) { // begin() failed: nobody heard of it.
        --m_row.inflight;
        telemetry::WorkerCounters::release(m_row);
        m_worker.releaseUpstream(m_upstream);
    }
}

Result<void> StreamRelay::begin(const tls::ServerContext* tls)
{
    if (tls != nullptr) {
        MESH_TRY(auto stream, tls::TlsStream::server(*tls, m_transport.descriptor()));
        m_transport.setTls(std::move(stream));
        m_phase = Phase::Handshake;
        m_timer.arm(m_worker.loop().now() + m_worker.timeouts().clientHead);
    }
    return m_worker.loop().watch(m_transport.descriptor(), *this);
}

void StreamRelay::onReady(net::Ready ready)
{
    m_transport.noteReady(ready);
    m_mayRead = m_mayRead || ready.canRead();
    m_mayWrite = m_mayWrite || ready.canWrite();
    if (m_phase == Phase::Handshake) {
        const Transport::Handshake outcome = m_transport.handshake();
        if (outcome == Transport::Handshake::Failed) {
            m_failure = "the TLS handshake with the client failed";
            close(Ending::Reset);
        }
        if (outcome != Transport::Handshake::Done) {
            return;
        }
        m_timer.cancel();
        m_phase = Phase::Connecting;
    }
    if (m_phase == Phase::Connecting && ready.isBroken()) {
        m_failure = "the client went away";
        close(Ending::Reset);
        return;
    }
    if (m_phase == Phase::Connecting && m_isFirstTry) {
        m_isFirstTry = false;
        startAttempts();
        return;
    }
    run();
}

void StreamRelay::onTimer(net::Timer&)
{
    m_failure = m_phase == Phase::Handshake ? "the TLS handshake with the client took too long"
                                            : "neither side said anything for too long";
    close(Ending::Reset);
}

void StreamRelay::startAttempts()
{
    while (m_phase == Phase::Connecting && !tryOnce()) {
        if (m_retriesLeft-- <= 0) {
            giveUp(502, "the connection was refused");
            return;
        }
        ++m_row.retries;
    }
}

// Of all that can be hashed, a TCP connection has only its client's address.
std::optional<std::uint32_t> StreamRelay::pickTarget()
{
    if (!m_upstream.hosts.isUsable(m_upstream.plan.healthchecks.threshold)) {
        return std::nullopt;
    }
    policy::PickRequest request{m_worker.loop().now(), m_tried};
    if (m_upstream.isHashing) {
        policy::HashInput input;
        input.clientIp = m_client;
        request.hash = policy::hashOf(m_upstream.hashRule, input, m_worker.random()).hash;
    }
    return m_upstream.balancer.pick(request, m_upstream.hosts, m_worker.random()).host;
}

bool StreamRelay::tryOnce()
{
    const auto picked = pickTarget();
    if (!picked) {
        giveUp(503, "no target is available");
        return true;
    }
    m_target = *picked;
    m_pool = &m_worker.poolFor(
        m_upstream, *picked, m_tls, m_upstream.plan.targets[*picked].host
    );
    const config::TargetPlan& target = m_upstream.plan.targets[m_target];
    m_attemptRow = &m_worker.counters().holdAttempts(
        m_source, m_upstream.plan.name, target.address, target.workload
    );
    m_upstream.hosts.begin(m_target);
    ++m_attemptRow->active;
    m_hasAttempt = true;
    ++m_attempts;
    m_attemptAt = m_worker.loop().now();
    if (m_pool->literal()) {
        return connect(*m_pool->literal());
    }
    const net::QueryId query = m_worker.resolver().resolve(
        m_pool->host(),
        m_pool->port(),
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
    auto made = m_pool->connect(address, *m_attemptRow);
    if (!made) {
        noteFailure(policy::Observation::Kind::ConnectFailure);
        return false;
    }
    m_connection = *made;
    m_connection->attach(*this);
    m_connection->timer.arm(m_worker.loop().now() + m_connectTimeout);
    return true;
}

void StreamRelay::onConnecting(net::Ready ready)
{
    Transport& transport = m_connection->transport;
    bool isGood = true;
    if (!transport.isHandshaking()) {
        if (!ready.canWrite()) {
            return;
        }
        isGood = net::connectOutcome(transport.descriptor()).has_value();
        if (isGood && m_tls != nullptr) {
            const std::string& host = m_upstream.plan.targets[m_target].host;
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
    ++m_row.retries;
    startAttempts();
}

void StreamRelay::onConnected()
{
    m_connection->isConnected = true;
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
    m_worker.observe(m_upstream, m_target, policy::Observation::Kind::Status, 200);
    m_upstream.balancer.report(
        m_target, m_worker.loop().now(), m_connectTook, policy::AttemptEnd::Succeeded
    );
    m_timer.arm(m_worker.loop().now() + m_idleTimeout);
    run();
}

void StreamRelay::noteFailure(policy::Observation::Kind kind)
{
    ++m_attemptRow->connectFailures;
    ++m_attemptRow->answers[0];
    m_worker.observe(m_upstream, m_target, kind, 0);
    const TimePoint now = m_worker.loop().now();
    m_upstream.balancer.report(m_target, now, now - m_attemptAt, policy::AttemptEnd::Failed);
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
        m_pool->close(*std::exchange(m_connection, nullptr));
    }
    if (m_hasAttempt) {
        m_hasAttempt = false;
        m_upstream.hosts.end(m_target);
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

void StreamRelay::onUpstreamReady(net::Ready ready)
{
    if (m_phase == Phase::Connecting && m_connection != nullptr) {
        onConnecting(ready);
    } else {
        run();
    }
}

void StreamRelay::onUpstreamTimeout()
{
    ++m_attemptRow->timeouts;
    noteFailure(policy::Observation::Kind::Timeout);
    retryOrGiveUp(504, "the connection took too long");
}

void StreamRelay::run()
{
    if (m_phase != Phase::Relaying) {
        return;
    }
    const Side client{m_transport, m_mayRead, m_mayWrite};
    const Side target{m_connection->transport, m_connection->mayRead, m_connection->mayWrite};
    bool hasMoved = true;
    for (int steps = 0; hasMoved && steps < kStepsPerEventMax; ++steps) {
        hasMoved = pump(m_up, client, target, m_row.bytesIn);
        if (m_phase != Phase::Relaying) {
            return;
        }
        hasMoved = pump(m_down, target, client, m_row.bytesOut) || hasMoved;
        if (m_phase != Phase::Relaying) {
            return;
        }
    }
    if (m_up.isEndPassed && m_down.isEndPassed) {
        close(Ending::Clean);
        return;
    }
    m_timer.arm(m_worker.loop().now() + m_idleTimeout);
    if (hasMoved) {
        m_worker.loop().callAgain(*this, net::Ready(0));
    }
}

// True when something moved, so that trying again may bring more.
bool StreamRelay::pump(Flow& flow, Side from, Side to, std::uint64_t& counted)
{
    if (!flow.rest.isEmpty()) {
        return passRest(flow, to);
    }
    if (flow.hasEnded || !from.mayRead || !to.mayWrite) {
        return false;
    }
    const std::span<char> room = m_worker.scratch();
    const Transport::Step step = from.transport.read(room);
    from.mayRead = step.mayHaveMore;
    if (step.status == net::IoStatus::WouldBlock) {
        return false;
    }
    if (step.status == net::IoStatus::Closed) {
        flow.hasEnded = true;
        flow.isEndPassed = true;
        to.transport.shutdownWrite();
        return false;
    }
    if (step.status == net::IoStatus::Failed) {
        m_failure = "one side reset the connection";
        close(Ending::Reset);
        return false;
    }
    counted += step.count;
    flow.bytes += step.count;
    const std::string_view bytes(room.data(), step.count);
    const std::array<iovec, 1> parts = {net::partOf(bytes)};
    const Transport::Step sent = to.transport.write(parts);
    to.mayWrite = sent.mayHaveMore;
    if (sent.status == net::IoStatus::Failed || sent.status == net::IoStatus::Closed) {
        m_failure = "one side reset the connection";
        close(Ending::Reset);
        return false;
    }
    if (sent.count < bytes.size()) {
        flow.rest.acquire(m_worker.loop().buffers());
        flow.rest.append(bytes.substr(sent.count));
    }
    return true;
}

bool StreamRelay::passRest(Flow& flow, Side to)
{
    if (!to.mayWrite) {
        return false;
    }
    const std::array<iovec, 1> parts = {net::partOf(flow.rest.readable())};
    const Transport::Step sent = to.transport.write(parts);
    to.mayWrite = sent.mayHaveMore;
    if (sent.status == net::IoStatus::Failed || sent.status == net::IoStatus::Closed) {
        m_failure = "one side reset the connection";
        close(Ending::Reset);
        return false;
    }
    flow.rest.consume(sent.count);
    flow.rest.releaseIfEmpty();
    return sent.count > 0;
}

void StreamRelay::abort()
{
    m_failure = "the node stopped";
    close(Ending::Reset);
}

void StreamRelay::record()
{
    if (!m_worker.wantsRecord()) {
        return;
    }
    telemetry::AccessRecord record;
    record.latencyTotal = m_worker.loop().now() - m_startedAt;
    record.time = m_worker.loop().wallNow()
                  - std::chrono::duration_cast<WallTime::duration>(record.latencyTotal);
    record.client = m_client;
    record.method = "TCP";
    record.target = m_listener;
    record.status = m_status;
    record.route = m_row.route;
    record.service = m_row.service;
    record.source = m_row.source;
    if (m_attempts > 0) {
        record.upstreamTarget = m_upstream.plan.targets[m_target].address;
    }
    record.attempts = m_attempts;
    record.latencyUpstream = m_connectTook;
    record.latencyProxy = m_waited; // The rest of the total is the two sides' own time.
    record.bytesIn = m_up.bytes;
    record.bytesOut = m_down.bytes;
    record.failure = m_failure;
    m_worker.keepRecord(record, m_listener);
}

void StreamRelay::close(Ending ending)
{
    if (m_phase == Phase::Closed) {
        return;
    }
    m_phase = Phase::Closed;
    if (ending == Ending::Reset) {
        net::setResetOnClose(m_transport.descriptor());
        if (m_connection != nullptr) {
            net::setResetOnClose(m_connection->transport.descriptor());
        }
    }
    endAttempt();
    record();
    --m_row.inflight;
    ++m_row.answers[telemetry::classOf(m_status)];
    m_row.latency.record(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(m_worker.loop().now() - m_startedAt)
            .count()
    ));
    telemetry::WorkerCounters::release(m_row);
    m_worker.releaseUpstream(m_upstream);
    m_timer.cancel();
    m_up.rest.release();
    m_down.rest.release();
    m_worker.loop().forget(*this);
    m_transport.close();
    m_worker.close(*this);
}

} // namespace mesh::proxy
