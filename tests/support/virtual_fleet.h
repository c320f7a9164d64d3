#pragma once

#include "app/fleet/rollout_machine.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mesh::test {

// Nodes without processes that carry out what a RolloutMachine asks, in virtual time.
class VirtualFleet
{
public:
    enum class Mood : std::uint8_t {
        Willing,
        Refusing, // Rejects every document.
        RefusesLast, // Takes every document but the revision itself.
        Forgetful, // Acknowledges and goes on running the old one.
        Mute, // Takes what it is sent, and its answers are lost.
        Silent, // Cannot be reached.
    };
    struct Node
    {
        std::string hash = "old";
        Mood mood = Mood::Willing;
        std::vector<std::string> ran; // Every hash it ever ran.
    };

    explicit VirtualFleet(std::vector<std::string> stageHashes = {"new"})
        : stages(std::move(stageHashes))
    {}

    void add(const std::string& name, Mood mood = Mood::Willing)
    {
        nodes[name].mood = mood;
        nodes[name].ran = {nodes[name].hash};
    }

    void begin(fleet::RolloutPlan plan = {})
    {
        std::vector<fleet::ExpectedNode> expected;
        for (const auto& [name, node] : nodes) {
            fleet::ExpectedNode each;
            each.name = name;
            each.isReachable = node.mood != Mood::Silent;
            each.hash = each.isReachable ? node.hash : "";
            each.seenAt = now;
            expected.push_back(std::move(each));
        }
        machine = std::make_unique<fleet::RolloutMachine>(plan, stages, expected, now);
    }

    // One turn and its answers.
    void step()
    {
        for (const fleet::RolloutAction& action : machine->step(now)) {
            std::visit([this](const auto& each) { carryOut(each); }, action);
        }
        now += std::chrono::milliseconds(250);
    }

    void run(int steps)
    {
        for (int each = 0; each < steps; ++each) {
            step();
        }
    }

    // "a:done b:rejected | partial"
    [[nodiscard]] std::string text() const
    {
        std::map<std::string, std::string_view> phases;
        for (const fleet::NodeProgress& node : machine->rollout().nodes) {
            phases[node.name] = fleet::toText(node.phase);
        }
        std::string text;
        for (const auto& [name, phase] : phases) {
            text += name + ":" + std::string(phase) + " ";
        }
        return text + "| " + std::string(fleet::toText(machine->rollout().state));
    }

    std::map<std::string, Node> nodes;
    std::vector<std::string> stages;
    std::unique_ptr<fleet::RolloutMachine> machine;
    WallTime now{std::chrono::seconds(1'767'225'600)};
    std::vector<std::string> sent; // "a 0": each SendStage in order.
    std::function<void(const std::string& node)> onStage; // Before a stage reaches its node.
    std::function<void(const std::string& node)> onBefore; // Before a way back reaches its node.

private:
    void carryOut(const fleet::SendStage& action)
    {
        sent.push_back(action.node + " " + std::to_string(action.stage));
        if (onStage) {
            onStage(action.node);
        }
        Node& node = nodes[action.node];
        const bool isOther = !action.onlyIfHash.empty() && action.onlyIfHash != node.hash;
        if (isOther && node.mood != Mood::Silent) {
            machine->onSent(action.node, fleet::SendOutcome::Superseded, {}, {}, now);
            return;
        }
        take(action.node, stages[action.stage]);
    }

    void carryOut(const fleet::SendBefore& action)
    {
        const auto& progress = machine->rollout().nodes;
        const auto found = std::ranges::find(progress, action.node, &fleet::NodeProgress::name);
        if (onBefore) {
            onBefore(action.node);
        }
        const Node& node = nodes[action.node];
        const bool isOther = !action.onlyIfHash.empty() && action.onlyIfHash != node.hash;
        if (isOther && node.mood != Mood::Silent) {
            machine->onSent(action.node, fleet::SendOutcome::Superseded, {}, {}, now);
            return;
        }
        take(action.node, found->hashBefore);
    }

    void carryOut(const fleet::ReadBack& action)
    {
        const Node& node = nodes[action.node];
        machine->onReadBack(action.node, node.mood == Mood::Silent ? "" : node.hash, now);
    }

    void take(const std::string& name, const std::string& hash)
    {
        Node& node = nodes[name];
        using fleet::SendOutcome;
        SendOutcome outcome = SendOutcome::Acknowledged;
        const bool doesRefuse = node.mood == Mood::Refusing
                                || (node.mood == Mood::RefusesLast && hash == stages.back());
        switch (doesRefuse ? Mood::Refusing : node.mood) {
        case Mood::Refusing:
            machine->onSent(
                name, SendOutcome::Rejected, "no", {{"routes[0]", 1, 2, "x", "no"}}, now
            );
            return;
        case Mood::Silent:
            machine->onSent(name, SendOutcome::Unreachable, "gone", {}, now);
            return;
        case Mood::Mute:
            outcome = SendOutcome::Unreachable;
            [[fallthrough]];
        case Mood::Willing:
        case Mood::RefusesLast:
            node.hash = hash;
            node.ran.push_back(hash);
            break;
        case Mood::Forgetful:
            break;
        }
        machine->onSent(name, outcome, {}, {}, now);
    }
};

} // namespace mesh::test
