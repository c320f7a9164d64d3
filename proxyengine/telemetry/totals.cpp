#include "proxyengine/telemetry/totals.h"

#include "proxyengine/base/limits.h"
#include "proxyengine/telemetry/exposition.h"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <string_view>

namespace mesh::telemetry {
namespace {

constexpr std::array<std::string_view, 6> kClassWords = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

// Upper bounds of the exposed latency buckets, seconds. Source: Prometheus client defaults, with
// 1 ms and 2.5 ms added because calls inside a mesh are that short.
constexpr std::array<double, 13> kLatencyBounds = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0};

void classes(
    std::string& out, std::string_view name, const std::string& labels, const ByClass& answers
)
{
    for (std::size_t at = 0; at < answers.size(); ++at) {
        if (answers[at] != 0) {
            line(out, name, fmt::format("{},class=\"{}\"", labels, kClassWords[at]), answers[at]);
        }
    }
}

void histogram(
    std::string& out,
    std::string_view name,
    const std::string& labels,
    const HistogramCounts& latency
)
{
    std::uint64_t seen = 0;
    double sum = 0;
    auto bucket = latency.buckets().begin();
    for (const double bound : kLatencyBounds) {
        while (bucket != latency.buckets().end()
               && HistogramScale::middleOf(bucket->index) <= bound * 1e6) {
            seen += bucket->count;
            sum += HistogramScale::middleOf(bucket->index) * bucket->count;
            ++bucket;
        }
        line(out, fmt::format("{}_bucket", name), fmt::format("{},le=\"{}\"", labels, bound), seen);
    }
    for (; bucket != latency.buckets().end(); ++bucket) {
        seen += bucket->count;
        sum += HistogramScale::middleOf(bucket->index) * bucket->count;
    }
    line(out, fmt::format("{}_bucket", name), labels + ",le=\"+Inf\"", seen);
    line(out, fmt::format("{}_sum", name), labels, sum / 1e6);
    line(out, fmt::format("{}_count", name), labels, seen);
}

void addAnswers(ByClass& sum, const ByClass& part)
{
    for (std::size_t at = 0; at < sum.size(); ++at) {
        sum[at] += part[at];
    }
}

std::string labelsOf(const RequestSeries& row)
{
    std::string labels = fmt::format(
        "source=\"{}\",service=\"{}\",route=\"{}\"",
        escaped(row.source),
        escaped(row.service),
        escaped(row.route)
    );
    if (row.protocol != EdgeProtocol::Http) {
        labels += fmt::format(",protocol=\"{}\"", toText(row.protocol));
    }
    return labels;
}

std::string labelsOf(const AttemptSeries& row)
{
    return fmt::format(
        "source=\"{}\",upstream=\"{}\",target=\"{}\"",
        escaped(row.source),
        escaped(row.upstream),
        escaped(row.target)
    );
}

} // namespace

std::string_view toText(TargetState state)
{
    switch (state) {
    case TargetState::Healthy:
        return "HEALTHY";
    case TargetState::Unhealthy:
        return "UNHEALTHY";
    case TargetState::DnsError:
        return "DNS_ERROR";
    case TargetState::HealthchecksOff:
        break;
    }
    return "HEALTHCHECKS_OFF";
}

void Totals::add(const StatsFrame& frame)
{
    m_node = frame.node;
    m_hash = frame.hash;
    m_accepted += frame.accepted;
    m_connections = frame.connections;
    m_protocolErrors += frame.protocolErrors;
    m_droppedSeries += frame.droppedSeries;
    m_cpu += frame.cpu;
    addTo(m_http2Limits, frame.http2Limits);
    addTo(m_streams, frame.streams);
    merge(m_grpc, std::vector<GrpcSeries>(frame.grpc));
    m_compressedFrom += frame.compressedFrom;
    m_compressedTo += frame.compressedTo;
    m_health = frame.health;
    m_droppedSeries += m_policies.add(frame);
    for (auto& [key, row] : m_byRequest) {
        row.inflight = 0;
    }
    for (auto& [key, row] : m_byAttempt) {
        row.active = 0;
        row.connections = 0;
    }
    for (const RequestSeries& part : frame.requests) {
        for (const std::uint64_t count : part.answers) {
            m_requests += count;
        }
        const RequestKey key(part.source, part.service, part.route, part.protocol);
        if (m_byRequest.size() >= kSeriesPerNodeMax && !m_byRequest.contains(key)) {
            ++m_droppedSeries;
            continue;
        }
        RequestSeries& sum = m_byRequest[key];
        sum.source = part.source;
        sum.service = part.service;
        sum.route = part.route;
        sum.protocol = part.protocol;
        addAnswers(sum.answers, part.answers);
        sum.retries += part.retries;
        sum.bytesIn += part.bytesIn;
        sum.bytesOut += part.bytesOut;
        sum.inflight += part.inflight;
        sum.mtls += part.mtls;
        sum.plaintext += part.plaintext;
        sum.latency.merge(part.latency);
    }
    for (const AttemptSeries& part : frame.attempts) {
        const AttemptKey key{part.source, part.upstream, part.target};
        if (m_byAttempt.size() >= kSeriesPerNodeMax && !m_byAttempt.contains(key)) {
            ++m_droppedSeries;
            continue;
        }
        AttemptSeries& sum = m_byAttempt[key];
        sum.source = part.source;
        sum.upstream = part.upstream;
        sum.target = part.target;
        sum.workload = part.workload;
        addAnswers(sum.answers, part.answers);
        sum.connectFailures += part.connectFailures;
        sum.timeouts += part.timeouts;
        sum.active += part.active;
        sum.connections += part.connections;
        sum.latency.merge(part.latency);
    }
}

