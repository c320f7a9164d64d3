#pragma once

#include "proxyengine/base/clock.h"

#include <cstdint>
#include <string>
#include <vector>

// meshwrightctl as a library: arguments in, texts and an exit code out, so that it can be tested.
namespace mesh::ctl {

enum class Colour : std::uint8_t { Off, On };

struct CtlOutput
{
    std::string out; // Standard output.
    std::string err; // Standard error.
};

// Runs one command; arguments without the program's name.
// Returns 0 done, 1 the answer is no, 2 usage or unreadable input, 3 a node or file could not be
// reached, 4 refused by a node.
[[nodiscard]] int run(
    const std::vector<std::string>& arguments, const Clock& clock, Colour colour, CtlOutput& output
);

} // namespace mesh::ctl
