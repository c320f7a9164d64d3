#pragma once

#include "proxyengine/base/time.h"
#include "simulator/kernel/slab.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mesh::simulator {

// A root request that took long.
struct SlowRequest
{
    std::uint64_t root = 0; // Its number.
    TimePoint startedAt{};
    Duration took{};
};

// One step of a root request: a call, whose steps are its attempts; or an attempt, whose steps are
// the calls that its instance makes.
struct TracedStep
{
    enum class Kind : std::uint8_t { Call, Attempt };
    static constexpr std::uint32_t kNobody = 0xffff'ffffU;

    Kind kind = Kind::Call;
    std::uint32_t parent = kNobody; // Before it in the list; kNobody: the root request itself.
    std::string name; // "cart->redis" of a call, "redis-2" of an attempt: the instance.
    std::string service; // That is called.
    Duration begin{}; // Since the request's begin, as all times here.
    Duration end{};
    // Of an attempt: until a worker began on it, all of it when none did; and the service time.
    Duration queued{};
    Duration worked{};
    std::string outcome; // "ok", "failed"; "200", "timeout", "reset", "no connection", "given up".
    // Without it the request would have ended earlier: the caller waited for this one last.
    bool isCritical = false;
    Duration own{}; // Of a critical step: the time that no critical step below it explains.
};

struct TracedRequest
{
    Duration at{}; // Since the start of the run.
    Duration took{};
    bool hasSucceeded = false;
    std::vector<TracedStep> steps; // The request itself first, callers before what they call.
    std::uint64_t stepsLost = 0; // Beyond kStepsMax.

    static constexpr std::size_t kStepsMax = 2000;
};

// Follows a few root requests of a run hop by hop. Sees the run, is never seen by it.
//
// Only calls that somebody waits for are followed: neither copies for a mirror, nor what an
// instance calls after its caller has left.
class RequestTracer
{
public:
    explicit RequestTracer(const std::vector<std::uint64_t>& roots);

    // A call of this root request begins; `visit` makes it (none: the gateway), or it stands in for
    // `other`, whose breaker is open.
    struct CallBegin
    {
        SlabHandle call;
        std::uint64_t root = 0;
        SlabHandle visit;
        SlabHandle other;
    };
    [[nodiscard]] bool isFollowed(std::uint64_t root) const { return m_byRoot.contains(root); }
    void beginCall(TimePoint now, const CallBegin& begin, std::string name, std::string service);
    void endCall(TimePoint now, SlabHandle call, std::string_view outcome);
    void beginAttempt(TimePoint now, SlabHandle attempt, SlabHandle call, std::string instance);
    // How it ended, before endAttempt(); without it, it was given up.
    void tellOutcome(SlabHandle attempt, std::string outcome);
    void endAttempt(TimePoint now, SlabHandle attempt);
    void beginVisit(SlabHandle visit, SlabHandle attempt);
    void beginWork(TimePoint now, SlabHandle visit);
    void endWork(TimePoint now, SlabHandle visit);

    // Those that have ended, the longest first, with their critical steps marked. Once.
    [[nodiscard]] std::vector<TracedRequest> take();

private:
    struct Followed
    {
        TracedRequest request;
        TimePoint startedAt{};
        bool hasEnded = false;
    };
    struct Place
    {
        std::uint32_t request = 0;
        std::uint32_t step = 0;
    };
    using Places = std::unordered_map<std::uint64_t, Place>;

    static std::uint64_t wordOf(SlabHandle handle);
    static const Place* find(const Places& places, SlabHandle handle);
    [[nodiscard]] TracedStep& at(Place place)
    {
        return m_requests[place.request].request.steps[place.step];
    }
    [[nodiscard]] Duration since(TimePoint now, Place place) const
    {
        return now - m_requests[place.request].startedAt;
    }
    [[nodiscard]] const Place* parentOf(const CallBegin& begin) const;
    [[nodiscard]] bool isOver(Place place) const;
    static bool add(Followed& followed, TracedStep step);
    static void finish(Followed& followed);

    std::unordered_map<std::uint64_t, std::uint32_t> m_byRoot;
    std::vector<Followed> m_requests;
    Places m_calls;
    Places m_attempts;
    Places m_visits; // Places of their attempts.
};

// Time that requests waited for one service.
struct WaitedFor
{
    std::string service;
    Duration own{}; // Of its critical steps.
    Duration queued{}; // Of that: until a worker began,
    Duration worked{}; // and the service time.
};

// By service, the longest first.
[[nodiscard]] std::vector<WaitedFor> waitedFor(std::span<const TracedRequest> requests);

// Marks the steps that a request waited for, from its end backwards, and counts their own time.
void markCritical(std::vector<TracedStep>& steps);

} // namespace mesh::simulator
