#include "simulator/mesh/outbound.h"

#include <algorithm>

namespace mesh::simulator {
namespace {

constexpr Duration kHedgeWindow = std::chrono::seconds(60); // As in the proxy.

policy::HostSet hostsOf(const config::UpstreamPlan& plan, std::string_view zone)
{
    std::vector<policy::HostSpec> specs;
    for (const config::TargetPlan& target : plan.targets) {
        specs.push_back(
            {target.address,
             static_cast<std::uint32_t>(std::max(target.weight, 0)),
             plan.locality ? policy::levelOf(*plan.locality, zone, target.zone) : 0,
             target.version,
             std::nullopt}
        );
    }
    policy::HostSettings settings;
    settings.locality = plan.locality;
    settings.levels = plan.locality ? policy::levelCount(*plan.locality, zone) : 1;
    settings.slowStart = plan.slowStart;
    return {std::move(specs), std::move(settings)};
}

} // namespace

Outbound::Outbound(const CalleePlan& callee, std::string_view zone, TimePoint now, Random& random)
    : plan(&callee)
    , hosts(hostsOf(*callee.upstream, zone))
    , balancer(callee.upstream->algorithm, hosts, random)
    , tryTimeout(callee.service->readTimeout)
{
    if (callee.upstream->outlierDetection) {
        detector.emplace(*callee.upstream->outlierDetection, hosts.size(), now);
    }
    if (callee.upstream->limits) {
        limits.emplace(*callee.upstream->limits);
    }
    if (callee.resilience == nullptr) {
        return;
    }
    const config::ResiliencePlan& said = *callee.resilience;
    subset = hosts.subsetOf(said.version);
    lane = policy::laneOf(said.priority);
    timeout = said.timeout;
    tryTimeout = std::min(tryTimeout, said.perTryTimeout.value_or(tryTimeout));
    if (said.retry) {
        const model::Retry& settings = callee.snapshot->retries[*said.retry].settings;
        retry.emplace(settings);
        allowance.emplace(settings.budget);
    }
    hedge = said.hedge;
    if (const auto percentile = hedge ? policy::hedgePercentile(hedge->after) : std::nullopt) {
        latencies = std::make_unique<policy::LatencyWindow>(kHedgeWindow, *percentile, now);
    }
    if (said.breaker) {
        breaker.emplace(callee.snapshot->breakers[*said.breaker].settings, now);
    }
}

void Outbound::apply(const policy::OutlierVerdict& verdict, TimePoint now)
{
    using Kind = policy::OutlierVerdict::Kind;
    if (verdict.kind == Kind::Suppressed) {
        return;
    }
    hosts.setAvailability(
        verdict.host,
        verdict.kind == Kind::Ejected ? policy::HostSet::Availability::Unavailable
                                      : policy::HostSet::Availability::Available,
        now
    );
}

} // namespace mesh::simulator
