#include "proxyengine/base/limits.h"
#include "proxyengine/config/check_document.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/config/decode_stored.h"
#include "proxyengine/config/sugar.h"
#include "proxyengine/config/tree.h"
#include "proxyengine/model/schema.h"
#include "proxyengine/model/unsupported.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>

namespace mesh::config {
namespace {

using model::Mark;
using model::Value;

// An object that stands elsewhere in the document than in the file.
struct Moved
{
    std::string document; // "services[0].routes[2]"
    std::string file; // "routes[5]"
};

class Decoder
{
public:
    Decoder(Value root, std::vector<Problem> problems, Severity expired)
        : m_root(std::move(root))
        , m_expired(expired)
        , m_problems(std::move(problems))
    {}

    DecodeResult run()
    {
        if (!m_root.isMap()) {
            if (m_problems.empty()) {
                add({}, m_root.mark(), ErrorCode::InvalidArgument, "expected a map at the top");
            }
            return finish();
        }
        readVersion();
        readExtras();
        rejectUnknown();
        readList("services", "service", m_document.services, &Sugar::service);
        readList("routes", "route", m_document.routes, &Sugar::route);
        readList("upstreams", "upstream", m_document.upstreams, &Sugar::upstream);
        readList("certificates", "certificate", m_document.certificates, nullptr);
        readList("ca_certificates", "ca_certificate", m_document.caCertificates, nullptr);
        readList("plugins", "plugin", m_document.plugins, &Sugar::plugin);
        readList("nodes", "node", m_document.nodes, nullptr);
        readList("workloads", "workload", m_document.workloads, nullptr);
        readList("models", "model", m_document.models, nullptr);
        readMesh();
        nestRoutes();
        readTargets();
        readSnis();
        addFindings(checkDocument(m_document, m_expired));
        return finish();
    }

private:
    using SugarStep = void (Sugar::*)(Value&, const std::string&) const;

    static constexpr std::array<std::string_view, 18> kTopLevel = {
        "_format_version",
        "_transform",
        "_comment",
        "_ignore",
        "_info",
        "_workspace",
        "services",
        "routes",
        "upstreams",
        "targets",
        "certificates",
        "snis",
        "ca_certificates",
        "plugins",
        "mesh",
        "nodes",
        "workloads",
        "models"};

    void add(
        std::string path,
        Mark mark,
        ErrorCode code,
        std::string message,
        Severity severity = Severity::Error
    )
    {
        m_problems.push_back(Problem{
            std::move(path), mark.place(), code, severity, std::move(message)});
    }

    [[nodiscard]] Sugar sugar() { return Sugar{m_version, m_problems}; }

    void readVersion()
    {
        const Value* const version = m_root.find("_format_version");
        const std::string path = "_format_version";
        if (version == nullptr) {
            add(path,
                m_root.mark(),
                ErrorCode::MissingField,
                "required field missing; write _format_version: \"3.0\"");
        } else if (!version->isString()) {
            add(path,
                version->mark(),
                ErrorCode::InvalidArgument,
                "expected a string; put it in quotes, as in \"3.0\"");
        } else if (version->text() == "1.1" || version->text() == "2.1") {
            m_version = FormatVersion::Old;
        } else if (version->text() != "3.0") {
            add(path,
                version->mark(),
                ErrorCode::Unsupported,
                "expected one of: \"1.1\", \"2.1\", \"3.0\"");
        }
    }

    void readExtras()
    {
        const auto expect = [&](std::string_view key, Value::Type type) {
            const Value* const value = m_root.find(key);
            if (value != nullptr && value->type() != type) {
                add(std::string(key),
                    value->mark(),
                    ErrorCode::InvalidArgument,
                    fmt::format("expected a {}", model::toText(type)));
            }
        };
        expect("_transform", Value::Type::Bool);
        expect("_comment", Value::Type::String);
        expect("_ignore", Value::Type::List);
        expect("_info", Value::Type::Map);
        const Value* const info = m_root.find("_info");
        if (info == nullptr) {
            return;
        }
        if (const Value* const defaults = info->find("defaults"); defaults != nullptr) {
            m_defaults = *defaults;
        }
        if (const Value* const tags = info->find("select_tags"); tags != nullptr) {
            add("_info.select_tags",
                tags->mark(),
                ErrorCode::Unsupported,
                "select_tags have no effect: the whole document is one configuration",
                Severity::Warning);
        }
    }

    void rejectUnknown()
    {
        for (const Value::Member& member : m_root.map()) {
            if (std::ranges::find(kTopLevel, member.key) != kTopLevel.end()) {
                continue;
            }
            std::string text = model::unsupportedField("document", member.key);
            const ErrorCode code = text.empty() ? ErrorCode::UnknownField : ErrorCode::Unsupported;
            add(member.key, member.keyMark, code, text.empty() ? "unknown field" : std::move(text));
        }
    }

    // The list of a top-level key; null when there is none or it is no list.
    Value::List* listOf(std::string_view key)
    {
        Value* const found = m_root.find(key);
        if (found == nullptr || found->isNull()) {
            return nullptr;
        }
        if (!found->isList()) {
            add(std::string(key), found->mark(), ErrorCode::InvalidArgument, "expected an array");
            return nullptr;
        }
        return &found->list();
    }

