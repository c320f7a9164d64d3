#pragma once

#include "app/bridge/topology.h"
#include "app/graph/layout.h"

#include <QPointF>
#include <QString>
#include <QStringList>
#include <QWidget>

#include <cstdint>
#include <memory>
#include <optional>

namespace mesh::graph {

class Canvas;
class LayoutJob;
class LegendPanel;
class ZonesPanel;
class ZoomBar;
struct Scene;

enum class EdgeLabels : std::uint8_t { None, Rate, Errors, Percentile95 };
enum class Badges : std::uint8_t { Noteworthy, All };
enum class Particles : std::uint8_t { Off, On };
enum class CornerPanels : std::uint8_t { Shown, Hidden }; // Zones, legend, zoom bar.

// The mesh as a picture: services, their health and the traffic between them.
//
// One widget painted by QPainter. It shows exactly what setTopology() was given; metrics never move
// a node. Positions come from the owner (setPositions) and are reported back (positionsChanged)
// when the user drags, or when a layout or a new service gave somebody a place; the owner keeps
// them. Keyboard: arrows walk along edges, Tab goes to the next by severity, Enter activates, F
// fits, 0 is 100 %, + and - zoom, L legend, R lay out again, A particles, P pins, Esc lets go.
// Units: positions are canvas pixels at 100 %, the centre of the 64 px slot, on a 4 px grid.
// Source: the visual design, section 5.
class TopologyView : public QWidget
{
    Q_OBJECT

public:
    explicit TopologyView(QWidget* parent = nullptr);
    ~TopologyView() override;

    // Replaces what is drawn. A service without a position gets a free place at once, or waits for
    // the running layout when nobody has one. A service that went stays as a ghost for 60 s.
    void setTopology(const bridge::Topology& topology);
    [[nodiscard]] const bridge::Topology& topology() const;

    // Places kept by the owner, by EntityRow::id. Ids that are not drawn are kept for later.
    void setPositions(const Positions& positions);
    [[nodiscard]] const Positions& positions() const;

    // EntityRow::id, "a -> b" for an edge, or empty. Emits nothing.
    void setSelection(const QString& id);
    [[nodiscard]] QString selection() const;

    // Highlights what matches, dims the rest; empty: all are equal.
    void setHighlighted(const QStringList& ids);
    // Takes away from the picture without moving anything: entities, or "a -> b" for an edge.
    void setHidden(const QStringList& ids);
    // Shows a node and its neighbours up to `depth` steps; empty: everything.
    void setFocusNeighborhood(const QString& id, int depth);

    void setEdgeLabels(EdgeLabels labels);
    void setBadges(Badges badges);
    // Off above 150 edges, under reduced motion and while nobody sees the widget.
    void setParticles(Particles particles);
    [[nodiscard]] Particles particles() const;
    void setCornerPanels(CornerPanels panels);

    // 0.1 to 2.5; the point under `anchor` (widget coordinates; default: the middle) stays.
    void setZoom(double zoom, std::optional<QPointF> anchor = std::nullopt);
    [[nodiscard]] double zoom() const;
    // Scrolls so that this point of the canvas is in the middle.
    void centerOn(QPointF point);
    [[nodiscard]] QPointF center() const;
    // Everything in sight, at most 100 %.
    void fit();
    // A new layout of everything but pinned nodes, off this thread; animated, undoable by the owner
    // through positionsChanged.
    void layOutAgain();
    [[nodiscard]] bool isLayingOut() const;

    [[nodiscard]] QPointF toWidget(QPointF point) const;
    [[nodiscard]] QPointF toCanvas(QPointF point) const;
    // What is drawn at this point of the widget: an id, "a -> b", or empty.
    [[nodiscard]] QString idAt(QPointF point) const;
    // Ids in the order Tab visits them: worst first.
    [[nodiscard]] QStringList severityOrder() const;

    // What is said about the node or the edge there: its state and every policy that acts.
    [[nodiscard]] QString toolTipAt(QPoint position) const;

Q_SIGNALS:
    // The user selected something (or nothing).
    void selected(const QString& id);
    // Double click or Enter: open the inspector, or focus on the neighbourhood.
    void activated(const QString& id);
    void focusRequested(const QString& id);
    void contextMenuRequested(const QString& id, const QPoint& globalPosition);
    // Places that are to be kept. `reason` tells what to write in the undo list.
    void positionsChanged(const mesh::graph::Positions& positions, mesh::graph::MoveReason reason);
    void zoomChanged(double zoom);
    void layoutFinished();

protected:
    bool event(QEvent* event) override; // Tool tips.
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    void showEvent(QShowEvent* event) override;
    bool focusNextPrevChild(bool next) override;

private:
    class Private;
    friend class Private;
    std::unique_ptr<Private> m_private;
};

} // namespace mesh::graph
