#include "app/graph/topology_view.h"

#include "app/graph/accessible.h"
#include "app/graph/view_state.h"

#include <QPainter>
#include <QResizeEvent>

#include <algorithm>
#include <cmath>

namespace mesh::graph {

namespace {

constexpr double kZoomMin = 0.1;
constexpr double kZoomMax = 2.5;
constexpr int kRendersPerFrame = 2; // Large graphs: what fits beside 60 pictures a second.
constexpr int kRendersAll = 1'000;

} // namespace

TopologyView::TopologyView(QWidget* parent)
    : QWidget(parent)
    , m_private(std::make_unique<Private>(this))
{
    installAccessibility();
    setObjectName(QStringLiteral("topologyView"));
    setAccessibleName(tr("Topology"));
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setAttribute(Qt::WA_OpaquePaintEvent);
    setMinimumSize(320, 240);
    Private& d = *m_private;
    connect(d.job, &LayoutJob::finished, this, [this](const Positions& found) {
        m_private->takeLayout(found);
    });
    connect(d.settleTimer, &QTimer::timeout, this, [this] {
        m_private->isSettled = true;
        update();
    });
    connect(d.hoverTimer, &QTimer::timeout, this, [this] {
        Private& state = *m_private;
        const int node = state.nodeAt(toCanvas(mapFromGlobal(QCursor::pos())));
        if (node >= 0) {
            state.hovered = state.scene.nodes[static_cast<std::size_t>(node)].row.id;
            state.invalidate();
        }
    });
    connect(d.particleTimer, &QTimer::timeout, this, [this] {
        ++m_private->particleStep;
        update();
    });
    connect(&theme::current(), &theme::Theme::changed, this, [this] {
        m_private->tiles.clear();
        m_private->invalidate();
    });
    connect(d.zoomBar, &ZoomBar::zoomInClicked, this, [this] { setZoom(zoom() * 1.25); });
    connect(d.zoomBar, &ZoomBar::zoomOutClicked, this, [this] { setZoom(zoom() / 1.25); });
    connect(d.zoomBar, &ZoomBar::resetClicked, this, [this] { setZoom(1); });
    connect(d.zoomBar, &ZoomBar::fitClicked, this, &TopologyView::fit);
    connect(d.zoomBar, &ZoomBar::layoutClicked, this, &TopologyView::layOutAgain);
    connect(d.zoomBar, &ZoomBar::animateToggled, this, [this](bool isAnimated) {
        setParticles(isAnimated ? Particles::On : Particles::Off);
    });
    d.arrange();
}

TopologyView::~TopologyView() { m_private->job->cancel(); }

void TopologyView::setTopology(const bridge::Topology& topology)
{
    Private& d = *m_private;
    d.keepGhosts(topology);
    d.topology = topology;
    d.zones->setTopology(topology);
    d.legend->setTopology(topology);
    if (!d.hasPanels) {
        d.zones->hide();
    }
    d.arrange();
    d.placeMissing();
    d.rebuild();
    d.keepFitted();
}

const bridge::Topology& TopologyView::topology() const { return m_private->topology; }

void TopologyView::setPositions(const Positions& positions)
{
    Private& d = *m_private;
    d.positions = positions;
    d.placeMissing();
    d.rebuild();
    d.keepFitted();
}

const Positions& TopologyView::positions() const { return m_private->positions; }

void TopologyView::setSelection(const QString& id)
{
    if (id != m_private->selection) {
        m_private->selection = id;
        m_private->invalidate();
    }
}

QString TopologyView::selection() const { return m_private->selection; }

void TopologyView::setHighlighted(const QStringList& ids)
{
    m_private->highlighted = QSet<QString>(ids.begin(), ids.end());
    m_private->invalidate();
}

void TopologyView::setHidden(const QStringList& ids)
{
    m_private->hidden = QSet<QString>(ids.begin(), ids.end());
    m_private->rebuild();
}

void TopologyView::setFocusNeighborhood(const QString& id, int depth)
{
    m_private->focusId = id;
    m_private->focusDepth = std::max(1, depth);
    m_private->rebuild();
}

void TopologyView::setEdgeLabels(EdgeLabels labels)
{
    m_private->labels = labels;
    m_private->invalidate();
}

void TopologyView::setBadges(Badges badges)
{
    m_private->badges = badges;
    m_private->invalidate();
}

void TopologyView::setParticles(Particles particles)
{
    m_private->particles = particles;
    m_private->zoomBar->setAnimated(particles == Particles::On);
    m_private->updateParticles();
    update();
}

Particles TopologyView::particles() const { return m_private->particles; }

void TopologyView::setCornerPanels(CornerPanels panels)
{
    Private& d = *m_private;
    const bool isShown = panels == CornerPanels::Shown;
    d.zones->setVisible(isShown && d.zones->hasZones());
    d.zoomBar->setVisible(isShown);
    d.hasPanels = isShown;
    if (!isShown) {
        d.legend->hide();
    }
}

void TopologyView::setZoom(double zoom, std::optional<QPointF> anchor)
{
    Private& d = *m_private;
    const double next = std::clamp(zoom, kZoomMin, kZoomMax);
    const QPointF fixed = anchor.value_or(QPointF(width() / 2.0, height() / 2.0));
    const QPointF canvas = toCanvas(fixed);
    if (next == d.zoom) {
        return;
    }
    d.isFitWanted = false;
    d.zoom = next;
    d.offset = fixed - canvas * next;
    d.isSettled = d.isSmall();
    if (!d.isSettled) {
        d.settleTimer->start();
    }
    d.zoomBar->setZoom(next);
    update();
    Q_EMIT zoomChanged(next);
}

double TopologyView::zoom() const { return m_private->zoom; }

void TopologyView::centerOn(QPointF point)
{
    m_private->offset = QPointF(width() / 2.0, height() / 2.0) - point * m_private->zoom;
    update();
}

QPointF TopologyView::center() const { return toCanvas(QPointF(width() / 2.0, height() / 2.0)); }

void TopologyView::fit()
{
    Private& d = *m_private;
    if (d.scene.nodes.empty() || width() < 50) {
        return;
    }
    const QRectF bounds = d.scene.bounds.adjusted(-8, -8, 8, 8);
    setZoom(std::min({1.0, width() / bounds.width(), height() / bounds.height()}));
    centerOn(d.middleBesidePanels(bounds));
    d.isFitWanted = true;
    d.fitted = QRectF(toCanvas(QPointF(0, 0)), toCanvas(QPointF(width(), height())));
    d.fittedNodes = d.scene.nodes.size();
}

void TopologyView::layOutAgain()
{
    if (!m_private->topology.entities.empty()) {
        m_private->job->start(layoutInput(m_private->topology));
    }
}

bool TopologyView::isLayingOut() const { return m_private->job->isRunning(); }

QPointF TopologyView::toWidget(QPointF point) const
{
    return point * m_private->zoom + m_private->offset;
}

QPointF TopologyView::toCanvas(QPointF point) const
{
    return (point - m_private->offset) / m_private->zoom;
}

QString TopologyView::idAt(QPointF point) const
{
    const Private& d = *m_private;
    const int node = d.nodeAt(toCanvas(point));
    if (node >= 0) {
        return d.scene.nodes[static_cast<std::size_t>(node)].row.id;
    }
    const int edge = d.edgeAt(toCanvas(point));
    return edge < 0 ? QString() : edgeId(d.scene.edges[static_cast<std::size_t>(edge)].row);
}

QStringList TopologyView::severityOrder() const
{
    using bridge::HealthState;
    const auto rank = [](const bridge::EntityRow& row) {
        switch (row.state) {
        case HealthState::Failure:
            return 0;
        case HealthState::Degraded:
            return 1;
        case HealthState::Stale:
            return 2;
        case HealthState::NoData:
            return 3;
        case HealthState::Healthy:
            return 4;
        case HealthState::Idle:
            break;
        }
        return 5;
    };
    std::vector<const SceneNode*> nodes;
    for (const SceneNode& node : m_private->scene.nodes) {
        if (!node.isGhost) {
            nodes.push_back(&node);
        }
    }
    std::stable_sort(
        nodes.begin(),
        nodes.end(),
        [&rank](const SceneNode* one, const SceneNode* other) {
            return rank(one->row) < rank(other->row);
        }
    );
    QStringList ids;
    for (const SceneNode* const node : nodes) {
        ids.append(node->row.id);
    }
    return ids;
}

void TopologyView::paintEvent(QPaintEvent* /*event*/)
{
    Private& d = *m_private;
    QPainter painter(this);
    const theme::Tokens& t = theme::tokens();
    painter.fillRect(rect(), t.canvas);
    const TileCache::Viewport viewport = d.viewport();
    if (d.scene.nodes.empty()) {
        painter.setFont(theme::font(theme::Role::Body));
        painter.setPen(t.text3);
        const bool isWaiting = d.job->isRunning() || !d.topology.entities.empty();
        painter.drawText(
            rect(),
            Qt::AlignCenter,
            isWaiting ? tr("Waiting for the first figures…") : tr("Nothing to show yet")
        );
        return;
    }
    if (!d.isSettled && !d.tiles.isEmpty()) {
        painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
        d.tiles.paintStretched(painter, viewport);
    } else {
        const Look look = d.look();
        const bool isBudgeted = !d.isSmall() && !d.tiles.isEmpty();
        const bool isComplete = d.tiles.paint(
            painter,
            viewport,
            [&d, &look, &t](QPainter& inner, const QRectF& area) {
                inner.fillRect(area.adjusted(-1, -1, 1, 1), t.canvas);
                drawScene(inner, d.scene, look, area);
            },
            isBudgeted ? kRendersPerFrame : kRendersAll
        );
        if (!isComplete) {
            update();
        }
    }
    painter.translate(viewport.offset);
    painter.scale(d.zoom, d.zoom);
    d.drawParticles(painter);
    const auto focused = d.scene.indexes.constFind(d.selection);
    if (hasFocus() && focused != d.scene.indexes.cend()) {
        drawFocus(painter, d.scene.nodes[*focused], d.look());
    }
}

void TopologyView::resizeEvent(QResizeEvent* event)
{
    Private& d = *m_private;
    d.arrange();
    if (d.isFitWanted) {
        fit();
    } else if (event->oldSize().isValid()) {
        const QSize grown = event->size() - event->oldSize();
        d.offset += QPointF(grown.width() / 2.0, grown.height() / 2.0);
    }
}

void TopologyView::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    if (m_private->isFitWanted) {
        fit();
    }
    m_private->updateParticles();
}

} // namespace mesh::graph
