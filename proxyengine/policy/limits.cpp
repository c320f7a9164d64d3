#include "proxyengine/policy/limits.h"

#include "proxyengine/base/assert.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace mesh::policy {

namespace {

std::uint64_t toCount(int value) { return static_cast<std::uint64_t>(std::max(0, value)); }

std::string_view fieldOf(LimitedResource resource)
{
    switch (resource) {
    case LimitedResource::Connections:
        return "max_connections";
    case LimitedResource::Pending:
        return "max_pending";
    case LimitedResource::Requests:
        return "max_requests";
    case LimitedResource::Retries:
        return "max_retries";
    case LimitedResource::TargetConnections:
        return "max_connections_per_target";
    }
    return "";
}

} // namespace

LimitLane laneOf(model::RequestPriority priority)
{
    return priority == model::RequestPriority::High ? LimitLane::High : LimitLane::Default;
}

std::string toText(const LimitVerdict& verdict)
{
    return verdict.isAdmitted
               ? std::string()
               : fmt::format("{} {} reached", fieldOf(verdict.resource), verdict.max);
}

LimitRules::LimitRules(const model::Limits& limits)
{
    const model::LimitSet normal{
        limits.maxConnections, limits.maxPending, limits.maxRequests, limits.maxRetries};
    const auto lane = [](const model::LimitSet& set) {
        return std::array<std::uint64_t, 4>{
            toCount(set.maxConnections),
            toCount(set.maxPending),
            toCount(set.maxRequests),
            toCount(set.maxRetries)};
    };
    m_max = {lane(normal), lane(limits.high.value_or(normal))};
    if (limits.maxConnectionsPerTarget) {
        m_targetConnections = toCount(*limits.maxConnectionsPerTarget);
    }
}

std::optional<std::uint64_t> LimitRules::max(LimitedResource resource, LimitLane lane) const
{
    if (resource == LimitedResource::TargetConnections) {
        return m_targetConnections;
    }
    return m_max[static_cast<std::size_t>(lane)][static_cast<std::size_t>(resource)];
}

bool tryBeginUse(std::uint64_t max, std::uint64_t& word)
{
    if (word >= max) {
        return false;
    }
    ++word;
    return true;
}

void endUse(std::uint64_t& word)
{
    MESH_ASSERT(word > 0);
    --word;
}

} // namespace mesh::policy
