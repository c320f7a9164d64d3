#include "app/graph/painter.h"
#include "app/graph/policy_marks.h"
#include "app/theme/figures.h"
#include "app/theme/numbers.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

namespace mesh::graph {

namespace {

using theme::State;
using theme::Tokens;

bool isOnPath(const SceneEdge& edge, const Look& look)
{
    return look.path.contains(edge.row.source) && look.path.contains(edge.row.target);
}

QColor edgeColor(const SceneEdge& edge, const Look& look, const Tokens& t)
{
    if (edge.row.change != bridge::Change::None) {
        return changeColor(edge.row.change, t);
    }
    const State state = stateOf(edge.row.state);
    if (state == State::Degraded || state == State::Failure) {
        return t.of(state).line;
    }
    if (isOnPath(edge, look)) {
        return t.edgePath;
    }
    if (edge.row.isTcp) {
        return t.edgeTcp;
    }
    return state == State::Stale ? t.of(State::Stale).line : t.edge;
}

QPen edgePen(const SceneEdge& edge, const Look& look, const Tokens& t)
{
    const bool isFar = look.detail() == Detail::Outlines;
    double width = edge.width;
    if (isFar) {
        width = std::min(width, 1.5) / look.zoom;
    }
    QPen pen(edgeColor(edge, look, t), width, Qt::SolidLine, Qt::FlatCap);
    if (isFar) {
        return pen;
    }
    const auto dashes = [&pen, width](double on, double off) {
        pen.setDashPattern({on / width, off / width});
    };
    if (edge.row.change == bridge::Change::Vanished) {
        dashes(3, 5);
    } else if (edge.row.isTcp) {
        dashes(11, 5);
    } else if (edge.row.state == bridge::HealthState::Idle) {
        pen.setWidthF(1.5);
        dashes(1.5, 4);
    } else if (edge.row.state == bridge::HealthState::NoData) {
        dashes(5, 4);
    }
    return pen;
}

void drawHead(QPainter& painter, const SceneEdge& edge, const QColor& color)
{
    const bool isWide = edge.width >= 3;
    const double length = isWide ? 10 : 8.5;
    const double half = (isWide ? 9.5 : 8) / 2;
    const QPointF tip = edge.samples.back();
    painter.save();
    painter.translate(tip);
    painter.rotate(edge.endAngle * 180 / 3.14159265358979);
    painter.setPen(Qt::NoPen);
    painter.setBrush(color);
    painter.drawPolygon(QPolygonF({{0, 0}, {-length, -half}, {-length, half}}));
    painter.restore();
}

// Failing edges are told apart without colour: crosses every 28 px.
void drawTicks(QPainter& painter, const SceneEdge& edge, const QColor& color)
{
    double walked = 14;
    painter.setPen(QPen(color, 1.6, Qt::SolidLine, Qt::RoundCap));
    for (std::size_t i = 1; i + 1 < edge.samples.size(); ++i) {
        const QPointF step = edge.samples[i] - edge.samples[i - 1];
        walked += std::hypot(step.x(), step.y());
        if (walked >= 28) {
            walked = 0;
            const QPointF at = edge.samples[i];
            painter.drawLine(at + QPointF(-3.4, -3.4), at + QPointF(3.4, 3.4));
            painter.drawLine(at + QPointF(-3.4, 3.4), at + QPointF(3.4, -3.4));
        }
    }
}

void drawEdge(QPainter& painter, const SceneEdge& edge, const Look& look, const Tokens& t)
{
    const QPen pen = edgePen(edge, look, t);
    const double nodes = std::min(look.opacityOf(edge.row.source), look.opacityOf(edge.row.target));
    const double stale = edge.row.state == bridge::HealthState::Stale ? 0.55 : 1;
    painter.setOpacity(nodes * stale);
    painter.setPen(pen);
    painter.setBrush(Qt::NoBrush);
    const bool isFar = look.detail() == Detail::Outlines;
    if (isFar) {
        // A polyline of the samples is what a curve of 1 px looks like, at a tenth of the cost.
        QPolygonF line;
        for (std::size_t i = 0; i < edge.samples.size(); i += 4) {
            line.append(edge.samples[i]);
        }
        painter.drawPolyline(line);
        return;
    }
    painter.drawPath(edge.path);
    if (edge.row.state == bridge::HealthState::Failure) {
        drawTicks(painter, edge, pen.color());
    }
    drawHead(painter, edge, pen.color());
    if (look.detail() != Detail::Names) {
        drawEdgePolicies(painter, edge, pen.color());
        drawEdgeLock(painter, edge, look.badges);
    }
}

void drawPlate(
    QPainter& painter, const SceneEdge& edge, const Look& look, const Tokens& t, bool isLarge
)
{
    const double scale = look.textScale();
    const QStringList lines = plateLines(edge.row, look.labels, isLarge);
    if (lines.isEmpty()) {
        return;
    }
    QFont font = theme::font(theme::Role::CaptionMedium);
    font.setPointSizeF(font.pointSizeF() * scale);
    QFont strong = theme::font(theme::Role::CaptionStrong);
    strong.setPointSizeF(strong.pointSizeF() * scale);
    double width = 0;
    for (const QString& line : lines) {
        width = std::max(width, theme::figuresWidth(strong, line));
    }
    const double height = (static_cast<double>(lines.size()) * 13.5 + 4.5) * scale;
    const auto index = static_cast<std::size_t>(std::lround(edge.plateAt * (kEdgeSamples - 1)));
    const QPointF center = edge.samples[std::min(index, edge.samples.size() - 1)];
    const QRectF box(
        center.x() - width / 2 - 6.5 * scale, center.y() - height / 2, width + 13 * scale, height
    );
    const bool isLoud = isStacked(edge.row);
    const QColor& loud = t.of(stateOf(edge.row.state)).text;
    painter.setPen(QPen(isLoud ? theme::mixed(t.canvas, loud, 0.6) : t.borderInput, 1));
    painter.setBrush(t.canvas);
    painter.drawRoundedRect(box, 4, 4);
    for (qsizetype i = 0; i < lines.size(); ++i) {
        const QRectF row(
            box.left(),
            box.top() + (2.25 + static_cast<double>(i) * 13.5) * scale,
            box.width(),
            13.5 * scale
        );
        painter.setFont(isLarge && i < 2 ? strong : font);
        const bool isError = isLoud && i == 1;
        painter.setPen(isError ? loud : (isLarge && i == 2 ? t.text2 : t.text1));
        theme::drawFigures(painter, row, lines[i], Qt::AlignCenter);
    }
}

} // namespace

double Look::textScale() const
{
    if (zoom > 1.2) {
        return 1 / 1.2;
    }
    if (zoom < 0.6) {
        return 1 / zoom;
    }
    return zoom < 0.85 ? 1 / 0.85 : 1 / zoom;
}

double Look::opacityOf(const QString& id) const
{
    if (lit.isEmpty() || lit.contains(id)) {
        return 1;
    }
    return isLitByHover ? 0.1 : 0.35;
}

QColor changeColor(bridge::Change change, const theme::Tokens& t)
{
    switch (change) {
    case bridge::Change::Appeared:
        return t.accent;
    case bridge::Change::Vanished:
        return t.text2;
    case bridge::Change::Worse:
        return t.of(State::Failure).line;
    case bridge::Change::Better:
        return t.of(State::Healthy).line;
    case bridge::Change::None:
        break;
    }
    return t.edge;
}

QStringList plateLines(const bridge::EdgeRow& row, EdgeLabels labels, bool isLarge)
{
    const bool hasTraffic = row.figures.rps > 0;
    const QString rate = hasTraffic ? theme::rateText(row.figures.rps) : theme::noValue();
    if (isLarge) {
        QStringList lines{hasTraffic ? rate + QStringLiteral("/s") : rate};
        lines.append(theme::shareText(row.figures.errorRatio));
        lines.append(theme::millisecondsText(row.figures.p95_ms));
        return lines;
    }
    switch (labels) {
    case EdgeLabels::None:
        return {};
    case EdgeLabels::Rate:
        return {rate};
    case EdgeLabels::Errors:
        return {theme::shareText(row.figures.errorRatio)};
    case EdgeLabels::Percentile95:
        return {theme::millisecondsText(row.figures.p95_ms)};
    }
    return {rate};
}

void drawDots(QPainter& painter, const QRectF& area)
{
    constexpr double kPitch = 24;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme::tokens().dot);
    const double left = std::floor(area.left() / kPitch) * kPitch;
    const double top = std::floor(area.top() / kPitch) * kPitch;
    for (double y = top; y <= area.bottom(); y += kPitch) {
        for (double x = left; x <= area.right(); x += kPitch) {
            painter.drawRect(QRectF(x - 0.75, y - 0.75, 1.5, 1.5));
        }
    }
    painter.restore();
}

