#pragma once

#include "proxyengine/base/handles.h"
#include "proxyengine/net/datagrams.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/proxy/udp_session.h"

#include <cstddef>
#include <memory>
#include <unordered_map>

namespace mesh::proxy {

class Worker;
struct Listener;

// One UDP socket of a stream listener: datagrams of one client to one of our addresses are a
// session, which has a target and a socket of its own, so that answers find their way back.
//
// Limits: kUdpSessionsPerWorkerMax over all listeners of the worker; datagrams beyond are dropped
// and counted.
class UdpRelay final : private net::FdHandler
{
public:
    UdpRelay(Worker& worker, std::shared_ptr<const Listener> listener, FileDescriptor socket);
    ~UdpRelay();

    [[nodiscard]] Result<void> begin();
    void drain() { m_isDraining = true; } // Sessions go on, none begins.
    void closeAll();

    [[nodiscard]] std::size_t count() const { return m_sessions.size(); }
    // For sessions.
    [[nodiscard]] int descriptor() const { return m_socket.get(); }
    void close(UdpSession& session);

private:
    struct HashOf
    {
        std::uint64_t seed;
        std::size_t operator()(const StreamPeers& peers) const;
    };
    struct AreEqual
    {
        bool operator()(const StreamPeers& a, const StreamPeers& b) const
        {
            return a.client == b.client && a.destination == b.destination;
        }
    };

    void onReady(net::Ready ready) override;
    void take(const net::Datagram& datagram);
    [[nodiscard]] UdpSession* sessionFor(const StreamPeers& peers);

    Worker& m_worker;
    std::shared_ptr<const Listener> m_listener;
    FileDescriptor m_socket;
    std::unordered_map<StreamPeers, std::unique_ptr<UdpSession>, HashOf, AreEqual> m_sessions;
    bool m_isDraining = false;
};

} // namespace mesh::proxy
