#include "proxyengine/model/objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace mesh::model {
namespace {

template <typename Entity>
constexpr bool kHasOnlyId =
    std::is_same_v<Entity, Certificate> || std::is_same_v<Entity, CaCertificate>;

// The name by which an object is known among its siblings.
template <typename Entity>
std::string nameOf(const Entity& entity, std::size_t position)
{
    const auto orPosition = [&](const std::optional<std::string>& text) {
        return text ? *text : fmt::format("#{}", position + 1);
    };
    if constexpr (std::is_same_v<Entity, Service> || std::is_same_v<Entity, Route>) {
        return entity.name ? *entity.name : orPosition(entity.id);
    } else if constexpr (kHasOnlyId<Entity>) {
        return orPosition(entity.id);
    } else if constexpr (std::is_same_v<Entity, Plugin>) {
        return entity.instanceName ? *entity.instanceName : orPosition(entity.id);
    } else if constexpr (std::is_same_v<Entity, Target>) {
        return entity.target;
    } else if constexpr (std::is_same_v<Entity, ServiceModel>) {
        return entity.service;
    } else {
        return entity.name;
    }
}

template <typename Entity>
Entity* findIn(std::vector<Entity>& entities, const std::string& name)
{
    for (std::size_t at = 0; at < entities.size(); ++at) {
        if (nameOf(entities[at], at) == name) {
            return &entities[at];
        }
    }
    return nullptr;
}

// The lists of a document that hold objects of one kind, each with the name of its owner.
// `visit(list, parent, path)` returns true to stop.
template <typename Doc, typename Visit>
bool visitLists(Doc& document, std::string_view kind, const Visit& visit)
{
    const auto inside = [&](auto& owners, std::string_view key, auto member, std::string_view child
                        ) {
        for (std::size_t at = 0; at < owners.size(); ++at) {
            const std::string path = fmt::format("{}[{}].{}", key, at, child);
            if (visit(owners[at].*member, nameOf(owners[at], at), path)) {
                return true;
            }
        }
        return false;
    };
    const std::string none;
    if (kind == "services") {
        return visit(document.services, none, std::string(kind));
    }
    if (kind == "routes") {
        return inside(document.services, "services", &Service::routes, "routes")
               || visit(document.routes, none, std::string(kind));
    }
    if (kind == "upstreams") {
        return visit(document.upstreams, none, std::string(kind));
    }
    if (kind == "targets") {
        return inside(document.upstreams, "upstreams", &Upstream::targets, "targets");
    }
    if (kind == "certificates") {
        return visit(document.certificates, none, std::string(kind));
    }
    if (kind == "snis") {
        return inside(document.certificates, "certificates", &Certificate::snis, "snis");
    }
    if (kind == "ca_certificates") {
        return visit(document.caCertificates, none, std::string(kind));
    }
    if (kind == "plugins") {
        return visit(document.plugins, none, std::string(kind));
    }
    if (kind == "nodes") {
        return visit(document.nodes, none, std::string(kind));
    }
    if (kind == "workloads") {
        return visit(document.workloads, none, std::string(kind));
    }
    return kind == "models" && visit(document.models, none, std::string(kind));
}

constexpr std::string_view kMesh = "mesh";

template <typename Entity>
Result<void> checkRecord(const Value& record)
{
    const FieldProblems problems = validate(schemaOf<Entity>(), record);
    if (problems.empty()) {
        return {};
    }
    const FieldProblem& first = problems.front();
    return fail(first.code, first.path.empty() ? first.message : first.path + ": " + first.message);
}

// Moves what belongs to the old object but is not in the record.
void keepChildren(Service& from, Service& to) { to.routes = std::move(from.routes); }
void keepChildren(Upstream& from, Upstream& to) { to.targets = std::move(from.targets); }
void keepChildren(Certificate& from, Certificate& to) { to.snis = std::move(from.snis); }
template <typename Entity>
void keepChildren(Entity& /*from*/, Entity& /*to*/)
{}

tl::unexpected<Error> noSuch(const ObjectRef& ref)
{
    return fail(ErrorCode::NotFound, fmt::format("no {} named '{}'", ref.kind, ref.name));
}

} // namespace

const std::vector<EntityKind>& entityKinds()
{
    static const std::vector<EntityKind> kKinds = {
        {"services", "service", "Service", "Services", "", &schemaOf<Service>()},
        {"routes", "route", "Route", "Routes", "services", &schemaOf<Route>()},
        {"upstreams", "upstream", "Upstream", "Upstreams", "", &schemaOf<Upstream>()},
        {"targets", "target", "Target", "Targets", "upstreams", &schemaOf<Target>()},
        {"certificates",
         "certificate",
         "Certificate",
         "Certificates",
         "",
         &schemaOf<Certificate>()},
        {"snis", "sni", "SNI", "SNIs", "certificates", &schemaOf<Sni>()},
        {"ca_certificates",
         "ca_certificate",
         "CA certificate",
         "CA certificates",
         "",
         &schemaOf<CaCertificate>()},
        {"plugins", "plugin", "Plugin", "Plugins", "", &schemaOf<Plugin>()},
        {"mesh", "mesh", "Mesh", "Mesh", "", &schemaOf<MeshSettings>()},
        {"nodes", "node", "Node", "Nodes", "", &schemaOf<Node>()},
        {"workloads", "workload", "Workload", "Workloads", "", &schemaOf<Workload>()},
        {"models", "model", "Service model", "Service models", "", &schemaOf<ServiceModel>()},
    };
    return kKinds;
}

