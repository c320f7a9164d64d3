#include "simulator/mesh/mesh_run.h"

#include "simulator/mesh/run_events.h"
#include "simulator/models/exact_math.h"

#include <fmt/format.h>

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

// Whether it makes a difference for this fault if a connection is kept or new.
bool asksForConnections(const Fault& fault)
{
    return fault.kind == FaultKind::CertExpiry || fault.kind == FaultKind::Partition
           || fault.kind == FaultKind::BlackHole;
}

// The load with its surges as steps of its rate.
Load withSurges(const Load& load, const std::vector<Fault>& timeline)
{
    std::vector<const Fault*> surges;
    std::vector<Duration> borders;
    for (const Fault& fault : timeline) {
        if (fault.kind == FaultKind::Surge && fault.target.service == load.entry) {
            surges.push_back(&fault);
            borders.push_back(fault.at);
            if (fault.length) {
                borders.push_back(fault.at + *fault.length);
            }
        }
    }
    if (surges.empty()) {
        return load;
    }
    for (const auto& [at, rate] : load.rate) {
        borders.push_back(at);
    }
    std::ranges::sort(borders);
    borders.erase(std::unique(borders.begin(), borders.end()), borders.end());
    Load surged = load;
    surged.rate.clear();
    for (const Duration at : borders) {
        double rate = 0.0;
        for (const auto& [from, step] : load.rate) {
            rate = from <= at ? step : rate;
        }
        for (const Fault* surge : surges) {
            const bool isOn =
                surge->at <= at && (!surge->length || at < surge->at + *surge->length);
            rate *= isOn ? surge->factor : 1.0;
        }
        surged.rate.emplace_back(at, rate);
    }
    return surged;
}

} // namespace

MeshRun::MeshRun(const MeshPlan& plan, MeshRunSettings settings)
    : m_plan(plan)
    , m_settings(std::move(settings))
{
    const std::size_t windows = m_settings.windows.size();
    m_laws = lawsOf(m_settings.network);
    m_hasLaws = m_laws.sameZone || m_laws.crossZone || m_laws.proxy;
    m_wipes.resize(plan.models().size());
    m_hasDeploys = std::ranges::find(m_settings.timeline, FaultKind::BadDeploy, &Fault::kind)
                   != m_settings.timeline.end();
    const bool needsConnections =
        m_laws.connect || std::ranges::any_of(m_settings.timeline, &asksForConnections);
    m_connections = needsConnections ? OutboundRules::Connections::Followed
                                     : OutboundRules::Connections::Ignored;
    addCallers();
    const auto gateway = static_cast<std::uint32_t>(plan.models().size());
    addProxy(plan.gatewayZone(), gateway);
    for (const InstancePlan& each : plan.instances()) {
        addProxy(each.zone, each.service);
        m_instances.emplace_back().service = each.service;
    }
    for (const model::ServiceModel& model : plan.models()) {
        m_services.emplace_back(model.service, windows);
    }
    addLoads();
    addStandIns();
    addOutbounds();
    if (m_settings.isRecorded) {
        m_recorder = std::make_unique<RunRecorder>(plan);
    }
    if (!m_settings.traced.empty()) {
        m_tracer = std::make_unique<RequestTracer>(m_settings.traced);
    }
    addFaults();
    openProbed();
}

void MeshRun::addProxy(std::uint32_t zone, std::uint32_t caller)
{
    ProxyState& proxy = m_proxies.emplace_back();
    proxy.zone = zone;
    proxy.caller = caller;
}

// Side by side, so that one look finds them.
void MeshRun::addOutbounds()
{
    std::size_t all = 0;
    for (const ProxyState& proxy : m_proxies) {
        all += m_callers[proxy.caller].callees.size();
    }
    m_outbounds.resize(all);
    std::span<std::unique_ptr<Outbound>> free(m_outbounds);
    for (ProxyState& proxy : m_proxies) {
        proxy.outbounds = free.first(m_callers[proxy.caller].callees.size());
        free = free.subspan(proxy.outbounds.size());
    }
}

MeshRun::Laws MeshRun::lawsOf(const NetworkLaws& said)
{
    const auto made = [](const std::optional<model::DurationLaw>& law) {
        return law ? std::optional<DurationSampler>(*law) : std::nullopt;
    };
    return {made(said.sameZone), made(said.crossZone), made(said.connect), made(said.proxy)};
}

// Proxies probe from the start on, whether somebody calls or not.
void MeshRun::openProbed()
{
    for (std::uint32_t proxy = 0; proxy < m_proxies.size(); ++proxy) {
        const auto& callees = m_callers[m_proxies[proxy].caller].callees;
        for (std::uint32_t callee = 0; callee < callees.size(); ++callee) {
            const model::ActiveHealthcheck& active =
                calleeOf(m_proxies[proxy], callees[callee]).upstream->healthchecks.active;
            if (active.healthy.interval > Duration::zero()
                || active.unhealthy.interval > Duration::zero()) {
                static_cast<void>(outbound(proxy, callee));
            }
        }
    }
}

