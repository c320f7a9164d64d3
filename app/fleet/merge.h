#pragma once

#include "proxyengine/model/diff.h"
#include "proxyengine/model/document.h"
#include "proxyengine/model/objects.h"

#include <string>
#include <vector>

namespace mesh::fleet {

struct MergeConflict
{
    model::ObjectRef object;
    std::string path; // The field; empty: one deleted what the other changed.
    model::Value base;
    model::Value mine;
    model::Value theirs;
};

struct Merge
{
    model::Document merged; // Canonical. Conflicts stand as `mine`.
    std::vector<MergeConflict> conflicts; // In the order of entityKinds().
};

// Three-way, field by field of each object. Both sides the same: no conflict.
[[nodiscard]] Merge merge(
    const model::Document& base, const model::Document& mine, const model::Document& theirs
);

// Canonical `before` with only these of the changes that lead to `after`. Errors: NotFound for an
// object that does not change; whatever validation finds, when one change needs another that is
// left out.
[[nodiscard]] Result<model::Document> withChanges(
    const model::Document& before,
    const model::Document& after,
    const std::vector<model::ObjectRef>& objects
);

} // namespace mesh::fleet
