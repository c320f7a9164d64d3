#include "proxyengine/proxy/h2_upstream_session.h"

#include "proxyengine/base/assert.h"
#include "proxyengine/proxy/h2_client_stream.h"
#include "proxyengine/proxy/h2_session_set.h"
#include "proxyengine/proxy/timeouts.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mesh::proxy {
namespace {

constexpr Duration kSilenceMin = std::chrono::seconds(1); // Less says nothing about the connection.
constexpr std::uint32_t kNoError = 0; // Of HTTP/2.

} // namespace

H2UpstreamSession::H2UpstreamSession(
    H2SessionSet& set,
    FileDescriptor socket,
    const net::SocketAddress& address,
    ConnectionCount count
)
    : m_set(set)
    , m_loop(set.pool().loop())
    , m_transport(std::move(socket))
    , m_address(address)
    , m_count(std::move(count))
    , m_idleTimer(m_loop.timers(), *this)
    , m_pingTimer(m_loop.timers(), *this)
{}

H2UpstreamSession::~H2UpstreamSession() { m_loop.forgetTurnEnd(*this); }

Result<void> H2UpstreamSession::begin() { return m_loop.watch(m_transport.descriptor(), *this); }

// --- What runs on it.

std::size_t H2UpstreamSession::load() const
{
    return m_waitingCount + (m_core == nullptr ? 0 : m_core->active());
}

bool H2UpstreamSession::isReused() const { return m_core != nullptr && m_core->hasAnswered(); }

std::size_t H2UpstreamSession::room(std::size_t usual) const
{
    if (m_state == State::Closed || (m_core != nullptr && m_core->isRetired())) {
        return 0;
    }
    if (m_core != nullptr && m_core->hasSettings()) {
        return m_waitingCount > 0 ? 0 : m_core->room();
    }
    return usual > load() ? usual - load() : 0;
}

void H2UpstreamSession::add(UpstreamConnection& connection)
{
    connection.m_session = this;
    if (m_state == State::Open && m_waitingCount == 0 && m_core->room() > 0) {
        start(connection);
        static_cast<void>(connection.goOnConnecting(net::Ready(net::Ready::kWrite)));
        return;
    }
    connection.m_turn = UpstreamConnection::Turn::Waits;
    connection.m_waitingPlace = m_waiting.size();
    m_waiting.push_back(&connection);
    ++m_waitingCount;
}

void H2UpstreamSession::start(UpstreamConnection& connection)
{
    connection.m_turn = UpstreamConnection::Turn::Begun;
    connection.isReused = m_core->hasAnswered();
    m_core->attach(*connection.m_stream);
    ++m_started;
    m_idleTimer.cancel();
}

void H2UpstreamSession::remove(UpstreamConnection& connection)
{
    if (connection.m_turn == UpstreamConnection::Turn::Waits) {
        MESH_ASSERT(m_waiting[connection.m_waitingPlace] == &connection);
        m_waiting[connection.m_waitingPlace] = nullptr;
        --m_waitingCount;
    }
    const bool isUnanswered = m_core != nullptr && connection.m_stream->isAttached()
                              && m_core->heardAt() <= connection.m_stream->begunAt()
                              && m_loop.now() - connection.m_stream->begunAt() >= kSilenceMin;
    connection.m_session = nullptr;
    connection.m_stream->close();
    if (isUnanswered && !m_core->hasEnded() && !m_core->isPingOpen()) {
        m_core->ping(); // A request was given up and nothing came: is anybody there?
        m_pingTimer.arm(m_loop.now() + kUpstreamPingTimeout);
    }
    onWantsWrite(); // settle() looks whether this was the last.
}

void H2UpstreamSession::retire()
{
    if (m_core != nullptr) {
        m_core->retire();
        onWantsWrite();
    }
}

// --- The socket.

void H2UpstreamSession::onReady(net::Ready ready)
{
    if (m_state == State::Closed) {
        return;
    }
    m_transport.noteReady(ready);
    m_mayRead = m_mayRead || ready.canRead();
    m_mayWrite = m_mayWrite || ready.canWrite();
    if (m_state != State::Open) {
        goOnConnecting(ready);
        if (m_state != State::Open) {
            return;
        }
    }
    readAll();
    if (m_mayWrite) {
        onWantsWrite();
    }
}