std::vector<Error> MeshRun::check(const MeshPlan& plan, const MeshRunSettings& settings)
{
    std::vector<Error> errors;
    for (std::size_t at = 0; at < settings.loads.size(); ++at) {
        const std::string& entry = settings.loads[at].entry;
        if (!plan.find(entry)) {
            errors.push_back(
                {ErrorCode::DanglingReference,
                 fmt::format("load[{}]: the service '{}' has no model", at, entry),
                 {},
                 0}
            );
        }
    }
    for (Error& error : checkFaults(plan, settings.timeline, settings.loads)) {
        errors.push_back(std::move(error));
    }
    return errors;
}

std::vector<std::vector<std::string>> MeshRun::resolve(
    const MeshPlan& plan, const std::vector<Fault>& timeline
)
{
    std::vector<std::vector<std::string>> names(timeline.size());
    for (std::size_t at = 0; at < timeline.size(); ++at) {
        for (const std::uint32_t instance : reachOf(plan, timeline, at).instances) {
            names[at].push_back(plan.instances()[instance].instance.name);
        }
    }
    return names;
}

// Names become places once, before the run.
void MeshRun::addCallers()
{
    m_callers.resize(m_plan.models().size() + 1);
    for (std::size_t at = 0; at < m_plan.models().size(); ++at) {
        const model::ServiceModel& said = m_plan.models()[at];
        ServiceState& model = m_models.emplace_back(said, m_settings.windows.size());
        for (const model::ModelStep& step : said.script) {
            ServiceState::Step& made = model.script.emplace_back();
            made.first = static_cast<std::uint32_t>(model.calls.size());
            made.isParallel = step.isParallel;
            for (const model::ModelCall& call : step.calls) {
                const auto count = static_cast<std::uint32_t>(call.count);
                made.places += count;
                model.calls.push_back(
                    {call.probability,
                     call.cached.value_or(0.0),
                     m_callers[at].calleeOf(*m_plan.find(call.call)),
                     count,
                     call.cached.has_value()}
                );
            }
        }
    }
}

void MeshRun::addLoads()
{
    for (std::uint32_t at = 0; at < m_settings.loads.size(); ++at) {
        LoadState state;
        state.load = withSurges(m_settings.loads[at], m_settings.timeline);
        const auto service = m_plan.find(state.load.entry);
        MESH_ASSERT(service.has_value());
        std::vector<std::uint32_t> weights;
        for (const EntryPlan::Part& part : m_plan.entry(*service).parts) {
            state.callees.push_back(m_callers.back().calleeOf(part.service));
            m_callers.back().callees[state.callees.back()].entry = &part.callee;
            weights.push_back(part.weight);
        }
        if (weights.size() > 1) {
            state.split.emplace(weights);
        }
        state.luck = luckOf(m_settings.seed, {at, {}, 0, LuckFor::Arrivals});
        m_loads.push_back(std::move(state));
        scheduleArrival(at);
    }
}

// Services that are called because of a policy: mirrors, and those that breakers fall back on.
void MeshRun::addStandIns()
{
    for (std::size_t at = 0; at < m_callers.size(); ++at) {
        CallerState& caller = m_callers[at];
        for (std::size_t each = 0; each < caller.callees.size(); ++each) {
            const CalleePlan& plan =
                caller.callees[each].entry != nullptr
                    ? *caller.callees[each].entry
                    : m_plan.callee(m_plan.gatewayZone(), caller.callees[each].service);
            if (plan.resilience == nullptr) {
                continue;
            }
            const auto place = [&](const std::optional<std::size_t>& service) {
                const auto known = service ? m_plan.find(plan.snapshot->services[*service].name)
                                           : std::optional<std::uint32_t>();
                return known ? std::optional(caller.calleeOf(*known))
                             : std::optional<std::uint32_t>();
            };
            const auto mirror = place(plan.resilience->mirrorService);
            const auto fallback = place(plan.resilience->fallbackService);
            caller.callees[each].mirror = mirror;
            caller.callees[each].fallback = fallback;
        }
    }
}

bool MeshRun::runUntil(TimePoint time)
{
    simulator::runUntil(m_agenda, time, *this);
    if (time == TimePoint::max()) {
        return false;
    }
    m_until = std::max(m_until, time);
    if (m_recorder != nullptr) {
        m_recorder->advance(time);
    }
    return m_agenda.nearCount() + m_agenda.timersWaiting() > 0;
}

void MeshRun::run()
{
    static_cast<void>(runUntil(TimePoint::max()));
    close();
}

void MeshRun::endLoad(TimePoint now)
{
    for (MeasureRow& row : m_edges) {
        row.cut(now, m_settings.windows);
    }
    for (ServiceState& model : m_models) {
        model.busy.cut(now, m_settings.windows);
    }
    for (MeasureWindow& window : m_settings.windows) {
        window.cut(now);
    }
    m_settings.duration = std::min(m_settings.duration, now - TimePoint{});
}

