#pragma once

#include "proxyengine/model/diff.h"
#include "proxyengine/model/document.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What a change will do, before it is pushed: objects, effective configuration, behaviour.
namespace mesh::fleet {

// A request that a node has told about.
struct RequestSample
{
    std::string node;
    std::string method;
    std::string scheme; // Empty: http.
    std::string host;
    std::string path; // With the query.
    std::vector<std::pair<std::string, std::string>> headers;
    std::string sourceIp;
    int status = 0;
    double latency_ms = 0;
};

struct EffectiveLine
{
    enum class Kind : std::uint8_t { Same, Removed, Added };
    Kind kind = Kind::Same;
    std::string text; // "upstreams/payment outlier_detection.consecutive_5xx: 3"
};

// Nodes on which the change is the same.
struct EffectiveGroup
{
    std::vector<std::string> nodes; // Sorted.
    std::string summary; // "payment pool, timeout"
    std::int64_t bytes = 0; // How much longer the compiled configuration gets, as canonical JSON.
    std::vector<EffectiveLine> lines; // Removed and added with context; at most kReviewLinesMax.
    std::vector<std::string> errors; // It cannot be compiled for these nodes.
};

// Requests of one shape that go elsewhere.
struct BehaviourChange
{
    std::string request; // "GET /catalog/*"
    std::string before; // "catalog", "404"
    std::string after; // "catalog-v6", "504 at 3.0 s"
    std::size_t count = 0;
    bool isWorse = false; // It was answered and would not be.
    RequestSample example;
    std::string why; // The route that takes it now, and by what.
};

struct Behaviour
{
    std::size_t sampled = 0;
    std::size_t unchanged = 0;
    std::vector<BehaviourChange> changes; // Most first; at most kReviewBehaviourMax.
    std::size_t changesMore = 0; // Not listed.
};

struct ReviewFinding
{
    enum class Severity : std::uint8_t { Error, Warning, Info };
    Severity severity = Severity::Warning;
    std::string code; // "MW-214"
    std::string title;
    std::string text;
    std::string path; // Of `after`.
    bool isNew = false; // `before` did not have it.
    bool isMuted = false;
    std::string mutedBecause;
    std::string fixLabel; // Empty: no mechanical fix is known.
    std::shared_ptr<const model::Document> fixed; // `after` with the fix.
};

struct Review
{
    std::vector<model::ObjectChange> objects;
    std::vector<EffectiveGroup> groups; // Largest first; nodes without a change are not in any.
    std::size_t nodesUnchanged = 0;
    Behaviour behaviour;
    std::vector<ReviewFinding> findings; // Worst first.
};

// Of config::effective(), the values that each node runs with; one that nobody says is told where
// somebody said another. For nodes it does not compile for: the problems and no lines.
[[nodiscard]] std::vector<EffectiveGroup> effectiveChanges(
    const model::Document& before, const model::Document& after
);

// Every sample through the compiled router of its node before and after.
[[nodiscard]] Behaviour behaviourChanges(
    const model::Document& before,
    const model::Document& after,
    const std::vector<RequestSample>& samples
);

// Findings across objects, with stable codes; 1 000 routes in at most 300 ms. Source of the rules:
// the list of reference "Forms and validation".
[[nodiscard]] std::vector<ReviewFinding> findingsOf(const model::Document& document);

// The tag that mutes this code at the object that carries it: "mute MW-201: the reason". So a mute
// is written, reviewed and taken back like every other change, and travels with the document.
[[nodiscard]] std::string muteTag(std::string_view code, std::string_view reason);

[[nodiscard]] Review reviewOf(
    const model::Document& before,
    const model::Document& after,
    const std::vector<RequestSample>& samples
);

} // namespace mesh::fleet