void H2UpstreamSession::goOnConnecting(net::Ready ready)
{
    UpstreamPool& pool = m_set.pool();
    if (m_state == State::Connecting) {
        if (!ready.canWrite()) {
            return;
        }
        if (!net::connectOutcome(m_transport.descriptor())) {
            failConnecting("the connection was refused");
            return;
        }
        m_state = State::Handshake;
        if (pool.tls() != nullptr) {
            auto stream = tls::TlsStream::client(
                *pool.tls(), m_transport.descriptor(), pool.serverName(), &pool.session()
            );
            if (!stream) {
                failConnecting("the handshake failed");
                return;
            }
            m_transport.setTls(std::move(*stream));
        }
    }
    switch (m_transport.handshake()) {
    case Transport::Handshake::Waiting:
        return;
    case Transport::Handshake::Failed:
        failConnecting(tls::sentenceOf(m_transport.tls()->failureKind()));
        return;
    case Transport::Handshake::Done:
        break;
    }
    m_mayWrite = true;
    m_mayRead = m_mayRead || m_transport.tls() != nullptr; // It may have come with the handshake.
    if (m_transport.tls() == nullptr || m_transport.tls()->protocol() == "h2") {
        open();
    } else if (m_set.version() == model::HttpVersion::Auto) {
        handOver();
    } else {
        failConnecting("the upstream does not speak HTTP/2");
    }
}

void H2UpstreamSession::open()
{
    auto core =
        H2ClientSession::make(m_loop, *this, m_transport.tls() == nullptr ? "http" : "https");
    if (!core) {
        failConnecting("no memory for the connection");
        return;
    }
    m_core = std::move(*core);
    m_core->setTls(m_transport.tls());
    m_state = State::Open;
    m_set.noteVersion(model::HttpVersion::Http2);
    onWantsWrite();
    admit();
}

// By ALPN the peer speaks HTTP/1.1: the connection becomes that of the request that waits longest.
void H2UpstreamSession::handOver()
{
    m_set.noteVersion(model::HttpVersion::Http1);
    const auto first =
        std::ranges::find_if(m_waiting, [](const auto* each) { return each != nullptr; });
    UpstreamConnection* heir = first == m_waiting.end() ? nullptr : *first;
    if (heir != nullptr) {
        *first = nullptr;
        --m_waitingCount;
        m_loop.unwatch(m_transport.descriptor(), *this);
        m_set.giveAway(*heir);
        heir->transport = std::move(m_transport);
        heir->m_count = std::move(m_count);
        heir->m_lease = std::move(lease);
        heir->m_targetLease = std::move(targetLease);
        heir->isConnected = true;
        if (!m_loop.watch(heir->transport.descriptor(), *heir)) {
            heir->transport.close(); // Its first write fails.
        }
    }
    turnAway();
    close();
    if (heir != nullptr && heir->m_user != nullptr) {
        heir->mayWrite = true;
        heir->m_user->onUpstreamReady(net::Ready(net::Ready::kWrite));
    }
}

// Those that wait look for another connection.
void H2UpstreamSession::turnAway()
{
    auto waiting = std::exchange(m_waiting, {});
    m_waitingCount = 0;
    for (UpstreamConnection* each : waiting) {
        if (each != nullptr) {
            each->m_turn = UpstreamConnection::Turn::TurnedAway;
            callLater(*each, net::Ready::kBroken);
        }
    }
}

void H2UpstreamSession::failWaiting(std::string_view reason)
{
    auto waiting = std::exchange(m_waiting, {});
    m_waitingCount = 0;
    for (UpstreamConnection* each : waiting) {
        if (each != nullptr) {
            each->m_turn = UpstreamConnection::Turn::Failed;
            each->m_connectFailure = reason;
            callLater(*each, net::Ready::kBroken);
        }
    }
}

void H2UpstreamSession::failConnecting(std::string_view reason)
{
    failWaiting(reason);
    close();
}

void H2UpstreamSession::callLater(UpstreamConnection& connection, std::uint32_t bits)
{
    connection.m_isCalledLater = true;
    m_loop.callAgain(connection, net::Ready(bits));
}

