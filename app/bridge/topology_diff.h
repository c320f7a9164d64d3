#pragma once

#include "app/bridge/topology.h"

#include <QString>

#include <cstdint>
#include <vector>

// What became of the graph between two moments.
namespace mesh::bridge {

struct TopologyChange
{
    QString subject; // EntityRow::id, or "a -> b".
    bool isEdge = false;
    Change change = Change::None;
    HealthState before = HealthState::NoData;
    HealthState after = HealthState::NoData;
    Figures figuresBefore; // Empty of what was not there.
    Figures figuresAfter;
    QString what; // "errors 0.1 % → 4.5 %", "p95 12 ms → 86 ms"; empty when it came or went.
    friend bool operator==(const TopologyChange&, const TopologyChange&) = default;
};

struct TopologyDiff
{
    std::int64_t before_us = 0; // 0: nothing is compared.
    std::int64_t after_us = 0;
    std::int64_t revisionBefore = 0; // Valid then; 0: none.
    std::int64_t revisionAfter = 0;
    // Vanished and worse first, then appeared, then better; within, edges after entities, by name.
    std::vector<TopologyChange> changes;
    [[nodiscard]] bool isEmpty() const { return before_us == 0; }
    [[nodiscard]] int count(Change change) const;
    friend bool operator==(const TopologyDiff&, const TopologyDiff&) = default;
};

// Worse: a worse state, or half a per cent point more errors, or a p95 that is a fifth and 5 ms
// longer, with at least 20 requests on both sides. Better: the reverse, and nothing worse. An edge
// is there when it carried requests.
[[nodiscard]] TopologyDiff diffOf(const Topology& before, const Topology& after);

// The later topology with what has vanished, and the changes marked on both.
[[nodiscard]] Topology unionOf(
    const Topology& before, const Topology& after, const TopologyDiff& diff
);

} // namespace mesh::bridge
