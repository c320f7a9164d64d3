#pragma once

#include "app/fleet/node_link.h"
#include "app/fleet/rollout_machine.h"
#include "proxyengine/base/clock.h"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace mesh::fleet {

struct RolloutRequest
{
    std::shared_ptr<const model::Document> before; // What should run now.
    std::shared_ptr<const model::Document> after;
    std::int64_t revision = 0;
    std::int64_t revisionBefore = 0;
    std::string message;
    RolloutPlan plan;
    std::vector<ExpectedNode> nodes; // The expected set.
    std::map<std::string, std::shared_ptr<NodeLink>> links; // By node; a missing one: unreachable.
};

// Carries out one push on a thread of its own: the machine decides, the links do.
//
// Threads: any; callbacks come on the runner's thread and must not block it.
// Lifetime: the clock outlives it; the destructor stops and waits for answers on their way.
class RolloutRunner
{
public:
    struct Callbacks
    {
        // At most ten times a second, and once at the end.
        std::function<void(const Rollout& rollout)> onChange;
        // Before anything is sent that could not be remembered otherwise: keeps the state, synced.
        // Empty: nothing is kept.
        std::function<void(const std::string& json)> keep;
    };
    [[nodiscard]] static std::unique_ptr<RolloutRunner> start(
        const Clock& clock, RolloutRequest request, Callbacks callbacks
    );
    // Goes on with what was kept when the program was killed.
    [[nodiscard]] static std::unique_ptr<RolloutRunner> resume(
        const Clock& clock, RolloutRequest request, Rollout kept, Callbacks callbacks
    );
    RolloutRunner(const RolloutRunner&) = delete;
    RolloutRunner& operator=(const RolloutRunner&) = delete;
    virtual ~RolloutRunner() = default;

    virtual void hold() = 0;
    virtual void continueNow() = 0;
    virtual void stop() = 0;
    virtual void rollBack(const std::string& why) = 0;
    // What nodes measured since they were applied, from whoever receives their frames.
    virtual void onFigures(const std::string& node, const NodeFigures& sinceApplied) = 0;
    virtual void onReachable(const std::string& node, bool isReachable) = 0;
    // Returns when it is over, or after `timeout`: the state then.
    [[nodiscard]] virtual Rollout wait(Duration timeout) = 0;

protected:
    RolloutRunner() = default;
};

} // namespace mesh::fleet
