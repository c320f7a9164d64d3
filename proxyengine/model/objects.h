#pragma once

#include "proxyengine/model/document.h"
#include "proxyengine/model/schema.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

// The objects of a document, by kind and name, for trees, forms, diffs and lists.
namespace mesh::model {

struct EntityKind
{
    std::string_view plural; // "services": the key in the file.
    std::string_view singular; // "service"
    std::string_view label; // "Service"
    std::string_view labelPlural; // "Services"
    std::string_view parent; // Plural of the kind whose objects hold these; empty: none.
    const Schema* schema;
};

// services, routes, upstreams, targets, certificates, snis, ca_certificates, plugins, mesh, nodes,
// workloads, models.
[[nodiscard]] const std::vector<EntityKind>& entityKinds();

// Null when there is no such kind.
[[nodiscard]] const EntityKind* entityKind(std::string_view plural);

// Names one object of a document.
struct ObjectRef
{
    std::string kind; // Plural: "routes".
    std::string name; // Its name; of a target its address, of a model its service, of mesh "mesh";
                      // of an object without a name its id, else "#2" (position among its siblings,
                      // counted from 1).
    std::string parent; // Name of the service, upstream or certificate it belongs to; or empty.
    friend bool operator==(const ObjectRef&, const ObjectRef&) = default;
};

// All objects of one kind in document order; routes: those of services first.
[[nodiscard]] std::vector<ObjectRef> objectsOf(const Document& document, std::string_view kind);

// The object as a record without its children (routes, targets, snis); null when there is none.
[[nodiscard]] Value objectAt(
    const Document& document, const ObjectRef& ref, Defaults defaults = Defaults::Left
);

// Replaces the object by a valid record and keeps its children. References elsewhere are not
// touched, also when the name changes.
// Errors: NotFound; whatever validate() finds first.
[[nodiscard]] Result<void> replaceObject(
    Document& document, const ObjectRef& ref, const Value& record
);

// Adds an object; parent: of a route the service (empty: none), of a target the upstream, of an sni
// the certificate.
// Errors: NotFound when there is no such parent; AlreadyExists; whatever validate() finds first.
[[nodiscard]] Result<ObjectRef> addObject(
    Document& document, std::string_view kind, const std::string& parent, const Value& record
);

// Errors: NotFound.
[[nodiscard]] Result<void> removeObject(Document& document, const ObjectRef& ref);

// The path of the object in problems: "services[0].routes[1]"; empty when there is none.
[[nodiscard]] std::string pathOf(const Document& document, const ObjectRef& ref);

} // namespace mesh::model
