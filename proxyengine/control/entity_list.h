#pragma once

#include "proxyengine/model/document.h"
#include "proxyengine/model/value.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Entities as the gateway's read-only lists show them: every field, an id, secrets as ***.
namespace mesh::control {

struct Entity
{
    std::string id; // The document's, or one made from kind, parent and name: same name, same id.
    std::string name; // Name, or the address of a target; may be empty.
    std::string parent; // Name of the service, upstream or certificate it belongs to; may be empty.
    std::string parentId;
    model::Value record;
};

// "services", "routes", "upstreams", "targets", "certificates", "snis", "nodes", "workloads",
// "models" in document order; nothing when there is no such kind.
[[nodiscard]] std::optional<std::vector<Entity>> entitiesOf(
    const model::Document& document, std::string_view kind
);

// The one with this id or name; null when there is none.
[[nodiscard]] const Entity* findEntity(const std::vector<Entity>& entities, std::string_view key);

[[nodiscard]] std::string toBody(const Entity& entity);
// {"data":[...],"next":null}
[[nodiscard]] std::string toListBody(const std::vector<Entity>& entities);

} // namespace mesh::control
