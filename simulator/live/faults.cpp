#include "simulator/live/faults.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

namespace mesh::simulator {

std::string toText(const InstanceFaults& faults)
{
    std::vector<std::string> parts;
    if (faults.isKilled) {
        parts.emplace_back("killed");
    }
    if (faults.isFrozen) {
        parts.emplace_back("frozen");
    }
    if (faults.errorShare > 0) {
        parts.push_back(
            fmt::format("{} {} %", faults.errorStatus, std::lround(faults.errorShare * 100))
        );
    }
    if (faults.latencyAdd > Duration::zero()) {
        parts.push_back(fmt::format("+{} ms", toMilliseconds(faults.latencyAdd)));
    }
    return fmt::format("{}", fmt::join(parts, " \xC2\xB7 "));
}

} // namespace mesh::simulator
