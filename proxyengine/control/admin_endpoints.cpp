// The endpoints of AdminApi, in the order of its table.

#include "proxyengine/base/duration_text.h"
#include "proxyengine/base/log.h"
#include "proxyengine/base/version.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/control/admin_api.h"
#include "proxyengine/control/entity_list.h"
#include "proxyengine/control/frame_json.h"
#include "proxyengine/control/json_reader.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace mesh::control {
namespace {

using Json = nlohmann::ordered_json;

AdminResponse jsonResponse(int status, const Json& json)
{
    AdminResponse response;
    response.status = status;
    response.body = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    return response;
}

// The status that tells what kind of failure it was.
int statusOf(ErrorCode code)
{
    switch (code) {
    case ErrorCode::NotFound:
        return 404;
    case ErrorCode::Overloaded:
        return 503;
    case ErrorCode::Cancelled:
        return 503;
    case ErrorCode::Unavailable:
        return 503;
    case ErrorCode::Internal:
        return 500;
    default:
        return 400;
    }
}

// Tools of the gateway wrap the file: {"config": "<text>"}. Everything else is the file itself.
std::string unwrapped(const std::string& body)
{
    if (!body.starts_with("{\"config\"") && !body.starts_with("{ \"config\"")) {
        return body;
    }
    const Json json = Json::parse(body, nullptr, false);
    return !json.is_discarded() && json.size() == 1 ? textOf(json, "config") : body;
}

// The hash of If-Match: "<64 hex>"; empty when the header is absent.
Result<std::string> readIfMatch(std::string_view text)
{
    if (text.empty()) {
        return std::string();
    }
    constexpr std::size_t kHashDigits = 64;
    const auto isHex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    const bool isQuoted =
        text.size() == kHashDigits + 2 && text.front() == '"' && text.back() == '"';
    const std::string_view hash = isQuoted ? text.substr(1, kHashDigits) : std::string_view();
    if (!isQuoted || !std::ranges::all_of(hash, isHex)) {
        return fail(
            ErrorCode::InvalidArgument,
            "If-Match is the hash of the configuration to replace, 64 hex digits in quotes"
        );
    }
    return std::string(hash);
}

// Another hash runs than the one that should be replaced.
AdminResponse preconditionFailed(const api::CommandDone& done)
{
    const std::string hash = done.problems.empty() ? std::string() : done.problems.front().message;
    return jsonResponse(412, {{"message", done.result.error().message}, {"hash", hash}});
}

AdminResponse refusalOf(const api::CommandDone& done)
{
    if (done.problems.empty()) {
        const Error& error = done.result.error();
        return messageResponse(statusOf(error.code), error.message);
    }
    Json errors = Json::array();
    for (const api::CommandDone::Problem& problem : done.problems) {
        errors.push_back(
            {{"path", problem.path},
             {"line", problem.line},
             {"column", problem.column},
             {"code", problem.code},
             {"message", problem.message}}
        );
    }
    return jsonResponse(
        400, {{"message", done.result.error().message}, {"errors", std::move(errors)}}
    );
}

} // namespace

AdminResponse refusalOf(const std::vector<config::Problem>& problems)
{
    Json errors = Json::array();
    for (const config::Problem& problem : problems) {
        if (problem.severity == config::Severity::Error) {
            errors.push_back(
                {{"path", problem.path},
                 {"line", problem.place ? problem.place->line : 0},
                 {"column", problem.place ? problem.place->column : 0},
                 {"code", toText(problem.code)},
                 {"message", problem.message}}
            );
        }
    }
    const std::string message = fmt::format(
        "the configuration has {} error{}; the old one keeps running",
        errors.size(),
        errors.size() == 1 ? "" : "s"
    );
    return jsonResponse(400, {{"message", message}, {"errors", std::move(errors)}});
}

void AdminApi::getNode(const Call& call)
{
    Json listeners = Json::array();
    for (const api::ListenerState& listener : m_state.listeners) {
        listeners.push_back({{"name", listener.name}, {"address", listener.address}});
    }
    call.answer.respond(jsonResponse(
        200,
        {{"tagline", "Welcome to meshwright"},
         {"product", "meshwright"},
         {"version", version()},
         {"node", m_state.node},
         {"state", toText(m_state.state)},
         {"hash", m_state.hash},
         {"listeners", std::move(listeners)}}
    ));
}

