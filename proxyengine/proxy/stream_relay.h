#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/resolver.h"
#include "proxyengine/net/splice_pipe.h"
#include "proxyengine/policy/health.h"
#include "proxyengine/policy/hosts.h"
#include "proxyengine/proxy/stream_plan.h"
#include "proxyengine/proxy/stream_target.h"
#include "proxyengine/proxy/transport.h"
#include "proxyengine/tls/client_hello.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::proxy {

class Worker;
struct Listener;

// One TCP connection of a stream listener and the connection to a target: bytes go both ways as
// they come, and an end of one direction is passed on while the other goes on.
//
//   Handshake -+
//   Peeking   -+-> Connecting -> Relaying -> Closed
//
// Peeking, it reads the ClientHello of somebody else's TLS, when a route could want its name; those
// bytes are passed on as they are. A client that says nothing, or something else, is plain TCP.
//
// A side is read only when the other can take bytes, so at most one buffer or pipe is held per
// direction, and none while nothing waits. Counted as one request of its service: 200 when it was
// connected, 502, 503 or 504 when it could not be. The access log has a line of it when it has
// ended: method TCP or TLS, host the server name, target the address that the client connected to.
class StreamRelay final
    : private net::FdHandler
    , private net::TimerHandler
    , private StreamTargetUser
{
public:
    StreamRelay(
        Worker& worker, FileDescriptor socket, const Listener& listener, const StreamPeers& peers
    );
    ~StreamRelay();

    // Watches the socket and begins. `tls`: of a listener that ends it, else null.
    // Errors: Io, Tls; the relay is to be dropped.
    [[nodiscard]] Result<void> begin(const tls::ServerContext* tls);
    // Ends both connections by reset; the worker destroys it at the end of the turn.
    void abort();

    std::size_t place = 0; // In the list of whoever keeps it.

private:
    enum class Phase : std::uint8_t { Handshake, Peeking, Connecting, Relaying, Closed };
    enum class Ending : std::uint8_t { Clean, Reset };
    struct Flow
    {
        net::Buffer rest; // What was read and not taken yet.
        net::SplicePipe pipe; // Open while much is passing.
        std::uint64_t bytes = 0; // Read.
        std::uint64_t burst = 0; // Read through the pipe since it last ran dry.
        int fullReads = 0; // In a row.
        bool hasEnded = false; // The sender will say no more.
        bool isEndPassed = false;
    };
    struct Side
    {
        Transport& transport;
        bool& mayRead;
        bool& mayWrite;
    };

    void onReady(net::Ready ready) override;
    void onTimer(net::Timer& timer) override;
    void onTargetReady(net::Ready ready) override;
    void onTargetTimeout() override;

    // stream_relay.cpp
    void onBegun();
    void shakeHands();
    void peek();
    void route(policy::StreamKind kind, std::string_view serverName);
    void record();
    void close(Ending ending);

    // stream_attempt.cpp
    void startAttempts();
    [[nodiscard]] std::optional<std::uint32_t> pickTarget();
    bool tryOnce(); // False: failed at once, and counted.
    bool connect(const net::SocketAddress& address);
    void onResolved(const Result<std::vector<net::SocketAddress>>& addresses);
    void onConnecting(net::Ready ready);
    [[nodiscard]] bool tellClient();
    void onConnected();
    void noteFailure(policy::Observation::Kind kind);
    void retryOrGiveUp(int status, std::string_view reason);
    void endAttempt();
    void giveUp(int status, std::string_view reason);

    // stream_pump.cpp
    void run();
    bool pump(Flow& flow, Side from, Side to, std::uint64_t& counted);
    bool passRest(Flow& flow, Side to);
    bool splice(Flow& flow, Side from, Side to, std::uint64_t& counted);
    void passEnd(Flow& flow, Side to);
    void onReset();
    void releasePipe(Flow& flow);

    Worker& m_worker;
    Transport m_transport;
    net::Timer m_timer;
    StreamPeers m_peers;
    std::string m_client; // Address, without port.
    std::string m_serverName;
    tls::ClientHelloReader m_hello;
    UpstreamState* m_upstream = nullptr; // From its routing on, as everything of the plan.
    telemetry::RequestRow* m_row = nullptr;
    telemetry::AttemptRow* m_attemptRow = nullptr;
    std::unique_ptr<StreamTarget> m_connection;
    std::shared_ptr<const tls::ClientContext> m_tls;
    std::optional<model::ProxyProtocol> m_proxyProtocol;
    std::optional<net::QueryId> m_lookup;
    policy::TriedHosts m_tried;
    Flow m_up;
    Flow m_down;
    TimePoint m_startedAt;
    TimePoint m_attemptAt{};
    Duration m_connectTimeout{};
    Duration m_idleTimeout{};
    std::string_view m_failure; // A literal for the log.
    Duration m_connectTook{}; // Of the attempt that succeeded.
    Duration m_waited{}; // Before that attempt began.
    int m_attempts = 0;
    std::uint32_t m_target = 0;
    int m_retriesLeft = 0;
    int m_status = 0; // As counted at the end.
    Phase m_phase = Phase::Connecting;
    bool m_hasBegun = false;
    bool m_hasAttempt = false;
    bool m_mayRead = false;
    bool m_mayWrite = false;
};

} // namespace mesh::proxy
