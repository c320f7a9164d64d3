#pragma once

#include "proxyengine/base/time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Lines of the access log. No header of a request is ever part of a line, so no credential can be.
namespace mesh::telemetry {

// What is known of a request when it has ended. Views live as long as the call.
struct AccessRecord
{
    WallTime time{}; // When the request began.
    std::string_view client; // Address of the peer, without port.
    std::string_view method;
    std::string_view host;
    std::string_view target; // As received, query included.
    std::string_view protocol; // "HTTP/1.1", "HTTP/2"; empty: not HTTP.
    int status = 0; // 0: no answer was sent.
    std::string_view route;
    std::string_view service;
    std::string_view upstreamTarget; // host:port of the last attempt.
    std::string_view source;
    int attempts = 0;
    Duration latencyTotal{};
    Duration latencyUpstream{};
    Duration latencyProxy{};
    std::uint64_t bytesIn = 0;
    std::uint64_t bytesOut = 0;
    std::string_view requestId;
    std::optional<int> grpcStatus; // Of a gRPC call.
    std::string_view failure; // What the proxy says went wrong; empty: nothing.
};

// One line with its line feed, appended: time, client, "method target protocol", status, bytes,
// latencies in milliseconds, names. Bytes that are not printable ASCII, quotes and backslashes
// become \xHH.
void appendText(std::string& out, const AccessRecord& record);

// The same as one JSON object and a line feed; invalid UTF-8 becomes U+FFFD.
void appendJson(std::string& out, const AccessRecord& record);

// "2026-01-31T23:59:59.123Z": UTC with milliseconds.
[[nodiscard]] std::string timeText(WallTime time);

} // namespace mesh::telemetry
