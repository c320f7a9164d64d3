#pragma once

#include "app/ctl/push_session.h"

#include <string>

// What is said of a push: while it goes on, and at its end.
namespace mesh::ctl {

// A row per node: wave, result, what it runs, why.
[[nodiscard]] std::string tableOf(
    const PushOrder& order, const fleet::Rollout& rollout, Colour colour
);

// Every node with what it runs, and why it does not run what it should.
void tellRollout(const PushOrder& order, const fleet::Rollout& rollout, const Surroundings& around);

// 0 every node runs it; 4 a node refused it or a gate failed; 3 a node cannot be reached; else 1.
[[nodiscard]] int exitCodeOfRollout(const fleet::Rollout& rollout);

} // namespace mesh::ctl
