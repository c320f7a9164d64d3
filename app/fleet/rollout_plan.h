#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// How a change goes to many nodes: in which waves, watched by which gates.
namespace mesh::fleet {

// The nodes that have the change when the wave is done, of all that are expected.
struct WaveSpec
{
    enum class Kind : std::uint8_t { Canary, Share, Named };
    Kind kind = Kind::Share;
    double share = 1.0; // Of Share: 0 < share <= 1, rounded up.
    std::vector<std::string> nodes; // Of Named: these besides all before.
    friend bool operator==(const WaveSpec&, const WaveSpec&) = default;
};

enum class GateQuantity : std::uint8_t { ErrorRatio, P95, Ejections, Rejections, NodeLoss };
// Against the same nodes in the time before the push: a difference of ratios, a share of a latency.
enum class GateBasis : std::uint8_t { Absolute, AgainstBefore };

// What must stay below `limit` on the nodes that have the change, while they bake.
struct GateRule
{
    GateQuantity quantity = GateQuantity::ErrorRatio;
    GateBasis basis = GateBasis::Absolute;
    // ErrorRatio: a ratio (difference: 0.005 is 0.5 pp). P95: seconds (against before: 0.2 is
    // 20 % more). The others: a count.
    double limit = 0;
    friend bool operator==(const GateRule&, const GateRule&) = default;
};

enum class OnGateFailure : std::uint8_t { Stop, RollBack };
enum class WaveAdvance : std::uint8_t {
    Automatic,
    Manual
}; // Manual: continueNow() begins the next.
// What becomes of a node that cannot be reached when its wave comes.
enum class AbsentNode : std::uint8_t { Failure, SetAside, ApplyOnReturn };

struct RolloutPlan
{
    std::vector<WaveSpec> waves{WaveSpec{}}; // In order; the last has all nodes.
    WaveAdvance advance = WaveAdvance::Automatic;
    std::vector<GateRule> gates;
    Duration bake{}; // Of each wave: gates must hold for so long.
    OnGateFailure onFailure = OnGateFailure::RollBack;
    AbsentNode absent = AbsentNode::ApplyOnReturn;
    Duration answerMax = std::chrono::seconds(10); // A node answers within, or is unreachable.
    friend bool operator==(const RolloutPlan&, const RolloutPlan&) = default;
};

// Reads "canary,25%,100%", "all", "edge-1+edge-2,100%". The last wave is made to have all nodes.
// Errors: InvalidArgument with the element that is wrong and the remedy.
[[nodiscard]] Result<std::vector<WaveSpec>> parseWaves(std::string_view text);

struct GateText
{
    std::vector<GateRule> rules;
    std::optional<Duration> bake; // "for 60s"
};

// Reads "error<1% p95<300ms ejections<2 rejections<1 lost<1 for 60s"; a plus sign compares with the
// time before: "error<+0.5pp p95<+20%". Errors: as parseWaves().
[[nodiscard]] Result<GateText> parseGates(std::string_view text);

// Whether the plan can be carried out on these nodes.
// Errors: InvalidArgument with the wave that names a node that is not expected.
[[nodiscard]] Result<void> checkPlan(
    const RolloutPlan& plan, const std::vector<std::string>& nodes
);

[[nodiscard]] std::string toText(const WaveSpec& wave);
[[nodiscard]] std::string toText(const GateRule& rule);

} // namespace mesh::fleet
