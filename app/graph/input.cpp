#include "app/graph/policy_marks.h"
#include "app/graph/view_state.h"

#include <QContextMenuEvent>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QToolTip>
#include <QWheelEvent>

#include <cmath>

// What mouse and keyboard do to a TopologyView.
namespace mesh::graph {

namespace {

constexpr double kDragThreshold = 5; // Pixels before a press becomes a drag.

QPointF snapped(QPointF point)
{
    return QPointF(std::round(point.x() / kGrid) * kGrid, std::round(point.y() / kGrid) * kGrid);
}

} // namespace

// Badges are small: what they say stands in words under the pointer.
bool TopologyView::event(QEvent* event)
{
    if (event->type() != QEvent::ToolTip) {
        return QWidget::event(event);
    }
    const auto* const help = static_cast<QHelpEvent*>(event);
    const QString words = toolTipAt(help->pos());
    if (words.isEmpty()) {
        QToolTip::hideText();
    } else {
        QToolTip::showText(help->globalPos(), words, this);
    }
    return true;
}

QString TopologyView::toolTipAt(QPoint position) const
{
    const Private& d = *m_private;
    const QPointF canvas = toCanvas(position);
    QStringList lines;
    const std::vector<bridge::PolicyRow>* policies = nullptr;
    if (const int node = d.nodeAt(canvas); node >= 0) {
        const bridge::EntityRow& row = d.scene.nodes[static_cast<std::size_t>(node)].row;
        lines << row.name << row.why << row.faults << row.lockText;
        lines.removeAll(QString());
        policies = &row.policies;
    } else if (const int edge = d.edgeAt(canvas); edge >= 0) {
        const bridge::EdgeRow& row = d.scene.edges[static_cast<std::size_t>(edge)].row;
        lines << tr("%1 → %2").arg(row.source.section(u':', 1), row.target.section(u':', 1));
        lines << row.protocol << row.lockText;
        lines.removeAll(QString());
        policies = &row.policies;
    } else {
        return {};
    }
    lines << policyLines(*policies);
    lines.removeAll(QString());
    return lines.join(u'\n');
}

void TopologyView::mousePressEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton && event->button() != Qt::MiddleButton) {
        return;
    }
    Private& d = *m_private;
    d.hoverTimer->stop();
    d.pressAt = event->position();
    d.pressOffset = d.offset;
    d.pressNode = event->button() == Qt::LeftButton ? d.nodeAt(toCanvas(d.pressAt)) : -1;
    d.press = Private::Press::Undecided;
    if (d.pressNode >= 0) {
        d.dragFrom = d.scene.nodes[static_cast<std::size_t>(d.pressNode)].center;
    }
}

void TopologyView::mouseMoveEvent(QMouseEvent* event)
{
    Private& d = *m_private;
    const QPointF moved = event->position() - d.pressAt;
    if (d.press == Private::Press::Undecided
        && std::hypot(moved.x(), moved.y()) >= kDragThreshold) {
        d.press = d.pressNode >= 0 ? Private::Press::Node : Private::Press::Pan;
    }
    if (d.press == Private::Press::Pan) {
        d.isFitWanted = false;
        d.offset = d.pressOffset + moved;
        update();
    } else if (d.press == Private::Press::Node) {
        const QString id = d.scene.nodes[static_cast<std::size_t>(d.pressNode)].row.id;
        d.positions[id] = Place{snapped(d.dragFrom + moved / d.zoom), true};
        d.rebuild();
    } else if (d.press == Private::Press::None) {
        const int node = d.nodeAt(toCanvas(event->position()));
        setCursor(node >= 0 ? Qt::PointingHandCursor : Qt::ArrowCursor);
        const QString id =
            node < 0 ? QString() : d.scene.nodes[static_cast<std::size_t>(node)].row.id;
        if (id != d.hovered) {
            if (!d.hovered.isEmpty()) {
                d.hovered.clear();
                d.invalidate();
            }
            d.hoverTimer->start();
        }
    }
}

void TopologyView::mouseReleaseEvent(QMouseEvent* event)
{
    Private& d = *m_private;
    if (d.press == Private::Press::Node) {
        const QString id = d.scene.nodes[static_cast<std::size_t>(d.pressNode)].row.id;
        Positions moved;
        moved.insert(id, d.positions[id]);
        Q_EMIT positionsChanged(moved, MoveReason::Drag);
    } else if (d.press == Private::Press::Undecided && event->button() == Qt::LeftButton) {
        d.choose(idAt(event->position()));
    }
    d.press = Private::Press::None;
    d.pressNode = -1;
}

