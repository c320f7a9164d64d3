#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/handles.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/net/socket_address.h"
#include "proxyengine/net/sockets.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

// Non-blocking UDP sockets, several datagrams per system call.
namespace mesh::net {

// Binds; datagrams received on it say which of our addresses they were sent to. Port 0 picks a free
// one. Errors: those of listenOn().
[[nodiscard]] Result<FileDescriptor> bindDatagrams(
    const SocketAddress& address, PortSharing sharing = PortSharing::No
);

// A socket that sends to this peer and hears only it; what the network says of the peer (nobody
// listens there) fails the next call. Errors: Unavailable, Io.
[[nodiscard]] Result<FileDescriptor> connectDatagrams(const SocketAddress& peer);

struct Datagram
{
    SocketAddress peer; // Family::None on connected sockets.
    SocketAddress local; // Our address that it was sent to, with the socket's port.
    std::string_view bytes;
};

// Room for kUdpDatagramsPerCall datagrams of any size; memory is touched as far as it is used.
class DatagramBatch
{
public:
    DatagramBatch();
    ~DatagramBatch();

    // Receives what is there, as much as there is room for. `port`: the socket's own.
    // Done with at least one in items(); WouldBlock; Failed with errno.
    [[nodiscard]] IoStep receive(int socket, std::uint16_t port);
    // Valid until the next receive().
    [[nodiscard]] std::span<const Datagram> items() const;

    // Sends the received items on from `local` to `peer`; how many the kernel took.
    [[nodiscard]] std::size_t sendItems(
        int socket, const SocketAddress& peer, const SocketAddress& local
    );

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace mesh::net
