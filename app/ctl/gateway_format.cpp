#include "app/ctl/gateway_format.h"

#include "proxyengine/config/document_value.h"
#include "proxyengine/config/tree.h"
#include "proxyengine/model/canonical.h"
#include "proxyengine/model/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <tuple>
#include <utility>

namespace mesh::ctl {
namespace {

using config::Problem;
using model::Value;

constexpr int kDropRoundsMax = 8; // What was hidden behind something unknown shows up in the next.

// One step of a path: a key, and an index when a list stands there.
struct PathStep
{
    std::string key;
    std::optional<std::size_t> index;
};

std::vector<PathStep> stepsOf(std::string_view path)
{
    std::vector<PathStep> steps;
    while (!path.empty()) {
        const std::size_t end = std::min(path.find('.'), path.size());
        std::string_view word = path.substr(0, end);
        path.remove_prefix(std::min(end + 1, path.size()));
        PathStep step;
        const std::size_t bracket = word.find('[');
        step.key = word.substr(0, bracket);
        if (bracket != std::string_view::npos) {
            std::size_t index = 0;
            const std::string_view digits = word.substr(bracket + 1);
            std::from_chars(digits.data(), digits.data() + digits.size(), index);
            step.index = index;
        }
        steps.push_back(std::move(step));
    }
    return steps;
}

// A plugin goes as a whole: half of its settings would be another plugin.
std::string droppedPath(const std::string& path)
{
    const std::size_t plugins = path.find("plugins[");
    const std::size_t end = plugins == std::string::npos ? plugins : path.find(']', plugins);
    return end == std::string::npos ? path : path.substr(0, end + 1);
}

// Takes the value at the path out of the tree. False: there is none.
bool removeAt(Value& root, const std::string& path)
{
    const std::vector<PathStep> steps = stepsOf(path);
    Value* at = &root;
    for (std::size_t each = 0; each < steps.size(); ++each) {
        const PathStep& step = steps[each];
        const bool isLast = each + 1 == steps.size();
        if (isLast && !step.index) {
            return at->isMap() && at->remove(step.key);
        }
        at = at->find(step.key);
        if (at == nullptr) {
            return false;
        }
        if (!step.index) {
            continue;
        }
        if (!at->isList() || *step.index >= at->list().size()) {
            return false;
        }
        if (isLast) {
            at->list().erase(at->list().begin() + static_cast<std::ptrdiff_t>(*step.index));
            return true;
        }
        at = &at->list()[*step.index];
    }
    return false;
}

bool isUnknownHere(const Problem& problem)
{
    return problem.severity == config::Severity::Error && !problem.path.empty()
           && (problem.code == ErrorCode::Unsupported || problem.code == ErrorCode::UnknownField)
           && !problem.path.starts_with("_format_version");
}

// Drops everything unknown that this round found. False: there is nothing more to drop.
bool dropUnknown(
    Value& tree, const std::vector<Problem>& problems, std::vector<FormatNote>& notes, bool isPlaced
)
{
    std::vector<std::pair<std::string, const Problem*>> found;
    for (const Problem& problem : problems) {
        std::string path = droppedPath(problem.path);
        const bool isNew =
            std::ranges::find(found, path, &std::pair<std::string, const Problem*>::first)
            == found.end();
        if (isUnknownHere(problem) && isNew) {
            found.emplace_back(std::move(path), &problem);
        }
    }
    // From the back, so that what stands before keeps its index.
    std::ranges::stable_sort(found, [](const auto& a, const auto& b) {
        const auto left = stepsOf(a.first);
        const auto right = stepsOf(b.first);
        return std::ranges::lexicographical_compare(
            right,
            left,
            {},
            [](const PathStep& step) { return std::tuple(step.key, step.index.value_or(0)); },
            [](const PathStep& step) { return std::tuple(step.key, step.index.value_or(0)); }
        );
    });
    bool hasDropped = false;
    for (const auto& [path, problem] : found) {
        if (removeAt(tree, path)) {
            hasDropped = true;
            notes.push_back(
                {FormatNote::Kind::Dropped,
                 path,
                 isPlaced ? problem->place : std::nullopt,
                 problem->message}
            );
        }
    }
    return hasDropped;
}

class Reporter
{
public:
    explicit Reporter(std::vector<FormatNote>& notes)
        : m_notes(notes)
    {}

