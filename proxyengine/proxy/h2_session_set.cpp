#include "proxyengine/proxy/h2_session_set.h"

#include "proxyengine/base/assert.h"
#include "proxyengine/proxy/h2_client_stream.h"
#include "proxyengine/proxy/h2_upstream_session.h"

#include <algorithm>
#include <utility>

namespace mesh::proxy {
namespace {

constexpr std::size_t kSpareMax = kUpstreamStreamsMax; // Streams kept for later requests.

} // namespace

H2SessionSet::H2SessionSet(UpstreamPool& pool, model::HttpVersion version)
    : m_pool(pool)
    , m_version(version)
    , m_usual(kUpstreamStreamsMax)
{}

H2SessionSet::~H2SessionSet()
{
    for (const auto& spare : m_spare) {
        m_pool.loop().forget(*spare); // Of the request before.
    }
    m_used.clear(); // Streams leave their sessions.
    while (!m_sessions.empty()) {
        m_sessions.back()->close();
    }
}

H2UpstreamSession* H2SessionSet::choose(ConnectionAge age) const
{
    H2UpstreamSession* best = nullptr;
    // What speaks HTTP/1.1 as a rule gives each request its own connection.
    const std::size_t usual = m_lastSpoken == model::HttpVersion::Http1 ? 1 : m_usual;
    for (const auto& session : m_sessions) {
        const bool isOld = age == ConnectionAge::Fresh && session->isReused();
        if (isOld || session->room(usual) == 0) {
            continue;
        }
        const bool isBetter =
            best == nullptr || (session->isOpen() && !best->isOpen())
            || (session->isOpen() == best->isOpen() && session->load() < best->load());
        best = isBetter ? session.get() : best;
    }
    return best;
}

UpstreamConnection& H2SessionSet::add(H2UpstreamSession& session)
{
    std::unique_ptr<UpstreamConnection> connection;
    if (m_spare.empty()) {
        connection =
            std::make_unique<UpstreamConnection>(m_pool, std::make_unique<H2ClientStream>(m_room));
    } else {
        connection = std::move(m_spare.back());
        m_spare.pop_back();
    }
    connection->m_place = m_used.size();
    m_used.push_back(std::move(connection));
    UpstreamConnection& added = *m_used.back();
    session.add(added);
    return added;
}

UpstreamConnection* H2SessionSet::take(ConnectionAge age)
{
    H2UpstreamSession* session = choose(age);
    return session == nullptr ? nullptr : &add(*session);
}

Result<UpstreamConnection*> H2SessionSet::connect(
    const net::SocketAddress& address, telemetry::AttemptRow& row, ConnectionAge age
)
{
    // While its name was looked up, another request may have connected.
    if (UpstreamConnection* taken = take(age)) {
        return taken;
    }
    MESH_TRY(FileDescriptor socket, net::connectTo(address));
    auto made = std::make_unique<H2UpstreamSession>(
        *this, std::move(socket), address, ConnectionCount(row)
    );
    MESH_TRY_VOID(made->begin());
    H2UpstreamSession& session = *made;
    session.place = m_sessions.size();
    m_sessions.push_back(std::move(made));
    UpstreamConnection& connection = add(session);
    connection.m_isMaker = true;
    return &connection;
}

void H2SessionSet::release(UpstreamConnection& connection)
{
    connection.m_user = nullptr;
    connection.timer.cancel();
    connection.in.release();
    if (connection.m_session != nullptr) {
        connection.m_session->remove(connection);
    }
    MESH_ASSERT(m_used[connection.m_place].get() == &connection);
    if (std::exchange(connection.m_isCalledLater, false)) {
        m_pool.loop().forget(connection);
    }
    connection.m_stream->close();
    connection.isConnected = connection.isReused = false;
    connection.mayRead = connection.mayWrite = false;
    connection.requests = 0;
    connection.m_session = nullptr;
    connection.m_connectFailure = {};
    connection.m_turn = UpstreamConnection::Turn::Waits;
    connection.m_isMaker = false;
    const std::size_t place = connection.m_place;
    auto spare = std::move(m_used[place]);
    if (place + 1 != m_used.size()) {
        m_used[place] = std::move(m_used.back());
        m_used[place]->m_place = place;
    }
    m_used.pop_back();
    if (m_spare.size() < kSpareMax) {
        m_spare.push_back(std::move(spare));
    } else {
        m_pool.loop().forget(*spare); // Its news may wait although it has just heard others.
        m_pool.loop().destroyLater(std::move(spare));
    }
}

void H2SessionSet::giveAway(UpstreamConnection& connection)
{
    const std::size_t place = connection.m_place;
    MESH_ASSERT(m_used[place].get() == &connection);
    auto given = std::move(m_used[place]);
    if (place + 1 != m_used.size()) {
        m_used[place] = std::move(m_used.back());
        m_used[place]->m_place = place;
    }
    m_used.pop_back();
    given->m_stream = nullptr;
    given->m_session = nullptr;
    m_pool.adopt(std::move(given));
}

bool H2SessionSet::hasIdle() const
{
    return std::ranges::any_of(m_sessions, [](const auto& each) { return each->isIdle(); });
}

void H2SessionSet::closeIdle()
{
    for (std::size_t at = m_sessions.size(); at > 0; --at) {
        if (m_sessions[at - 1]->isIdle()) {
            m_sessions[at - 1]->retire();
        }
    }
}

void H2SessionSet::retire()
{
    for (std::size_t at = m_sessions.size(); at > 0; --at) {
        m_sessions[at - 1]->retire();
    }
}

void H2SessionSet::remove(H2UpstreamSession& session)
{
    for (const auto& connection : m_used) {
        if (connection->m_session == &session) {
            connection->m_session = nullptr; // It still reads what has come.
        }
    }
    MESH_ASSERT(m_sessions[session.place].get() == &session);
    const std::size_t place = session.place;
    auto doomed = std::move(m_sessions[place]);
    if (place + 1 != m_sessions.size()) {
        m_sessions[place] = std::move(m_sessions.back());
        m_sessions[place]->place = place;
    }
    m_sessions.pop_back();
    m_pool.loop().destroyLater(std::move(doomed));
}

} // namespace mesh::proxy