std::string Totals::prometheusText() const
{
    std::string out;
    writeNode(out);
    writeStreams(out);
    writeRequests(out);
    writeAttempts(out);
    writeGrpc(out);
    writeHealth(out);
    m_policies.write(out);
    return out;
}

void Totals::writeNode(std::string& out) const
{
    head(out, "mesh_node_info", "gauge", "The node and the configuration it runs; always 1.");
    line(
        out,
        "mesh_node_info",
        fmt::format("node=\"{}\",config=\"{}\"", escaped(m_node), escaped(m_hash)),
        1
    );
    head(out, "mesh_node_cpu_seconds_total", "counter", "Processor time of the process.");
    line(out, "mesh_node_cpu_seconds_total", "", toSeconds(m_cpu));
    head(out, "mesh_client_connections", "gauge", "Open connections from clients.");
    line(out, "mesh_client_connections", "", m_connections);
    head(out, "mesh_client_accepted_total", "counter", "Connections accepted from clients.");
    line(out, "mesh_client_accepted_total", "", m_accepted);
    head(out, "mesh_client_malformed_total", "counter", "Requests refused as malformed.");
    line(out, "mesh_client_malformed_total", "", m_protocolErrors);
    head(out, "mesh_http2_limited_total", "counter", "HTTP/2 clients that passed a limit.");
    for (std::size_t at = 0; at < m_http2Limits.size(); ++at) {
        line(
            out,
            "mesh_http2_limited_total",
            fmt::format("{{limit=\"{}\"}}", kHttp2LimitNames[at]),
            m_http2Limits[at]
        );
    }
    head(out, "mesh_series_dropped_total", "counter", "Rows beyond the limit of series.");
    line(out, "mesh_series_dropped_total", "", m_droppedSeries);
}

void Totals::writeStreams(std::string& out) const
{
    const auto counter = [&out](std::string_view name, std::string_view help, std::uint64_t value) {
        head(out, name, "counter", help);
        line(out, name, "", value);
    };
    counter(
        "mesh_stream_unrouted_total",
        "Connections and UDP sessions that no stream route takes.",
        m_streams.unrouted
    );
    counter(
        "mesh_proxy_headers_refused_total",
        "Connections closed for a wrong, missing or late PROXY header.",
        m_streams.headersRefused
    );
    counter(
        "mesh_client_hellos_refused_total",
        "Connections closed for a ClientHello that is malformed or too large.",
        m_streams.hellosRefused
    );
    counter(
        "mesh_udp_sessions_refused_total",
        "Datagrams of clients beyond the limit of sessions.",
        m_streams.sessionsRefused
    );
    counter("mesh_udp_received_total", "Datagrams from clients.", m_streams.datagramsIn);
    counter("mesh_udp_sent_total", "Datagrams to clients.", m_streams.datagramsOut);
    counter(
        "mesh_udp_lost_total", "Datagrams that could not be passed on.", m_streams.datagramsLost
    );
}

