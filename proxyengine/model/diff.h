#pragma once

#include "proxyengine/model/document.h"
#include "proxyengine/model/objects.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mesh::model {

enum class ChangeKind : std::uint8_t { Created, Updated, Deleted };

struct FieldChange
{
    std::string path; // "healthchecks.active.timeout"
    Value before; // Null: absent or default. Secrets are "***".
    Value after;
    friend bool operator==(const FieldChange&, const FieldChange&) = default;
};

struct ObjectChange
{
    ChangeKind kind = ChangeKind::Updated;
    ObjectRef object;
    std::vector<FieldChange> fields; // Only of an update; in the schema's order.
    friend bool operator==(const ObjectChange&, const ObjectChange&) = default;
};

// What must happen to `before` to become `after`, object by object: matched by kind, parent and
// name. In the order of entityKinds(), then of `before`, then of what is new. Order in the file is
// no difference.
[[nodiscard]] std::vector<ObjectChange> diff(const Document& before, const Document& after);

// "created", "updated", "deleted".
std::string_view toText(ChangeKind kind);

} // namespace mesh::model
