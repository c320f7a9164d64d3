#pragma once

#include "proxyengine/api/engine.h"
#include "proxyengine/base/clock.h"
#include "proxyengine/base/error.h"
#include "proxyengine/base/random.h"
#include "proxyengine/control/listen_text.h"
#include "proxyengine/control/node_credentials.h"

#include <memory>
#include <string>

namespace mesh::control {

struct RemoteOptions
{
    AdminAddress address;
    std::string node; // What to call the node until it has told its own name.
    Seed seed{}; // Of the jitter between attempts to connect.
    NodeCredentials credentials = {}; // Needed when the address is one with TLS.
};

// A node in another process, through its admin API: follows GET /v1/events and sends commands as
// requests, all over one connection where the node speaks HTTP/2. Returns at once; while the node
// cannot be reached its state is Unreachable, commands are answered with Unavailable, and it is
// tried again after 0.2 s, doubling to 10 s, with jitter.
//
// Threads: has one of its own, on which events are delivered; submit() and stop() any.
// Lifetime: the clock outlives it.
[[nodiscard]] std::unique_ptr<api::Engine> makeRemoteEngine(
    const Clock& clock, RemoteOptions options
);

} // namespace mesh::control