    void look(const Value& root)
    {
        const Value* const version = root.find("_format_version");
        const bool isOld = version != nullptr && version->isString() && version->text() != "3.0";
        if (isOld) {
            changed(
                "_format_version",
                *version,
                "read as version " + version->text()
                    + "; regular expressions among paths get their ~, as version 3.0 writes them"
            );
        }
        lookAtExtras(root);
        for (const auto& [key, owner] : kMoved) {
            lookAtMoved(root, key, owner);
        }
        eachOf(root, "services", [&](const Value& service, const std::string& path) {
            if (const Value* url = service.find("url"); url != nullptr) {
                changed(path + ".url", *url, "written out as protocol, host, port and path");
            }
        });
        eachOf(root, "upstreams", [&](const Value& upstream, const std::string& path) {
            eachOf(upstream, "targets", [&](const Value& target, const std::string& place) {
                lookAtTarget(target, path + "." + place);
            });
        });
        eachOf(root, "targets", [&](const Value& target, const std::string& path) {
            lookAtTarget(target, path);
        });
    }

private:
    using Moved = std::pair<std::string_view, std::string_view>;
    static constexpr std::array<Moved, 3> kMoved = {{
        {"routes", "service"},
        {"targets", "upstream"},
        {"snis", "certificate"},
    }};

    void changed(std::string path, const Value& value, std::string text)
    {
        m_notes.push_back(
            {FormatNote::Kind::Changed, std::move(path), value.mark().place(), std::move(text)}
        );
    }

    template <typename Look>
    static void eachOf(const Value& record, std::string_view key, const Look& look)
    {
        const Value* const list = record.find(key);
        for (std::size_t at = 0; list != nullptr && list->isList() && at < list->list().size();
             ++at) {
            look(list->list()[at], fmt::format("{}[{}]", key, at));
        }
    }

    void lookAtExtras(const Value& root)
    {
        static constexpr std::array<std::string_view, 4> kGone = {
            "_comment", "_workspace", "_ignore", "_transform"};
        for (const std::string_view key : kGone) {
            if (const Value* value = root.find(key); value != nullptr) {
                m_notes.push_back(
                    {FormatNote::Kind::Dropped,
                     std::string(key),
                     value->mark().place(),
                     "says nothing about traffic; it is not kept"}
                );
            }
        }
        const Value* const extras = root.find("_info");
        if (extras == nullptr) {
            return;
        }
        if (const Value* defaults = extras->find("defaults"); defaults != nullptr) {
            changed(
                "_info.defaults", *defaults, "written out at every object that has no own value"
            );
        }
        if (const Value* tags = extras->find("select_tags"); tags != nullptr) {
            m_notes.push_back(
                {FormatNote::Kind::Dropped,
                 "_info.select_tags",
                 tags->mark().place(),
                 "the whole document is one configuration; the tags of objects are kept"}
            );
        }
    }

    void lookAtMoved(const Value& root, std::string_view key, std::string_view owner)
    {
        eachOf(root, key, [&](const Value& record, const std::string& path) {
            if (record.find(owner) != nullptr) {
                changed(path, record, fmt::format("stands inside its {} now", owner));
            }
        });
    }

    void lookAtTarget(const Value& target, const std::string& path)
    {
        const Value* const address = target.find("target");
        if (address == nullptr || !address->isString()) {
            return;
        }
        const std::string whole = model::withDefaultPort(address->text());
        if (whole != address->text()) {
            changed(path + ".target", *address, "its port is written out: " + whole);
        }
    }

    std::vector<FormatNote>& m_notes;
};

void sortByPlace(std::vector<FormatNote>& notes)
{
    std::ranges::stable_sort(notes, {}, [](const FormatNote& note) {
        return note.place ? std::pair(note.place->line, note.place->column) : std::pair(0, 0);
    });
}

// What the gateway's entities do not have, by list and field; an empty field: the whole list.
struct Addition
{
    std::string_view list;
    std::string_view field;
    std::string_view text;
};
constexpr std::array kAdditions = {
    Addition{"services", "http_version", "targets are spoken to as the gateway chooses"},
    Addition{"services", "upgrades", "the gateway lets WebSocket through, and only that"},
    Addition{"services", "compression", "answers are not compressed"},
    Addition{"services", "proxy_protocol", "targets are not told who the client is"},
    Addition{"services", "resilience", "its retries, timeouts, breaker and limits do not act"},
    Addition{"routes", "resilience", "its retries, timeouts, breaker and limits do not act"},
    Addition{"routes", "compression", "answers are not compressed"},
    Addition{"routes", "split", "all goes to the route's own service"},
    Addition{"routes", "split_sticky", "all goes to the route's own service"},
    Addition{"upstreams", "outlier_detection", "failing targets are not ejected"},
    Addition{"upstreams", "limits", "there are no limits per upstream"},
    Addition{"upstreams", "slow_start", "new targets get their whole share at once"},
    Addition{"upstreams", "locality", "zones do not matter"},
    Addition{"ca_certificates", "crl", "revoked certificates are not known"},
    Addition{"mesh", "", "there is no mesh: no mutual TLS between sidecars"},
    Addition{"nodes", "", "who runs it is not said"},
    Addition{"workloads", "", "services find their targets by DNS or upstreams alone"},
    Addition{"models", "", "there is nothing to simulate with"},
};

struct Nearest
{
    std::string_view ours;
    std::string_view theirs;
};
constexpr std::array kNearestAlgorithms = {
    Nearest{"least-requests", "least-connections"},
    Nearest{"maglev", "consistent-hashing"},
    Nearest{"random", "round-robin"},
};

class Exporter
{
public:
    explicit Exporter(Value root)
        : m_root(std::move(root))
    {}

