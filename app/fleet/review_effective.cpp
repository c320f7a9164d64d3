// What changes in what each node runs.

#include "app/fleet/limits.h"
#include "app/fleet/node_classes.h"
#include "app/fleet/review.h"
#include "proxyengine/config/effective.h"
#include "proxyengine/model/canonical.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace mesh::fleet {
namespace {

using model::Document;

constexpr std::size_t kContextLines = 1;

// One value that a node runs with.
struct FlatValue
{
    std::string object; // "upstreams/payment"
    std::string field;
    std::string value; // JSON
    bool isDefault = false;
};

// What a node runs, sorted by object and field, and how long all of it is that
// somebody says.
struct Flat
{
    std::vector<FlatValue> values;
    std::int64_t bytes = 0;
};

std::string textOf(const FlatValue& value)
{
    return fmt::format("{} {}: {}", value.object, value.field, value.value);
}

// Of its own record a node runs by role, zone and certificate; its name and
// where its admin API is are not what it runs, so that nodes which run the same
// stay one group.
bool isOfNode(const config::EffectiveValue& value)
{
    return !value.object.starts_with("nodes/") || value.field == "role" || value.field == "zone"
           || value.field == "certificate";
}

// Empty for a node that the document does not have, and where it does not
// compile.
Flat flatOf(const Document& document, const std::string& node)
{
    Flat flat;
    const bool isListed =
        std::ranges::find(document.nodes, node, &model::Node::name) != document.nodes.end();
    if (!isListed && !node.empty()) {
        return flat;
    }
    auto effective = config::effective(document, node, config::SecretText::Digested);
    if (!effective) {
        return flat;
    }
    for (config::EffectiveValue& each : effective->values) {
        if (!isOfNode(each)) {
            continue;
        }
        FlatValue value;
        value.object = each.object.starts_with("nodes/") ? "node" : std::move(each.object);
        value.field = std::move(each.field);
        value.value = std::move(each.value);
        value.isDefault = each.origin == config::Origin::Default;
        if (!value.isDefault) {
            flat.bytes += static_cast<std::int64_t>(textOf(value).size());
        }
        flat.values.push_back(std::move(value));
    }
    std::ranges::sort(flat.values, {}, [](const FlatValue& value) {
        return std::tie(value.object, value.field);
    });
    return flat;
}

// A line of the difference and the object it is about: "upstreams payment".
struct SubjectLine
{
    EffectiveLine line;
    std::string subject;
};

SubjectLine lineOf(EffectiveLine::Kind kind, const FlatValue& value)
{
    SubjectLine line{{kind, textOf(value)}, value.object};
    const std::size_t kindEnd = line.subject.find('/');
    if (kindEnd != std::string::npos) {
        line.subject[kindEnd] = ' ';
        line.subject.resize(std::min(line.subject.find('/'), line.subject.size()));
    }
    return line;
}

std::string summaryOf(const std::vector<SubjectLine>& lines)
{
    std::vector<std::string> subjects;
    for (const auto& [line, subject] : lines) {
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

// Both by object and field. What nobody says is told only where somebody said
// something else.
std::vector<SubjectLine> merged(const Flat& before, const Flat& after)
{
    using Kind = EffectiveLine::Kind;
    const auto keyOf = [](const FlatValue& value) { return std::tie(value.object, value.field); };
    std::vector<SubjectLine> all;
    auto old = before.values.begin();
    auto now = after.values.begin();
    while (old != before.values.end() || now != after.values.end()) {
        const bool hasBoth = old != before.values.end() && now != after.values.end();
        if (now == after.values.end() || (hasBoth && keyOf(*old) < keyOf(*now))) {
            if (!old->isDefault) {
                all.push_back(lineOf(Kind::Removed, *old));
            }
            ++old;
        } else if (old == before.values.end() || keyOf(*now) < keyOf(*old)) {
            if (!now->isDefault) {
                all.push_back(lineOf(Kind::Added, *now));
            }
            ++now;
        } else {
            if (old->value != now->value) {
                all.push_back(lineOf(Kind::Removed, *old));
                all.push_back(lineOf(Kind::Added, *now));
            } else if (!now->isDefault) {
                all.push_back(lineOf(Kind::Same, *now));
            }
            ++old;
            ++now;
        }
    }
    return all;
}

// The changes, each with its neighbours of the same object.
std::vector<EffectiveLine> shownOf(const std::vector<SubjectLine>& all)
{
    std::vector<EffectiveLine> shown;
    for (std::size_t at = 0; at < all.size() && shown.size() < kReviewLinesMax; ++at) {
        bool isNear = false;
        const std::size_t begin = at < kContextLines ? 0 : at - kContextLines;
        for (std::size_t near = begin; near <= at + kContextLines && near < all.size(); ++near) {
            isNear = isNear
                     || (all[near].line.kind != EffectiveLine::Kind::Same
                         && all[near].subject == all[at].subject);
        }
        if (isNear) {
            shown.push_back(all[at].line);
        }
    }
    return shown;
}

// Asked once for all nodes that compile() cannot tell apart.
class Flats
{
public:
    // Both outlive this.
    Flats(const Document& document, const NodeClasses& classes)
        : m_document(document)
        , m_classes(classes)
    {}

    const Flat& of(const std::string& node)
    {
        const std::string key = m_classes.keyOf(node);
        const auto found = m_flats.find(key);
        return found != m_flats.end()
                   ? found->second
                   : m_flats.emplace(key, flatOf(m_document, node)).first->second;
    }

private:
    const Document& m_document;
    const NodeClasses& m_classes;
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
    const std::vector<SubjectLine> lines = merged(old, now);
    group.lines = shownOf(lines);
    group.bytes = now.bytes - old.bytes;
    group.summary = summaryOf(lines);
    const bool isGone =
        !node.empty()
        && std::ranges::find(after.nodes, node, &model::Node::name) == after.nodes.end();
    if (isGone) {
        group.summary = "leaves the fleet";
        return group;
    }
    const config::CompileResult& compiled = afterClasses.compiled(node);
    if (!compiled.snapshot) {
        group.lines.clear(); // It does not run, so there is nothing to compare.
        group.summary = "cannot be compiled";
    }
    for (const config::Problem& problem : compiled.problems) {
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
    Flats oldFlats(old, oldClasses);
    Flats nowFlats(now, nowClasses);
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
