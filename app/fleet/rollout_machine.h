#pragma once

#include "app/fleet/rollout.h"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace mesh::fleet {

struct ExpectedNode
{
    std::string name;
    std::string role;
    std::string zone;
    std::string hash; // What it runs now; empty: unknown.
    bool isReachable = true;
    WallTime seenAt{};
    std::optional<NodeFigures> before;
};

// One thing that whoever drives the machine must do.
struct SendStage // Make the node run stage `stage` of the revision (make before break).
{
    std::string node;
    std::size_t stage = 0;
    std::string onlyIfHash; // What it must run before; empty: anything.
};
struct ReadBack
{
    std::string node;
};
struct SendBefore // Make the node run again what it ran before the push.
{
    std::string node;
};
using RolloutAction = std::variant<SendStage, ReadBack, SendBefore>;

enum class SendOutcome : std::uint8_t { Acknowledged, Rejected, Superseded, Unreachable };

// Decides what happens next in a push; does nothing itself. Time and observations in, actions out.
//
// A wave is sent to all its nodes at once, stage by stage: no node gets the last stage before every
// reachable node of the push's waves so far has the one before. A node is applied when the hash
// read back is the revision's. Gates are judged once a second over nodes that have the change.
// Stop wins in every state: after stop() no SendStage is ever given out.
// Source: the states of reference "Push: review, rollout, rollback"; the order of adding before
// switching before removing.
class RolloutMachine
{
public:
    RolloutMachine(
        RolloutPlan plan,
        std::vector<std::string> stageHashes, // Of each stage; the last is the revision's.
        std::vector<ExpectedNode> nodes,
        WallTime now
    );
    // Goes on with what toJson() kept: nodes that were sent are read back first.
    RolloutMachine(Rollout rollout, std::vector<std::string> stageHashes, WallTime now);

    [[nodiscard]] const Rollout& rollout() const { return m_rollout; }
    [[nodiscard]] Rollout& words() { return m_rollout; } // Revision numbers and message.

    // What is to be done now; call again after each observation and at least once a second.
    [[nodiscard]] std::vector<RolloutAction> step(WallTime now);

    void onSent(
        const std::string& node,
        SendOutcome outcome,
        const std::string& text,
        std::vector<NodeProblem> problems,
        WallTime now
    );
    // Empty hash: it could not be read.
    void onReadBack(const std::string& node, const std::string& hash, WallTime now);
    void onFigures(const std::string& node, const NodeFigures& sinceApplied, WallTime now);
    void onReachable(const std::string& node, bool isReachable, WallTime now);

    void hold(WallTime now);
    void continueNow(WallTime now); // Ends a hold, or a bake before its time.
    void stop(WallTime now);
    void rollBack(WallTime now, const std::string& why); // Allowed at any time, also when done.

private:
    struct Node;
    // The implementation adds its private members here.
    Rollout m_rollout;
    std::vector<std::string> m_stageHashes;
};

} // namespace mesh::fleet