const EntityKind* entityKind(std::string_view plural)
{
    const auto found = std::ranges::find(entityKinds(), plural, &EntityKind::plural);
    return found == entityKinds().end() ? nullptr : &*found;
}

std::vector<ObjectRef> objectsOf(const Document& document, std::string_view kind)
{
    std::vector<ObjectRef> refs;
    if (kind == kMesh && document.mesh) {
        refs.push_back(ObjectRef{std::string(kMesh), std::string(kMesh), {}});
    }
    visitLists(document, kind, [&](const auto& list, const std::string& parent, const auto&) {
        for (std::size_t at = 0; at < list.size(); ++at) {
            refs.push_back(ObjectRef{std::string(kind), nameOf(list[at], at), parent});
        }
        return false;
    });
    return refs;
}

Value objectAt(const Document& document, const ObjectRef& ref, Defaults defaults)
{
    if (ref.kind == kMesh) {
        return document.mesh ? toValue(*document.mesh, defaults) : Value();
    }
    Value record;
    visitLists(document, ref.kind, [&](const auto& list, const std::string& parent, const auto&) {
        if (parent != ref.parent) {
            return false;
        }
        for (std::size_t at = 0; at < list.size(); ++at) {
            if (nameOf(list[at], at) == ref.name) {
                using Entity = typename std::decay_t<decltype(list)>::value_type;
                record = schemaOf<Entity>().toValue(&list[at], defaults, Children::Omitted);
                return true;
            }
        }
        return false;
    });
    return record;
}

Result<void> replaceObject(Document& document, const ObjectRef& ref, const Value& record)
{
    if (ref.kind == kMesh) {
        MESH_TRY_VOID(checkRecord<MeshSettings>(record));
        document.mesh = fromValue<MeshSettings>(record);
        return {};
    }
    Result<void> outcome = noSuch(ref);
    visitLists(document, ref.kind, [&](auto& list, const std::string& parent, const auto&) {
        if (parent != ref.parent) {
            return false;
        }
        auto* const entity = findIn(list, ref.name);
        if (entity == nullptr) {
            return false;
        }
        using Entity = std::decay_t<decltype(*entity)>;
        outcome = checkRecord<Entity>(record);
        if (outcome) {
            Entity changed = fromValue<Entity>(record);
            keepChildren(*entity, changed);
            *entity = std::move(changed);
        }
        return true;
    });
    return outcome;
}

Result<ObjectRef> addObject(
    Document& document, std::string_view kind, const std::string& parent, const Value& record
)
{
    if (kind == kMesh) {
        if (document.mesh) {
            return fail(ErrorCode::AlreadyExists, "the mesh has its settings already");
        }
        MESH_TRY_VOID(checkRecord<MeshSettings>(record));
        document.mesh = fromValue<MeshSettings>(record);
        return ObjectRef{std::string(kMesh), std::string(kMesh), {}};
    }
    Result<ObjectRef> outcome =
        fail(ErrorCode::NotFound, fmt::format("nothing named '{}' can hold {}", parent, kind));
    visitLists(document, kind, [&](auto& list, const std::string& owner, const auto&) {
        if (owner != parent) {
            return false;
        }
        using Entity = typename std::decay_t<decltype(list)>::value_type;
        if (const Result<void> checked = checkRecord<Entity>(record); !checked) {
            outcome = tl::unexpected(checked.error());
            return true;
        }
        Entity added = fromValue<Entity>(record);
        const std::string name = nameOf(added, list.size());
        if (findIn(list, name) != nullptr) {
            outcome =
                fail(ErrorCode::AlreadyExists, fmt::format("'{}' is in {} already", name, kind));
            return true;
        }
        list.push_back(std::move(added));
        outcome = ObjectRef{std::string(kind), name, parent};
        return true;
    });
    return outcome;
}

Result<void> removeObject(Document& document, const ObjectRef& ref)
{
    if (ref.kind == kMesh && document.mesh) {
        document.mesh.reset();
        return {};
    }
    const bool isRemoved =
        visitLists(document, ref.kind, [&](auto& list, const std::string& parent, const auto&) {
            auto* const entity = parent == ref.parent ? findIn(list, ref.name) : nullptr;
            if (entity == nullptr) {
                return false;
            }
            list.erase(list.begin() + (entity - list.data()));
            return true;
        });
    if (!isRemoved) {
        return noSuch(ref);
    }
    return {};
}

std::string pathOf(const Document& document, const ObjectRef& ref)
{
    if (ref.kind == kMesh) {
        return document.mesh ? std::string(kMesh) : std::string();
    }
    std::string found;
    visitLists(
        document,
        ref.kind,
        [&](const auto& list, const std::string& parent, const std::string& path) {
            for (std::size_t at = 0; parent == ref.parent && at < list.size(); ++at) {
                if (nameOf(list[at], at) == ref.name) {
                    found = fmt::format("{}[{}]", path, at);
                    return true;
                }
            }
            return false;
        }
    );
    return found;
}

} // namespace mesh::model
