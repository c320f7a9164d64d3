#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/model/gateway.h"
#include "proxyengine/net/socket_address.h"
#include "proxyengine/policy/stream_router.h"
#include "proxyengine/proxy/runtime.h"
#include "proxyengine/telemetry/frame.h"

#include <memory>
#include <optional>
#include <string_view>

namespace mesh::proxy {

// The two ends of a stream as its client sees them: from the socket, or from a PROXY header.
struct StreamPeers
{
    net::SocketAddress client;
    net::SocketAddress destination;
};

// Where a stream goes, taken from the snapshot that was in force when it was routed, so that a
// stream of days keeps no old snapshot alive.
struct StreamPlan
{
    UpstreamState* upstream = nullptr;
    std::string_view source; // The three names are read at once, not later.
    std::string_view service;
    std::string_view route;
    telemetry::EdgeProtocol protocol = telemetry::EdgeProtocol::Tcp;
    int retries = 0;
    Duration connectTimeout{};
    Duration idleTimeout{}; // Without a byte or a datagram either way.
    std::optional<model::ProxyProtocol> proxyProtocol;
    std::shared_ptr<const tls::ClientContext> tls; // Null: plain to the target.
};

// What the router is asked for a stream between these ends.
[[nodiscard]] policy::StreamView streamView(policy::StreamKind kind, const StreamPeers& peers);

} // namespace mesh::proxy
