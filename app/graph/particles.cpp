#include "app/graph/view_state.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

namespace mesh::graph {

namespace {

constexpr std::size_t kAnimatedEdgesMax = 150;
constexpr double kStep_s = 0.034;

// Edge lengths per second: 0 ms runs at 2.0, 10 s at 0.1.
// Source: Kiali, TrafficRenderer (response time clamped to 0..10 000 ms).
double speedOf(const bridge::EdgeRow& row)
{
    const double slow = std::clamp(row.figures.p95_ms.value_or(100), 0.0, 10'000.0);
    return std::clamp(0.6 - 0.1 * std::log10(1 + slow), 0.1, 2.0);
}

} // namespace

void TopologyView::Private::updateParticles()
{
    const bool isRunning = particles == Particles::On && scene.edges.size() <= kAnimatedEdgesMax
                           && theme::current().motion() == theme::Motion::Full && view->isVisible()
                           && !view->window()->isMinimized();
    if (isRunning && !particleTimer->isActive()) {
        particleTimer->start();
    } else if (!isRunning) {
        particleTimer->stop();
    }
}

void TopologyView::Private::drawParticles(QPainter& painter) const
{
    if (!particleTimer->isActive() || zoom < 0.6) {
        return;
    }
    const theme::Tokens& t = theme::tokens();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    for (const SceneEdge& edge : scene.edges) {
        if (!(edge.row.figures.rps > 0) || edge.samples.size() < 2) {
            continue;
        }
        const int count =
            std::clamp(static_cast<int>(1 + std::log10(1 + edge.row.figures.rps)), 1, 5);
        const double errors = edge.row.figures.errorRatio.value_or(0);
        const double start = speedOf(edge.row) * kStep_s * particleStep;
        for (int i = 0; i < count; ++i) {
            const double share = std::fmod(start + static_cast<double>(i) / count, 1.0);
            const double at = share * (static_cast<double>(edge.samples.size()) - 1);
            const auto index = std::min(static_cast<std::size_t>(at), edge.samples.size() - 2);
            const double rest = at - static_cast<double>(index);
            const QPointF point = edge.samples[index] * (1 - rest) + edge.samples[index + 1] * rest;
            if (errors > 0.001 && i == 0) {
                painter.setBrush(t.of(theme::State::Failure).line);
                painter.drawPolygon(QPolygonF(
                    {point + QPointF(0, -3.6),
                     point + QPointF(3.6, 0),
                     point + QPointF(0, 3.6),
                     point + QPointF(-3.6, 0)}
                ));
            } else {
                painter.setBrush(t.text1);
                painter.drawEllipse(point, 2.1, 2.1);
            }
        }
    }
}

} // namespace mesh::graph