void TopologyView::mouseDoubleClickEvent(QMouseEvent* event)
{
    const QString id = idAt(event->position());
    if (event->button() == Qt::LeftButton && !id.isEmpty()) {
        m_private->choose(id);
        Q_EMIT focusRequested(id);
    }
}

void TopologyView::wheelEvent(QWheelEvent* event)
{
    const double steps = event->angleDelta().y() / 120.0;
    setZoom(m_private->zoom * std::pow(1.15, steps), event->position());
    event->accept();
}

void TopologyView::contextMenuEvent(QContextMenuEvent* event)
{
    const QString id = event->reason() == QContextMenuEvent::Keyboard ? m_private->selection
                                                                      : idAt(QPointF(event->pos()));
    if (!id.isEmpty()) {
        m_private->choose(id);
    }
    Q_EMIT contextMenuRequested(id, event->globalPos());
}

void TopologyView::leaveEvent(QEvent* /*event*/)
{
    Private& d = *m_private;
    d.hoverTimer->stop();
    if (!d.hovered.isEmpty()) {
        d.hovered.clear();
        d.invalidate();
    }
}

void TopologyView::focusInEvent(QFocusEvent* event)
{
    QWidget::focusInEvent(event);
    m_private->updateParticles();
    update();
}

void TopologyView::focusOutEvent(QFocusEvent* event)
{
    QWidget::focusOutEvent(event);
    update();
}

// Tab walks by severity; after the last one it leaves the widget.
bool TopologyView::focusNextPrevChild(bool next)
{
    Private& d = *m_private;
    const QStringList order = severityOrder();
    if (!hasFocus() || order.isEmpty()) {
        return QWidget::focusNextPrevChild(next);
    }
    const qsizetype at = order.indexOf(d.selection);
    const qsizetype target = next ? at + 1 : (at < 0 ? order.size() - 1 : at - 1);
    if (target < 0 || target >= order.size()) {
        return QWidget::focusNextPrevChild(next);
    }
    d.choose(order[target]);
    d.bringIntoView(d.positions.value(order[target]).point);
    return true;
}

void TopologyView::keyPressEvent(QKeyEvent* event)
{
    Private& d = *m_private;
    const auto current = d.scene.indexes.constFind(d.selection);
    const bool hasNode = current != d.scene.indexes.cend();
    switch (event->key()) {
    case Qt::Key_Left:
    case Qt::Key_Right:
    case Qt::Key_Up:
    case Qt::Key_Down: {
        if (event->modifiers().testFlag(Qt::AltModifier)) {
            QWidget::keyPressEvent(event);
            return;
        }
        const int next =
            hasNode
                ? d.neighborTowards(static_cast<int>(*current), static_cast<Qt::Key>(event->key()))
                : (d.scene.nodes.empty() ? -1 : 0);
        if (next >= 0) {
            const SceneNode& node = d.scene.nodes[static_cast<std::size_t>(next)];
            const QPointF center = node.center;
            d.choose(node.row.id);
            d.bringIntoView(center);
        }
        return;
    }
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (!d.selection.isEmpty()) {
            Q_EMIT activated(d.selection);
        }
        return;
    case Qt::Key_Escape:
        if (d.selection.isEmpty()) {
            QWidget::keyPressEvent(event);
        }
        d.choose(QString());
        return;
    case Qt::Key_F:
        fit();
        return;
    case Qt::Key_0:
        setZoom(1);
        return;
    case Qt::Key_Plus:
    case Qt::Key_Equal:
        setZoom(d.zoom * 1.25);
        return;
    case Qt::Key_Minus:
        setZoom(d.zoom / 1.25);
        return;
    case Qt::Key_L:
        d.legend->setVisible(d.hasPanels && d.legend->isHidden());
        return;
    case Qt::Key_R:
        layOutAgain();
        return;
    case Qt::Key_A:
        setParticles(d.particles == Particles::On ? Particles::Off : Particles::On);
        return;
    case Qt::Key_E:
        setEdgeLabels(static_cast<EdgeLabels>((static_cast<int>(d.labels) + 1) % 4));
        return;
    case Qt::Key_P:
        if (hasNode) {
            Place& place = d.positions[d.selection];
            place.isPinned = !place.isPinned;
            Positions pinned;
            pinned.insert(d.selection, place);
            d.rebuild();
            Q_EMIT positionsChanged(pinned, MoveReason::Pin);
        }
        return;
    default:
        QWidget::keyPressEvent(event);
    }
}

} // namespace mesh::graph
