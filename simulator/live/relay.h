#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/handles.h"
#include "proxyengine/net/acceptor.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/socket_address.h"
#include "simulator/live/mesh_layout.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace mesh::simulator {

inline constexpr std::size_t kRelayConnectionsMax = 4096; // As an instance's server.
inline constexpr std::size_t kRelayBytesMax = 256U << 10U; // Waiting, per connection and way.

// A narrow link, one way: whatever goes over it waits for what went before.
class NarrowWay
{
public:
    explicit NarrowWay(double bytesPerSecond)
        : m_bytesPerSecond(bytesPerSecond)
    {}

    // How long these bytes take from now on, with those before them.
    [[nodiscard]] Duration send(TimePoint now, std::size_t bytes);

private:
    double m_bytesPerSecond;
    TimePoint m_freeAt{};
};

// What is wrong with a line. "There" is from the caller to the callee.
struct LineFaults
{
    bool isRefused = false; // Nobody listens at its end, and all connections are reset.
    bool isCutThere = false;
    bool isCutBack = false;
    std::vector<NarrowWay*> there; // Outlive the relay's knowing of them.
    std::vector<NarrowWay*> back;

    [[nodiscard]] bool isCut() const { return (isCutThere || isCutBack) && !isRefused; }
};

// Stands between proxies and one listener, passes bytes on, and can be made a bad line.
//
// While a way is cut, nothing goes that way, not even the end of a connection, and connecting is
// not answered: the listener's backlog is full. What is under way stays in the sockets, as in those
// of a real network, and goes on when the line is whole again; what a caller has given up meanwhile
// is dropped.
// Threads: the loop's; address() any.
class Relay final : private net::AcceptHandler
{
public:
    // On a free port of loopback. Errors: those of ReservedPort::make() and net::listenOn().
    [[nodiscard]] static Result<std::unique_ptr<Relay>> listen(
        net::EventLoop& loop, const net::SocketAddress& target
    );
    ~Relay();

    [[nodiscard]] const net::SocketAddress& address() const { return m_port.address(); }
    void setFaults(LineFaults faults);
    // Bytes that have been passed on since the start, both ways. On the loop.
    [[nodiscard]] std::size_t passed() const { return m_passed; }

private:
    class Connection;

    Relay(net::EventLoop& loop, const net::SocketAddress& target, ReservedPort port);
    void onAccepted(FileDescriptor socket, const net::SocketAddress& peer) override;
    void remove(Connection& connection);
    [[nodiscard]] Result<void> open();
    void close();
    void stopAnswering();
    void answerAgain();

    net::EventLoop& m_loop;
    const net::SocketAddress m_target;
    const ReservedPort m_port;
    int m_listening = -1; // The acceptor's.
    std::unique_ptr<net::Acceptor> m_acceptor;
    LineFaults m_faults;
    std::vector<FileDescriptor> m_fillers; // Connections of our own that fill the backlog.
    std::vector<net::SocketAddress> m_fillersFrom;
    std::vector<std::unique_ptr<Connection>> m_connections;
    std::size_t m_passed = 0;
};

} // namespace mesh::simulator
