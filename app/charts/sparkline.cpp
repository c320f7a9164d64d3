#include "app/charts/sparkline.h"

#include <QPainter>
#include <QPainterPath>

#include <algorithm>

namespace mesh::charts {

void drawSparkline(
    QPainter& painter,
    const QRectF& rect,
    const std::vector<std::optional<double>>& values,
    const QColor& color
)
{
    double top = 0;
    for (const std::optional<double>& value : values) {
        top = std::max(top, value.value_or(0));
    }
    if (values.size() < 2) {
        return;
    }
    const double step = rect.width() / static_cast<double>(values.size() - 1);
    QPainterPath path;
    bool isOpen = false;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!values[i]) {
            isOpen = false;
            continue;
        }
        const double share = top > 0 ? *values[i] / top : 0;
        const QPointF point(
            rect.left() + static_cast<double>(i) * step,
            rect.bottom() - 1 - share * (rect.height() - 2)
        );
        isOpen ? path.lineTo(point) : path.moveTo(point);
        isOpen = true;
    }
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(color, 1.3));
    painter.setBrush(Qt::NoBrush);
    painter.drawPath(path);
    painter.restore();
}

} // namespace mesh::charts
