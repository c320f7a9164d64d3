#include "app/ctl/push_report.h"

#include "app/ctl/text_table.h"
#include "proxyengine/base/duration_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace mesh::ctl {
namespace {

using fleet::NodeFigures;
using fleet::NodePhase;
using fleet::NodeProgress;
using fleet::Rollout;
using PushJson = nlohmann::ordered_json;

std::string_view resultOf(NodePhase phase)
{
    switch (phase) {
    case NodePhase::Done:
        return "converged";
    case NodePhase::Rejected:
        return "refused";
    case NodePhase::SetAside:
        return "unreachable";
    case NodePhase::Drifted:
        return "different";
    default:
        return fleet::toText(phase);
    }
}

Mood moodOf(NodePhase phase)
{
    switch (phase) {
    case NodePhase::Done:
    case NodePhase::Applied:
    case NodePhase::Baking:
        return Mood::Good;
    case NodePhase::Rejected:
    case NodePhase::Unreachable:
    case NodePhase::SetAside:
    case NodePhase::Superseded:
    case NodePhase::Drifted:
        return Mood::Bad;
    case NodePhase::RollingBack:
    case NodePhase::RolledBack:
        return Mood::Warned;
    default:
        return Mood::Plain;
    }
}

// "7", or nothing for a hash that is no revision of the document.
std::string revisionOf(const PushOrder& order, const std::string& hash)
{
    const auto found = order.revisions.find(hash);
    return found == order.revisions.end() ? std::string() : std::to_string(found->second);
}

} // namespace

std::string tableOf(const PushOrder& order, const Rollout& rollout, Colour colour)
{
    const bool hasRevisions = !order.revisions.empty();
    TextTable table(
        hasRevisions
            ? std::vector<std::string_view>{"NODE", "WAVE", "RESULT", "REVISION", "HASH", "WHY"}
            : std::vector<std::string_view>{"NODE", "WAVE", "RESULT", "HASH", "WHY"}
    );
    for (const NodeProgress& node : rollout.nodes) {
        std::vector<TextTable::Cell> cells = {
            {node.name},
            {node.wave < rollout.waves.size() ? rollout.waves[node.wave].label : std::string()},
            {std::string(resultOf(node.phase)), moodOf(node.phase)},
            {node.hashNow.substr(0, kHashDigitsShown)},
            {node.text}};
        if (hasRevisions) {
            cells.insert(cells.begin() + 3, {revisionOf(order, node.hashNow)});
        }
        table.add(std::move(cells));
    }
    return table.toText(colour);
}

