#include "app/ctl/diff_command.h"

#include "app/ctl/document_input.h"
#include "app/ctl/json.h"
#include "app/ctl/text_table.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/config/effective.h"
#include "proxyengine/config/tree.h"
#include "proxyengine/model/diff.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace mesh::ctl {
namespace {

struct Side
{
    std::string name; // "shop.yaml", "revision 3", "edge-1"
    std::string hash; // Empty: a node that runs nothing yet.
    std::shared_ptr<const model::Document> document;
    std::string node; // Of a node that the document knows; only it is looked at then.
};

Side sideOf(LoadedDocument loaded)
{
    std::string name = loaded.isMeshDocument
                           ? fmt::format("{} revision {}", loaded.file, loaded.revision)
                           : loaded.file;
    return {std::move(name), std::move(loaded.hash), std::move(loaded.document), {}};
}

tl::expected<Side, int> nodeSide(
    const DiffOptions& options, const model::Document& document, const Surroundings& around
)
{
    const auto target = resolveNode(&document, options.node);
    if (!target) {
        return tl::unexpected(failed(around, target.error(), kUsage));
    }
    Side side;
    side.name = target->name;
    side.node = findNode(document, target->name) != nullptr ? target->name : std::string();
    auto running = readNodeDocument(around.clock(), *target, options.credentials);
    if (running) {
        side.hash = config::hashOf(**running);
        side.document = *std::move(running);
        return side;
    }
    if (running.error().code != ErrorCode::NotFound) { // It runs nothing yet.
        return tl::unexpected(failed(around, running.error(), exitCodeOfNode(running.error())));
    }
    side.document = std::make_shared<const model::Document>();
    return side;
}

tl::expected<Side, int> otherSide(
    const DiffOptions& options, const Side& after, const Surroundings& around
)
{
    if (!options.node.empty()) {
        return nodeSide(options, *after.document, around);
    }
    const auto revision = parseRevision(options.against);
    auto loaded = revision ? requireDocument(options.file, around, *revision)
                           : requireDocument(options.against, around);
    if (!loaded) {
        return tl::unexpected(loaded.error());
    }
    return sideOf(*std::move(loaded));
}

std::string nameOf(const model::ObjectRef& object)
{
    const std::string own = object.kind + "/" + object.name;
    return object.parent.empty() ? own : fmt::format("{} of {}", own, object.parent);
}

std::string textOf(const model::Value& value)
{
    return value.isNull() ? "(default)" : config::toJson(value);
}

std::string objectsText(const std::vector<model::ObjectChange>& changes, Colour colour)
{
    static constexpr std::array<Mood, 3> kMoods = {Mood::Good, Mood::Warned, Mood::Bad};
    std::string text;
    for (const model::ObjectChange& change : changes) {
        const Mood mood = kMoods.at(static_cast<std::size_t>(change.kind));
        text += fmt::format(
            "{} {}\n",
            coloured(fmt::format("{:<8}", model::toText(change.kind)), mood, colour),
            printable(nameOf(change.object))
        );
        for (const model::FieldChange& field : change.fields) {
            text += fmt::format(
                "           {}: {} -> {}\n", field.path, textOf(field.before), textOf(field.after)
            );
        }
    }
    return text;
}

// Nodes on which the effective configuration changes alike.
struct EffectiveChange
{
    std::vector<std::string> nodes;
    std::vector<std::pair<char, std::string>> lines; // '-' or '+', then "object field: value".
    std::string error; // It cannot be compiled for these nodes.
};

std::string lineOf(const config::EffectiveValue& value)
{
    return fmt::format("{} {}: {}", value.object, value.field, value.value);
}

// Nothing for a side that does not have the node.
Result<std::vector<config::EffectiveValue>> valuesOf(
    const model::Document& document, const std::string& node
)
{
    if (!node.empty() && findNode(document, node) == nullptr) {
        return std::vector<config::EffectiveValue>();
    }
    MESH_TRY(config::EffectiveConfig effective, config::effective(document, node));
    return std::move(effective.values);
}

// Both are sorted by object and field, so this is a merge.
EffectiveChange changeOf(
    const std::vector<config::EffectiveValue>& before,
    const std::vector<config::EffectiveValue>& after
)
{
    EffectiveChange change;
    const auto keyOf = [](const config::EffectiveValue& value) {
        return std::tie(value.object, value.field);
    };
    auto old = before.begin();
    auto fresh = after.begin();
    while (old != before.end() || fresh != after.end()) {
        const bool isOld =
            fresh == after.end() || (old != before.end() && keyOf(*old) < keyOf(*fresh));
        const bool isFresh =
            old == before.end() || (fresh != after.end() && keyOf(*fresh) < keyOf(*old));
        const bool isChanged = !isOld && !isFresh && old->value != fresh->value;
        if (isOld || isChanged) {
            change.lines.emplace_back('-', lineOf(*old));
        }
        if (isFresh || isChanged) {
            change.lines.emplace_back('+', lineOf(*fresh));
        }
        old += isFresh ? 0 : 1;
        fresh += isOld ? 0 : 1;
    }
    return change;
}

// Of these nodes; those that change alike together, those that do not change not at all.
std::vector<EffectiveChange> effectiveChanges(
    const model::Document& before,
    const model::Document& after,
    const std::vector<std::string>& nodes
)
{
    std::vector<EffectiveChange> changes;
    for (const std::string& node : nodes) {
        const auto old = valuesOf(before, node);
        const auto fresh = valuesOf(after, node);
        EffectiveChange change;
        if (!old || !fresh) {
            change.error = old ? fresh.error().message : old.error().message;
        } else {
            change = changeOf(*old, *fresh);
        }
        if (change.error.empty() && change.lines.empty()) {
            continue;
        }
        const auto same = std::ranges::find_if(changes, [&](const EffectiveChange& each) {
            return each.lines == change.lines && each.error == change.error;
        });
        if (same != changes.end()) {
            same->nodes.push_back(node);
        } else {
            change.nodes.push_back(node);
            changes.push_back(std::move(change));
        }
    }
    return changes;
}

// The nodes of both documents; one of no name, a gateway, when there are none.
std::vector<std::string> nodesOf(const model::Document& before, const model::Document& after)
{
    std::set<std::string> names;
    for (const model::Document* document : {&before, &after}) {
        for (const model::Node& node : document->nodes) {
            names.insert(node.name);
        }
    }
    if (names.empty()) {
        names.insert(std::string());
    }
    return {names.begin(), names.end()};
}

std::string effectiveText(const EffectiveChange& change, Colour colour)
{
    const bool isNameless = change.nodes.front().empty();
    std::string text = fmt::format(
        "\nEffective on {}:\n",
        isNameless ? "any gateway" : fmt::format("{}", fmt::join(change.nodes, ", "))
    );
    if (!change.error.empty()) {
        text += fmt::format("  {}\n", coloured(printable(change.error), Mood::Bad, colour));
    }
    for (const auto& [sign, line] : change.lines) {
        text += coloured(
            fmt::format("  {} {}", sign, printable(line)),
            sign == '-' ? Mood::Bad : Mood::Good,
            colour
        );
        text += '\n';
    }
    return text;
}

OrderedJson toJson(const model::ObjectChange& change)
{
    OrderedJson fields = OrderedJson::array();
    for (const model::FieldChange& field : change.fields) {
        fields.push_back(
            {{"path", field.path},
             {"before", OrderedJson::parse(config::toJson(field.before), nullptr, false)},
             {"after", OrderedJson::parse(config::toJson(field.after), nullptr, false)}}
        );
    }
    return {
        {"change", model::toText(change.kind)},
        {"kind", change.object.kind},
        {"name", change.object.name},
        {"parent", change.object.parent},
        {"fields", std::move(fields)}};
}

OrderedJson toJson(const EffectiveChange& change)
{
    OrderedJson lines = OrderedJson::array();
    for (const auto& [sign, line] : change.lines) {
        lines.push_back({{"kind", sign == '-' ? "removed" : "added"}, {"text", line}});
    }
    return {{"nodes", change.nodes}, {"lines", std::move(lines)}, {"error", change.error}};
}

OrderedJson toJson(const Side& side) { return {{"name", side.name}, {"hash", side.hash}}; }

} // namespace

