#pragma once

#include "proxyengine/base/limits.h"
#include "proxyengine/base/time.h"
#include "proxyengine/tls/tickets.h"

namespace mesh::proxy {

// One side's reads of one event: 1 MiB; then others get their share.
inline constexpr int kStepsPerEventMax = 16;
// For the client to read the last we said.
inline constexpr Duration kLingerTime = std::chrono::seconds(2);

// How long a worker waits for clients and for idle connections. The defaults are the product's;
// tests give shorter ones.
struct Timeouts
{
    Duration clientHead = kClientHeadTimeout;
    Duration clientIdle = kClientIdleTimeout;
    Duration clientBody = kClientBodyTimeout;
    Duration upstreamIdle = kUpstreamIdleTimeout;
    Duration streamPreface = kStreamPrefaceTimeout;
    Duration ticketRotation = kTicketRotation;
};

} // namespace mesh::proxy
