#include "simulator/mesh/mesh_run.h"

#include "simulator/mesh/run_events.h"
#include "simulator/models/exact_math.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace mesh::simulator {
namespace {

const MeasureRow* rowOf(const std::vector<MeasureRow>& rows, std::string_view name)
{
    const auto found = std::ranges::find(rows, name, &MeasureRow::name);
    return found == rows.end() ? nullptr : &*found;
}

// When `amount` more requests of this load will have come, since `from`; max: never. The rate is a
// step function, so that its integral is exact piece by piece.
Duration whenAmount(const Load& load, Duration from, double amount)
{
    Duration at = from;
    for (std::size_t next = 0; next <= load.rate.size(); ++next) {
        const bool isLast = next == load.rate.size();
        if (!isLast && load.rate[next].first <= at) {
            continue;
        }
        const double rate = next == 0 ? 0.0 : load.rate[next - 1].second;
        if (rate > 0.0) {
            const double wait = amount / rate;
            if (isLast || wait < toSeconds(load.rate[next].first - at)) {
                return at + fromSeconds(std::min(wait, 1e8));
            }
            amount -= rate * toSeconds(load.rate[next].first - at);
        }
        if (!isLast) {
            at = load.rate[next].first;
        }
    }
    return Duration::max();
}

} // namespace

MeshRun::MeshRun(const MeshPlan& plan, MeshRunSettings settings)
    : m_plan(plan)
    , m_settings(std::move(settings))
{
    const std::size_t windows = m_settings.windows.size();
    addCallers();
    const auto gateway = static_cast<std::uint32_t>(plan.models().size());
    m_proxies.push_back({plan.gatewayZone(), gateway, {}});
    for (const InstancePlan& each : plan.instances()) {
        m_proxies.push_back({each.zone, each.service, {}});
        InstanceState state;
        state.service = each.service;
        m_instances.push_back(state);
    }
    for (const model::ServiceModel& model : plan.models()) {
        m_serviceTimes.emplace_back(model.serviceTime);
        m_services.emplace_back(model.service, windows);
        m_busy.emplace_back(windows);
    }
    addLoads();
    for (Proxy& proxy : m_proxies) {
        proxy.outbounds.resize(m_callers[proxy.caller].callees.size());
    }
    for (std::uint32_t at = 0; at < m_settings.faults.size(); ++at) {
        const InstanceFault& fault = m_settings.faults[at];
        m_agenda.startTimer(fault.from - TimePoint{}, {kFaultBegins, at, 0, 0});
        if (fault.to != TimePoint::max()) {
            m_agenda.startTimer(fault.to - TimePoint{}, {kFaultEnds, at, 0, 0});
        }
    }
}

std::uint32_t MeshRun::Caller::calleeOf(std::uint32_t service)
{
    const auto found = std::ranges::find(callees, service, &Callee::service);
    const auto place = static_cast<std::uint32_t>(found - callees.begin());
    if (found == callees.end()) {
        callees.push_back({service, kNoEdge});
    }
    return place;
}

// Names become places once, before the run.
void MeshRun::addCallers()
{
    m_callers.resize(m_plan.models().size() + 1);
    for (std::size_t at = 0; at < m_plan.models().size(); ++at) {
        Caller& caller = m_callers[at];
        for (const model::ModelStep& step : m_plan.models()[at].script) {
            std::vector<std::uint32_t>& places = caller.script.emplace_back();
            for (const model::ModelCall& call : step.calls) {
                places.push_back(caller.calleeOf(*m_plan.find(call.call)));
            }
        }
    }
}

void MeshRun::addLoads()
{
    for (std::uint32_t at = 0; at < m_settings.loads.size(); ++at) {
        Generator generator;
        generator.load = &m_settings.loads[at];
        const auto service = m_plan.find(generator.load->entry);
        MESH_ASSERT(service.has_value());
        generator.callee = m_callers.back().calleeOf(*service);
        generator.luck = luckOf(m_settings.seed, {at, {}, 0, LuckFor::Arrivals});
        m_generators.push_back(generator);
        scheduleArrival(at);
    }
}

void MeshRun::run()
{
    runUntil(m_agenda, TimePoint::max(), *this);
    const TimePoint end = m_agenda.now();
    for (MeasureRow& row : m_edges) {
        row.close(end, m_settings.windows);
    }
    for (const Caller& caller : m_callers) {
        for (const Caller::Callee& callee : caller.callees) {
            if (callee.edge != kNoEdge) {
                m_services[callee.service].merge(m_edges[callee.edge]);
            }
        }
    }
}

