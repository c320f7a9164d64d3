#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/handles.h"
#include "proxyengine/net/socket_address.h"

// What the sources of this folder share; no other folder includes it.
namespace mesh::net {

// A socket of the address's family that never blocks and is not inherited; `type` is SOCK_STREAM or
// SOCK_DGRAM. Errors: InvalidArgument for no address; Io from the system.
[[nodiscard]] Result<FileDescriptor> makeSocket(const SocketAddress& address, int type);

void switchOn(int socket, int level, int option);

} // namespace mesh::net
