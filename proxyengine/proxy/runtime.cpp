#include "proxyengine/proxy/runtime.h"

#include "proxyengine/policy/health.h"

#include <algorithm>

namespace mesh::proxy {
namespace {

std::vector<std::uint32_t> weightsOf(const config::UpstreamPlan& plan)
{
    std::vector<std::uint32_t> weights;
    weights.reserve(plan.targets.size());
    for (const config::TargetPlan& target : plan.targets) {
        weights.push_back(static_cast<std::uint32_t>(std::max(target.weight, 0)));
    }
    return weights;
}

bool hasLimits(const policy::HealthRules::Limits& limits)
{
    return limits.successes > 0 || limits.tcpFailures > 0 || limits.timeouts > 0
           || limits.httpFailures > 0;
}

} // namespace

UpstreamState::UpstreamState(const config::UpstreamPlan& from, Random& random)
    : plan(from)
    , hosts(weightsOf(from))
    , balancer(from.algorithm, hosts, random)
    , hasReported(from.targets.size(), false)
    , isPassive(hasLimits(policy::HealthRules(from.healthchecks).passive))
{}

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
                          && one.workload == two.workload;
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
    telemetry::WorkerCounters& counters, std::size_t listener, std::size_t route
)
{
    ListenerView& view = listeners[listener];
    telemetry::RequestRow*& row = view.requestRows[route];
    if (row == nullptr) {
        std::string_view routeName;
        std::string_view serviceName;
        if (view.table != ListenerView::kNoTable && route + 1 < view.requestRows.size()) {
            const config::RoutePlan& plan = snapshot().tables[view.table].routes[route];
            routeName = plan.name;
            if (plan.service) {
                serviceName = snapshot().services[*plan.service].name;
            }
        }
        row = &counters.holdRequests(view.source, serviceName, routeName);
    }
    return *row;
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
