#include "simulator/mesh/connection_pool.h"

#include "proxyengine/base/limits.h"

#include <algorithm>

namespace mesh::simulator {

ConnectionPool::Session* ConnectionPool::find(Lease lease)
{
    if (lease.serial == 0 || lease.session >= m_sessions.size()) {
        return nullptr;
    }
    Session& session = m_sessions[lease.session];
    return session.serial == lease.serial ? &session : nullptr;
}

bool ConnectionPool::hasRoom(const Session& session) const
{
    return session.streams < m_streamsMax && session.requests < kRequestsPerConnectionMax
           && !session.isFailed;
}

void ConnectionPool::close(std::uint32_t at)
{
    std::erase(m_room, at);
    m_sessions[at] = Session();
    m_closed.push_back(at);
    --m_open;
}

bool ConnectionPool::canTake(TimePoint now)
{
    while (!m_room.empty()) {
        const Session& best = m_sessions[m_room.back()];
        if (best.streams > 0 || now - best.idleSince < kUpstreamIdleTimeout) {
            return true;
        }
        close(m_room.back());
    }
    return false;
}

ConnectionPool::Taken ConnectionPool::take(TimePoint now)
{
    const bool isNew = !canTake(now);
    if (isNew) {
        if (m_closed.empty()) {
            m_closed.push_back(static_cast<std::uint32_t>(m_sessions.size()));
            m_sessions.emplace_back();
        }
        const std::uint32_t at = m_closed.back();
        m_closed.pop_back();
        m_sessions[at].serial = ++m_serial;
        m_sessions[at].readyAt = now;
        m_room.push_back(at);
        ++m_open;
    }
    const std::uint32_t at = m_room.back();
    Session& session = m_sessions[at];
    ++session.streams;
    ++session.requests;
    if (!hasRoom(session)) {
        m_room.pop_back();
    }
    return {{at, session.serial}, session.readyAt, isNew};
}

void ConnectionPool::setReady(Lease lease, TimePoint at)
{
    if (Session* session = find(lease)) {
        session->readyAt = at;
    }
}

void ConnectionPool::setFailed(Lease lease, TimePoint at)
{
    if (Session* session = find(lease)) {
        session->readyAt = at;
        session->isFailed = true;
        std::erase(m_room, lease.session);
    }
}

ConnectionPool::Made ConnectionPool::made(Lease lease)
{
    const Session* session = find(lease);
    if (session != nullptr && !session->isFailed) {
        return Made::Yes;
    }
    if (session != nullptr) {
        close(lease.session);
    }
    return Made::Failed;
}

void ConnectionPool::giveBack(Lease lease, TimePoint now, After after)
{
    Session* session = find(lease);
    if (session == nullptr) {
        return;
    }
    const bool hadRoom = hasRoom(*session);
    --session->streams;
    const bool isOver = session->streams == 0
                        && (session->requests >= kRequestsPerConnectionMax || session->isFailed);
    const bool isStuck = session->readyAt == TimePoint::max();
    if (after == After::Close || isOver || isStuck
        || (after == After::Leave && m_streamsMax == 1)) {
        close(lease.session);
        return;
    }
    session->idleSince = now;
    if (!hadRoom && hasRoom(*session)) {
        if (session->streams == 0 && m_room.size() >= kIdleConnectionsPerTargetMax) {
            close(lease.session);
        } else {
            m_room.push_back(lease.session);
        }
    }
}

void ConnectionPool::closeIdle()
{
    for (std::uint32_t at = 0; at < m_sessions.size(); ++at) {
        if (m_sessions[at].serial != 0 && m_sessions[at].streams == 0) {
            close(at);
        }
    }
}

void ConnectionPool::closeAll()
{
    for (std::uint32_t at = 0; at < m_sessions.size(); ++at) {
        if (m_sessions[at].serial != 0) {
            close(at);
        }
    }
}

} // namespace mesh::simulator
