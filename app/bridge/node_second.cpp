#include "app/bridge/node_second.h"

#include "proxyengine/telemetry/frame.h"

namespace mesh::bridge {

NodeSecond secondOf(
    const std::string& node, const telemetry::StatsFrame& frame, std::int64_t time_s
)
{
    NodeSecond second;
    second.node = node;
    second.time_s = time_s;
    second.hash = frame.hash;
    for (const telemetry::RequestSeries& series : frame.requests) {
        for (const std::uint64_t count : series.answers) {
            second.requests += count;
        }
        second.errors += series.answers[0] + series.answers[5];
        second.latency.merge(series.latency);
    }
    for (const telemetry::PolicyCount& count : frame.policy) {
        second.ejections += count.kind == "ejected" ? count.count : 0;
    }
    return second;
}

} // namespace mesh::bridge
