#include "simulator/mesh/fault_reach.h"

#include "simulator/scenario/fault_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace mesh::simulator {
namespace {

constexpr std::string_view kGatewayName = "gateway";

// All forms in which a target is given; it should be one.
unsigned namedBy(const FaultTarget& target)
{
    const auto named = [](TargetForm form, bool isGiven) {
        return isGiven ? static_cast<unsigned>(form) : 0U;
    };
    return named(TargetForm::Service, !target.service.empty())
           | named(TargetForm::Instance, !target.instance.empty())
           | named(TargetForm::Zone, !target.zone.empty())
           | named(TargetForm::Version, !target.version.empty())
           | named(TargetForm::Node, !target.node.empty())
           | named(TargetForm::Edge, target.edge.has_value())
           | named(TargetForm::Between, target.between.has_value())
           | named(TargetForm::Services, !target.services.empty());
}

bool isDigit(char character) { return character >= '0' && character <= '9'; }

// The digits at the start of a text, without leading zeros, taken off it.
std::string_view takeNumber(std::string_view& text)
{
    std::size_t end = 0;
    while (end < text.size() && isDigit(text[end])) {
        ++end;
    }
    std::string_view digits = text.substr(0, end);
    text.remove_prefix(end);
    while (digits.size() > 1 && digits.front() == '0') {
        digits.remove_prefix(1);
    }
    return digits;
}

class Reacher
{
public:
    Reacher(const MeshPlan& plan, std::span<const Fault> timeline)
        : m_plan(plan)
        , m_timeline(timeline)
    {}

    FaultReach reach(const Fault& fault) const
    {
        FaultReach reach;
        const FaultTarget& target = fault.target;
        addService(reach, target.service);
        for (const std::string& service : target.services) {
            addService(reach, service);
        }
        if (target.edge) {
            addEdge(reach, *target.edge);
        }
        if (target.between) {
            addZones(reach, *target.between);
        }
        for (std::uint32_t at = 0; at < m_plan.instances().size(); ++at) {
            const InstancePlan& each = m_plan.instances()[at];
            const bool isHit = (!target.instance.empty() && each.instance.name == target.instance)
                               || (!target.zone.empty() && each.instance.zone == target.zone)
                               || (!target.version.empty() && isOfVersion(at, target.version))
                               || (!target.node.empty() && each.node == target.node);
            if (isHit) {
                reach.instances.push_back(at);
            }
        }
        if (!target.node.empty()) {
            addProxies(reach, target.node);
        }
        sort(reach.instances);
        choose(reach.instances, target);
        if (fault.kind == FaultKind::BadDeploy) {
            keepFirst(
                reach.instances,
                static_cast<std::size_t>(
                    std::ceil(fault.share * static_cast<double>(reach.instances.size()) - 1e-9)
                )
            );
        }
        return reach;
    }

private:
    void addService(FaultReach& reach, std::string_view name) const
    {
        if (const auto service = m_plan.find(name)) {
            reach.services.push_back(*service);
            const auto& instances = m_plan.instancesOf(*service);
            reach.instances.insert(reach.instances.end(), instances.begin(), instances.end());
        }
    }

    void addEdge(FaultReach& reach, const std::pair<std::string, std::string>& edge) const
    {
        reach.caller = edge.first == kGatewayName
                           ? static_cast<std::uint32_t>(m_plan.models().size())
                           : m_plan.find(edge.first);
        if (reach.caller) {
            addService(reach, edge.second);
        }
    }

    void addZones(FaultReach& reach, const std::pair<std::string, std::string>& between) const
    {
        const auto first = m_plan.findZone(between.first);
        const auto second = m_plan.findZone(between.second);
        if (!first || !second) {
            return;
        }
        reach.zones.emplace(*first, *second);
        for (std::uint32_t at = 0; at < m_plan.instances().size(); ++at) {
            const std::uint32_t zone = m_plan.instances()[at].zone;
            if (zone == *first || zone == *second) {
                reach.instances.push_back(at);
            }
        }
    }

