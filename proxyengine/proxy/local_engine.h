#pragma once

#include "proxyengine/api/engine.h"
#include "proxyengine/api/engine_options.h"
#include "proxyengine/base/error.h"
#include "proxyengine/proxy/timeouts.h"

#include <memory>

namespace mesh::proxy {

// The proxy in this process: one control thread and `workers` worker threads. It runs no
// configuration until the first ApplyDocument; gateway listeners of EngineOptions::proxyListen are
// bound at once, so that their ports are known, and answer 404 until then. Stream listeners relay
// TCP by the stream route of their port, and refuse connections while there is none.
//
// Errors: InvalidArgument or AlreadyExists when an address cannot be listened on; Io.
[[nodiscard]] Result<std::unique_ptr<api::Engine>> makeLocalEngine(api::EngineOptions options);
// The same with other waiting times, for tests.
[[nodiscard]] Result<std::unique_ptr<api::Engine>> makeLocalEngine(
    api::EngineOptions options, const Timeouts& timeouts
);

} // namespace mesh::proxy
