#include "proxyengine/proxy/zone_watch.h"

#include "proxyengine/policy/locality.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace mesh::proxy {
namespace {

std::vector<policy::LevelState> levelsOf(
    const config::UpstreamPlan& plan,
    std::string_view nodeZone,
    const std::vector<bool>& isAvailable
)
{
    const model::Locality& locality = *plan.locality;
    std::vector<policy::LevelState> levels(policy::levelCount(locality, nodeZone));
    for (std::size_t at = 0; at < plan.targets.size(); ++at) {
        if (plan.targets[at].weight <= 0) {
            continue;
        }
        policy::LevelState& level =
            levels.at(policy::levelOf(locality, nodeZone, plan.targets[at].zone));
        ++level.total;
        if (isAvailable[at]) {
            ++level.healthy;
        }
    }
    policy::assignLoads(levels, &locality);
    return levels;
}

std::string placeOf(const model::Locality& locality, std::string_view nodeZone, std::size_t level)
{
    const std::string_view name =
        policy::levelName(locality, nodeZone, static_cast<std::uint32_t>(level));
    return name.empty() ? std::string("the other zones") : fmt::format("zone {}", name);
}

std::string panicReason(
    const std::vector<policy::LevelState>& levels, const model::Locality& locality
)
{
    std::uint32_t total = 0;
    std::uint32_t healthy = 0;
    for (const policy::LevelState& level : levels) {
        if (level.isPanic) {
            total += level.total;
            healthy += level.healthy;
        }
    }
    return total == 0 ? std::string()
                      : fmt::format(
                          "{} of {} targets available; below {} % health is ignored",
                          healthy,
                          total,
                          locality.panicPercent
                      );
}

std::string failoverReason(
    const std::vector<policy::LevelState>& levels,
    const model::Locality& locality,
    std::string_view nodeZone
)
{
    const auto first = std::ranges::find_if(levels, [](const policy::LevelState& level) {
        return level.total > 0;
    });
    if (first == levels.end() || first->load >= 100) {
        return {};
    }
    std::string elsewhere;
    for (auto level = first + 1; level != levels.end(); ++level) {
        if (level->load > 0) {
            elsewhere += fmt::format(
                "{}{} % to {}",
                elsewhere.empty() ? "" : ", ",
                level->load,
                placeOf(locality, nodeZone, static_cast<std::size_t>(level - levels.begin()))
            );
        }
    }
    if (elsewhere.empty()) {
        return {};
    }
    return fmt::format(
        "{} of {} targets available in {}; {}",
        first->healthy,
        first->total,
        placeOf(locality, nodeZone, static_cast<std::size_t>(first - levels.begin())),
        elsewhere
    );
}

} // namespace

void ZoneWatch::turn(
    Episode& episode,
    const std::string& reason,
    WallTime now,
    std::string_view onKind,
    std::string_view offKind,
    const std::string& upstream,
    PolicyLedger& ledger
)
{
    const bool isOn = !reason.empty();
    if (isOn != episode.isOn) {
        episode.isOn = isOn;
        episode.since = now;
        ledger.change(isOn ? onKind : offKind, "upstream:" + upstream, reason);
    }
    episode.reason = reason;
}

void ZoneWatch::update(
    const config::UpstreamPlan& plan,
    std::string_view nodeZone,
    const std::vector<bool>& isAvailable,
    WallTime now,
    PolicyLedger& ledger
)
{
    if (!plan.locality) {
        end(plan.name, ledger);
        return;
    }
    const auto levels = levelsOf(plan, nodeZone, isAvailable);
    turn(
        m_panic,
        panicReason(levels, *plan.locality),
        now,
        "panic_entered",
        "panic_left",
        plan.name,
        ledger
    );
    turn(
        m_failover,
        failoverReason(levels, *plan.locality, nodeZone),
        now,
        "failover_started",
        "failover_ended",
        plan.name,
        ledger
    );
}

void ZoneWatch::end(const std::string& upstream, PolicyLedger& ledger)
{
    turn(m_panic, {}, {}, "panic_entered", "panic_left", upstream, ledger);
    turn(m_failover, {}, {}, "failover_started", "failover_ended", upstream, ledger);
}

void ZoneWatch::fill(telemetry::StatsFrame& frame, const std::string& upstream) const
{
    if (m_panic.isOn) {
        frame.states.push_back({"panic", "upstream:" + upstream, m_panic.reason, m_panic.since, {}}
        );
    }
    if (m_failover.isOn) {
        frame.states.push_back(
            {"failover", "upstream:" + upstream, m_failover.reason, m_failover.since, {}}
        );
    }
}

} // namespace mesh::proxy