    GatewayExport run()
    {
        strip(m_root, {});
        static constexpr std::array<std::string_view, 3> kLists = {
            "services", "upstreams", "ca_certificates"};
        for (const std::string_view key : kLists) {
            stripEach(m_root, key, {});
        }
        stripEach(m_root, "routes", {});
        return {config::toYaml(m_root), std::move(m_notes)};
    }

private:
    void drop(Value& record, const Addition& addition, const std::string& path)
    {
        const std::string_view key = addition.field.empty() ? addition.list : addition.field;
        if (record.remove(key)) {
            m_notes.push_back(
                {FormatNote::Kind::Dropped,
                 path.empty() ? std::string(key) : fmt::format("{}.{}", path, key),
                 std::nullopt,
                 std::string(addition.text)}
            );
        }
    }

    // Takes the additions of one list out of a record of it; of the top for an empty list.
    void strip(Value& record, std::string_view list, const std::string& path = {})
    {
        for (const Addition& addition : kAdditions) {
            if (list.empty() ? addition.field.empty()
                             : addition.list == list && !addition.field.empty()) {
                drop(record, addition, path);
            }
        }
    }

    void stripEach(Value& owner, std::string_view key, const std::string& ownerPath)
    {
        Value* const list = owner.find(key);
        for (std::size_t at = 0; list != nullptr && list->isList() && at < list->list().size();
             ++at) {
            Value& record = list->list()[at];
            const std::string path =
                fmt::format("{}{}{}[{}]", ownerPath, ownerPath.empty() ? "" : ".", key, at);
            strip(record, key, path);
            if (key == "upstreams") {
                chooseAlgorithm(record, path);
            } else if (key == "services") {
                stripEach(record, "routes", path);
            }
        }
    }

    void chooseAlgorithm(Value& upstream, const std::string& path)
    {
        const Value* const algorithm = upstream.find("algorithm");
        if (algorithm == nullptr || !algorithm->isString()) {
            return;
        }
        for (const Nearest& each : kNearestAlgorithms) {
            if (algorithm->text() == each.ours) {
                upstream.set("algorithm", std::string(each.theirs));
                m_notes.push_back(
                    {FormatNote::Kind::Changed,
                     path + ".algorithm",
                     std::nullopt,
                     fmt::format("{} becomes {}, the nearest there is", each.ours, each.theirs)}
                );
                return;
            }
        }
    }

    Value m_root;
    std::vector<FormatNote> m_notes;
};

} // namespace

std::string_view toText(FormatNote::Kind kind)
{
    return kind == FormatNote::Kind::Changed ? "changed" : "dropped";
}

GatewayImport importGateway(std::string_view text, Unknown unknown)
{
    GatewayImport import;
    config::DecodeResult decoded = config::decode(text);
    std::vector<Problem> ignored; // decode() told them.
    Value tree = config::parseTree(text, ignored);
    if (tree.isMap()) {
        Reporter(import.notes).look(tree);
    }
    bool isPlaced = true;
    for (int round = 0; unknown == Unknown::Dropped && round < kDropRoundsMax; ++round) {
        if (!dropUnknown(tree, decoded.problems, import.notes, isPlaced)) {
            break;
        }
        decoded = config::decode(config::toYaml(tree));
        isPlaced = false;
    }
    if (!isPlaced) {
        for (Problem& problem : decoded.problems) {
            problem.place.reset(); // It would be one of the text without what was dropped.
        }
    }
    import.document = std::move(decoded.document);
    import.problems = std::move(decoded.problems);
    sortByPlace(import.notes);
    return import;
}

GatewayExport exportGateway(const model::Document& document, config::Secrets secrets)
{
    return Exporter(config::toValue(model::canonical(document), secrets)).run();
}

} // namespace mesh::ctl
