#include "proxyengine/control/event_json.h"

#include "proxyengine/base/duration_text.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/control/frame_json.h"
#include "proxyengine/control/json_reader.h"
#include "proxyengine/http/head_writer.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace mesh::control {
namespace {

using Json = nlohmann::ordered_json;

struct KindRow
{
    std::string_view name;
    bool EventKinds::*flag;
};

constexpr std::array kKinds = {
    KindRow{"state", &EventKinds::state},
    KindRow{"stats", &EventKinds::stats},
    KindRow{"health", &EventKinds::health},
    KindRow{"policy", &EventKinds::policy},
    KindRow{"access", &EventKinds::access},
};

constexpr std::array<std::string_view, 5> kEngineStates = {
    "starting", "running", "draining", "stopped", "unreachable"};

Json headOf(std::string_view kind, WallTime time, const std::string& node)
{
    return Json{{"kind", kind}, {"time", toIsoText(time)}, {"node", node}};
}

// What only some samples have.
void addDetails(Json& json, const api::AccessEvent& event)
{
    if (!event.why.empty()) {
        json["why"] = event.why;
    }
    if (!event.tries.empty()) {
        Json& tries = json["tries"] = Json::array();
        for (const api::AccessAttempt& attempt : event.tries) {
            tries.push_back(
                {{"target", attempt.target},
                 {"started_ms", attempt.started_ms},
                 {"latency_ms", attempt.latency_ms},
                 {"status", attempt.status},
                 {"outcome", attempt.outcome}}
            );
        }
    }
    if (!event.policies.empty()) {
        json["policies"] = event.policies;
    }
    if (!event.requestHeaders.empty()) {
        Json& headers = json["request_headers"] = Json::array();
        for (const api::AccessHeader& header : event.requestHeaders) {
            headers.push_back({{"name", header.name}, {"value", header.value}});
        }
    }
}

struct Encoder
{
    WallTime time;

    Json operator()(const api::CommandDone& done) const
    {
        return Json{{"kind", "done"}, {"id", done.id.value()}};
    }

    Json operator()(const api::StateEvent& event) const
    {
        Json json = headOf("state", time, event.node);
        json["version"] = event.version;
        json["state"] = toText(event.state);
        json["hash"] = event.hash;
        json["maintenance"] = event.isInMaintenance;
        json["listeners"] = Json::array();
        for (const api::ListenerState& listener : event.listeners) {
            json["listeners"].push_back({{"name", listener.name}, {"address", listener.address}});
        }
        json["health"] = Json::array();
        for (const telemetry::TargetHealth& health : event.health) {
            json["health"].push_back(healthToJson(health));
        }
        return json;
    }

    Json operator()(const api::StatsEvent& event) const
    {
        Json json = headOf("stats", event.frame->time, event.frame->node);
        json["frame"] = frameToJson(*event.frame);
        return json;
    }

    Json operator()(const api::HealthEvent& event) const
    {
        Json json = headOf("health", event.time, event.node);
        json.update(healthToJson(event.health));
        json["time_us"] = event.time.time_since_epoch().count();
        return json;
    }

    Json operator()(const api::PolicyEvent& event) const
    {
        Json json = headOf("policy", event.time, event.node);
        json["event"] = event.kind;
        json["subject"] = event.subject;
        json["reason"] = event.reason;
        json["time_us"] = event.time.time_since_epoch().count();
        return json;
    }

