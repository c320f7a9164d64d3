#pragma once

#include "app/bridge/session_rows.h"

#include <QString>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

// Moments that are over: what was configured then, and where everything stood.
namespace mesh::bridge {

struct PastPosition
{
    QString id; // EntityRow::id
    double x = 0;
    double y = 0;
    bool isPinned = false;
    friend bool operator==(const PastPosition&, const PastPosition&) = default;
};

// Beside a topology of the past.
struct PastMoment
{
    std::int64_t time_us = 0; // 0: the topology is live.
    std::int64_t revision = 0; // Valid then; 0: none.
    // False: its text could not be read, and the newest configuration stands for it.
    bool isConfigurationKnown = true;
    // Of everything that was ever placed, where it stood then: nothing moves into the place of
    // something else while a replay goes on.
    std::vector<PastPosition> positions;
    // Sorted by name, by what they measured in the window that ended then. What is not recorded
    // (hash, version, memory) is empty.
    std::vector<NodeRow> nodes;
    friend bool operator==(const PastMoment&, const PastMoment&) = default;
};

// The last automatic backup of a document that cannot be read.
struct BackupOffer
{
    QString path; // Of the document.
    QString backup;
    std::int64_t time_us = 0; // When it was made.
    std::int64_t revision = 0; // The newest in it; 0: none.
};

// The revision that was valid at a time; before the first one, the first. 0: there is none.
// `revisions`: newest first.
[[nodiscard]] std::int64_t revisionAt(
    const std::vector<RevisionRow>& revisions, std::int64_t time_us
);

// Two moments that show what a change of revisions did: the last one of `before`, and one of
// `after` when a whole window of it had passed, or its last one. Empty when either is not known.
[[nodiscard]] std::optional<std::pair<std::int64_t, std::int64_t>> momentsOf(
    const std::vector<RevisionRow>& revisions,
    std::int64_t before,
    std::int64_t after,
    std::int64_t window_us,
    std::int64_t now_us
);

} // namespace mesh::bridge
