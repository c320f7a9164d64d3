#pragma once

#include "app/fleet/node_link.h"
#include "proxyengine/control/node_calls.h"

#include <memory>

namespace mesh::fleet {

// The way to a node through its admin API: what it is sent is checked by If-Match, what it runs is
// asked of it every time.
//
// `credentials`: needed by an address with TLS.
// Lifetime: `calls` outlives it; not destroyed on the thread of `calls`.
[[nodiscard]] std::unique_ptr<NodeLink> makeAdminLink(
    control::NodeCalls& calls,
    control::AdminAddress address,
    control::NodeCredentials credentials = {}
);

} // namespace mesh::fleet
