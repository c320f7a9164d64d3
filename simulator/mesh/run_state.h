#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/policy/hedge.h"
#include "proxyengine/policy/hosts.h"
#include "proxyengine/policy/split.h"
#include "simulator/kernel/luck.h"
#include "simulator/kernel/slab.h"
#include "simulator/kernel/timer_wheel.h"
#include "simulator/mesh/connection_pool.h"
#include "simulator/mesh/fault_reach.h"
#include "simulator/mesh/measures.h"
#include "simulator/mesh/outbound.h"
#include "simulator/models/duration_law.h"
#include "simulator/scenario/scenario.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

// What a MeshRun keeps of all that is under way: plain values that name each other by handles.
namespace mesh::simulator {

// A fault of the timeline, and what is known of it now.
struct FaultState
{
    FaultReach reach;
    bool isActive = false;
    std::uint32_t stage = 0; // Of one that comes in steps: how many have been.
    std::vector<std::uint32_t> order; // Of a swizzle's services, as they come back.
    std::vector<std::uint32_t> lingering; // Instances that have not seen its end yet.
    // Of a narrow link: when it is free, there and back, by instance.
    std::unordered_map<std::uint32_t, std::array<TimePoint, 2>> links;
};

// One load, with its surges worked in.
struct LoadState
{
    Load load;
    std::vector<std::uint32_t> callees; // Of the gateway; more than one: split.
    std::optional<policy::SplitTable> split;
    Random luck{Seed{0}};
    std::uint64_t sent = 0;
};

// A logical request from its caller's start to its answer.
struct CallState
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
    bool holdsLimitedRetry = false;
    bool isPending = false; // Waits for a connection, and is counted as such.
    bool isInConcurrency = false;
    bool isCopy = false; // To a mirror: one attempt, and nobody waits for it.
    std::uint16_t concurrencyEpoch = 0;
    int abortStatus = 0; // To be answered after an injected delay; 0: none.
    SlabHandle standsFor; // The call whose breaker fell back on this one.
};

// One try of a call at one instance.
struct AttemptState
{
    SlabHandle call;
    std::uint32_t host = 0;
    std::uint32_t instance = 0;
    TimePoint startedAt{};
    TimerHandle timeout;
    policy::AttemptSlot slot;
    SlabHandle next; // Of the same call.
    CallPath path; // Of what it makes its instance call, and of its luck on the way.
    std::uint32_t number = 0; // Of the call's attempts, from 1.
    ConnectionPool::Lease lease;
    bool isHedge = false; // Then it holds a retry of the budget.
    bool isConnecting = false;
    bool isLost = false; // Its packets are gone; it ends by its timeout.
    bool isAnswered = false; // The answer is on its way back.
};

// An attempt as its instance sees it; goes on when the caller has left.
struct VisitState
{
    SlabHandle attempt; // Names nothing once the caller has left.
    std::uint32_t proxy = 0; // Of the caller.
    std::uint32_t instance = 0;
    std::uint32_t epoch = 0; // Of the instance; another one: it was killed since.
    Duration frozenBefore{}; // Of the instance, when its present wait began.
    double errorRate = 0.0; // Of a bad version, beside the model's.
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

// After a wipe an instance's share of cached calls grows in a straight line with the calls that go
// through, and is whole again after so many of them.
inline constexpr std::uint32_t kCacheRefillCalls = 1000;

// What a request or an answer weighs on a narrow link. Models have no sizes; 1.5 KB is the median
// that Google's study of remote calls gives (SOSP 2023).
inline constexpr double kSimulatedMessageBytes = 1500.0;

// Something that a frozen instance does when it thaws.
struct StalledVisit
{
    SlabHandle visit;
    std::uint32_t kind = 0; // Of the event that it would have been.
    Duration left{}; // Until that event.
};

// What few instances ever have.
struct InstanceTrouble
{
    TimePoint frozenAt{}; // Since when; while frozen.
    std::vector<std::uint32_t> hazards; // Active faults that its attempts may meet, in order.
    std::vector<StalledVisit> stalled; // What goes on when it thaws, in order.
};

// A line of the cache: a mesh has ten thousands of them, and every attempt looks at another one.
struct alignas(64) InstanceState
{
    std::uint32_t service = 0;
    std::uint32_t epoch = 0;
    int busy = 0;
    int waiting = 0;
    SlabHandle first; // Of the queue.
    SlabHandle last;
    int downs = 0; // Faults that keep it down.
    int freezes = 0; // Faults that keep it frozen.
    Duration frozenFor{}; // In all, before it was frozen last.
    std::uint32_t cacheFill = kCacheRefillCalls; // Calls that filled its caches since a wipe.
    std::unique_ptr<InstanceTrouble> trouble; // Made when first needed.

    [[nodiscard]] std::span<const std::uint32_t> hazards() const
    {
        return trouble == nullptr ? std::span<const std::uint32_t>() : trouble->hazards;
    }
    InstanceTrouble& troubled()
    {
        if (trouble == nullptr) {
            trouble = std::make_unique<InstanceTrouble>();
        }
        return *trouble;
    }
};
static_assert(sizeof(InstanceState) == 64);

// A service's model as its visits need it: one place to look at, and no names.
struct ServiceState
{
    struct Call
    {
        double probability = 1.0;
        double cached = 0.0;
        std::uint32_t callee = 0; // Of the caller.
        std::uint32_t count = 1;
        bool isCached = false; // Perhaps in no share.
    };
    struct Step
    {
        std::uint32_t first = 0; // Into `calls`.
        std::uint32_t places = 0; // Repeats of all its calls.
        bool isParallel = false;
    };

    ServiceState(const model::ServiceModel& model, std::size_t windows)
        : concurrency(model.concurrency)
        , queue(model.queue)
        , errorRate(model.errorRate)
        , rejectTime(model.rejectTime)
        , holdsWorkerDuringCalls(model.holdWorkerDuringCalls)
        , serviceTime(model.serviceTime)
        , busy(windows)
    {}

    int concurrency;
    int queue;
    double errorRate;
    Duration rejectTime;
    bool holdsWorkerDuringCalls;
    std::vector<Step> script;
    std::vector<Call> calls;
    DurationSampler serviceTime;
    TimeSum busy; // Workers.
};

// The proxy of an instance, or the gateway's.
struct ProxyState
{
    std::uint32_t zone = 0;
    std::uint32_t caller = 0; // Service; the gateway's is models().size().
    std::uint64_t inFlight = 0; // Calls.
    std::span<std::unique_ptr<Outbound>> outbounds; // By callee; made when first used.
};

// What a service calls; the last one is the gateway.
struct CallerState
{
    static constexpr std::uint32_t kNoEdge = 0xffff'ffffU;

    struct Callee
    {
        std::uint32_t service = 0;
        std::uint32_t edge = kNoEdge; // Its row, once somebody has called.
        const CalleePlan* entry = nullptr; // Of the gateway: as its routes say.
        std::optional<std::uint32_t> mirror; // Into callees, for calls of this one.
        std::optional<std::uint32_t> fallback;
    };
    std::vector<Callee> callees; // Each service once.

    std::uint32_t calleeOf(std::uint32_t called)
    {
        for (std::uint32_t at = 0; at < callees.size(); ++at) {
            if (callees[at].service == called) {
                return at;
            }
        }
        callees.emplace_back().service = called;
        return static_cast<std::uint32_t>(callees.size() - 1);
    }
};

} // namespace mesh::simulator
