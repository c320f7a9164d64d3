#pragma once

#include "app/graph/overlays.h"
#include "app/graph/painter.h"
#include "app/graph/scene.h"
#include "app/graph/tile_cache.h"
#include "app/graph/topology_view.h"

#include <QTimer>
#include <QVariantAnimation>

namespace mesh::graph {

// Everything TopologyView remembers.
class TopologyView::Private
{
public:
    explicit Private(TopologyView* owner);

    void rebuild(); // Scene anew, after rows or positions changed.
    void reroute(); // Only curves and plates.
    void placeMissing(); // Gives new entities a place, or starts the first layout.
    void takeLayout(const Positions& found);
    void animateTo(const Positions& found);
    void invalidate();
    void arrange(); // Overlays into their corners.
    // Fits again when something would be cut off, until the user zooms or pans.
    void keepFitted();
    // The middle of the view over `bounds` that hides the fewest nodes below the corner panels.
    [[nodiscard]] QPointF middleBesidePanels(const QRectF& bounds) const;
    void keepGhosts(const bridge::Topology& next);

    [[nodiscard]] Look look() const;
    [[nodiscard]] QSet<QString> hiddenNow() const;
    [[nodiscard]] QSet<QString> neighborhood(const QString& id, int depth) const;
    [[nodiscard]] QSet<QString> pathOf(const QString& id) const;
    [[nodiscard]] bool isSmall() const;
    [[nodiscard]] TileCache::Viewport viewport() const;
    [[nodiscard]] int nodeAt(QPointF canvas) const;
    [[nodiscard]] int edgeAt(QPointF canvas) const;
    // The node an arrow key leads to; -1: nowhere.
    [[nodiscard]] int neighborTowards(int from, Qt::Key key) const;
    void choose(const QString& id); // Selects as the user and tells.
    void bringIntoView(QPointF canvas);
    void updateParticles();
    void drawParticles(QPainter& painter) const;

    TopologyView* view;
    bridge::Topology topology;
    Positions positions;
    Scene scene;
    QHash<QString, double> platesFormer;
    QHash<QString, bridge::EntityRow> ghosts;
    TileCache tiles;
    QString selection;
    QString hovered;
    QSet<QString> highlighted;
    QSet<QString> hidden;
    QString focusId;
    int focusDepth = 1;
    EdgeLabels labels = EdgeLabels::Rate;
    Badges badges = Badges::Noteworthy;
    Particles particles = Particles::Off;
    double zoom = 1;
    QPointF offset; // Widget position of the canvas origin.
    bool isFitWanted = true; // Until the user zooms or pans.
    QRectF fitted; // The canvas in sight after the last fit.
    std::size_t fittedNodes = 0;
    bool isSettled = true; // No zooming under way.
    int waits = 0; // Refreshes without edges before the first layout.
    int particleStep = 0;
    bool hasPanels = true; // In the corners.

    enum class Press : std::uint8_t { None, Undecided, Pan, Node };
    Press press = Press::None;
    QPointF pressAt;
    QPointF pressOffset;
    QPointF dragFrom;
    int pressNode = -1;

    LayoutJob* job = nullptr;
    bool isFirstLayout = false;
    QTimer* hoverTimer = nullptr;
    QTimer* settleTimer = nullptr;
    QTimer* particleTimer = nullptr;
    QVariantAnimation* motion = nullptr;
    LegendPanel* legend = nullptr;
    ZonesPanel* zones = nullptr;
    ZoomBar* zoomBar = nullptr;
};

} // namespace mesh::graph
