#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/control/listen_text.h"
#include "proxyengine/net/resolver.h"
#include "proxyengine/net/socket_address.h"

#include <functional>

namespace mesh::control {

// Finds where a node's admin API is; names are resolved, literals and UNIX sockets need nothing.
// `onFound` is called once, before or after this returns.
void findNode(
    net::Resolver& resolver,
    const AdminAddress& address,
    std::function<void(Result<net::SocketAddress>)> onFound
);

} // namespace mesh::control
