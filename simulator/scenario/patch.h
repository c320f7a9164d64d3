#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/config/problem.h"
#include "proxyengine/model/document.h"
#include "proxyengine/model/value.h"
#include "simulator/scenario/scenario.h"

#include <string>
#include <vector>

// Documents as variants of a scenario change them.
namespace mesh::simulator {

// A JSON merge patch (RFC 7396) on objects found by name:
//
//     services: {cart: {resilience: {retry: {budget: {percent: 10}}}}}
//     upstreams: {cart: {targets: {"10.0.0.3:7001": {weight: 0}}}}
//     routes: {checkout: {resilience: null}}
//
// Lists of named objects may be patched name by name, or be replaced by a list; null takes an
// object or a field away. Routes are found in all services. An object that the document does not
// have is a problem, unless the patch says its name itself ({cart-v2: {name: cart-v2, ...}}) or it
// is the service or upstream of a model, which a run would make up.

// What is wrong with a patch whatever the document: kinds of objects that do not exist.
void checkPatchKinds(
    const model::Value& patch, const std::string& path, std::vector<config::Problem>& problems
);

struct PatchResult
{
    model::Document document; // Meaningful only when there are no problems.
    std::vector<config::Problem> problems; // With names in paths; places are the patch's.
};

// `path`: of the patch, put before every path.
[[nodiscard]] PatchResult patched(
    const model::Document& document, const model::Value& patch, const std::string& path
);

// The same for one reader. Errors: the first problem, its path before its message.
[[nodiscard]] Result<model::Document> applyPatch(
    const model::Document& document, const model::Value& patch
);

// The document without these policies, wherever they stand. Without `retry` no failure of a
// connection is tried again either, which is what the gateway format's plain `retries` says.
[[nodiscard]] model::Document withoutPolicies(
    const model::Document& document, const std::vector<AblatedPolicy>& policies
);

} // namespace mesh::simulator
