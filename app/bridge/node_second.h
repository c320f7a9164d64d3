#pragma once

#include "proxyengine/base/histogram.h"

#include <cstdint>
#include <string>

namespace mesh::telemetry {
struct StatsFrame;
}

namespace mesh::bridge {

// What one node measured in one second, all its series together.
struct NodeSecond
{
    std::string node;
    std::int64_t time_s = 0; // Beginning of the second, wall time.
    std::string hash; // Of the configuration that ran at its end.
    std::uint64_t requests = 0;
    std::uint64_t errors = 0; // 5xx and no answer.
    std::uint64_t ejections = 0;
    HistogramCounts latency; // Microseconds.
};

// Every request that the node answered, from outside or from its workloads.
[[nodiscard]] NodeSecond secondOf(
    const std::string& node, const telemetry::StatsFrame& frame, std::int64_t time_s
);

} // namespace mesh::bridge