// Begins what waits, as far as there is room; what can never begin here is turned away.
void H2UpstreamSession::admit()
{
    std::size_t at = 0;
    while (at < m_waiting.size() && m_core->room() > 0) {
        UpstreamConnection* next = std::exchange(m_waiting[at++], nullptr);
        if (next != nullptr) {
            --m_waitingCount;
            start(*next);
            callLater(*next, net::Ready::kWrite);
        }
    }
    if (m_waitingCount == 0) {
        m_waiting.clear();
        return;
    }
    if (!m_core->hasSettings() && !m_core->isRetired()) {
        return;
    }
    if (m_core->hasSettings()) {
        m_set.notePeerMax(std::max<std::size_t>(m_core->peerMax(), 1));
    }
    if (m_started > 0) {
        turnAway();
    }
}

void H2UpstreamSession::readAll()
{
    net::Buffer buffer;
    for (int reads = 0; m_mayRead && !m_core->hasEnded(); ++reads) {
        if (reads == kStepsPerEventMax) {
            m_loop.callAgain(*this, net::Ready(0));
            break;
        }
        buffer.acquire(m_loop.buffers());
        const Transport::Step step = m_transport.read(buffer.writable());
        m_mayRead = step.mayHaveMore;
        if (step.status == net::IoStatus::WouldBlock) {
            break;
        }
        if (step.status != net::IoStatus::Done) {
            m_core->fail(H2End::Lost);
            break;
        }
        buffer.commit(step.count);
        m_core->receive(buffer.readable());
        buffer.consume(step.count);
    }
    buffer.release();
    m_core->wake();
    onWantsWrite();
}

void H2UpstreamSession::onWantsWrite()
{
    if (!m_isAtTurnEnd && m_state != State::Closed) {
        m_isAtTurnEnd = true;
        m_loop.callAtTurnEnd(*this);
    }
}

void H2UpstreamSession::makeRoom() { flush(); }

void H2UpstreamSession::flush()
{
    while (m_mayWrite && !m_core->ready().empty()) {
        const std::array<iovec, 1> parts = {net::partOf(m_core->ready())};
        const Transport::Step step = m_transport.write(parts);
        m_mayWrite = step.mayHaveMore;
        if (step.status == net::IoStatus::Done) {
            m_core->sent(step.count);
        } else if (step.status != net::IoStatus::WouldBlock) {
            m_hasFailed = true;
        }
    }
}

void H2UpstreamSession::onTurnEnd()
{
    m_isAtTurnEnd = false;
    settle();
}

// Sends what the turn brought, tells drivers, and looks what the session is still there for.
void H2UpstreamSession::settle()
{
    if (m_state != State::Open) {
        if (m_state != State::Closed && m_waitingCount == 0) {
            close(); // Nobody waits for it any more.
        }
        return;
    }
    while (m_mayWrite && !m_core->unsent().empty()) {
        flush();
    }
    if (m_hasFailed && !m_mayRead) {
        m_core->fail(H2End::Lost); // What it said before it went away has been read.
    }
    m_core->wake();
    if (m_core->hasEnded()) {
        endWaiting();
        close();
        return;
    }
    admit();
    if (load() > 0) {
        return;
    }
    if (m_core->isRetired() || m_set.pool().isRetired()) {
        sayGoodbye();
        close();
    } else if (!m_idleTimer.isArmed()) {
        m_idleTimer.arm(m_loop.now() + m_set.pool().idleTimeout());
    }
}

// Of a session that has ended: who was not begun may begin elsewhere.
void H2UpstreamSession::endWaiting()
{
    if (m_started > 0) {
        turnAway();
    } else {
        failWaiting(m_core->failure());
    }
}

void H2UpstreamSession::sayGoodbye()
{
    m_core->goAway(kNoError);
    if (!m_core->unsent().empty()) {
        flush();
    }
    m_transport.shutdownWrite();
}

void H2UpstreamSession::close()
{
    if (m_state == State::Closed) {
        return;
    }
    m_state = State::Closed;
    m_idleTimer.cancel();
    m_pingTimer.cancel();
    m_loop.forget(*this);
    m_loop.forgetTurnEnd(*this);
    m_transport.close();
    lease.end();
    targetLease.end();
    m_set.remove(*this);
}

void H2UpstreamSession::onTimer(net::Timer& timer)
{
    if (&timer == &m_idleTimer) {
        retire();
    } else if (m_core->isPingOpen()) {
        m_core->fail(H2End::Lost);
    }
    settle();
}

} // namespace mesh::proxy
