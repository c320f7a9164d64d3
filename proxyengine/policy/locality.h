#pragma once

#include "proxyengine/model/resilience.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

// Zones as levels of use: level 0 takes everything while it is healthy enough, the next ones take
// what it cannot carry.
//
// Source: Envoy's priority levels, over-provisioning and panic threshold (reference 3.4). As there,
//         hosts are counted, not their weights; a host of weight 0 does not count.
namespace mesh::policy {

// One level of one upstream (or of those hosts of it that have a version).
struct LevelState
{
    std::uint32_t total = 0; // Hosts with weight.
    std::uint32_t healthy = 0; // Of them available.
    std::uint32_t load = 0; // Percent of the picks; all levels together 100, or 0 without any host.
    bool isPanic = false; // Too few are healthy: health is ignored.
    friend bool operator==(const LevelState&, const LevelState&) = default;
};

// The level of a target in `zone` as seen from a node in `nodeZone`. 0 is the node's own zone when
// it is preferred and known; then the zones of `failover` in their order; all other zones share
// the last level.
[[nodiscard]] std::uint32_t levelOf(
    const model::Locality& locality, std::string_view nodeZone, std::string_view zone
);

// Number of levels that levelOf() can give.
[[nodiscard]] std::uint32_t levelCount(const model::Locality& locality, std::string_view nodeZone);

// The name to show for a level: a zone, or "" for the last one ("all others").
[[nodiscard]] std::string_view levelName(
    const model::Locality& locality, std::string_view nodeZone, std::uint32_t level
);

// Gives each level its load and says where panic reigns, from `total` and `healthy`:
// health = min(100, floor(overprovisioning * healthy / total)), load = health over the sum of all,
// shares rounded so that they add up to 100 (largest remainder, the earlier level first). Panic is
// looked for only while the sum of health is below 100. With no healthy host at all and panic
// allowed, loads follow the number of hosts. Without a locality: one level, never in panic.
void assignLoads(std::span<LevelState> levels, const model::Locality* locality);

} // namespace mesh::policy
