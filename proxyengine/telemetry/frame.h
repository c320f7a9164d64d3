#pragma once

#include "proxyengine/base/histogram.h"
#include "proxyengine/base/time.h"
#include "proxyengine/telemetry/grpc_counts.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::telemetry {

// Answers by status class; index 0 is "no answer at all" (reset, timeout, refused), 1..5 are
// 1xx..5xx.
using ByClass = std::array<std::uint64_t, 6>;

// What carries a row's traffic, as far as this node looks into it.
enum class EdgeProtocol : std::uint8_t { Http, Tcp, Tls, TlsPassthrough, Udp };

// "http", "tcp", "tls", "tls_passthrough", "udp".
[[nodiscard]] std::string_view toText(EdgeProtocol protocol);
// Http for every other word: frames of nodes to come stay readable.
[[nodiscard]] EdgeProtocol edgeProtocolOf(std::string_view word);

// Logical requests from one source to one service over one route, all attempts included.
// Counts and latencies are of this frame's interval alone; inflight is the value at its end.
struct RequestSeries
{
    std::string source; // Calling service, or the node's name for traffic from outside (a gateway).
    std::string service; // Empty when no route matched.
    std::string route; // Empty when no route matched.
    EdgeProtocol protocol = EdgeProtocol::Http; // Of a stream each connection is a request.
    ByClass answers{}; // As sent to the caller.
    std::uint64_t retries = 0; // Attempts beyond the first.
    std::uint64_t bytesIn = 0; // Bodies and heads from the caller.
    std::uint64_t bytesOut = 0; // To the caller.
    std::uint64_t inflight = 0;
    // Within a mesh that speaks mutual TLS: requests whose hop to or from a sidecar was under it,
    // and those whose hop was plain. Both zero: there was no such hop.
    std::uint64_t mtls = 0;
    std::uint64_t plaintext = 0;
    HistogramCounts latency; // Microseconds, whole request as the caller saw it.
};

// Single attempts from one source to one target.
struct AttemptSeries
{
    std::string source;
    std::string upstream; // Name of the upstream, which for workloads is the service.
    std::string target; // host:port.
    std::string workload; // Name of the instance behind the target when the document knows it.
    ByClass answers{};
    std::uint64_t connectFailures = 0;
    std::uint64_t timeouts = 0;
    std::uint64_t active = 0; // At the end of the interval.
    std::uint64_t connections = 0; // Open, at the end of the interval.
    HistogramCounts latency; // Microseconds, from sending to the response head.
};

// What a traffic policy did in the interval. Kinds are those of policy events (api/event.h).
struct PolicyCount
{
    std::string kind; // "ejected", "rate_limited", "retried", ...
    std::string subject; // "service:cart", "upstream:cart", "target:cart/10.0.0.3:7001".
    std::uint64_t count = 0;
    std::string detail; // Which of several: the detector that ejected ("consecutive_5xx"), the
                        // limit that was reached ("pending"), a high priority's "high_pending".
                        // A kind and subject may stand in several rows with different details.
    friend bool operator==(const PolicyCount&, const PolicyCount&) = default;
};

// A policy that is not at rest at the end of the interval; whatever is absent is at rest.
struct PolicyState
{
    std::string kind; // "breaker_open", "breaker_half_open", "panic", "failover", "ejected",
                      // "budget_exhausted", "limit_reached", "fault", "shedding".
    std::string subject;
    std::string reason; // "12 of 20 requests failed in 10 s; probes in 3 s".
    WallTime since{};
    std::string detail; // As of a PolicyCount.
    friend bool operator==(const PolicyState&, const PolicyState&) = default;
};

// What happened to streams before they were one, and to datagrams; of the interval.
struct StreamCounts
{
    std::uint64_t unrouted = 0; // Connections and UDP sessions that no route takes.
    std::uint64_t headersRefused = 0; // PROXY headers that were wrong or late.
    std::uint64_t hellosRefused = 0; // ClientHellos that were wrong or too large.
    std::uint64_t sessionsRefused = 0; // Datagrams beyond kUdpSessionsPerWorkerMax.
    std::uint64_t datagramsIn = 0; // From clients.
    std::uint64_t datagramsOut = 0; // To clients.
    std::uint64_t datagramsLost = 0; // That the kernel would not take or nobody wanted.
    friend bool operator==(const StreamCounts&, const StreamCounts&) = default;
};

// Adds the counts of a part.
void addTo(StreamCounts& sum, const StreamCounts& part);

// What HTTP/2 clients did too much of, in the order of http::H2Limit.
inline constexpr std::array<std::string_view, 9> kHttp2LimitNames = {
    "concurrent_streams",
    "rapid_reset",
    "settings_flood",
    "ping_flood",
    "priority_flood",
    "continuation_flood",
    "empty_data_flood",
    "header_list_size",
    "stalled_answers"};
using Http2Limits = std::array<std::uint64_t, kHttp2LimitNames.size()>;
void addTo(Http2Limits& sum, const Http2Limits& part);

enum class TargetState : std::uint8_t { Healthy, Unhealthy, DnsError, HealthchecksOff };

struct TargetHealth
{
    std::string upstream;
    std::string target;
    std::string workload;
    int weight = 0;
    TargetState state = TargetState::HealthchecksOff;
    std::string
        reason; // One sentence fragment, "3 connection failures in a row"; empty when healthy.
    WallTime since{};
    bool isEjected = false; // By outlier detection; the state is Unhealthy then.
    std::string suppressed; // Why an ejection that was due did not happen; empty: none was.
    WallTime ejectedUntil{}; // The earliest return; zero while not ejected.
    std::string zone; // Empty: unknown.
    std::string version;
    friend bool operator==(const TargetHealth&, const TargetHealth&) = default;
};

// One reading of all metrics of a node. Sums over frames are exact; a missing frame is missing
// time.
struct StatsFrame
{
    std::string node;
    WallTime time{}; // End of the interval.
    Duration interval{};
    std::uint64_t sequence = 0; // Grows by one per frame of this run of the node.
    std::string hash; // Of the configuration that runs, 64 hex digits.
    std::vector<RequestSeries> requests; // Only those with traffic in the interval or in flight.
    std::vector<AttemptSeries> attempts;
    std::vector<TargetHealth> health; // Every target of every upstream.
    std::vector<PolicyCount> policy; // Only what happened.
    std::vector<PolicyState> states;
    std::uint64_t connections = 0; // From clients, open at the end.
    std::uint64_t accepted = 0;
    std::uint64_t protocolErrors = 0; // Requests refused as malformed.
    Http2Limits http2Limits{};
    std::vector<GrpcSeries> grpc; // Only methods that were called.
    std::uint64_t compressedFrom = 0; // Bytes of bodies that were compressed on their way.
    std::uint64_t compressedTo = 0; // What they became.
    std::uint64_t droppedSeries = 0; // Beyond kSeriesPerNodeMax.
    StreamCounts streams;
    Duration cpu{}; // Of the process, in the interval.
    std::uint64_t memory = 0; // Bytes the process holds at the end; 0: not known.
};

} // namespace mesh::telemetry
