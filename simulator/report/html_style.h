#pragma once

#include <string>

namespace mesh::simulator {

// The style sheet of the report, with its colours for light and dark.
[[nodiscard]] std::string reportStyleSheet();

} // namespace mesh::simulator
