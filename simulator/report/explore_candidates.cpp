#include "simulator/report/explore_candidates.h"

#include "simulator/mesh/mesh_run.h"
#include "simulator/scenario/fault_table.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace mesh::simulator {
namespace {

using namespace std::chrono_literals;

// What a kind of fault is tried on.
enum class TrialOf : std::uint8_t {
    Instance, // One of each service and zone.
    Service,
    CachedService, // With calls that a cache answers.
    ReplicatedService, // With more than one instance: otherwise it is the instance.
    CalledService, // By another service.
    Entry,
    Edge,
    Zone,
    ZonePair,
};

struct Trial
{
    FaultKind kind;
    TrialOf target;
    // How hard it hits. Only what the kind has counts.
    double factor = 1.0;
    double probability = 1.0;
    double share = 1.0;
    double errorRate = 0.0;
    int attempts = 0;
    Duration length{}; // Of add, by or period.
    bool isAloneWorthTrying = true;
};

constexpr std::array kTrials = {
    Trial{FaultKind::Kill, TrialOf::Instance},
    Trial{FaultKind::Freeze, TrialOf::Instance},
    Trial{FaultKind::Grey, TrialOf::Instance},
    Trial{FaultKind::Slow, TrialOf::Instance, 10.0},
    Trial{FaultKind::Flap, TrialOf::Instance, 1.0, 1.0, 1.0, 0.0, 0, 10s},
    Trial{FaultKind::Latency, TrialOf::Edge, 1.0, 1.0, 1.0, 0.0, 0, 200ms},
    Trial{FaultKind::Reset, TrialOf::Edge, 1.0, 0.5},
    Trial{FaultKind::BlackHole, TrialOf::Edge, 1.0, 0.2},
    Trial{FaultKind::Partition, TrialOf::Edge},
    Trial{FaultKind::Error, TrialOf::Service, 1.0, 0.2},
    Trial{FaultKind::BadDeploy, TrialOf::Service, 2.0, 1.0, 0.5, 0.2},
    Trial{FaultKind::CertExpiry, TrialOf::Service},
    Trial{FaultKind::CacheWipe, TrialOf::CachedService},
    Trial{FaultKind::RetryStorm, TrialOf::CalledService, 1.0, 1.0, 1.0, 0.0, 5},
    Trial{FaultKind::StaleEndpoints, TrialOf::Service, 1.0, 1.0, 1.0, 0.0, 0, 60s, false},
    Trial{FaultKind::Surge, TrialOf::Entry, 3.0},
    Trial{FaultKind::Kill, TrialOf::ReplicatedService},
    Trial{FaultKind::Slow, TrialOf::ReplicatedService, 10.0},
    Trial{FaultKind::Partition, TrialOf::ZonePair},
    Trial{FaultKind::ZoneOutage, TrialOf::Zone},
};

Fault faultOf(const Trial& trial, Duration at, Duration length)
{
    Fault fault;
    fault.kind = trial.kind;
    fault.at = at;
    fault.length = length;
    fault.factor = trial.factor;
    fault.probability = trial.probability;
    fault.share = trial.share;
    fault.errorRate = trial.errorRate;
    fault.attempts = trial.attempts;
    const FaultKindRow& row = faultKindRow(trial.kind);
    if (row.mayHave(FaultField::Add)) {
        fault.add = trial.length;
    } else if (row.mayHave(FaultField::By)) {
        fault.by = trial.length;
    } else if (row.mayHave(FaultField::Period)) {
        fault.period = trial.length;
    }
    if (row.mustHave(FaultField::Version)) {
        fault.version = "bad";
    }
    return fault;
}

FaultTarget serviceTarget(const std::string& service)
{
    FaultTarget target;
    target.service = service;
    return target;
}

// The things of a mesh that a trial is made on.
class TrialTargets
{
public:
    TrialTargets(const MeshPlan& plan, const std::vector<Load>& loads)
        : m_plan(plan)
        , m_loads(loads)
    {}

    [[nodiscard]] std::vector<FaultTarget> of(TrialOf kind) const
    {
        switch (kind) {
        case TrialOf::Instance:
            return instances();
        case TrialOf::Entry:
            return entries();
        case TrialOf::Edge:
            return edges();
        case TrialOf::Zone:
            return zones();
        case TrialOf::ZonePair:
            return zonePairs();
        case TrialOf::Service:
        case TrialOf::CachedService:
        case TrialOf::ReplicatedService:
        case TrialOf::CalledService:
            break;
        }
        return services(kind);
    }

private:
    [[nodiscard]] std::vector<FaultTarget> instances() const
    {
        std::vector<FaultTarget> targets;
        std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
        for (const InstancePlan& each : m_plan.instances()) {
            if (seen.emplace(each.service, each.zone).second) {
                targets.emplace_back();
                targets.back().instance = each.instance.name;
            }
        }
        return targets;
    }

    [[nodiscard]] std::vector<FaultTarget> entries() const
    {
        std::set<std::string> names;
        for (const Load& load : m_loads) {
            names.insert(load.entry);
        }
        std::vector<FaultTarget> targets;
        for (const std::string& name : names) {
            targets.push_back(serviceTarget(name));
        }
        return targets;
    }

