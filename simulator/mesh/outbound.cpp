#include "simulator/mesh/outbound.h"

#include "proxyengine/base/limits.h"

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

// A workload's proxy knows one caller, the workload. At the gateway every root request is a caller
// of its own, so that limits by caller never meet one twice.
bool isCounted(const model::RateLimit& limit, bool isGateway)
{
    return !isGateway || limit.by == model::RateBy::Service || limit.by == model::RateBy::Path;
}

} // namespace

Outbound::Outbound(
    const CalleePlan& called,
    std::string_view zone,
    TimePoint now,
    Random& random,
    Connections connections
)
    : plan(&called)
    , hosts(hostsOf(*called.upstream, zone))
    , balancer(called.upstream->algorithm, hosts, random)
    , tryTimeout(called.service->readTimeout)
    , isAvailable(hosts.size(), true)
{
    if (called.upstream->outlierDetection) {
        detector.emplace(*called.upstream->outlierDetection, hosts.size(), now);
    }
    if (called.upstream->limits) {
        limits.emplace(*called.upstream->limits);
    }
    policy::HealthRules checks(called.upstream->healthchecks);
    if (checks.isAnythingChecked()) {
        rules.emplace(std::move(checks));
        for (std::size_t host = 0; host < hosts.size(); ++host) {
            machines.emplace_back(*rules, now, random);
        }
        probes.resize(hosts.size());
    }
    if (called.resilience != nullptr) {
        addPolicies(*called.resilience, now);
    }
    if (connections == Connections::Followed || limitsConnections()) {
        for (const config::TargetPlan& target : called.upstream->targets) {
            const bool hasStreams =
                target.isMesh || called.service->httpVersion == model::HttpVersion::Http2;
            pools.emplace_back(hasStreams ? static_cast<std::uint32_t>(kUpstreamStreamsMax) : 1U);
        }
        poolEpochs.resize(pools.size());
    }
}

void Outbound::addPolicies(const config::ResiliencePlan& said, TimePoint now)
{
    const config::Snapshot& snapshot = *plan->snapshot;
    subset = hosts.subsetOf(said.version);
    lane = policy::laneOf(said.priority);
    timeout = said.timeout;
    tryTimeout = std::min(tryTimeout, said.perTryTimeout.value_or(tryTimeout));
    if (said.retry) {
        const model::Retry& settings = snapshot.retries[*said.retry].settings;
        retry.emplace(settings);
        allowance.emplace(settings.budget);
    }
    hedge = said.hedge;
    if (const auto percentile = hedge ? policy::hedgePercentile(hedge->after) : std::nullopt) {
        latencies = std::make_unique<policy::LatencyWindow>(kHedgeWindow, *percentile, now);
    }
    if (said.breaker) {
        breaker.emplace(snapshot.breakers[*said.breaker].settings, now);
    }
    if (said.fault) {
        fault.emplace(*said.fault);
    }
    if (said.mirror) {
        mirror.emplace(*said.mirror);
    }
    if (said.adaptiveConcurrency) {
        concurrency.emplace(
            snapshot.adaptiveConcurrencies[*said.adaptiveConcurrency].settings, now
        );
    }
    for (const std::size_t at : said.rateLimits) {
        const model::RateLimit& limit = snapshot.rateLimits[at].settings;
        if (isCounted(limit, plan->isGateway)) {
            rates.emplace_back(policy::RateRule(limit), 0);
        }
    }
}

// While as many connections may be open as requests may run, the limit of requests comes first:
// those that are idle make room.
bool Outbound::limitsConnections() const
{
    if (!limits) {
        return false;
    }
    using policy::LimitedResource;
    return limits->max(LimitedResource::TargetConnections, lane).has_value()
           || limits->max(LimitedResource::Connections, lane).value_or(0)
                  < limits->max(LimitedResource::Requests, lane).value_or(0);
}

ConnectionPool& Outbound::poolOf(std::uint32_t host, std::uint32_t epoch)
{
    if (poolEpochs[host] != epoch) {
        poolEpochs[host] = epoch;
        pools[host].closeAll();
    }
    return pools[host];
}

std::uint64_t Outbound::openConnections() const
{
    std::uint64_t open = 0;
    for (const ConnectionPool& pool : pools) {
        open += pool.open();
    }
    return open;
}

Duration Outbound::connectLimit() const
{
    return std::min(tryLimit(Duration::zero()), plan->service->connectTimeout);
}

Duration Outbound::tryLimit(Duration passed) const
{
    const auto perTry =
        plan->resilience == nullptr ? std::nullopt : plan->resilience->perTryTimeout;
    const Duration read = plan->service->readTimeout; // From here on, not from the start.
    return perTry ? std::clamp(*perTry - passed, Duration::zero(), read) : read;
}

} // namespace mesh::simulator
