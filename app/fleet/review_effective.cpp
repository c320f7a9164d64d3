// What changes in what each node runs.

#include "app/fleet/limits.h"
#include "app/fleet/node_classes.h"
#include "app/fleet/review.h"
#include "proxyengine/base/hash.h"
#include "proxyengine/config/tree.h"
#include "proxyengine/model/canonical.h"
#include "proxyengine/model/objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace mesh::fleet {
namespace {

using model::Document;
using model::Field;
using model::ObjectRef;
using model::Schema;
using model::Value;

constexpr std::size_t kContextLines = 1;

// What a node runs, as sorted lines "object.field: value", and how long it is as canonical JSON.
struct Flat
{
    std::vector<std::string> lines;
    std::int64_t bytes = 0;
};

const Field* fieldOf(const Schema* schema, const std::string& key)
{
    return schema == nullptr ? nullptr : schema->field(key);
}

void flatten(
    const Value& value, const Schema* schema, const std::string& path, std::vector<std::string>& out
)
{
    if (value.isMap() && !value.map().empty()) {
        for (const Value::Member& member : value.map()) {
            const Field* const field = fieldOf(schema, member.key);
            const std::string inner = path + "." + member.key;
            if (field != nullptr && field->isSecret) {
                const std::string text = config::toJson(member.value);
                out.push_back(fmt::format("{}: *** ({:08x})", inner, xxh3(text, 1) >> 32U));
            } else {
                flatten(member.value, field == nullptr ? nullptr : field->record, inner, out);
            }
        }
        return;
    }
    out.push_back(path + ": " + (value.isString() ? value.text() : config::toJson(value)));
}

// Which kinds of objects decide what a node of this role runs. A sidecar forwards by service names
// and knows no routes; of workloads it has its own, and everybody's addresses as targets.
bool isCompiledFor(const ObjectRef& ref, bool isSidecar)
{
    return ref.kind != "models" && ref.kind != "nodes" && (ref.kind != "routes" || !isSidecar)
           && (ref.kind != "plugins" || !isSidecar);
}

Flat flatOf(const Document& document, const std::string& node)
{
    Flat flat;
    const auto self = std::ranges::find(document.nodes, node, &model::Node::name);
    if (self == document.nodes.end() && !node.empty()) {
        return flat;
    }
    const bool isSidecar = self != document.nodes.end() && self->role == model::NodeRole::Sidecar;
    const auto add = [&](const std::string& path, const Value& record, const Schema* schema) {
        flatten(record, schema, path, flat.lines);
        flat.bytes += static_cast<std::int64_t>(config::toJson(record).size());
    };
    for (const model::EntityKind& kind : model::entityKinds()) {
        for (const ObjectRef& ref : model::objectsOf(document, kind.plural)) {
            if (isCompiledFor(ref, isSidecar)) {
                const std::string owner = ref.parent.empty() ? "" : ref.parent + ".";
                add(fmt::format("{}.{}{}", ref.kind, owner, ref.name),
                    model::objectAt(document, ref, model::Defaults::Omitted),
                    kind.schema);
            }
        }
    }
    if (self != document.nodes.end()) {
        flat.lines.push_back("node.zone: " + self->zone.value_or(""));
        flat.lines.push_back("node.certificate: " + self->certificate.value_or(""));
    }
    std::ranges::sort(flat.lines);
    return flat;
}

// The object a line is about, without its kind's plural: "upstreams.payment.slots: 5".
std::string subjectOf(const std::string& line)
{
    const std::size_t kindEnd = line.find('.');
    const std::size_t end = line.find_first_of(".:", kindEnd + 1);
    return line.substr(0, kindEnd) + " " + line.substr(kindEnd + 1, end - kindEnd - 1);
}

std::string summaryOf(const std::vector<EffectiveLine>& lines)
{
    std::vector<std::string> subjects;
    for (const EffectiveLine& line : lines) {
        const std::string subject = subjectOf(line.text);
        if (line.kind != EffectiveLine::Kind::Same
            && std::ranges::find(subjects, subject) == subjects.end()) {
            subjects.push_back(subject);
        }
    }
    constexpr std::size_t kNamed = 3;
    std::string text = fmt::format(
        "{}",
        fmt::join(
            subjects.begin(),
            subjects.begin() + static_cast<std::ptrdiff_t>(std::min(kNamed, subjects.size())),
            ", "
        )
    );
    if (subjects.size() > kNamed) {
        text += fmt::format(" and {} more", subjects.size() - kNamed);
    }
    return text;
}

std::vector<EffectiveLine> difference(const Flat& before, const Flat& after)
{
    std::vector<EffectiveLine> all;
    std::size_t old = 0;
    std::size_t now = 0;
    while (old < before.lines.size() || now < after.lines.size()) {
        const bool hasBoth = old < before.lines.size() && now < after.lines.size();
        if (hasBoth && before.lines[old] == after.lines[now]) {
            all.push_back({EffectiveLine::Kind::Same, before.lines[old]});
            ++old;
            ++now;
        } else if (now == after.lines.size() || (hasBoth && before.lines[old] < after.lines[now])) {
            all.push_back({EffectiveLine::Kind::Removed, before.lines[old++]});
        } else {
            all.push_back({EffectiveLine::Kind::Added, after.lines[now++]});
        }
    }
    std::vector<EffectiveLine> shown;
    for (std::size_t at = 0; at < all.size() && shown.size() < kReviewLinesMax; ++at) {
        bool isNear = false;
        const std::size_t begin = at < kContextLines ? 0 : at - kContextLines;
        for (std::size_t near = begin; near <= at + kContextLines && near < all.size(); ++near) {
            const bool isChange = all[near].kind != EffectiveLine::Kind::Same;
            isNear = isNear
                     || (isChange
                         && (near == at || subjectOf(all[near].text) == subjectOf(all[at].text)));
        }
        if (isNear) {
            shown.push_back(all[at]);
        }
    }
    return shown;
}

// Flattened once for all nodes that differ in nothing that is flattened.
class Flats
{
public:
    explicit Flats(const Document& document)
        : m_document(document)
    {}