    Json operator()(const api::AccessEvent& event) const
    {
        Json json = headOf("access", event.time, event.node);
        json["method"] = event.method;
        json["host"] = event.host;
        json["path"] = event.path;
        json["status"] = event.status;
        json["route"] = event.route;
        json["service"] = event.service;
        json["target"] = event.target;
        json["source"] = event.source;
        json["attempts"] = event.attempts;
        json["latency_ms"] = {
            {"total", event.latencyTotal_ms},
            {"upstream", event.latencyUpstream_ms},
            {"proxy", event.latencyProxy_ms}};
        json["bytes_in"] = event.bytesIn;
        json["bytes_out"] = event.bytesOut;
        json["request_id"] = event.requestId;
        if (!event.failure.empty()) {
            json["failure"] = event.failure;
        }
        addDetails(json, event);
        json["time_us"] = event.time.time_since_epoch().count();
        return json;
    }
};

void readDetails(api::AccessEvent& event, const Json& json)
{
    for (const Json& attempt : listOf(json, "tries")) {
        event.tries.push_back(
            {textOf(attempt, "target"),
             numberOf(attempt, "started_ms"),
             numberOf(attempt, "latency_ms"),
             static_cast<int>(integerOf(attempt, "status")),
             textOf(attempt, "outcome")}
        );
    }
    for (const Json& kind : listOf(json, "policies")) {
        if (kind.is_string()) {
            event.policies.push_back(kind.get<std::string>());
        }
    }
    event.why = textOf(json, "why");
    for (const Json& header : listOf(json, "request_headers")) {
        event.requestHeaders.push_back({textOf(header, "name"), textOf(header, "value")});
    }
}

api::StateEvent readState(const Json& json)
{
    api::StateEvent event;
    event.node = textOf(json, "node");
    event.version = textOf(json, "version");
    const auto state = std::ranges::find(kEngineStates, textOf(json, "state"));
    if (state != kEngineStates.end()) {
        event.state = static_cast<api::EngineState>(state - kEngineStates.begin());
    }
    event.hash = textOf(json, "hash");
    event.isInMaintenance = memberOf(json, "maintenance") == true;
    for (const Json& listener : listOf(json, "listeners")) {
        event.listeners.push_back({textOf(listener, "name"), textOf(listener, "address")});
    }
    for (const Json& health : listOf(json, "health")) {
        event.health.push_back(healthFromJson(health));
    }
    return event;
}

api::AccessEvent readAccess(const Json& json)
{
    api::AccessEvent event;
    event.node = textOf(json, "node");
    event.time = wallTimeOf(json, "time_us");
    event.method = textOf(json, "method");
    event.host = textOf(json, "host");
    event.path = textOf(json, "path");
    event.status = static_cast<int>(integerOf(json, "status"));
    event.route = textOf(json, "route");
    event.service = textOf(json, "service");
    event.target = textOf(json, "target");
    event.source = textOf(json, "source");
    event.attempts = static_cast<int>(integerOf(json, "attempts"));
    const Json& latency = memberOf(json, "latency_ms");
    event.latencyTotal_ms = numberOf(latency, "total");
    event.latencyUpstream_ms = numberOf(latency, "upstream");
    event.latencyProxy_ms = numberOf(latency, "proxy");
    event.bytesIn = countOf(json, "bytes_in");
    event.bytesOut = countOf(json, "bytes_out");
    event.requestId = textOf(json, "request_id");
    event.failure = textOf(json, "failure");
    readDetails(event, json);
    return event;
}

} // namespace

bool EventKinds::includes(const api::Event& event) const
{
    struct Asked
    {
        const EventKinds& kinds;
        bool operator()(const api::CommandDone&) const { return false; }
        bool operator()(const api::StateEvent&) const { return kinds.state; }
        bool operator()(const api::StatsEvent&) const { return kinds.stats; }
        bool operator()(const api::HealthEvent&) const { return kinds.health; }
        bool operator()(const api::PolicyEvent&) const { return kinds.policy; }
        bool operator()(const api::AccessEvent&) const { return kinds.access; }
    };
    return std::visit(Asked{*this}, event);
}

Result<EventKinds> parseEventKinds(std::string_view text)
{
    EventKinds kinds;
    if (text.empty()) {
        return kinds;
    }
    kinds = {false, false, false, false, false, {}};
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        const std::string_view word = text.substr(0, comma);
        const auto row = std::ranges::find(kKinds, word, &KindRow::name);
        if (row == kKinds.end()) {
            return fail(
                ErrorCode::InvalidArgument,
                fmt::format("no such kind '{}': use state, stats, health, policy, access", word)
            );
        }
        kinds.*(row->flag) = true;
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return kinds;
}

Result<std::vector<std::string>> parseTapHeaders(std::string_view text)
{
    std::vector<std::string> names;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        std::string name(text.substr(0, comma));
        text.remove_prefix(std::min(comma + 1, text.size()));
        std::ranges::transform(name, name.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        });
        if (!http::isToken(name)) {
            return fail(
                ErrorCode::InvalidArgument, fmt::format("'{}' is not the name of a header", name)
            );
        }
        if (std::ranges::find(names, name) == names.end()) {
            names.push_back(std::move(name));
        }
        if (names.size() > kTapHeadersMax) {
            return fail(
                ErrorCode::LimitExceeded,
                fmt::format("at most {} headers can be captured", kTapHeadersMax)
            );
        }
    }
    return names;
}

std::string toJsonLine(const api::Event& event, WallTime time)
{
    return std::visit(Encoder{time}, event).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<api::Event> fromJsonLine(std::string_view line)
{
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_discarded() || !json.is_object()) {
        return fail(ErrorCode::Syntax, "an event line is not a JSON object");
    }
    const std::string kind = textOf(json, "kind");
    if (kind == "state") {
        return readState(json);
    }
    if (kind == "stats") {
        MESH_TRY(telemetry::StatsFrame frame, frameFromJson(memberOf(json, "frame")));
        return api::StatsEvent{std::make_shared<const telemetry::StatsFrame>(std::move(frame))};
    }
    if (kind == "health") {
        return api::HealthEvent{
            textOf(json, "node"), wallTimeOf(json, "time_us"), healthFromJson(json)};
    }
    if (kind == "policy") {
        return api::PolicyEvent{
            textOf(json, "node"),
            wallTimeOf(json, "time_us"),
            textOf(json, "event"),
            textOf(json, "subject"),
            textOf(json, "reason")};
    }
    if (kind == "access") {
        return readAccess(json);
    }
    return fail(ErrorCode::Unsupported, fmt::format("unknown event kind '{}'", kind));
}

std::string_view toText(api::EngineState state)
{
    return kEngineStates[static_cast<std::size_t>(state)];
}

} // namespace mesh::control
