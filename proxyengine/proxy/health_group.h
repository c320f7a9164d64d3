#pragma once

#include "proxyengine/proxy/health_board.h"
#include "proxyengine/proxy/zone_watch.h"

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

// What the health board keeps; for its own two source files.
namespace mesh::proxy {

struct HealthBoard::Row
{
    Row(std::shared_ptr<const policy::HealthRules> from, TimePoint now, Random& random)
        : rules(std::move(from))
        , machine(*rules, now, random)
        , since(now)
    {}

    [[nodiscard]] const config::TargetPlan& plan() const;

    std::shared_ptr<const policy::HealthRules> rules; // The machine points to them.
    policy::HealthMachine machine;
    Group* group = nullptr;
    std::size_t at = 0; // Of the targets of its upstream.
    bool isAvailable = true; // As told to the workers.
    TimePoint since; // Of that.
    bool isProbing = false;
    bool isUnknownName = false; // Its name could not be resolved when it was probed last.
    std::string probeFailure; // What the probe met that made it unhealthy.
};

struct HealthBoard::Group
{
    config::UpstreamPlan plan;
    std::shared_ptr<const policy::HealthRules> rules;
    bool isProbed = false;
    std::vector<std::shared_ptr<Row>> rows; // By target.
    std::unordered_map<std::string, std::size_t> byAddress;
    std::optional<policy::OutlierDetector> detector;
    ZoneWatch zones;
    std::size_t probing = 0;

    [[nodiscard]] Row* find(const std::string& address) const
    {
        const auto found = byAddress.find(address);
        return found == byAddress.end() ? nullptr : rows[found->second].get();
    }
};

inline const config::TargetPlan& HealthBoard::Row::plan() const { return group->plan.targets[at]; }

} // namespace mesh::proxy
