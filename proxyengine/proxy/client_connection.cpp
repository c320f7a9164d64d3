#include "proxyengine/proxy/client_connection.h"

#include "proxyengine/net/sockets.h"
#include "proxyengine/proxy/error_page.h"
#include "proxyengine/proxy/timeouts.h"
#include "proxyengine/proxy/worker.h"

#include <utility>

namespace mesh::proxy {
ClientConnection::ClientConnection(
    Worker& worker,
    std::shared_ptr<const Listener> listener,
    FileDescriptor socket,
    std::string peer
)
    : m_worker(worker)
    , m_listener(std::move(listener))
    , m_transport(std::move(socket))
    , m_timer(worker.loop().timers(), *this)
    , m_peer(std::move(peer))
{}

ClientConnection::ClientConnection(
    Worker& worker,
    std::shared_ptr<const Listener> listener,
    std::unique_ptr<ByteStream> stream,
    std::string peer
)
    : m_worker(worker)
    , m_listener(std::move(listener))
    , m_transport(std::move(stream))
    , m_timer(worker.loop().timers(), *this)
    , m_peer(std::move(peer))
{
    m_transport.stream()->setHandler(this);
}

ClientConnection::~ClientConnection() = default;

Result<void> ClientConnection::begin(const tls::ServerContext* tls)
{
    if (tls != nullptr) {
        tls::ServerHandshake handshake;
        handshake.http2 = m_listener->isHttp2 ? tls::Http2Offer::Yes : tls::Http2Offer::No;
        handshake.tickets = m_worker.tickets();
        MESH_TRY(auto stream, tls::TlsStream::server(*tls, m_transport.descriptor(), handshake));
        m_transport.setTls(std::move(stream));
        m_phase = Phase::Handshake;
    }
    m_timer.arm(m_worker.loop().now() + m_worker.timeouts().clientIdle);
    return m_worker.loop().watch(m_transport.descriptor(), *this);
}

Result<void> ClientConnection::beginMesh()
{
    m_phase = Phase::Handshake;
    return begin(nullptr);
}

void ClientConnection::onReady(net::Ready ready)
{
    m_transport.noteReady(ready);
    m_mayRead = m_mayRead || ready.canRead();
    m_mayWrite = m_mayWrite || ready.canWrite();
    if (m_phase == Phase::Lingering) {
        drainLingering();
        return;
    }
    if (m_phase == Phase::Exchange && (ready.isBroken() || ready.hasPeerEnded())
        && m_exchange->tunnel == nullptr) {
        abort("the client went away");
        return;
    }
    if (m_phase == Phase::Handshake && m_transport.tls() == nullptr && !decideMesh()) {
        return;
    }
    if (m_phase == Phase::Handshake) {
        switch (m_transport.handshake()) {
        case Transport::Handshake::Waiting:
            return;
        case Transport::Handshake::Failed:
            onHandshakeFailed();
            return;
        case Transport::Handshake::Done:
            m_phase = Phase::Idle;
            if (m_transport.tls()->protocol() == "h2") {
                becomeHttp2(std::nullopt);
                return;
            }
            break;
        }
    }
    run();
}

void ClientConnection::onTimer(net::Timer&)
{
    switch (m_phase) {
    case Phase::Head:
        refuse(408, messageOf(408), "the request head took too long");
        run();
        return;
    case Phase::Exchange:
        if (m_exchange->tunnel != nullptr) {
            onTunnelIdle();
            return;
        }
        abort("the client took too long");
        return;
    case Phase::Handshake:
    case Phase::Idle:
    case Phase::Lingering:
        abort("the client took too long");
        return;
    case Phase::Closed:
        return;
    }
}

void ClientConnection::run()
{
    m_isRunning = true;
    Progress progress = Progress::Moved;
    for (int steps = 0; progress == Progress::Moved && steps < kStepsPerEventMax; ++steps) {
        switch (m_phase) {
        case Phase::Idle:
        case Phase::Head:
            progress = readHead();
            break;
        case Phase::Exchange:
            progress = step();
            break;
        case Phase::Handshake:
        case Phase::Lingering:
        case Phase::Closed:
            progress = Progress::Stuck;
            break;
        }
    }
    m_isRunning = false;
    if (m_phase == Phase::Exchange) {
        armTimers();
    }
    if (progress == Progress::Moved && m_phase != Phase::Closed) {
        m_worker.loop().callAgain(*this, net::Ready(0));
    }
}

ClientConnection::Progress ClientConnection::readHead()
{
    if (m_in.isEmpty()) {
        if (!m_mayRead) {
            goIdle();
            return Progress::Stuck;
        }
        m_in.acquire(m_worker.loop().buffers());
    }
    if (m_exchange == nullptr) {
        m_exchange = m_worker.takeExchange();
        m_in.compact();
    } else if (!m_mayRead) {
        return Progress::Stuck;
    }
    Exchange& exchange = *m_exchange;
    if (m_phase == Phase::Head || m_in.isEmpty()) {
        const Transport::Step step = m_transport.read(m_in.writable());
        m_mayRead = step.mayHaveMore;
        if (step.status == net::IoStatus::WouldBlock) {
            if (m_in.isEmpty()) {
                goIdle();
            }
            return Progress::Stuck;
        }
        if (step.status != net::IoStatus::Done) {
            abort("the client closed");
            return Progress::Stuck;
        }
        m_in.commit(step.count);
    }
    switch (exchange.requestParser.parse(m_in.readable(), exchange.head)) {
    case http::ParseStatus::Done:
        if (exchange.head.asksForUpgrade) {
            if (const auto settings = upgradeSettings()) {
                becomeHttp2(settings);
                return Progress::Moved;
            }
        }
        m_phase = Phase::Exchange;
        startExchange();
        return Progress::Moved;
    case http::ParseStatus::Refused: {
        if (beginsHttp2()) {
            becomeHttp2(std::nullopt);
            return Progress::Moved;
        }
        const http::Refusal& refusal = exchange.requestParser.refusal();
        refuse(refusal.status, messageOf(refusal.status), refusal.reason);
        return Progress::Moved;
    }
    case http::ParseStatus::NeedMore:
        break;
    }
    if (m_in.writable().empty()) {
        refuse(400, "Request header or cookie too large", "the request head is too large");
        return Progress::Moved;
    }
    if (m_phase == Phase::Idle) {
        m_phase = Phase::Head;
        m_timer.arm(m_worker.loop().now() + m_worker.timeouts().clientHead);
    }
    return Progress::Moved;
}

void ClientConnection::refuse(int status, std::string_view message, std::string_view failure)
{
    ++m_worker.counters().protocolErrors;
    m_phase = Phase::Exchange;
    Exchange& exchange = *m_exchange;
    exchange.startedAt = m_worker.loop().now();
    exchange.runtime = &m_worker.runtime();
    ++exchange.runtime->streams;
    exchange.listener = m_listener->index;
    exchange.closesClient = true;
    exchange.head.body = {};
    exchange.head.method = http::Method::Get;
    exchange.head.minorVersion = 1;
    exchange.bodyAt = m_in.size();
    answerSelf(status, message, failure);
}

bool ClientConnection::isUnasked() const
{
    return m_phase == Phase::Idle && !net::hasUnread(m_transport.descriptor());
}

void ClientConnection::goIdle()
{
    if (m_exchange != nullptr) {
        m_worker.giveBack(m_exchange);
        m_exchange = nullptr;
    }
    m_in.release();
    m_phase = Phase::Idle;
    if (m_worker.isDraining() || !m_worker.isOpen(*m_listener)) {
        abort({});
        return;
    }
    m_timer.arm(m_worker.loop().now() + m_worker.timeouts().clientIdle);
}

// The answer in the counters of requests.
void ClientConnection::recordRequest(Duration took)
{
    telemetry::RequestRow& row = *m_exchange->row;
    ++row.answers[telemetry::classOf(resultStatus())];
    row.latency.record(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(took).count()
    ));
}

