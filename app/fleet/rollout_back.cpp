// Nodes that go back to what they ran before: all of them when a push is rolled back, and each one
// that runs a stage in between and will not get the last.

#include "app/fleet/rollout_machine.h"
#include "app/fleet/rollout_words.h"

#include <fmt/format.h>

#include <utility>

namespace mesh::fleet {

// It runs, as far as is known, what is nobody's revision: a document between the two.
bool RolloutMachine::isStranded(std::size_t at) const
{
    const NodeProgress& node = m_rollout.nodes[at];
    const std::size_t stage = stageOf(node.hashNow);
    return stage > 0 && stage < m_stageHashes.size() && node.hashNow != node.hashBefore
           && !node.hashBefore.empty();
}

bool RolloutMachine::goesBack(std::size_t at) const
{
    const NodePhase phase = m_rollout.nodes[at].phase;
    return phase == NodePhase::RollingBack
           || (isLeftBehind(phase) && !m_nodes[at].cannotGoBack && isStranded(at));
}

// Something is on its way, or will be at the next step.
bool RolloutMachine::isUnsettled(std::size_t at) const
{
    return isPending(at) || (goesBack(at) && m_nodes[at].isReachable);
}

void RolloutMachine::rollBack(WallTime now, const std::string& why)
{
    if (m_rollout.state == RolloutState::RollingBack || m_rollout.nodes.empty()) {
        return;
    }
    note(now, why.empty() ? "rolling back" : "rolling back: " + why, true);
    m_rollout.state = RolloutState::RollingBack;
    m_rollout.endedAt = {};
    for (WaveProgress& wave : m_rollout.waves) {
        if (wave.state == WaveState::Sending || wave.state == WaveState::Baking) {
            wave.state = WaveState::Failed;
        }
    }
    for (std::size_t at = 0; at < m_nodes.size(); ++at) {
        beginRollBackOf(at);
    }
}

void RolloutMachine::beginRollBackOf(std::size_t at)
{
    Node& state = m_nodes[at];
    NodeProgress& node = m_rollout.nodes[at];
    const bool isInDoubt =
        isPending(at) || (!state.isReachable && node.phase != NodePhase::RolledBack);
    const bool runsAStage = stageOf(node.hashNow) > 0 && node.hashNow != node.hashBefore;
    state.cannotGoBack = false; // It is asked for anew.
    if (node.phase == NodePhase::Rejected && node.hashNow != m_rollout.hash) {
        return; // Its words stay; it goes back by itself from whatever it took.
    }
    if (node.sentAt == WallTime{} || (!isInDoubt && !runsAStage)) {
        const bool isUntouched = node.sentAt == WallTime{};
        if (isUntouched && node.phase != NodePhase::Unreachable) {
            node.phase = NodePhase::NotTouched;
            node.text = "rolled back before its turn";
            state.mustRead = false;
        }
        return;
    }
    state.sends = 0;
    state.hasAcknowledged = false;
    if (node.hashBefore.empty()) {
        node.phase = NodePhase::Drifted;
        node.text = "keeps what it runs: what it ran before is not known";
        return;
    }
    node.phase = NodePhase::RollingBack;
    node.text.clear();
}

void RolloutMachine::settleRollBack(WallTime now)
{
    bool isAll = true;
    std::size_t back = 0;
    for (std::size_t at = 0; at < m_nodes.size(); ++at) {
        const NodePhase phase = m_rollout.nodes[at].phase;
        if (isUnsettled(at)) {
            return;
        }
        back += phase == NodePhase::RolledBack ? 1U : 0U;
        isAll = isAll && !goesBack(at) && !isStranded(at) && phase != NodePhase::Drifted
                && phase != NodePhase::Superseded;
    }
    note(now, fmt::format("{} nodes went back, read back", back), !isAll);
    end(isAll ? RolloutState::RolledBack : RolloutState::Partial, now);
}

// Also of a stage that was on its way when going back began: what it did is read first.
void RolloutMachine::onSentBackward(
    std::size_t at, SendOutcome outcome, const std::string& text, WallTime now
)
{
    Node& state = m_nodes[at];
    NodeProgress& progress = m_rollout.nodes[at];
    const bool isBackward = std::exchange(state.isBackward, false);
    state.hasAcknowledged = state.hasAcknowledged && isBackward;
    readSoon(at, now);
    if (outcome == SendOutcome::Unreachable) {
        if (progress.phase == NodePhase::RollingBack) {
            progress.text = text;
        }
        state.askAt = after(now, kAskAgain);
    } else if (isBackward && outcome == SendOutcome::Rejected) {
        failToGoBack(at, "could not go back: " + text, now);
    }
}

void RolloutMachine::readBackward(std::size_t at, WallTime now)
{
    Node& state = m_nodes[at];
    NodeProgress& progress = m_rollout.nodes[at];
    if (progress.hashNow == progress.hashBefore) {
        const bool isAsked = m_rollout.state == RolloutState::RollingBack
                             || m_rollout.state == RolloutState::Partial;
        progress.phase = NodePhase::RolledBack;
        progress.text = isAsked ? "" : "stopped between two steps: went back to what it ran before";
        state.next = stageOf(progress.hashNow);
    } else if (stageOf(progress.hashNow) == 0) {
        drift(
            at, fmt::format("runs {}, which is not overwritten", shortHash(progress.hashNow)), now
        );
    } else if (state.hasAcknowledged) {
        failToGoBack(
            at,
            fmt::format("acknowledged going back, but runs {}", shortHash(progress.hashNow)),
            now
        );
    } else if (state.sends >= kSendsMax) {
        giveUp(at, now);
    }
    state.hasAcknowledged = false;
}

// Of a node that gets nothing more; where it runs a stage in between, it goes back.
void RolloutMachine::readLeftBehind(std::size_t at, WallTime now)
{
    Node& state = m_nodes[at];
    const NodeProgress& progress = m_rollout.nodes[at];
    const std::size_t stage = stageOf(progress.hashNow);
    const bool isBetween = stage > 0 && stage < m_stageHashes.size();
    if (isBetween && progress.hashBefore.empty() && !state.cannotGoBack) {
        const std::size_t stages = m_stageHashes.size();
        failToGoBack(
            at, fmt::format("keeps step {} of {}: it ran nothing before", stage, stages), now
        );
    } else if (goesBack(at) && state.hasAcknowledged) {
        const std::string hash = shortHash(progress.hashNow);
        failToGoBack(at, fmt::format("acknowledged going back, but runs {}", hash), now);
    } else if (goesBack(at) && state.sends >= kSendsMax) {
        giveUp(at, now);
    }
    state.hasAcknowledged = false;
}

// After its hash was read and is no longer that of a stage in between.
void RolloutMachine::tellWayBack(std::size_t at, WallTime now)
{
    NodeProgress& progress = m_rollout.nodes[at];
    if (progress.hashNow != progress.hashBefore || !isLeftBehind(progress.phase)) {
        return;
    }
    const std::string_view words = "went back to what it ran before";
    if (progress.phase == NodePhase::Unreachable) { // It is not, any more.
        progress.phase = NodePhase::RolledBack;
        progress.text = fmt::format("{} when it returned", words);
    } else {
        progress.text += fmt::format("{}{}", progress.text.empty() ? "" : "; ", words);
    }
    note(now, fmt::format("{} {}", progress.name, words), false);
}

void RolloutMachine::failToGoBack(std::size_t at, const std::string& why, WallTime now)
{
    NodeProgress& progress = m_rollout.nodes[at];
    m_nodes[at].cannotGoBack = true;
    m_nodes[at].sends = 0;
    if (progress.phase == NodePhase::RollingBack) {
        drift(at, why, now);
        return;
    }
    progress.text += (progress.text.empty() ? "" : "; ") + why;
    note(now, fmt::format("{}: {}", progress.name, why), true);
}

} // namespace mesh::fleet
