#pragma once

#include "app/fleet/rollout.h"

#include <cstdint>
#include <string>
#include <utility>
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
    std::string absentBecause = {}; // In words, of a node that is not reachable.
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
    std::string onlyIfHash; // As of SendStage.
};
using RolloutAction = std::variant<SendStage, ReadBack, SendBefore>;

enum class SendOutcome : std::uint8_t { Acknowledged, Rejected, Superseded, Unreachable };

// Decides what happens next in a push; does nothing itself. Time and observations in, actions out.
//
// A wave is sent to all its nodes at once, stage by stage: no node gets the last stage before every
// reachable node of the push's waves so far has the one before. A node is applied when the hash
// read back is the revision's. Gates are judged once a second over nodes that have the change.
// Stop wins in every state: after stop() no SendStage is ever given out. A node that runs a stage
// in between and will not get the last one (it refused, it was stopped, it drifted) goes back to
// what it ran before, whatever the state, also after the end when it returns late. Source: the
// states of reference "Push: review, rollout, rollback"; the order of adding before switching
// before removing.
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

    // Whether a push that is over is still to be stepped: a node is to get it, or to go back, when
    // it returns.
    [[nodiscard]] bool waitsForNodes() const;

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
    // What is under way with one node and not kept; the rest is in NodeProgress.
    struct Node
    {
        enum class Awaits : std::uint8_t { Nothing, Answer, Hash };
        Awaits awaits = Awaits::Nothing;
        bool isBackward = false; // What is awaited answers a SendBefore.
        bool mustRead = false; // Nothing else before its hash was read.
        bool isInDoubt = false; // It was sent a stage and has not been read since.
        bool cannotGoBack = false; // It was tried, and told.
        bool hasAcknowledged = false; // The last send; so it must run what was sent.
        bool isReachable = true;
        bool wasReachable = true; // When the push began.
        std::string absentBecause; // When the push began.
        std::size_t next = 0; // The stage it gets next; the number of stages: it has all.
        int sends = 0; // In a row without knowing of any effect.
        WallTime answerUntil{}; // Of what is awaited.
        WallTime askAt{}; // Not before, its hash is asked for.
        WallTime giveUpAt{}; // Then it counts as unreachable.
    };

    enum class Evidence : std::uint8_t { Enough, Any };

    [[nodiscard]] static WallTime after(WallTime time, Duration span)
    {
        return time + std::chrono::duration_cast<WallTime::duration>(span);
    }

    // rollout_machine.cpp: what was observed.
    void makeWaves(const std::vector<ExpectedNode>& nodes);
    void indexNodes();
    [[nodiscard]] std::size_t find(const std::string& node) const;
    [[nodiscard]] std::size_t stageOf(const std::string& hash) const;
    void onSentForward(std::size_t at, SendOutcome outcome, const std::string& text, WallTime now);
    void onHash(std::size_t at, WallTime now);
    void readForward(std::size_t at, WallTime now);
    void readSoon(std::size_t at, WallTime now);
    void onApplied(std::size_t at, WallTime now);
    void drift(std::size_t at, std::string text, WallTime now);
    void giveUp(std::size_t at, WallTime now);
    void setAside(std::size_t at, std::string text, WallTime now);
    void expireAnswers(WallTime now);

    // rollout_steps.cpp: what follows from it.
    void advance(WallTime now);
    void setGoneAside(WallTime now);
    void beginWave(WallTime now);
    void endSending(WallTime now);
    void bake(WallTime now);
    void endWave(WallTime now);
    void finish(WallTime now);
    void settleStopping(WallTime now);
    void settleReturned(WallTime now);
    void collect(
        std::size_t at, std::size_t slowest, WallTime now, std::vector<RolloutAction>& actions
    );
    [[nodiscard]] bool maySend(std::size_t at) const;
    [[nodiscard]] bool mayGoForward() const;
    [[nodiscard]] bool waitsForReturn(std::size_t at) const;
    [[nodiscard]] bool isPending(std::size_t at) const;
    [[nodiscard]] bool isOnItsWay(std::size_t at) const;
    [[nodiscard]] std::size_t slowestStage() const;
    void stopAll();

    // rollout_back.cpp: nodes that go back to what they ran before.
    [[nodiscard]] bool isStranded(std::size_t at) const;
    [[nodiscard]] bool goesBack(std::size_t at) const;
    [[nodiscard]] bool isUnsettled(std::size_t at) const;
    void beginRollBackOf(std::size_t at);
    void settleRollBack(WallTime now);
    void onSentBackward(std::size_t at, SendOutcome outcome, const std::string& text, WallTime now);
    void readBackward(std::size_t at, WallTime now);
    void readLeftBehind(std::size_t at, WallTime now);
    void tellWayBack(std::size_t at, WallTime now);
    void failToGoBack(std::size_t at, const std::string& why, WallTime now);

    // rollout_gates.cpp
    [[nodiscard]] bool judge(Evidence evidence, WallTime now);
    void judgeGate(GateProgress& gate, Evidence evidence) const;
    void failPlan(const std::string& why, WallTime now);

    void note(WallTime now, std::string text, bool isBad);
    void end(RolloutState state, WallTime now);

    Rollout m_rollout;
    std::vector<std::string> m_stageHashes;
    std::vector<Node> m_nodes; // As m_rollout.nodes.
    std::vector<std::pair<std::string, std::size_t>> m_index; // Sorted by name.
    WallTime m_judgedAt{};
    WallTime m_sendingSince{};
    bool m_isBakeCut = false; // continueNow() ends it before its time.
    bool m_isVerifying = false; // The bake is over; hashes are read a second time.
};

} // namespace mesh::fleet
