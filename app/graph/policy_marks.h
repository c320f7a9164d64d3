#pragma once

#include "app/bridge/topology.h"
#include "app/graph/scene.h"
#include "app/graph/topology_view.h"
#include "app/theme/tokens.h"

#include <QString>

#include <vector>

class QPainter;

// How traffic policies and faults show on nodes and edges: round badges in the corners, tags with
// sign and words beside a node, signs on an edge. Private to app/graph.
namespace mesh::graph {

struct Look;

// A sign with words at the right of a node.
struct NodeTag
{
    QString icon;
    QString text;
    theme::State state = theme::State::Idle; // Its colours; Idle: neutral.
};

inline constexpr int kNodeTagsMax = 3;
inline constexpr double kNodeTagHeight = 18;
inline constexpr double kNodeTagPitch = 20;

// The injected faults first, then what policies do, the most urgent first; what is only configured
// (a split, a mirror) has a badge and no tag. At most kNodeTagsMax, the last one counts the rest.
[[nodiscard]] std::vector<NodeTag> nodeTags(const bridge::EntityRow& row);
[[nodiscard]] double nodeTagWidth(const NodeTag& tag, double textScale);
// Where the tags of a node stand, its centre at the origin.
[[nodiscard]] QRectF nodeTagBox(
    double nodeSize, const std::vector<NodeTag>& tags, double textScale
);

// The round badges: breaker or ejection top left, fault top right, split or mirror bottom left,
// the most urgent of the others bottom right, or the lock of what comes in. Centre of the node at
// the origin.
void drawNodeBadges(QPainter& painter, const SceneNode& node, Badges badges);
void drawNodeTags(QPainter& painter, const SceneNode& node, double textScale);
// When badges are too small: one dot in the colour of the worst of them.
void drawWorstDot(QPainter& painter, const SceneNode& node);

// The gap of a breaker, and a badge for everything else that acts on the edge.
void drawEdgePolicies(QPainter& painter, const SceneEdge& edge, const QColor& color);

// A closed lock where all is under mutual TLS (only with Badges::All), an open one where some or
// all of it is not; nothing where no hop between sidecars was seen.
void drawEdgeLock(QPainter& painter, const SceneEdge& edge, Badges badges);

// What a badge of the policy is drawn in.
[[nodiscard]] theme::State stateOf(bridge::PolicyKind kind);

// Names of what acts, for tool tips and for those who cannot see the badges; empty: nothing.
[[nodiscard]] QString policyLines(const std::vector<bridge::PolicyRow>& policies);

} // namespace mesh::graph
