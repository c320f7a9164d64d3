#include "proxyengine/base/assert.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/config/compile.h"
#include "proxyengine/config/tree.h"
#include "proxyengine/model/canonical.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mesh::config {
namespace {

// YAML reads no longer keys on one line; the model has none.
constexpr std::size_t kKeyBytesMax = 256;

bool hasLongKey(const TreeNode& node)
{
    if (node.isList()) {
        return std::ranges::any_of(node.list(), &hasLongKey);
    }
    return node.isMap() && std::ranges::any_of(node.map(), [](const TreeNode::Member& member) {
               return member.key.size() > kKeyBytesMax || hasLongKey(member.value);
           });
}

void checkTree(std::string_view text)
{
    const Result<TreeNode> tree = parseTree(text);
    if (!tree || hasLongKey(*tree)) {
        return;
    }
    const Result<TreeNode> fromYaml = parseTree(toYaml(*tree));
    MESH_ASSERT(fromYaml.has_value());
    MESH_ASSERT(*fromYaml == *tree);
    if (tree->isMap()) {
        const Result<TreeNode> fromJson = parseTree(toJson(*tree));
        MESH_ASSERT(fromJson.has_value());
        MESH_ASSERT(*fromJson == *tree);
    }
}

void checkDocument(std::string_view text)
{
    const DecodeResult first = decode(text);
    if (hasErrors(first.problems)) {
        return;
    }
    const model::Document settled = model::canonical(first.document);
    const DecodeResult fromJson = decode(toJson(first.document));
    MESH_ASSERT(!hasErrors(fromJson.problems));
    MESH_ASSERT(fromJson.document == settled);
    const DecodeResult fromYaml = decode(toYaml(first.document));
    MESH_ASSERT(!hasErrors(fromYaml.problems));
    MESH_ASSERT(fromYaml.document == settled);
    MESH_ASSERT(!hasErrors(validate(first.document)));
    MESH_ASSERT(compile(first.document, "").snapshot != nullptr);
}

} // namespace
} // namespace mesh::config

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count)
{
    const std::string text(bytes, bytes + count);
    mesh::config::checkTree(text);
    mesh::config::checkDocument(text);
    return 0;
}
