#include "app/graph/view_state.h"

#include <QPainter>

#include <algorithm>
#include <cmath>
#include <limits>

namespace mesh::graph {

namespace {

constexpr int kGhost_ms = 60'000;
constexpr int kWaitsMax = 5; // Refreshes to wait for the first traffic before laying out.
constexpr std::size_t kSmallNodes = 150;
constexpr std::size_t kSmallEdges = 400;

} // namespace

TopologyView::Private::Private(TopologyView* owner)
    : view(owner)
    , job(new LayoutJob(owner))
    , hoverTimer(new QTimer(owner))
    , settleTimer(new QTimer(owner))
    , particleTimer(new QTimer(owner))
    , motion(new QVariantAnimation(owner))
    , legend(new LegendPanel(owner))
    , zones(new ZonesPanel(owner))
    , zoomBar(new ZoomBar(owner))
{
    hoverTimer->setSingleShot(true);
    hoverTimer->setInterval(300);
    settleTimer->setSingleShot(true);
    settleTimer->setInterval(60);
    particleTimer->setInterval(34); // At most 30 pictures per second.
    motion->setStartValue(0.0);
    motion->setEndValue(1.0);
    motion->setEasingCurve(QEasingCurve::OutCubic);
}

QSet<QString> TopologyView::Private::neighborhood(const QString& id, int depth) const
{
    QSet<QString> found{id};
    for (int step = 0; step < depth; ++step) {
        QSet<QString> more;
        for (const bridge::EdgeRow& edge : topology.edges) {
            if (found.contains(edge.source)) {
                more.insert(edge.target);
            }
            if (found.contains(edge.target)) {
                more.insert(edge.source);
            }
        }
        found.unite(more);
    }
    return found;
}

QSet<QString> TopologyView::Private::pathOf(const QString& id) const
{
    QSet<QString> path;
    const qsizetype arrow = id.indexOf(QStringLiteral(" -> "));
    const QString up = arrow < 0 ? id : id.left(arrow);
    const QString down = arrow < 0 ? id : id.mid(arrow + 4);
    const auto walk = [&](const QString& from, auto next) {
        QSet<QString> seen{from};
        std::vector<QString> open{from};
        while (!open.empty()) {
            const QString at = open.back();
            open.pop_back();
            for (const bridge::EdgeRow& edge : topology.edges) {
                const QString other = next(edge, at);
                if (!other.isEmpty() && !seen.contains(other)) {
                    seen.insert(other);
                    open.push_back(other);
                }
            }
        }
        path.unite(seen);
    };
    walk(up, [](const bridge::EdgeRow& edge, const QString& at) {
        return edge.target == at ? edge.source : QString();
    });
    walk(down, [](const bridge::EdgeRow& edge, const QString& at) {
        return edge.source == at ? edge.target : QString();
    });
    return path;
}

QSet<QString> TopologyView::Private::hiddenNow() const
{
    QSet<QString> result = hidden;
    if (!focusId.isEmpty()) {
        const QSet<QString> shown = neighborhood(focusId, focusDepth);
        for (const bridge::EntityRow& row : topology.entities) {
            if (!shown.contains(row.id)) {
                result.insert(row.id);
            }
        }
    }
    return result;
}

void TopologyView::Private::rebuild()
{
    Scene next = buildScene(topology, positions, hiddenNow());
    for (const auto& [id, row] : ghosts.asKeyValueRange()) {
        if (positions.contains(id)) {
            SceneNode node;
            node.row = row;
            node.isGhost = true;
            node.center = positions[id].point;
            node.size = nodeSize(row);
            measureNode(node);
            next.indexes.insert(id, next.nodes.size());
            next.nodes.push_back(std::move(node));
        }
    }
    // The same nodes, places and sizes keep their curves: a refresh of metrics costs no routing.
    bool isSame =
        next.nodes.size() == scene.nodes.size() && next.edges.size() == scene.edges.size();
    for (std::size_t i = 0; isSame && i < next.nodes.size(); ++i) {
        isSame = next.nodes[i].row.id == scene.nodes[i].row.id
                 && next.nodes[i].center == scene.nodes[i].center
                 && next.nodes[i].size == scene.nodes[i].size;
    }
    for (std::size_t i = 0; isSame && i < next.edges.size(); ++i) {
        isSame = next.edges[i].source == scene.edges[i].source
                 && next.edges[i].target == scene.edges[i].target
                 && isStacked(next.edges[i].row) == isStacked(scene.edges[i].row);
    }
    if (isSame) {
        for (std::size_t i = 0; i < next.edges.size(); ++i) {
            const SceneEdge& old = scene.edges[i];
            next.edges[i].path = old.path;
            next.edges[i].bounds = old.bounds;
            next.edges[i].samples = old.samples;
            next.edges[i].endAngle = old.endAngle;
            next.edges[i].hasPlate = old.hasPlate;
            next.edges[i].plateAt = old.plateAt;
        }
        scene = std::move(next);
    } else {
        scene = std::move(next);
        reroute();
    }
    // Lanes may run outside of the nodes.
    for (const SceneEdge& edge : scene.edges) {
        scene.bounds = scene.bounds.united(edge.bounds);
    }
    invalidate();
}

void TopologyView::Private::reroute()
{
    routeEdges(scene);
    placePlates(scene, platesFormer);
    platesFormer.clear();
    for (const SceneEdge& edge : scene.edges) {
        if (edge.hasPlate) {
            platesFormer.insert(edgeId(edge.row), edge.plateAt);
        }
    }
}

void TopologyView::Private::invalidate()
{
    tiles.invalidate();
    updateParticles();
    view->update();
}

void TopologyView::Private::keepGhosts(const bridge::Topology& next)
{
    QSet<QString> present;
    for (const bridge::EntityRow& row : next.entities) {
        present.insert(row.id);
        ghosts.remove(row.id);
    }
    for (const bridge::EntityRow& row : topology.entities) {
        if (present.contains(row.id)) {
            continue;
        }
        ghosts.insert(row.id, row);
        const QString id = row.id;
        QTimer::singleShot(kGhost_ms, view, [this, id] {
            if (ghosts.remove(id) > 0) {
                rebuild();
            }
        });
    }
}

void TopologyView::Private::placeMissing()
{
    std::vector<QString> missing;
    bool hasPlaced = false;
    for (const bridge::EntityRow& row : topology.entities) {
        if (positions.contains(row.id)) {
            hasPlaced = true;
        } else {
            missing.push_back(row.id);
        }
    }
    if (missing.empty() || (isFirstLayout && job->isRunning())) {
        return;
    }
    if (!hasPlaced) {
        // Traffic shows who calls whom a moment after the nodes are known.
        if (topology.edges.size() * 2 < topology.entities.size() && waits < kWaitsMax
            && topology.entities.size() > 1) {
            ++waits;
            return;
        }
        isFirstLayout = true;
        job->start(layoutInput(topology));
        return;
    }
    Positions added;
    for (const QString& id : missing) {
        const Place place{placeNew(id, topology, positions), false};
        positions.insert(id, place);
        added.insert(id, place);
    }
    Q_EMIT view->positionsChanged(added, MoveReason::NewNode);
}

void TopologyView::Private::takeLayout(const Positions& found)
{
    Positions target;
    for (const auto& [id, place] : found.asKeyValueRange()) {
        const Place former = positions.value(id);
        target.insert(id, former.isPinned ? former : place);
    }
    const bool isFirst = isFirstLayout;
    isFirstLayout = false;
    const int duration = isFirst ? 0 : theme::current().duration_ms(250);
    if (duration == 0) {
        positions.insert(target);
        rebuild();
    } else {
        motion->stop();
        motion->disconnect(view);
        const Positions start = positions;
        QObject::connect(
            motion,
            &QVariantAnimation::valueChanged,
            view,
            [this, start, target](const QVariant& value) {
                const double share = value.toDouble();
                for (const auto& [id, place] : target.asKeyValueRange()) {
                    const QPointF from = start.value(id, place).point;
                    positions[id] = Place{from + (place.point - from) * share, place.isPinned};
                }
                rebuild();
            }
        );
        motion->setDuration(duration);
        motion->start();
    }
    Q_EMIT view->positionsChanged(target, MoveReason::Layout);
    Q_EMIT view->layoutFinished();
    placeMissing();
    if (isFirst) {
        rebuild();
        view->fit();
    } else if (isFitWanted && duration == 0) {
        view->fit();
    }
}

Look TopologyView::Private::look() const
{
    Look result;
    result.zoom = zoom;
    result.labels = labels;
    result.badges = badges;
    result.selection = selection;
    if (!selection.isEmpty()) {
        result.path = pathOf(selection);
    }
    if (!hovered.isEmpty()) {
        result.lit = neighborhood(hovered, 1);
        result.isLitByHover = true;
    } else {
        result.lit = highlighted;
    }
    return result;
}

bool TopologyView::Private::isSmall() const
{
    return scene.nodes.size() <= kSmallNodes && scene.edges.size() <= kSmallEdges;
}

TileCache::Viewport TopologyView::Private::viewport() const
{
    const double ratio = view->devicePixelRatioF();
    const auto aligned = [ratio](double value) { return std::round(value * ratio) / ratio; };
    return {zoom, QPointF(aligned(offset.x()), aligned(offset.y())), QSizeF(view->size()), ratio};
}

int TopologyView::Private::nodeAt(QPointF canvas) const
{
    int best = -1;
    double bestDistance = 0;
    for (std::size_t i = 0; i < scene.nodes.size(); ++i) {
        const SceneNode& node = scene.nodes[i];
        const QPointF delta = canvas - node.center;
        const double reach = std::max(node.size / 2 + 5, 12 / zoom);
        const bool isOnText =
            zoom >= 0.6 && std::abs(delta.x()) < 50 && delta.y() > 0 && delta.y() < 64;
        const double distance = std::hypot(delta.x(), delta.y());
        if ((distance <= reach || isOnText) && (best < 0 || distance < bestDistance)) {
            best = static_cast<int>(i);
            bestDistance = distance;
        }
    }
    return best;
}

int TopologyView::Private::edgeAt(QPointF canvas) const
{
    const double reach = 6 / std::min(1.0, zoom);
    int best = -1;
    double bestDistance = reach;
    for (std::size_t i = 0; i < scene.edges.size(); ++i) {
        const SceneEdge& edge = scene.edges[i];
        if (!edge.bounds.contains(canvas)) {
            continue;
        }
        for (std::size_t j = 1; j < edge.samples.size(); ++j) {
            const QPointF step = edge.samples[j] - edge.samples[j - 1];
            const double length = QPointF::dotProduct(step, step);
            const QPointF delta = canvas - edge.samples[j - 1];
            const double share =
                length > 0 ? std::clamp(QPointF::dotProduct(delta, step) / length, 0.0, 1.0) : 0;
            const QPointF miss = delta - step * share;
            const double distance = std::hypot(miss.x(), miss.y());
            if (distance < bestDistance) {
                best = static_cast<int>(i);
                bestDistance = distance;
            }
        }
    }
    return best;
}

int TopologyView::Private::neighborTowards(int from, Qt::Key key) const
{
    const auto index = static_cast<std::size_t>(from);
    const QPointF at = scene.nodes[index].center;
    int best = -1;
    double bestCost = std::numeric_limits<double>::max();
    const auto offer = [&](std::size_t other, double cost) {
        if (other != index && cost < bestCost) {
            best = static_cast<int>(other);
            bestCost = cost;
        }
    };
    if (key == Qt::Key_Left || key == Qt::Key_Right) {
        for (const SceneEdge& edge : scene.edges) {
            const bool isOurs = key == Qt::Key_Right ? edge.source == index : edge.target == index;
            const std::size_t other = key == Qt::Key_Right ? edge.target : edge.source;
            if (isOurs) {
                offer(other, std::abs(scene.nodes[other].center.y() - at.y()));
            }
        }
        return best;
    }
    for (std::size_t other = 0; other < scene.nodes.size(); ++other) {
        const QPointF delta = scene.nodes[other].center - at;
        const double ahead = key == Qt::Key_Down ? delta.y() : -delta.y();
        if (ahead > 1) {
            offer(other, ahead + 3 * std::abs(delta.x()));
        }
    }
    return best;
}

void TopologyView::Private::choose(const QString& id)
{
    if (id == selection) {
        return;
    }
    selection = id;
    invalidate();
    Q_EMIT view->selected(id);
}

void TopologyView::Private::bringIntoView(QPointF canvas)
{
    constexpr double kMargin = 80;
    const QPointF at = view->toWidget(canvas);
    const QRectF room = QRectF(view->rect()).adjusted(kMargin, kMargin, -kMargin, -kMargin);
    if (!room.contains(at)) {
        view->centerOn(canvas);
    }
}

void TopologyView::Private::keepFitted()
{
    if (!isFitWanted || scene.nodes.empty() || !view->isVisible()) {
        return;
    }
    if (fittedNodes != scene.nodes.size() || !fitted.contains(scene.bounds)) {
        view->fit();
    }
}

QPointF TopologyView::Private::middleBesidePanels(const QRectF& bounds) const
{
    std::vector<QRectF> panels;
    for (const QWidget* const panel :
         {static_cast<QWidget*>(legend),
          static_cast<QWidget*>(zones),
          static_cast<QWidget*>(zoomBar)}) {
        if (!panel->isHidden()) {
            panels.push_back(QRectF(panel->geometry()).adjusted(-6, -6, 6, 6));
        }
    }
    const QSizeF sight = QSizeF(view->size()) / zoom;
    const QSizeF slack = (sight - bounds.size()).expandedTo(QSizeF(0, 0)) / 2;
    const auto hiddenAt = [&](QPointF middle) {
        const QPointF corner = middle - QPointF(sight.width() / 2, sight.height() / 2);
        return std::count_if(scene.nodes.begin(), scene.nodes.end(), [&](const SceneNode& node) {
            const QRectF extent = node.extent();
            const QRectF seen((extent.topLeft() - corner) * zoom, extent.size() * zoom);
            return std::any_of(panels.begin(), panels.end(), [&seen](const QRectF& panel) {
                return panel.intersects(seen);
            });
        });
    };
    QPointF best = bounds.center();
    auto fewest = hiddenAt(best);
    constexpr double kShares[] = {0, -0.5, 0.5, -1, 1};
    for (const double x : kShares) {
        for (const double y : kShares) {
            const QPointF middle = bounds.center() + QPointF(x * slack.width(), y * slack.height());
            const auto count = fewest > 0 ? hiddenAt(middle) : fewest;
            if (count < fewest) {
                fewest = count;
                best = middle;
            }
        }
    }
    return best;
}

void TopologyView::Private::arrange()
{
    constexpr int kMargin = 14;
    zones->move(kMargin, kMargin);
    zones->resize(zones->sizeHint());
    zoomBar->resize(zoomBar->sizeHint());
    zoomBar->move(kMargin, view->height() - kMargin - zoomBar->height());
    legend->resize(legend->sizeHint());
    legend->move(kMargin, zoomBar->y() - 10 - legend->height());
}

} // namespace mesh::graph
