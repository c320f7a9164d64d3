#pragma once

#include "proxyengine/model/gateway.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/resolver.h"
#include "proxyengine/policy/retry.h"
#include "proxyengine/proxy/policy_cells.h"
#include "proxyengine/proxy/transport.h"
#include "proxyengine/telemetry/counters.h"
#include "proxyengine/tls/context.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mesh::proxy {

class H2ClientStream;
class H2SessionSet;
class H2UpstreamSession;
class UpstreamPool;

// Whether a request may use a connection that has carried others.
enum class ConnectionAge : std::uint8_t { Any, Fresh };

// A connection's place in the row of the attempts it was made for.
class ConnectionCount
{
public:
    ConnectionCount() = default;
    explicit ConnectionCount(telemetry::AttemptRow& row)
        : m_row(&row)
    {
        ++row.holders;
        ++row.connections;
    }
    ConnectionCount(ConnectionCount&& other) noexcept
        : m_row(std::exchange(other.m_row, nullptr))
    {}
    ConnectionCount& operator=(ConnectionCount&& other) noexcept
    {
        std::swap(m_row, other.m_row);
        return *this;
    }
    ConnectionCount(const ConnectionCount&) = delete;
    ConnectionCount& operator=(const ConnectionCount&) = delete;
    ~ConnectionCount()
    {
        if (m_row != nullptr) {
            --m_row->connections;
            telemetry::WorkerCounters::release(*m_row);
        }
    }

private:
    telemetry::AttemptRow* m_row = nullptr;
};

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

// One connection to a target, or one stream of an HTTP/2 connection that looks like one; owned by
// its pool, used by at most one request at a time.
class UpstreamConnection final
    : private net::FdHandler
    , private net::TimerHandler
{
public:
    UpstreamConnection(UpstreamPool& pool, FileDescriptor socket, telemetry::AttemptRow& row);
    UpstreamConnection(UpstreamPool& pool, std::unique_ptr<H2ClientStream> stream);
    ~UpstreamConnection();

    Transport transport;
    net::Buffer in;
    net::Timer timer;
    bool isConnected = false;
    bool isReused = false; // Carried a request before this one.
    bool mayRead = false; // An edge said so and nobody has drained it since.
    bool mayWrite = false;
    std::uint64_t requests = 0;

    void attach(UpstreamUser& user) { m_user = &user; }

    enum class Connecting : std::uint8_t { Done, Waiting, Failed };
    // What its user does with events until it is connected, handshake included.
    [[nodiscard]] Connecting goOnConnecting(net::Ready ready);
    // Why it Failed, for people; a literal.
    [[nodiscard]] std::string_view connectFailure() const;

    // Whether a limit of connections has to count it: streams ride on a connection that is counted.
    [[nodiscard]] bool needsLease() const;
    [[nodiscard]] bool holdsLease() const;
    void keep(UsageLease connection, UsageLease target);

    // What a Broken attempt was in truth, as far as the connection knows.
    [[nodiscard]] policy::AttemptFailure failureOr(policy::AttemptFailure failure) const;
    [[nodiscard]] std::string_view failureTextOr(std::string_view text) const;
    // The request was not begun, for reasons that say nothing about the target: the connection is
    // being retired, takes no more streams, or speaks HTTP/1.1 and is another's.
    [[nodiscard]] bool isTurnedAway() const;

private:
    friend class H2SessionSet;
    friend class H2UpstreamSession;
    friend class UpstreamPool;
    // Of a stream.
    enum class Turn : std::uint8_t { Waits, Begun, TurnedAway, Failed };
    void onReady(net::Ready ready) override;
    [[nodiscard]] bool isQuiet();
    void onTimer(net::Timer& timer) override;

    UpstreamPool& m_pool;
    UpstreamUser* m_user = nullptr; // Null while idle.
    ConnectionCount m_count; // Of no row when it is a stream.
    UsageLease m_lease; // Of the upstream that made it, when that has limits.
    UsageLease m_targetLease;
    std::size_t m_place = 0; // In the list of all of the pool, or of streams.
    H2ClientStream* m_stream = nullptr; // Its transport's; null: it is a socket.
    H2UpstreamSession* m_session = nullptr; // That carries the stream; null: it has gone.
    std::size_t m_waitingPlace = 0;
    std::string_view m_connectFailure; // Of a stream that did not begin.
    Turn m_turn = Turn::Waits;
    bool m_isCalledLater = false; // By the loop, once; not owed any more when it is released.
    bool m_isMaker = false; // The session was made for this stream.
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
    model::HttpVersion version = model::HttpVersion::Http1;
};

// The version under this protection: what the context offers by ALPN, else what the file says.
[[nodiscard]] model::HttpVersion versionUnder(
    const tls::ClientContext* tls, model::HttpVersion plain
);

