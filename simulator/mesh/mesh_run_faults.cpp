#include "simulator/mesh/mesh_run.h"
#include "simulator/mesh/run_events.h"

#include <algorithm>
#include <array>

// What the timeline does to the mesh. Several faults may hit one instance: those that switch it off
// are counted, all others are looked up among the active ones whenever they may matter, so that
// each ends without a trace whatever the others do.
namespace mesh::simulator {
namespace {

// How a kind of fault acts.
enum class Effect : std::uint8_t {
    Down, // Its instances are stopped.
    Frozen,
    Zone, // Instances and proxies are gone.
    Steps, // Its instances go down and up in turn.
    Hazard, // Attempts may meet it.
    Service, // Looked up by service.
    Load, // Worked into the load before the run.
};

constexpr std::array<Effect, kFaultKindCount> kEffects = {
    Effect::Down, // kill
    Effect::Frozen, // freeze
    Effect::Hazard, // latency
    Effect::Hazard, // error
    Effect::Zone, // zone_outage
    Effect::Hazard, // partition
    Effect::Hazard, // bandwidth
    Effect::Hazard, // reset
    Effect::Hazard, // black_hole
    Effect::Hazard, // slow
    Effect::Hazard, // grey
    Effect::Load, // surge
    Effect::Service, // retry_storm
    Effect::Hazard, // bad_deploy
    Effect::Hazard, // cert_expiry
    Effect::Service, // stale_endpoints
    Effect::Service, // config_delay
    Effect::Service, // cache_wipe
    Effect::Steps, // flap
    Effect::Steps, // swizzle
};

constexpr std::uint32_t kVersionLuck = 0xffff'fffcU; // As an attempt's number.

Effect effectOf(FaultKind kind) { return kEffects[static_cast<std::size_t>(kind)]; }

Duration scaled(Duration length, double factor)
{
    return Duration(static_cast<Duration::rep>(static_cast<double>(length.count()) * factor));
}

} // namespace

// A fault without an end lasts as long as the load does.
TimePoint MeshRun::endOf(const Fault& fault) const
{
    return TimePoint(fault.length ? fault.at + *fault.length : m_settings.duration);
}

void MeshRun::addFaults()
{
    for (std::uint32_t at = 0; at < m_settings.timeline.size(); ++at) {
        const Fault& fault = m_settings.timeline[at];
        FaultState& state = m_faults.emplace_back();
        state.reach = reachOf(m_plan, m_settings.timeline, at);
        if (fault.at >= m_settings.duration) {
            continue;
        }
        m_agenda.startTimer(fault.at, {kFaultBegins, at, 0, 0});
        m_agenda.startTimer(endOf(fault) - TimePoint{}, {kFaultEnds, at, 0, 0});
    }
}

void MeshRun::applyFault(std::uint32_t at, Switch turned)
{
    FaultState& state = m_faults[at];
    const FaultKind kind = m_settings.timeline[at].kind;
    const bool isTooLate =
        turned == Switch::On ? m_agenda.now() >= TimePoint(m_settings.duration) : !state.isActive;
    if (isTooLate) {
        return; // The load has been ended before it.
    }
    state.isActive = turned == Switch::On;
    if (m_recorder != nullptr) {
        m_recorder->markFault(
            state.isActive ? RunMarker::Kind::FaultBegan : RunMarker::Kind::FaultEnded,
            m_agenda.now(),
            at
        );
    }
    switch (effectOf(kind)) {
    case Effect::Zone:
        if (state.isActive) {
            loseZone(state.reach);
            return;
        }
        [[fallthrough]];
    case Effect::Down:
        for (const std::uint32_t instance : state.reach.instances) {
            setDown(instance, turned);
        }
        return;
    case Effect::Frozen:
        for (const std::uint32_t instance : state.reach.instances) {
            setFrozen(instance, turned);
        }
        return;
    case Effect::Steps:
        stepFault(at);
        return;
    case Effect::Hazard:
        if (kind == FaultKind::CertExpiry && !state.isActive) {
            linger(at);
        }
        for (const std::uint32_t instance : state.reach.instances) {
            setHazards(instance);
        }
        if (kind == FaultKind::BadDeploy && !state.reach.instances.empty()) {
            deploy(m_instances[state.reach.instances.front()].service);
        }
        return;
    case Effect::Service:
        applyToServices(at, turned);
        return;
    case Effect::Load:
        return;
    }
}

void MeshRun::applyToServices(std::uint32_t at, Switch turned)
{
    const Fault& fault = m_settings.timeline[at];
    const FaultReach& reach = m_faults[at].reach;
    switch (fault.kind) {
    case FaultKind::RetryStorm:
        for (const std::uint32_t service : reach.services) {
            setStorm(service);
        }
        return;
    case FaultKind::CacheWipe:
        for (const std::uint32_t instance : reach.instances) {
            m_instances[instance].cacheFill =
                turned == Switch::On ? 0 : m_instances[instance].cacheFill;
        }
        // Without a length it is over at once, and caches fill again.
        for (const std::uint32_t service : reach.services) {
            m_wipes[service] += !fault.length ? 0 : turned == Switch::On ? 1 : -1;
        }
        return;
    default:
        std::erase(m_delays, at);
        if (turned == Switch::On) {
            m_delays.push_back(at);
        }
        return;
    }
}

// The worst of the storms that its callers are in.
void MeshRun::setStorm(std::uint32_t service)
{
    m_storms.resize(m_plan.models().size());
    m_storms[service] = 0;
    for (std::uint32_t at = 0; at < m_faults.size(); ++at) {
        const Fault& fault = m_settings.timeline[at];
        const auto& services = m_faults[at].reach.services;
        if (fault.kind == FaultKind::RetryStorm && m_faults[at].isActive
            && std::ranges::find(services, service) != services.end()) {
            m_storms[service] = std::max(m_storms[service], fault.attempts);
        }
    }
}

void MeshRun::stepFault(std::uint32_t at)
{
    if (m_settings.timeline[at].kind == FaultKind::Flap) {
        stepFlap(at);
    } else {
        stepSwizzle(at);
    }
}

// Up for `duty` of each period, then down; the end brings it up. Odd stages are up.
void MeshRun::stepFlap(std::uint32_t at)
{
    const Fault& fault = m_settings.timeline[at];
    FaultState& state = m_faults[at];
    const auto turn = [&](Switch turned) {
        for (const std::uint32_t instance : state.reach.instances) {
            setDown(instance, turned);
        }
    };
    const bool isDown = state.stage > 0 && state.stage % 2 == 0;
    if (!state.isActive) {
        if (isDown) {
            turn(Switch::Off);
        }
        return;
    }
    const Duration up = scaled(fault.period, std::clamp(fault.duty, 0.0, 1.0));
    if (up >= fault.period) {
        return;
    }
    if (state.stage > 0) {
        turn(isDown ? Switch::Off : Switch::On);
    }
    ++state.stage;
    const Duration wait = state.stage % 2 == 1 ? up : fault.period - up;
    if (m_agenda.now() + wait < endOf(fault)) {
        m_agenda.startTimer(wait, {kFaultSteps, at, 0, 0});
    }
}

// In the first half of its time the services are stopped in the order of the file; in the second
// half they are restored in an order that the seed draws, the last at the end.
void MeshRun::stepSwizzle(std::uint32_t at)
{
    const Fault& fault = m_settings.timeline[at];
    FaultState& state = m_faults[at];
    const auto services = static_cast<std::uint32_t>(state.reach.services.size());
    if (services == 0) {
        return;
    }
    const auto turn = [&](std::uint32_t service, Switch turned) {
        for (const std::uint32_t instance : state.reach.instances) {
            if (m_instances[instance].service == service) {
                setDown(instance, turned);
            }
        }
    };
    if (!state.isActive) {
        turn(state.order.back(), Switch::Off);
        return;
    }
    if (state.stage == 0) {
        state.order = state.reach.services;
        Random luck = luckOfFault(0, CallPath(), at);
        for (std::size_t left = state.order.size(); left > 1; --left) {
            std::swap(state.order[left - 1], state.order[luck.below(left)]);
        }
    }
    if (state.stage < services) {
        turn(state.reach.services[state.stage], Switch::On);
    } else {
        turn(state.order[state.stage - services], Switch::Off);
    }
    ++state.stage;
    // The first comes back as long after the last has gone as there is between two others.
    if (state.stage < 2 * services - 1) {
        const Duration length = endOf(fault) - TimePoint(fault.at);
        const Duration next = length * state.stage / (2 * services - 1);
        m_agenda.startTimer(TimePoint(fault.at) + next - m_agenda.now(), {kFaultSteps, at, 0, 0});
    }
}

void MeshRun::setDown(std::uint32_t instance, Switch turned)
{
    InstanceState& state = m_instances[instance];
    state.downs += turned == Switch::On ? 1 : -1;
    if (turned == Switch::On && state.downs == 1) {
        stop(instance);
        resetCallers(instance);
    }
}

// The whole zone at once: nobody in it does anything about the loss of the others.
void MeshRun::loseZone(const FaultReach& reach)
{
    std::vector<std::uint32_t> lost;
    for (const std::uint32_t instance : reach.instances) {
        if (++m_instances[instance].downs == 1) {
            stop(instance);
            lost.push_back(instance);
        }
    }
    for (const std::uint32_t instance : reach.instances) {
        abandonCalls(instance + 1);
    }
    for (const std::uint32_t instance : lost) {
        resetCallers(instance);
    }
}

// The proxy is gone, with its requests and all that it knew.
void MeshRun::abandonCalls(std::uint32_t proxy)
{
    std::vector<SlabHandle> lost;
    m_calls.forEach([&lost, proxy](SlabHandle handle, const Call& call) {
        if (call.proxy == proxy) {
            lost.push_back(handle);
        }
    });
    for (const SlabHandle call : lost) {
        if (m_calls.find(call) != nullptr) {
            endCall(call, CallEnd::Failed);
        }
    }
    for (auto& place : m_proxies[proxy].outbounds) {
        if (place != nullptr) {
            m_agenda.cancel(place->sweep);
            m_agenda.cancel(place->nextProbes);
            for (const ProbeState& probe : place->probes) {
                m_agenda.cancel(probe.end);
            }
            for (const auto& [host, timer] : place->unseen) {
                m_agenda.cancel(timer);
            }
            place.reset();
        }
    }
}

Duration MeshRun::frozenFor(const InstanceState& instance) const
{
    return instance.frozenFor
           + (instance.freezes > 0 ? m_agenda.now() - instance.trouble->frozenAt : Duration::zero()
           );
}

void MeshRun::setFrozen(std::uint32_t at, Switch turned)
{
    InstanceState& instance = m_instances[at];
    if (turned == Switch::On) {
        if (++instance.freezes == 1) {
            instance.troubled().frozenAt = m_agenda.now();
        }
        return;
    }
    if (instance.freezes > 1) {
        --instance.freezes;
        return;
    }
    instance.frozenFor = frozenFor(instance);
    instance.freezes = 0;
    for (const StalledVisit& each : instance.trouble->stalled) {
        m_visits[each.visit].frozenBefore = instance.frozenFor;
        schedule(each.left, each.kind, each.visit);
    }
    instance.trouble->stalled.clear();
}

// True: the instance is frozen, and what was to happen now happens when it thaws.
bool MeshRun::stall(SlabHandle handle, std::uint32_t kind)
{
    InstanceState& instance = m_instances[m_visits[handle].instance];
    if (instance.freezes == 0) {
        return false;
    }
    instance.trouble->stalled.push_back({handle, kind, Duration::zero()});
    return true;
}

// True: the visit's work stood still for a while and is not done yet.
bool MeshRun::standsStill(SlabHandle handle)
{
    Visit& visit = m_visits[handle];
    InstanceState& instance = m_instances[visit.instance];
    const Duration owed = frozenFor(instance) - visit.frozenBefore;
    if (owed == Duration::zero()) {
        return false;
    }
    if (instance.freezes > 0) {
        instance.trouble->stalled.push_back({handle, kWorked, owed});
    } else {
        visit.frozenBefore = instance.frozenFor;
        schedule(owed, kWorked, handle);
    }
    return true;
}

void MeshRun::setHazards(std::uint32_t instance)
{
    std::vector<std::uint32_t>& hazards = m_instances[instance].troubled().hazards;
    hazards.clear();
    for (std::uint32_t at = 0; at < m_faults.size(); ++at) {
        const FaultState& fault = m_faults[at];
        const auto& reached = fault.reach.instances;
        const bool isOn =
            fault.isActive || std::ranges::find(fault.lingering, instance) != fault.lingering.end();
        if (isOn && effectOf(m_settings.timeline[at].kind) == Effect::Hazard
            && std::ranges::find(reached, instance) != reached.end()) {
            hazards.push_back(at);
        }
    }
}

// A renewed certificate comes with the configuration: where that is late, the old one stays.
void MeshRun::linger(std::uint32_t at)
{
    FaultState& state = m_faults[at];
    for (const std::uint32_t instance : state.reach.instances) {
        const Duration late = configLateness(instance + 1);
        if (late > Duration::zero()) {
            state.lingering.push_back(instance);
            m_agenda.startTimer(late, {kLingerOver, at, instance, 0});
        }
    }
}

void MeshRun::onLingerOver(std::uint32_t at, std::uint32_t instance)
{
    std::erase(m_faults[at].lingering, instance);
    setHazards(instance);
}

// The version that an instance runs now: that of the last deploy that has not been taken back.
const std::string& MeshRun::versionOf(std::uint32_t instance) const
{
    const std::string* version = &m_plan.instances()[instance].version;
    for (const std::uint32_t at : m_instances[instance].hazards()) {
        const Fault& fault = m_settings.timeline[at];
        if (fault.kind == FaultKind::BadDeploy && !fault.version.empty()) {
            version = &fault.version;
        }
    }
    return *version;
}

// Versions of the service's instances have changed: those who choose by version hear of it.
void MeshRun::deploy(std::uint32_t service)
{
    for (const auto& place : m_outbounds) {
        if (place == nullptr || place->plan->resilience == nullptr
            || place->plan->resilience->version.empty()
            || m_callers[m_proxies[place->proxy].caller].callees[place->callee].service
                   != service) {
            continue;
        }
        const Duration late = lateness(*place);
        if (late == Duration::zero()) {
            showVersions(*place);
        } else {
            m_agenda.startTimer(late, {kDeploySeen, place->proxy, place->callee, 0});
        }
    }
}

void MeshRun::showVersions(Outbound& out)
{
    std::vector<std::string> versions;
    for (const std::uint32_t instance : out.plan->instances) {
        versions.push_back(versionOf(instance));
    }
    const TimePoint now = m_agenda.now();
    Random luck = luckOf(
        m_settings.seed,
        {static_cast<std::uint64_t>(now.time_since_epoch().count()),
         CallPath().below(out.proxy).below(out.callee),
         kVersionLuck,
         LuckFor::Proxy}
    );
    out.setVersions(versions, m_plan.snapshot(m_proxies[out.proxy].zone).zone, now, luck);
}

Random MeshRun::luckOfFault(std::uint64_t root, CallPath path, std::uint32_t fault) const
{
    return luckOf(m_settings.seed, {root, path, fault, LuckFor::Fault});
}

// Whether attempts of this proxy at an instance of the fault's reach meet it.
bool MeshRun::isHitBy(const FaultState& fault, std::uint32_t proxy, std::uint32_t instance) const
{
    if (fault.reach.caller) {
        return m_proxies[proxy].caller == *fault.reach.caller;
    }
    if (fault.reach.zones) {
        const auto& [first, second] = *fault.reach.zones;
        const std::uint32_t from = m_proxies[proxy].zone;
        const std::uint32_t to = m_proxies[instance + 1].zone;
        return (from == first && to == second) || (from == second && to == first);
    }
    return true;
}

// The status with which a fault answers instead of the instance, if one does.
std::optional<int> MeshRun::meetError(const Visit& visit) const
{
    std::optional<int> status;
    for (const std::uint32_t at : m_instances[visit.instance].hazards()) {
        const Fault& fault = m_settings.timeline[at];
        const bool answers = fault.kind == FaultKind::Error
                             || (fault.kind == FaultKind::Grey && fault.factor == 1.0);
        if (answers && !status && isHitBy(m_faults[at], visit.proxy, visit.instance)
            && luckOfFault(visit.root, visit.path, at).chance(fault.probability)) {
            status = fault.status;
        }
    }
    return status;
}

// What service times are multiplied by now; a bad version also fails its share.
double MeshRun::meetSlowness(Visit& visit)
{
    double factor = 1.0;
    for (const std::uint32_t at : m_instances[visit.instance].hazards()) {
        const Fault& fault = m_settings.timeline[at];
        const bool isSlow = fault.kind == FaultKind::Slow || fault.kind == FaultKind::Grey;
        if (isSlow && fault.factor != 1.0
            && luckOfFault(visit.root, visit.path, at).chance(fault.probability)) {
            factor *= fault.factor;
        }
        if (fault.kind == FaultKind::BadDeploy) {
            factor *= fault.factor;
            visit.errorRate = 1.0 - (1.0 - visit.errorRate) * (1.0 - fault.errorRate);
        }
    }
    return factor;
}

} // namespace mesh::simulator
