#include "proxyengine/telemetry/grpc_counts.h"

#include "proxyengine/base/limits.h"
#include "proxyengine/telemetry/series_key.h"

#include <algorithm>
#include <utility>

namespace mesh::telemetry {
namespace {

constexpr std::string_view kOther = "other";

constexpr std::array<std::string_view, kGrpcStatusCount> kTexts = {
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED"};

} // namespace

std::string_view grpcStatusText(std::size_t status)
{
    return status < kTexts.size() ? kTexts[status] : std::string_view();
}

GrpcCounts::Row& GrpcCounts::rowOf(
    std::string_view source, std::string_view service, std::string_view method
)
{
    m_key.assign(source).push_back(kKeyJoint);
    m_key.append(service).push_back(kKeyJoint);
    m_key.append(method);
    const auto found = m_rows.find(m_key);
    if (found != m_rows.end()) {
        return *found->second;
    }
    if (m_rows.size() >= kGrpcMethodsMax && method != kOther) {
        return rowOf(source, service, kOther);
    }
    auto row = std::make_unique<Row>();
    row->series.source = source;
    row->series.service = service;
    row->series.method = method;
    return *m_rows.emplace(m_key, std::move(row)).first->second;
}

void GrpcCounts::record(
    std::string_view source,
    std::string_view service,
    std::string_view method,
    std::size_t status,
    std::uint64_t microseconds
)
{
    Row& row = rowOf(source, service, method);
    ++row.series.statuses[std::min(status, kGrpcStatusCount - 1)];
    row.latency.record(microseconds);
}

std::vector<GrpcSeries> GrpcCounts::take()
{
    std::vector<GrpcSeries> taken;
    for (auto at = m_rows.begin(); at != m_rows.end();) {
        Row& row = *at->second;
        const bool isIdle = std::ranges::all_of(row.series.statuses, [](std::uint64_t count) {
            return count == 0;
        });
        if (isIdle) {
            at = m_rows.erase(at);
            continue;
        }
        GrpcSeries series = row.series;
        series.latency = row.latency.take();
        row.series.statuses = {};
        taken.push_back(std::move(series));
        ++at;
    }
    return taken;
}

void merge(std::vector<GrpcSeries>& rows, std::vector<GrpcSeries>&& parts)
{
    for (GrpcSeries& part : parts) {
        const auto find = [&rows, &part] {
            return std::ranges::find_if(rows, [&part](const GrpcSeries& row) {
                return row.method == part.method && row.service == part.service
                       && row.source == part.source;
            });
        };
        auto same = find();
        if (same == rows.end() && rows.size() >= kGrpcMethodsMax && part.method != kOther) {
            part.method = kOther;
            same = find();
        }
        if (same == rows.end()) {
            rows.push_back(std::move(part));
            continue;
        }
        for (std::size_t status = 0; status < kGrpcStatusCount; ++status) {
            same->statuses[status] += part.statuses[status];
        }
        same->latency.merge(part.latency);
    }
}

} // namespace mesh::telemetry
