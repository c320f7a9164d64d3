#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/config/problem.h"
#include "proxyengine/model/value.h"

#include <string>
#include <string_view>
#include <vector>

// Text to generic values with places: what decode() and the readers of scenario files start from.
namespace mesh::config {

using TreeNode = model::Value; // value.mark() and Member::keyMark are its places in the text.

enum class TextForm : std::uint8_t { Yaml, Json };

// JSON when the first character that is not white space is '{'.
[[nodiscard]] TextForm formOf(std::string_view text);

// One document of YAML (1.2 core rules for plain scalars: null, booleans, whole numbers, numbers;
// everything quoted is a string) or JSON.
//
// Errors: Syntax with line and column; LimitExceeded above kConfigBytesMax or kConfigDepthMax;
//         Duplicate for a key that stands twice; Unsupported for YAML anchors, aliases, tags of
//         one's own and several documents in one file.
[[nodiscard]] Result<TreeNode> parseTree(std::string_view text);

// The same, and all duplicate keys are reported rather than the first; null tree on Syntax.
[[nodiscard]] TreeNode parseTree(std::string_view text, std::vector<Problem>& problems);

// The node at a path like "services[0].routes[1].paths[0]"; the deepest that exists, so that a
// missing field leads to its record.
[[nodiscard]] const TreeNode* nodeAt(const TreeNode& root, std::string_view path);

// White-space free JSON of a value; strings are escaped as RFC 8259 asks and nothing more.
[[nodiscard]] std::string toJson(const TreeNode& value);
// Block YAML that parseTree() reads back as the same value; short lists of scalars in one line.
[[nodiscard]] std::string toYaml(const TreeNode& value);

} // namespace mesh::config
