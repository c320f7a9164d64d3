#pragma once

#include <QColor>
#include <QRectF>

#include <optional>
#include <vector>

class QPainter;

namespace mesh::charts {

// A line without axes, 1.3 px, about 90x20. A missing value is a gap. The scale begins at 0.
void drawSparkline(
    QPainter& painter,
    const QRectF& rect,
    const std::vector<std::optional<double>>& values,
    const QColor& color
);

} // namespace mesh::charts
