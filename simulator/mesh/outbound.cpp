#include "simulator/mesh/outbound.h"

#include "proxyengine/base/limits.h"

#include <algorithm>

namespace mesh::simulator {
namespace {

constexpr Duration kHedgeWindow = std::chrono::seconds(60); // As in the proxy.

// `versions` by target; empty: those of the plan.
policy::HostSet hostsOf(
    const config::UpstreamPlan& plan, std::string_view zone, std::span<const std::string> versions
)
{
    std::vector<policy::HostSpec> specs;
    for (const config::TargetPlan& target : plan.targets) {
        specs.push_back(
            {target.address,
             static_cast<std::uint32_t>(std::max(target.weight, 0)),
             plan.locality ? policy::levelOf(*plan.locality, zone, target.zone) : 0,
             versions.empty() ? target.version : versions[specs.size()],
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

// Whether connections carry many requests at once.
bool hasStreams(const CalleePlan& called)
{
    const auto& targets = called.upstream->targets;
    return called.service->httpVersion == model::HttpVersion::Http2
           || (!targets.empty() && targets.front().isMesh);
}

} // namespace

OutboundRules::OutboundRules(const CalleePlan& called, Connections connections)
    : plan(&called)
    , instances(called.instances.data())
    , threshold(called.upstream->healthchecks.threshold)
    , tryTimeout(called.service->readTimeout)
{
    policy::HealthRules found(called.upstream->healthchecks);
    if (found.isAnythingChecked()) {
        checks.emplace(std::move(found));
    }
    if (called.resilience != nullptr) {
        addPolicies(*called.resilience);
    }
    if (called.upstream->limits) {
        addLimits();
    }
    hasFault = fault.has_value();
    hasMirror = mirror.has_value();
    hasHedge = hedge.has_value();
    hasChecks = checks.has_value();
    hasRates = !rates.empty();
    isShedding = called.snapshot->overload.has_value();
    hasPools = connections == Connections::Followed || (limitsConnections() && hasStreams(called));
}

void OutboundRules::addPolicies(const config::ResiliencePlan& said)
{
    const config::Snapshot& snapshot = *plan->snapshot;
    lane = policy::laneOf(said.priority);
    timeout = said.timeout;
    tryTimeout = std::min(tryTimeout, said.perTryTimeout.value_or(tryTimeout));
    if (said.retry) {
        const model::Retry& settings = snapshot.retries[*said.retry].settings;
        retry.emplace(settings);
        if (settings.budget) {
            allowance.emplace(*settings.budget);
        }
    }
    hedge = said.hedge;
    if (said.fault) {
        fault.emplace(*said.fault);
    }
    if (said.mirror) {
        mirror.emplace(*said.mirror);
    }
    for (const std::size_t at : said.rateLimits) {
        const model::RateLimit& limit = snapshot.rateLimits[at].settings;
        if (isCounted(limit, plan->isGateway)) {
            rates.emplace_back(limit);
        }
    }
}

// While a connection for every request is allowed, the limit of requests comes first: connections
// that are idle make room.
void OutboundRules::addLimits()
{
    using policy::LimitedResource;
    limits.emplace(*plan->upstream->limits);
    targetConnectionsMax = limits->max(LimitedResource::TargetConnections, lane);
    const std::uint64_t requests = limits->max(LimitedResource::Requests, lane).value_or(0);
    const std::uint64_t most = limits->max(LimitedResource::Connections, lane).value_or(0);
    const std::uint64_t needed =
        hasStreams(*plan) ? requests / kUpstreamStreamsMax + plan->upstream->targets.size()
                          : requests;
    if (most < needed) {
        connectionsMax = most;
    }
}

Duration OutboundRules::connectLimit() const
{
    return std::min(tryLimit(Duration::zero()), plan->service->connectTimeout);
}

Duration OutboundRules::tryLimit(Duration passed) const
{
    const auto perTry =
        plan->resilience == nullptr ? std::nullopt : plan->resilience->perTryTimeout;
    const Duration read = plan->service->readTimeout; // From here on, not from the start.
    return perTry ? std::clamp(*perTry - passed, Duration::zero(), read) : read;
}

Outbound::Outbound(const OutboundRules& from, std::string_view zone, TimePoint now, Random& random)
    : plan(from.plan)
    , rules(&from)
    , hosts(hostsOf(*from.plan->upstream, zone, {}))
    , balancer(from.plan->upstream->algorithm, hosts, random)
    , rates(from.rates.size())
    , isAvailable(hosts.size(), true)
{
    if (plan->upstream->outlierDetection) {
        detector.emplace(*plan->upstream->outlierDetection, hosts.size(), now);
    }
    if (rules->checks) {
        for (std::size_t host = 0; host < hosts.size(); ++host) {
            machines.emplace_back(*rules->checks, now, random);
        }
        probes.resize(hosts.size());
    }
    if (rules->hasPools) {
        const auto streams =
            hasStreams(*plan) ? static_cast<std::uint32_t>(kUpstreamStreamsMax) : 1U;
        pools.resize(hosts.size(), ConnectionPool(streams));
        poolEpochs.resize(hosts.size());
    }
    if (plan->resilience == nullptr) {
        return;
    }
    const config::ResiliencePlan& said = *plan->resilience;
    const config::Snapshot& snapshot = *plan->snapshot;
    subset = hosts.subsetOf(said.version);
    const auto percentile =
        rules->hedge ? policy::hedgePercentile(rules->hedge->after) : std::nullopt;
    if (percentile) {
        latencies = std::make_unique<policy::LatencyWindow>(kHedgeWindow, *percentile, now);
    }
    if (said.breaker) {
        breaker.emplace(snapshot.breakers[*said.breaker].settings, now);
    }
    if (said.adaptiveConcurrency) {
        concurrency = std::make_unique<policy::AdaptiveConcurrency>(
            snapshot.adaptiveConcurrencies[*said.adaptiveConcurrency].settings, now
        );
    }
}

void Outbound::setVersions(
    std::span<const std::string> versions, std::string_view zone, TimePoint now, Random& random
)
{
    policy::HostSet fresh = hostsOf(*plan->upstream, zone, versions);
    for (std::size_t host = 0; host < hosts.size(); ++host) {
        for (std::uint32_t each = 0; each < hosts[host].active; ++each) {
            fresh.begin(host);
        }
        if (!hosts[host].isAvailable) {
            fresh.setAvailability(host, policy::HostSet::Availability::Unavailable, now);
        }
    }
    policy::Balancer chosen(plan->upstream->algorithm, fresh, random);
    chosen.carryOver(balancer, hosts, fresh, now);
    hosts = std::move(fresh);
    balancer = std::move(chosen);
    subset = hosts.subsetOf(plan->resilience == nullptr ? "" : plan->resilience->version);
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

} // namespace mesh::simulator
