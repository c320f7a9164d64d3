#include "proxyengine/telemetry/json.h"

#include "proxyengine/telemetry/access_log.h"
#include "proxyengine/telemetry/totals.h"

#include <nlohmann/json.hpp>

namespace mesh::telemetry {
namespace {

using Json = nlohmann::ordered_json;

std::string dumped(const Json& json)
{
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json latencyJson(const HistogramCounts& latency)
{
    Json buckets = Json::array();
    for (const HistogramCounts::Bucket& bucket : latency.buckets()) {
        buckets.push_back({bucket.index, bucket.count});
    }
    return {
        {"p50", latency.quantile(0.50) / 1000.0},
        {"p95", latency.quantile(0.95) / 1000.0},
        {"p99", latency.quantile(0.99) / 1000.0},
        {"buckets", std::move(buckets)}};
}

Json healthJson(const TargetHealth& health)
{
    return {
        {"upstream", health.upstream},
        {"target", health.target},
        {"workload", health.workload},
        {"weight", health.weight},
        {"health", toText(health.state)},
        {"reason", health.reason},
        {"since", timeText(health.since)},
        {"ejected", health.isEjected},
        {"suppressed", health.suppressed},
        {"zone", health.zone},
        {"version", health.version}};
}

Json policyJson(const std::vector<PolicyCount>& counts)
{
    Json policy = Json::array();
    for (const PolicyCount& row : counts) {
        policy.push_back(
            {{"kind", row.kind},
             {"subject", row.subject},
             {"detail", row.detail},
             {"count", row.count}}
        );
    }
    return policy;
}

Json grpcJson(const std::vector<GrpcSeries>& rows)
{
    Json methods = Json::array();
    for (const GrpcSeries& row : rows) {
        Json statuses = Json::object();
        for (std::size_t status = 0; status < row.statuses.size(); ++status) {
            if (row.statuses[status] > 0) {
                statuses[std::string(grpcStatusText(status))] = row.statuses[status];
            }
        }
        methods.push_back(
            {{"source", row.source},
             {"service", row.service},
             {"method", row.method},
             {"statuses", std::move(statuses)},
             {"latency_ms", latencyJson(row.latency)}}
        );
    }
    return methods;
}

Json statesJson(const std::vector<PolicyState>& rows)
{
    Json states = Json::array();
    for (const PolicyState& row : rows) {
        states.push_back(
            {{"kind", row.kind},
             {"subject", row.subject},
             {"detail", row.detail},
             {"reason", row.reason},
             {"since", timeText(row.since)}}
        );
    }
    return states;
}

} // namespace

std::string toJson(const TargetHealth& health) { return dumped(healthJson(health)); }

std::string toJson(const StatsFrame& frame)
{
    Json json = {
        {"kind", "stats"},
        {"time", timeText(frame.time)},
        {"node", frame.node},
        {"interval_ms", toMilliseconds(frame.interval)},
        {"sequence", frame.sequence},
        {"hash", frame.hash}};
    Json requests = Json::array();
    for (const RequestSeries& row : frame.requests) {
        requests.push_back(
            {{"source", row.source},
             {"service", row.service},
             {"route", row.route},
             {"answers", row.answers},
             {"retries", row.retries},
             {"bytes_in", row.bytesIn},
             {"bytes_out", row.bytesOut},
             {"inflight", row.inflight},
             {"mtls", row.mtls},
             {"plaintext", row.plaintext},
             {"latency_ms", latencyJson(row.latency)}}
        );
    }
    Json attempts = Json::array();
    for (const AttemptSeries& row : frame.attempts) {
        attempts.push_back(
            {{"source", row.source},
             {"upstream", row.upstream},
             {"target", row.target},
             {"workload", row.workload},
             {"answers", row.answers},
             {"connect_failures", row.connectFailures},
             {"timeouts", row.timeouts},
             {"active", row.active},
             {"connections", row.connections},
             {"latency_ms", latencyJson(row.latency)}}
        );
    }
    Json health = Json::array();
    for (const TargetHealth& row : frame.health) {
        health.push_back(healthJson(row));
    }
    if (!frame.grpc.empty()) {
        json["grpc"] = grpcJson(frame.grpc);
    }
    if (frame.compressedFrom > 0) {
        json["compression"] = {{"from", frame.compressedFrom}, {"to", frame.compressedTo}};
    }
    json["policy"] = policyJson(frame.policy);
    json["states"] = statesJson(frame.states);
    json["requests"] = std::move(requests);
    json["attempts"] = std::move(attempts);
    json["health"] = std::move(health);
    json["connections"] = frame.connections;
    json["accepted"] = frame.accepted;
    json["protocol_errors"] = frame.protocolErrors;
    for (std::size_t at = 0; at < frame.http2Limits.size(); ++at) {
        if (frame.http2Limits[at] > 0) {
            json["http2_limited"][kHttp2LimitNames[at]] = frame.http2Limits[at];
        }
    }
    json["dropped_series"] = frame.droppedSeries;
    json["cpu_ms"] = toMilliseconds(frame.cpu);
    return dumped(json);
}

} // namespace mesh::telemetry
