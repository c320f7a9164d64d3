#pragma once

#include "app/bridge/topology.h"

#include <QString>
#include <QWidget>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace mesh::charts {

enum class ChartKind : std::uint8_t {
    Requests, // Stacked areas 2xx, 4xx, 5xx, requests per second.
    Errors, // 5xx share in per cent with the threshold.
    Latency, // p50, p95, p99 in milliseconds.
    Lines, // Any quantities of one unit, given by setLines().
};

// One line of a chart of the kind Lines.
struct ChartLine
{
    QString name;
    int color = 0; // Index into the theme's series.
    enum class Fill : std::uint8_t { No, Below };
    Fill fill = Fill::No;
    std::vector<std::pair<std::int64_t, double>> points; // Time, microseconds, and value; sorted.
};

class TitleRow;

// A span of wall time, microseconds since 1970, begin < end.
struct TimeSpan
{
    std::int64_t begin_us = 0;
    std::int64_t end_us = 0;
    friend bool operator==(const TimeSpan&, const TimeSpan&) = default;
};

// One chart over time with its title row: legend squares with current values, axes, marked events,
// hatched gaps where nothing was measured, one cursor shared with the other charts.
// Source: the visual design, section 6.
class TimeChart : public QWidget
{
    Q_OBJECT

public:
    TimeChart(ChartKind kind, QString title, QWidget* parent = nullptr);
    ~TimeChart() override;

    // What is drawn over `span`, from the first point on but at least a minute. A hole wider than 2
    // steps is a gap, never a line to zero.
    void setSeries(const bridge::Series& series, const TimeSpan& span);
    // The same for the kind Lines; at most six.
    void setLines(std::vector<ChartLine> lines, std::int64_t step_us, const TimeSpan& span);
    void setMarkers(const std::vector<bridge::Marker>& markers);
    // The window the figures of the page speak of, as a band; nothing: no band.
    void setWindow(const std::optional<TimeSpan>& window);
    // A dashed line in the colour of failure with its name at the left ("failure ≥ 10 %").
    void setThreshold(double value, const QString& name);

    // The shared cursor: connect cursorMoved of each chart to setCursorTime of the others.
    void setCursorTime(std::optional<std::int64_t> time_us);
    // The values at that moment for a tool tip: "2xx 30.9"; empty in a gap.
    [[nodiscard]] std::vector<std::pair<QString, QString>> valuesAt(std::int64_t time_us) const;

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

Q_SIGNALS:
    void cursorMoved(std::optional<std::int64_t> time_us);
    void windowChosen(const mesh::charts::TimeSpan& window);

protected:
    void resizeEvent(QResizeEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    class Private;
    std::unique_ptr<Private> m_private;
    TitleRow* m_title;
};

} // namespace mesh::charts