void MeshRun::handle(const TimedEvent& timed)
{
    const Event& event = timed.event;
    const SlabHandle item{event.item, event.detail};
    switch (event.kind) {
    case kArrive:
        return arrive(event.subject);
    case kFaultBegins:
        return applyFault(event.subject, Switch::On);
    case kFaultEnds:
        return applyFault(event.subject, Switch::Off);
    case kSweep:
        return onSweep(event.subject, event.item);
    case kCallRefused:
        // Its deadline may have come in the same nanosecond.
        return m_calls.find(item) == nullptr ? void() : endCall(item, CallEnd::Refused);
    case kDeadline:
        return onDeadline(item);
    case kHedge:
        return onHedge(item);
    case kBackoffOver:
        m_calls[item].backoff = {};
        return startAttempt(item);
    case kConnectFailed:
        if (m_attempts.find(item) != nullptr) {
            endAttempt(item, {policy::AttemptOutcome::Kind::ConnectFailure, false, 0, {}, {}});
        }
        return;
    case kTryTimeout:
        m_attempts[item].timeout = {};
        return endAttempt(item, {policy::AttemptOutcome::Kind::Timeout, true, 0, {}, {}});
    case kAnswer:
        return dropIfKilled(item) ? void() : finish(item, m_visits[item].status);
    case kWorked:
        return dropIfKilled(item) ? void() : onWorked(item);
    default:
        MESH_BUG("an event of no kind");
    }
}

void MeshRun::scheduleArrival(std::uint32_t at)
{
    Generator& generator = m_generators[at];
    const double unit = openUnit(generator.luck);
    const double amount =
        generator.load->arrivals == Arrivals::Poisson ? -exactLog(1.0 - unit) : 1.0;
    const Duration now = m_agenda.now() - TimePoint{};
    const Duration when = whenAmount(*generator.load, now, amount);
    if (when < m_settings.duration) {
        m_agenda.schedule(when - now, {kArrive, at, 0, 0});
    }
}

void MeshRun::arrive(std::uint32_t at)
{
    Generator& generator = m_generators[at];
    Call call;
    call.proxy = kGatewayProxy;
    call.callee = generator.callee;
    call.root = (std::uint64_t{at} << 48U) | generator.sent++;
    scheduleArrival(at);
    beginCall(call);
}

void MeshRun::schedule(Duration wait, std::uint32_t kind, SlabHandle item)
{
    m_agenda.schedule(wait, {kind, 0, item.index, item.generation});
}

TimerHandle MeshRun::startTimer(Duration wait, std::uint32_t kind, SlabHandle item)
{
    return m_agenda.startTimer(wait, {kind, 0, item.index, item.generation});
}

const MeasureRow* MeshRun::service(std::string_view name) const { return rowOf(m_services, name); }

const MeasureRow* MeshRun::edge(std::string_view name) const { return rowOf(m_edges, name); }

double MeshRun::utilization(std::string_view service, std::size_t window) const
{
    const auto at = m_plan.find(service);
    if (!at) {
        return 0.0;
    }
    const auto workers = static_cast<double>(m_plan.instancesOf(*at).size())
                         * static_cast<double>(m_plan.models()[*at].concurrency);
    const double capacity = workers * toSeconds(m_settings.windows[window].length());
    return capacity <= 0.0 ? 0.0 : toSeconds(m_busy[*at].sum(window)) / capacity;
}

std::uint64_t MeshRun::leftIn(const Outbound& out)
{
    std::uint64_t left = out.budget;
    for (const policy::HostState& host : out.hosts.hosts()) {
        left += host.active;
    }
    for (const auto& lane : out.use.words) {
        left = std::accumulate(lane.begin(), lane.end(), left);
    }
    return left;
}

std::uint64_t MeshRun::leftOver() const
{
    std::uint64_t left = m_calls.count() + m_attempts.count() + m_visits.count();
    left += m_agenda.timersWaiting();
    for (const Proxy& proxy : m_proxies) {
        for (const auto& outbound : proxy.outbounds) {
            left += outbound == nullptr ? 0 : leftIn(*outbound);
        }
    }
    for (const InstanceState& instance : m_instances) {
        left += static_cast<std::uint64_t>(instance.busy + instance.waiting);
    }
    return left;
}

} // namespace mesh::simulator
