#pragma once

#include "app/fleet/rollout_plan.h"
#include "proxyengine/base/time.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What is known of one push while it goes on and afterwards: plain values for windows and tables.
namespace mesh::fleet {

// A node's way. Acknowledged is not success: only a hash that was read back is.
enum class NodePhase : std::uint8_t {
    Queued,
    Sent,
    Acknowledged,
    Applied, // The hash it runs was read back and is the revision's.
    Baking,
    Done,
    Rejected, // `text`: the node's words.
    Unreachable,
    SetAside, // Gets it when it returns.
    Superseded, // Another push changed it meanwhile.
    Drifted, // It answered, but runs something else.
    RollingBack,
    RolledBack, // The hash before was read back.
    NotTouched, // Stopped before its turn.
};

// What a node measured in a span of time.
struct NodeFigures
{
    double rps = 0;
    std::uint64_t requests = 0;
    std::uint64_t errors = 0; // 5xx and no answer.
    double p95_ms = -1; // -1: no requests.
    std::uint64_t ejections = 0;
    friend bool operator==(const NodeFigures&, const NodeFigures&) = default;
};

// One problem a node told when it refused.
struct NodeProblem
{
    std::string path;
    int line = 0;
    int column = 0;
    std::string code;
    std::string message;
    friend bool operator==(const NodeProblem&, const NodeProblem&) = default;
};

struct NodeProgress
{
    std::string name;
    std::string role; // "gateway", "sidecar"
    std::string zone;
    std::size_t wave = 0;
    NodePhase phase = NodePhase::Queued;
    std::string text; // Why, in words: "silent for 41 s", the refusal.
    std::vector<NodeProblem> problems; // Of a refusal.
    std::string hashBefore; // What it ran when the push began; empty: unknown.
    std::string hashNow; // Last read back; empty: unknown.
    WallTime sentAt{};
    WallTime appliedAt{}; // When the hash was read back.
    WallTime seenAt{}; // Its last answer or frame.
    std::optional<NodeFigures> before; // In the bake time before the push.
    std::optional<NodeFigures> now; // Since it was applied.
};

enum class WaveState : std::uint8_t { Waiting, Sending, Baking, Held, Done, Failed };

struct WaveProgress
{
    std::string label; // "canary", "25 %", "all"
    WaveState state = WaveState::Waiting;
    std::vector<std::string> nodes; // Those that this wave adds.
    WallTime bakingSince{};
    Duration baked{};
};

enum class GateState : std::uint8_t { NoData, Holds, Fails };

struct GateProgress
{
    GateRule rule;
    GateState state = GateState::NoData;
    double before = 0; // Of the nodes that have the change, in the time before.
    double now = 0;
    double measured = 0; // What is compared with rule.limit.
};

enum class RolloutState : std::uint8_t {
    Running,
    Held, // Waits for continueNow(), by a person or a manual wave.
    Stopping, // No node gets anything any more; answers on their way are waited for.
    Stopped,
    RollingBack,
    RolledBack,
    Done, // Every expected node runs it, read back.
    Partial, // Over, and not every node runs it: rejected, absent or drifted.
    Failed, // A gate failed and the plan said stop.
};

[[nodiscard]] bool isOver(RolloutState state);

struct RolloutNote
{
    WallTime time{};
    std::string text; // "wave 2 applied on 3 of 3 in 1.3 s"
    bool isBad = false;
};

struct Rollout
{
    std::int64_t revision = 0; // 0: not of a document.
    std::int64_t revisionBefore = 0;
    std::string hash; // Of the revision.
    std::string message;
    RolloutPlan plan;
    RolloutState state = RolloutState::Running;
    std::size_t wave = 0; // The current one.
    std::vector<WaveProgress> waves;
    std::vector<NodeProgress> nodes; // The expected ones, fixed at the beginning; by wave and name.
    std::vector<GateProgress> gates; // Of the current wave.
    std::vector<RolloutNote> notes; // Oldest first, at most kRolloutNotesMax.
    WallTime startedAt{};
    WallTime endedAt{};

    [[nodiscard]] std::size_t convergedCount() const; // Nodes whose hashNow is `hash`.
};

// Words as they stand in tables and JSON: "rolled_back", "set_aside", "no_data".
[[nodiscard]] std::string_view toText(NodePhase phase);
[[nodiscard]] std::string_view toText(WaveState state);
[[nodiscard]] std::string_view toText(GateState state);
[[nodiscard]] std::string_view toText(RolloutState state);

// All of it, so that a console that was killed knows what it was doing. The inverse refuses what
// it does not know. Errors of the inverse: Syntax.
[[nodiscard]] std::string toJson(const Rollout& rollout);
[[nodiscard]] Result<Rollout> rolloutFromJson(std::string_view text);

} // namespace mesh::fleet