void drawEdges(QPainter& painter, const Scene& scene, const Look& look, const QRectF& area)
{
    const Tokens& t = theme::tokens();
    // Quiet edges first, so that attention lies on top.
    for (const bool isLoudPass : {false, true}) {
        for (const SceneEdge& edge : scene.edges) {
            const bool isLoud = isStacked(edge.row) || isOnPath(edge, look);
            if (isLoud == isLoudPass && edge.samples.size() > 1 && edge.bounds.intersects(area)) {
                drawEdge(painter, edge, look, t);
            }
        }
    }
    painter.setOpacity(1);
}

void drawPlates(QPainter& painter, const Scene& scene, const Look& look, const QRectF& area)
{
    const Detail detail = look.detail();
    if (detail == Detail::Names || detail == Detail::Outlines) {
        return;
    }
    const Tokens& t = theme::tokens();
    for (const SceneEdge& edge : scene.edges) {
        const bool isSelected = edgeId(edge.row) == look.selection;
        const bool isLarge = isStacked(edge.row) || isSelected;
        const bool isWanted = detail == Detail::Full || isLarge;
        if (edge.hasPlate && isWanted && edge.bounds.adjusted(-30, -30, 30, 30).intersects(area)) {
            painter.setOpacity(
                std::min(look.opacityOf(edge.row.source), look.opacityOf(edge.row.target))
            );
            drawPlate(painter, edge, look, t, isLarge);
        }
    }
    painter.setOpacity(1);
}

void drawScene(QPainter& painter, const Scene& scene, const Look& look, const QRectF& area)
{
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setRenderHint(QPainter::SmoothPixmapTransform);
    if (look.zoom >= 0.5) {
        drawDots(painter, area);
    }
    drawEdges(painter, scene, look, area);
    drawPlates(painter, scene, look, area);
    drawNodes(painter, scene, look, area);
}

} // namespace mesh::graph
