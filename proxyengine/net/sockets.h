#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/handles.h"
#include "proxyengine/net/socket_address.h"

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

// Non-blocking stream sockets: every call returns at once.
namespace mesh::net {

enum class PortSharing : std::uint8_t { No, Yes }; // SO_REUSEPORT: one socket per worker.

inline constexpr int kListenBacklog = 4096; // The kernel cuts it to net.core.somaxconn.

// Binds and listens. Port 0 picks a free one: see localAddress(). A UNIX path that nobody answers
// is replaced; one that somebody answers is AlreadyExists.
// Errors: AlreadyExists when the address is in use, PermissionDenied, InvalidArgument, Io.
[[nodiscard]] Result<FileDescriptor> listenOn(
    const SocketAddress& address, PortSharing sharing = PortSharing::No
);

// Begins to connect; the socket becomes writable when connectOutcome() can tell. TCP_NODELAY is on.
// Errors: Unavailable or Refused when the kernel knows at once, Io.
[[nodiscard]] Result<FileDescriptor> connectTo(const SocketAddress& address);

// After the first writable event. Errors: Refused, Unavailable, Timeout, with errno as native code.
[[nodiscard]] Result<void> connectOutcome(int socket);

[[nodiscard]] SocketAddress localAddress(int socket); // Family::None when it has none.
[[nodiscard]] SocketAddress peerAddress(int socket);

void setNoDelay(int socket); // Sends small writes at once; no effect on UNIX sockets.
void setResetOnClose(int socket); // close() then sends RST instead of FIN.

enum class IoStatus : std::uint8_t {
    Done, // `count` bytes moved, at least one.
    WouldBlock, // Nothing moved; wait for the next event.
    Closed, // The peer ended its direction (reads only).
    Failed, // The connection is dead; `native` is errno.
};

struct IoStep
{
    IoStatus status = IoStatus::WouldBlock;
    std::size_t count = 0;
    int native = 0;
};

// One system call each. A count below the buffer's size means the socket is drained (or its send
// buffer full) until the next edge, so no second call is needed to learn it.
[[nodiscard]] IoStep readSome(int socket, std::span<char> buffer);
// What readSome() would read, left where it is.
[[nodiscard]] IoStep peekSome(int socket, std::span<char> buffer);
// Whether something waits to be read; false for what is no socket.
[[nodiscard]] bool hasUnread(int socket);
[[nodiscard]] IoStep writeSome(int socket, std::string_view bytes);
[[nodiscard]] IoStep writeParts(int socket, std::span<const iovec> parts);

inline iovec partOf(std::string_view bytes)
{
    return {const_cast<char*>(bytes.data()), bytes.size()}; // writev() does not write to it.
}

// Ends our direction; the peer reads the end of the stream.
void shutdownWrite(int socket);

} // namespace mesh::net
