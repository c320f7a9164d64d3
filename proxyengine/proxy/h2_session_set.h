#pragma once

#include "proxyengine/http/h2_bridge.h"
#include "proxyengine/model/gateway.h"
#include "proxyengine/net/socket_address.h"
#include "proxyengine/proxy/upstream_pool.h"
#include "proxyengine/telemetry/counters.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace mesh::proxy {

class H2UpstreamSession;

// The HTTP/2 connections of a pool and what runs on them.
//
// A request joins the connection with the fewest streams among those with room; when none has, one
// that is being made; when too many wait for that, it needs another. A connection that turns out to
// speak HTTP/1.1 (by ALPN) becomes the first waiting request's own, and the others look again.
class H2SessionSet
{
public:
    H2SessionSet(UpstreamPool& pool, model::HttpVersion version);
    H2SessionSet(const H2SessionSet&) = delete;
    H2SessionSet& operator=(const H2SessionSet&) = delete;
    ~H2SessionSet();

    // A stream, begun or waiting; null when that takes another connection. `fresh`: none of a
    // connection that has answered something already.
    [[nodiscard]] UpstreamConnection* take(ConnectionAge age);
    [[nodiscard]] bool canTake(ConnectionAge age) const { return choose(age) != nullptr; }
    // A stream on a new connection, or on one that came about meanwhile.
    // Errors: those of net::connectTo() and EventLoop::watch().
    [[nodiscard]] Result<UpstreamConnection*> connect(
        const net::SocketAddress& address, telemetry::AttemptRow& row, ConnectionAge age
    );
    void release(UpstreamConnection& connection);

    [[nodiscard]] bool hasIdle() const;
    void closeIdle();
    void retire();
    [[nodiscard]] bool isEmpty() const { return m_sessions.empty(); }
    // For tests and counters.
    [[nodiscard]] std::size_t sessionCount() const { return m_sessions.size(); }

    // For sessions.
    [[nodiscard]] UpstreamPool& pool() { return m_pool; }
    [[nodiscard]] model::HttpVersion version() const { return m_version; }
    void remove(H2UpstreamSession& session);
    void notePeerMax(std::size_t streams) { m_usual = streams; }
    void noteVersion(model::HttpVersion version) { m_lastSpoken = version; }
    // A request's connection is one of HTTP/1.1 from now on.
    void giveAway(UpstreamConnection& connection);

private:
    [[nodiscard]] H2UpstreamSession* choose(ConnectionAge age) const;
    UpstreamConnection& add(H2UpstreamSession& session);

    UpstreamPool& m_pool;
    model::HttpVersion m_version; // Http2 or Auto.
    model::HttpVersion m_lastSpoken = model::HttpVersion::Http2;
    std::size_t m_usual; // Streams that a connection takes, as far as is known.
    http::H1HeadRoom m_room;
    std::vector<std::unique_ptr<H2UpstreamSession>> m_sessions;
    std::vector<std::unique_ptr<UpstreamConnection>> m_used;
    std::vector<std::unique_ptr<UpstreamConnection>> m_spare;
};

} // namespace mesh::proxy
