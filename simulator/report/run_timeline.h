#pragma once

#include "simulator/report/rehearsal.h"
#include "simulator/report/svg_timeline.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mesh::simulator {

// The picture of one entry's calls through the run, all variants over each other: requests,
// success, p50, p99, calls in progress and attempts per call, averaged over the replications.
[[nodiscard]] Timeline timelineOf(const Rehearsal& rehearsal, const std::string& entry);

// Same reactions of one run, summed up: which, of whom, how many, from when to when.
struct ReactionSummary
{
    RunMarker::Kind kind = RunMarker::Kind::Ejected;
    std::string callee;
    std::string instance;
    std::vector<std::string> callers; // Sorted, unique.
    std::uint64_t count = 0;
    Duration first{};
    Duration last{};
};

// By time of the first. Faults are no reactions.
[[nodiscard]] std::vector<ReactionSummary> summarize(const RunRecord& record);

// "ejected", "breaker opened".
[[nodiscard]] std::string_view toText(RunMarker::Kind kind);

// The style of the variant's lines: the first is the reference and drawn quietly, unless alone.
[[nodiscard]] std::size_t styleOf(const Rehearsal& rehearsal, std::size_t variant);

} // namespace mesh::simulator
