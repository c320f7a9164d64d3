#pragma once

#include "proxyengine/base/histogram.h"
#include "proxyengine/telemetry/frame.h"
#include "proxyengine/telemetry/grpc_counts.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

// What one worker counts. Every row has one writer, the worker, so the request path is plain
// increments; once a second the worker empties its rows into a Reading and posts it to whoever
// collects.
namespace mesh::telemetry {

// Index into ByClass; 0 for everything that is not 100..599.
[[nodiscard]] std::size_t classOf(int status);

// Live counters of one (source, service, route).
struct RequestRow
{
    std::string source;
    std::string service;
    std::string route;
    EdgeProtocol protocol = EdgeProtocol::Http;
    ByClass answers{};
    std::uint64_t retries = 0;
    std::uint64_t bytesIn = 0;
    std::uint64_t bytesOut = 0;
    std::uint64_t inflight = 0;
    std::uint64_t mtls = 0;
    std::uint64_t plaintext = 0;
    std::uint32_t holders = 0; // Who points at this row; a row without any may be dropped.
    Histogram latency; // Microseconds.
};

// Live counters of one (source, upstream, target).
struct AttemptRow
{
    std::string source;
    std::string upstream;
    std::string target;
    std::string workload;
    ByClass answers{};
    std::uint64_t connectFailures = 0;
    std::uint64_t timeouts = 0;
    std::uint64_t active = 0;
    std::uint64_t connections = 0;
    std::uint32_t holders = 0;
    Histogram latency; // Microseconds.
};

// One worker's share of a frame: the interval's counts.
struct Reading
{
    std::vector<RequestSeries> requests;
    std::vector<AttemptSeries> attempts;
    std::uint64_t connections = 0;
    std::uint64_t accepted = 0;
    std::uint64_t protocolErrors = 0;
    std::uint64_t droppedSeries = 0;
    std::vector<GrpcSeries> grpc;
    std::uint64_t compressedFrom = 0;
    std::uint64_t compressedTo = 0;
    Http2Limits http2Limits{};
    StreamCounts streams;
};

// All counters of one worker.
//
// Limits: kSeriesPerNodeMax rows of each kind; what would be beyond shares one nameless row, which
//         no reading shows, and is counted as dropped.
// Lifetime: a row lives while it has holders, so a snapshot that is still draining keeps its rows.
class WorkerCounters
{
public:
    WorkerCounters();

    // The row of these names, made when it is new; the caller becomes a holder and owes release().
    [[nodiscard]] RequestRow& holdRequests(
        std::string_view source,
        std::string_view service,
        std::string_view route,
        EdgeProtocol protocol = EdgeProtocol::Http
    );
    [[nodiscard]] AttemptRow& holdAttempts(
        std::string_view source,
        std::string_view upstream,
        std::string_view target,
        std::string_view workload
    );
    static void release(RequestRow& row) { --row.holders; }
    static void release(AttemptRow& row) { --row.holders; }

    std::uint64_t connections = 0; // Open now, from clients.
    std::uint64_t accepted = 0; // Since the last take().
    std::uint64_t protocolErrors = 0; // Since the last take().
    Http2Limits http2Limits{}; // Since the last take().
    StreamCounts streams; // Since the last take().

    GrpcCounts grpc;
    std::uint64_t compressedFrom =
        0; // Bytes of bodies that were compressed, since the last take().
    std::uint64_t compressedTo = 0; // What they became.

    // Empties the counters of the interval and forgets rows that nobody holds.
    [[nodiscard]] Reading take();

private:
    template <typename Row>
    using Rows = std::unordered_map<std::string, std::unique_ptr<Row>>;

    Rows<RequestRow> m_requests; // By the three names, joined by a byte no name has.
    Rows<AttemptRow> m_attempts;
    RequestRow m_requestsBeyond;
    AttemptRow m_attemptsBeyond;
};

// Adds one worker's reading to a frame; rows of the same names become one.
void merge(StatsFrame& frame, Reading&& reading);

} // namespace mesh::telemetry