    template <typename Entity>
    void readList(
        std::string_view key, std::string_view singular, std::vector<Entity>& to, SugarStep step
    )
    {
        if (key == "plugins") {
            dropUnknownPlugins(m_root, {}, m_problems);
        }
        Value::List* const list = listOf(key);
        if (list == nullptr) {
            return;
        }
        to.reserve(list->size());
        const Value* const defaults = m_defaults.find(singular);
        for (std::size_t at = 0; at < list->size(); ++at) {
            const std::string path = fmt::format("{}[{}]", key, at);
            Value& record = (*list)[at];
            if (defaults != nullptr) {
                mergeDefaults(record, *defaults);
            }
            applyNestedDefaults(key, record);
            if (step != nullptr) {
                (sugar().*step)(record, path);
            }
            to.push_back(readRecord<Entity>(record, path));
        }
    }

    // Defaults of routes and targets reach those inside services and upstreams too.
    void applyNestedDefaults(std::string_view key, Value& record)
    {
        const std::string_view child =
            key == "services" ? "routes" : (key == "upstreams" ? "targets" : "");
        const Value* const defaults = m_defaults.find(key == "services" ? "route" : "target");
        Value* const children = child.empty() ? nullptr : record.find(child);
        if (defaults == nullptr || children == nullptr || !children->isList()) {
            return;
        }
        for (Value& each : children->list()) {
            mergeDefaults(each, *defaults);
        }
    }

    template <typename Entity>
    Entity readRecord(const Value& record, const std::string& path)
    {
        m_fields.clear();
        model::validateFields(model::schemaOf<Entity>(), record, path, m_fields);
        for (model::FieldProblem& each : m_fields) {
            m_wrongFields.push_back(each.path);
            add(std::move(each.path), each.mark, each.code, std::move(each.message));
        }
        return record.isMap() ? model::fromValue<Entity>(record) : Entity();
    }

    void readMesh()
    {
        const Value* const mesh = m_root.find("mesh");
        if (mesh != nullptr && !mesh->isNull()) {
            m_document.mesh = readRecord<model::MeshSettings>(*mesh, "mesh");
        }
    }

    // Top-level routes that name a service go into it.
    void nestRoutes()
    {
        if (m_document.routes.empty()) {
            return;
        }
        std::unordered_map<std::string_view, std::size_t> services;
        for (std::size_t at = 0; at < m_document.services.size(); ++at) {
            if (m_document.services[at].id) {
                services.emplace(*m_document.services[at].id, at);
            }
            if (m_document.services[at].name) {
                services.emplace(*m_document.services[at].name, at);
            }
        }
        std::vector<model::Route> left;
        for (std::size_t at = 0; at < m_document.routes.size(); ++at) {
            model::Route& route = m_document.routes[at];
            const auto found = route.service ? services.find(*route.service) : services.end();
            if (found == services.end()) {
                move(fmt::format("routes[{}]", left.size()), fmt::format("routes[{}]", at));
                left.push_back(std::move(route));
                continue;
            }
            std::vector<model::Route>& nested = m_document.services[found->second].routes;
            move(
                fmt::format("services[{}].routes[{}]", found->second, nested.size()),
                fmt::format("routes[{}]", at)
            );
            route.service.reset();
            nested.push_back(std::move(route));
        }
        m_document.routes = std::move(left);
    }

    void move(std::string document, std::string file)
    {
        if (document != file) {
            m_moved.push_back(Moved{std::move(document), std::move(file)});
        }
    }

    // Top-level children name their owner by `key`; `find` makes name or id an index.
    template <typename Child, typename Find, typename ListOf>
    void readChildren(
        std::string_view plural, std::string_view key, const Find& find, const ListOf& listOfOwner
    )
    {
        Value::List* const list = listOf(plural);
        for (std::size_t at = 0; list != nullptr && at < list->size(); ++at) {
            Value& record = (*list)[at];
            const std::string path = fmt::format("{}[{}]", plural, at);
            const Mark place = record.mark();
            if (plural == "targets") {
                sugar().target(record);
            }
            const bool hasOwner = record.find(key) != nullptr;
            const std::optional<Value> owner = sugar().takeReference(record, key, path);
            Child child = readRecord<Child>(record, path);
            if (!owner) {
                if (!hasOwner && record.isMap()) {
                    add(fmt::format("{}.{}", path, key),
                        place,
                        ErrorCode::MissingField,
                        "required field missing");
                }
                continue;
            }
            const std::optional<std::size_t> index = find(owner->text());
            if (!index) {
                add(fmt::format("{}.{}", path, key),
                    owner->mark(),
                    ErrorCode::DanglingReference,
                    fmt::format("there is no {} '{}' in this document", key, owner->text()));
                continue;
            }
            auto& [ownerPath, children] = listOfOwner(*index);
            move(fmt::format("{}[{}]", ownerPath, children->size()), path);
            children->push_back(std::move(child));
        }
    }