int runDiff(const DiffOptions& options, const Surroundings& around)
{
    if (options.against.empty() == options.node.empty()) {
        return failed(
            around,
            ErrorCode::InvalidArgument,
            "diff needs --against FILE|REV or --node NAME|URL, one of them",
            kUsage
        );
    }
    auto loaded = requireDocument(options.file, around);
    if (!loaded) {
        return loaded.error();
    }
    const Side after = sideOf(*std::move(loaded));
    const auto before = otherSide(options, after, around);
    if (!before) {
        return before.error();
    }
    const auto objects = model::diff(*before->document, *after.document);
    const std::vector<std::string> nodes = before->node.empty()
                                               ? nodesOf(*before->document, *after.document)
                                               : std::vector<std::string>{before->node};
    const auto changes = effectiveChanges(*before->document, *after.document, nodes);
    const bool isDifferent = before->hash != after.hash;
    if (around.isJson()) {
        OrderedJson objectRows = OrderedJson::array();
        for (const model::ObjectChange& change : objects) {
            objectRows.push_back(toJson(change));
        }
        OrderedJson effectiveRows = OrderedJson::array();
        for (const EffectiveChange& change : changes) {
            effectiveRows.push_back(toJson(change));
        }
        around.output.out += dumped(
            {{"before", toJson(*before)},
             {"after", toJson(after)},
             {"different", isDifferent},
             {"objects", std::move(objectRows)},
             {"effective", std::move(effectiveRows)}}
        );
        return isDifferent ? kNo : kDone;
    }
    std::string& out = around.output.out;
    out += fmt::format("{} -> {}: ", before->name, after.name);
    out += isDifferent ? fmt::format("{} objects differ\n", objects.size()) : "no difference\n";
    out += objectsText(objects, around.setting.colour);
    for (const EffectiveChange& change : changes) {
        out += effectiveText(change, around.setting.colour);
    }
    return isDifferent ? kNo : kDone;
}

} // namespace mesh::ctl
