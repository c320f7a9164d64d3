#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/random.h"
#include "simulator/kernel/agenda.h"
#include "simulator/kernel/luck.h"
#include "simulator/kernel/slab.h"
#include "simulator/mesh/fault_reach.h"
#include "simulator/mesh/measures.h"
#include "simulator/mesh/mesh_plan.h"
#include "simulator/mesh/outbound.h"
#include "simulator/mesh/request_trace.h"
#include "simulator/mesh/run_recorder.h"
#include "simulator/mesh/run_state.h"
#include "simulator/models/duration_law.h"
#include "simulator/scenario/scenario.h"

#include <array>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace mesh::simulator {

struct MeshRunSettings
{
    Seed seed{42};
    Duration duration{}; // Of the load; what it started is finished.
    std::vector<Load> loads; // Each entry must have a model.
    std::vector<Fault> timeline;
    NetworkLaws network;
    std::vector<MeasureWindow> windows;
    bool isRecorded = false;
    // The root requests that took longest of those that began in this window; and numbers of those
    // to be followed hop by hop. Neither changes anything the run sees.
    std::size_t slowestMax = 0;
    std::size_t slowestWindow = 0;
    std::vector<std::uint64_t> traced;
};

// One run of a mesh in virtual time: load at the gateway, proxies that drive the compiled policies,
// instances with workers and queues.
//
// Same plan and settings, same run, to the last event: the fingerprint says so. What one request
// meets by luck depends on (seed, its number, the path of the call, the attempt) and on nothing
// else, so that two plans can be compared request by request.
//
// Modelled: balancing with zones, retries with budget and back-off, total and per-try timeouts,
// hedges, breakers and what they fall back on, outlier ejection, active and passive health checks,
// limits, rate limits, adaptive concurrency, shedding, injected faults, splits and mirrors; network
// laws with connections that are kept; service time, queue, rejection, errors, scripts; work that
// goes on after its caller has left; all faults of scenarios. ARCHITECTURE.md says what is not.
// Lifetime: the plan outlives the run.
class MeshRun
{
public:
    // Settings that check() objects to must not be run.
    MeshRun(const MeshPlan& plan, MeshRunSettings settings);

    // Every reason for which the settings cannot be run on the plan: names that do not exist,
    // targets that are nothing of the mesh.
    [[nodiscard]] static std::vector<Error> check(
        const MeshPlan& plan, const MeshRunSettings& settings
    );
    // The names of the instances that each fault hits, as people sort them.
    [[nodiscard]] static std::vector<std::vector<std::string>> resolve(
        const MeshPlan& plan, const std::vector<Fault>& timeline
    );

    // Everything that is due up to and at this time. False: nothing is left to do after it.
    bool runUntil(TimePoint time);
    // The load ends now and not at its duration, and with it all windows. As after the duration,
    // what has begun goes on to its end and is counted; faults to come stay away.
    void endLoad(TimePoint now);
    // Sums the figures; once, after the last runUntil().
    void close();
    // Until nothing is left to do, and closes. Once.
    void run();

    [[nodiscard]] std::uint64_t fingerprint() const { return m_agenda.fingerprint(); }
    [[nodiscard]] std::uint64_t events() const { return m_agenda.happened(); }
    [[nodiscard]] std::uint64_t hops() const
    {
        return m_hops;
    } // Attempts that reached an instance.
    [[nodiscard]] std::uint64_t ejections() const { return m_ejections; }
    [[nodiscard]] std::uint64_t budgetRefusals() const { return m_budgetRefusals; }

    // Figures of all services (all their callers) and of the edges along which somebody called
    // ("a->b", "gateway->a"), in the order of the settings' windows. Complete after close().
    [[nodiscard]] const std::vector<MeasureRow>& services() const { return m_services; }
    [[nodiscard]] const std::vector<MeasureRow>& edges() const { return m_edges; }
    // One of them; null when there is none.
    [[nodiscard]] const MeasureRow* service(std::string_view name) const;
    [[nodiscard]] const MeasureRow* edge(std::string_view name) const;
    // Those of the settings; after endLoad() as far as they came.
    [[nodiscard]] const std::vector<MeasureWindow>& windows() const { return m_settings.windows; }
    // Busy worker time over capacity, in [0, 1].
    [[nodiscard]] double utilization(std::string_view service, std::size_t window) const;

