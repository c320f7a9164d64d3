#include "proxyengine/control/node_address.h"

#include <utility>
#include <vector>

namespace mesh::control {

void findNode(
    net::Resolver& resolver,
    const AdminAddress& address,
    std::function<void(Result<net::SocketAddress>)> onFound
)
{
    if (address.isUnix()) {
        onFound(net::SocketAddress::unixPath(address.unixPath));
        return;
    }
    auto parts = net::splitHostPort(address.hostPort);
    if (!parts) {
        onFound(tl::unexpected(std::move(parts).error()));
        return;
    }
    static_cast<void>(resolver.resolve(
        parts->host,
        parts->port,
        [onFound = std::move(onFound)](const Result<std::vector<net::SocketAddress>>& found) {
            if (!found) {
                onFound(tl::unexpected(found.error()));
            } else {
                onFound(found->front());
            }
        }
    ));
}

} // namespace mesh::control