    void readTargets()
    {
        std::unordered_map<std::string_view, std::size_t> upstreams;
        for (std::size_t at = 0; at < m_document.upstreams.size(); ++at) {
            upstreams.emplace(m_document.upstreams[at].name, at);
            if (m_document.upstreams[at].id) {
                upstreams.emplace(*m_document.upstreams[at].id, at);
            }
        }
        std::pair<std::string, std::vector<model::Target>*> place;
        readChildren<model::Target>(
            "targets",
            "upstream",
            [&](const std::string& name) -> std::optional<std::size_t> {
                const auto found = upstreams.find(name);
                return found == upstreams.end() ? std::nullopt : std::optional(found->second);
            },
            [&](std::size_t index) -> auto& {
                place = {
                    fmt::format("upstreams[{}].targets", index),
                    &m_document.upstreams[index].targets};
                return place;
            }
        );
    }

    void readSnis()
    {
        std::pair<std::string, std::vector<model::Sni>*> place;
        readChildren<model::Sni>(
            "snis",
            "certificate",
            [&](const std::string& id) -> std::optional<std::size_t> {
                const auto found =
                    std::ranges::find(m_document.certificates, id, &model::Certificate::id);
                return found == m_document.certificates.end()
                           ? std::nullopt
                           : std::optional(
                               static_cast<std::size_t>(found - m_document.certificates.begin())
                           );
            },
            [&](std::size_t index) -> auto& {
                place = {
                    fmt::format("certificates[{}].snis", index),
                    &m_document.certificates[index].snis};
                return place;
            }
        );
    }

    // From the path in the document to the path in the file.
    [[nodiscard]] std::string filePath(const std::string& path) const
    {
        // The longest that fits: routes[1] must not take what belongs to routes[10].
        for (std::size_t length = path.size(); length > 0; --length) {
            const bool isBoundary = length == path.size() || path[length] == '.';
            if (!isBoundary) {
                continue;
            }
            const auto found = m_movedByPath.find(std::string_view(path).substr(0, length));
            if (found != m_movedByPath.end()) {
                return std::string(found->second) + path.substr(length);
            }
        }
        return path;
    }

    // True when the object has a wrong field of its own; its rules have nothing to say then.
    [[nodiscard]] bool hasWrongField(const std::string& object) const
    {
        return std::ranges::any_of(m_wrongFields, [&](const std::string& path) {
            if (!path.starts_with(object)) {
                return false;
            }
            const std::string_view rest = std::string_view(path).substr(object.size());
            const bool isInside = rest.empty() || rest.front() == '.' || rest.front() == '[';
            return isInside && !rest.starts_with(".routes[") && !rest.starts_with(".targets[")
                   && !rest.starts_with(".snis[");
        });
    }

    void addFindings(std::vector<Finding> findings)
    {
        if (!findings.empty()) {
            for (const Moved& moved : m_moved) {
                m_movedByPath.emplace(moved.document, moved.file);
            }
        }
        if (findings.size() > kConfigProblemsMax) {
            findings.resize(kConfigProblemsMax);
        }
        for (Finding& finding : findings) {
            Problem& problem = finding.problem;
            problem.path = filePath(problem.path);
            if (!finding.object.empty() && hasWrongField(filePath(finding.object))) {
                continue;
            }
            problem.place = nodeAt(m_root, problem.path)->mark().place();
            m_problems.push_back(std::move(problem));
        }
    }

    DecodeResult finish()
    {
        std::ranges::stable_sort(m_problems, [](const Problem& a, const Problem& b) {
            const auto keyOf = [](const Problem& each) {
                const LineColumn place = each.place.value_or(LineColumn{0, 0});
                return std::pair(place.line, place.column);
            };
            return keyOf(a) < keyOf(b);
        });
        // Not std::ranges::unique: clang 14 cannot read the subrange of libstdc++ 12.
        m_problems.erase(std::unique(m_problems.begin(), m_problems.end()), m_problems.end());
        if (m_problems.size() > kConfigProblemsMax) {
            m_problems.resize(kConfigProblemsMax);
        }
        return DecodeResult{std::move(m_document), std::move(m_problems)};
    }

    Value m_root;
    Severity m_expired; // Of certificates that have expired.
    model::Document m_document;
    std::vector<Problem> m_problems;
    FormatVersion m_version = FormatVersion::Current;
    Value m_defaults; // _info.defaults
    model::FieldProblems m_fields; // Of the record being read.
    std::vector<std::string> m_wrongFields;
    std::vector<Moved> m_moved;
    std::unordered_map<std::string_view, std::string_view> m_movedByPath;
};

} // namespace

DecodeResult decode(std::string_view text)
{
    std::vector<Problem> problems;
    Value root = parseTree(text, problems);
    return Decoder(std::move(root), std::move(problems), Severity::Error).run();
}

DecodeResult decodeStored(std::string_view text)
{
    std::vector<Problem> problems;
    Value root = parseTree(text, problems);
    return Decoder(std::move(root), std::move(problems), Severity::Warning).run();
}

} // namespace mesh::config
