#include "proxyengine/proxy/stream_relay.h"

#include "proxyengine/base/limits.h"
#include "proxyengine/base/log.h"
#include "proxyengine/proxy/stream_front.h"
#include "proxyengine/proxy/worker.h"

#include <utility>

// Its life from accept to the log line; attempts and bytes have files of their own.
namespace mesh::proxy {
namespace {

using policy::StreamKind;

} // namespace

StreamRelay::StreamRelay(
    Worker& worker, FileDescriptor socket, const Listener& listener, const StreamPeers& peers
)
    : m_worker(worker)
    , m_transport(std::move(socket))
    , m_timer(worker.loop().timers(), *this)
    , m_peers(peers)
    , m_client(peers.client.hostText())
    , m_startedAt(worker.loop().now())
{
    const bool mayPass =
        !listener.isTls
        && worker.streams().wantsServerName(streamView(StreamKind::TlsPassing, m_peers));
    m_phase = listener.isTls ? Phase::Handshake : mayPass ? Phase::Peeking : Phase::Connecting;
}

StreamRelay::~StreamRelay() = default;

Result<void> StreamRelay::begin(const tls::ServerContext* tls)
{
    if (tls != nullptr) {
        tls::ServerHandshake handshake;
        handshake.tickets = m_worker.tickets();
        handshake.alpn = tls::AlpnUse::Ignored; // Whatever the target speaks.
        MESH_TRY(auto stream, tls::TlsStream::server(*tls, m_transport.descriptor(), handshake));
        m_transport.setTls(std::move(stream));
    }
    if (m_phase == Phase::Handshake) {
        m_timer.arm(m_worker.loop().now() + m_worker.timeouts().clientHead);
    } else if (m_phase == Phase::Peeking) {
        m_timer.arm(m_worker.loop().now() + m_worker.timeouts().streamPreface);
    }
    return m_worker.loop().watch(m_transport.descriptor(), *this);
}

void StreamRelay::onReady(net::Ready ready)
{
    m_transport.noteReady(ready);
    m_mayRead = m_mayRead || ready.canRead();
    m_mayWrite = m_mayWrite || ready.canWrite();
    if (m_phase == Phase::Relaying) {
        run();
        return;
    }
    if (ready.isBroken()) {
        m_failure = "the client went away";
        close(Ending::Reset);
        return;
    }
    if (m_phase == Phase::Handshake) {
        shakeHands();
    } else if (m_phase == Phase::Peeking) {
        peek();
    } else if (!std::exchange(m_hasBegun, true)) {
        route(StreamKind::Plain, {});
    }
}

void StreamRelay::onTimer(net::Timer&)
{
    if (m_phase == Phase::Peeking) {
        // A server that speaks first is waited for by a client that says nothing.
        route(StreamKind::Plain, {});
        return;
    }
    m_failure = m_phase == Phase::Handshake ? "the TLS handshake with the client took too long"
                                            : "neither side said anything for too long";
    close(Ending::Reset);
}

void StreamRelay::shakeHands()
{
    switch (m_transport.handshake()) {
    case Transport::Handshake::Waiting:
        return;
    case Transport::Handshake::Failed:
        m_failure = "the TLS handshake with the client failed";
        close(Ending::Reset);
        return;
    case Transport::Handshake::Done:
        break;
    }
    route(StreamKind::TlsEnded, m_transport.tls()->serverName());
}

// Reads what there is into the buffer that the relay will pass on first.
void StreamRelay::peek()
{
    using Status = tls::ClientHelloReader::Status;
    m_up.rest.acquire(m_worker.loop().buffers());
    while (m_mayRead) {
        const Transport::Step step = m_transport.read(m_up.rest.writable());
        m_mayRead = step.mayHaveMore;
        if (step.status == net::IoStatus::Done) {
            m_up.rest.commit(step.count);
        }
        const Status status = m_hello.read(m_up.rest.readable());
        switch (status) {
        case Status::Done:
            route(StreamKind::TlsPassing, m_hello.serverName());
            return;
        case Status::NotTls:
            route(StreamKind::Plain, {});
            return;
        case Status::Malformed:
        case Status::TooLarge:
            ++m_worker.counters().streams.hellosRefused;
            m_failure = status == Status::TooLarge ? "the ClientHello is too large"
                                                   : "the ClientHello is malformed";
            if (m_worker.streams().mayLog(StreamRefusal::ClientHello)) {
                MESH_LOG(
                    Warn,
                    "client_hello.refused",
                    kv("peer", m_peers.client.toText()),
                    kv("reason", m_failure)
                );
            }
            close(Ending::Reset);
            return;
        case Status::NeedMore:
            break;
        }
        if (step.status == net::IoStatus::Closed || step.status == net::IoStatus::Failed) {
            m_failure = "the client ended before its ClientHello";
            close(Ending::Clean);
            return;
        }
    }
    m_up.rest.releaseIfEmpty();
}

void StreamRelay::route(StreamKind kind, std::string_view serverName)
{
    m_timer.cancel();
    m_phase = Phase::Connecting;
    m_hasBegun = true;
    m_serverName = serverName;
    policy::StreamView view = streamView(kind, m_peers);
    view.serverName = m_serverName;
    std::optional<StreamPlan> plan = m_worker.streams().planFor(view);
    if (!plan) {
        ++m_worker.counters().streams.unrouted;
        m_failure = "no stream route takes this connection";
        close(Ending::Reset);
        return;
    }
    m_upstream = plan->upstream;
    ++m_upstream->holders;
    m_row =
        &m_worker.counters().holdRequests(plan->source, plan->service, plan->route, plan->protocol);
    ++m_row->inflight;
    m_up.bytes = m_up.rest.size();
    m_row->bytesIn += m_up.bytes;
    m_tls = std::move(plan->tls);
    m_proxyProtocol = plan->proxyProtocol;
    m_connectTimeout = plan->connectTimeout;
    m_idleTimeout = plan->idleTimeout;
    m_retriesLeft = plan->retries;
    startAttempts();
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
    const std::string listener = m_peers.destination.toText();
    telemetry::AccessRecord record;
    record.latencyTotal = m_worker.loop().now() - m_startedAt;
    record.time = m_worker.loop().wallNow()
                  - std::chrono::duration_cast<WallTime::duration>(record.latencyTotal);
    record.client = m_client;
    record.method = m_serverName.empty() && m_transport.tls() == nullptr ? "TCP" : "TLS";
    record.host = m_serverName;
    record.target = listener;
    record.status = m_status;
    if (m_row != nullptr) {
        record.route = m_row->route;
        record.service = m_row->service;
        record.source = m_row->source;
    }
    if (m_attempts > 0) {
        record.upstreamTarget = m_upstream->plan.targets[m_target].address;
    }
    record.attempts = m_attempts;
    record.latencyUpstream = m_connectTook;
    record.latencyProxy = m_waited; // The rest of the total is the two sides' own time.
    record.bytesIn = m_up.bytes;
    record.bytesOut = m_down.bytes;
    record.failure = m_failure;
    m_worker.keepRecord(record, listener);
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
    if (m_row != nullptr) {
        --m_row->inflight;
        ++m_row->answers[telemetry::classOf(m_status)];
        m_row->latency.record(
            static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                           m_worker.loop().now() - m_startedAt
            )
                                           .count())
        );
        telemetry::WorkerCounters::release(*m_row);
    }
    if (m_upstream != nullptr) {
        m_worker.releaseUpstream(*m_upstream);
    }
    m_timer.cancel();
    for (Flow* flow : {&m_up, &m_down}) {
        flow->rest.release();
        releasePipe(*flow);
    }
    m_worker.loop().forget(*this);
    m_transport.close();
    m_worker.streams().close(*this);
}

} // namespace mesh::proxy
