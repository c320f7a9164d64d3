#include "proxyengine/net/native_socket.h"

#include <sys/socket.h>

#include <cerrno>

namespace mesh::net {
namespace {

int nativeFamily(const SocketAddress& address)
{
    switch (address.family()) {
    case SocketAddress::Family::Ip4:
        return AF_INET;
    case SocketAddress::Family::Ip6:
        return AF_INET6;
    case SocketAddress::Family::Unix:
        return AF_UNIX;
    case SocketAddress::Family::None:
        break;
    }
    return AF_UNSPEC;
}

} // namespace

Result<FileDescriptor> makeSocket(const SocketAddress& address, int type)
{
    if (address.family() == SocketAddress::Family::None) {
        return fail(ErrorCode::InvalidArgument, "no address");
    }
    FileDescriptor socket(::socket(nativeFamily(address), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket.isOpen()) {
        return failErrno("cannot make a socket", errno);
    }
    return socket;
}

void switchOn(int socket, int level, int option)
{
    const int on = 1;
    static_cast<void>(::setsockopt(socket, level, option, &on, sizeof(on)));
}

} // namespace mesh::net