// Who keeps a pool; counted by PoolHold.
struct PoolHolders
{
    std::uint32_t lists = 0; // Of targets, in which requests find it.
    std::uint32_t requests = 0; // And side attempts.
};

// All connections of one worker to one peer. What ALPN chose is known of each connection when its
// handshake is done: transport.tls()->protocol().
//
// Limits: kIdleConnectionsPerTargetMax kept, kRequestsPerConnectionMax, the idle timeout.
class UpstreamPool
{
public:
    UpstreamPool(net::EventLoop& loop, PoolPeer peer, Duration idleTimeout);
    ~UpstreamPool();

    // The connection that became idle last, or a stream of one that has room; null when there is
    // none. It may still be connecting: then the user owes it a timer.
    [[nodiscard]] UpstreamConnection* take(ConnectionAge age);
    [[nodiscard]] bool canTake(ConnectionAge age) const;
    [[nodiscard]] bool hasIdle() const; // Connections that serve nobody.
    // Begins to connect. Errors: those of net::connectTo() and EventLoop::watch().
    [[nodiscard]] Result<UpstreamConnection*> connect(
        const net::SocketAddress& address,
        telemetry::AttemptRow& row,
        ConnectionAge age = ConnectionAge::Any
    );
    // The exchange is over and the connection can carry another.
    void giveBack(UpstreamConnection& connection);
    void close(UpstreamConnection& connection);
    void closeIdle();

    // No configuration of now asks for this kind of connection: none is kept from now on.
    void retire();
    [[nodiscard]] bool isRetired() const { return m_isRetired; }
    [[nodiscard]] bool isEmpty() const;

    [[nodiscard]] const std::string& host() const { return m_peer.host; }
    [[nodiscard]] std::uint16_t port() const { return m_peer.port; }
    [[nodiscard]] const tls::ClientContext* tls() const { return m_peer.tls.get(); }
    [[nodiscard]] const std::string& serverName() const { return m_peer.serverName; }
    [[nodiscard]] tls::ClientSession& session() { return m_session; } // What its peer gave last.
    [[nodiscard]] model::HttpVersion version() const { return m_peer.version; }
    [[nodiscard]] Duration idleTimeout() const { return m_idleTimeout; }
    [[nodiscard]] const H2SessionSet* http2() const { return m_http2.get(); } // Null: HTTP/1.1.
    // Present when the host is a literal address, so that no name is ever asked for.
    [[nodiscard]] const std::optional<net::SocketAddress>& literal() const { return m_literal; }
    [[nodiscard]] net::EventLoop& loop() { return m_loop; }

    PoolHolders holders; // None, and isEmpty(): it may go, but not within a turn that used it.

private:
    friend class H2SessionSet;
    void adopt(std::unique_ptr<UpstreamConnection> connection);

    net::EventLoop& m_loop;
    PoolPeer m_peer;
    Duration m_idleTimeout;
    bool m_isRetired = false;
    tls::ClientSession m_session;
    std::optional<net::SocketAddress> m_literal;
    std::vector<std::unique_ptr<UpstreamConnection>> m_all;
    std::vector<UpstreamConnection*> m_idle;
    std::unique_ptr<H2SessionSet> m_http2; // Null: only HTTP/1.1 is spoken.
};

// A pool that somebody keeps, or null. Never owns it: UpstreamPools does.
template <std::uint32_t PoolHolders::*Kind>
class PoolHold
{
public:
    PoolHold() = default;
    PoolHold(UpstreamPool* pool) // NOLINT(google-explicit-constructor): stands for a pointer.
        : m_pool(pool)
    {
        if (m_pool != nullptr) {
            ++(m_pool->holders.*Kind);
        }
    }
    PoolHold(const PoolHold& other)
        : PoolHold(other.m_pool)
    {}
    PoolHold(PoolHold&& other) noexcept
        : m_pool(std::exchange(other.m_pool, nullptr))
    {}
    PoolHold& operator=(PoolHold other) noexcept
    {
        std::swap(m_pool, other.m_pool);
        return *this;
    }
    ~PoolHold()
    {
        if (m_pool != nullptr) {
            --(m_pool->holders.*Kind);
        }
    }

    [[nodiscard]] UpstreamPool& operator*() const { return *m_pool; }
    [[nodiscard]] UpstreamPool* operator->() const { return m_pool; }
    friend bool operator==(const PoolHold& a, std::nullptr_t) { return a.m_pool == nullptr; }

private:
    UpstreamPool* m_pool = nullptr;
};
using PoolListing = PoolHold<&PoolHolders::lists>;
using PoolUse = PoolHold<&PoolHolders::requests>;

} // namespace mesh::proxy
