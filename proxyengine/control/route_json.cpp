#include "proxyengine/control/route_json.h"

#include "proxyengine/base/limits.h"
#include "proxyengine/control/json_reader.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace mesh::control {
namespace {

using RouteJson = nlohmann::ordered_json;

std::string dumped(const RouteJson& json)
{
    return json.dump(-1, ' ', false, RouteJson::error_handler_t::replace);
}

std::vector<std::string> textsOf(const RouteJson& json, const char* key)
{
    std::vector<std::string> texts;
    for (const RouteJson& each : listOf(json, key)) {
        if (each.is_string()) {
            texts.push_back(each.get<std::string>());
        }
    }
    return texts;
}

struct TextMember
{
    std::string_view name;
    std::string config::RouteQuestion::*member;
};

constexpr std::array<TextMember, 7> kTexts = {{
    {"method", &config::RouteQuestion::method},
    {"scheme", &config::RouteQuestion::scheme},
    {"host", &config::RouteQuestion::host},
    {"path", &config::RouteQuestion::path},
    {"source_ip", &config::RouteQuestion::sourceIp},
    {"sni", &config::RouteQuestion::sni},
    {"listener", &config::RouteQuestion::listener},
}};

Result<void> addHeader(
    config::RouteQuestion& question, const std::string& name, const RouteJson& value
)
{
    if (!value.is_string()) {
        return fail(
            ErrorCode::InvalidArgument, fmt::format("headers.{}: a text or a list of texts", name)
        );
    }
    if (question.headers.size() >= kQuestionHeadersMax) {
        return fail(
            ErrorCode::LimitExceeded, fmt::format("headers: at most {}", kQuestionHeadersMax)
        );
    }
    question.headers.emplace_back(name, value.get<std::string>());
    return {};
}

Result<void> readHeaders(config::RouteQuestion& question, const RouteJson& headers)
{
    if (!headers.is_object()) {
        return fail(ErrorCode::InvalidArgument, "headers: an object of names and values");
    }
    for (const auto& [name, value] : headers.items()) {
        if (!value.is_array()) {
            MESH_TRY_VOID(addHeader(question, name, value));
            continue;
        }
        for (const RouteJson& each : value) {
            MESH_TRY_VOID(addHeader(question, name, each));
        }
    }
    return {};
}

Result<void> readMember(
    config::RouteQuestion& question, const std::string& name, const RouteJson& value
)
{
    if (name == "headers") {
        return readHeaders(question, value);
    }
    if (name == "port") {
        const bool isPort =
            value.is_number_unsigned()
            && value.get<std::uint64_t>() <= std::numeric_limits<std::uint16_t>::max();
        if (!isPort) {
            return fail(ErrorCode::InvalidArgument, "port: a number up to 65535");
        }
        question.port = value.get<std::uint16_t>();
        return {};
    }
    const auto* const known = std::ranges::find(kTexts, name, &TextMember::name);
    if (known == kTexts.end()) {
        return fail(ErrorCode::UnknownField, fmt::format("{}: unknown field", name));
    }
    if (!value.is_string()) {
        return fail(ErrorCode::InvalidArgument, fmt::format("{}: a text", name));
    }
    question.*known->member = value.get<std::string>();
    return {};
}

} // namespace

Result<config::RouteQuestion> routeQuestionFromJson(std::string_view body)
{
    const RouteJson json = RouteJson::parse(body, nullptr, false);
    if (!json.is_object()) {
        return fail(
            ErrorCode::Syntax, "write {\"method\":\"GET\",\"host\":\"shop.test\",\"path\":\"/\"}"
        );
    }
    config::RouteQuestion question;
    for (const auto& [name, value] : json.items()) {
        MESH_TRY_VOID(readMember(question, name, value));
    }
    return question;
}

std::string toJson(const config::RouteQuestion& question)
{
    RouteJson json;
    for (const TextMember& text : kTexts) {
        if (!(question.*text.member).empty()) {
            json[std::string(text.name)] = question.*text.member;
        }
    }
    if (question.port != 0) {
        json["port"] = question.port;
    }
    if (!question.headers.empty()) {
        RouteJson headers = RouteJson::object();
        for (const auto& [name, value] : question.headers) {
            headers[name].push_back(value);
        }
        json["headers"] = std::move(headers);
    }
    return dumped(json);
}

std::string toJson(const config::RouteExplanation& told)
{
    RouteJson goals = RouteJson::array();
    for (const config::RouteGoal& goal : told.goals) {
        goals.push_back(
            {{"service", goal.service},
             {"weight", goal.weight},
             {"upstream", goal.upstream},
             {"targets", goal.targets},
             {"sent_path", goal.sentPath}}
        );
    }
    RouteJson losers = RouteJson::array();
    for (const config::LostRoute& lost : told.losers) {
        losers.push_back(
            {{"route", lost.route},
             {"service", lost.service},
             {"criterion", lost.criterion},
             {"reason", lost.reason}}
        );
    }
    return dumped(
        {{"matched", !told.route.empty()},
         {"status", told.ownStatus},
         {"listener", told.listener},
         {"path", told.normalPath},
         {"route", told.route},
         {"place", told.routePlace},
         {"criteria", told.criteria},
         {"goals", std::move(goals)},
         {"plugins", told.plugins},
         {"policies", told.policies},
         {"losers", std::move(losers)},
         {"losers_left_out", told.losersLeftOut}}
    );
}

Result<config::RouteExplanation> routeExplanationFromJson(std::string_view body)
{
    const RouteJson json = RouteJson::parse(body, nullptr, false);
    if (!json.is_object()) {
        return fail(ErrorCode::Syntax, "the node's answer is no JSON object");
    }
    config::RouteExplanation told;
    told.ownStatus = static_cast<int>(integerOf(json, "status"));
    told.listener = textOf(json, "listener");
    told.normalPath = textOf(json, "path");
    told.route = textOf(json, "route");
    told.routePlace = textOf(json, "place");
    told.criteria = textsOf(json, "criteria");
    for (const RouteJson& goal : listOf(json, "goals")) {
        told.goals.push_back(
            {textOf(goal, "service"),
             static_cast<std::uint32_t>(countOf(goal, "weight")),
             textOf(goal, "upstream"),
             textsOf(goal, "targets"),
             textOf(goal, "sent_path")}
        );
    }
    told.plugins = textsOf(json, "plugins");
    told.policies = textsOf(json, "policies");
    for (const RouteJson& lost : listOf(json, "losers")) {
        told.losers.push_back(
            {textOf(lost, "route"),
             textOf(lost, "service"),
             textOf(lost, "criterion"),
             textOf(lost, "reason")}
        );
    }
    told.losersLeftOut = countOf(json, "losers_left_out");
    return told;
}

} // namespace mesh::control
