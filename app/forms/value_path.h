#pragma once

#include "proxyengine/model/schema.h"
#include "proxyengine/model/value.h"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

// Paths into a tree of values, "upstreams[2].healthchecks.active.timeout", and texts for values.
namespace mesh::forms {

using PathStep = std::variant<std::string, std::size_t>;

// Steps of a path; a malformed rest is left out.
[[nodiscard]] std::vector<PathStep> stepsOf(std::string_view path);

// The value at the path; null when something on the way is missing.
[[nodiscard]] const model::Value* valueAt(const model::Value& root, std::string_view path);

// Puts the value at the path of a whole file and creates maps on the way; a null value removes the
// member or the element. A new member takes its place in the order of its schema.
void setValueAt(model::Value& root, std::string_view path, model::Value value);

// The schema of the record at a path, "upstreams[2].targets[0]"; null: none.
[[nodiscard]] const model::Schema* schemaAtPath(std::string_view path);

// "a.b" + "c" -> "a.b.c"; an empty first part gives the second.
[[nodiscard]] std::string joinPath(std::string_view path, std::string_view key);

// What a field shows: scalars as they stand in the file, lists joined by commas.
[[nodiscard]] std::string toDisplay(const model::Value& value);

// JSON for people: two spaces, one member a line, short lists of scalars in one line.
[[nodiscard]] std::string toPrettyJson(const model::Value& value);

} // namespace mesh::forms
