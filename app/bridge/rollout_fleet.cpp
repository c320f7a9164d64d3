// The one place that binds a RolloutSession to app/fleet.
#include "app/bridge/rollout_private.h"

namespace mesh::bridge {

void useFleet(RolloutOptions& options)
{
    if (!options.review) {
        options.review = [](const model::Document& before,
                            const model::Document& after,
                            const std::vector<fleet::RequestSample>& samples) {
            return fleet::reviewOf(before, after, samples);
        };
    }
    if (!options.start) {
        options.start = [](const Clock& clock,
                           fleet::RolloutRequest request,
                           fleet::RolloutRunner::Callbacks callbacks) {
            return fleet::RolloutRunner::start(clock, std::move(request), std::move(callbacks));
        };
    }
    if (!options.resume) {
        options.resume = [](const Clock& clock,
                            fleet::RolloutRequest request,
                            fleet::Rollout kept,
                            fleet::RolloutRunner::Callbacks callbacks) {
            return fleet::RolloutRunner::resume(
                clock, std::move(request), std::move(kept), std::move(callbacks)
            );
        };
    }
}

} // namespace mesh::bridge
