// What a push learns: answers, hashes, figures. What it does about it is in rollout_steps.cpp.

#include "app/fleet/rollout_machine.h"

#include "app/fleet/limits.h"
#include "app/fleet/rollout_words.h"
#include "proxyengine/base/assert.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mesh::fleet {
namespace {

constexpr Duration kReturnPoll = std::chrono::seconds(5); // Of a node that is gone.
constexpr Duration kBakeDefault = std::chrono::seconds(30); // Thirty frames; gates need some.

bool needsFigures(const GateRule& rule)
{
    return rule.quantity == GateQuantity::ErrorRatio || rule.quantity == GateQuantity::P95
           || rule.quantity == GateQuantity::Ejections;
}

std::size_t shareOf(double share, std::size_t count)
{
    const double nodes = std::ceil(share * static_cast<double>(count) - 1e-9);
    return std::min(count, static_cast<std::size_t>(nodes));
}

} // namespace

RolloutMachine::RolloutMachine(
    RolloutPlan plan,
    std::vector<std::string> stageHashes,
    std::vector<ExpectedNode> nodes,
    WallTime now
)
    : m_stageHashes(std::move(stageHashes))
{
    MESH_ASSERT(!m_stageHashes.empty());
    m_rollout.plan = std::move(plan);
    m_rollout.hash = m_stageHashes.back();
    m_rollout.startedAt = now;
    if (m_rollout.plan.bake == Duration{}
        && std::ranges::any_of(m_rollout.plan.gates, needsFigures)) {
        m_rollout.plan.bake = kBakeDefault;
    }
    for (const GateRule& rule : m_rollout.plan.gates) {
        m_rollout.gates.push_back({rule, GateState::NoData, 0, 0, 0});
    }
    std::ranges::sort(nodes, {}, &ExpectedNode::name);
    const auto sameName = [](const ExpectedNode& a, const ExpectedNode& b) {
        return a.name == b.name;
    };
    nodes.erase(std::unique(nodes.begin(), nodes.end(), sameName), nodes.end());
    makeWaves(nodes);
    indexNodes();
    if (nodes.empty()) {
        note(now, "no node is expected: nothing was pushed", true);
        end(RolloutState::Failed, now);
    }
}

RolloutMachine::RolloutMachine(Rollout rollout, std::vector<std::string> stageHashes, WallTime now)
    : m_rollout(std::move(rollout))
    , m_stageHashes(std::move(stageHashes))
    , m_nodes(m_rollout.nodes.size())
    , m_sendingSince(now)
{
    MESH_ASSERT(!m_stageHashes.empty());
    indexNodes();
    for (std::size_t at = 0; at < m_nodes.size(); ++at) {
        const NodeProgress& progress = m_rollout.nodes[at];
        Node& node = m_nodes[at];
        node.next = stageOf(progress.hashNow);
        const bool isUnknown = progress.phase == NodePhase::Queued && progress.hashNow.empty()
                               && progress.seenAt == WallTime{};
        node.isReachable = progress.phase != NodePhase::Unreachable
                           && progress.phase != NodePhase::SetAside && !isUnknown;
        node.wasReachable = node.isReachable;
        const bool isInDoubt =
            progress.phase == NodePhase::Sent || progress.phase == NodePhase::Acknowledged
            || progress.phase == NodePhase::Applied || progress.phase == NodePhase::Baking
            || progress.phase == NodePhase::Done || progress.phase == NodePhase::RollingBack;
        const bool isLeft = isLeftBehind(progress.phase) && progress.sentAt != WallTime{};
        node.isInDoubt = progress.sentAt != WallTime{};
        if ((isInDoubt && !isOver(m_rollout.state)) || (isLeft && node.isReachable)) {
            readSoon(at, now);
        }
    }
    if (!isOver(m_rollout.state)) {
        note(now, "taken up again: what each node runs is read first", false);
    }
}

