#pragma once

#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/resolver.h"
#include "proxyengine/proxy/policy_cells.h"
#include "proxyengine/proxy/transport.h"
#include "proxyengine/telemetry/counters.h"
#include "proxyengine/tls/context.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mesh::proxy {

class UpstreamPool;

// Who uses a connection at the moment. Called from the loop, never from inside its own calls.
class UpstreamUser
{
public:
    UpstreamUser() = default;
    UpstreamUser(const UpstreamUser&) = delete;
    UpstreamUser& operator=(const UpstreamUser&) = delete;
    virtual void onUpstreamReady(net::Ready ready) = 0;
    virtual void onUpstreamTimeout() = 0;

protected:
    ~UpstreamUser() = default;
};

// One connection to a target; owned by its pool, used by at most one stream at a time.
class UpstreamConnection final
    : private net::FdHandler
    , private net::TimerHandler
{
public:
    UpstreamConnection(UpstreamPool& pool, FileDescriptor socket, telemetry::AttemptRow& row);
    ~UpstreamConnection();

    Transport transport;
    net::Buffer in;
    net::Timer timer;
    bool isConnected = false;
    bool isReused = false; // Carried a request before this one.
    bool mayRead = false; // An edge said so and nobody has drained it since.
    bool mayWrite = false;
    std::uint64_t requests = 0;
    UsageLease lease; // Of the upstream that made it, when that has limits.
    UsageLease targetLease;

    void attach(UpstreamUser& user) { m_user = &user; }

    enum class Connecting : std::uint8_t { Done, Waiting, Failed };
    // What its user does with events until it is connected, handshake included.
    [[nodiscard]] Connecting goOnConnecting(net::Ready ready);
    // Why it Failed, for people; a literal.
    [[nodiscard]] std::string_view connectFailure() const;

private:
    friend class UpstreamPool;
    void onReady(net::Ready ready) override;
    void onTimer(net::Timer& timer) override;

    UpstreamPool& m_pool;
    UpstreamUser* m_user = nullptr; // Null while idle.
    telemetry::AttemptRow& m_row;
    std::size_t m_place = 0; // In the pool's list of all.
};

// Whom the connections of a pool lead to, with everything that decides their handshakes: two
// requests whose peers are equal may share a connection.
struct PoolPeer
{
    std::string host;
    std::uint16_t port = 0;
    // Null: plain. Contexts are equal when they are the same object; a new configuration keeps
    // those whose settings did not change.
    std::shared_ptr<const tls::ClientContext> tls;
    std::string serverName; // SNI, and what the certificate must name; empty when plain.
};

// All connections of one worker to one peer. What ALPN chose is known of each connection when its
// handshake is done: transport.tls()->protocol().
//
// Limits: kIdleConnectionsPerTargetMax kept, kRequestsPerConnectionMax, the idle timeout.
class UpstreamPool
{
public:
    UpstreamPool(net::EventLoop& loop, PoolPeer peer, Duration idleTimeout);

    // The connection that became idle last; null when there is none.
    [[nodiscard]] UpstreamConnection* takeIdle();
    [[nodiscard]] bool hasIdle() const { return !m_idle.empty(); }
    // Begins to connect. Errors: those of net::connectTo() and EventLoop::watch().
    [[nodiscard]] Result<UpstreamConnection*> connect(
        const net::SocketAddress& address, telemetry::AttemptRow& row
    );
    // The exchange is over and the connection can carry another.
    void giveBack(UpstreamConnection& connection);
    void close(UpstreamConnection& connection);
    void closeIdle();

    // No configuration of now asks for this kind of connection: none is kept from now on.
    void retire();
    [[nodiscard]] bool isRetired() const { return m_isRetired; }
    [[nodiscard]] bool isEmpty() const { return m_all.empty(); }

    [[nodiscard]] const std::string& host() const { return m_peer.host; }
    [[nodiscard]] std::uint16_t port() const { return m_peer.port; }
    [[nodiscard]] const tls::ClientContext* tls() const { return m_peer.tls.get(); }
    [[nodiscard]] const std::string& serverName() const { return m_peer.serverName; }
    // Present when the host is a literal address, so that no name is ever asked for.
    [[nodiscard]] const std::optional<net::SocketAddress>& literal() const { return m_literal; }
    [[nodiscard]] net::EventLoop& loop() { return m_loop; }

private:
    net::EventLoop& m_loop;
    PoolPeer m_peer;
    Duration m_idleTimeout;
    bool m_isRetired = false;
    std::optional<net::SocketAddress> m_literal;
    std::vector<std::unique_ptr<UpstreamConnection>> m_all;
    std::vector<UpstreamConnection*> m_idle;
};

} // namespace mesh::proxy
