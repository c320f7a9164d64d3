#pragma once

#include "proxyengine/net/event_loop.h"
#include "proxyengine/proxy/h2_server_session.h"
#include "proxyengine/proxy/transport.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace mesh::proxy {

class Worker;
struct Listener;

// One client's connection that speaks HTTP/2. Its streams' drivers are ClientConnections of the
// worker, each over a ByteStream of the session.
//
//   Serving -> Leaving (no new streams) -> Lingering -> Closed
//
// In a turn it reads, tells the drivers, and sends all their frames at the end of the turn with one
// call. Lives on one worker from the change to HTTP/2 to close.
class H2ServerConnection final
    : private net::FdHandler
    , private net::TimerHandler
    , private net::TurnEndHandler
    , private H2SessionOwner
{
public:
    H2ServerConnection(
        Worker& worker,
        std::shared_ptr<const Listener> listener,
        Transport transport,
        std::string peer
    );
    ~H2ServerConnection();

    // What the client asked for when it came by `Upgrade: h2c`.
    struct Upgrade
    {
        std::string_view settings; // Of HTTP2-Settings.
        http::Method method = http::Method::Get;
        std::string_view head; // The request's, as received.
    };
    // Watches the socket and begins; `bytes` have been read already. Errors: Io, Overloaded,
    // Protocol; the connection is to be dropped.
    [[nodiscard]] Result<void> begin(const Upgrade* upgrade, std::string_view bytes);

    [[nodiscard]] const Listener& listener() const { return *m_listener; }
    // Takes no more streams and ends with the last one.
    void drain();
    // Ends it and its streams; the worker destroys it at the end of the turn.
    void abort();

    std::size_t place = 0; // In the worker's list.

private:
    enum class Phase : std::uint8_t { Serving, Announced, Leaving, Lingering, Closed };

    void onReady(net::Ready ready) override;
    void onTimer(net::Timer& timer) override;
    void onTurnEnd() override;

    void openDriver(std::unique_ptr<ByteStream> stream) override;
    bool send(net::Buffer& frames) override;
    void askTurnEnd() override;
    void onLimit(http::H2Limit limit) override;
    void onProtocolError(std::string_view reason) override;
    void onPingAcknowledged() override;
    [[nodiscard]] const tls::TlsStream* tls() const override { return m_transport.tls(); }

    void readAll();
    void linger();
    void drainLingering();
    void leave();
    // What the timer runs for. It is armed when that begins and when bytes were sent, not at every
    // turn: frames that bring nothing forward do not keep a connection.
    enum class Waiting : std::uint8_t { Nothing, ToSend, Announced, ForStreams };
    void armTimer();

    Worker& m_worker;
    std::shared_ptr<const Listener> m_listener;
    Transport m_transport;
    std::unique_ptr<H2ServerSession> m_session;
    net::Timer m_timer;
    net::Timer m_stallTimer; // While answers wait that nobody else looks after.
    std::string m_peer;
    Phase m_phase = Phase::Serving;
    Waiting m_waiting = Waiting::Nothing;
    bool m_hasProgress = false; // Bytes were sent since the timer was last looked at.
    bool m_mayRead = true;
    bool m_mayWrite = true;
    bool m_isTurnEndAsked = false;
    bool m_isLost = false; // The socket failed, or the peer has ended.
    bool m_isRefused = false; // By the session: what is left is sent, nothing more read.
};

} // namespace mesh::proxy
