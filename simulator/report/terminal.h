#pragma once

#include "simulator/report/rehearsal.h"

#include <string>

namespace mesh::simulator {

// The result for people on a terminal, without colours: the verdict first, what the faults
// resolved to, the entries before, during and after, assertions, what each policy is worth, how far
// to trust it.
[[nodiscard]] std::string toTerminalText(const Rehearsal& rehearsal);

} // namespace mesh::simulator
