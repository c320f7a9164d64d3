#pragma once

#include "simulator/report/rehearsal.h"

namespace mesh::simulator {

// What a virtual run leaves out, in words for the report.
[[nodiscard]] Trust trustOf();

} // namespace mesh::simulator
