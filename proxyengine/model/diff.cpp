#include "proxyengine/model/diff.h"

#include "proxyengine/model/canonical.h"

#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace mesh::model {
namespace {

using Records = std::vector<std::pair<ObjectRef, Value>>;

template <typename Entity>
std::string nameOr(const Entity& entity, std::size_t position)
{
    if (entity.name) {
        return *entity.name;
    }
    return entity.id ? *entity.id : "#" + std::to_string(position + 1);
}

template <typename Entity>
void addAll(
    Records& records,
    std::string_view kind,
    const std::string& parent,
    const std::vector<Entity>& entities,
    std::string (*nameOf)(const Entity&, std::size_t)
)
{
    for (std::size_t at = 0; at < entities.size(); ++at) {
        Value record =
            schemaOf<Entity>().toValue(&entities[at], Defaults::Omitted, Children::Omitted);
        records.emplace_back(
            ObjectRef{std::string(kind), nameOf(entities[at], at), parent}, std::move(record)
        );
    }
}

// All objects with their records, in the order of entityKinds(); one pass over the document.
Records recordsOf(const Document& document)
{
    Records records;
    const auto certificateName = +[](const Certificate& certificate, std::size_t at) {
        return certificate.id ? *certificate.id : "#" + std::to_string(at + 1);
    };
    addAll<Service>(records, "services", "", document.services, &nameOr<Service>);
    for (std::size_t at = 0; at < document.services.size(); ++at) {
        const Service& service = document.services[at];
        addAll<Route>(records, "routes", nameOr(service, at), service.routes, &nameOr<Route>);
    }
    addAll<Route>(records, "routes", "", document.routes, &nameOr<Route>);
    const auto named = [](const auto& entity, std::size_t) { return entity.name; };
    addAll<Upstream>(records, "upstreams", "", document.upstreams, named);
    for (const Upstream& upstream : document.upstreams) {
        addAll<Target>(
            records,
            "targets",
            upstream.name,
            upstream.targets,
            [](const Target& target, std::size_t) { return target.target; }
        );
    }
    addAll<Certificate>(records, "certificates", "", document.certificates, certificateName);
    for (std::size_t at = 0; at < document.certificates.size(); ++at) {
        const Certificate& certificate = document.certificates[at];
        addAll<Sni>(records, "snis", certificateName(certificate, at), certificate.snis, named);
    }
    addAll<CaCertificate>(
        records,
        "ca_certificates",
        "",
        document.caCertificates,
        [](const CaCertificate& authority, std::size_t at) {
            return authority.id ? *authority.id : "#" + std::to_string(at + 1);
        }
    );
    addAll<Plugin>(
        records,
        "plugins",
        "",
        document.plugins,
        [](const Plugin& plugin, std::size_t at) {
            const std::optional<std::string>& name =
                plugin.instanceName ? plugin.instanceName : plugin.id;
            return name ? *name : "#" + std::to_string(at + 1);
        }
    );
    if (document.mesh) {
        records.emplace_back(
            ObjectRef{"mesh", "mesh", {}}, toValue(*document.mesh, Defaults::Omitted)
        );
    }
    addAll<Node>(records, "nodes", "", document.nodes, named);
    addAll<Workload>(records, "workloads", "", document.workloads, named);
    addAll<ServiceModel>(
        records,
        "models",
        "",
        document.models,
        [](const ServiceModel& model, std::size_t) { return model.service; }
    );
    return records;
}

Value masked(const Field& field, const Value* value)
{
    if (value == nullptr) {
        return Value();
    }
    return field.isSecret ? Value("***") : *value;
}

void diffRecords(
    const Schema& schema,
    const Value& before,
    const Value& after,
    const std::string& prefix,
    std::vector<FieldChange>& changes
)
{
    for (const Field& field : schema.fields()) {
        const Value* const old = before.find(field.key);
        const Value* const now = after.find(field.key);
        const bool isSame = (old == nullptr && now == nullptr)
                            || (old != nullptr && now != nullptr && *old == *now);
        if (isSame) {
            continue;
        }
        const std::string path = prefix + std::string(field.key);
        if (field.kind == Kind::Record) {
            const Value none{Value::Map()};
            const std::size_t count = changes.size();
            diffRecords(
                *field.record,
                old == nullptr ? none : *old,
                now == nullptr ? none : *now,
                path + ".",
                changes
            );
            if (changes.size() != count) {
                continue;
            }
            // An optional record that came or went with nothing in it: `retry: {}`.
        }
        changes.push_back(FieldChange{path, masked(field, old), masked(field, now)});
    }
}

using Key = std::tuple<std::string_view, std::string_view, std::string_view>;

std::map<Key, const Value*> indexOf(const Records& records)
{
    std::map<Key, const Value*> index;
    for (const auto& [ref, record] : records) {
        index.emplace(Key(ref.kind, ref.parent, ref.name), &record);
    }
    return index;
}

} // namespace

std::vector<ObjectChange> diff(const Document& before, const Document& after)
{
    const Records old = recordsOf(canonical(before));
    const Records now = recordsOf(canonical(after));
    const std::map<Key, const Value*> oldIndex = indexOf(old);
    const std::map<Key, const Value*> nowIndex = indexOf(now);

    std::vector<ObjectChange> changes;
    for (const EntityKind& kind : entityKinds()) {
        for (const auto& [ref, record] : old) {
            if (ref.kind != kind.plural) {
                continue;
            }
            const auto found = nowIndex.find(Key(ref.kind, ref.parent, ref.name));
            if (found == nowIndex.end()) {
                changes.push_back(ObjectChange{ChangeKind::Deleted, ref, {}});
            } else if (*found->second != record) {
                ObjectChange change{ChangeKind::Updated, ref, {}};
                diffRecords(*kind.schema, record, *found->second, {}, change.fields);
                changes.push_back(std::move(change));
            }
        }
        for (const auto& [ref, record] : now) {
            if (ref.kind == kind.plural
                && !oldIndex.contains(Key(ref.kind, ref.parent, ref.name))) {
                changes.push_back(ObjectChange{ChangeKind::Created, ref, {}});
            }
        }
    }
    return changes;
}

std::string_view toText(ChangeKind kind)
{
    switch (kind) {
    case ChangeKind::Created:
        return "created";
    case ChangeKind::Updated:
        return "updated";
    case ChangeKind::Deleted:
        return "deleted";
    }
    return "";
}

} // namespace mesh::model
