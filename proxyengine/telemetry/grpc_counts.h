#pragma once

#include "proxyengine/base/histogram.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

// What gRPC calls came to, by method.
namespace mesh::telemetry {

inline constexpr std::size_t kGrpcStatusCount = 17; // OK to UNAUTHENTICATED.
using ByGrpcStatus = std::array<std::uint64_t, kGrpcStatusCount>;

// "OK", "UNAVAILABLE"; empty beyond the last.
[[nodiscard]] std::string_view grpcStatusText(std::size_t status);

// Calls of one method of one service from one source, in the frame's interval.
struct GrpcSeries
{
    std::string source;
    std::string service;
    std::string method; // "shop.Cart/Add"; "other" for what is no method or beyond the limit.
    ByGrpcStatus statuses{};
    HistogramCounts latency; // Microseconds, whole call.
    friend bool operator==(const GrpcSeries&, const GrpcSeries&) = default;
};

// One worker's counts.
//
// Limits: kGrpcMethodsMax methods in an interval, because callers choose the names; further ones
//         are "other" of their service.
// Cost: nothing is allocated for a method that was seen in this interval.
class GrpcCounts
{
public:
    void record(
        std::string_view source,
        std::string_view service,
        std::string_view method,
        std::size_t status,
        std::uint64_t microseconds
    );
    // Empties the counts of the interval.
    [[nodiscard]] std::vector<GrpcSeries> take();

private:
    struct Row
    {
        GrpcSeries series;
        Histogram latency;
    };
    Row& rowOf(std::string_view source, std::string_view service, std::string_view method);

    std::unordered_map<std::string, std::unique_ptr<Row>> m_rows;
    std::string m_key;
};

// Adds rows to rows; those of the same names become one. Beyond kGrpcMethodsMax: into "other".
void merge(std::vector<GrpcSeries>& rows, std::vector<GrpcSeries>&& parts);

} // namespace mesh::telemetry
