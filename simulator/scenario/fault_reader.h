#pragma once

#include "proxyengine/config/problem.h"
#include "proxyengine/model/value.h"
#include "simulator/scenario/scenario.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mesh::simulator {

// One element of a scenario's timeline, by the table of faults. Problems are at their places.
[[nodiscard]] Fault readFault(
    const model::Value& value, const std::string& path, std::vector<config::Problem>& problems
);

// "a->b" taken apart; nothing when it is not of that form.
[[nodiscard]] std::optional<std::pair<std::string, std::string>> splitEdge(std::string_view text);

} // namespace mesh::simulator
