#pragma once

#include "proxyengine/config/problem.h"
#include "proxyengine/model/value.h"
#include "simulator/scenario/scenario.h"

#include <string>
#include <vector>

// What of a scenario file is about traffic: load and the laws of the network. Problems are at their
// places.
namespace mesh::simulator {

[[nodiscard]] Load readLoad(
    const model::Value& value, std::string path, std::vector<config::Problem>& problems
);

[[nodiscard]] NetworkLaws readNetwork(
    const model::Value& value, std::string path, std::vector<config::Problem>& problems
);

} // namespace mesh::simulator
