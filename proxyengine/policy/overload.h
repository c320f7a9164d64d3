#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/base/time.h"
#include "proxyengine/model/document.h"
#include "proxyengine/model/resilience.h"

#include <cstdint>
#include <string>

// Shedding: which requests a node that has too much to do refuses first.
//
//   priority   shed from        all shed at
//   low        shed_from %      100 %
//   default    100 %            110 %
//   high       120 %            130 %
//
// of the pressure, linearly between. So a higher priority is never shed more than a lower one, and
// more pressure never sheds less.
// Source: Envoy's overload manager (scaled triggers), with our own steps per priority.
namespace mesh::policy {

struct OverloadReading
{
    std::uint64_t inFlight = 0; // Requests on the node.
    Duration loopLag{}; // How late the worker's event loop is.
};

// The larger of the two shares of their limits; 1.0 is a limit reached. What has no limit is 0.
[[nodiscard]] double pressureOf(const model::Overload& settings, const OverloadReading& reading);

// Share of the requests of a priority that is to be shed, 0..1.
[[nodiscard]] double shedShare(
    const model::Overload& settings, model::RequestPriority priority, double pressure
);

enum class OverloadVerdict : std::uint8_t { Admit, Shed };

// Draws from the generator only when some but not all requests of this priority are shed.
[[nodiscard]] OverloadVerdict decideOverload(
    const model::Overload& settings,
    model::RequestPriority priority,
    double pressure,
    Random& random
);

// "950 of 1000 requests in flight", "event loop 12 ms late of 10 ms allowed": the larger share.
// Empty without pressure.
[[nodiscard]] std::string overloadReason(
    const model::Overload& settings, const OverloadReading& reading
);

} // namespace mesh::policy
