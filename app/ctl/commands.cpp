#include "app/ctl/commands.h"

#include "proxyengine/base/file.h"
#include "proxyengine/base/hash.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/config/tree.h"
#include "proxyengine/control/listen_text.h"
#include "proxyengine/control/node_client.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace mesh::ctl {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDone = 0;
constexpr int kNo = 1;
constexpr int kUsage = 2;
constexpr int kUnreachable = 3;
constexpr int kRefused = 4;
constexpr Duration kNodeTimeout = std::chrono::seconds(60); // A large document compiles.

std::string dumped(const Json& json)
{
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

enum class Mood : std::uint8_t { Good, Bad, Warned };

std::string coloured(std::string_view text, Mood mood, Colour colour)
{
    static constexpr std::array<std::string_view, 3> kCodes = {"32", "31", "33"};
    if (colour == Colour::Off) {
        return std::string(text);
    }
    return fmt::format("\x1b[{}m{}\x1b[0m", kCodes.at(static_cast<std::size_t>(mood)), text);
}

std::string_view toText(config::Severity severity)
{
    static constexpr std::array<std::string_view, 3> kWords = {"error", "warning", "info"};
    return kWords.at(static_cast<std::size_t>(severity));
}

Json problemsToJson(const std::vector<config::Problem>& problems)
{
    Json json = Json::array();
    for (const config::Problem& problem : problems) {
        json.push_back(
            {{"path", problem.path},
             {"line", problem.place ? problem.place->line : 0},
             {"column", problem.place ? problem.place->column : 0},
             {"code", mesh::toText(problem.code)},
             {"severity", toText(problem.severity)},
             {"message", problem.message}}
        );
    }
    return json;
}

std::string problemsToText(const std::vector<config::Problem>& problems, const std::string& file)
{
    std::string text;
    for (const config::Problem& problem : problems) {
        text += config::toText(problem, file) + '\n';
    }
    return text;
}

// An error that ends a command before it has an answer.
int failed(const Surroundings& around, const Error& error, int exitCode)
{
    if (around.form == Form::Json) {
        around.output.out +=
            dumped({{"error", mesh::toText(error.code)}, {"message", error.message}});
    } else {
        around.output.err += fmt::format("meshwrightctl: {}\n", error.message);
    }
    return exitCode;
}

int exitCodeOfFile(const Error& error)
{
    const bool isAbsent =
        error.code == ErrorCode::NotFound || error.code == ErrorCode::PermissionDenied;
    return isAbsent ? kUnreachable : kUsage;
}

int exitCodeOfNode(const Error& error)
{
    return error.code == ErrorCode::InvalidArgument || error.code == ErrorCode::Unsupported
               ? kUsage
               : kUnreachable;
}

struct Count
{
    std::size_t errors = 0;
    std::size_t warnings = 0;
};

Count countOf(const std::vector<config::Problem>& problems)
{
    Count count;
    for (const config::Problem& problem : problems) {
        count.errors += problem.severity == config::Severity::Error ? 1 : 0;
        count.warnings += problem.severity == config::Severity::Warning ? 1 : 0;
    }
    return count;
}

std::size_t routesOf(const model::Document& document)
{
    std::size_t count = document.routes.size();
    for (const model::Service& service : document.services) {
        count += service.routes.size();
    }
    return count;
}

std::string textMember(const Json& json, const char* key)
{
    const auto found = json.is_object() ? json.find(key) : json.end();
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

} // namespace

int runValidate(const ValidateOptions& options, const Surroundings& around)
{
    const auto text = readFile(options.file, kConfigBytesMax);
    if (!text) {
        return failed(around, text.error(), exitCodeOfFile(text.error()));
    }
    const config::DecodeResult decoded = config::decode(*text);
    const Count count = countOf(decoded.problems);
    const bool isValid = count.errors == 0;
    const std::string hash = isValid ? config::hashOf(decoded.document) : std::string();
    if (around.form == Form::Json) {
        around.output.out += dumped(
            {{"file", options.file},
             {"valid", isValid},
             {"errors", count.errors},
             {"warnings", count.warnings},
             {"hash", hash},
             {"problems", problemsToJson(decoded.problems)}}
        );
        return isValid ? kDone : kNo;
    }
    around.output.out += problemsToText(decoded.problems, options.file);
    if (isValid) {
        around.output.out += fmt::format(
            "{}: {}; services {}, routes {}, upstreams {}, warnings {}\nhash {}\n",
            options.file,
            coloured("valid", Mood::Good, around.colour),
            decoded.document.services.size(),
            routesOf(decoded.document),
            decoded.document.upstreams.size(),
            count.warnings,
            hash
        );
    } else {
        around.output.out += fmt::format(
            "{}: {}; errors {}, warnings {}\n",
            options.file,
            coloured("invalid", Mood::Bad, around.colour),
            count.errors,
            count.warnings
        );
    }
    return isValid ? kDone : kNo;
}

int runDump(const DumpOptions& options, const Surroundings& around)
{
    const auto address = control::parseNodeUrl(options.node);
    if (!address) {
        return failed(around, address.error(), kUsage);
    }
    const std::string path = options.withSecrets ? "/config?secrets=shown" : "/config";
    const auto answer = control::requestNode(around.clock, *address, "GET", path, "", kNodeTimeout);
    if (!answer) {
        return failed(around, answer.error(), exitCodeOfNode(answer.error()));
    }
    if (answer->status != 200) {
        const Json json = Json::parse(answer->body, nullptr, false);
        const std::string message =
            fmt::format("{}: {} {}", options.node, answer->status, textMember(json, "message"));
        return failed(around, {ErrorCode::Refused, message, {}, 0, SourcePlace::here()}, kRefused);
    }
    if (around.form == Form::Json) {
        around.output.out += answer->body;
        return kDone;
    }
    const auto tree = config::parseTree(answer->body);
    if (!tree) {
        return failed(around, tree.error(), kUnreachable);
    }
    around.output.out += config::toYaml(*tree);
    return kDone;
}

namespace {

struct PushRow
{
    std::string node;
    std::string result; // "converged", "refused", "unreachable", "different"
    std::string hash; // Read back; empty when it could not be.
    std::string detail;
    Json errors = Json::array();
    int exitCode = kDone;
};

PushRow unreached(const std::string& node, const Error& error)
{
    return {node, "unreachable", {}, error.message, Json::array(), exitCodeOfNode(error)};
}

PushRow pushTo(const std::string& node, const std::string& body, const Clock& clock)
{
    const auto address = control::parseNodeUrl(node);
    if (!address) {
        return {node, "unreachable", {}, address.error().message, Json::array(), kUsage};
    }
    const auto posted =
        control::requestNode(clock, *address, "POST", "/config", body, kNodeTimeout);
    if (!posted) {
        return unreached(node, posted.error());
    }
    const Json reply = Json::parse(posted->body, nullptr, false);
    if (posted->status != 201) {
        PushRow row{node, "refused", {}, textMember(reply, "message"), Json::array(), kRefused};
        if (reply.is_object() && reply.contains("errors")) {
            row.errors = reply["errors"];
        }
        return row;
    }
    const auto readBack =
        control::requestNode(clock, *address, "GET", "/config/hash", "", kNodeTimeout);
    if (!readBack) {
        return unreached(node, readBack.error());
    }
    const std::string hash = textMember(Json::parse(readBack->body, nullptr, false), "hash");
    if (hash != textMember(reply, "hash") || hash.empty()) {
        return {node, "different", hash, "runs another configuration now", Json::array(), kNo};
    }
    return {node, "converged", hash, {}, Json::array(), kDone};
}

std::string tableOf(const std::vector<PushRow>& rows, Colour colour)
{
    std::size_t width = 4;
    for (const PushRow& row : rows) {
        width = std::max(width, row.node.size());
    }
    std::string text = fmt::format("{:<{}}  {:<11}  {}\n", "NODE", width, "RESULT", "HASH");
    for (const PushRow& row : rows) {
        const Mood mood = row.exitCode == kDone ? Mood::Good : Mood::Bad;
        const std::string padded = fmt::format("{:<11}", row.result);
        text += fmt::format(
            "{:<{}}  {}  {}\n",
            row.node,
            width,
            coloured(padded, mood, colour),
            row.hash.empty() ? "-" : row.hash
        );
    }
    return text;
}

std::string detailsOf(const PushRow& row, const std::string& file)
{
    std::string text;
    for (const Json& error : row.errors) {
        text += fmt::format(
            "{}:{}:{}: {}: {}\n",
            file,
            error.value("line", 0),
            error.value("column", 0),
            error.value("path", ""),
            error.value("message", "")
        );
    }
    if (!row.detail.empty()) {
        text += fmt::format("{}: {}\n", row.node, row.detail);
    }
    return text;
}

} // namespace

int runPush(const PushOptions& options, const Surroundings& around)
{
    const auto text = readFile(options.file, kConfigBytesMax);
    if (!text) {
        return failed(around, text.error(), exitCodeOfFile(text.error()));
    }
    const config::DecodeResult decoded = config::decode(*text);
    if (config::hasErrors(decoded.problems)) {
        around.output.err += problemsToText(decoded.problems, options.file);
        return failed(
            around,
            {ErrorCode::InvalidArgument,
             options.file + " has errors; nothing was sent",
             {},
             0,
             SourcePlace::here()},
            kNo
        );
    }
    std::vector<PushRow> rows;
    int exitCode = kDone;
    for (const std::string& node : options.nodes) {
        rows.push_back(pushTo(node, *text, around.clock));
        exitCode = std::max(exitCode, rows.back().exitCode);
    }
    if (around.form == Form::Json) {
        Json nodes = Json::array();
        for (const PushRow& row : rows) {
            nodes.push_back(
                {{"node", row.node},
                 {"result", row.result},
                 {"hash", row.hash},
                 {"message", row.detail},
                 {"errors", row.errors}}
            );
        }
        around.output.out += dumped(
            {{"file", options.file},
             {"hash", config::hashOf(decoded.document)},
             {"nodes", std::move(nodes)}}
        );
        return exitCode;
    }
    around.output.out += tableOf(rows, around.colour);
    for (const PushRow& row : rows) {
        around.output.err += detailsOf(row, options.file);
    }
    return exitCode;
}

} // namespace mesh::ctl
