#include "proxyengine/proxy/h2_server_connection.h"

#include "proxyengine/base/log.h"
#include "proxyengine/proxy/timeouts.h"
#include "proxyengine/proxy/worker.h"

#include <array>
#include <utility>

namespace mesh::proxy {
namespace {

constexpr Duration kAnnounceTime = std::chrono::seconds(1); // For a ping to come back.

} // namespace

H2ServerConnection::H2ServerConnection(
    Worker& worker, std::shared_ptr<const Listener> listener, Transport transport, std::string peer
)
    : m_worker(worker)
    , m_listener(std::move(listener))
    , m_transport(std::move(transport))
    , m_timer(worker.loop().timers(), *this)
    , m_stallTimer(worker.loop().timers(), *this)
    , m_peer(std::move(peer))
{}

H2ServerConnection::~H2ServerConnection() = default;

Result<void> H2ServerConnection::begin(const Upgrade* upgrade, std::string_view bytes)
{
    MESH_TRY(m_session, H2ServerSession::make(*this, m_worker.loop().buffers()));
    if (upgrade != nullptr) {
        constexpr std::string_view kSwitch =
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
        m_session->frames().acquire(m_worker.loop().buffers());
        m_session->frames().append(kSwitch);
        if (!m_session->upgrade(upgrade->settings, upgrade->method, upgrade->head)) {
            return fail(ErrorCode::Protocol, "HTTP2-Settings is malformed");
        }
    }
    if (!bytes.empty()) {
        m_isRefused = !m_session->receive(bytes, m_worker.loop().now());
    }
    armTimer();
    askTurnEnd();
    MESH_TRY_VOID(m_worker.loop().watch(m_transport.descriptor(), *this));
    // TLS may hold bytes that no edge will announce.
    m_worker.loop().callAgain(*this, net::Ready(net::Ready::kRead));
    return {};
}

void H2ServerConnection::onReady(net::Ready ready)
{
    m_transport.noteReady(ready);
    m_mayRead = m_mayRead || ready.canRead();
    m_mayWrite = m_mayWrite || ready.canWrite();
    if (m_phase == Phase::Lingering) {
        drainLingering();
        return;
    }
    readAll();
    m_session->deliver();
    askTurnEnd();
}

void H2ServerConnection::readAll()
{
    for (int steps = 0; m_mayRead && !m_isLost && !m_isRefused; ++steps) {
        if (steps == kStepsPerEventMax) {
            m_worker.loop().callAgain(*this, net::Ready(net::Ready::kRead));
            return;
        }
        const Transport::Step step = m_transport.read(m_worker.scratch());
        m_mayRead = step.mayHaveMore;
        if (step.status == net::IoStatus::WouldBlock) {
            return;
        }
        if (step.status != net::IoStatus::Done) {
            m_isLost = true;
            return;
        }
        const std::string_view bytes(m_worker.scratch().data(), step.count);
        m_isRefused = !m_session->receive(bytes, m_worker.loop().now());
    }
}

void H2ServerConnection::askTurnEnd()
{
    if (!m_isTurnEndAsked && m_phase != Phase::Closed) {
        m_isTurnEndAsked = true;
        m_worker.loop().callAtTurnEnd(*this);
    }
}

void H2ServerConnection::onTurnEnd()
{
    m_isTurnEndAsked = false;
    if (m_phase == Phase::Closed || m_phase == Phase::Lingering) {
        return;
    }
    if (!m_isLost) {
        m_session->deliver();
        m_session->pump();
        static_cast<void>(send(m_session->frames()));
        m_session->frames().releaseIfEmpty();
    }
    if (m_isLost) {
        abort();
        return;
    }
    if (m_session->frames().isEmpty() && (m_session->isOver() || m_isRefused)) {
        linger();
        return;
    }
    armTimer();
}

bool H2ServerConnection::send(net::Buffer& frames)
{
    if (frames.isEmpty() || !m_mayWrite || m_isLost) {
        return false;
    }
    const std::array<iovec, 1> parts = {net::partOf(frames.readable())};
    const Transport::Step step = m_transport.write(parts);
    m_mayWrite = step.mayHaveMore;
    if (step.status == net::IoStatus::Done) {
        frames.consume(step.count);
        m_hasProgress = m_hasProgress || step.count > 0;
        return true;
    }
    if (step.status != net::IoStatus::WouldBlock) {
        m_isLost = true;
        askTurnEnd();
    }
    return false;
}

void H2ServerConnection::armTimer()
{
    const TimePoint now = m_worker.loop().now();
    const bool hasProgress = std::exchange(m_hasProgress, false);
    const Waiting before = std::exchange(m_waiting, Waiting::Nothing);
    if (!m_session->frames().isEmpty()) {
        m_waiting = Waiting::ToSend;
        if (before != m_waiting || hasProgress) {
            m_timer.arm(now + m_worker.timeouts().clientBody);
        }
    } else if (m_phase == Phase::Announced) {
        m_waiting = Waiting::Announced;
        if (before != m_waiting) {
            m_timer.arm(now + kAnnounceTime);
        }
    } else if (m_session->openStreams() == 0) {
        m_waiting = Waiting::ForStreams;
        if (before != m_waiting) {
            m_timer.arm(now + m_worker.timeouts().clientIdle);
        }
    } else {
        m_timer.cancel(); // The drivers have their own.
    }
    if (m_session->waitingAnswers() == 0) {
        m_stallTimer.cancel();
    } else if (!m_stallTimer.isArmed()) {
        m_stallTimer.arm(now + m_worker.timeouts().clientBody);
    }
}

void H2ServerConnection::onTimer(net::Timer& timer)
{
    if (&timer == &m_stallTimer) {
        m_session->endStalled();
        askTurnEnd();
        return;
    }
    switch (m_phase) {
    case Phase::Serving:
        if (m_session->frames().isEmpty() && m_session->openStreams() == 0) {
            leave(); // Idle for long.
            return;
        }
        abort();
        return;
    case Phase::Announced:
        if (m_session->frames().isEmpty()) {
            leave();
            return;
        }
        abort();
        return;
    case Phase::Leaving:
    case Phase::Lingering:
        abort();
        return;
    case Phase::Closed:
        return;
    }
}

void H2ServerConnection::drain()
{
    if (m_phase != Phase::Serving) {
        return;
    }
    m_phase = Phase::Announced;
    m_timer.cancel();
    m_waiting = Waiting::Nothing;
    m_session->announceShutdown();
    askTurnEnd();
}

// The streams begun are served to their ends, later ones are not.
void H2ServerConnection::leave()
{
    if (m_phase == Phase::Serving || m_phase == Phase::Announced) {
        m_phase = Phase::Leaving;
        m_waiting = Waiting::Nothing; // What it waits for now has its own time.
        m_session->goAway();
        askTurnEnd();
    }
}

void H2ServerConnection::onPingAcknowledged()
{
    if (m_phase == Phase::Announced) {
        leave();
    }
}

void H2ServerConnection::linger()
{
    m_session->letGoAll();
    m_phase = Phase::Lingering;
    m_stallTimer.cancel();
    m_transport.shutdownWrite();
    m_timer.arm(m_worker.loop().now() + kLingerTime);
    m_mayRead = true;
    drainLingering();
}

void H2ServerConnection::drainLingering()
{
    for (int steps = 0; steps < kStepsPerEventMax; ++steps) {
        const Transport::Step step = m_transport.read(m_worker.scratch());
        if (step.status == net::IoStatus::WouldBlock) {
            return;
        }
        if (step.status != net::IoStatus::Done) {
            abort();
            return;
        }
    }
    m_worker.loop().callAgain(*this, net::Ready(net::Ready::kRead));
}

void H2ServerConnection::abort()
{
    if (m_phase == Phase::Closed) {
        return;
    }
    m_phase = Phase::Closed;
    m_timer.cancel();
    m_stallTimer.cancel();
    m_session->letGoAll();
    // Not only by closing it: while a program is being started, its process holds a copy of the
    // socket, and the kernel would go on telling a handler that is no more.
    m_worker.loop().unwatch(m_transport.descriptor(), *this);
    m_worker.loop().forgetTurnEnd(*this);
    m_transport.close();
    m_worker.close(*this);
}

void H2ServerConnection::openDriver(std::unique_ptr<ByteStream> stream)
{
    m_worker.openStreamDriver(m_listener, std::move(stream), m_peer);
}

void H2ServerConnection::onLimit(http::H2Limit limit) { m_worker.onHttp2Limit(limit, m_peer); }

void H2ServerConnection::onProtocolError(std::string_view reason)
{
    ++m_worker.counters().protocolErrors;
    MESH_LOG(Debug, "http2.refused", kv("client", m_peer), kv("reason", reason));
}

} // namespace mesh::proxy
