#include "simulator/mesh/mesh_run.h"
#include "simulator/mesh/run_events.h"

#include <algorithm>

// Who is available: health checks of a proxy, its probes, and what of it the balancer sees when.
namespace mesh::simulator {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(50); // As late as the proxy's probes may be.
constexpr int kGoodStatus = 200;
constexpr std::uint64_t kProbeRoot = 0xffff'0000'0000'0000U; // No request's.

using policy::Observation;

bool isPassed(const policy::HealthRules& rules, const Observation& probe)
{
    const auto& statuses = rules.active.healthyStatuses;
    return probe.kind == Observation::Kind::Success
           || (probe.kind == Observation::Kind::Status
               && statuses.test(static_cast<std::size_t>(probe.status) % statuses.size()));
}

bool speaksHttp(model::ProbeType type)
{
    return type == model::ProbeType::Http || type == model::ProbeType::Https;
}

policy::HostSet::Availability availabilityOf(bool isAvailable)
{
    using Availability = policy::HostSet::Availability;
    return isAvailable ? Availability::Available : Availability::Unavailable;
}

} // namespace

// Sets the timer to the tick at which the next probe is due, as long as there is load.
void MeshRun::armProbes(Outbound& out)
{
    m_agenda.cancel(out.nextProbes);
    out.nextProbes = {};
    TimePoint due = TimePoint::max();
    for (std::size_t host = 0; host < out.machines.size(); ++host) {
        if (!out.probes[host].isRunning) {
            due = std::min(due, out.machines[host].nextProbeAt().value_or(TimePoint::max()));
        }
    }
    const TimePoint now = m_agenda.now();
    if (due == TimePoint::max()
        || out.probing >= out.plan->upstream->healthchecks.active.concurrency) {
        return;
    }
    const Duration since = std::max(due, now) - TimePoint{};
    const TimePoint tick = TimePoint((since + kTick - Duration(1)) / kTick * kTick);
    if (tick < TimePoint(m_settings.duration)) {
        out.nextProbes = m_agenda.startTimer(tick - now, {kProbesDue, out.proxy, out.callee, 0});
    }
}

void MeshRun::onProbesDue(std::uint32_t proxy, std::uint32_t callee)
{
    Outbound& out = *m_proxies[proxy].outbounds[callee];
    out.nextProbes = {};
    const int most = std::max(out.plan->upstream->healthchecks.active.concurrency, 1);
    for (std::uint32_t host = 0; host < out.machines.size() && out.probing < most; ++host) {
        const auto due = out.machines[host].nextProbeAt();
        if (!out.probes[host].isRunning && due && *due <= m_agenda.now()) {
            out.machines[host].onProbeStarted(m_agenda.now());
            ++out.probing;
            startProbe(out, host);
        }
    }
    armProbes(out);
}

// A probe is judged by what holds when it starts; it needs a connection of its own and no worker.
void MeshRun::startProbe(Outbound& out, std::uint32_t host)
{
    const model::ActiveHealthcheck& check = out.plan->upstream->healthchecks.active;
    const std::uint32_t at = out.plan->instances[host];
    const InstanceState& instance = m_instances[at];
    ProbeState& probe = out.probes[host];
    probe.isRunning = true;
    probe.found = {
        policy::Check::Active,
        speaksHttp(check.type) ? Observation::Kind::Status : Observation::Kind::Success,
        kGoodStatus};
    const bool isTcp = check.type == model::ProbeType::Tcp;
    CallPath path = CallPath().below(out.proxy).below(out.callee).below(host);
    path = path.below(static_cast<std::uint64_t>(m_agenda.now().time_since_epoch().count()));
    Duration takes = probeWay(out, at, path);
    bool isLost = instance.freezes > 0 && !isTcp;
    bool isRefused = instance.downs > 0;
    for (const std::uint32_t each : instance.hazards()) {
        const Fault& fault = m_settings.timeline[each];
        Random luck = luckOfFault(kProbeRoot, path, each);
        if (!isHitBy(m_faults[each], out.proxy, at) || !luck.chance(fault.probability)) {
            continue;
        }
        isLost = isLost || fault.kind == FaultKind::BlackHole || fault.kind == FaultKind::Partition;
        isRefused =
            isRefused
            || (!isTcp && (fault.kind == FaultKind::Reset || fault.kind == FaultKind::CertExpiry));
        takes += fault.kind == FaultKind::Latency ? fault.add : Duration::zero();
        if (fault.kind == FaultKind::Error && !isTcp) {
            probe.found.kind =
                speaksHttp(check.type) ? Observation::Kind::Status : Observation::Kind::NotServing;
            probe.found.status = fault.status;
        }
    }
    if (isRefused) {
        probe.found = {policy::Check::Active, Observation::Kind::ConnectFailure, 0};
    }
    if (isLost || takes >= check.timeout) {
        probe.found = {policy::Check::Active, Observation::Kind::Timeout, 0};
        takes = check.timeout;
    }
    probe.end = m_agenda.startTimer(takes, {kProbeEnds, out.proxy, out.callee, host});
}