void AdminApi::getStatus(const Call& call)
{
    call.answer.respond(jsonResponse(
        200,
        {{"server",
          {{"connections_active", m_totals.connections()},
           {"connections_accepted", m_totals.accepted()},
           {"total_requests", m_totals.requests()}}},
         {"database", {{"reachable", true}}}, // The gateway's readiness probes look for it.
         {"state", toText(m_state.state)},
         {"configuration_hash", m_state.hash}}
    ));
}

void AdminApi::getMetrics(const Call& call)
{
    AdminResponse response;
    response.contentType = "text/plain; version=0.0.4; charset=utf-8";
    response.body = m_totals.prometheusText();
    call.answer.respond(std::move(response));
}

// Exactly the canonical bytes. Private keys are masked unless ?secrets=shown asks for them; without
// secrets in the document, or with them shown, SHA-256 of the body is the hash.
void AdminApi::getConfig(const Call& call)
{
    const std::string_view secrets = call.target.parameter("secrets");
    if (!secrets.empty() && secrets != "shown" && secrets != "masked") {
        call.answer.respond(messageResponse(400, "secrets is shown or masked"));
        return;
    }
    if (m_document == nullptr) {
        call.answer.respond(messageResponse(404, "no configuration runs yet"));
        return;
    }
    AdminResponse response;
    const bool isShown = secrets == "shown";
    response.body =
        config::toJson(*m_document, isShown ? config::Secrets::Shown : config::Secrets::Masked);
    response.headers.emplace_back("X-Meshwright-Config-Hash", m_state.hash);
    call.answer.respond(std::move(response));
}

void AdminApi::getConfigHash(const Call& call)
{
    if (m_state.hash.empty()) {
        call.answer.respond(messageResponse(404, "no configuration runs yet"));
        return;
    }
    call.answer.respond(jsonResponse(200, {{"hash", m_state.hash}}));
}

void AdminApi::postConfig(const Call& call)
{
    const auto onlyIfHash = readIfMatch(call.request.ifMatch);
    if (!onlyIfHash) {
        call.answer.respond(messageResponse(400, onlyIfHash.error().message));
        return;
    }
    config::DecodeResult decoded = config::decode(unwrapped(call.request.body));
    if (config::hasErrors(decoded.problems)) {
        call.answer.respond(refusalOf(decoded.problems));
        return;
    }
    const auto document = std::make_shared<const model::Document>(std::move(decoded.document));
    const bool isConditional = !onlyIfHash->empty();
    const auto onDone = [answer = std::move(call.answer),
                         isConditional](const api::CommandDone& done) {
        if (!done.result) {
            const bool isOther = isConditional && done.result.error().code == ErrorCode::Conflict;
            answer.respond(isOther ? preconditionFailed(done) : refusalOf(done));
            return;
        }
        std::string message = "the configuration runs";
        for (const api::CommandDone::Problem& problem : done.problems) {
            message += "; it was not stored: " + problem.message;
        }
        answer.respond(jsonResponse(201, {{"hash", done.result->hash}, {"message", message}}));
    };
    applyAndKeep(document, onDone, *onlyIfHash);
}

void AdminApi::getList(const Call& call)
{
    const auto entities = entitiesOf(m_document ? *m_document : model::Document{}, call.segment(0));
    if (!entities) {
        call.answer.respond(messageResponse(404, "Not found"));
        return;
    }
    AdminResponse response;
    response.body = toListBody(*entities);
    call.answer.respond(std::move(response));
}

void AdminApi::getEntity(const Call& call)
{
    const auto entities = entitiesOf(m_document ? *m_document : model::Document{}, call.segment(0));
    const Entity* entity = entities ? findEntity(*entities, call.segment(1)) : nullptr;
    if (entity == nullptr) {
        call.answer.respond(messageResponse(404, "Not found"));
        return;
    }
    AdminResponse response;
    response.body = toBody(*entity);
    call.answer.respond(std::move(response));
}

// /services/{s}/routes, /upstreams/{u}/targets, /certificates/{c}/snis
void AdminApi::getChildren(const Call& call)
{
    const model::Document document = m_document ? *m_document : model::Document{};
    const std::string path = call.segment(0) + "/" + call.segment(2);
    const bool isKnown =
        path == "services/routes" || path == "upstreams/targets" || path == "certificates/snis";
    const auto parents = entitiesOf(document, call.segment(0));
    const Entity* parent = isKnown ? findEntity(*parents, call.segment(1)) : nullptr;
    if (parent == nullptr) {
        call.answer.respond(messageResponse(404, "Not found"));
        return;
    }
    auto children = entitiesOf(document, call.segment(2));
    std::erase_if(*children, [&](const Entity& child) { return child.parentId != parent->id; });
    AdminResponse response;
    response.body = toListBody(*children);
    call.answer.respond(std::move(response));
}

