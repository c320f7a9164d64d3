#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/handles.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/socket_address.h"
#include "proxyengine/net/sockets.h"

#include <cstddef>
#include <memory>

namespace mesh::net {

// Is given new connections: non-blocking, TCP_NODELAY, not watched yet.
class AcceptHandler
{
public:
    AcceptHandler() = default;
    AcceptHandler(const AcceptHandler&) = delete;
    AcceptHandler& operator=(const AcceptHandler&) = delete;
    virtual void onAccepted(FileDescriptor socket, const SocketAddress& peer) = 0;

protected:
    ~AcceptHandler() = default;
};

// Accepts connections of one listening socket, a bounded number per turn.
//
// Out of descriptors it waits kRetryAfter and tries again, so that the loop does not spin.
class Acceptor final
    : private FdHandler
    , private TimerHandler
{
public:
    static constexpr int kPerTurnMax = 64; // Enough for a storm; existing connections stay served.
    static constexpr int kWaitingMax = 4096; // The largest backlog Linux gives by default.
    static constexpr Duration kRetryAfter = std::chrono::milliseconds(100);

    // Errors: those of listenOn().
    [[nodiscard]] static Result<std::unique_ptr<Acceptor>> listen(
        EventLoop& loop, const SocketAddress& address, PortSharing sharing, AcceptHandler& handler
    );
    Acceptor(EventLoop& loop, FileDescriptor listening, AcceptHandler& handler);
    ~Acceptor();

    // Connections wait in the kernel's backlog meanwhile.
    void pause();
    void resume();
    // Takes what waits in the kernel's backlog now: what the closing of the socket would reset.
    void takeWaiting();
    // Closes the listening socket; new connections are refused.
    void close();

    [[nodiscard]] bool isOpen() const { return m_socket.isOpen(); }
    [[nodiscard]] const SocketAddress& address() const { return m_address; } // With the real port.

private:
    void onReady(Ready ready) override;
    void onTimer(Timer& timer) override;
    void accept(int countMax);

    EventLoop& m_loop;
    FileDescriptor m_socket;
    SocketAddress m_address;
    AcceptHandler& m_handler;
    Timer m_retry;
    bool m_isWatched = false;
    bool* m_wasDestroyed = nullptr; // Set while onReady() runs.
};

} // namespace mesh::net
