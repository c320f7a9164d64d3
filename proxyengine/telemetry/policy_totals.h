#pragma once

#include "proxyengine/telemetry/frame.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace mesh::telemetry {

// What traffic policies did since the node started, and what they do now, for /metrics.
//
// Limits: kSeriesPerNodeMax rows; add() says how many were dropped.
class PolicyTotals
{
public:
    [[nodiscard]] std::uint64_t add(const StatsFrame& frame); // Rows dropped.

    // Metrics with HELP and TYPE, rows sorted. Envoy's name of a thing stands in its HELP.
    void write(std::string& out) const;

private:
    using Key = std::tuple<std::string, std::string, std::string>; // Kind, detail, subject.

    void writeCounters(std::string& out) const;
    void writeEjected(std::string& out) const;
    void writeBreakers(std::string& out) const;
    void writeStates(std::string& out) const;

    std::map<Key, std::uint64_t> m_counts;
    std::set<std::string> m_breakers; // Subjects of all that were ever not closed.
    std::vector<PolicyState> m_states; // Of the last frame.
    std::vector<TargetHealth> m_health;
};

} // namespace mesh::telemetry
