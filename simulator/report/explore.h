#pragma once

#include "proxyengine/base/error.h"
#include "simulator/report/rehearsal.h"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace mesh::simulator {

// A smallest set of faults under which an assertion breaks.
struct Breaking
{
    std::vector<std::string> faults; // One or two, "kill cart-1".
    std::size_t instances = 0; // Hit by them together.
    std::vector<std::string> broken; // Assertions, "during: success(frontend) >= 0.995".
    double failedShare = 0.0; // Of root requests during the faults.
    Scenario scenario; // That reproduces it: the first variant with these faults.
};

struct Exploration
{
    std::vector<Breaking> breaking; // Fewest faults first, then fewest instances.
    std::vector<std::string> brokenBefore; // Assertions that do not even hold without a fault;
                                           // they are not looked at.
    std::size_t rehearsals = 0; // Made.
    std::size_t singles = 0; // Faults tried by themselves, of `candidates`.
    std::size_t pairs = 0; // Pairs tried.
    std::size_t candidates = 0;
    std::size_t covered = 0; // Not tried: a smaller breaking fault covers them.
    bool isComplete = false; // All singles and all pairs were tried or covered.
};

struct ExploreRequest
{
    RehearsalRequest rehearsal; // Its timeline says only when: from the first fault's begin, for
                                // its length; without one the middle third. Comparisons, ablations
                                // and all variants but the first are left out.
    std::size_t budget = 300; // Rehearsals at most.
    std::function<void(const Exploration&)> onStep; // Optional; after each of them.
};

// Tries every single fault on the mesh, the smallest first, then pairs of those that broke nothing
// by themselves, those that came nearest first, and never what a smaller breaking one covers.
//
// Source: Meiklejohn et al., "Service-level fault injection testing" (Filibuster), 2021, for the
// order and the pruning. The same request gives the same exploration.
// Errors: those of rehearse(); InvalidArgument when no assertion is of a window.
[[nodiscard]] Result<Exploration> explore(const ExploreRequest& request);

// For people, and for programs: {scenario, rehearsals, singles, pairs, candidates, covered,
// is_complete, broken_before, breaking: [{faults, instances, broken, failed_share, scenario}]}.
[[nodiscard]] std::string toTerminalText(const Exploration& exploration);
[[nodiscard]] std::string toJson(const Exploration& exploration);

} // namespace mesh::simulator
