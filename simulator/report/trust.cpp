#include "simulator/report/trust.h"

#include <algorithm>

namespace mesh::simulator {

Trust trustOf(const VariantResult& variant, const std::vector<CalibratedRange>& calibrated)
{
    Trust trust;
    trust.isCalibrated = !calibrated.empty();
    for (const CalibratedRange& range : calibrated) {
        const bool isBeyond = std::ranges::any_of(variant.services, [&](const auto& window) {
            const auto figures = window.second.find(range.service);
            return figures != window.second.end()
                   && figures->second.rps > range.rpsTo * kBeyondFactor;
        });
        if (isBeyond) {
            trust.beyond.push_back(range.service);
        }
    }
    std::ranges::sort(trust.beyond);
    trust.notModelled = {
        "kernel scheduling and TCP",
        "processor time of TLS and proxies, but for network.proxy",
        "flow control of HTTP/2",
        "garbage collection and other pauses of the processes",
        "what requests say: routes, plugins and payloads",
    };
    return trust;
}

} // namespace mesh::simulator
