#include "proxyengine/policy/locality.h"

#include "proxyengine/base/assert.h"

#include <algorithm>
#include <cmath>

namespace mesh::policy {
namespace {

// Percent as whole hundredths, so that every build rounds alike.
std::uint64_t hundredths(double percent)
{
    return static_cast<std::uint64_t>(std::llround(std::max(percent, 0.0) * 100.0));
}

std::uint64_t healthOf(const LevelState& level, std::uint64_t overprovisioning)
{
    if (level.total == 0) {
        return 0;
    }
    const std::uint64_t health =
        overprovisioning * level.healthy / (std::uint64_t{100} * level.total);
    return std::min<std::uint64_t>(health, 100);
}

// Shares of 100 in proportion to `partOf`, rounded by the largest remainder.
template <typename PartOf>
void shareOut(std::span<LevelState> levels, std::uint64_t sum, PartOf partOf)
{
    std::uint32_t left = 100;
    for (LevelState& level : levels) {
        level.load = static_cast<std::uint32_t>(100 * partOf(level) / sum);
        left -= level.load;
    }
    // Whoever got one is skipped: its share is above the floor then.
    for (; left > 0; --left) {
        LevelState* best = nullptr;
        std::uint64_t bestRemainder = 0;
        for (LevelState& level : levels) {
            const std::uint64_t exact = 100 * partOf(level);
            const std::uint64_t remainder = exact % sum;
            if (level.load == exact / sum && remainder > bestRemainder) {
                best = &level;
                bestRemainder = remainder;
            }
        }
        MESH_ASSERT(best != nullptr);
        ++best->load;
    }
}

void markPanic(std::span<LevelState> levels, std::uint64_t panic)
{
    for (LevelState& level : levels) {
        level.isPanic = std::uint64_t{10'000} * level.healthy < panic * level.total;
    }
}

} // namespace

std::uint32_t levelOf(
    const model::Locality& locality, std::string_view nodeZone, std::string_view zone
)
{
    const bool hasLocal = locality.preferLocalZone && !nodeZone.empty();
    if (hasLocal && zone == nodeZone) {
        return 0;
    }
    std::uint32_t level = hasLocal ? 1 : 0;
    for (const std::string& next : locality.failover) {
        if (hasLocal && next == nodeZone) {
            continue;
        }
        if (next == zone) {
            return level;
        }
        ++level;
    }
    return level;
}

std::uint32_t levelCount(const model::Locality& locality, std::string_view nodeZone)
{
    const bool hasLocal = locality.preferLocalZone && !nodeZone.empty();
    const auto zones = std::ranges::count_if(locality.failover, [&](const std::string& zone) {
        return !hasLocal || zone != nodeZone;
    });
    return static_cast<std::uint32_t>(zones) + (hasLocal ? 2 : 1);
}

std::string_view levelName(
    const model::Locality& locality, std::string_view nodeZone, std::uint32_t level
)
{
    const bool hasLocal = locality.preferLocalZone && !nodeZone.empty();
    if (hasLocal && level == 0) {
        return nodeZone;
    }
    std::uint32_t at = hasLocal ? 1 : 0;
    for (const std::string& next : locality.failover) {
        if (hasLocal && next == nodeZone) {
            continue;
        }
        if (at == level) {
            return next;
        }
        ++at;
    }
    return {};
}

void assignLoads(std::span<LevelState> levels, const model::Locality* locality)
{
    for (LevelState& level : levels) {
        level.load = 0;
        level.isPanic = false;
    }
    if (locality == nullptr) {
        MESH_ASSERT(levels.size() == 1);
        levels.front().load = levels.front().healthy > 0 ? 100 : 0;
        return;
    }
    const std::uint64_t overprovisioning = hundredths(locality->overprovisioning);
    const std::uint64_t panic = std::min<std::uint64_t>(hundredths(locality->panicPercent), 10'000);
    std::uint64_t health = 0;
    std::uint64_t hosts = 0;
    for (const LevelState& level : levels) {
        health += healthOf(level, overprovisioning);
        hosts += level.total;
    }
    if (health >= 100) {
        std::uint32_t left = 100;
        for (LevelState& level : levels) {
            const auto wanted = static_cast<std::uint32_t>(healthOf(level, overprovisioning));
            level.load = std::min(left, wanted);
            left -= level.load;
        }
        return;
    }
    markPanic(levels, panic);
    if (health > 0) {
        shareOut(levels, health, [overprovisioning](const LevelState& level) {
            return healthOf(level, overprovisioning);
        });
    } else if (hosts > 0 && panic > 0) {
        shareOut(levels, hosts, [](const LevelState& level) { return std::uint64_t{level.total}; });
    }
}

} // namespace mesh::policy
