// What a push does next, by what it knows.

#include "app/fleet/rollout_machine.h"
#include "app/fleet/rollout_words.h"

#include <fmt/format.h>

#include <algorithm>

namespace mesh::fleet {
namespace {

bool hasChange(NodePhase phase)
{
    return phase == NodePhase::Applied || phase == NodePhase::Baking || phase == NodePhase::Done;
}

} // namespace

std::vector<RolloutAction> RolloutMachine::step(WallTime now)
{
    expireAnswers(now);
    // Each turn of it ends something; a push cannot end more than its waves and itself.
    for (std::size_t turn = 0; turn < 4 * m_rollout.waves.size() + 4; ++turn) {
        const RolloutState state = m_rollout.state;
        const std::size_t wave = m_rollout.wave;
        const WaveState waveState =
            m_rollout.waves.empty() ? WaveState::Done : m_rollout.waves[wave].state;
        switch (state) {
        case RolloutState::Running:
        case RolloutState::Held:
            if (judge(Evidence::Enough, now) && state == RolloutState::Running) {
                advance(now);
            }
            break;
        case RolloutState::Stopping:
            settleStopping(now);
            break;
        case RolloutState::RollingBack:
            settleRollBack(now);
            break;
        case RolloutState::Partial:
            settleReturned(now);
            break;
        default:
            break;
        }
        const bool isSame =
            state == m_rollout.state && wave == m_rollout.wave
            && (m_rollout.waves.empty() || waveState == m_rollout.waves[m_rollout.wave].state);
        if (isSame) {
            break;
        }
    }
    std::vector<RolloutAction> actions;
    const std::size_t slowest = slowestStage();
    for (std::size_t at = 0; at < m_nodes.size(); ++at) {
        collect(at, slowest, now, actions);
    }
    return actions;
}

void RolloutMachine::collect(
    std::size_t at, std::size_t slowest, WallTime now, std::vector<RolloutAction>& actions
)
{
    Node& state = m_nodes[at];
    NodeProgress& progress = m_rollout.nodes[at];
    if (state.awaits != Node::Awaits::Nothing) {
        return;
    }
    const auto await = [&](Node::Awaits what) {
        state.awaits = what;
        state.answerUntil = after(now, m_rollout.plan.answerMax);
    };
    const bool isPoll = !state.mustRead && !state.isReachable && waitsForReturn(at);
    if (state.mustRead || isPoll) {
        if (now >= state.askAt) {
            await(Node::Awaits::Hash);
            actions.emplace_back(ReadBack{progress.name});
        }
        return;
    }
    if (goesBack(at)) {
        if (state.isReachable) {
            state.isBackward = true;
            ++state.sends;
            await(Node::Awaits::Answer);
            actions.emplace_back(SendBefore{progress.name, progress.hashNow});
        }
        return;
    }
    if (maySend(at) && state.next <= slowest) {
        progress.phase = NodePhase::Sent;
        progress.sentAt = now;
        progress.text.clear();
        state.isInDoubt = true;
        ++state.sends;
        await(Node::Awaits::Answer);
        actions.emplace_back(SendStage{progress.name, state.next, progress.hashNow});
    }
}

bool RolloutMachine::maySend(std::size_t at) const
{
    const Node& state = m_nodes[at];
    const bool mayGoOn =
        m_rollout.state == RolloutState::Running || m_rollout.state == RolloutState::Partial;
    return mayGoOn && isOnItsWay(at) && state.isReachable && state.next < m_stageHashes.size();
}

// Its wave has begun and it does not have everything yet.
bool RolloutMachine::isOnItsWay(std::size_t at) const
{
    const NodeProgress& progress = m_rollout.nodes[at];
    const WaveState wave = m_rollout.waves[progress.wave].state;
    const bool hasBegun = wave != WaveState::Waiting && wave != WaveState::Held;
    return hasBegun
           && (progress.phase == NodePhase::Queued || progress.phase == NodePhase::Sent
               || progress.phase == NodePhase::Acknowledged);
}

bool RolloutMachine::waitsForReturn(std::size_t at) const
{
    const NodePhase phase = m_rollout.nodes[at].phase;
    if (phase == NodePhase::SetAside) {
        return mayGoForward();
    }
    return goesBack(at) || (isLeftBehind(phase) && m_nodes[at].isInDoubt);
}

bool RolloutMachine::waitsForNodes() const
{
    if (m_rollout.state == RolloutState::Partial) {
        return true;
    }
    for (std::size_t at = 0; at < m_nodes.size(); ++at) {
        if (isUnsettled(at) || waitsForReturn(at)) {
            return true;
        }
    }
    return false;
}

bool RolloutMachine::isPending(std::size_t at) const
{
    return m_nodes[at].mustRead || m_nodes[at].awaits == Node::Awaits::Answer;
}

std::size_t RolloutMachine::slowestStage() const
{
    std::size_t slowest = m_stageHashes.size();
    for (std::size_t at = 0; at < m_nodes.size(); ++at) {
        if (isOnItsWay(at) && m_nodes[at].isReachable) {
            slowest = std::min(slowest, m_nodes[at].next);
        }
    }
    return slowest;
}

// Told to be gone between two of its stages: it is waited for no longer.
void RolloutMachine::setGoneAside(WallTime now)
{
    for (std::size_t at = 0; at < m_nodes.size(); ++at) {
        if (isOnItsWay(at) && !m_nodes[at].isReachable && !isPending(at)) {
            m_nodes[at].hasAcknowledged = false;
            m_nodes[at].askAt = now;
            setAside(at, "cannot be reached any more", now);
        }
    }
}

void RolloutMachine::advance(WallTime now)
{
    setGoneAside(now);
    WaveProgress& wave = m_rollout.waves[m_rollout.wave];
    switch (wave.state) {
    case WaveState::Waiting:
    case WaveState::Held:
        beginWave(now);
        return;
    case WaveState::Sending:
        for (std::size_t at = 0; at < m_nodes.size(); ++at) {
            if (m_rollout.nodes[at].wave == m_rollout.wave && (isUnsettled(at) || isOnItsWay(at))) {
                return;
            }
        }
        endSending(now);
        return;
    case WaveState::Baking:
        bake(now);
        return;
    case WaveState::Done:
        if (m_rollout.wave + 1 < m_rollout.waves.size()) {
            ++m_rollout.wave;
        } else {
            finish(now);
        }
        return;
    case WaveState::Failed:
        return;
    }
}

void RolloutMachine::beginWave(WallTime now)
{
    m_rollout.waves[m_rollout.wave].state = WaveState::Sending;
    m_sendingSince = now;
    m_isBakeCut = false;
    m_isVerifying = false;
    bool isFailed = false;
    for (std::size_t at = 0; at < m_nodes.size(); ++at) {
        if (m_rollout.nodes[at].wave != m_rollout.wave
            || m_rollout.nodes[at].phase != NodePhase::Queued) {
            continue;
        }
        if (!m_nodes[at].isReachable) {
            const std::string& why = m_nodes[at].absentBecause;
            setAside(at, "cannot be reached" + (why.empty() ? "" : ": " + why), now);
            m_nodes[at].askAt = now;
            isFailed = isFailed || m_rollout.plan.absent == AbsentNode::Failure;
        } else if (m_nodes[at].next == m_stageHashes.size()) {
            readSoon(at, now); // It is said to run the revision already; that is proven, too.
        }
    }
    if (isFailed) {
        failPlan("a node cannot be reached", now);
    }
}

void RolloutMachine::endSending(WallTime now)
{
    WaveProgress& wave = m_rollout.waves[m_rollout.wave];
    std::size_t applied = 0;
    bool isRefused = false;
    bool isGone = false;
    for (NodeProgress& node : m_rollout.nodes) {
        if (node.wave == m_rollout.wave) {
            applied += hasChange(node.phase) ? 1U : 0U;
            isGone = isGone || node.phase == NodePhase::Unreachable;
            isRefused = isRefused || node.phase == NodePhase::Rejected
                        || node.phase == NodePhase::Drifted || node.phase == NodePhase::Superseded;
        }
    }
    note(
        now,
        fmt::format(
            "wave {} applied on {} of {} in {:.1f} s",
            m_rollout.wave + 1,
            applied,
            wave.nodes.size(),
            toSeconds(now - m_sendingSince)
        ),
        applied != wave.nodes.size()
    );
    if (isGone && m_rollout.plan.absent == AbsentNode::Failure) {
        failPlan("a node cannot be reached", now);
        return;
    }
    if (applied == 0 && isRefused) {
        failPlan(fmt::format("no node of wave {} took it", m_rollout.wave + 1), now);
        return;
    }
    if (applied == 0 && m_rollout.wave + 1 < m_rollout.waves.size()) {
        wave.state = WaveState::Done;
        m_rollout.state = RolloutState::Held;
        note(now, "held: nothing was tried yet, because no node of the wave can be reached", true);
        return;
    }
    wave.state = WaveState::Baking;
    wave.bakingSince = now;
    for (NodeProgress& node : m_rollout.nodes) {
        if (node.wave == m_rollout.wave && node.phase == NodePhase::Applied) {
            node.phase = NodePhase::Baking;
        }
    }
    if (m_rollout.plan.bake == Duration{} || applied == 0) {
        endWave(now); // What was read just now needs not be read again.
    }
}

void RolloutMachine::bake(WallTime now)
{
    WaveProgress& wave = m_rollout.waves[m_rollout.wave];
    if (!m_isVerifying) {
        wave.baked = std::max(Duration{}, Duration(now - wave.bakingSince));
        if (wave.baked < m_rollout.plan.bake && !m_isBakeCut) {
            return;
        }
        if (!judge(m_isBakeCut ? Evidence::Enough : Evidence::Any, now)) {
            return;
        }
        m_isVerifying = true;
        for (std::size_t at = 0; at < m_nodes.size(); ++at) {
            if (m_rollout.nodes[at].wave == m_rollout.wave
                && m_rollout.nodes[at].phase == NodePhase::Baking) {
                readSoon(at, now);
            }
        }
    }
    for (std::size_t at = 0; at < m_nodes.size(); ++at) {
        if (m_rollout.nodes[at].wave == m_rollout.wave && isUnsettled(at)) {
            return;
        }
    }
    endWave(now);
}

void RolloutMachine::endWave(WallTime now)
{
    m_rollout.waves[m_rollout.wave].state = WaveState::Done;
    m_isVerifying = false;
    m_isBakeCut = false;
    for (NodeProgress& node : m_rollout.nodes) {
        if (node.wave == m_rollout.wave
            && (node.phase == NodePhase::Applied || node.phase == NodePhase::Baking)) {
            node.phase = NodePhase::Done;
        }
    }
    if (m_rollout.wave + 1 == m_rollout.waves.size()) {
        return;
    }
    ++m_rollout.wave;
    for (GateProgress& gate : m_rollout.gates) {
        gate = {gate.rule, GateState::NoData, 0, 0, 0};
    }
    if (m_rollout.plan.advance == WaveAdvance::Manual) {
        m_rollout.waves[m_rollout.wave].state = WaveState::Held;
        m_rollout.state = RolloutState::Held;
        note(now, fmt::format("held before wave {}", m_rollout.wave + 1), false);
    }
}

void RolloutMachine::finish(WallTime now)
{
    std::size_t done = 0;
    for (std::size_t at = 0; at < m_nodes.size(); ++at) {
        if (isUnsettled(at) || isOnItsWay(at)) {
            return;
        }
        done += m_rollout.nodes[at].phase == NodePhase::Done ? 1U : 0U;
    }
    const bool isAll = done == m_nodes.size();
    note(
        now,
        fmt::format(
            "{} of {} nodes run it, read back, after {:.1f} s",
            done,
            m_nodes.size(),
            toSeconds(now - m_rollout.startedAt)
        ),
        !isAll
    );
    end(isAll ? RolloutState::Done : RolloutState::Partial, now);
}

void RolloutMachine::hold(WallTime now)
{
    if (m_rollout.state == RolloutState::Running) {
        m_rollout.state = RolloutState::Held;
        note(now, "held", false);
    }
}

void RolloutMachine::continueNow(WallTime now)
{
    const bool isRunning = m_rollout.state == RolloutState::Running;
    const bool isBaking = isRunning && m_rollout.waves[m_rollout.wave].state == WaveState::Baking;
    if (m_rollout.state == RolloutState::Held) {
        m_rollout.state = RolloutState::Running;
        note(now, "continued", false);
    } else if (isBaking) {
        m_isBakeCut = true;
        note(now, "the bake was ended before its time", false);
    }
}

void RolloutMachine::stop(WallTime now)
{
    const bool mayBeStopped = !isOver(m_rollout.state) || m_rollout.state == RolloutState::Partial;
    if (!mayBeStopped || m_rollout.state == RolloutState::Stopping) {
        return;
    }
    note(now, "stopped: no node gets anything any more", false);
    m_rollout.state = RolloutState::Stopping;
    stopAll();
}

// What has not begun never will.
void RolloutMachine::stopAll()
{
    for (std::size_t at = 0; at < m_nodes.size(); ++at) {
        NodeProgress& node = m_rollout.nodes[at];
        if (isPending(at)) {
            continue;
        }
        switch (node.phase) {
        case NodePhase::Queued:
            node.phase = NodePhase::NotTouched;
            node.text = "stopped before its turn";
            break;
        case NodePhase::SetAside:
            node.phase = NodePhase::Unreachable;
            node.text = "was not reached before the stop";
            break;
        case NodePhase::Sent:
        case NodePhase::Acknowledged:
            if (isStranded(at)) {
                node.phase = NodePhase::RollingBack;
                m_nodes[at].sends = 0;
                m_nodes[at].hasAcknowledged = false;
            } else if (node.hashNow == node.hashBefore) {
                node.phase = NodePhase::NotTouched;
                node.text = "stopped before its turn";
            } else {
                node.phase = NodePhase::Drifted;
                node.text = fmt::format(
                    "stopped after step {} of {} of the revision: what it ran before is not known",
                    stageOf(node.hashNow),
                    m_stageHashes.size()
                );
            }
            break;
        case NodePhase::Baking:
            node.phase = NodePhase::Applied;
            break;
        case NodePhase::RollingBack: // Nobody stays between two steps, not even by a stop.
            if (!isStranded(at)) {
                node.phase = NodePhase::Drifted;
                node.text = "stopped before it went back";
            }
            break;
        default:
            break;
        }
    }
}

void RolloutMachine::settleStopping(WallTime now)
{
    stopAll();
    for (std::size_t at = 0; at < m_nodes.size(); ++at) {
        if (isUnsettled(at)) {
            return;
        }
    }
    bool isFailed = false;
    for (WaveProgress& wave : m_rollout.waves) {
        isFailed = isFailed || wave.state == WaveState::Failed;
        if (wave.state == WaveState::Sending || wave.state == WaveState::Baking) {
            wave.state = WaveState::Held;
        }
    }
    end(isFailed ? RolloutState::Failed : RolloutState::Stopped, now);
}

// A node that was absent came, after everything else was over.
void RolloutMachine::settleReturned(WallTime now)
{
    bool isDone = true;
    bool isBack = false;
    bool isAnywhere = false;
    for (std::size_t at = 0; at < m_nodes.size(); ++at) {
        const NodePhase phase = m_rollout.nodes[at].phase;
        isDone = isDone && phase == NodePhase::Done;
        isBack = isBack || phase == NodePhase::RolledBack;
        isAnywhere = isAnywhere || hasChange(phase) || isStranded(at);
        if (phase == NodePhase::Drifted || phase == NodePhase::Superseded || goesBack(at)
            || isPending(at)) {
            return;
        }
    }
    if (isDone) {
        note(now, "every node runs it, read back", false);
        end(RolloutState::Done, now);
    } else if (isBack && !isAnywhere) {
        note(now, "every node went back, read back", false);
        end(RolloutState::RolledBack, now);
    }
}

} // namespace mesh::fleet
