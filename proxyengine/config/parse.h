#pragma once

#include "proxyengine/config/problem.h"
#include "proxyengine/model/value.h"

#include <string_view>
#include <vector>

// The two parsers behind parseTree(). Text is UTF-8 without control characters; the caller looked.
namespace mesh::config {

// Null after a syntax error, which is then the last problem.
[[nodiscard]] model::Value parseYaml(std::string_view text, std::vector<Problem>& problems);
[[nodiscard]] model::Value parseJson(std::string_view text, std::vector<Problem>& problems);

// What a plain (unquoted) scalar of YAML means: null, boolean, number or string.
[[nodiscard]] model::Value resolvePlain(std::string_view text);

// Whether all of it is whole characters of UTF-8 (RFC 3629).
[[nodiscard]] bool isUtf8(std::string_view text);

// Adds a Duplicate for every key of the map that stood before.
void reportDuplicateKeys(const model::Value::Map& map, std::vector<Problem>& problems);

} // namespace mesh::config
