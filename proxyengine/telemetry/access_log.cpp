#include "proxyengine/telemetry/access_log.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <iterator>

namespace mesh::telemetry {
namespace {

double milliseconds(Duration duration)
{
    return std::chrono::duration<double, std::milli>(duration).count();
}

void appendEscaped(std::string& out, std::string_view text)
{
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\') {
            fmt::format_to(std::back_inserter(out), "\\x{:02X}", byte);
        } else {
            out.push_back(c);
        }
    }
}

void appendName(std::string& out, std::string_view key, std::string_view value)
{
    out.push_back(' ');
    out.append(key);
    out.push_back('=');
    if (value.empty()) {
        out.push_back('-');
    } else {
        appendEscaped(out, value);
    }
}

} // namespace

std::string timeText(WallTime time)
{
    const auto days = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{
        std::chrono::sys_days{std::chrono::days{days.time_since_epoch().count()}}};
    const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::milliseconds>(time - days)};
    return fmt::format(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()),
        clock.hours().count(),
        clock.minutes().count(),
        clock.seconds().count(),
        clock.subseconds().count()
    );
}

void appendText(std::string& out, const AccessRecord& record)
{
    out.append(timeText(record.time));
    out.push_back(' ');
    appendEscaped(out, record.client.empty() ? std::string_view("-") : record.client);
    out.append(" \"");
    appendEscaped(out, record.method);
    out.push_back(' ');
    appendEscaped(out, record.target);
    if (!record.protocol.empty()) {
        out.push_back(' ');
        out.append(record.protocol);
    }
    fmt::format_to(
        std::back_inserter(out),
        "\" {} {} {} {:.3f} {:.3f} {}",
        record.status,
        record.bytesIn,
        record.bytesOut,
        milliseconds(record.latencyTotal),
        milliseconds(record.latencyUpstream),
        record.attempts
    );
    appendName(out, "host", record.host);
    appendName(out, "source", record.source);
    appendName(out, "route", record.route);
    appendName(out, "service", record.service);
    appendName(out, "target", record.upstreamTarget);
    appendName(out, "request_id", record.requestId);
    if (record.grpcStatus) {
        fmt::format_to(std::back_inserter(out), " grpc_status={}", *record.grpcStatus);
    }
    if (!record.failure.empty()) {
        out.append(" failure=\"");
        appendEscaped(out, record.failure);
        out.push_back('"');
    }
    out.push_back('\n');
}

void appendJson(std::string& out, const AccessRecord& record)
{
    nlohmann::ordered_json line;
    line["time"] = timeText(record.time);
    line["client"] = record.client;
    line["method"] = record.method;
    line["host"] = record.host;
    line["path"] = record.target;
    if (!record.protocol.empty()) {
        line["protocol"] = record.protocol;
    }
    line["status"] = record.status;
    line["route"] = record.route;
    line["service"] = record.service;
    line["target"] = record.upstreamTarget;
    line["source"] = record.source;
    line["attempts"] = record.attempts;
    line["latency_ms"] = {
        {"total", milliseconds(record.latencyTotal)},
        {"upstream", milliseconds(record.latencyUpstream)},
        {"proxy", milliseconds(record.latencyProxy)}};
    line["bytes_in"] = record.bytesIn;
    line["bytes_out"] = record.bytesOut;
    line["request_id"] = record.requestId;
    if (record.grpcStatus) {
        line["grpc_status"] = *record.grpcStatus;
    }
    if (!record.failure.empty()) {
        line["failure"] = record.failure;
    }
    out.append(line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    out.push_back('\n');
}

} // namespace mesh::telemetry
