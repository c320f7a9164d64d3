#pragma once

#include "proxyengine/api/engine_options.h"
#include "proxyengine/base/error.h"
#include "proxyengine/base/log.h"
#include "proxyengine/control/listen_text.h"
#include "proxyengine/control/node_credentials.h"

#include <string>
#include <variant>

namespace mesh::daemon {

// What the command line says.
struct RunOptions
{
    api::EngineOptions engine;
    control::AdminAddress admin;
    control::NodeCredentials adminCredentials; // Of --admin-tls; empty: none.
    LogOptions log;
    std::string config; // Path of the declarative file; may be empty.
    std::string stateDirectory; // May be empty.
    Duration drainGrace{};
};

// The program ends now: this text on that stream, with that code.
struct EndNow
{
    std::string out;
    std::string err;
    int exitCode = 0;
};

[[nodiscard]] std::variant<RunOptions, EndNow> readCommandLine(int argc, const char* const* argv);

} // namespace mesh::daemon