// What has passed since the last time.
void ClientConnection::recordBytes()
{
    Exchange& exchange = *m_exchange;
    exchange.row->bytesIn +=
        exchange.bytesIn - std::exchange(exchange.bytesInTold, exchange.bytesIn);
    exchange.row->bytesOut +=
        exchange.bytesOut - std::exchange(exchange.bytesOutTold, exchange.bytesOut);
}

void ClientConnection::recordEnd()
{
    Exchange& exchange = *m_exchange;
    if (exchange.row != nullptr) {
        const Duration took = m_worker.loop().now() - exchange.startedAt;
        if (exchange.isGrpc) {
            recordGrpc(took);
        }
        if (exchange.tunnel == nullptr) {
            recordRequest(took);
        }
        recordBytes();
        countProtection();
        --exchange.row->inflight;
        const std::string_view text = exchange.head.minorVersion == 0 ? "HTTP/1.0" : "HTTP/1.1";
        m_worker.onStreamEnd(exchange, m_peer, isOverStream() ? "HTTP/2" : text);
    }
    settlePolicy();
    if (exchange.runtime != nullptr) {
        m_worker.releaseRuntime(*exchange.runtime);
    }
}

void ClientConnection::finish()
{
    Exchange& exchange = *m_exchange;
    reportAnswer();
    endAttempt();
    if (exchange.policy != nullptr) {
        consumeBody(exchange.up.takeConsumed());
        sendMirror();
    }
    const bool isRequestRead =
        exchange.isOwnAnswer ? exchange.up.isEndSeen() : exchange.up.isDone();
    const bool closes = exchange.closesClient || !isRequestRead;
    keepNextRequest();
    recordEnd();
    m_worker.giveBack(m_exchange);
    m_exchange = nullptr;
    if (closes) {
        linger();
        return;
    }
    m_timer.cancel();
    m_phase = Phase::Idle;
}

void ClientConnection::linger()
{
    m_in.release();
    m_phase = Phase::Lingering;
    m_transport.shutdownWrite();
    m_timer.arm(m_worker.loop().now() + kLingerTime);
    drainLingering();
}

void ClientConnection::drainLingering()
{
    for (int steps = 0; steps < kStepsPerEventMax; ++steps) {
        const Transport::Step step = m_transport.read(m_worker.scratch());
        if (step.status == net::IoStatus::WouldBlock) {
            return;
        }
        if (step.status != net::IoStatus::Done) {
            abort({});
            return;
        }
    }
    m_worker.loop().callAgain(*this, net::Ready(net::Ready::kRead));
}

void ClientConnection::abort(std::string_view failure)
{
    if (m_phase == Phase::Closed) {
        return;
    }
    if (m_exchange != nullptr) {
        if (m_exchange->failure.empty()) {
            m_exchange->failure = failure;
        }
        if (m_phase == Phase::Exchange) {
            reportAnswer();
            endAttempt();
            recordEnd();
        }
        m_worker.giveBack(m_exchange);
        m_exchange = nullptr;
    }
    if (m_phase == Phase::Idle && m_transport.tls() != nullptr) {
        m_transport.shutdownWrite(); // Between two answers the end is a proper one.
    }
    m_phase = Phase::Closed;
    m_timer.cancel();
    m_in.release();
    m_worker.loop().forget(*this);
    m_transport.close();
    m_worker.close(*this);
}

} // namespace mesh::proxy
