#pragma once

#include "app/ctl/ctl.h"
#include "simulator/report/rehearsal.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace mesh::ctl {

struct RehearseOptions
{
    std::string file;
    std::string mode = "virtual"; // Or live, or both.
    std::optional<std::int64_t> seed; // Instead of the file's.
    std::optional<int> replications; // Likewise.
    std::string json; // Files to write; empty: none, "-": standard output.
    std::string junit;
    std::string html;
    std::optional<int> replay; // Only this run of the first variant, from 1 on.
    bool explores = false; // Searches for the smallest faults that break an assertion.
    std::size_t budget = 300; // Rehearsals of the search: a mesh of 30 instances, its singles.
    std::string into; // Folder for the scenarios that it finds; empty: none.
    bool checksDeterminism = false;
    unsigned threads = 0; // 0: one per processor.
};

// How a rehearsal is run in virtual time; tests put something else here.
using RunInVirtualTime =
    std::function<Result<simulator::Rehearsal>(const simulator::RehearsalRequest&)>;

// Runs a scenario file on the mesh that it names. People get a table on standard output, unless one
// of the files goes there.
//
// With `explores`: 0 nothing breaks it within the budget, 1 something does, 2 as below.
//
// 0 everything holds, 1 an assertion does not, 2 a file is bad (every problem with its place), 3 a
// guard stopped it, 4 not deterministic, 5 outside the calibrated range.
[[nodiscard]] int runRehearse(
    const RehearseOptions& options,
    const Clock& clock,
    Colour colour,
    CtlOutput& output,
    const RunInVirtualTime& rehearse = simulator::rehearse
);

} // namespace mesh::ctl
