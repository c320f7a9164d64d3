#pragma once

#include "proxyengine/base/random.h"
#include "simulator/kernel/agenda.h"
#include "simulator/kernel/luck.h"
#include "simulator/kernel/slab.h"
#include "simulator/mesh/measures.h"
#include "simulator/mesh/mesh_plan.h"
#include "simulator/mesh/outbound.h"
#include "simulator/models/duration_law.h"
#include "simulator/scenario/scenario.h"

#include <memory>
#include <string>
#include <vector>

namespace mesh::simulator {

// What happens to one instance for a while.
struct InstanceFault
{
    enum class Kind : std::uint8_t {
        Kill, // What it works on is reset, new connections are refused.
        Error, // A share of its requests is answered with `status` without work.
        Slow, // Service times are `factor` times as long.
    };

    Kind kind = Kind::Kill;
    std::uint32_t instance = 0; // Into MeshPlan::instances().
    TimePoint from{};
    TimePoint to = TimePoint::max();
    double probability = 1.0; // Of Error.
    int status = 503;
    double factor = 1.0;
};

struct MeshRunSettings
{
    Seed seed{42};
    Duration duration{}; // Of the load; what it started is finished.
    std::vector<Load> loads; // Each entry must have a model.
    std::vector<InstanceFault> faults;
    std::vector<MeasureWindow> windows;
};

// One run of a mesh in virtual time: load at the gateway, proxies that drive the compiled policies,
// instances with workers and queues.
//
// Same plan and settings, same run, to the last event: the fingerprint says so. What one request
// meets by luck depends on (seed, its number, the path of the call, the attempt) and on nothing
// else, so that two plans can be compared request by request.
//
// Modelled: balancing with zones, retries with budget and back-off, total and per-try timeouts,
// hedges, breakers (a fallback is an error), outlier ejection, limits on requests; service time,
// queue, rejection, errors, scripts; work that goes on after its caller has left. Not yet: network
// laws, rate limits, adaptive concurrency, splits and mirrors, active health checks, limits on
// connections and pending requests. Lifetime: the plan outlives the run.
class MeshRun
{
public:
    MeshRun(const MeshPlan& plan, MeshRunSettings settings);

    // Until nothing is left to do. Once.
    void run();

    [[nodiscard]] std::uint64_t fingerprint() const { return m_agenda.fingerprint(); }
    [[nodiscard]] std::uint64_t events() const { return m_agenda.happened(); }
    [[nodiscard]] std::uint64_t hops() const
    {
        return m_hops;
    } // Attempts that reached an instance.
    [[nodiscard]] std::uint64_t ejections() const { return m_ejections; }
    [[nodiscard]] std::uint64_t budgetRefusals() const { return m_budgetRefusals; }

    // Figures of a service (all its callers) or of an edge ("a->b", "gateway->a"); null when it was
    // never called. In the order of the settings' windows.
    [[nodiscard]] const MeasureRow* service(std::string_view name) const;
    [[nodiscard]] const MeasureRow* edge(std::string_view name) const;
    // Busy worker time over capacity, in [0, 1].
    [[nodiscard]] double utilization(std::string_view service, std::size_t window) const;

    // Everything that must be zero when a run has ended: requests, attempts, visits, timers, words
    // of budgets and limits, requests that hosts are believed to have. For tests of conservation.
    [[nodiscard]] std::uint64_t leftOver() const;

    // For the loop of the kernel.
    void handle(const TimedEvent& timed);

private:
    static constexpr std::uint32_t kGatewayProxy = 0; // Then one per instance.
    static constexpr std::uint32_t kNoEdge = 0xffff'ffffU;