// The name behind a name or an id; services with workloads have an upstream without an entity.
std::string AdminApi::upstreamNamed(const std::string& key) const
{
    if (m_document != nullptr) {
        const auto upstreams = entitiesOf(*m_document, "upstreams");
        if (const Entity* upstream = findEntity(*upstreams, key); upstream != nullptr) {
            return upstream->name;
        }
    }
    const bool isKnown = std::ranges::any_of(m_state.health, [&](const telemetry::TargetHealth& h) {
        return h.upstream == key;
    });
    return isKnown ? key : std::string();
}

void AdminApi::getHealth(const Call& call)
{
    const std::string name = upstreamNamed(call.segment(1));
    if (name.empty()) {
        call.answer.respond(messageResponse(404, "Not found"));
        return;
    }
    Json data = Json::array();
    for (const telemetry::TargetHealth& health : m_state.health) {
        if (health.upstream == name) {
            data.push_back(healthToJson(health));
        }
    }
    call.answer.respond(
        jsonResponse(200, {{"data", std::move(data)}, {"next", nullptr}, {"node", m_state.node}})
    );
}

void AdminApi::putTargetHealthy(const Call& call) { putTarget(call, api::HealthOverride::Healthy); }

void AdminApi::putTargetUnhealthy(const Call& call)
{
    putTarget(call, api::HealthOverride::Unhealthy);
}

void AdminApi::putTarget(const Call& call, api::HealthOverride health)
{
    const std::string upstream = upstreamNamed(call.segment(1));
    std::string target = call.segment(3);
    if (m_document != nullptr) {
        const auto targets = entitiesOf(*m_document, "targets");
        if (const Entity* entity = findEntity(*targets, target); entity != nullptr) {
            target = entity->name;
        }
    }
    const bool isKnown =
        std::ranges::any_of(m_state.health, [&](const telemetry::TargetHealth& known) {
            return known.upstream == upstream && known.target == target;
        });
    if (!isKnown) {
        call.answer.respond(messageResponse(404, "Not found"));
        return;
    }
    submit(
        api::SetTargetHealth{upstream, std::move(target), health},
        [answer = std::move(call.answer)](const api::CommandDone& done) {
            AdminResponse response;
            response.status = 204;
            answer.respond(done.result ? response : refusalOf(done));
        }
    );
}

void AdminApi::getEvents(const Call& call)
{
    const auto kinds = parseEventKinds(call.target.parameter("kinds"));
    if (!kinds) {
        call.answer.respond(messageResponse(400, kinds.error().message));
        return;
    }
    auto headers = parseTapHeaders(call.target.parameter("headers"));
    if (!headers) {
        call.answer.respond(messageResponse(400, "headers: " + headers.error().message));
        return;
    }
    EventKinds wanted = *kinds;
    wanted.headers = *std::move(headers);
    call.answer.stream(wanted);
}

void AdminApi::postDrain(const Call& call)
{
    Duration grace = m_options.drainGrace;
    if (const std::string_view text = call.target.parameter("grace"); !text.empty()) {
        const auto asked = parseDuration(text);
        if (!asked) {
            call.answer.respond(messageResponse(400, "grace: " + asked.error().message));
            return;
        }
        grace = *asked;
    }
    if (m_options.onDrain) { // The program drains as for SIGTERM, and ends.
        call.answer.respond(messageResponse(202, "draining"));
        m_options.onDrain(grace);
        return;
    }
    submit(api::Drain{grace}, [](const api::CommandDone&) {});
    call.answer.respond(messageResponse(202, "draining"));
}

void AdminApi::getLogLevel(const Call& call)
{
    call.answer.respond(jsonResponse(200, {{"level", toText(logLevel())}}));
}

void AdminApi::putLogLevel(const Call& call)
{
    std::string text(call.target.parameter("level"));
    if (text.empty()) {
        const Json json = Json::parse(call.request.body, nullptr, false);
        text = textOf(json, "level");
    }
    const auto level = parseLogLevel(text);
    if (!level) {
        call.answer.respond(messageResponse(400, "level: " + level.error().message));
        return;
    }
    submit(
        api::SetLogLevel{*level},
        [level = *level, answer = std::move(call.answer)](const api::CommandDone& done) {
            answer.respond(
                done.result ? jsonResponse(200, {{"level", toText(level)}}) : refusalOf(done)
            );
        }
    );
}

} // namespace mesh::control
