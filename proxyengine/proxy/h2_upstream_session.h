#pragma once

#include "proxyengine/net/event_loop.h"
#include "proxyengine/proxy/h2_client_session.h"
#include "proxyengine/proxy/policy_cells.h"
#include "proxyengine/proxy/transport.h"
#include "proxyengine/proxy/upstream_pool.h"

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace mesh::proxy {

class H2SessionSet;

// One HTTP/2 connection to a target, from connect() to close; its streams are connections of the
// pool. One read and one write of the socket serve all streams of a turn.
//
//   Connecting -> Handshake -> Open -> Closed
//
// Limits: the pool's idle timeout, kUpstreamPingTimeout for an answer to a ping.
class H2UpstreamSession final
    : private net::FdHandler
    , private net::TimerHandler
    , private net::TurnEndHandler
    , private H2ClientOwner
{
public:
    H2UpstreamSession(
        H2SessionSet& set,
        FileDescriptor socket,
        const net::SocketAddress& address,
        ConnectionCount count
    );
    ~H2UpstreamSession();

    [[nodiscard]] Result<void> begin();

    // Puts the connection behind those that wait, or begins its stream at once.
    void add(UpstreamConnection& connection);
    // The driver is through with it.
    void remove(UpstreamConnection& connection);

    [[nodiscard]] bool isOpen() const { return m_state == State::Open; }
    [[nodiscard]] bool isMade() const { return m_state != State::Closed; }
    // How many more may be added without another connection; `usual`: streams that targets of this
    // pool take, for as long as this one has not said it.
    [[nodiscard]] std::size_t room(std::size_t usual) const;
    [[nodiscard]] std::size_t load() const;
    [[nodiscard]] bool isIdle() const { return isOpen() && load() == 0; }
    [[nodiscard]] bool isReused() const;
    // Nothing new is begun; it ends with its last stream, now when it has none.
    void retire();
    // Everything on it fails now, without a word to drivers.
    void close();

    UsageLease lease; // Of the upstream that made it, when that has limits.
    UsageLease targetLease;
    std::size_t place = 0; // In the set.

private:
    enum class State : std::uint8_t { Connecting, Handshake, Open, Closed };

    void onReady(net::Ready ready) override;
    void onTimer(net::Timer& timer) override;
    void onTurnEnd() override;
    void onWantsWrite() override;
    void makeRoom() override;

    void goOnConnecting(net::Ready ready);
    void open();
    void handOver();
    void readAll();
    void flush();
    void sayGoodbye();
    void settle();
    void admit();
    void turnAway();
    void start(UpstreamConnection& connection);
    void failWaiting(std::string_view reason);
    void callLater(UpstreamConnection& connection, std::uint32_t bits);
    void failConnecting(std::string_view reason);
    void endWaiting();

    H2SessionSet& m_set;
    net::EventLoop& m_loop;
    Transport m_transport;
    net::SocketAddress m_address;
    ConnectionCount m_count;
    std::unique_ptr<H2ClientSession> m_core; // From Open on.
    std::vector<UpstreamConnection*> m_waiting; // In order of arrival; null: has left meanwhile.
    std::size_t m_waitingCount = 0;
    std::size_t m_started = 0;
    net::Timer m_idleTimer;
    net::Timer m_pingTimer;
    State m_state = State::Connecting;
    bool m_mayRead = false;
    bool m_mayWrite = false;
    bool m_hasFailed = false; // The socket takes nothing more, ever.
    bool m_isAtTurnEnd = false; // Asked for.
};

} // namespace mesh::proxy
