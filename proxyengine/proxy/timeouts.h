#pragma once

#include "proxyengine/base/limits.h"
#include "proxyengine/base/time.h"
#include "proxyengine/tls/tickets.h"

namespace mesh::proxy {

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
