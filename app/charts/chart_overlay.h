#pragma once

#include "app/bridge/topology.h"
#include "app/charts/time_chart.h"

#include <QGraphicsItem>

#include <optional>
#include <vector>

namespace mesh::charts {

// What lies over the plot of a TimeChart: window band, gaps, markers, threshold, cursor, axes'
// text. Private to app/charts.
class ChartOverlay : public QGraphicsItem
{
public:
    // Positions and texts of one frame of the chart; set before update().
    struct Content
    {
        QRectF plot;
        TimeSpan span;
        double top = 1;
        std::vector<TimeSpan> gaps;
        std::vector<bridge::Marker> markers;
        std::optional<TimeSpan> window;
        std::optional<double> threshold;
        QString thresholdName;
        std::optional<std::int64_t> cursor_us;
        std::optional<TimeSpan> drag;
    };

    ChartOverlay();
    void setContent(Content content);
    [[nodiscard]] const Content& content() const { return m_content; }

    [[nodiscard]] QRectF boundingRect() const override;
    void paint(QPainter* painter, const QStyleOptionGraphicsItem*, QWidget*) override;

private:
    [[nodiscard]] double xOf(std::int64_t time_us) const;
    void paintAxes(QPainter& painter) const;
    void paintMarkers(QPainter& painter) const;
    void drawMarkerLine(QPainter& painter, double x, const QColor& color) const;

    Content m_content;
};

} // namespace mesh::charts