    void addProxies(FaultReach& reach, const std::string& node) const
    {
        if (m_plan.isGatewayNode(node)) {
            reach.proxies.push_back(0);
        }
        for (const std::uint32_t instance : reach.instances) {
            reach.proxies.push_back(instance + 1);
        }
    }

    bool isOfVersion(std::uint32_t instance, const std::string& version) const
    {
        if (m_plan.instances()[instance].version == version) {
            return true;
        }
        return std::ranges::any_of(m_timeline, [&](const Fault& fault) {
            if (fault.kind != FaultKind::BadDeploy || fault.version != version
                || fault.target.version == version) {
                return false;
            }
            const std::vector<std::uint32_t> deployed = reach(fault).instances;
            return std::ranges::find(deployed, instance) != deployed.end();
        });
    }

    void sort(std::vector<std::uint32_t>& instances) const
    {
        std::ranges::sort(instances, [this](std::uint32_t one, std::uint32_t other) {
            return isNaturallyBefore(
                m_plan.instances()[one].instance.name, m_plan.instances()[other].instance.name
            );
        });
        const auto [end, last] = std::ranges::unique(instances);
        instances.erase(end, last);
    }

    static void keepFirst(std::vector<std::uint32_t>& instances, std::size_t count)
    {
        instances.resize(std::min(instances.size(), count));
    }

    void choose(std::vector<std::uint32_t>& instances, const FaultTarget& target) const
    {
        if (target.percent) {
            const auto percent = static_cast<std::size_t>(std::max(*target.percent, 0));
            keepFirst(instances, (instances.size() * percent + 99) / 100);
        }
        if (target.count) {
            keepFirst(instances, static_cast<std::size_t>(std::max(*target.count, 0)));
        }
        if (!target.names.empty()) {
            std::erase_if(instances, [&](std::uint32_t at) {
                const std::string& name = m_plan.instances()[at].instance.name;
                return std::ranges::find(target.names, name) == target.names.end();
            });
        }
    }

    const MeshPlan& m_plan;
    const std::span<const Fault> m_timeline;
};

// Collects what is wrong with one fault.
class FaultCheck
{
public:
    FaultCheck(
        const MeshPlan& plan,
        std::span<const Fault> timeline,
        std::span<const Load> loads,
        std::vector<Error>& errors
    )
        : m_plan(plan)
        , m_timeline(timeline)
        , m_loads(loads)
        , m_errors(errors)
    {}

    void check(std::size_t at)
    {
        const Fault& fault = m_timeline[at];
        m_prefix = fmt::format("timeline[{}] ({})", at, toText(fault.kind));
        const std::size_t before = m_errors.size();
        checkKind(fault);
        checkNames(fault.target);
        checkNumbers(fault);
        if (m_errors.size() == before && isEmpty(reachOf(m_plan, m_timeline, at))) {
            add(ErrorCode::NotFound, "the target is nothing of this mesh");
        }
    }

private:
    static bool isEmpty(const FaultReach& reach)
    {
        return reach.instances.empty() && reach.proxies.empty();
    }

    void add(ErrorCode code, std::string_view message)
    {
        m_errors.push_back({code, fmt::format("{}: {}", m_prefix, message), {}, 0});
    }

    void checkKind(const Fault& fault)
    {
        const unsigned named = namedBy(fault.target);
        if (named == 0) {
            add(ErrorCode::MissingField, "it has no target");
        } else if ((named & ~faultKindRow(fault.kind).targets) != 0) {
            add(ErrorCode::InvalidArgument, "this kind of fault does not take such a target");
        } else if ((named & (named - 1)) != 0) {
            add(ErrorCode::Conflict, "a target names one kind of thing");
        }
    }

    void checkService(std::string_view name)
    {
        if (!m_plan.find(name)) {
            add(ErrorCode::DanglingReference, fmt::format("the service '{}' has no model", name));
        }
    }

    void checkZone(std::string_view name)
    {
        if (!m_plan.findZone(name)) {
            add(ErrorCode::DanglingReference, fmt::format("nothing is in the zone '{}'", name));
        }
    }

