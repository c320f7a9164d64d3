#pragma once

#include "app/bridge/review_rows.h"
#include "proxyengine/model/diff.h"
#include "proxyengine/model/document.h"

#include <string>
#include <vector>

// The diff of two configurations as people read it: object by object, in the lines of their text.
namespace mesh::bridge {

// Key of ChangeRow: kind, parent and name, so that it is stable while the draft grows.
[[nodiscard]] QString keyOf(const model::ObjectRef& ref);
// "upstream · 3 fields", "route · new"
[[nodiscard]] ChangeRow changeRowOf(const model::ObjectChange& change);
// True for fields that move traffic or protect it: weights, targets, time limits, TLS.
[[nodiscard]] bool isWeighty(std::string_view fieldPath);

// Objects that differ, in the order of model::diff(), with the lines of the canonical YAML (secrets
// masked) that differ and one line of context. Cost: the lines that differ in the middle, squared,
// up to 4 million pairs; above, the middle counts as replaced.
[[nodiscard]] std::vector<ObjectDiff> objectDiffs(
    const model::Document& before, const model::Document& after
);

// The marks of a removed line and the added one that replaces it.
void markDifference(DiffLine& removed, DiffLine& added);

} // namespace mesh::bridge
