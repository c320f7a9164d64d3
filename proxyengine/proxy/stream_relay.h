#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/resolver.h"
#include "proxyengine/policy/health.h"
#include "proxyengine/policy/hosts.h"
#include "proxyengine/proxy/runtime.h"
#include "proxyengine/proxy/transport.h"
#include "proxyengine/proxy/upstream_pool.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::proxy {

class Worker;

// Where a TCP connection goes, copied from the snapshot that was in force when it came, so that a
// long-lived connection keeps no old snapshot alive.
struct RelayPlan
{
    UpstreamState* upstream = nullptr;
    std::string_view source; // The three names are read while the relay is made, not later.
    std::string_view service;
    std::string_view route;
    int retries = 0;
    Duration connectTimeout{};
    Duration idleTimeout{}; // Between two reads of either side.
    std::shared_ptr<const tls::ClientContext> tls; // Null: plain to the target.
};

// One TCP connection of a stream listener and the connection to a target: bytes go both ways as
// they come, and an end of one direction is passed on while the other goes on.
//
//   Handshake -> Connecting -> Relaying -> Closed
//
// A side is read only when the other can take bytes, so at most one buffer is held per direction,
// and none while nothing waits. Counted as one request of its service: 200 when it was connected,
// 502, 503 or 504 when it could not be. The access log has a line of it when it has ended: method
// TCP, target the address that the client connected to.
class StreamRelay final
    : private net::FdHandler
    , private net::TimerHandler
    , private UpstreamUser
{
public:
    StreamRelay(Worker& worker, FileDescriptor socket, const RelayPlan& plan);
    ~StreamRelay();

    // Watches the socket and begins. Errors: Io, Tls; the relay is to be dropped.
    [[nodiscard]] Result<void> begin(const tls::ServerContext* tls);
    // Ends both connections by reset; the worker destroys it at the end of the turn.
    void abort();

    std::size_t place = 0; // In the worker's list.

private:
    enum class Phase : std::uint8_t { Handshake, Connecting, Relaying, Closed };
    enum class Ending : std::uint8_t { Clean, Reset };
    struct Flow
    {
        net::Buffer rest; // What was read and not taken yet.
        std::uint64_t bytes = 0; // Read.
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
    void onUpstreamReady(net::Ready ready) override;
    void onUpstreamTimeout() override;

    void startAttempts();
    [[nodiscard]] std::optional<std::uint32_t> pickTarget();
    bool tryOnce(); // False: failed at once, and counted.
    bool connect(const net::SocketAddress& address);
    void onResolved(const Result<std::vector<net::SocketAddress>>& addresses);
    void onConnecting(net::Ready ready);
    void onConnected();
    void noteFailure(policy::Observation::Kind kind);
    void retryOrGiveUp(int status, std::string_view reason);
    void endAttempt();
    void giveUp(int status, std::string_view reason);
    void record();

    void run();
    bool pump(Flow& flow, Side from, Side to, std::uint64_t& counted);
    bool passRest(Flow& flow, Side to);
    void close(Ending ending);

    Worker& m_worker;
    Transport m_transport;
    net::Timer m_timer;
    UpstreamState& m_upstream;
    telemetry::RequestRow& m_row;
    telemetry::AttemptRow* m_attemptRow = nullptr;
    UpstreamPool* m_pool = nullptr;
    UpstreamConnection* m_connection = nullptr;
    std::shared_ptr<const tls::ClientContext> m_tls;
    std::optional<net::QueryId> m_lookup;
    policy::TriedHosts m_tried;
    Flow m_up;
    Flow m_down;
    TimePoint m_startedAt;
    TimePoint m_attemptAt{};
    Duration m_connectTimeout;
    Duration m_idleTimeout;
    std::string m_source;
    std::string m_client; // Address, without port.
    std::string m_listener; // Address that the client connected to.
    std::string_view m_failure; // A literal for the log.
    Duration m_connectTook{}; // Of the attempt that succeeded.
    Duration m_waited{}; // Before that attempt began.
    int m_attempts = 0;
    std::uint32_t m_target = 0;
    int m_retriesLeft;
    int m_status = 0; // As counted at the end.
    Phase m_phase = Phase::Connecting;
    bool m_hasAttempt = false;
    bool m_isFirstTry = true;
    bool m_mayRead = false;
    bool m_mayWrite = false;
};

} // namespace mesh::proxy
