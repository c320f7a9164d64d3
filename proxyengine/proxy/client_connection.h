#pragma once

#include "proxyengine/net/event_loop.h"
#include "proxyengine/policy/health.h"
#include "proxyengine/policy/retry.h"
#include "proxyengine/proxy/exchange.h"
#include "proxyengine/proxy/transport.h"
#include "proxyengine/proxy/upstream_pool.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace mesh::proxy {

class Worker;
struct Listener;

// One client's connection and, while there is one, the stream on it. Requests of a connection are
// answered one after the other, so pipelined ones are answered in order.
//
//   Handshake -> Idle <-> Head -> Exchange -> Idle | Lingering -> Closed
//
// Idle, it holds no buffer and no exchange. Lives on one worker from accept to close.
class ClientConnection final
    : private net::FdHandler
    , private net::TimerHandler
    , private UpstreamUser
{
public:
    ClientConnection(
        Worker& worker,
        std::shared_ptr<const Listener> listener,
        FileDescriptor socket,
        std::string peer
    );
    ~ClientConnection();

    // Watches the socket and begins. Errors: Io, Tls; the connection is to be dropped.
    [[nodiscard]] Result<void> begin(const tls::ServerContext* tls);
    [[nodiscard]] const Listener& listener() const { return *m_listener; }
    [[nodiscard]] bool isIdle() const { return m_phase == Phase::Idle || m_phase == Phase::Head; }
    // Ends it whatever it does; the worker destroys it at the end of the turn.
    void abort(std::string_view failure);

    std::size_t place = 0; // In the worker's list.

private:
    enum class Phase : std::uint8_t { Handshake, Idle, Head, Exchange, Lingering, Closed };
    enum class Begun : std::uint8_t { Started, Failed };
    enum class Progress : std::uint8_t { Moved, Stuck };

    void onReady(net::Ready ready) override;
    void onTimer(net::Timer& timer) override;
    void onUpstreamReady(net::Ready ready) override;
    void onUpstreamTimeout() override;

    // client_connection.cpp
    void run();
    Progress readHead();
    void refuse(int status, std::string_view message, std::string_view failure);
    void linger();
    void drainLingering();
    void goIdle();
    void finish();
    void recordEnd();

    // client_request.cpp
    void startExchange();
    bool readHost();
    bool route();
    void answerSelf(
        int status,
        std::string_view message,
        std::string_view failure,
        std::string_view extraFields = {}
    );
    void skipBufferedBody();
    Progress pumpOwn();

    // client_attempt.cpp
    void startAttempts();
    Begun tryOnce();
    Begun connect(const net::SocketAddress& address);
    void onResolved(const Result<std::vector<net::SocketAddress>>& addresses);
    void onConnecting(net::Ready ready);
    Result<void> beginUpstreamTls();
    void onAttemptFailed(policy::AttemptFailure failure, std::string_view reason);
    bool prepareRetry(policy::AttemptFailure failure, std::string_view reason);
    bool isStale(policy::AttemptFailure failure) const;
    void endAttempt();
    void report(policy::Observation::Kind kind, int status);

    // client_pump.cpp
    Progress step();
    Progress sendHead();
    Progress pumpUp();
    Progress cutRequestBody();
    Progress readRequestBody();
    Progress pumpDown();
    Progress readAnswer();
    Progress onAnswerHead();
    Progress sendAnswerHead();
    Progress flush(net::Buffer& buffer, Transport& transport, bool& mayWrite);
    void sendContinue();
    void armTimers();

    Worker& m_worker;
    std::shared_ptr<const Listener> m_listener;
    Transport m_transport;
    net::Buffer m_in;
    net::Timer m_timer;
    Exchange* m_exchange = nullptr; // The worker's; from the first byte of a head to the end.
    std::string m_peer; // Address without port.
    Phase m_phase = Phase::Idle;
    bool m_mayRead = false;
    bool m_mayWrite = true;
    bool m_isRunning = false; // Inside run(): events of the upstream wait for it.
};

} // namespace mesh::proxy