    // Only what is reached from the entries: a fault elsewhere meets no request.
    [[nodiscard]] std::set<std::string> reached() const
    {
        std::set<std::string> names;
        std::vector<std::string> open;
        for (const Load& load : m_loads) {
            open.push_back(load.entry);
        }
        while (!open.empty()) {
            const std::string name = std::move(open.back());
            open.pop_back();
            const auto at = m_plan.find(name);
            if (!at || !names.insert(name).second) {
                continue;
            }
            for (const model::ModelStep& step : m_plan.models()[*at].script) {
                for (const model::ModelCall& call : step.calls) {
                    open.push_back(call.call);
                }
            }
        }
        return names;
    }

    [[nodiscard]] std::vector<FaultTarget> edges() const
    {
        std::set<std::pair<std::string, std::string>> pairs;
        for (const std::string& caller : reached()) {
            for (const model::ModelStep& step : m_plan.models()[*m_plan.find(caller)].script) {
                for (const model::ModelCall& call : step.calls) {
                    pairs.emplace(caller, call.call);
                }
            }
        }
        std::vector<FaultTarget> targets;
        for (const auto& pair : pairs) {
            targets.emplace_back();
            targets.back().edge = pair;
        }
        return targets;
    }

    [[nodiscard]] std::vector<FaultTarget> services(TrialOf kind) const
    {
        std::set<std::string> called;
        for (const FaultTarget& edge : edges()) {
            called.insert(edge.edge->second);
        }
        std::vector<FaultTarget> targets;
        for (const std::string& name : reached()) {
            const std::uint32_t at = *m_plan.find(name);
            const bool isWanted =
                kind == TrialOf::Service || (kind == TrialOf::CachedService && hasCachedCalls(at))
                || (kind == TrialOf::ReplicatedService && m_plan.instancesOf(at).size() > 1)
                || (kind == TrialOf::CalledService && called.contains(name));
            if (isWanted) {
                targets.push_back(serviceTarget(name));
            }
        }
        return targets;
    }

    [[nodiscard]] bool hasCachedCalls(std::uint32_t at) const
    {
        return std::ranges::any_of(m_plan.models()[at].script, [](const auto& step) {
            return std::ranges::any_of(step.calls, [](const auto& call) {
                return call.cached.has_value();
            });
        });
    }

    [[nodiscard]] std::vector<std::string> zoneNames() const
    {
        std::set<std::string> names;
        for (const InstancePlan& each : m_plan.instances()) {
            if (!each.instance.zone.empty()) {
                names.insert(each.instance.zone);
            }
        }
        return {names.begin(), names.end()};
    }

    [[nodiscard]] std::vector<FaultTarget> zones() const
    {
        std::vector<FaultTarget> targets;
        const std::vector<std::string> names = zoneNames();
        for (const std::string& name : names) {
            if (names.size() > 1) { // Of one zone nothing would be left.
                targets.emplace_back();
                targets.back().zone = name;
            }
        }
        return targets;
    }

    [[nodiscard]] std::vector<FaultTarget> zonePairs() const
    {
        std::vector<FaultTarget> targets;
        const std::vector<std::string> names = zoneNames();
        for (std::size_t one = 0; one < names.size(); ++one) {
            for (std::size_t other = one + 1; other < names.size(); ++other) {
                targets.emplace_back();
                targets.back().between = std::pair(names[one], names[other]);
            }
        }
        return targets;
    }

    const MeshPlan& m_plan;
    const std::vector<Load>& m_loads;
};

// The same fault but for what it hits.
bool isSameKind(const Fault& one, Fault other)
{
    other.target = one.target;
    return one == other;
}

} // namespace

std::vector<ExploreCandidate> exploreCandidates(
    const MeshPlan& plan, const std::vector<Load>& loads, Duration at, Duration length
)
{
    const TrialTargets targets(plan, loads);
    std::vector<ExploreCandidate> candidates;
    for (const Trial& trial : kTrials) {
        for (FaultTarget& target : targets.of(trial.target)) {
            ExploreCandidate candidate;
            candidate.fault = faultOf(trial, at, length);
            candidate.fault.target = std::move(target);
            candidate.text = toText(candidate.fault);
            candidate.isAloneWorthTrying = trial.isAloneWorthTrying;
            candidate.instances = MeshRun::resolve(plan, {candidate.fault}).front();
            std::ranges::sort(candidate.instances);
            candidates.push_back(std::move(candidate));
        }
    }
    std::ranges::stable_sort(candidates, {}, [](const ExploreCandidate& candidate) {
        return candidate.instances.size();
    });
    return candidates;
}

bool isCovered(const ExploreCandidate& larger, const ExploreCandidate& smaller)
{
    if (larger.fault == smaller.fault) {
        return true;
    }
    const bool isEnd =
        larger.fault.kind == FaultKind::ZoneOutage && smaller.fault.kind == FaultKind::Kill;
    if (!isEnd && !isSameKind(larger.fault, smaller.fault)) {
        return false;
    }
    const bool areInstances = !larger.fault.target.edge && !smaller.fault.target.edge
                              && !larger.fault.target.between && !smaller.fault.target.between;
    return areInstances && !smaller.instances.empty()
           && std::ranges::includes(larger.instances, smaller.instances);
}

} // namespace mesh::simulator
