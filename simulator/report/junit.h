#pragma once

#include "simulator/report/rehearsal.h"

#include <string>

namespace mesh::simulator {

// The result for CI systems: one testcase per assertion of the first variant and per comparison,
// and one for the guards when there are any. Source: the format that Jenkins and GitLab read.
[[nodiscard]] std::string toJunit(const Rehearsal& rehearsal);

} // namespace mesh::simulator