// Every wave gets the first nodes by name that no wave before has; the canary is one that can be
// reached, if any can.
void RolloutMachine::makeWaves(const std::vector<ExpectedNode>& nodes)
{
    std::vector<bool> isTaken(nodes.size(), false);
    std::size_t taken = 0;
    for (std::size_t each = 0; each < m_rollout.plan.waves.size(); ++each) {
        const WaveSpec& spec = m_rollout.plan.waves[each];
        const bool isLast = each + 1 == m_rollout.plan.waves.size();
        std::size_t wanted = isLast ? nodes.size() : shareOf(spec.share, nodes.size());
        std::vector<std::size_t> members;
        const auto take = [&](std::size_t at) {
            isTaken[at] = true;
            ++taken;
            members.push_back(at);
        };
        for (std::size_t at = 0; spec.kind == WaveSpec::Kind::Named && at < nodes.size(); ++at) {
            if (!isTaken[at] && std::ranges::find(spec.nodes, nodes[at].name) != spec.nodes.end()) {
                take(at);
            }
        }
        if (spec.kind == WaveSpec::Kind::Canary && !isLast) {
            const auto canary = std::ranges::find_if(nodes, [&](const ExpectedNode& node) {
                return node.isReachable && !isTaken[static_cast<std::size_t>(&node - nodes.data())];
            });
            if (canary != nodes.end()) {
                take(static_cast<std::size_t>(canary - nodes.begin()));
            }
            wanted = taken == 0 ? 1 : taken;
        } else if (spec.kind == WaveSpec::Kind::Named && !isLast) {
            wanted = taken;
        }
        for (std::size_t at = 0; at < nodes.size() && taken < wanted; ++at) {
            if (!isTaken[at]) {
                take(at);
            }
        }
        if (members.empty()) {
            continue;
        }
        WaveProgress wave;
        wave.label = toText(spec);
        for (const std::size_t at : members) {
            const ExpectedNode& node = nodes[at];
            wave.nodes.push_back(node.name);
            NodeProgress progress;
            progress.name = node.name;
            progress.role = node.role;
            progress.zone = node.zone;
            progress.wave = m_rollout.waves.size();
            progress.hashBefore = node.hash;
            progress.hashNow = node.hash;
            // Never seen, and what it runs is not known: so it is known to be absent when kept.
            const bool isUnknown = !node.isReachable && node.hash.empty();
            progress.seenAt = isUnknown ? WallTime{} : node.seenAt;
            if (node.isReachable && node.seenAt == WallTime{}) {
                progress.seenAt = m_rollout.startedAt;
            }
            progress.before = node.before;
            m_rollout.nodes.push_back(std::move(progress));
            Node state;
            state.isReachable = node.isReachable;
            state.wasReachable = node.isReachable;
            state.absentBecause = node.absentBecause;
            state.next = stageOf(node.hash);
            m_nodes.push_back(state);
        }
        m_rollout.waves.push_back(std::move(wave));
    }
}

void RolloutMachine::indexNodes()
{
    for (std::size_t at = 0; at < m_rollout.nodes.size(); ++at) {
        m_index.emplace_back(m_rollout.nodes[at].name, at);
    }
    std::ranges::sort(m_index);
}

// The number of nodes when it is none of them.
std::size_t RolloutMachine::find(const std::string& node) const
{
    const auto found =
        std::ranges::lower_bound(m_index, node, {}, &std::pair<std::string, std::size_t>::first);
    return found == m_index.end() || found->first != node ? m_nodes.size() : found->second;
}

// The stage that comes after the one with this hash; the first when it is none of them.
std::size_t RolloutMachine::stageOf(const std::string& hash) const
{
    const auto found = std::ranges::find(m_stageHashes, hash);
    return found == m_stageHashes.end()
               ? 0
               : static_cast<std::size_t>(found - m_stageHashes.begin()) + 1;
}

void RolloutMachine::onSent(
    const std::string& node,
    SendOutcome outcome,
    const std::string& text,
    std::vector<NodeProblem> problems,
    WallTime now
)
{
    const std::size_t at = find(node);
    if (at == m_nodes.size()) {
        return;
    }
    Node& state = m_nodes[at];
    NodeProgress& progress = m_rollout.nodes[at];
    if (state.awaits != Node::Awaits::Answer) { // Too late; but it may have had its effect.
        if (outcome == SendOutcome::Acknowledged && waitsForReturn(at)) {
            readSoon(at, now);
        }
        return;
    }
    state.awaits = Node::Awaits::Nothing;
    if (outcome != SendOutcome::Unreachable) {
        progress.seenAt = now;
        state.isReachable = true;
    }
    const bool isAnswerToBack = state.isBackward && isLeftBehind(progress.phase);
    if (outcome == SendOutcome::Rejected && !isAnswerToBack) {
        progress.problems = std::move(problems);
    }
    state.hasAcknowledged = outcome == SendOutcome::Acknowledged;
    if (state.isBackward || progress.phase == NodePhase::RollingBack) {
        onSentBackward(at, outcome, text, now);
    } else {
        onSentForward(at, outcome, text, now);
    }
}

void RolloutMachine::onSentForward(
    std::size_t at, SendOutcome outcome, const std::string& text, WallTime now
)
{
    NodeProgress& progress = m_rollout.nodes[at];
    readSoon(at, now);
    switch (outcome) {
    case SendOutcome::Acknowledged:
        progress.phase = NodePhase::Acknowledged;
        progress.text.clear();
        return;
    case SendOutcome::Rejected:
        m_judgedAt = {}; // Before anybody gets more.
        m_nodes[at].sends = 0;
        progress.phase = NodePhase::Rejected;
        progress.text = text;
        note(now, fmt::format("{} refused: {}", progress.name, text), true);
        return;
    case SendOutcome::Superseded:
        progress.phase = NodePhase::Superseded;
        progress.text = text.empty() ? "another push has changed it meanwhile" : text;
        return;
    case SendOutcome::Unreachable: // Whether it took it is not known.
        progress.text = text;
        m_nodes[at].askAt = after(now, kAskAgain);
        return;
    }
}

