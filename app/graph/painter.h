#pragma once

#include "app/graph/scene.h"
#include "app/graph/topology_view.h"
#include "app/theme/tokens.h"

#include <QSet>

class QPainter;

// Draws a Scene with a painter in canvas coordinates. Private to app/graph.
namespace mesh::graph {

// How much is drawn at a zoom. Source: the table in the visual design, section 5.
enum class Detail : std::uint8_t { Full, Medium, Names, Outlines };

// Fitting may end a little under 100 %; text keeps its screen size there, so all of it is drawn.
inline constexpr double kFullZoom = 0.88;

[[nodiscard]] constexpr Detail detailAt(double zoom)
{
    if (zoom >= kFullZoom) {
        return Detail::Full;
    }
    if (zoom >= 0.6) {
        return Detail::Medium;
    }
    return zoom >= 0.35 ? Detail::Names : Detail::Outlines;
}

struct Look
{
    double zoom = 1;
    EdgeLabels labels = EdgeLabels::Rate;
    Badges badges = Badges::Noteworthy;
    QString selection;
    QSet<QString> lit; // Nodes that are not dimmed; empty: all.
    QSet<QString> path; // Nodes on the selected path, so its edges get the path colour.
    bool isLitByHover = false; // Hover dims to 10 %, a filter to 35 %.

    [[nodiscard]] Detail detail() const { return detailAt(zoom); }
    // Factor on text sizes in canvas pixels: text keeps its screen size from 85 to 120 %.
    [[nodiscard]] double textScale() const;
    [[nodiscard]] double opacityOf(const QString& id) const;
};

void drawDots(QPainter& painter, const QRectF& area);
void drawEdges(QPainter& painter, const Scene& scene, const Look& look, const QRectF& area);
void drawPlates(QPainter& painter, const Scene& scene, const Look& look, const QRectF& area);
void drawNodes(QPainter& painter, const Scene& scene, const Look& look, const QRectF& area);
// The dashed outline of keyboard focus.
void drawFocus(QPainter& painter, const SceneNode& node, const Look& look);
// Everything above in order.
void drawScene(QPainter& painter, const Scene& scene, const Look& look, const QRectF& area);

// Of what came, went or changed between two moments; of nothing: the edges' colour.
[[nodiscard]] QColor changeColor(bridge::Change change, const theme::Tokens& t);

// Text of the third line of a node: "84.0 rps · p95 46 ms".
[[nodiscard]] QString figuresLine(const bridge::EntityRow& row);
// Text of the second line: version, or kind and zones.
[[nodiscard]] QString kindLine(const bridge::EntityRow& row);
// The plate of an edge, one or three lines; "–" without traffic.
[[nodiscard]] QStringList plateLines(const bridge::EdgeRow& row, EdgeLabels labels, bool isLarge);

} // namespace mesh::graph
