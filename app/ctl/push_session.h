#pragma once

#include "app/ctl/node_access.h"
#include "app/ctl/surroundings.h"
#include "app/fleet/rollout.h"
#include "app/fleet/rollout_machine.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mesh::ctl {

struct PushOrder
{
    std::string file; // For people.
    std::shared_ptr<const model::Document> document;
    std::int64_t revision = 0; // 0: of no mesh document.
    std::int64_t revisionBefore = 0;
    std::string message;
    fleet::RolloutPlan plan;
    std::vector<NodeTarget> nodes; // Names are unique.
    CredentialFiles credentials;
    std::map<std::string, std::int64_t> revisions; // By hash, to say which revision a node runs.
    std::function<void(const std::string& json)> keep; // As RolloutRunner::Callbacks.
};

// Carries a push out and shows it while it goes on: a table that is drawn anew on a terminal, lines
// on standard error otherwise, nothing with --json. Ctrl+C stops it. Returns how it ended.
[[nodiscard]] fleet::Rollout carryOut(const PushOrder& order, const Surroundings& around);

} // namespace mesh::ctl