    const Flat& of(const std::string& node)
    {
        const auto self = std::ranges::find(m_document.nodes, node, &model::Node::name);
        std::string key = "none";
        if (self != m_document.nodes.end()) {
            key = fmt::format(
                "{}|{}|{}",
                self->role == model::NodeRole::Sidecar,
                self->zone.value_or(""),
                self->certificate.value_or("")
            );
        }
        const auto found = m_flats.find(key);
        return found != m_flats.end()
                   ? found->second
                   : m_flats.emplace(key, flatOf(m_document, node)).first->second;
    }

private:
    const Document& m_document;
    std::map<std::string, Flat> m_flats;
};

EffectiveGroup groupOf(
    const Document& after,
    Flats& flatsBefore,
    Flats& flatsAfter,
    const std::string& node,
    NodeClasses& afterClasses
)
{
    EffectiveGroup group;
    const Flat& old = flatsBefore.of(node);
    const Flat& now = flatsAfter.of(node);
    group.lines = difference(old, now);
    group.bytes = now.bytes - old.bytes;
    group.summary = summaryOf(group.lines);
    const bool isGone =
        !node.empty()
        && std::ranges::find(after.nodes, node, &model::Node::name) == after.nodes.end();
    if (isGone) {
        group.summary = "leaves the fleet";
        return group;
    }
    for (const config::Problem& problem : afterClasses.compiled(node).problems) {
        group.errors.push_back(problem.path + ": " + problem.message);
    }
    return group;
}

std::string keyOf(const EffectiveGroup& group)
{
    std::string key = group.summary;
    for (const EffectiveLine& line : group.lines) {
        key += fmt::format("\n{}{}", static_cast<int>(line.kind), line.text);
    }
    return key + fmt::format("\n{}", fmt::join(group.errors, "\n"));
}

} // namespace

std::vector<EffectiveGroup> effectiveChanges(const Document& before, const Document& after)
{
    const Document old = model::canonical(before);
    const Document now = model::canonical(after);
    NodeClasses oldClasses(old);
    NodeClasses nowClasses(now);
    Flats oldFlats(old);
    Flats nowFlats(now);
    std::map<std::string, EffectiveGroup> byClass;
    std::map<std::string, EffectiveGroup> byChange;
    for (const std::string& node : nodesOf(old, now)) {
        const std::string classKey = oldClasses.keyOf(node) + "\n" + nowClasses.keyOf(node);
        auto known = byClass.find(classKey);
        if (known == byClass.end()) {
            known =
                byClass.emplace(classKey, groupOf(now, oldFlats, nowFlats, node, nowClasses)).first;
        }
        if (known->second.lines.empty() && known->second.errors.empty()) {
            continue;
        }
        EffectiveGroup& group =
            byChange.try_emplace(keyOf(known->second), known->second).first->second;
        group.nodes.push_back(node);
    }
    std::vector<EffectiveGroup> groups;
    for (auto& [key, group] : byChange) {
        groups.push_back(std::move(group));
    }
    std::ranges::stable_sort(groups, [](const EffectiveGroup& a, const EffectiveGroup& b) {
        return a.nodes.size() > b.nodes.size();
    });
    return groups;
}

} // namespace mesh::fleet
