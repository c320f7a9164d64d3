#pragma once

#include "app/fleet/rollout.h"

// A rollout in which every member has a value of its own.
namespace mesh::test {

[[nodiscard]] inline fleet::Rollout sampleRollout()
{
    fleet::Rollout rollout;
    rollout.revision = 42;
    rollout.revisionBefore = 41;
    rollout.hash = "aa11";
    rollout.message = "canary \"v6\"\n";
    rollout.plan.waves = *fleet::parseWaves("canary,edge-2,100%");
    rollout.plan.gates = fleet::parseGates("error<+0.5pp p95<300ms lost<1")->rules;
    rollout.plan.bake = std::chrono::milliseconds(1500);
    rollout.plan.onFailure = fleet::OnGateFailure::Stop;
    rollout.plan.absent = fleet::AbsentNode::SetAside;
    rollout.plan.advance = fleet::WaveAdvance::Manual;
    rollout.state = fleet::RolloutState::RollingBack;
    rollout.wave = 1;
    rollout.startedAt = WallTime(std::chrono::microseconds(1'767'225'600'000'001));
    rollout.waves = {
        {"canary", fleet::WaveState::Done, {"edge-1"}, rollout.startedAt, std::chrono::seconds(2)},
        {"edge-2", fleet::WaveState::Failed, {"edge-2"}, {}, {}}};
    fleet::NodeProgress node;
    node.name = "edge-2";
    node.role = "gateway";
    node.zone = "b";
    node.wave = 1;
    node.phase = fleet::NodePhase::Rejected;
    node.text = "silent for 41 s";
    node.problems = {{"routes[0]", 3, 4, "conflict", "no"}};
    node.hashBefore = "bb22";
    node.hashNow = "cc33";
    node.sentAt = rollout.startedAt;
    node.now = fleet::NodeFigures{12.5, 1000, 3, 80.25, 1};
    rollout.nodes = {node};
    rollout.gates = {{rollout.plan.gates[0], fleet::GateState::Fails, 0.001, 0.01, 0.009}};
    rollout.notes = {{rollout.startedAt, "wave 1 failed", true}};
    return rollout;
}

} // namespace mesh::test
