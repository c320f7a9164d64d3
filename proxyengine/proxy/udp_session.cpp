#include "proxyengine/proxy/udp_session.h"

#include "proxyengine/proxy/stream_front.h"
#include "proxyengine/proxy/stream_target.h"
#include "proxyengine/proxy/udp_relay.h"
#include "proxyengine/proxy/worker.h"

#include <cerrno>
#include <utility>

namespace mesh::proxy {
namespace {

constexpr int kAnswerBatchesPerEventMax = 4; // Then others get their share.
constexpr std::size_t kWaitingMax = 16; // Datagrams; a client that hears nothing sends few.

} // namespace

UdpSession::UdpSession(
    Worker& worker, UdpRelay& relay, const StreamPeers& peers, const StreamPlan& plan
)
    : m_worker(worker)
    , m_relay(relay)
    , m_peers(peers)
    , m_timer(worker.loop().timers(), *this)
    , m_upstream(*plan.upstream)
    , m_row(worker.counters().holdRequests(plan.source, plan.service, plan.route, plan.protocol))
    , m_startedAt(worker.loop().now())
    , m_idleTimeout(plan.idleTimeout)
{
    ++m_upstream.holders;
    ++m_row.inflight;
}

UdpSession::~UdpSession() = default;

bool UdpSession::begin()
{
    policy::TriedHosts tried;
    policy::PickRequest request{m_startedAt, tried};
    if (m_upstream.isHashing) {
        const std::string client = m_peers.client.hostText();
        policy::HashInput input;
        input.clientIp = client;
        request.hash = policy::hashOf(m_upstream.hashRule, input, m_worker.random()).hash;
    }
    const auto picked =
        m_upstream.hosts.isUsable(m_upstream.plan.healthchecks.threshold)
            ? m_upstream.balancer.pick(request, m_upstream.hosts, m_worker.random()).host
            : std::nullopt;
    if (!picked) {
        settle(503, "no target is available");
        return false;
    }
    m_target = *picked;
    const config::TargetPlan& target = m_upstream.plan.targets[m_target];
    m_attemptRow = &m_worker.counters().holdAttempts(
        m_row.source, m_upstream.plan.name, target.address, target.workload
    );
    m_upstream.hosts.begin(m_target);
    ++m_attemptRow->active;
    m_timer.arm(m_startedAt + m_idleTimeout);
    if (const auto literal = literalOf(target.host, target.port)) {
        if (!connect(*literal)) {
            settle(502, "the target cannot be reached");
            return false;
        }
        return true;
    }
    const net::QueryId query = m_worker.resolver().resolve(
        target.host,
        target.port,
        [this](const Result<std::vector<net::SocketAddress>>& addresses) { onResolved(addresses); }
    );
    if (!m_socket.isOpen() && !m_isOver) {
        m_lookup = query;
    }
    return !m_isOver;
}

bool UdpSession::connect(const net::SocketAddress& address)
{
    auto socket = net::connectDatagrams(address);
    if (!socket || !m_worker.loop().watch(socket->get(), *this)) {
        return false;
    }
    m_socket = *std::move(socket);
    ++m_attemptRow->connections;
    return true;
}

void UdpSession::onResolved(const Result<std::vector<net::SocketAddress>>& addresses)
{
    const bool isInBegin = !m_lookup;
    m_lookup.reset();
    const bool isKnown = addresses && !addresses->empty();
    if (!isKnown || !connect((*addresses)[m_worker.random().below(addresses->size())])) {
        const auto* const reason =
            isKnown ? "the target cannot be reached" : "the name of the target has no address";
        if (isInBegin) {
            settle(503, reason);
        } else {
            end(503, reason);
        }
        return;
    }
    for (const std::string& bytes : std::exchange(m_waiting, {})) {
        if (!m_isOver) {
            send(bytes);
        }
    }
}

void UdpSession::forward(std::string_view bytes)
{
    m_bytesIn += bytes.size();
    m_row.bytesIn += bytes.size();
    m_timer.arm(m_worker.loop().now() + m_idleTimeout);
    if (m_socket.isOpen()) {
        send(bytes);
    } else if (m_waiting.size() < kWaitingMax) {
        m_waiting.emplace_back(bytes);
    } else {
        ++m_worker.counters().streams.datagramsLost;
    }
}

void UdpSession::send(std::string_view bytes)
{
    const net::IoStep step = net::writeSome(m_socket.get(), bytes);
    if (step.status == net::IoStatus::Done || bytes.empty()) {
        return;
    }
    if (step.status == net::IoStatus::Failed && step.native != EMSGSIZE) {
        onTargetFailed("nobody listens at the target");
        return;
    }
    ++m_worker.counters().streams.datagramsLost;
}

void UdpSession::onReady(net::Ready ready)
{
    if (!ready.canRead()) {
        return;
    }
    net::DatagramBatch& batch = m_worker.streams().batch();
    for (int round = 0; round < kAnswerBatchesPerEventMax; ++round) {
        const net::IoStep step = batch.receive(m_socket.get(), 0);
        if (step.status == net::IoStatus::WouldBlock) {
            return;
        }
        if (step.status != net::IoStatus::Done) {
            onTargetFailed("nobody listens at the target");
            return;
        }
        std::size_t bytes = 0;
        for (const net::Datagram& item : batch.items()) {
            bytes += item.bytes.size();
        }
        onAnswer(bytes);
        const std::size_t sent =
            batch.sendItems(m_relay.descriptor(), m_peers.client, m_peers.destination);
        telemetry::StreamCounts& counts = m_worker.counters().streams;
        counts.datagramsOut += sent;
        counts.datagramsLost += step.count - sent;
        if (step.count < kUdpDatagramsPerCall) {
            return;
        }
    }
    m_worker.loop().callAgain(*this, net::Ready(net::Ready::kRead));
}

void UdpSession::onAnswer(std::size_t bytes)
{
    m_bytesOut += bytes;
    m_row.bytesOut += bytes;
    const TimePoint now = m_worker.loop().now();
    m_timer.arm(now + m_idleTimeout);
    if (m_isAnswered) {
        return;
    }
    m_isAnswered = true;
    m_answeredAfter = now - m_startedAt;
    ++m_attemptRow->answers[telemetry::classOf(200)];
    m_attemptRow->latency.record(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(m_answeredAfter).count()
    ));
    m_worker.observe(m_upstream, m_target, policy::Observation::Kind::Status, 200);
    m_upstream.balancer.report(m_target, now, m_answeredAfter, policy::AttemptEnd::Succeeded);
}

