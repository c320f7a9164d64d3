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
    // What its user does with events until it is connected, handshake included. `tls`: null for a
    // plain one; `host`: whom the certificate must name.
    [[nodiscard]] Connecting goOnConnecting(
        net::Ready ready, const tls::ClientContext* tls, const std::string& host
    );

private:
    friend class UpstreamPool;
    void onReady(net::Ready ready) override;
    void onTimer(net::Timer& timer) override;

    UpstreamPool& m_pool;
    UpstreamUser* m_user = nullptr; // Null while idle.
    telemetry::AttemptRow& m_row;
    std::size_t m_place = 0; // In the pool's list of all.
};

// All connections of one worker to one address under one kind of protection.
//
// Limits: kIdleConnectionsPerTargetMax kept, kRequestsPerConnectionMax, the idle timeout.
class UpstreamPool
{
public:
    UpstreamPool(net::EventLoop& loop, std::string host, std::uint16_t port, Duration idleTimeout);

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

    [[nodiscard]] const std::string& host() const { return m_host; }
    [[nodiscard]] std::uint16_t port() const { return m_port; }
    // Present when the host is a literal address, so that no name is ever asked for.
    [[nodiscard]] const std::optional<net::SocketAddress>& literal() const { return m_literal; }
    [[nodiscard]] net::EventLoop& loop() { return m_loop; }

private:
    net::EventLoop& m_loop;
    std::string m_host;
    std::uint16_t m_port;
    Duration m_idleTimeout;
    std::optional<net::SocketAddress> m_literal;
    std::vector<std::unique_ptr<UpstreamConnection>> m_all;
    std::vector<UpstreamConnection*> m_idle;
};

} // namespace mesh::proxy
