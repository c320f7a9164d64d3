#include "proxyengine/control/frame_json.h"

#include "proxyengine/base/duration_text.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/control/json_reader.h"
#include "proxyengine/telemetry/totals.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace mesh::control {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kTargetStates = {
    telemetry::TargetState::Healthy,
    telemetry::TargetState::Unhealthy,
    telemetry::TargetState::DnsError,
    telemetry::TargetState::HealthchecksOff};

// [[bucket, count], ...]: only what is not zero, so that a line stays short.
Json histogramToJson(const HistogramCounts& counts)
{
    Json json = Json::array();
    for (const HistogramCounts::Bucket& bucket : counts.buckets()) {
        json.push_back(Json::array({bucket.index, bucket.count}));
    }
    return json;
}

HistogramCounts histogramFromJson(const Json& json)
{
    std::vector<HistogramCounts::Bucket> buckets;
    for (const Json& pair : json) {
        const bool isPair = pair.is_array() && pair.size() == 2 && pair[0].is_number_unsigned()
                            && pair[1].is_number_unsigned();
        if (!isPair) {
            continue;
        }
        const auto index = pair[0].get<std::uint64_t>();
        const auto count = pair[1].get<std::uint64_t>();
        if (index < HistogramScale::kBuckets
            && count <= std::numeric_limits<std::uint32_t>::max()) {
            buckets.push_back({static_cast<std::uint16_t>(index), static_cast<std::uint32_t>(count)}
            );
        }
    }
    return HistogramCounts(std::move(buckets));
}

telemetry::ByClass answersFromJson(const Json& json)
{
    telemetry::ByClass answers{};
    for (std::size_t i = 0; i < std::min(answers.size(), json.size()); ++i) {
        answers.at(i) = json[i].is_number_unsigned() ? json[i].get<std::uint64_t>() : 0;
    }
    return answers;
}

Json requestsToJson(const telemetry::RequestSeries& series)
{
    Json json{
        {"source", series.source},
        {"service", series.service},
        {"route", series.route},
        {"answers", series.answers},
        {"retries", series.retries},
        {"bytes_in", series.bytesIn},
        {"bytes_out", series.bytesOut},
        {"inflight", series.inflight},
        {"latency_us", histogramToJson(series.latency)}};
    if (series.mtls > 0 || series.plaintext > 0) {
        json["mtls"] = series.mtls;
        json["plaintext"] = series.plaintext;
    }
    if (series.protocol != telemetry::EdgeProtocol::Http) {
        json["protocol"] = telemetry::toText(series.protocol);
    }
    return json;
}

telemetry::RequestSeries requestsFromJson(const Json& json)
{
    telemetry::RequestSeries series;
    series.source = textOf(json, "source");
    series.service = textOf(json, "service");
    series.route = textOf(json, "route");
    series.protocol = telemetry::edgeProtocolOf(textOf(json, "protocol"));
    series.answers = answersFromJson(listOf(json, "answers"));
    series.retries = countOf(json, "retries");
    series.bytesIn = countOf(json, "bytes_in");
    series.bytesOut = countOf(json, "bytes_out");
    series.inflight = countOf(json, "inflight");
    series.mtls = countOf(json, "mtls");
    series.plaintext = countOf(json, "plaintext");
    series.latency = histogramFromJson(listOf(json, "latency_us"));
    return series;
}

Json attemptsToJson(const telemetry::AttemptSeries& series)
{
    return Json{
        {"source", series.source},
        {"upstream", series.upstream},
        {"target", series.target},
        {"workload", series.workload},
        {"answers", series.answers},
        {"connect_failures", series.connectFailures},
        {"timeouts", series.timeouts},
        {"active", series.active},
        {"connections", series.connections},
        {"latency_us", histogramToJson(series.latency)}};
}

telemetry::AttemptSeries attemptsFromJson(const Json& json)
{
    telemetry::AttemptSeries series;
    series.source = textOf(json, "source");
    series.upstream = textOf(json, "upstream");
    series.target = textOf(json, "target");
    series.workload = textOf(json, "workload");
    series.answers = answersFromJson(listOf(json, "answers"));
    series.connectFailures = countOf(json, "connect_failures");
    series.timeouts = countOf(json, "timeouts");
    series.active = countOf(json, "active");
    series.connections = countOf(json, "connections");
    series.latency = histogramFromJson(listOf(json, "latency_us"));
    return series;
}

Json grpcToJson(const telemetry::GrpcSeries& series)
{
    return Json{
        {"source", series.source},
        {"service", series.service},
        {"method", series.method},
        {"statuses", series.statuses},
        {"latency_us", histogramToJson(series.latency)}};
}