void MeshRun::close()
{
    const TimePoint end = std::max(m_until, m_agenda.now());
    for (MeasureRow& row : m_edges) {
        row.close(end, m_settings.windows);
    }
    for (const CallerState& caller : m_callers) {
        for (const CallerState::Callee& callee : caller.callees) {
            if (callee.edge != CallerState::kNoEdge) {
                m_services[callee.service].merge(m_edges[callee.edge]);
            }
        }
    }
    for (ServiceState& model : m_models) {
        model.busy.close(end, m_settings.windows);
    }
    if (m_recorder != nullptr) {
        m_recorder->close(end);
    }
}

const RunRecord& MeshRun::record() const
{
    static const RunRecord kNone;
    return m_recorder == nullptr ? kNone : m_recorder->record();
}

void MeshRun::handle(const TimedEvent& timed)
{
    if (m_recorder != nullptr) {
        m_recorder->advance(timed.at);
    }
    const Event& event = timed.event;
    const SlabHandle item{event.item, event.detail};
    if (const Event* const next = m_agenda.probablyNext();
        next != nullptr && next->kind == kWorked) {
        m_visits.foresee({next->item, next->detail});
    }
    switch (event.kind) {
    case kArrive:
        return arrive(event.subject);
    case kFaultBegins:
        return applyFault(event.subject, Switch::On);
    case kFaultEnds:
        return applyFault(event.subject, Switch::Off);
    case kFaultSteps:
        return stepFault(event.subject);
    case kSweep:
        return onSweep(event.subject, event.item);
    case kCallRefused:
        // Its deadline may have come in the same nanosecond.
        return m_calls.find(item) == nullptr
                   ? void()
                   : endCall(item, event.subject == 0 ? CallEnd::Refused : CallEnd::Succeeded);
    case kInjectedDelayOver:
        return onInjectedDelayOver(item);
    case kConnectionFreed:
        return onConnectionFreed(event.subject, event.item);
    case kProbesDue:
        return onProbesDue(event.subject, event.item);
    case kProbeEnds:
        return onProbeEnds(event.subject, event.item, event.detail);
    case kChangeSeen:
        return onChangeSeen(event.subject, event.item, event.detail);
    case kDeploySeen:
        if (Outbound* const out = m_proxies[event.subject].outbounds[event.item].get()) {
            showVersions(*out);
        }
        return;
    case kLingerOver:
        return onLingerOver(event.subject, event.item);
    case kConnected:
        return onConnected(item);
    case kReset:
        return endIfThere(item, {policy::AttemptOutcome::Kind::Reset, false, 0, {}, {}});
    case kAnswerArrives:
        return endIfThere(
            item,
            {policy::AttemptOutcome::Kind::Answer, false, static_cast<int>(event.subject), {}, {}}
        );
    case kDeadline:
        return onDeadline(item);
    case kHedge:
        return onHedge(item);
    case kBackoffOver:
        m_calls[item].backoff = {};
        return startAttempt(item);
    case kConnectFailed:
        return endIfThere(item, {policy::AttemptOutcome::Kind::ConnectFailure, false, 0, {}, {}});
    case kTryTimeout:
        m_attempts[item].timeout = {};
        return endAttempt(item, {policy::AttemptOutcome::Kind::Timeout, true, 0, {}, {}});
    case kAnswer:
        return dropIfKilled(item) ? void() : finish(item, m_visits[item].status);
    case kArrived:
        return dropIfKilled(item) ? void() : arriveAt(item);
    case kGoesOn:
        return dropIfKilled(item) ? void() : goOn(item);
    case kWorked:
        return dropIfKilled(item) ? void() : onWorked(item);
    default:
        MESH_BUG("an event of no kind");
    }
}

void MeshRun::endIfThere(SlabHandle attempt, const policy::AttemptOutcome& outcome)
{
    if (m_attempts.find(attempt) != nullptr) {
        endAttempt(attempt, outcome);
    }
}

void MeshRun::scheduleArrival(std::uint32_t at)
{
    LoadState& generator = m_loads[at];
    const double unit = openUnit(generator.luck);
    const double amount =
        generator.load.arrivals == Arrivals::Poisson ? -exactLog(1.0 - unit) : 1.0;
    const Duration now = m_agenda.now() - TimePoint{};
    const Duration when = whenAmount(generator.load, now, amount);
    if (when < m_settings.duration) {
        m_agenda.schedule(when - now, {kArrive, at, 0, 0});
    }
}

void MeshRun::arrive(std::uint32_t at)
{
    if (m_agenda.now() >= TimePoint(m_settings.duration)) {
        return; // The load has been ended.
    }
    LoadState& generator = m_loads[at];
    Call call;
    call.proxy = kGatewayProxy;
    call.root = (std::uint64_t{at} << 48U) | generator.sent++;
    call.callee = generator.callees.front();
    if (generator.split) {
        Random luck = luckOf(m_settings.seed, {call.root, {}, kSplitLuck, LuckFor::Proxy});
        call.callee = generator.callees[generator.split->pick(luck)];
    }
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
    return capacity <= 0.0 ? 0.0 : toSeconds(m_models[*at].busy.sum(window)) / capacity;
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
    for (const ProxyState& proxy : m_proxies) {
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