// ICMP said so, to this socket: port or host unreachable.
void UdpSession::onTargetFailed(std::string_view reason) { end(502, reason); }

void UdpSession::onTimer(net::Timer&) { end(200, {}); }

void UdpSession::abort() { end(200, "the node stopped"); }

void UdpSession::end(int status, std::string_view failure)
{
    if (!m_isOver) {
        settle(status, failure);
        m_relay.close(*this);
    }
}

// Everything that is owed to counters and policies.
void UdpSession::settle(int status, std::string_view failure)
{
    m_isOver = true;
    m_timer.cancel();
    const TimePoint now = m_worker.loop().now();
    if (m_lookup) {
        m_worker.resolver().cancel(*m_lookup);
        m_lookup.reset();
    }
    if (m_attemptRow != nullptr) {
        if (status != 200) {
            ++m_attemptRow->connectFailures;
            ++m_attemptRow->answers[0];
            m_worker.observe(m_upstream, m_target, policy::Observation::Kind::ConnectFailure, 0);
            m_upstream.balancer.report(
                m_target, now, now - m_startedAt, policy::AttemptEnd::Failed
            );
        } else if (!m_isAnswered) { // One way only, as logs are sent: nothing is known of it.
            ++m_attemptRow->answers[telemetry::classOf(200)];
        }
        m_upstream.hosts.end(m_target);
        --m_attemptRow->active;
        m_attemptRow->connections -= m_socket.isOpen() ? 1U : 0U;
        telemetry::WorkerCounters::release(*m_attemptRow);
    }
    record(status, failure);
    --m_row.inflight;
    ++m_row.answers[telemetry::classOf(status)];
    m_row.latency.record(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(now - m_startedAt).count()
    ));
    telemetry::WorkerCounters::release(m_row);
    m_worker.releaseUpstream(m_upstream);
    m_worker.loop().forget(*this);
    m_socket.reset();
}

void UdpSession::record(int status, std::string_view failure)
{
    if (!m_worker.wantsRecord()) {
        return;
    }
    const std::string client = m_peers.client.hostText();
    const std::string listener = m_peers.destination.toText();
    telemetry::AccessRecord record;
    record.latencyTotal = m_worker.loop().now() - m_startedAt;
    record.time = m_worker.loop().wallNow()
                  - std::chrono::duration_cast<WallTime::duration>(record.latencyTotal);
    record.client = client;
    record.method = "UDP";
    record.target = listener;
    record.status = status;
    record.route = m_row.route;
    record.service = m_row.service;
    record.source = m_row.source;
    if (m_attemptRow != nullptr) {
        record.upstreamTarget = m_upstream.plan.targets[m_target].address;
        record.attempts = 1;
    }
    record.latencyUpstream = m_answeredAfter;
    record.bytesIn = m_bytesIn;
    record.bytesOut = m_bytesOut;
    record.failure = failure;
    m_worker.keepRecord(record, listener);
}

} // namespace mesh::proxy