    void checkInstance(std::string_view name)
    {
        const bool isKnown =
            std::ranges::any_of(m_plan.instances(), [name](const InstancePlan& each) {
                return each.instance.name == name;
            });
        if (!isKnown) {
            add(ErrorCode::DanglingReference, fmt::format("there is no instance '{}'", name));
        }
    }

    void checkNames(const FaultTarget& target)
    {
        if (!target.service.empty()) {
            checkService(target.service);
        }
        for (const std::string& service : target.services) {
            checkService(service);
        }
        if (!target.instance.empty()) {
            checkInstance(target.instance);
        }
        for (const std::string& name : target.names) {
            checkInstance(name);
        }
        if (!target.zone.empty()) {
            checkZone(target.zone);
        }
        if (target.between) {
            checkZone(target.between->first);
            checkZone(target.between->second);
        }
        if (target.edge) {
            checkEdge(target.edge->first, target.edge->second);
        }
    }

    void checkEdge(const std::string& caller, const std::string& callee)
    {
        const std::size_t before = m_errors.size();
        if (caller != kGatewayName) {
            checkService(caller);
        }
        checkService(callee);
        if (m_errors.size() > before) {
            return;
        }
        const bool isCalled = caller == kGatewayName ? isEntry(callee) : calls(caller, callee);
        if (!isCalled) {
            add(ErrorCode::DanglingReference,
                fmt::format("'{}' does not call '{}'", caller, callee));
        }
    }

    bool isEntry(std::string_view service) const
    {
        return std::ranges::find(m_loads, service, &Load::entry) != m_loads.end();
    }

    bool calls(std::string_view caller, std::string_view callee) const
    {
        return std::ranges::any_of(m_plan.calleesOf(*m_plan.find(caller)), [&](std::uint32_t each) {
            return m_plan.models()[each].service == callee;
        });
    }

    void checkNumbers(const Fault& fault)
    {
        if (fault.kind == FaultKind::Surge && m_plan.find(fault.target.service)
            && !isEntry(fault.target.service)) {
            add(ErrorCode::DanglingReference,
                fmt::format("no load comes in by '{}'", fault.target.service));
        }
        if (fault.kind == FaultKind::Flap && fault.period <= Duration::zero()) {
            add(ErrorCode::MissingField, "it has no period");
        }
        if (fault.kind == FaultKind::Bandwidth && fault.bytesPerSecond <= 0.0) {
            add(ErrorCode::MissingField, "it has no bytes_per_second");
        }
        if (fault.kind == FaultKind::RetryStorm && fault.attempts < 1) {
            add(ErrorCode::MissingField, "it has no attempts");
        }
    }

    const MeshPlan& m_plan;
    const std::span<const Fault> m_timeline;
    const std::span<const Load> m_loads;
    std::vector<Error>& m_errors;
    std::string m_prefix;
};

} // namespace

bool isNaturallyBefore(std::string_view one, std::string_view other)
{
    while (!one.empty() && !other.empty()) {
        if (isDigit(one.front()) && isDigit(other.front())) {
            const std::string_view first = takeNumber(one);
            const std::string_view second = takeNumber(other);
            if (first.size() != second.size()) {
                return first.size() < second.size();
            }
            if (first != second) {
                return first < second;
            }
            continue;
        }
        if (one.front() != other.front()) {
            return one.front() < other.front();
        }
        one.remove_prefix(1);
        other.remove_prefix(1);
    }
    return one.size() < other.size();
}

FaultReach reachOf(const MeshPlan& plan, std::span<const Fault> timeline, std::size_t at)
{
    return Reacher(plan, timeline).reach(timeline[at]);
}

std::vector<Error> checkFaults(
    const MeshPlan& plan, std::span<const Fault> timeline, std::span<const Load> loads
)
{
    std::vector<Error> errors;
    FaultCheck check(plan, timeline, loads, errors);
    for (std::size_t at = 0; at < timeline.size(); ++at) {
        check.check(at);
    }
    return errors;
}

} // namespace mesh::simulator