namespace {

PushJson figuresToJson(const std::optional<NodeFigures>& figures)
{
    if (!figures) {
        return nullptr;
    }
    return {
        {"rps", figures->rps},
        {"requests", figures->requests},
        {"errors", figures->errors},
        {"p95_ms", figures->p95_ms < 0 ? PushJson() : PushJson(figures->p95_ms)},
        {"ejections", figures->ejections}};
}

PushJson nodeToJson(const PushOrder& order, const NodeProgress& node, const std::string& hash)
{
    PushJson errors = PushJson::array();
    for (const fleet::NodeProblem& problem : node.problems) {
        errors.push_back(
            {{"path", problem.path},
             {"line", problem.line},
             {"column", problem.column},
             {"code", problem.code},
             {"message", problem.message}}
        );
    }
    const auto revision = order.revisions.find(node.hashNow);
    return {
        {"node", node.name},
        {"role", node.role},
        {"zone", node.zone},
        {"wave", node.wave},
        {"phase", fleet::toText(node.phase)},
        {"result", resultOf(node.phase)},
        {"converged", node.hashNow == hash},
        {"hash", node.hashNow},
        {"hash_before", node.hashBefore},
        {"revision", revision == order.revisions.end() ? PushJson() : PushJson(revision->second)},
        {"message", node.text},
        {"errors", std::move(errors)},
        {"before", figuresToJson(node.before)},
        {"now", figuresToJson(node.now)}};
}

PushJson rolloutToJson(const PushOrder& order, const Rollout& rollout)
{
    PushJson waves = PushJson::array();
    for (const fleet::WaveProgress& wave : rollout.waves) {
        waves.push_back(
            {{"label", wave.label}, {"state", fleet::toText(wave.state)}, {"nodes", wave.nodes}}
        );
    }
    PushJson gates = PushJson::array();
    for (const fleet::GateProgress& gate : rollout.gates) {
        gates.push_back(
            {{"gate", fleet::toText(gate.rule)},
             {"state", fleet::toText(gate.state)},
             {"before", gate.before},
             {"now", gate.now},
             {"measured", gate.measured}}
        );
    }
    PushJson notes = PushJson::array();
    for (const fleet::RolloutNote& note : rollout.notes) {
        notes.push_back({{"time", toIsoText(note.time)}, {"text", note.text}, {"bad", note.isBad}});
    }
    PushJson nodes = PushJson::array();
    for (const NodeProgress& node : rollout.nodes) {
        nodes.push_back(nodeToJson(order, node, rollout.hash));
    }
    return {
        {"file", order.file},
        {"revision", order.revision},
        {"hash", rollout.hash},
        {"message", order.message},
        {"outcome", fleet::toText(rollout.state)},
        {"converged", rollout.convergedCount()},
        {"expected", rollout.nodes.size()},
        {"seconds", toSeconds(rollout.endedAt - rollout.startedAt)},
        {"waves", std::move(waves)},
        {"gates", std::move(gates)},
        {"nodes", std::move(nodes)},
        {"notes", std::move(notes)}};
}

std::string whyOf(const PushOrder& order, const NodeProgress& node)
{
    std::string text;
    for (const fleet::NodeProblem& problem : node.problems) {
        text += fmt::format(
            "{}: {}:{}:{}: {}: {}\n",
            node.name,
            order.file,
            problem.line,
            problem.column,
            printable(problem.path),
            printable(problem.message)
        );
    }
    return text;
}

} // namespace

void tellRollout(const PushOrder& order, const Rollout& rollout, const Surroundings& around)
{
    CtlOutput& output = around.output;
    if (around.isJson()) {
        output.out += dumped(rolloutToJson(order, rollout));
        return;
    }
    output.out += tableOf(order, rollout, around.setting.colour);
    for (const NodeProgress& node : rollout.nodes) {
        output.err += whyOf(order, node);
    }
    for (const fleet::GateProgress& gate : rollout.gates) {
        if (gate.state == fleet::GateState::Fails) {
            output.err += fmt::format("gate failed: {}\n", fleet::toText(gate.rule));
        }
    }
    const bool isDone = rollout.state == fleet::RolloutState::Done;
    output.out += fmt::format(
        "{}: {} of {} nodes run {}{} after {:.1f} s\n",
        coloured(
            fleet::toText(rollout.state), isDone ? Mood::Good : Mood::Bad, around.setting.colour
        ),
        rollout.convergedCount(),
        rollout.nodes.size(),
        order.revision == 0 ? std::string() : fmt::format("revision {}, ", order.revision),
        rollout.hash.substr(0, kHashDigitsShown),
        toSeconds(rollout.endedAt - rollout.startedAt)
    );
}

int exitCodeOfRollout(const Rollout& rollout)
{
    const auto hasPhase = [&](NodePhase phase) {
        return std::ranges::find(rollout.nodes, phase, &NodeProgress::phase) != rollout.nodes.end();
    };
    const bool hasFailedGate = std::ranges::any_of(rollout.gates, [](const auto& gate) {
        return gate.state == fleet::GateState::Fails;
    });
    if (rollout.state == fleet::RolloutState::Done) {
        return kDone;
    }
    if (hasFailedGate || hasPhase(NodePhase::Rejected)
        || rollout.state == fleet::RolloutState::Failed) {
        return kRefused;
    }
    if (hasPhase(NodePhase::Unreachable) || hasPhase(NodePhase::SetAside)) {
        return kUnreachable;
    }
    return kNo;
}

} // namespace mesh::ctl
