#pragma once

#include "simulator/live/live_rehearsal.h"
#include "simulator/report/rehearsal.h"

#include <cstdint>
#include <functional>

namespace mesh::simulator {

enum class TwinMode : std::uint8_t {
    Live, // Real servers and proxies alone.
    Both, // In virtual time as well, and compared.
};

struct TwinRequest
{
    RehearsalRequest rehearsal;
    TwinMode mode = TwinMode::Both;
    EngineFactory engineFactory;
    const Clock* clock = nullptr;
    std::function<void(const LiveProgress&)> onLiveProgress; // Optional.
};

// Every reason for which the first variant cannot be played live.
[[nodiscard]] std::vector<Error> checkTwin(const TwinRequest& request);

// A rehearsal whose first variant real servers and proxies play, too.
//
// Both: when the scenario says nothing about the network, what this machine's proxies cost is
// measured first (measureProxyCost(), kCostLength) and given to the virtual runs as
// NetworkLaws::proxy; the report's notes say how much. Live: the one variant is the live run, its
// assertions are judged on it, comparisons and ablations are left out.
// Blocks for the scenario's duration in wall time and some seconds more.
// Errors: the first of checkTwin(); as rehearse() and rehearseLive().
[[nodiscard]] Result<Rehearsal> rehearseWithTwin(const TwinRequest& request);
inline constexpr Duration kCostLength = std::chrono::seconds(4);

} // namespace mesh::simulator
