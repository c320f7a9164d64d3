#include "proxyengine/proxy/runtime.h"

#include "proxyengine/policy/health.h"
#include "proxyengine/policy/hedge.h"
#include "proxyengine/policy/locality.h"

#include <algorithm>

namespace mesh::proxy {
namespace {

constexpr Duration kHedgeWindow = std::chrono::seconds(60); // Latencies a percentile is of.

// Since when a target has been warming up; nothing for an established one.
std::optional<TimePoint> joinedAt(
    const std::string& address, const UpstreamState* before, TimePoint now
)
{
    if (before == nullptr) {
        return std::nullopt;
    }
    const auto known = before->hosts.find(address);
    return known ? before->hosts.warmingSince(*known) : std::optional<TimePoint>(now);
}

// The targets as hosts. Those that `before` (null: there was none) did not have start slowly.
std::vector<policy::HostSpec> hostsOf(
    const config::UpstreamPlan& plan,
    std::string_view nodeZone,
    const UpstreamState* before,
    TimePoint now
)
{
    std::vector<policy::HostSpec> hosts;
    hosts.reserve(plan.targets.size());
    for (const config::TargetPlan& target : plan.targets) {
        hosts.push_back(
            {target.address,
             static_cast<std::uint32_t>(std::max(target.weight, 0)),
             plan.locality ? policy::levelOf(*plan.locality, nodeZone, target.zone) : 0,
             target.version,
             joinedAt(target.address, before, now)}
        );
    }
    return hosts;
}

policy::HostSettings settingsOf(const config::UpstreamPlan& plan, std::string_view nodeZone)
{
    policy::HostSettings settings;
    settings.locality = plan.locality;
    settings.levels = plan.locality ? policy::levelCount(*plan.locality, nodeZone) : 1;
    settings.slowStart = plan.slowStart;
    return settings;
}

policy::HashRule ruleOf(const config::HashPlan& plan)
{
    return {plan.on, plan.fallback, plan.name, plan.fallbackName, plan.cookiePath};
}

bool wantsHash(model::Algorithm algorithm)
{
    const auto rows = policy::algorithmTable();
    const auto row = std::ranges::find(rows, algorithm, &policy::AlgorithmRow::named);
    return row != rows.end() && row->isHashing;
}

bool hasLimits(const policy::HealthRules::Limits& limits)
{
    return limits.successes > 0 || limits.tcpFailures > 0 || limits.timeouts > 0
           || limits.httpFailures > 0;
}

} // namespace

UpstreamState::UpstreamState(
    const config::UpstreamPlan& from,
    std::string_view nodeZone,
    const UpstreamState* before,
    TimePoint now,
    Random& random
)
    : plan(from)
    , zone(nodeZone)
    , hosts(hostsOf(from, nodeZone, before, now), settingsOf(from, nodeZone))
    , balancer(from.algorithm, hosts, random)
    , hashRule(ruleOf(from.hash))
    , isHashing(wantsHash(from.algorithm))
    , hasReported(from.targets.size(), false)
    , successes(from.targets.size(), 0)
    , isPassive(hasLimits(policy::HealthRules(from.healthchecks).passive) || from.outlierDetection)
    , isWatched(from.outlierDetection)
{
    if (before != nullptr) {
        balancer.carryOver(before->balancer, before->hosts, hosts, now);
    }
}

bool isSamePlan(const config::UpstreamPlan& a, const config::UpstreamPlan& b)
{
    return a.name == b.name && a.algorithm == b.algorithm && a.hostHeader == b.hostHeader
           && a.healthchecks == b.healthchecks && a.hash == b.hash
           && a.outlierDetection == b.outlierDetection && a.limits == b.limits
           && a.slowStart == b.slowStart && a.locality == b.locality
           && std::ranges::equal(
               a.targets,
               b.targets,
               [](const config::TargetPlan& one, const config::TargetPlan& two) {
                   return one.address == two.address && one.weight == two.weight
                          && one.zone == two.zone && one.version == two.version
                          && one.workload == two.workload && one.isMesh == two.isMesh;
               }
           );
}

Runtime::~Runtime()
{
    for (UpstreamState* upstream : upstreams) {
        --upstream->holders;
    }
    for (ListenerView& listener : listeners) {
        for (telemetry::RequestRow* row : listener.requestRows) {
            if (row != nullptr) {
                telemetry::WorkerCounters::release(*row);
            }
        }
        for (const auto& rows : listener.attemptRows) {
            for (telemetry::AttemptRow* row : rows) {
                if (row != nullptr) {
                    telemetry::WorkerCounters::release(*row);
                }
            }
        }
    }
}

telemetry::RequestRow& Runtime::requestRow(
    telemetry::WorkerCounters& counters,
    std::size_t listener,
    std::optional<std::size_t> route,
    std::optional<std::size_t> part
)
{
    ListenerView& view = listeners[listener];
    std::size_t place = route.value_or(view.noRoute);
    if (part) {
        place = view.splitRows[*route] + *part;
    }
    telemetry::RequestRow*& row = view.requestRows[place];
    if (row == nullptr) {
        std::string_view routeName;
        std::string_view serviceName;
        if (route) {
            const config::RoutePlan& plan = snapshot().tables[view.table].routes[*route];
            routeName = plan.name;
            if (part) {
                serviceName = snapshot().services[plan.split[*part].service].name;
            } else if (plan.service) {
                serviceName = snapshot().services[*plan.service].name;
            }
        }
        row = &counters.holdRequests(view.source, serviceName, routeName);
    }
    return *row;
}

const std::shared_ptr<const tls::ClientContext>& Runtime::hopTls(
    std::size_t listener, const config::ServicePlan& service, const config::TargetPlan& target
) const
{
    static const std::shared_ptr<const tls::ClientContext> kPlain;
    const std::optional<std::size_t>& plan =
        target.isMesh ? listeners[listener].meshTls : service.tls;
    return plan ? activation.upstreamTls[*plan] : kPlain;
}

policy::LatencyWindow& Runtime::latencyWindow(std::size_t resilience, TimePoint now)
{
    auto& window = m_latencyWindows[resilience];
    if (window == nullptr) {
        const config::ResiliencePlan& plan = snapshot().resiliences[resilience];
        const double percentile =
            plan.hedge ? policy::hedgePercentile(plan.hedge->after).value_or(95.0) : 95.0;
        window = std::make_unique<policy::LatencyWindow>(kHedgeWindow, percentile, now);
    }
    return *window;
}

telemetry::AttemptRow& Runtime::attemptRow(
    telemetry::WorkerCounters& counters,
    std::size_t listener,
    std::size_t upstream,
    std::size_t target
)
{
    ListenerView& view = listeners[listener];
    auto& rows = view.attemptRows[upstream];
    const config::UpstreamPlan& plan = upstreams[upstream]->plan;
    if (rows.empty()) {
        rows.resize(plan.targets.size(), nullptr);
    }
    if (rows[target] == nullptr) {
        const config::TargetPlan& to = plan.targets[target];
        rows[target] = &counters.holdAttempts(view.source, plan.name, to.address, to.workload);
    }
    return *rows[target];
}

} // namespace mesh::proxy
