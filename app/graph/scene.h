#pragma once

#include "app/bridge/topology.h"
#include "app/graph/layout.h"
#include "app/theme/glyphs.h"
#include "app/theme/tokens.h"

#include <QHash>
#include <QPainterPath>
#include <QRectF>
#include <QSet>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

// Geometry of the picture, in canvas pixels at 100 %. Made of a topology and positions; painting
// reads it. Private to app/graph.
namespace mesh::graph {

struct SceneNode
{
    bridge::EntityRow row;
    QPointF center;
    double size = 42; // Outer size: 28, 42 or 56.
    bool isGhost = false; // Went away less than 60 s ago.
    bool isPinned = false;
    bool isTcp = false; // Only TCP reaches it: the ring has no shares.
    QRectF glyphBox; // Around outline and badges.
    QRectF textBox; // Pips, name and the two lines below it, as wide as they are measured.
    QRectF tagBox; // The tags of faults and policies; null without any.
    QRectF box; // Glyph and text.
    [[nodiscard]] QRectF extent() const { return tagBox.isNull() ? box : box.united(tagBox); }
};

struct SceneEdge
{
    bridge::EdgeRow row;
    std::size_t source = 0; // Index into nodes.
    std::size_t target = 0;
    double width = 1;
    QPainterPath path;
    QRectF bounds; // With arrow head and stroke.
    std::vector<QPointF> samples; // Evenly spaced over the length, kEdgeSamples of them.
    double endAngle = 0; // Direction of travel at the target, radians.
    bool hasPlate = false;
    double plateAt = 0.5; // Share of the length.
};

inline constexpr int kEdgeSamples = 25;

struct Scene
{
    std::vector<SceneNode> nodes; // Order of the topology, then ghosts.
    std::vector<SceneEdge> edges;
    QHash<QString, std::size_t> indexes; // By EntityRow::id.
    QRectF bounds; // Of all nodes with their texts and tags.
};

[[nodiscard]] inline theme::State stateOf(bridge::HealthState state)
{
    return static_cast<theme::State>(state);
}

[[nodiscard]] inline theme::Pip pipOf(bridge::InstanceState state)
{
    return static_cast<theme::Pip>(state);
}

[[nodiscard]] inline QString edgeId(const bridge::EdgeRow& edge)
{
    return edge.source + QStringLiteral(" -> ") + edge.target;
}

// Outer size by rate: 28 below 10 requests per second, 42 below 100, else 56; entries are 56.
[[nodiscard]] double nodeSize(const bridge::EntityRow& row);
// Line width by rate, five steps from 1 to 4.5.
[[nodiscard]] double edgeWidth(const bridge::EdgeRow& row);
// Half of the widest text below the node, canvas pixels at 100 %; at least the usual width.
[[nodiscard]] double textHalfWidth(const bridge::EntityRow& row);
// What the fault tag says: the effects, without the name of the instance ("+60 ms · 503 12 %").
[[nodiscard]] QString faultText(const bridge::EntityRow& row);
// Measures the boxes of a node whose row, centre and size are set.
void measureNode(SceneNode& node);

// Degraded and failing edges carry rate, errors and a percentile.
[[nodiscard]] bool isStacked(const bridge::EdgeRow& row);

// Outline of a kind at radius r around the origin. Source: the visual design, section 5.
[[nodiscard]] QPainterPath outline(bridge::EntityKind kind, double radius);

// The scene of a topology. Nodes without a position are left out, and so are their edges.
[[nodiscard]] Scene buildScene(
    const bridge::Topology& topology, const Positions& positions, const QSet<QString>& hidden
);

// Curves of all edges: ports ordered by the height of the other end, edges over more than one
// column in a lane between the rows. Fills path, bounds, samples and endAngle.
void routeEdges(Scene& scene);

// Chooses where each label plate stands so that none covers a node, a foreign edge or another
// plate; the least important ones are left out. `former` keeps plates where they were.
void placePlates(Scene& scene, const QHash<QString, double>& former);

// Size of the plate of an edge, canvas pixels.
[[nodiscard]] QSizeF plateSize(const bridge::EdgeRow& row, bool isLarge);

} // namespace mesh::graph