    struct Generator
    {
        const Load* load = nullptr;
        std::uint32_t callee = 0;
        Random luck{Seed{0}};
        std::uint64_t sent = 0;
    };
    struct Call
    {
        SlabHandle parent; // The visit that makes it; none: a root request.
        std::uint32_t proxy = 0;
        std::uint32_t callee = 0; // Of the caller.
        std::uint32_t service = 0;
        std::uint64_t root = 0;
        CallPath path;
        TimePoint startedAt{};
        TimerHandle deadline;
        TimerHandle backoff;
        TimerHandle hedge;
        policy::HedgeRace race{0};
        SlabHandle running; // The newest attempt; the others follow it.
        Random luck{Seed{0}}; // Of the proxy's decisions.
        policy::TriedHosts tried;
        int attempts = 0;
        int retriesMade = 0;
        std::uint32_t breakerRound = 0;
        bool hasBreaker = false;
        bool isInBudget = false;
        bool holdsRetry = false;
        bool holdsLimit = false;
    };
    struct Attempt
    {
        SlabHandle call;
        std::uint32_t host = 0;
        std::uint32_t instance = 0;
        TimePoint startedAt{};
        TimerHandle timeout;
        policy::AttemptSlot slot;
        SlabHandle next; // Of the same call.
        bool isHedge = false; // Then it holds a retry of the budget and a request of the limit.
    };
    struct Visit
    {
        SlabHandle attempt; // Names nothing once the caller has left.
        std::uint32_t instance = 0;
        std::uint32_t epoch = 0; // Of the instance; another one: it was killed since.
        std::uint64_t root = 0;
        CallPath path; // Of what it calls.
        Random luck{Seed{0}}; // Of its service time and error.
        Random script{Seed{0}};
        SlabHandle next; // In the queue.
        std::uint32_t step = 0;
        std::uint32_t place = 0; // Of the next repeat within the step.
        std::uint32_t outstanding = 0;
        int status = 200;
        bool hasWorker = false;
        bool hasFailed = false;
    };
    struct InstanceState
    {
        std::uint32_t service = 0;
        std::uint32_t epoch = 0;
        int busy = 0;
        int waiting = 0;
        SlabHandle first; // Of the queue.
        SlabHandle last;
        bool isDown = false;
        double errorShare = 0.0;
        int errorStatus = 503;
        double factor = 1.0;
    };
    struct Proxy
    {
        std::uint32_t zone = 0;
        std::uint32_t caller = 0; // Service; the gateway's is models().size().
        std::vector<std::unique_ptr<Outbound>> outbounds; // By callee; made when first used.
    };
    // What a service calls; the last one is the gateway.
    struct Caller
    {
        struct Callee
        {
            std::uint32_t service = 0;
            std::uint32_t edge = kNoEdge; // Its row, once somebody has called.
        };
        std::vector<Callee> callees; // Each service once.
        std::vector<std::vector<std::uint32_t>> script; // By step and call: into callees.

        std::uint32_t calleeOf(std::uint32_t service);
    };

    [[nodiscard]] static std::uint64_t leftIn(const Outbound& out);
    void addCallers();
    void addLoads();

    // Load.
    void arrive(std::uint32_t at);
    void scheduleArrival(std::uint32_t at);

    // The caller's proxy (mesh_run_calls.cpp).
    Outbound& outbound(std::uint32_t proxy, std::uint32_t callee);
    void beginCall(const Call& made);
    bool admit(Call& call, Outbound& out);
    void startAttempt(SlabHandle handle);
    std::optional<std::uint32_t> pick(Call& call, Outbound& out, const policy::TriedHosts& tried);
    void launchAttempt(SlabHandle handle, std::uint32_t host, policy::HedgeRace::Role role);
    void planHedge(SlabHandle handle);
    void onHedge(SlabHandle handle);
    [[nodiscard]] static bool isAnswerOfAll(
        const Call& call, const Outbound& out, const policy::AttemptOutcome& outcome
    );
    void dropAttempt(SlabHandle handle);
    void endAttempt(SlabHandle handle, const policy::AttemptOutcome& outcome);
    void observe(
        Outbound& out, std::uint32_t host, const policy::AttemptOutcome& outcome, Random& luck
    );
    bool repeat(SlabHandle handle, Outbound& out, const policy::AttemptOutcome& outcome);
    static void endRetryHold(Call& call, Outbound& out);
    enum class CallEnd : std::uint8_t { Succeeded, Failed, Refused };
    void endCall(SlabHandle handle, CallEnd end);
    void onDeadline(SlabHandle handle);
    void onSweep(std::uint32_t proxy, std::uint32_t callee);

    // The instance (mesh_run_visits.cpp).
    void arriveAt(SlabHandle handle);
    void startWork(SlabHandle handle);
    void onWorked(SlabHandle handle);
    void runScript(SlabHandle handle);
    enum class Launch : std::uint8_t { Called, Skipped };
    Launch launch(SlabHandle handle, const model::ModelStep& step);
    void onCallEnded(SlabHandle handle, CallEnd end);
    void finish(SlabHandle handle, int status);
    void releaseWorker(std::uint32_t at);
    void setBusy(std::uint32_t at, int by);
    bool dropIfKilled(SlabHandle handle);
    enum class Switch : std::uint8_t { On, Off };
    void applyFault(std::uint32_t at, Switch turned);
    void kill(std::uint32_t at);

    void schedule(Duration wait, std::uint32_t kind, SlabHandle item);
    TimerHandle startTimer(Duration wait, std::uint32_t kind, SlabHandle item);

    const MeshPlan& m_plan;
    MeshRunSettings m_settings;
    Agenda m_agenda;
    std::vector<Generator> m_generators;
    std::vector<Caller> m_callers; // By service, then the gateway.
    std::vector<Proxy> m_proxies;
    std::vector<InstanceState> m_instances;
    std::vector<DurationSampler> m_serviceTimes; // By service.
    Slab<Call> m_calls;
    Slab<Attempt> m_attempts;
    Slab<Visit> m_visits;
    std::vector<MeasureRow> m_services; // The sums of their edges, made at the end.
    std::vector<MeasureRow> m_edges;
    std::vector<TimeSum> m_busy; // By service.
    std::uint64_t m_hops = 0;
    std::uint64_t m_ejections = 0;
    std::uint64_t m_budgetRefusals = 0;
};

} // namespace mesh::simulator
