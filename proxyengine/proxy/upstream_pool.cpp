#include "proxyengine/proxy/upstream_pool.h"

#include "proxyengine/base/assert.h"

#include <algorithm>
#include <utility>

namespace mesh::proxy {

UpstreamConnection::UpstreamConnection(
    UpstreamPool& pool, FileDescriptor socket, telemetry::AttemptRow& row
)
    : transport(std::move(socket))
    , timer(pool.loop().timers(), *this)
    , m_pool(pool)
    , m_row(row)
{
    ++m_row.holders;
    ++m_row.connections;
}

UpstreamConnection::~UpstreamConnection()
{
    --m_row.connections;
    telemetry::WorkerCounters::release(m_row);
}

void UpstreamConnection::onReady(net::Ready ready)
{
    transport.noteReady(ready);
    mayRead = mayRead || ready.canRead();
    mayWrite = mayWrite || ready.canWrite();
    if (m_user != nullptr) {
        m_user->onUpstreamReady(ready);
    } else if (ready.canRead()) {
        m_pool.close(*this); // The server ended it, or speaks without being asked.
    }
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
    if (!transport.isHandshaking()) {
        if (!ready.canWrite()) {
            return Connecting::Waiting;
        }
        if (!net::connectOutcome(transport.descriptor())) {
            return Connecting::Failed;
        }
        if (m_pool.tls() != nullptr) {
            auto stream =
                tls::TlsStream::client(*m_pool.tls(), transport.descriptor(), m_pool.serverName());
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
    return transport.tls() == nullptr ? "the connection was refused"
                                      : tls::sentenceOf(transport.tls()->failureKind());
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
}

void UpstreamPool::retire()
{
    m_isRetired = true;
    closeIdle();
}

UpstreamConnection* UpstreamPool::takeIdle()
{
    if (m_idle.empty()) {
        return nullptr;
    }
    UpstreamConnection* connection = m_idle.back();
    m_idle.pop_back();
    connection->isReused = true;
    return connection;
}

Result<UpstreamConnection*> UpstreamPool::connect(
    const net::SocketAddress& address, telemetry::AttemptRow& row
)
{
    MESH_TRY(FileDescriptor socket, net::connectTo(address));
    auto made = std::make_unique<UpstreamConnection>(*this, std::move(socket), row);
    MESH_TRY_VOID(m_loop.watch(made->transport.descriptor(), *made));
    made->m_place = m_all.size();
    m_all.push_back(std::move(made));
    return m_all.back().get();
}

void UpstreamPool::giveBack(UpstreamConnection& connection)
{
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
    if (connection.m_user == nullptr) {
        std::erase(m_idle, &connection);
    }
    connection.m_user = nullptr;
    connection.lease.end(); // Now, not when the object goes: the next attempt may be in this turn.
    connection.targetLease.end();
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
}

} // namespace mesh::proxy
