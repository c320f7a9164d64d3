#include "app/ctl/document_input.h"
#include "app/ctl/json.h"
#include "app/ctl/node_commands.h"
#include "app/ctl/node_watch.h"
#include "app/ctl/parallel.h"
#include "app/ctl/store_answer.h"
#include "app/ctl/text_table.h"
#include "proxyengine/base/duration_text.h"
#include "proxyengine/base/log.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <optional>

namespace mesh::ctl {
namespace {

constexpr Duration kAnswerMax = std::chrono::seconds(5);
constexpr Duration kFrameMax = std::chrono::seconds(2); // One comes each second.
struct NodeRow
{
    NodeTarget node;
    std::string state; // "running", "unreachable", "no_address"
    std::string version;
    std::string hash; // Empty: unknown.
    bool isConverged = false;
    std::optional<WallTime> seen;
    std::optional<double> offset_ms; // Its clock less ours.
    std::string reason; // Why it is not reachable.
};

void askRow(
    NodeRow& row,
    const Surroundings& around,
    const CredentialFiles& credentials,
    const std::string& hash
)
{
    const auto answer =
        askNode(around.clock(), row.node, credentials, {"GET", "/", {}, {}, kAnswerMax});
    if (!answer || answer->status != 200) {
        row.state = "unreachable";
        row.reason = answer ? fmt::format("{}: status {}", row.node.name, answer->status)
                            : answer.error().message;
        return;
    }
    row.seen = around.clock().wallNow();
    const OrderedJson json = OrderedJson::parse(answer->body, nullptr, false);
    row.state = textMember(json, "state");
    row.version = textMember(json, "version");
    row.hash = textMember(json, "hash");
    row.isConverged = !row.hash.empty() && row.hash == hash;
    NodeWatch watch(around.clock(), {row.node}, credentials);
    const TimePoint end = around.clock().now() + kFrameMax;
    while (const auto news = watch.next(end)) {
        if (const auto* stats = std::get_if<api::StatsEvent>(&news->event)) {
            row.offset_ms = toSeconds(stats->frame->time - news->receivedAt) * 1e3;
            return;
        }
    }
}

// When nodes were seen last, by a console that had the document open.
std::map<std::string, WallTime> seenBefore(const LoadedDocument& loaded)
{
    std::map<std::string, WallTime> seen;
    if (!loaded.isMeshDocument) {
        return seen;
    }
    store::OpenOptions how;
    how.mode = store::OpenMode::ReadOnly;
    const auto document = store::MeshDocument::open(loaded.file, std::move(how));
    if (!document) {
        return seen;
    }
    const auto opening =
        answered<store::Opening>([&](auto answer) { (*document)->opening(std::move(answer)); });
    if (opening) {
        for (const store::NodeRecord& node : opening->nodes) {
            seen.emplace(node.name, node.seenLast);
        }
    }
    return seen;
}

OrderedJson toJson(const NodeRow& row)
{
    const OrderedJson null;
    return {
        {"name", row.node.name},
        {"role", row.node.role},
        {"zone", row.node.zone},
        {"url", row.node.url},
        {"state", row.state},
        {"version", row.version},
        {"hash", row.hash},
        {"converged", row.isConverged},
        {"last_seen", row.seen ? OrderedJson(toIsoText(*row.seen)) : null},
        {"clock_offset_ms", row.offset_ms ? OrderedJson(*row.offset_ms) : null},
        {"reason", row.reason}};
}

std::string tableOf(const std::vector<NodeRow>& rows, WallTime now, Colour colour)
{
    TextTable table(
        {"NODE", "ROLE", "ZONE", "STATE", "VERSION", "HASH", "CONVERGED", "SEEN", "CLOCK"}
    );
    for (const NodeRow& row : rows) {
        const bool isRunning = row.state == "running";
        const auto age = row.seen ? std::max(Duration(now - *row.seen), Duration{}) : Duration{};
        table.add(
            {{row.node.name},
             {row.node.role},
             {row.node.zone},
             {row.state, isRunning ? Mood::Good : Mood::Bad},
             {row.version},
             {row.hash.substr(0, kHashDigitsShown)},
             {row.hash.empty() ? "unknown" : (row.isConverged ? "yes" : "no"),
              row.isConverged ? Mood::Good : Mood::Bad},
             {row.seen ? fmt::format("{:.0f} s ago", toSeconds(age)) : ""},
             {row.offset_ms ? fmt::format("{:+.0f} ms", *row.offset_ms) : ""}}
        );
    }
    return table.toText(colour);
}

} // namespace

int runNodes(const NodesOptions& options, const Surroundings& around)
{
    const auto loaded = requireDocument(options.file, around);
    if (!loaded) {
        return loaded.error();
    }
    setLogLevel(LogLevel::Off); // What cannot be reached stands in the table.
    const std::map<std::string, WallTime> seen = seenBefore(*loaded);
    std::vector<NodeRow> rows;
    for (const model::Node& node : loaded->document->nodes) {
        NodeRow row;
        if (auto target = resolveNode(loaded->document.get(), node.name); target) {
            row.node = *std::move(target);
        } else {
            row.node.name = node.name;
            row.state = "no_address";
            row.reason = target.error().message;
        }
        if (const auto found = seen.find(node.name); found != seen.end()) {
            row.seen = found->second;
        }
        rows.push_back(std::move(row));
    }
    inParallel(rows.size(), kNodesAskedAtOnce, [&](std::size_t at) {
        if (rows[at].state.empty()) {
            askRow(rows[at], around, options.credentials, loaded->hash);
        }
    });
    const bool isAllReached = std::ranges::all_of(rows, [](const NodeRow& row) {
        return row.state != "unreachable" && row.state != "no_address";
    });
    const bool isAllConverged = std::ranges::all_of(rows, &NodeRow::isConverged);
    if (around.isJson()) {
        OrderedJson nodes = OrderedJson::array();
        for (const NodeRow& row : rows) {
            nodes.push_back(toJson(row));
        }
        around.output.out += dumped(
            {{"file", options.file},
             {"hash", loaded->hash},
             {"converged", isAllConverged},
             {"nodes", std::move(nodes)}}
        );
    } else if (rows.empty()) {
        around.output.out += fmt::format("{} lists no nodes\n", options.file);
    } else {
        around.output.out += tableOf(rows, around.clock().wallNow(), around.setting.colour);
        for (const NodeRow& row : rows) {
            if (!row.reason.empty()) {
                around.output.err += fmt::format("{}\n", row.reason);
            }
        }
    }
    return !isAllReached ? kUnreachable : (isAllConverged ? kDone : kNo);
}

} // namespace mesh::ctl
