#pragma once

#include "proxyengine/base/histogram.h"

#include <cstdint>
#include <string>

namespace mesh::simulator {

// What the clients of a live mesh saw since the start. Counted on the client's side, so that it
// owes nothing to the proxies' own measurements.
struct LoadFigures
{
    std::uint64_t started = 0; // Requests that were due.
    std::uint64_t succeeded = 0; // Answered below 500.
    std::uint64_t failed = 0; // Answered with 5xx, broken, timed out.
    std::uint64_t refused = 0; // Not sent, because too many were in flight; also failures.
    std::uint64_t inFlight = 0;
    HistogramCounts latency; // Microseconds from the intended start to the whole answer.
    std::string lastFailure; // "HTTP 503", "connection refused", ...; empty: none yet.
};

} // namespace mesh::simulator
