#pragma once

#include "proxyengine/telemetry/frame.h"
#include "proxyengine/telemetry/policy_totals.h"

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

namespace mesh::telemetry {

// Sums of all frames of one node since it started, for those who ask for totals and not for
// intervals: the admin API's /metrics and /status.
//
// Limits: kSeriesPerNodeMax rows of each kind; what would be beyond is counted as dropped.
class Totals
{
public:
    void add(const StatsFrame& frame);

    [[nodiscard]] std::uint64_t requests() const { return m_requests; } // Answered.
    [[nodiscard]] std::uint64_t accepted() const { return m_accepted; }
    [[nodiscard]] std::uint64_t connections() const { return m_connections; } // Open now.

    // Prometheus text exposition, version 0.0.4: HELP and TYPE of every metric, label values
    // escaped, rows sorted by their labels. Durations are in seconds, sizes in bytes.
    [[nodiscard]] std::string prometheusText() const;

private:
    using RequestKey = std::tuple<std::string, std::string, std::string, EdgeProtocol>;
    struct AttemptKey
    {
        std::string source;
        std::string upstream;
        std::string target;
        friend auto operator<=>(const AttemptKey&, const AttemptKey&) = default;
    };

    void writeNode(std::string& out) const;
    void writeStreams(std::string& out) const;
    void writeRequests(std::string& out) const;
    void writeAttempts(std::string& out) const;
    void writeGrpc(std::string& out) const;
    void writeHealth(std::string& out) const;

    std::string m_node;
    std::string m_hash;
    std::map<RequestKey, RequestSeries> m_byRequest;
    std::map<AttemptKey, AttemptSeries> m_byAttempt;
    std::vector<TargetHealth> m_health;
    PolicyTotals m_policies;
    std::uint64_t m_requests = 0;
    std::uint64_t m_accepted = 0;
    std::uint64_t m_connections = 0;
    std::uint64_t m_protocolErrors = 0;
    std::uint64_t m_droppedSeries = 0;
    Http2Limits m_http2Limits{};
    StreamCounts m_streams;
    std::vector<GrpcSeries> m_grpc;
    std::uint64_t m_compressedFrom = 0;
    std::uint64_t m_compressedTo = 0;
    Duration m_cpu{};
};

// "HEALTHY", "UNHEALTHY", "DNS_ERROR", "HEALTHCHECKS_OFF": the words of the gateway's health lists.
[[nodiscard]] std::string_view toText(TargetState state);

} // namespace mesh::telemetry
