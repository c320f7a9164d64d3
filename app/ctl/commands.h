#pragma once

#include "app/ctl/ctl.h"

#include <cstdint>
#include <string>
#include <vector>

// One function per command of meshwrightctl; each returns the exit code.
namespace mesh::ctl {

enum class Form : std::uint8_t { Text, Json };

struct Surroundings
{
    const Clock& clock;
    Form form;
    Colour colour;
    CtlOutput& output;
};

struct ValidateOptions
{
    std::string file;
};

struct DumpOptions
{
    std::string node;
    bool withSecrets = false;
};

struct PushOptions
{
    std::string file;
    std::vector<std::string> nodes;
};

// Findings go to standard output: they are the answer. 0 valid, 1 not, 2 unreadable, 3 not there.
[[nodiscard]] int runValidate(const ValidateOptions& options, const Surroundings& surroundings);

// Canonical YAML, with --json the canonical JSON byte by byte.
[[nodiscard]] int runDump(const DumpOptions& options, const Surroundings& surroundings);

// Nodes one after the other; a failure does not keep the others from theirs. Nothing is sent when
// the file has errors (1). The exit code is the worst of all nodes.
[[nodiscard]] int runPush(const PushOptions& options, const Surroundings& surroundings);

} // namespace mesh::ctl
