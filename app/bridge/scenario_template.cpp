#include "app/bridge/scenario_template.h"

#include "app/bridge/topology_builder.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/config/tree.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace mesh::bridge {

namespace {

using model::Value;

constexpr double kRateUnknown = 100; // Requests a second where nothing was seen.

double rateSeen(const Topology& seen, const std::string& service)
{
    const QString id = serviceId(service);
    for (const EntityRow& entity : seen.entities) {
        if (entity.id == id && entity.figures.rps >= 1) {
            return std::round(entity.figures.rps);
        }
    }
    return kRateUnknown;
}

bool hasModel(const model::Document& document, const std::string& service)
{
    return std::ranges::find(document.models, service, &model::ServiceModel::service)
           != document.models.end();
}

// The merge patch (RFC 7396) that makes `to` of `from`; nothing when they are equal.
std::optional<Value> mergePatch(const Value& from, const Value& to)
{
    if (from == to) {
        return std::nullopt;
    }
    if (!from.isMap() || !to.isMap()) {
        return to;
    }
    Value patch(Value::Map{});
    for (const auto& member : to.map()) {
        const Value* old = from.find(member.key);
        if (old == nullptr) {
            patch.set(member.key, member.value);
        } else if (auto inner = mergePatch(*old, member.value)) {
            patch.set(member.key, *std::move(inner));
        }
    }
    for (const auto& member : from.map()) {
        if (to.find(member.key) == nullptr) {
            patch.set(member.key, Value());
        }
    }
    return patch;
}

const Value* named(const Value* list, const std::string& name)
{
    if (list == nullptr || !list->isList()) {
        return nullptr;
    }
    for (const Value& one : list->list()) {
        const Value* own = one.find("name");
        if (own != nullptr && own->isString() && own->text() == name) {
            return &one;
        }
    }
    return nullptr;
}

std::size_t sizeOf(const Value* list)
{
    return list != nullptr && list->isList() ? list->list().size() : 0;
}

Result<Value> kindPatch(const Value* from, const Value* to)
{
    Value patch(Value::Map{});
    if (sizeOf(from) != sizeOf(to)) {
        return fail(ErrorCode::Unsupported, "the draft adds or removes objects");
    }
    for (std::size_t i = 0; i < sizeOf(to); ++i) {
        const Value& now = to->list()[i];
        const Value* name = now.find("name");
        const Value* old = name != nullptr ? named(from, name->text()) : nullptr;
        if (old == nullptr) {
            return fail(ErrorCode::Unsupported, "the draft adds or removes objects");
        }
        if (auto inner = mergePatch(*old, now)) {
            patch.set(name->text(), *std::move(inner));
        }
    }
    return patch;
}

} // namespace

QStringList zonesOf(const model::Document& document)
{
    std::set<std::string> zones;
    for (const model::Workload& workload : document.workloads) {
        zones.insert(workload.zone.value_or(std::string()));
    }
    for (const model::Node& node : document.nodes) {
        zones.insert(node.zone.value_or(std::string()));
    }
    for (const model::ServiceModel& model : document.models) {
        zones.insert(model.zones.begin(), model.zones.end());
    }
    zones.erase(std::string());
    QStringList names;
    for (const std::string& zone : zones) {
        names << QString::fromStdString(zone);
    }
    return names;
}

std::vector<std::string> entriesOf(const model::Document& document)
{
    std::vector<std::string> entries;
    for (const model::Service& service : document.services) {
        if (service.name && !service.routes.empty() && hasModel(document, *service.name)) {
            entries.push_back(*service.name);
        }
    }
    if (entries.empty() && !document.models.empty()) {
        entries.push_back(document.models.front().service);
    }
    return entries;
}

QString scenarioWith(
    const model::Document& document,
    const Topology& seen,
    const QString& name,
    const std::string& entry
)
{
    const auto entries = entriesOf(document);
    QString text = entry.empty()
                       ? QStringLiteral("# Nothing happens yet: drop a fault on the graph.\n")
                       : QStringLiteral("# Change anything: the clips follow the text.\n");
    text += QStringLiteral("scenario: %1\nseed: 42\nreplications: 3\nduration: 3m\n").arg(name);
    text += QStringLiteral("warmup: 10s\nload:\n");
    for (const std::string& service : entries) {
        text += QStringLiteral("- {entry: %1, arrivals: poisson, rate: [[0s, %2]]}\n")
                    .arg(QString::fromStdString(service))
                    .arg(rateSeen(seen, service));
    }
    if (entry.empty()) {
        return text + QStringLiteral("timeline: []\n");
    }
    text += QStringLiteral("timeline:\n- %1\n").arg(QString::fromStdString(entry));
    if (entries.empty()) {
        return text;
    }
    return text
           + QStringLiteral("assert:\n"
                            "- {window: before, that: \"success(%1) >= 0.995\"}\n"
                            "- {window: during, that: \"success(%1) >= 0.99\"}\n"
                            "- {window: after, that: \"success(%1) >= 0.995 within 20s\"}\n")
                 .arg(QString::fromStdString(entries.front()));
}

Result<std::string> patchBetween(const model::Document& base, const model::Document& draft)
{
    const auto from = config::parseTree(config::toJson(base));
    const auto to = config::parseTree(config::toJson(draft));
    if (!from || !to) {
        return fail(ErrorCode::Internal, "a document cannot be read back");
    }
    Value patch(Value::Map{});
    for (const auto& member : to->map()) {
        const Value* old = from->find(member.key);
        if (old != nullptr && *old == member.value) {
            continue;
        }
        if (member.key != "services" && member.key != "upstreams") {
            return fail(ErrorCode::Unsupported, "only services and upstreams can be a variant");
        }
        MESH_TRY(auto kind, kindPatch(old, &member.value));
        patch.set(member.key, std::move(kind));
    }
    return config::toJson(patch);
}

} // namespace mesh::bridge
