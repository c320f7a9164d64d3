#include "proxyengine/net/sockets.h"

#include "proxyengine/net/native_socket.h"

#include <fmt/format.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace mesh::net {
namespace {

// No path of this machine is congested: the plainest algorithm, which every kernel has, saves what
// a model of the path costs per segment. What the system prefers stays for all other addresses.
void preferPlainCongestionControl(int socket)
{
    constexpr std::string_view kName = "reno";
    static_cast<void>(::setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, kName.data(), kName.size())
    );
}

// Calls that never wait, past libc's wrappers: those are cancellation points, which costs four
// atomic operations a request's call and which no thread of ours uses.
long receive(int socket, std::span<char> buffer)
{
    return ::syscall(SYS_recvfrom, socket, buffer.data(), buffer.size(), 0, nullptr, nullptr);
}

long send(int socket, std::string_view bytes)
{
    return ::syscall(
        SYS_sendto, socket, bytes.data(), bytes.size(), MSG_NOSIGNAL, nullptr, std::size_t{0}
    );
}

// Up to here parts are put together: the copy costs less than the kernel's look at a list.
constexpr std::size_t kGatherBytesMax = 4096;

std::string_view gather(std::span<const iovec> parts, std::span<char> room)
{
    char* at = room.data();
    for (const iovec& part : parts) {
        if (part.iov_len > 0) {
            std::memcpy(at, part.iov_base, part.iov_len);
            at += part.iov_len;
        }
    }
    return {room.data(), static_cast<std::size_t>(at - room.data())};
}

ErrorCode codeOfConnect(int number)
{
    switch (number) {
    case ECONNREFUSED:
    case ENOENT: // A UNIX socket's path.
        return ErrorCode::Refused;
    case ETIMEDOUT:
        return ErrorCode::Timeout;
    case ECONNRESET:
        return ErrorCode::Reset;
    default:
        return ErrorCode::Unavailable;
    }
}

tl::unexpected<Error> failConnect(std::string_view what, int number)
{
    auto failed = failErrno(what, number);
    failed.value().code = codeOfConnect(number);
    return failed;
}

tl::unexpected<Error> failBind(const SocketAddress& address, int number)
{
    auto failed = failErrno(fmt::format("cannot listen on {}", address.toText()), number);
    if (number == EADDRINUSE) {
        failed.value().code = ErrorCode::AlreadyExists;
    } else if (number == EADDRNOTAVAIL) {
        failed.value().code = ErrorCode::InvalidArgument;
    }
    return failed;
}

// Whether a server still answers at this path; what a crashed one left behind is in the way.
bool isAnswered(const SocketAddress& address)
{
    const auto socket = connectTo(address);
    return socket.has_value() || socket.error().native == EAGAIN;
}

IoStep stepOf(ssize_t outcome, bool isRead)
{
    if (outcome > 0) {
        return {IoStatus::Done, static_cast<std::size_t>(outcome), 0};
    }
    if (outcome == 0) {
        return {isRead ? IoStatus::Closed : IoStatus::WouldBlock, 0, 0};
    }
    if (errno == EAGAIN) {
        return {IoStatus::WouldBlock, 0, 0};
    }
    return {IoStatus::Failed, 0, errno};
}

SocketAddress nameOf(int socket, decltype(::getsockname)* ask)
{
    sockaddr_storage native{};
    socklen_t length = sizeof(native);
    auto* const generic = reinterpret_cast<sockaddr*>(&native);
    if (ask(socket, generic, &length) != 0) {
        return {};
    }
    return SocketAddress::fromNative(generic, length);
}

} // namespace

Result<FileDescriptor> listenOn(const SocketAddress& address, PortSharing sharing)
{
    MESH_TRY(FileDescriptor socket, makeSocket(address, SOCK_STREAM));
    if (address.family() == SocketAddress::Family::Unix) {
        if (isAnswered(address)) {
            return failBind(address, EADDRINUSE);
        }
        static_cast<void>(::unlink(address.path().c_str()));
    } else {
        switchOn(socket.get(), SOL_SOCKET, SO_REUSEADDR);
        if (sharing == PortSharing::Yes) {
            switchOn(socket.get(), SOL_SOCKET, SO_REUSEPORT);
        }
        switchOn(socket.get(), IPPROTO_TCP, TCP_NODELAY); // Accepted sockets inherit both.
        if (address.isLoopback()) {
            preferPlainCongestionControl(socket.get());
        }
    }
    const auto native = address.toNative();
    if (::bind(socket.get(), native.get(), native.length) != 0
        || ::listen(socket.get(), kListenBacklog) != 0) {
        return failBind(address, errno);
    }
    return socket;
}

Result<FileDescriptor> connectTo(const SocketAddress& address)
{
    MESH_TRY(FileDescriptor socket, makeSocket(address, SOCK_STREAM));
    if (address.family() != SocketAddress::Family::Unix) {
        setNoDelay(socket.get());
        if (address.isLoopback()) {
            preferPlainCongestionControl(socket.get());
        }
    }
    const auto native = address.toNative();
    if (::connect(socket.get(), native.get(), native.length) != 0 && errno != EINPROGRESS) {
        return failConnect(fmt::format("cannot connect to {}", address.toText()), errno);
    }
    return socket;
}

Result<void> connectOutcome(int socket)
{
    int number = 0;
    socklen_t length = sizeof(number);
    if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &number, &length) != 0) {
        number = errno;
    }
    if (number != 0) {
        return failConnect("cannot connect", number);
    }
    return {};
}

SocketAddress localAddress(int socket) { return nameOf(socket, ::getsockname); }

SocketAddress peerAddress(int socket) { return nameOf(socket, ::getpeername); }

void setNoDelay(int socket) { switchOn(socket, IPPROTO_TCP, TCP_NODELAY); }

void setResetOnClose(int socket)
{
    const linger atOnce{1, 0};
    static_cast<void>(::setsockopt(socket, SOL_SOCKET, SO_LINGER, &atOnce, sizeof(atOnce)));
}

IoStep readSome(int socket, std::span<char> buffer)
{
    return stepOf(receive(socket, buffer), true);
}

IoStep peekSome(int socket, std::span<char> buffer)
{
    return stepOf(::recv(socket, buffer.data(), buffer.size(), MSG_PEEK), true);
}

bool hasUnread(int socket)
{
    char first = 0;
    return ::recv(socket, &first, sizeof(first), MSG_PEEK | MSG_DONTWAIT) > 0;
}

IoStep writeSome(int socket, std::string_view bytes) { return stepOf(send(socket, bytes), false); }

IoStep writeParts(int socket, std::span<const iovec> parts)
{
    if (parts.size() == 1) {
        return writeSome(socket, {static_cast<const char*>(parts[0].iov_base), parts[0].iov_len});
    }
    std::size_t total = 0;
    for (const iovec& part : parts) {
        total += part.iov_len;
    }
    if (total <= kGatherBytesMax) {
        std::array<char, kGatherBytesMax> room; // Filled as far as it is used.
        return writeSome(socket, gather(parts, room));
    }
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts.data()); // sendmsg() does not write to it.
    message.msg_iovlen = parts.size();
    return stepOf(::syscall(SYS_sendmsg, socket, &message, MSG_NOSIGNAL), false);
}

void shutdownWrite(int socket) { static_cast<void>(::shutdown(socket, SHUT_WR)); }

} // namespace mesh::net