    // Second by second, up to the last whole second before the time of runUntil(); after close()
    // up to the end. Empty unless the settings ask for it.
    [[nodiscard]] const RunRecord& record() const;

    // Of those that have ended, the longest first; of two alike, the earlier.
    [[nodiscard]] const std::vector<SlowRequest>& slowest() const { return m_slowest; }
    // Those of the settings that have ended. Once.
    [[nodiscard]] std::vector<TracedRequest> takeTraces();

    // Everything that must be zero when a run has ended: requests, attempts, visits, timers, words
    // of budgets and limits, requests that hosts are believed to have. For tests of conservation.
    [[nodiscard]] std::uint64_t leftOver() const;

    // For the loop of the kernel.
    void handle(const TimedEvent& timed);

private:
    static constexpr std::uint32_t kGatewayProxy = 0; // Then one per instance.
    static constexpr std::uint32_t kSplitLuck = 0xffff'fffdU; // As an attempt's number.
    static constexpr std::uint64_t kPathOfCopy = 0xffff'ffff'ffff'fff0U; // Below a call.
    static constexpr std::uint64_t kPathOfFallback = 0xffff'ffff'ffff'fff1U;

    using Call = CallState;
    using Attempt = AttemptState;
    using Visit = VisitState;

    [[nodiscard]] static std::uint64_t leftIn(const Outbound& out);
    void addProxy(std::uint32_t zone, std::uint32_t caller);
    void addCallers();
    void addLoads();
    void addStandIns();
    void addOutbounds();

    // Load.
    void arrive(std::uint32_t at);
    void scheduleArrival(std::uint32_t at);

    // Admission (mesh_run_admission.cpp).
    void beginCall(const Call& made);
    void refuse(SlabHandle handle);
    bool admitByOverload(Call& call, const Outbound& out) const;
    bool admitByRate(Outbound& out);
    bool passFault(SlabHandle handle, const Outbound& out);
    void onInjectedDelayOver(SlabHandle handle);
    void admit(SlabHandle handle);
    void sendCopy(SlabHandle handle);
    void fallBack(SlabHandle handle, const Outbound& out);
    bool admitAttempt(SlabHandle handle, Outbound& out, std::uint32_t host);
    bool mayConnect(Outbound& out, std::uint32_t host);
    void leaveQueue(SlabHandle handle, Outbound& out);
    void onConnectionFreed(std::uint32_t proxy, std::uint32_t callee);

    // Calls as a whole (mesh_run_calls.cpp).
    Outbound& outbound(std::uint32_t proxy, std::uint32_t callee);
    const OutboundRules& rulesFor(const CalleePlan& called);
    [[nodiscard]] const CalleePlan& calleeOf(
        const ProxyState& caller, const CallerState::Callee& called
    ) const;
    enum class CallEnd : std::uint8_t { Succeeded, Failed, Refused };
    void endCall(SlabHandle handle, CallEnd end);
    void settleConcurrency(const Call& call, Outbound& out, CallEnd end);
    static void endRetryHold(Call& call, Outbound& out);
    void onDeadline(SlabHandle handle);
    void onSweep(std::uint32_t proxy, std::uint32_t callee);

    // Attempts (mesh_run_attempts.cpp).
    void startAttempt(SlabHandle handle);
    std::optional<std::uint32_t> pick(Call& call, Outbound& out, const policy::TriedHosts& tried);
    void launchAttempt(SlabHandle handle, std::uint32_t host, policy::HedgeRace::Role role);
    void planHedge(SlabHandle handle);
    bool holdRepeat(Outbound& out);
    bool holdLimitedRetry(Outbound& out);
    static void endRepeatHold(Outbound& out);
    void onHedge(SlabHandle handle);
    [[nodiscard]] bool isAnswerOfAll(
        const Call& call, Outbound& out, const policy::AttemptOutcome& outcome
    ) const;
    void dropAttempt(SlabHandle handle, ConnectionPool::After after);
    void endAttempt(SlabHandle handle, const policy::AttemptOutcome& outcome);
    void endIfThere(SlabHandle attempt, const policy::AttemptOutcome& outcome);
    void observe(
        Outbound& out, std::uint32_t host, const policy::AttemptOutcome& outcome, Random& luck
    );
    void take(Outbound& out, const policy::OutlierVerdict& verdict);
    const policy::RetryRules* rulesOf(const Call& call, Outbound& out) const;
    bool repeat(SlabHandle handle, Outbound& out, const policy::AttemptOutcome& outcome);
    bool repeatByService(
        SlabHandle handle,
        Outbound& out,
        const policy::AttemptOutcome& outcome,
        policy::AttemptProgress::Sent sent
    );

