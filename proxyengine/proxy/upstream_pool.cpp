#include "proxyengine/proxy/upstream_pool.h"

#include "proxyengine/base/assert.h"
#include "proxyengine/proxy/h2_client_stream.h"
#include "proxyengine/proxy/h2_session_set.h"
#include "proxyengine/proxy/h2_upstream_session.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mesh::proxy {

UpstreamConnection::UpstreamConnection(
    UpstreamPool& pool, FileDescriptor socket, telemetry::AttemptRow& row
)
    : transport(std::move(socket))
    , timer(pool.loop().timers(), *this)
    , m_pool(pool)
    , m_count(row)
{}

UpstreamConnection::UpstreamConnection(UpstreamPool& pool, std::unique_ptr<H2ClientStream> stream)
    : timer(pool.loop().timers(), *this)
    , m_pool(pool)
    , m_stream(stream.get())
{
    stream->setHandler(this);
    transport = Transport(std::move(stream));
}

UpstreamConnection::~UpstreamConnection() = default;

void UpstreamConnection::onReady(net::Ready ready)
{
    transport.noteReady(ready);
    m_isCalledLater = false;
    if (m_stream != nullptr && ready.isBroken() && m_stream->end() != H2End::Lost
        && m_stream->end() != H2End::Unprocessed) {
        isReused = false; // A word about this request, not the end of an old connection.
    }
    mayRead = mayRead || ready.canRead();
    mayWrite = mayWrite || ready.canWrite();
    if (m_user != nullptr) {
        m_user->onUpstreamReady(ready);
    } else if (ready.canRead() && !isQuiet()) {
        m_pool.close(*this); // The server ended it, or speaks without being asked.
    }
}

// What its last user has read already may be told once more, and TLS has words of its own.
bool UpstreamConnection::isQuiet()
{
    std::array<char, 1> byte;
    const Transport::Step step = transport.read(byte);
    mayRead = step.mayHaveMore;
    return step.status == net::IoStatus::WouldBlock;
}

void UpstreamConnection::onTimer(net::Timer&)
{
    if (m_user != nullptr) {
        m_user->onUpstreamTimeout();
    } else {
        m_pool.close(*this);
    }
}

UpstreamConnection::Connecting UpstreamConnection::goOnConnecting(net::Ready ready)
{
    if (m_stream != nullptr) {
        switch (m_turn) {
        case Turn::Waits:
            return Connecting::Waiting;
        case Turn::TurnedAway:
        case Turn::Failed:
            return Connecting::Failed;
        case Turn::Begun:
            break;
        }
        isConnected = true;
        mayWrite = true;
        return Connecting::Done;
    }
    if (!transport.isHandshaking()) {
        if (!ready.canWrite()) {
            return Connecting::Waiting;
        }
        if (!net::connectOutcome(transport.descriptor())) {
            return Connecting::Failed;
        }
        if (m_pool.tls() != nullptr) {
            auto stream = tls::TlsStream::client(
                *m_pool.tls(), transport.descriptor(), m_pool.serverName(), &m_pool.session()
            );
            if (!stream) {
                return Connecting::Failed;
            }
            transport.setTls(std::move(*stream));
        }
    }
    switch (transport.handshake()) {
    case Transport::Handshake::Waiting:
        return Connecting::Waiting;
    case Transport::Handshake::Failed:
        return Connecting::Failed;
    case Transport::Handshake::Done:
        break;
    }
    isConnected = true;
    mayWrite = true;
    return Connecting::Done;
}

std::string_view UpstreamConnection::connectFailure() const
{
    if (m_stream != nullptr) {
        return m_connectFailure;
    }
    return transport.tls() == nullptr ? "the connection was refused"
                                      : tls::sentenceOf(transport.tls()->failureKind());
}

bool UpstreamConnection::needsLease() const
{
    if (m_stream == nullptr) {
        return !m_lease.isHeld();
    }
    return m_isMaker && m_session != nullptr && !m_session->lease.isHeld();
}

bool UpstreamConnection::holdsLease() const
{
    return m_stream == nullptr ? m_lease.isHeld()
                               : m_session != nullptr && m_session->lease.isHeld();
}

void UpstreamConnection::keep(UsageLease connection, UsageLease target)
{
    if (m_stream == nullptr) {
        m_lease = std::move(connection);
        m_targetLease = std::move(target);
    } else if (needsLease()) {
        m_session->lease = std::move(connection);
        m_session->targetLease = std::move(target);
    }
}

policy::AttemptFailure UpstreamConnection::failureOr(policy::AttemptFailure failure) const
{
    const bool isRefused =
        failure == policy::AttemptFailure::Broken && m_stream != nullptr
        && (m_stream->end() == H2End::Refused || m_stream->end() == H2End::Unprocessed);
    return isRefused ? policy::AttemptFailure::Refused : failure;
}

std::string_view UpstreamConnection::failureTextOr(std::string_view text) const
{
    const std::string_view known = m_stream == nullptr ? std::string_view() : m_stream->failure();
    return known.empty() ? text : known;
}