void Totals::writeRequests(std::string& out) const
{
    const auto each =
        [&](std::string_view name, std::string_view type, std::string_view help, auto&& write) {
            head(out, name, type, help);
            for (const auto& [key, row] : m_byRequest) {
                write(name, labelsOf(row), row);
            }
        };
    using Row = const RequestSeries&;
    using Name = std::string_view;
    using Labels = const std::string&;
    each(
        "mesh_requests_total",
        "counter",
        "Requests by the class of their answer.",
        [&](Name name, Labels labels, Row row) { classes(out, name, labels, row.answers); }
    );
    each(
        "mesh_request_retries_total",
        "counter",
        "Attempts beyond the first.",
        [&](Name name, Labels labels, Row row) { line(out, name, labels, row.retries); }
    );
    each(
        "mesh_request_received_bytes_total",
        "counter",
        "Bytes from callers, heads included.",
        [&](Name name, Labels labels, Row row) { line(out, name, labels, row.bytesIn); }
    );
    each(
        "mesh_request_sent_bytes_total",
        "counter",
        "Bytes to callers, heads included.",
        [&](Name name, Labels labels, Row row) { line(out, name, labels, row.bytesOut); }
    );
    each(
        "mesh_requests_inflight",
        "gauge",
        "Requests begun and not ended.",
        [&](Name name, Labels labels, Row row) { line(out, name, labels, row.inflight); }
    );
    each(
        "mesh_request_seconds",
        "histogram",
        "Whole requests as callers saw them.",
        [&](Name name, Labels labels, Row row) { histogram(out, name, labels, row.latency); }
    );
}

void Totals::writeGrpc(std::string& out) const
{
    const auto labelsOf = [](const GrpcSeries& row) {
        return fmt::format(
            "source=\"{}\",service=\"{}\",method=\"{}\"",
            escaped(row.source),
            escaped(row.service),
            escaped(row.method)
        );
    };
    head(out, "mesh_grpc_calls_total", "counter", "gRPC calls by method and status.");
    for (const GrpcSeries& row : m_grpc) {
        for (std::size_t status = 0; status < row.statuses.size(); ++status) {
            if (row.statuses[status] > 0) {
                line(
                    out,
                    "mesh_grpc_calls_total",
                    fmt::format("{},status=\"{}\"", labelsOf(row), grpcStatusText(status)),
                    row.statuses[status]
                );
            }
        }
    }
    head(out, "mesh_grpc_call_seconds", "histogram", "Whole gRPC calls as callers saw them.");
    for (const GrpcSeries& row : m_grpc) {
        histogram(out, "mesh_grpc_call_seconds", labelsOf(row), row.latency);
    }
    head(out, "mesh_compressed_from_bytes_total", "counter", "Bodies before they were compressed.");
    line(out, "mesh_compressed_from_bytes_total", "", m_compressedFrom);
    head(out, "mesh_compressed_to_bytes_total", "counter", "The same bodies, compressed.");
    line(out, "mesh_compressed_to_bytes_total", "", m_compressedTo);
}

void Totals::writeAttempts(std::string& out) const
{
    const auto each =
        [&](std::string_view name, std::string_view type, std::string_view help, auto&& write) {
            head(out, name, type, help);
            for (const auto& [key, row] : m_byAttempt) {
                write(name, labelsOf(row), row);
            }
        };
    using Row = const AttemptSeries&;
    using Name = std::string_view;
    using Labels = const std::string&;
    each(
        "mesh_attempts_total",
        "counter",
        "Attempts by the class of their answer.",
        [&](Name name, Labels labels, Row row) { classes(out, name, labels, row.answers); }
    );
    each(
        "mesh_attempt_connect_failures_total",
        "counter",
        "Attempts that could not connect.",
        [&](Name name, Labels labels, Row row) { line(out, name, labels, row.connectFailures); }
    );
    each(
        "mesh_attempt_timeouts_total",
        "counter",
        "Attempts that waited too long.",
        [&](Name name, Labels labels, Row row) { line(out, name, labels, row.timeouts); }
    );
    each(
        "mesh_attempts_active",
        "gauge",
        "Attempts begun and not ended.",
        [&](Name name, Labels labels, Row row) { line(out, name, labels, row.active); }
    );
    each(
        "mesh_target_connections",
        "gauge",
        "Open connections to the target.",
        [&](Name name, Labels labels, Row row) { line(out, name, labels, row.connections); }
    );
    each(
        "mesh_attempt_seconds",
        "histogram",
        "From sending to the head of the answer.",
        [&](Name name, Labels labels, Row row) { histogram(out, name, labels, row.latency); }
    );
}

void Totals::writeHealth(std::string& out) const
{
    head(out, "mesh_target_healthy", "gauge", "1 while the target may be used, else 0.");
    for (const TargetHealth& row : m_health) {
        const bool isUsed =
            row.state == TargetState::Healthy || row.state == TargetState::HealthchecksOff;
        line(
            out,
            "mesh_target_healthy",
            fmt::format(
                "upstream=\"{}\",target=\"{}\",state=\"{}\"",
                escaped(row.upstream),
                escaped(row.target),
                toText(row.state)
            ),
            isUsed ? 1 : 0
        );
    }
}

} // namespace mesh::telemetry
