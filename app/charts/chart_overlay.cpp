#include "app/charts/chart_overlay.h"

#include "app/charts/flags.h"
#include "app/charts/time_axis.h"
#include "app/theme/figures.h"
#include "app/theme/glyphs.h"

#include <QCoreApplication>
#include <QPainter>

#include <cmath>

namespace mesh::charts {

ChartOverlay::ChartOverlay() { setZValue(10); }

void ChartOverlay::setContent(Content content)
{
    prepareGeometryChange();
    m_content = std::move(content);
    update();
}

QRectF ChartOverlay::boundingRect() const { return m_content.plot.adjusted(-60, -20, 40, 24); }

double ChartOverlay::xOf(std::int64_t time_us) const
{
    const auto length = static_cast<double>(m_content.span.end_us - m_content.span.begin_us);
    const auto past = static_cast<double>(time_us - m_content.span.begin_us);
    return m_content.plot.left() + m_content.plot.width() * past / std::max(1.0, length);
}

void ChartOverlay::paint(QPainter* painter, const QStyleOptionGraphicsItem*, QWidget*)
{
    if (m_content.span.end_us <= m_content.span.begin_us) {
        return;
    }
    const theme::Tokens& t = theme::tokens();
    const QRectF& plot = m_content.plot;
    paintAxes(*painter);
    painter->save();
    painter->setClipRect(plot.adjusted(-1, -1, 1, 1));
    const auto band = [&](const TimeSpan& span) {
        return QRectF(
            QPointF(xOf(span.begin_us), plot.top()), QPointF(xOf(span.end_us), plot.bottom())
        );
    };
    for (const TimeSpan& gap : m_content.gaps) {
        theme::drawHatch(*painter, band(gap), t.hover);
    }
    if (m_content.window) {
        painter->fillRect(band(*m_content.window), theme::faded(t.accent, 0.12));
    }
    if (m_content.drag) {
        painter->fillRect(band(*m_content.drag), theme::faded(t.accent, 0.2));
    }
    if (m_content.threshold && *m_content.threshold <= m_content.top) {
        const QColor& color = t.of(theme::State::Failure).text;
        const double y = plot.bottom() - plot.height() * *m_content.threshold / m_content.top;
        QPen pen(color, 1);
        pen.setDashPattern({4, 3});
        painter->setPen(pen);
        painter->drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y));
        painter->setFont(theme::font(theme::Role::Axis));
        const double baseline = y - 4 > plot.top() + 9 ? y - 4 : y + 12;
        painter->drawText(QPointF(plot.left() + 4, baseline), m_content.thresholdName);
    }
    paintMarkers(*painter);
    if (m_content.cursor_us) {
        const double x = xOf(*m_content.cursor_us);
        painter->setPen(QPen(t.text2, 1));
        painter->drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()));
    }
    painter->restore();
}

void ChartOverlay::paintAxes(QPainter& painter) const
{
    const theme::Tokens& t = theme::tokens();
    const QRectF& plot = m_content.plot;
    painter.setFont(theme::font(theme::Role::Axis));
    const int lines = gridLines(m_content.top);
    for (int line = 0; line <= lines; ++line) {
        const double value = m_content.top * line / lines;
        const double y = std::round(plot.bottom() - plot.height() * line / lines) + 0.5;
        painter.setPen(QPen(line == 0 ? t.borderInput : t.grid, 1));
        painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y));
        painter.setPen(t.text3);
        const QRectF box(plot.left() - 44, y - 8, 38, 16);
        theme::drawFigures(
            painter, box, QString::number(value, 'g', 4), Qt::AlignRight | Qt::AlignVCenter
        );
    }
    const std::int64_t step = tickStep(m_content.span, 3);
    for (const std::int64_t tick : timeTicks(m_content.span, 4)) {
        const double x = xOf(tick);
        if (x < plot.right() - 44) {
            const QRectF box(x - 30, plot.bottom() + 3, 60, 14);
            theme::drawFigures(painter, box, clockText(tick, step), Qt::AlignCenter);
        }
    }
    const QRectF last(plot.right() - 40, plot.bottom() + 3, 40, 14);
    const QString now = QCoreApplication::translate("mesh::charts", "now");
    painter.drawText(last, Qt::AlignRight | Qt::AlignVCenter, now);
}

void ChartOverlay::drawMarkerLine(QPainter& painter, double x, const QColor& color) const
{
    QPen pen(color, 1);
    pen.setDashPattern({2, 3});
    painter.setPen(pen);
    painter.drawLine(QPointF(x, m_content.plot.top()), QPointF(x, m_content.plot.bottom()));
}

void ChartOverlay::paintMarkers(QPainter& painter) const
{
    const QRectF& plot = m_content.plot;
    painter.setFont(theme::font(theme::Role::Axis));
    for (const bridge::Marker& marker : m_content.markers) {
        if (marker.begin_us > m_content.span.end_us) {
            continue;
        }
        const QColor color = colorOf(marker);
        const double x = xOf(marker.begin_us);
        // A fault tints its span and nothing else; what policies do is told by their signs.
        const bool isTinted =
            marker.kind == bridge::Marker::Kind::Fault || marker.kind == bridge::Marker::Kind::Push;
        if (isTinted && marker.end_us != marker.begin_us) {
            const std::int64_t end = marker.end_us == 0 ? m_content.span.end_us : marker.end_us;
            const QRectF box(QPointF(x, plot.top()), QPointF(xOf(end), plot.bottom()));
            painter.fillRect(box & plot, theme::faded(color, 0.14));
        }
        // Signs of policies come in numbers: those that another one speaks for have no line.
        if (x >= plot.left() && marker.kind != bridge::Marker::Kind::Policy) {
            drawMarkerLine(painter, x, color);
        }
    }
    const QRectF lane(plot.left(), plot.top(), plot.width(), 14);
    const std::vector<Flag> flags = placeFlags(
        m_content.markers,
        [this](std::int64_t time_us) { return xOf(time_us); },
        lane,
        painter.font()
    );
    for (const Flag& flag : flags) {
        if (flag.marker->kind == bridge::Marker::Kind::Policy && !flag.isHidden) {
            drawMarkerLine(painter, flag.x, colorOf(*flag.marker));
        }
    }
    for (const Flag& flag : flags) {
        drawFlag(painter, flag);
    }
}

} // namespace mesh::charts