void RolloutMachine::onReadBack(const std::string& node, const std::string& hash, WallTime now)
{
    const std::size_t at = find(node);
    if (at == m_nodes.size() || m_nodes[at].awaits != Node::Awaits::Hash) {
        return;
    }
    Node& state = m_nodes[at];
    state.awaits = Node::Awaits::Nothing;
    if (hash.empty()) {
        if (!state.mustRead) {
            state.askAt = after(now, kReturnPoll);
        } else if (now >= state.giveUpAt) {
            giveUp(at, now);
        } else {
            state.askAt = after(now, kAskAgain);
        }
        return;
    }
    state.mustRead = false;
    state.isReachable = true;
    state.isInDoubt = false;
    const bool wasStranded = isStranded(at);
    m_rollout.nodes[at].seenAt = now;
    m_rollout.nodes[at].hashNow = hash;
    onHash(at, now);
    if (wasStranded) {
        tellWayBack(at, now);
    }
}

void RolloutMachine::onHash(std::size_t at, WallTime now)
{
    NodeProgress& progress = m_rollout.nodes[at];
    switch (progress.phase) {
    case NodePhase::RollingBack:
        readBackward(at, now);
        return;
    case NodePhase::Queued:
    case NodePhase::Sent:
    case NodePhase::Acknowledged:
    case NodePhase::Applied:
    case NodePhase::Baking:
    case NodePhase::Done:
    case NodePhase::SetAside:
        readForward(at, now);
        return;
    case NodePhase::Unreachable:
        if (progress.hashNow == m_rollout.hash) { // It had its effect, unseen.
            onApplied(at, now);
        } else {
            progress.text = fmt::format("runs {}", shortHash(progress.hashNow));
            readLeftBehind(at, now);
        }
        return;
    case NodePhase::Superseded:
        // A document of this push that was on its way when its program was killed is no other push.
        if (stageOf(progress.hashNow) > 0 && mayGoForward()) {
            m_nodes[at].hasAcknowledged = false;
            readForward(at, now);
            return;
        }
        if (stageOf(progress.hashNow) == 0) {
            note(now, fmt::format("{} was changed by another push", progress.name), true);
        }
        readLeftBehind(at, now);
        return;
    default: // Whatever it runs is known now.
        readLeftBehind(at, now);
        return;
    }
}

bool RolloutMachine::mayGoForward() const
{
    return m_rollout.state == RolloutState::Running || m_rollout.state == RolloutState::Held
           || m_rollout.state == RolloutState::Partial;
}

void RolloutMachine::readForward(std::size_t at, WallTime now)
{
    Node& state = m_nodes[at];
    NodeProgress& progress = m_rollout.nodes[at];
    const std::string& hash = progress.hashNow;
    const std::size_t next = stageOf(hash);
    const bool wasApplied = progress.phase == NodePhase::Applied
                            || progress.phase == NodePhase::Baking
                            || progress.phase == NodePhase::Done;
    if (progress.hashBefore.empty() && progress.sentAt == WallTime{}) {
        progress.hashBefore = hash; // It was absent when the push began.
    }
    if (hash == m_rollout.hash) {
        state.next = m_stageHashes.size();
        onApplied(at, now);
    } else if (wasApplied) {
        drift(at, fmt::format("runs {} again", shortHash(hash)), now);
    } else if (state.hasAcknowledged && next != state.next + 1) {
        drift(at, fmt::format("acknowledged, but runs {}", shortHash(hash)), now);
    } else if (next > 0) {
        state.next = next;
        state.sends = 0;
        progress.phase = NodePhase::Acknowledged;
    } else if (hash != progress.hashBefore) {
        drift(at, fmt::format("runs {}, which is not overwritten", shortHash(hash)), now);
    } else if (state.sends >= kSendsMax) {
        giveUp(at, now);
    } else {
        state.next = 0;
        progress.phase = NodePhase::Queued;
    }
    state.hasAcknowledged = false;
}

void RolloutMachine::readSoon(std::size_t at, WallTime now)
{
    Node& state = m_nodes[at];
    state.mustRead = true;
    state.askAt = now;
    state.giveUpAt = after(now, m_rollout.plan.answerMax);
}

