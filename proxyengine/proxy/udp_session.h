#pragma once

#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/resolver.h"
#include "proxyengine/policy/health.h"
#include "proxyengine/proxy/stream_plan.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::proxy {

class UdpRelay;
class Worker;

// The datagrams between one client and one target, until neither says anything for the service's
// read_timeout. Counted as one request of its service: 200, or 502 when the network said that
// nobody listens at the target, which is a failure of the target; the client's next datagram then
// begins a session with a target chosen anew.
class UdpSession final
    : private net::FdHandler
    , private net::TimerHandler
{
public:
    UdpSession(Worker& worker, UdpRelay& relay, const StreamPeers& peers, const StreamPlan& plan);
    ~UdpSession();

    // Chooses a target. False: there is none, or it cannot be reached; counted, and the session is
    // to be dropped.
    [[nodiscard]] bool begin();
    void forward(std::string_view bytes);
    void abort();

    [[nodiscard]] const StreamPeers& peers() const { return m_peers; }

private:
    void onReady(net::Ready ready) override;
    void onTimer(net::Timer& timer) override;
    [[nodiscard]] bool connect(const net::SocketAddress& address);
    void onResolved(const Result<std::vector<net::SocketAddress>>& addresses);
    void send(std::string_view bytes);
    void onAnswer(std::size_t bytes);
    void onTargetFailed(std::string_view reason);
    void end(int status, std::string_view failure);
    void settle(int status, std::string_view failure);
    void record(int status, std::string_view failure);

    Worker& m_worker;
    UdpRelay& m_relay;
    StreamPeers m_peers;
    FileDescriptor m_socket;
    net::Timer m_timer;
    UpstreamState& m_upstream;
    telemetry::RequestRow& m_row;
    telemetry::AttemptRow* m_attemptRow = nullptr;
    std::vector<std::string> m_waiting; // While the target's name is asked for.
    std::optional<net::QueryId> m_lookup;
    TimePoint m_startedAt;
    Duration m_idleTimeout;
    Duration m_answeredAfter{};
    std::uint64_t m_bytesIn = 0;
    std::uint64_t m_bytesOut = 0;
    std::uint32_t m_target = 0;
    bool m_isAnswered = false;
    bool m_isOver = false;
};

} // namespace mesh::proxy
