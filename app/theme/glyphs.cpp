#include "app/theme/glyphs.h"

#include "app/theme/theme.h"

#include <QPainter>
#include <QPainterPath>

#include <algorithm>

namespace mesh::theme {

namespace {

// Strokes on a 16 px grid; dots are zero-length lines with round caps.
QPainterPath glyphPath(State state)
{
    QPainterPath path;
    switch (state) {
    case State::Healthy:
        path.moveTo(3.2, 8.6);
        path.lineTo(6.4, 11.8);
        path.lineTo(12.8, 4.8);
        break;
    case State::Degraded:
        path.moveTo(8, 2.8);
        path.lineTo(8, 9);
        path.moveTo(8, 12.8);
        path.lineTo(8.01, 12.8);
        break;
    case State::Failure:
        path.moveTo(4, 4);
        path.lineTo(12, 12);
        path.moveTo(12, 4);
        path.lineTo(4, 12);
        break;
    case State::Idle:
        path.moveTo(4, 8);
        path.lineTo(12, 8);
        break;
    case State::NoData:
        path.moveTo(5.3, 5.6);
        path.cubicTo(5.3, 1.8, 10.9, 2, 10.7, 5.6);
        path.cubicTo(10.6, 7.4, 8, 7.6, 8, 9.6);
        path.moveTo(8, 13);
        path.lineTo(8.01, 13);
        break;
    case State::Stale:
        path.moveTo(1.8, 9.4);
        path.cubicTo(3.4, 5.2, 5.6, 6, 6.6, 9);
        path.moveTo(9.4, 7);
        path.cubicTo(10.4, 10, 12.6, 10.8, 14.2, 6.6);
        path.moveTo(9.2, 3.2);
        path.lineTo(6.8, 12.8);
        break;
    }
    return path;
}

} // namespace

void drawStateGlyph(
    QPainter& painter, const QRectF& rect, State state, const QColor& color, double strokeWidth
)
{
    const double size = std::min(rect.width(), rect.height());
    const double scale = size / 16;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.translate(rect.center() - QPointF(size / 2, size / 2));
    painter.scale(scale, scale);
    painter.setPen(QPen(color, strokeWidth / scale, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.setBrush(Qt::NoBrush);
    painter.drawPath(glyphPath(state));
    painter.restore();
}

QColor pipColor(Pip pip)
{
    const Tokens& t = tokens();
    switch (pip) {
    case Pip::Up:
    case Pip::Starting:
    case Pip::Draining:
        return t.of(State::Healthy).text;
    case Pip::Ejected:
    case Pip::Down:
    case Pip::Frozen:
        return t.of(State::Failure).text;
    case Pip::Stale:
        break;
    }
    return t.of(State::Stale).text;
}

void drawPip(QPainter& painter, const QRectF& rect, Pip pip)
{
    const double size = std::min(rect.width(), rect.height());
    const QPointF center = rect.center();
    const QRectF disc(center - QPointF(size / 2, size / 2), QSizeF(size, size));
    const double stroke = std::max(1.1, size / 6);
    const QRectF ring = disc.adjusted(stroke / 2, stroke / 2, -stroke / 2, -stroke / 2);
    const QColor color = pipColor(pip);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(color);
    const QPen line(color, stroke, Qt::SolidLine, Qt::RoundCap);
    switch (pip) {
    case Pip::Up:
        painter.drawEllipse(disc);
        break;
    case Pip::Draining:
        painter.drawPie(disc, 90 * 16, 180 * 16);
        painter.setPen(line);
        painter.setBrush(Qt::NoBrush);
        painter.drawEllipse(ring);
        break;
    case Pip::Ejected: {
        painter.setPen(line);
        painter.setBrush(Qt::NoBrush);
        painter.drawEllipse(ring.adjusted(-0.5, -0.5, 0.5, 0.5));
        const double reach = size * 0.34;
        painter.drawLine(center + QPointF(-reach, -reach), center + QPointF(reach, reach));
        break;
    }
    case Pip::Starting:
        painter.setPen(line);
        painter.setBrush(Qt::NoBrush);
        painter.drawEllipse(ring);
        break;
    case Pip::Stale: {
        QPen dashed(color, stroke, Qt::CustomDashLine, Qt::FlatCap);
        dashed.setDashPattern({1.4, 1.4});
        painter.setPen(dashed);
        painter.setBrush(Qt::NoBrush);
        painter.drawEllipse(ring);
        break;
    }
    case Pip::Down: {
        painter.setPen(QPen(color, stroke * 1.3, Qt::SolidLine, Qt::RoundCap));
        const double reach = size * 0.38;
        painter.drawLine(center + QPointF(-reach, -reach), center + QPointF(reach, reach));
        painter.drawLine(center + QPointF(-reach, reach), center + QPointF(reach, -reach));
        break;
    }
    case Pip::Frozen:
        painter.setPen(line);
        painter.setBrush(Qt::NoBrush);
        painter.drawEllipse(ring);
        painter.drawLine(center + QPointF(-size * 0.22, 0), center + QPointF(size * 0.22, 0));
        break;
    }
    painter.restore();
}

void drawHatch(QPainter& painter, const QRectF& rect, const QColor& color)
{
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setClipRect(rect, Qt::IntersectClip);
    // 7 px apart across the lines.
    constexpr double kStep = 9.9;
    painter.setPen(QPen(color, 2.2, Qt::SolidLine, Qt::FlatCap));
    for (double x = rect.left() - rect.height(); x < rect.right(); x += kStep) {
        painter.drawLine(
            QPointF(x, rect.bottom()), QPointF(x + rect.height(), rect.bottom() - rect.height())
        );
    }
    painter.restore();
}

} // namespace mesh::theme