    // The way between proxies (mesh_run_network.cpp).
    enum class Way : std::uint8_t { There, Back };
    struct Passage
    {
        Duration wait{};
        bool isLost = false;
        bool isReset = false;
    };
    struct Laws
    {
        std::optional<DurationSampler> sameZone;
        std::optional<DurationSampler> crossZone;
        std::optional<DurationSampler> connect;
        std::optional<DurationSampler> proxy;
    };
    [[nodiscard]] static Laws lawsOf(const NetworkLaws& said);
    Outbound& outboundOf(const Attempt& attempt)
    {
        const Call& call = m_calls[attempt.call];
        return outbound(call.proxy, call.callee);
    }
    [[nodiscard]] bool isWayPlain(const Outbound& out, std::uint32_t instance) const;
    void setOut(SlabHandle handle);
    TimePoint beginConnection(const Attempt& attempt, ConnectionPool& pool, Duration cost);
    void onConnected(SlabHandle handle);
    void send(SlabHandle handle, Duration wait);
    void answer(SlabHandle handle, int status);
    Passage pass(const Attempt& attempt, Way way);
    [[nodiscard]] bool isCut(
        const FaultState& fault, const Fault& said, const Attempt& attempt, Way way
    );
    Duration queueBehind(FaultState& state, const Fault& fault, std::uint32_t instance, Way way);
    Duration drawWay(const Attempt& attempt, std::uint32_t part);
    void leaveConnection(const Attempt& attempt, Outbound& out, ConnectionPool::After how);

    // Health checks (mesh_run_checks.cpp).
    void openProbed();
    void armProbes(Outbound& out);
    void onProbesDue(std::uint32_t proxy, std::uint32_t callee);
    void startProbe(Outbound& out, std::uint32_t host);
    [[nodiscard]] Duration probeWay(const Outbound& out, std::uint32_t instance, CallPath path)
        const;
    void onProbeEnds(std::uint32_t proxy, std::uint32_t callee, std::uint32_t host);
    void settle(Outbound& out, std::uint32_t host);
    void show(Outbound& out, std::uint32_t host, policy::HostSet::Availability availability);
    void onChangeSeen(std::uint32_t proxy, std::uint32_t callee, std::uint32_t detail);
    [[nodiscard]] Duration lateness(const Outbound& out) const;
    [[nodiscard]] Duration configLateness(std::uint32_t proxy) const;

    // The instance (mesh_run_visits.cpp).
    void sendTo(SlabHandle handle, Duration wait);
    void arriveAt(SlabHandle handle);
    void startWork(SlabHandle handle);
    void foresee(std::uint32_t instance);
    void onWorked(SlabHandle handle);
    void runScript(SlabHandle handle);
    enum class Launch : std::uint8_t { Called, Skipped };
    Launch launch(SlabHandle handle, const ServiceState& model);
    void onCallEnded(SlabHandle handle, CallEnd end);
    void goOn(SlabHandle handle);
    [[nodiscard]] double cachedShare(const ServiceState::Call& call, std::uint32_t instance) const;
    void fillCache(std::uint32_t instance);
    void finish(SlabHandle handle, int status);
    void releaseWorker(std::uint32_t at);
    void setBusy(std::uint32_t at, int by);
    bool dropIfKilled(SlabHandle handle);
    enum class Switch : std::uint8_t { On, Off };
    void stop(std::uint32_t at);
    void resetCallers(std::uint32_t at);