telemetry::GrpcSeries grpcFromJson(const Json& json)
{
    telemetry::GrpcSeries series;
    series.source = textOf(json, "source");
    series.service = textOf(json, "service");
    series.method = textOf(json, "method");
    const Json& statuses = listOf(json, "statuses");
    for (std::size_t at = 0; at < std::min(series.statuses.size(), statuses.size()); ++at) {
        series.statuses[at] =
            statuses[at].is_number_unsigned() ? statuses[at].get<std::uint64_t>() : 0;
    }
    series.latency = histogramFromJson(listOf(json, "latency_us"));
    return series;
}

Json countToJson(const telemetry::PolicyCount& count)
{
    Json json{{"kind", count.kind}, {"subject", count.subject}, {"count", count.count}};
    if (!count.detail.empty()) {
        json["detail"] = count.detail;
    }
    return json;
}

telemetry::PolicyCount countFromJson(const Json& json)
{
    telemetry::PolicyCount count;
    count.kind = textOf(json, "kind");
    count.subject = textOf(json, "subject");
    count.count = countOf(json, "count");
    count.detail = textOf(json, "detail");
    return count;
}

Json stateToJson(const telemetry::PolicyState& state)
{
    Json json{
        {"kind", state.kind},
        {"subject", state.subject},
        {"reason", state.reason},
        {"since", toIsoText(state.since)},
        {"since_us", state.since.time_since_epoch().count()}};
    if (!state.detail.empty()) {
        json["detail"] = state.detail;
    }
    return json;
}

telemetry::PolicyState stateFromJson(const Json& json)
{
    telemetry::PolicyState state;
    state.kind = textOf(json, "kind");
    state.subject = textOf(json, "subject");
    state.reason = textOf(json, "reason");
    state.since = wallTimeOf(json, "since_us");
    state.detail = textOf(json, "detail");
    return state;
}

struct StreamCountMember
{
    const char* key;
    std::uint64_t telemetry::StreamCounts::*member;
};

constexpr std::array<StreamCountMember, 7> kStreamCounts = {{
    {"unrouted", &telemetry::StreamCounts::unrouted},
    {"headers_refused", &telemetry::StreamCounts::headersRefused},
    {"hellos_refused", &telemetry::StreamCounts::hellosRefused},
    {"sessions_refused", &telemetry::StreamCounts::sessionsRefused},
    {"datagrams_in", &telemetry::StreamCounts::datagramsIn},
    {"datagrams_out", &telemetry::StreamCounts::datagramsOut},
    {"datagrams_lost", &telemetry::StreamCounts::datagramsLost},
}};

// Only what is not zero.
Json streamsToJson(const telemetry::StreamCounts& counts)
{
    Json json = Json::object();
    for (const StreamCountMember& each : kStreamCounts) {
        if (counts.*each.member != 0) {
            json[each.key] = counts.*each.member;
        }
    }
    return json;
}

telemetry::StreamCounts streamsFromJson(const Json& json)
{
    telemetry::StreamCounts counts;
    for (const StreamCountMember& each : kStreamCounts) {
        counts.*each.member = countOf(json, each.key);
    }
    return counts;
}

} // namespace

Json healthToJson(const telemetry::TargetHealth& health)
{
    Json json{
        {"upstream", health.upstream},
        {"target", health.target},
        {"workload", health.workload},
        {"weight", health.weight},
        {"health", telemetry::toText(health.state)},
        {"reason", health.reason},
        {"since", toIsoText(health.since)},
        {"since_us", health.since.time_since_epoch().count()},
        {"ejected", health.isEjected},
        {"ejected_until", nullptr},
        {"suppressed", health.suppressed},
        {"zone", health.zone},
        {"version", health.version}};
    if (health.isEjected) {
        json["ejected_until"] = toIsoText(health.ejectedUntil);
        json["ejected_until_us"] = health.ejectedUntil.time_since_epoch().count();
    }
    return json;
}

telemetry::TargetHealth healthFromJson(const Json& json)
{
    telemetry::TargetHealth health;
    health.upstream = textOf(json, "upstream");
    health.target = textOf(json, "target");
    health.workload = textOf(json, "workload");
    health.weight = static_cast<int>(integerOf(json, "weight"));
    const std::string word = textOf(json, "health");
    for (const telemetry::TargetState state : kTargetStates) {
        if (telemetry::toText(state) == word) {
            health.state = state;
        }
    }
    health.reason = textOf(json, "reason");
    health.since = wallTimeOf(json, "since_us");
    health.isEjected = memberOf(json, "ejected") == Json(true);
    health.ejectedUntil = wallTimeOf(json, "ejected_until_us");
    health.suppressed = textOf(json, "suppressed");
    health.zone = textOf(json, "zone");
    health.version = textOf(json, "version");
    return health;
}

