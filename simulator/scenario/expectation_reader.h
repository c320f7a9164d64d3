#pragma once

#include "proxyengine/config/problem.h"
#include "proxyengine/model/value.h"
#include "simulator/scenario/scenario.h"

#include <string>
#include <vector>

// What of a scenario file says how the run should be: guards and assertions. Problems are at their
// places.
namespace mesh::simulator {

[[nodiscard]] Guard readGuard(
    const model::Value& value, std::string path, std::vector<config::Problem>& problems
);

// `variants`: those a comparison may name.
[[nodiscard]] Assertion readAssertion(
    const model::Value& value,
    std::string path,
    const std::vector<PolicyVariant>& variants,
    std::vector<config::Problem>& problems
);

} // namespace mesh::simulator
