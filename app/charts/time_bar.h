#pragma once

#include "app/bridge/topology.h"
#include "app/charts/time_chart.h"

#include <QWidget>

#include <memory>
#include <optional>
#include <vector>

class QPainter;

namespace mesh::bridge {
class ViewContext;
}

namespace mesh::charts {

// The one time axis of the console, 60 px high: transport buttons and LIVE, PAUSED or REPLAY at the
// left, rate, flags of events, the window's brush and both cursors in the middle, window and
// refresh, or the speed of a replay, at the right. What is not live has the colour of replays.
// It reads the context and never writes it; the owner connects the signals.
class TimeBar : public QWidget
{
    Q_OBJECT

public:
    // `context` may be null (then it is always live) and must outlive the bar.
    explicit TimeBar(const bridge::ViewContext* context, QWidget* parent = nullptr);
    ~TimeBar() override;

    // The mesh's rate over what the strip shows; `now_us` is the strip's right end.
    void setSeries(const bridge::Series& series, std::int64_t now_us);
    void setMarkers(const std::vector<bridge::Marker>& markers);
    // How much time the strip shows.
    void setShown(int seconds);
    // Refresh interval shown in the box, in milliseconds.
    void setRefresh(int interval_ms);
    // The shared cursor of the charts, drawn through the strip.
    void setCursorTime(std::optional<std::int64_t> time_us);
    // Previous and next marker from the cursor; steps as well as Alt+Left and Alt+Right.
    void stepToMarker(int direction);

    [[nodiscard]] QSize sizeHint() const override;

Q_SIGNALS:
    void goLive();
    void pauseAt(std::int64_t time_us);
    void replayFrom(std::int64_t time_us);
    void speedChosen(double speed);
    // The second cursor; nothing: it goes.
    void compareWith(std::optional<std::int64_t> time_us);
    void windowChosen(int seconds);
    void refreshChosen(int interval_ms);
    void cursorMoved(std::optional<std::int64_t> time_us);

protected:
    void resizeEvent(QResizeEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    class Private;
    std::unique_ptr<Private> m_private;
};

} // namespace mesh::charts