Json frameToJson(const telemetry::StatsFrame& frame)
{
    Json json{
        {"node", frame.node},
        {"time_us", frame.time.time_since_epoch().count()},
        {"interval_ns", frame.interval.count()},
        {"sequence", frame.sequence},
        {"hash", frame.hash},
        {"connections", frame.connections},
        {"accepted", frame.accepted},
        {"protocol_errors", frame.protocolErrors},
        {"dropped_series", frame.droppedSeries},
        {"cpu_ns", frame.cpu.count()},
        {"memory_bytes", frame.memory}};
    for (std::size_t at = 0; at < frame.http2Limits.size(); ++at) {
        if (frame.http2Limits[at] > 0) {
            json["http2_limited"][telemetry::kHttp2LimitNames[at]] = frame.http2Limits[at];
        }
    }
    if (Json streams = streamsToJson(frame.streams); !streams.empty()) {
        json["streams"] = std::move(streams);
    }
    if (frame.compressedFrom > 0) {
        json["compressed_from"] = frame.compressedFrom;
        json["compressed_to"] = frame.compressedTo;
    }
    for (const telemetry::GrpcSeries& series : frame.grpc) {
        json["grpc"].push_back(grpcToJson(series));
    }
    json["requests"] = Json::array();
    for (const telemetry::RequestSeries& series : frame.requests) {
        json["requests"].push_back(requestsToJson(series));
    }
    json["attempts"] = Json::array();
    for (const telemetry::AttemptSeries& series : frame.attempts) {
        json["attempts"].push_back(attemptsToJson(series));
    }
    json["health"] = Json::array();
    for (const telemetry::TargetHealth& health : frame.health) {
        json["health"].push_back(healthToJson(health));
    }
    json["policy"] = Json::array();
    for (const telemetry::PolicyCount& count : frame.policy) {
        json["policy"].push_back(countToJson(count));
    }
    json["states"] = Json::array();
    for (const telemetry::PolicyState& state : frame.states) {
        json["states"].push_back(stateToJson(state));
    }
    return json;
}

Result<telemetry::StatsFrame> frameFromJson(const Json& json)
{
    if (!json.is_object()) {
        return fail(ErrorCode::InvalidArgument, "a stats event has no frame");
    }
    const std::size_t rows = listOf(json, "requests").size() + listOf(json, "attempts").size()
                             + listOf(json, "grpc").size() + listOf(json, "policy").size()
                             + listOf(json, "states").size();
    if (rows > 4 * kSeriesPerNodeMax) {
        return fail(ErrorCode::LimitExceeded, "a frame has more series than a node may have");
    }
    telemetry::StatsFrame frame;
    frame.node = textOf(json, "node");
    frame.time = wallTimeOf(json, "time_us");
    frame.interval = Duration(integerOf(json, "interval_ns"));
    frame.sequence = countOf(json, "sequence");
    frame.hash = textOf(json, "hash");
    frame.connections = countOf(json, "connections");
    frame.accepted = countOf(json, "accepted");
    frame.protocolErrors = countOf(json, "protocol_errors");
    frame.droppedSeries = countOf(json, "dropped_series");
    frame.cpu = Duration(integerOf(json, "cpu_ns"));
    frame.memory = countOf(json, "memory_bytes");
    const Json& limited = memberOf(json, "http2_limited");
    for (std::size_t at = 0; at < frame.http2Limits.size(); ++at) {
        frame.http2Limits[at] = countOf(limited, telemetry::kHttp2LimitNames[at].data());
    }
    frame.streams = streamsFromJson(memberOf(json, "streams"));
    frame.compressedFrom = countOf(json, "compressed_from");
    frame.compressedTo = countOf(json, "compressed_to");
    for (const Json& series : listOf(json, "grpc")) {
        frame.grpc.push_back(grpcFromJson(series));
    }
    for (const Json& series : listOf(json, "requests")) {
        frame.requests.push_back(requestsFromJson(series));
    }
    for (const Json& series : listOf(json, "attempts")) {
        frame.attempts.push_back(attemptsFromJson(series));
    }
    for (const Json& health : listOf(json, "health")) {
        frame.health.push_back(healthFromJson(health));
    }
    for (const Json& count : listOf(json, "policy")) {
        frame.policy.push_back(countFromJson(count));
    }
    for (const Json& state : listOf(json, "states")) {
        frame.states.push_back(stateFromJson(state));
    }
    return frame;
}

} // namespace mesh::control