void RolloutMachine::onApplied(std::size_t at, WallTime now)
{
    NodeProgress& progress = m_rollout.nodes[at];
    progress.text.clear();
    progress.problems.clear();
    m_nodes[at].sends = 0;
    m_nodes[at].next = m_stageHashes.size();
    if (progress.appliedAt == WallTime{}) {
        progress.appliedAt = now;
    }
    switch (m_rollout.waves[progress.wave].state) {
    case WaveState::Done:
        progress.phase = NodePhase::Done;
        return;
    case WaveState::Baking:
        progress.phase = m_isVerifying ? NodePhase::Done : NodePhase::Baking;
        return;
    default:
        progress.phase = NodePhase::Applied;
        return;
    }
}

void RolloutMachine::drift(std::size_t at, std::string text, WallTime now)
{
    NodeProgress& progress = m_rollout.nodes[at];
    progress.phase = NodePhase::Drifted;
    progress.text = std::move(text);
    m_nodes[at].sends = 0;
    note(now, fmt::format("{}: {}", progress.name, progress.text), true);
}

// It was sent something and does not say what it runs.
void RolloutMachine::giveUp(std::size_t at, WallTime now)
{
    Node& state = m_nodes[at];
    NodeProgress& progress = m_rollout.nodes[at];
    m_judgedAt = {};
    state.mustRead = false;
    state.isReachable = false;
    state.hasAcknowledged = false;
    state.sends = 0;
    state.askAt = after(now, kReturnPoll);
    switch (progress.phase) {
    case NodePhase::RollingBack:
        progress.text = "cannot be reached: goes back when it returns";
        note(now, progress.name + " cannot be reached to go back", true);
        return;
    case NodePhase::Rejected:
    case NodePhase::Superseded:
    case NodePhase::Drifted:
    case NodePhase::NotTouched:
    case NodePhase::Unreachable:
    case NodePhase::RolledBack:
        if (goesBack(at)) {
            note(now, progress.name + " cannot be reached to go back", true);
        }
        return;
    default:
        setAside(at, "does not answer: what it runs is not known", now);
    }
}

void RolloutMachine::setAside(std::size_t at, std::string text, WallTime now)
{
    NodeProgress& progress = m_rollout.nodes[at];
    if (progress.seenAt != WallTime{} && now > progress.seenAt) {
        text += fmt::format(" (silent for {:.0f} s)", toSeconds(now - progress.seenAt));
    }
    const bool getsItLater = m_rollout.plan.absent == AbsentNode::ApplyOnReturn;
    progress.phase = getsItLater ? NodePhase::SetAside : NodePhase::Unreachable;
    progress.text = getsItLater ? text + "; gets it when it returns" : std::move(text);
    note(now, fmt::format("{} {}", progress.name, progress.text), true);
}

void RolloutMachine::onFigures(
    const std::string& node, const NodeFigures& sinceApplied, WallTime now
)
{
    const std::size_t at = find(node);
    if (at == m_nodes.size() || !std::isfinite(sinceApplied.rps)
        || !std::isfinite(sinceApplied.p95_ms)) {
        return;
    }
    m_rollout.nodes[at].now = sinceApplied;
    m_rollout.nodes[at].seenAt = now;
}

void RolloutMachine::onReachable(const std::string& node, bool isReachable, WallTime now)
{
    const std::size_t at = find(node);
    if (at == m_nodes.size()) {
        return;
    }
    Node& state = m_nodes[at];
    state.isReachable = isReachable;
    if (isReachable) {
        m_rollout.nodes[at].seenAt = now;
        if (waitsForReturn(at) || m_rollout.nodes[at].phase == NodePhase::Unreachable) {
            readSoon(at, now);
        }
    }
}

// An answer that did not come is an answer that did not reach us.
void RolloutMachine::expireAnswers(WallTime now)
{
    for (std::size_t at = 0; at < m_nodes.size(); ++at) {
        const Node& state = m_nodes[at];
        if (state.awaits == Node::Awaits::Nothing || now < state.answerUntil) {
            continue;
        }
        const std::string name = m_rollout.nodes[at].name;
        if (state.awaits == Node::Awaits::Answer) {
            const double seconds = toSeconds(m_rollout.plan.answerMax);
            const std::string text = fmt::format("did not answer within {:.3g} s", seconds);
            onSent(name, SendOutcome::Unreachable, text, {}, now);
        } else {
            onReadBack(name, {}, now);
        }
    }
}

void RolloutMachine::note(WallTime now, std::string text, bool isBad)
{
    if (m_rollout.notes.size() >= kRolloutNotesMax) {
        m_rollout.notes.erase(m_rollout.notes.begin());
    }
    m_rollout.notes.push_back({now, std::move(text), isBad});
}

void RolloutMachine::end(RolloutState state, WallTime now)
{
    m_rollout.state = state;
    m_rollout.endedAt = now;
}

} // namespace mesh::fleet
