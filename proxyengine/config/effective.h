#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/model/document.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::config {

// Where an effective value comes from.
enum class Origin : std::uint8_t {
    Document, // It stands at the object itself; `from` is its path.
    Default, // Nobody says it.
    Inherited, // Another object says it: `from` is the path there, or what it follows from.
};

std::string_view toText(Origin origin); // "document", "default", "inherited"

// One value that a node runs with.
struct EffectiveValue
{
    std::string object; // "routes/cart", "upstreams/cart/targets/10.0.0.3:7001", "listeners/..."
    std::string field; // "resilience.timeout", "paths"
    std::string value; // JSON: "\"2s\"", "80", "[\"/cart\"]"; secrets as SecretText says.
    Origin origin = Origin::Document;
    std::string from; // "services[0].resilience.timeout", "mesh.mtls"; empty: a default.
    friend bool operator==(const EffectiveValue&, const EffectiveValue&) = default;
};

// What one node runs, value by value, sorted by object and field: comparing two is a merge.
struct EffectiveConfig
{
    std::string node; // Empty: a gateway of no name.
    std::string hash; // Of the whole document.
    std::vector<EffectiveValue> values;
};

// How a secret is told: as "***", or with a digest behind, which says that it changed and not what
// it is: "*** (1f2e3d4c)".
enum class SecretText : std::uint8_t { Masked, Digested };

// Pure: the same document and node give the same answer everywhere.
// Errors: InvalidArgument when the document does not compile for that node, with the first problem.
[[nodiscard]] Result<EffectiveConfig> effective(
    const model::Document& document, std::string_view node, SecretText secrets = SecretText::Masked
);

// {"node","hash","values":[{"object","field","value","origin","from"}]}, without white space.
[[nodiscard]] std::string toJson(const EffectiveConfig& config);

} // namespace mesh::config