bool UpstreamConnection::isTurnedAway() const
{
    return m_turn == Turn::TurnedAway
           || (m_stream != nullptr && m_stream->end() == H2End::Unprocessed
               && (isReused || m_stream->isPassedOver()));
}

model::HttpVersion versionUnder(const tls::ClientContext* tls, model::HttpVersion plain)
{
    using model::HttpVersion;
    if (tls == nullptr) {
        return plain == HttpVersion::Http2 ? HttpVersion::Http2 : HttpVersion::Http1;
    }
    switch (tls->http2()) {
    case tls::Http2Offer::No:
        break;
    case tls::Http2Offer::Yes:
        return HttpVersion::Auto;
    case tls::Http2Offer::Only:
        return HttpVersion::Http2;
    }
    return HttpVersion::Http1;
}

UpstreamPool::UpstreamPool(net::EventLoop& loop, PoolPeer peer, Duration idleTimeout)
    : m_loop(loop)
    , m_peer(std::move(peer))
    , m_idleTimeout(idleTimeout)
{
    if (auto literal = net::SocketAddress::fromLiteral(m_peer.host, m_peer.port)) {
        m_literal = *literal;
    } else if (m_peer.host == "localhost") {
        m_literal = net::SocketAddress::loopback(m_peer.port);
    }
    if (m_peer.version != model::HttpVersion::Http1) {
        m_http2 = std::make_unique<H2SessionSet>(*this, m_peer.version);
    }
}

UpstreamPool::~UpstreamPool() = default;

void UpstreamPool::retire()
{
    m_isRetired = true;
    closeIdle();
    if (m_http2 != nullptr) {
        m_http2->retire();
    }
}

bool UpstreamPool::isEmpty() const
{
    return m_all.empty() && (m_http2 == nullptr || m_http2->isEmpty());
}

bool UpstreamPool::hasIdle() const
{
    return !m_idle.empty() || (m_http2 != nullptr && m_http2->hasIdle());
}

bool UpstreamPool::canTake(ConnectionAge age) const
{
    return (age == ConnectionAge::Any && !m_idle.empty())
           || (m_http2 != nullptr && m_http2->canTake(age));
}

UpstreamConnection* UpstreamPool::take(ConnectionAge age)
{
    if (m_idle.empty() || age == ConnectionAge::Fresh) {
        return m_http2 == nullptr ? nullptr : m_http2->take(age);
    }
    UpstreamConnection* connection = m_idle.back();
    m_idle.pop_back();
    connection->isReused = true;
    return connection;
}

Result<UpstreamConnection*> UpstreamPool::connect(
    const net::SocketAddress& address, telemetry::AttemptRow& row, ConnectionAge age
)
{
    if (m_http2 != nullptr) {
        return m_http2->connect(address, row, age);
    }
    MESH_TRY(FileDescriptor socket, net::connectTo(address));
    auto made = std::make_unique<UpstreamConnection>(*this, std::move(socket), row);
    MESH_TRY_VOID(m_loop.watch(made->transport.descriptor(), *made));
    UpstreamConnection* connection = made.get();
    adopt(std::move(made));
    return connection;
}

void UpstreamPool::adopt(std::unique_ptr<UpstreamConnection> connection)
{
    connection->m_place = m_all.size();
    m_all.push_back(std::move(connection));
}

void UpstreamPool::giveBack(UpstreamConnection& connection)
{
    if (connection.m_stream != nullptr) {
        m_http2->release(connection);
        return;
    }
    connection.m_user = nullptr;
    connection.in.releaseIfEmpty();
    if (m_isRetired || connection.in.hasBlock() || connection.requests >= kRequestsPerConnectionMax
        || m_idle.size() >= kIdleConnectionsPerTargetMax) {
        close(connection);
        return;
    }
    connection.timer.arm(m_loop.now() + m_idleTimeout);
    m_idle.push_back(&connection);
}

void UpstreamPool::close(UpstreamConnection& connection)
{
    if (connection.m_stream != nullptr) {
        m_http2->release(connection);
        return;
    }
    if (connection.m_user == nullptr) {
        std::erase(m_idle, &connection);
    }
    connection.m_user = nullptr;
    connection.m_lease.end(
    ); // Now, not when the object goes: the next attempt may be in this turn.
    connection.m_targetLease.end();
    connection.timer.cancel();
    m_loop.forget(connection);
    connection.transport.close();
    connection.in.release();
    const std::size_t place = connection.m_place;
    MESH_ASSERT(m_all[place].get() == &connection);
    auto doomed = std::move(m_all[place]);
    if (place + 1 != m_all.size()) {
        m_all[place] = std::move(m_all.back());
        m_all[place]->m_place = place;
    }
    m_all.pop_back();
    m_loop.destroyLater(std::move(doomed));
}

void UpstreamPool::closeIdle()
{
    while (!m_idle.empty()) {
        close(*m_idle.back());
    }
    if (m_http2 != nullptr) {
        m_http2->closeIdle();
    }
}

} // namespace mesh::proxy
