#include "app/ctl/push_command.h"

#include "app/ctl/document_input.h"
#include "app/ctl/text_table.h"
#include "proxyengine/config/codec.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace mesh::ctl {
namespace {

using Json = nlohmann::ordered_json;

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

PushRow pushTo(
    const NodeTarget& node,
    const std::string& body,
    const CredentialFiles& credentials,
    const Clock& clock
)
{
    const auto posted = askNode(clock, node, credentials, {"POST", "/config", body});
    if (!posted) {
        return unreached(node.name, posted.error());
    }
    const Json reply = Json::parse(posted->body, nullptr, false);
    if (posted->status != 201) {
        PushRow row{
            node.name, "refused", {}, textMember(reply, "message"), Json::array(), kRefused};
        if (reply.is_object() && reply.contains("errors")) {
            row.errors = reply["errors"];
        }
        return row;
    }
    const auto readBack = askNode(clock, node, credentials, {"GET", "/config/hash"});
    if (!readBack) {
        return unreached(node.name, readBack.error());
    }
    const std::string hash = textMember(Json::parse(readBack->body, nullptr, false), "hash");
    if (hash != textMember(reply, "hash") || hash.empty()) {
        return {node.name, "different", hash, "runs another configuration now", Json::array(), kNo};
    }
    return {node.name, "converged", hash, {}, Json::array(), kDone};
}

std::string tableOf(const std::vector<PushRow>& rows, Colour colour)
{
    TextTable table({"NODE", "RESULT", "HASH"});
    for (const PushRow& row : rows) {
        table.add(
            {{row.node}, {row.result, row.exitCode == kDone ? Mood::Good : Mood::Bad}, {row.hash}}
        );
    }
    return table.toText(colour);
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
        text += row.detail.starts_with(row.node) ? row.detail + '\n'
                                                 : fmt::format("{}: {}\n", row.node, row.detail);
    }
    return text;
}

} // namespace

int runPush(const PushOptions& options, const Surroundings& around)
{
    const auto loaded = requireDocument(options.file, around, 0, kNo);
    if (!loaded) {
        return loaded.error();
    }
    const auto nodes = resolveNodes(*loaded->document, options.plan.nodes);
    if (!nodes) {
        return failed(around, nodes.error(), kUsage);
    }
    std::vector<PushRow> rows;
    int exitCode = kDone;
    const std::string body = config::toJson(*loaded->document);
    for (const NodeTarget& node : *nodes) {
        rows.push_back(pushTo(node, body, options.plan.credentials, around.clock()));
        exitCode = std::max(exitCode, rows.back().exitCode);
    }
    if (around.isJson()) {
        Json nodeRows = Json::array();
        for (const PushRow& row : rows) {
            nodeRows.push_back(
                {{"node", row.node},
                 {"result", row.result},
                 {"hash", row.hash},
                 {"message", row.detail},
                 {"errors", row.errors}}
            );
        }
        around.output.out +=
            dumped({{"file", options.file}, {"hash", loaded->hash}, {"nodes", std::move(nodeRows)}}
            );
        return exitCode;
    }
    around.output.out += tableOf(rows, around.setting.colour);
    for (const PushRow& row : rows) {
        around.output.err += detailsOf(row, options.file);
    }
    return exitCode;
}

} // namespace mesh::ctl
