#pragma once

#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/socket_address.h"
#include "proxyengine/proxy/stream_plan.h"

#include <cstddef>
#include <memory>
#include <string_view>

namespace mesh::proxy {

class Worker;
struct Listener;

// A connection from its accept until its PROXY header has come. Exactly the header is taken from
// the socket, so that whoever reads on, TLS too, begins with the client's own first byte.
//
// A header that is wrong, longer than kProxyHeaderBytesMax or later than kStreamPrefaceTimeout
// resets the connection and is counted.
class ProxyPreface final
    : private net::FdHandler
    , private net::TimerHandler
{
public:
    ProxyPreface(
        Worker& worker,
        std::shared_ptr<const Listener> listener,
        FileDescriptor socket,
        const net::SocketAddress& peer
    );

    [[nodiscard]] Result<void> begin();
    // The worker destroys it at the end of the turn.
    void abort();

    std::size_t place = 0; // In the list of whoever keeps it.

private:
    void onReady(net::Ready ready) override;
    void onTimer(net::Timer& timer) override;
    void refuse(std::string_view reason);
    void handOn(std::size_t bytes, const StreamPeers& peers);

    Worker& m_worker;
    std::shared_ptr<const Listener> m_listener;
    FileDescriptor m_socket;
    StreamPeers m_peers;
    net::Timer m_timer;
};

} // namespace mesh::proxy
