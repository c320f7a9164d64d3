#pragma once

#include "proxyengine/base/time.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mesh::simulator {

// What the calls of one service or edge did in one second of virtual time. Calls count in the
// second in which they ended, but for `begun`.
struct RunSecond
{
    // Durations: four buckets per power of two, from 64 us on; the last takes all above.
    static constexpr std::size_t kBuckets = 72;

    std::uint32_t begun = 0;
    std::uint32_t succeeded = 0;
    std::uint32_t failed = 0;
    std::uint32_t attempts = 0;
    std::uint32_t inFlight = 0; // At its end.
    std::array<std::uint32_t, kBuckets> durations{};

    [[nodiscard]] static std::size_t bucketOf(Duration duration);
    [[nodiscard]] static Duration lowestOf(std::size_t bucket); // Where it begins.
    // The duration below which this share (0..1) of the ended calls lies, linear within a bucket;
    // zero when none has ended.
    [[nodiscard]] Duration quantile(double share) const;
    void merge(const RunSecond& other);
};

struct RunSeries
{
    std::string name; // "cart", "checkout->payment", "gateway->frontend".
    std::vector<RunSecond> seconds; // From 0 on; may end early when nothing came after.
};

// Something a policy or a fault did.
struct RunMarker
{
    enum class Kind : std::uint8_t {
        FaultBegan,
        FaultEnded,
        Ejected,
        Returned,
        EjectionHeld, // Due, but too many are out already.
        CheckFailed, // An active check took the instance out.
        CheckPassed,
        BreakerOpened,
        BreakerHalfOpen,
        BreakerClosed,
        PanicEntered,
        PanicLeft,
        BudgetExhausted, // The first of a second.
        RateLimited, // The first of a second.
        LimitReached, // The first of a second.
        GuardStopped,
    };

    Duration at{}; // Since the start.
    Kind kind = Kind::FaultBegan;
    std::string caller; // The service whose proxy did it, "gateway"; empty: a fault.
    std::string callee; // Service; empty: a fault.
    std::string instance; // Empty: none in particular.
    std::uint32_t fault = 0; // Into the timeline; of the first two kinds.
};

// What the run looked like second by second, for replay. Recording changes nothing the run sees.
struct RunRecord
{
    std::vector<RunSeries> services;
    std::vector<RunSeries> edges;
    std::vector<RunMarker> markers; // By time; at most kMarkersMax, then the rest is counted.
    std::uint64_t markersLost = 0;

    static constexpr std::size_t kMarkersMax = 20'000;
};

} // namespace mesh::simulator
