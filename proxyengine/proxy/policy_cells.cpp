#include "proxyengine/proxy/policy_cells.h"

#include <algorithm>

namespace mesh::proxy {
namespace {

constexpr std::size_t kRateKeysMax = 65536; // Callers of one rate limit that are told apart.

std::vector<std::string> addressesOf(const config::UpstreamPlan& plan)
{
    std::vector<std::string> addresses;
    addresses.reserve(plan.targets.size());
    for (const config::TargetPlan& target : plan.targets) {
        addresses.push_back(target.address);
    }
    return addresses;
}

// One cell per plan: an old one of the same plan, or a new one.
template <typename Cell, typename Plan, typename... More>
std::vector<std::shared_ptr<Cell>> takeOver(
    const std::vector<Plan>& plans,
    const std::vector<std::shared_ptr<Cell>>& before,
    const More&... more
)
{
    std::vector<std::shared_ptr<Cell>> cells;
    cells.reserve(plans.size());
    for (const Plan& plan : plans) {
        const auto same =
            std::ranges::find_if(before, [&plan](const auto& cell) { return cell->plan == plan; });
        cells.push_back(same != before.end() ? *same : std::make_shared<Cell>(plan, more...));
    }
    return cells;
}

std::vector<std::shared_ptr<UsageCell>> takeOverUsages(
    const std::vector<config::UpstreamPlan>& upstreams,
    const std::vector<std::shared_ptr<UsageCell>>& before
)
{
    std::vector<std::shared_ptr<UsageCell>> cells;
    cells.reserve(upstreams.size());
    for (const config::UpstreamPlan& plan : upstreams) {
        if (!plan.limits) {
            cells.push_back(nullptr);
            continue;
        }
        const std::vector<std::string> addresses = addressesOf(plan);
        const auto same = std::ranges::find_if(before, [&](const auto& cell) {
            return cell != nullptr && cell->upstream == plan.name && cell->limits == *plan.limits
                   && cell->targets == addresses;
        });
        cells.push_back(same != before.end() ? *same : std::make_shared<UsageCell>(plan));
    }
    return cells;
}

policy::LimitVerdict take(
    const std::shared_ptr<UsageCell>& cell,
    policy::LimitedResource resource,
    policy::LimitLane lane,
    SharedWord& word,
    UsageLease& lease
)
{
    const policy::LimitVerdict verdict = policy::admit(cell->rules, resource, lane, word);
    if (verdict.isAdmitted) {
        lease = UsageLease(cell, word);
    }
    return verdict;
}

} // namespace

ConcurrencyCell::ConcurrencyCell(const config::KeptPlan<model::AdaptiveConcurrency>& from)
    : plan(from)
    , gate(policy::ConcurrencyGate(0, static_cast<std::uint32_t>(from.settings.minConcurrency), 0)
               .word())
{}

RetryCell::RetryCell(const config::KeptPlan<model::Retry>& from)
    : plan(from)
    , rules(from.settings)
{
    if (from.settings.budget) {
        allowance.emplace(*from.settings.budget);
    }
}

RateCell::RateCell(const config::KeptPlan<model::RateLimit>& from, std::uint64_t seed)
    : plan(from)
    , table(
          policy::RateRule(from.settings),
          from.settings.by == model::RateBy::Service ? 1 : kRateKeysMax,
          seed
      )
{}

UsageCell::UsageCell(const config::UpstreamPlan& from)
    : upstream(from.name)
    , limits(*from.limits)
    , targets(addressesOf(from))
    , rules(*from.limits)
    , targetConnections(from.targets.size())
{}

policy::LimitVerdict takeLease(
    const std::shared_ptr<UsageCell>& cell,
    policy::LimitedResource resource,
    policy::LimitLane lane,
    UsageLease& lease
)
{
    return take(cell, resource, lane, cell->use.of(resource, lane), lease);
}

policy::LimitVerdict takeTargetLease(
    const std::shared_ptr<UsageCell>& cell, std::size_t target, UsageLease& lease
)
{
    return take(
        cell,
        policy::LimitedResource::TargetConnections,
        policy::LimitLane::Default,
        cell->targetConnections[target],
        lease
    );
}

CompiledResilience::CompiledResilience(const config::ResiliencePlan& plan)
{
    if (plan.fault) {
        fault.emplace(*plan.fault);
    }
    if (plan.mirror) {
        mirror.emplace(*plan.mirror);
    }
}

std::shared_ptr<const PolicyCells> makePolicyCells(
    const config::Snapshot& snapshot, const PolicyCells* before, Seed seed
)
{
    static const PolicyCells kNone;
    const PolicyCells& old = before == nullptr ? kNone : *before;
    auto cells = std::make_shared<PolicyCells>();
    cells->breakers = takeOver(snapshot.breakers, old.breakers);
    cells->concurrencies = takeOver(snapshot.adaptiveConcurrencies, old.concurrencies);
    cells->retries = takeOver(snapshot.retries, old.retries);
    cells->rateLimits = takeOver(snapshot.rateLimits, old.rateLimits, seed.value);
    cells->usages = takeOverUsages(snapshot.upstreams, old.usages);
    cells->resiliences.reserve(snapshot.resiliences.size());
    for (const config::ResiliencePlan& plan : snapshot.resiliences) {
        cells->resiliences.emplace_back(plan);
    }
    for (const config::RouteTable& table : snapshot.tables) {
        for (const config::RoutePlan& route : table.routes) {
            if (!route.split.empty()) {
                std::vector<std::uint32_t> weights;
                for (const config::SplitPlan& part : route.split) {
                    weights.push_back(part.weight);
                }
                cells->splits.emplace(&route, policy::SplitTable(weights));
            }
        }
    }
    cells->requests =
        before != nullptr ? before->requests : std::make_shared<std::atomic<std::uint32_t>>(0);
    return cells;
}

} // namespace mesh::proxy
