#pragma once

#include "proxyengine/base/random.h"

#include <optional>
#include <string>
#include <vector>

namespace mesh::api {

// One element of --proxy-listen or --stream-listen.
struct ListenOption
{
    std::string address; // host:port, port 0 for any free one.
    bool ssl = false;
    bool http2 = false;
    bool proxyProtocol = false; // Every connection begins with a PROXY header, version 1 or 2.
    bool udp = false; // Of --stream-listen: datagrams instead of connections.
    bool reusePort = false; // The port is shared with other processes, as workers share it.
};

enum class AccessLogFormat : unsigned char { Off, Text, Json };

// What an engine is told once, when it is made. Everything else is configuration.
struct EngineOptions
{
    std::string
        node; // Which node of the document this is; empty: a gateway that takes all services.
    int workers = 0; // 0: one per processor.
    std::vector<ListenOption> proxyListen;
    std::vector<ListenOption> streamListen;
    AccessLogFormat accessLog = AccessLogFormat::Off;
    std::string accessLogFile; // Empty: standard output.
    std::optional<Seed> seed; // Absent: from the system, printed at start.
};

} // namespace mesh::api
