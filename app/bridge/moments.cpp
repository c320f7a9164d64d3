#include "app/bridge/moments.h"

#include <algorithm>

namespace mesh::bridge {

namespace {

constexpr std::int64_t kSecond_us = 1'000'000;

// When the revision ended: at the next one, or now.
std::int64_t endOf(
    const std::vector<RevisionRow>& revisions, std::int64_t revision, std::int64_t now_us
)
{
    std::int64_t end_us = now_us;
    for (const RevisionRow& row : revisions) {
        if (row.id > revision) {
            end_us = std::min(end_us, row.time_us);
        }
    }
    return end_us;
}

} // namespace

std::int64_t revisionAt(const std::vector<RevisionRow>& revisions, std::int64_t time_us)
{
    const auto found = std::ranges::find_if(revisions, [time_us](const RevisionRow& row) {
        return row.time_us <= time_us;
    });
    if (found != revisions.end()) {
        return found->id;
    }
    return revisions.empty() ? 0 : revisions.back().id;
}

std::optional<std::pair<std::int64_t, std::int64_t>> momentsOf(
    const std::vector<RevisionRow>& revisions,
    std::int64_t before,
    std::int64_t after,
    std::int64_t window_us,
    std::int64_t now_us
)
{
    const auto isKnown = [&](std::int64_t id) {
        return std::ranges::find(revisions, id, &RevisionRow::id) != revisions.end();
    };
    if (!isKnown(before) || !isKnown(after)) {
        return std::nullopt;
    }
    const std::int64_t begin_us = std::ranges::find(revisions, after, &RevisionRow::id)->time_us;
    // The second in which the next one came belongs to neither.
    const std::int64_t first_us = endOf(revisions, before, now_us) - kSecond_us;
    const std::int64_t second_us =
        std::min(begin_us + window_us + kSecond_us, endOf(revisions, after, now_us) - kSecond_us);
    return std::pair(first_us, second_us);
}

} // namespace mesh::bridge
