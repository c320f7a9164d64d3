// Gates: what the nodes with the change measure, against limits and against the time before.

#include "app/fleet/rollout_machine.h"

#include <fmt/format.h>

#include <algorithm>

namespace mesh::fleet {
namespace {

// As for health: fewer requests say nothing of a ratio, unless they fail.
constexpr std::uint64_t kRequestsMin = 20;
constexpr std::uint64_t kErrorsMin = 3;
constexpr double kRounding = 1e-9; // 0.015 - 0.01 is not below 0.005.

// What several nodes measured together. The p95 of all is not known from those of each; it is their
// mean, weighted by requests.
struct Sum
{
    std::uint64_t requests = 0;
    std::uint64_t errors = 0;
    std::uint64_t ejections = 0;
    double latency = 0; // Seconds times requests.
    std::uint64_t latencyRequests = 0;
    bool hasFigures = false;

    void add(const std::optional<NodeFigures>& figures)
    {
        if (!figures) {
            return;
        }
        hasFigures = true;
        requests += figures->requests;
        errors += figures->errors;
        ejections += figures->ejections;
        if (figures->p95_ms >= 0) {
            latency += figures->p95_ms / 1000 * static_cast<double>(figures->requests);
            latencyRequests += figures->requests;
        }
    }

    // Nothing when this has not been measured.
    [[nodiscard]] std::optional<double> of(GateQuantity quantity) const
    {
        switch (quantity) {
        case GateQuantity::ErrorRatio:
            return requests == 0
                       ? std::nullopt
                       : std::optional(static_cast<double>(errors) / static_cast<double>(requests));
        case GateQuantity::P95:
            return latencyRequests == 0
                       ? std::nullopt
                       : std::optional(latency / static_cast<double>(latencyRequests));
        default:
            return hasFigures ? std::optional(static_cast<double>(ejections)) : std::nullopt;
        }
    }
};

bool hasChange(const NodeProgress& node)
{
    return node.phase == NodePhase::Applied || node.phase == NodePhase::Baking
           || node.phase == NodePhase::Done;
}

// How far `now` is above `before`, in the way of the quantity; nothing when that cannot be said.
std::optional<double> measuredBy(const GateRule& rule, double now, std::optional<double> before)
{
    if (rule.basis == GateBasis::Absolute) {
        return now;
    }
    if (!before || (rule.quantity == GateQuantity::P95 && *before <= 0)) {
        return std::nullopt;
    }
    return rule.quantity == GateQuantity::P95 ? now / *before - 1 : now - *before;
}

} // namespace

void RolloutMachine::judgeGate(GateProgress& gate, Evidence evidence) const
{
    Sum before;
    Sum now;
    std::size_t rejected = 0;
    std::size_t lost = 0;
    for (std::size_t at = 0; at < m_nodes.size(); ++at) {
        const NodeProgress& node = m_rollout.nodes[at];
        rejected += node.phase == NodePhase::Rejected ? 1U : 0U;
        const bool isLost = m_nodes[at].wasReachable && !m_nodes[at].isReachable;
        lost += node.wave <= m_rollout.wave && isLost ? 1U : 0U;
        if (hasChange(node)) {
            before.add(node.before);
            now.add(node.now);
        }
    }
    const bool isCount = gate.rule.quantity == GateQuantity::Rejections
                         || gate.rule.quantity == GateQuantity::NodeLoss;
    gate.state = GateState::NoData;
    std::optional<double> value;
    if (isCount) {
        const bool isRejections = gate.rule.quantity == GateQuantity::Rejections;
        value = static_cast<double>(isRejections ? rejected : lost);
    } else {
        const bool isEnough = now.requests >= kRequestsMin || now.errors >= kErrorsMin
                              || gate.rule.quantity == GateQuantity::Ejections
                              || evidence == Evidence::Any;
        value = isEnough ? now.of(gate.rule.quantity) : std::nullopt;
        if (evidence == Evidence::Any && !now.hasFigures) {
            gate.state = GateState::Fails; // Nobody measured: that is no proof of anything.
            return;
        }
    }
    const std::optional<double> reference = isCount ? 0.0 : before.of(gate.rule.quantity);
    gate.before = reference.value_or(0);
    gate.now = value.value_or(0);
    const auto measured = value ? measuredBy(gate.rule, *value, reference) : std::nullopt;
    if (measured) {
        gate.measured = *measured;
        gate.state = *measured < gate.rule.limit - kRounding ? GateState::Holds : GateState::Fails;
    }
}

// True when nothing fails; else the plan's answer to a failure has begun.
bool RolloutMachine::judge(Evidence evidence, WallTime now)
{
    const bool isDue = evidence == Evidence::Any || m_judgedAt == WallTime{} || now < m_judgedAt
                       || now - m_judgedAt >= std::chrono::seconds(1);
    const bool isAnything =
        !m_rollout.waves.empty() && m_rollout.waves.front().state != WaveState::Waiting;
    if (!isDue || !isAnything) {
        return true;
    }
    m_judgedAt = now;
    for (GateProgress& gate : m_rollout.gates) {
        judgeGate(gate, evidence);
    }
    for (const GateProgress& gate : m_rollout.gates) {
        const std::string text = toText(gate.rule);
        if (gate.state == GateState::Fails) {
            failPlan(fmt::format("gate {} fails: {:.4g}", text, gate.measured), now);
            return false;
        }
        if (gate.state == GateState::NoData && evidence == Evidence::Any) {
            note(now, fmt::format("gate {} had no requests to judge by", text), true);
        }
    }
    return true;
}

void RolloutMachine::failPlan(const std::string& why, WallTime now)
{
    if (m_rollout.plan.onFailure == OnGateFailure::RollBack) {
        rollBack(now, why);
        m_rollout.waves[m_rollout.wave].state = WaveState::Failed;
        return;
    }
    note(now, "failed: " + why, true);
    m_rollout.waves[m_rollout.wave].state = WaveState::Failed;
    m_rollout.state = RolloutState::Stopping;
    stopAll();
}

} // namespace mesh::fleet
