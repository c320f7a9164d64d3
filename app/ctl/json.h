#pragma once

#include <nlohmann/json.hpp>

namespace mesh::ctl {

// Keeps the order of its fields: what the commands print.
using OrderedJson = nlohmann::ordered_json;

} // namespace mesh::ctl