    // Faults (mesh_run_faults.cpp).
    void addFaults();
    void applyFault(std::uint32_t at, Switch turned);
    void applyToServices(std::uint32_t at, Switch turned);
    void setStorm(std::uint32_t service);
    void stepFault(std::uint32_t at);
    void stepFlap(std::uint32_t at);
    void stepSwizzle(std::uint32_t at);
    void deploy(std::uint32_t service);
    void showVersions(Outbound& out);
    [[nodiscard]] const std::string& versionOf(std::uint32_t instance) const;
    void linger(std::uint32_t at);
    void onLingerOver(std::uint32_t at, std::uint32_t instance);
    [[nodiscard]] TimePoint endOf(const Fault& fault) const;
    void setDown(std::uint32_t instance, Switch turned);
    void setFrozen(std::uint32_t instance, Switch turned);
    void setHazards(std::uint32_t instance);
    void loseZone(const FaultReach& reach);
    void abandonCalls(std::uint32_t proxy);
    [[nodiscard]] Duration frozenFor(const InstanceState& instance) const;
    bool stall(SlabHandle visit, std::uint32_t kind);
    bool standsStill(SlabHandle visit);
    [[nodiscard]] Random luckOfFault(std::uint64_t root, CallPath path, std::uint32_t fault) const;
    [[nodiscard]] bool isHitBy(const FaultState& fault, std::uint32_t proxy, std::uint32_t instance)
        const;
    [[nodiscard]] std::optional<int> meetError(const Visit& visit) const;
    double meetSlowness(Visit& visit);

    // For the record.
    void mark(RunMarker::Kind kind, const Outbound& out, std::uint32_t host);
    void markOnce(RunMarker::Kind kind, const Outbound& out);
    void markPanic(Outbound& out);
    void markBreaker(const Outbound& out, policy::BreakerState before);
    void noteSlow(const Call& call);
    void traceCall(SlabHandle handle, const Outbound& out);
    void traceAttempt(SlabHandle handle);

    void schedule(Duration wait, std::uint32_t kind, SlabHandle item);
    TimerHandle startTimer(Duration wait, std::uint32_t kind, SlabHandle item);

    const MeshPlan& m_plan;
    MeshRunSettings m_settings;
    Agenda m_agenda;
    std::vector<LoadState> m_loads;
    std::vector<FaultState> m_faults; // By place in the timeline.
    std::vector<int> m_storms; // Attempts by service; 0: no storm. Empty: nowhere.
    std::vector<int> m_wipes; // By service: those of its caches that go on.
    std::vector<std::uint32_t> m_delays; // Active faults that make changes seen late.
    Laws m_laws;
    bool m_hasLaws = false; // Of ways and proxies.
    bool m_hasDeploys = false; // In the timeline.
    OutboundRules::Connections m_connections = OutboundRules::Connections::Ignored;
    std::unordered_map<const CalleePlan*, std::unique_ptr<OutboundRules>> m_rules;
    std::vector<CallerState> m_callers; // By service, then the gateway.
    std::vector<ProxyState> m_proxies; // The gateway's, then one per instance.
    std::vector<std::unique_ptr<Outbound>> m_outbounds; // Of all proxies, one after the other.
    std::vector<InstanceState> m_instances;
    std::vector<ServiceState> m_models; // By service.
    Slab<Call> m_calls;
    Slab<Attempt> m_attempts;
    Slab<Visit> m_visits;
    std::vector<MeasureRow> m_services; // The sums of their edges, made at the end.
    std::vector<MeasureRow> m_edges;
    TimePoint m_until{}; // Of the last runUntil().
    std::unique_ptr<RunRecorder> m_recorder; // Null: nothing is recorded.
    std::unique_ptr<RequestTracer> m_tracer; // Null: nobody is followed.
    std::vector<SlowRequest> m_slowest;
    std::array<std::uint32_t, 16> m_foreseen{}; // Proxies that will call soon, a ring.
    std::size_t m_foreseenAt = 0;
    std::uint64_t m_hops = 0;
    std::uint64_t m_ejections = 0;
    std::uint64_t m_budgetRefusals = 0;
};

} // namespace mesh::simulator
