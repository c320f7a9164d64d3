#pragma once

#include "proxyengine/base/clock.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

// meshwrightctl as a library: arguments in, texts and an exit code out, so that it can be tested.
namespace mesh::ctl {

enum class Colour : std::uint8_t { Off, On };

struct CtlOutput
{
    std::string out; // Standard output.
    std::string err; // Standard error.
    // Writes both and empties them; for commands that go on for long. Empty: all stays to the end.
    std::function<void(CtlOutput& output)> flush;
};

struct CtlSetting
{
    const Clock& clock;
    Colour colour = Colour::Off; // On: standard output is a terminal.
    // Whether Ctrl+C was pressed. Only commands that have something to finish ask; the first
    // question takes the key over, a second press ends the program. Empty: never pressed.
    std::function<bool()> isInterrupted;
};

// Runs one command; arguments without the program's name.
// Returns 0 done, 1 the answer is no, 2 usage or unreadable input, 3 a node or file could not be
// reached, 4 refused by a node or a gate.
[[nodiscard]] int run(
    const std::vector<std::string>& arguments, const CtlSetting& setting, CtlOutput& output
);

[[nodiscard]] int run(
    const std::vector<std::string>& arguments, const Clock& clock, Colour colour, CtlOutput& output
);

} // namespace mesh::ctl