Duration MeshRun::probeWay(const Outbound& out, std::uint32_t instance, CallPath path) const
{
    const bool isSameZone = m_proxies[out.proxy].zone == m_proxies[instance + 1].zone;
    const auto& law = isSameZone ? m_laws.sameZone : m_laws.crossZone;
    Random luck = luckOf(m_settings.seed, {kProbeRoot, path, 0, LuckFor::Network});
    Duration takes{};
    for (int way = 0; law && way < 2; ++way) {
        takes += law->draw(luck);
    }
    return takes;
}

void MeshRun::onProbeEnds(std::uint32_t proxy, std::uint32_t callee, std::uint32_t host)
{
    Outbound& out = *m_proxies[proxy].outbounds[callee];
    ProbeState& probe = out.probes[host];
    probe.isRunning = false;
    probe.end = {};
    --out.probing;
    if (out.machines[host].observe(m_agenda.now(), probe.found)) {
        mark(
            out.machines[host].isAvailable() ? RunMarker::Kind::CheckPassed
                                             : RunMarker::Kind::CheckFailed,
            out,
            host
        );
    }
    if (out.detector && isPassed(*out.rules->checks, probe.found)) {
        if (const auto verdict = out.detector->onActiveSuccess(host)) {
            take(out, *verdict);
        }
    }
    settle(out, host);
    armProbes(out);
}

// What the host's checks and its ejection come to.
void MeshRun::settle(Outbound& out, std::uint32_t host)
{
    const bool isAvailable = (out.machines.empty() || out.machines[host].isAvailable())
                             && (!out.detector || !out.detector->isEjected(host));
    if (out.isAvailable[host] == isAvailable) {
        return;
    }
    out.isAvailable[host] = isAvailable;
    const Duration late = lateness(out);
    if (late > Duration::zero()) {
        const std::uint32_t detail = (host << 1U) | (isAvailable ? 1U : 0U);
        out.unseen.emplace_back(
            host, m_agenda.startTimer(late, {kChangeSeen, out.proxy, out.callee, detail})
        );
        return;
    }
    for (const auto& [each, timer] : out.unseen) {
        if (each == host) {
            m_agenda.cancel(timer); // What is newer is seen already.
        }
    }
    std::erase_if(out.unseen, [host](const auto& each) { return each.first == host; });
    show(out, host, availabilityOf(isAvailable));
}

// From now on the balancer goes by it.
void MeshRun::show(Outbound& out, std::uint32_t host, policy::HostSet::Availability availability)
{
    out.hosts.setAvailability(host, availability, m_agenda.now());
    markPanic(out);
}

void MeshRun::onChangeSeen(std::uint32_t proxy, std::uint32_t callee, std::uint32_t detail)
{
    Outbound& out = *m_proxies[proxy].outbounds[callee];
    const std::uint32_t host = detail >> 1U;
    const auto first =
        std::ranges::find(out.unseen, host, [](const auto& each) { return each.first; });
    out.unseen.erase(first);
    show(out, host, availabilityOf((detail & 1U) != 0));
}

// How late the proxy sees changes of the service's endpoints.
Duration MeshRun::lateness(const Outbound& out) const
{
    Duration late = configLateness(out.proxy);
    const auto& callees = m_callers[m_proxies[out.proxy].caller].callees;
    const std::uint32_t service = callees[out.callee].service;
    for (const std::uint32_t at : m_delays) {
        const auto& services = m_faults[at].reach.services;
        if (std::ranges::find(services, service) != services.end()) {
            late = std::max(late, m_settings.timeline[at].by);
        }
    }
    return late;
}

// How late the proxy's node gets what the control plane sends.
Duration MeshRun::configLateness(std::uint32_t proxy) const
{
    Duration late{};
    for (const std::uint32_t at : m_delays) {
        const auto& proxies = m_faults[at].reach.proxies;
        if (std::ranges::find(proxies, proxy) != proxies.end()) {
            late = std::max(late, m_settings.timeline[at].by);
        }
    }
    return late;
}

} // namespace mesh::simulator
