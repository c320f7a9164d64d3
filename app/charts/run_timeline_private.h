#pragma once

#include "app/charts/run_timeline.h"

#include <QPainter>

#include <vector>

namespace mesh::charts {

// Everything a RunTimeline remembers, and its painting.
class RunTimeline::Private
{
public:
    explicit Private(RunTimeline* owner)
        : view(owner)
    {}

    // Lanes from top to bottom.
    struct Lanes
    {
        QRectF axis;
        QRectF load;
        QRectF faults;
        QRectF reactions;
        QRectF success;
        QRectF latency;
        QRectF hint;
    };
    [[nodiscard]] Lanes lanes() const;
    [[nodiscard]] double plotLeft() const;
    [[nodiscard]] double plotRight() const;
    [[nodiscard]] double endOf(const bridge::ClipRow& clip) const;
    void packClips();
    [[nodiscard]] int clipAt(QPointF point) const;
    [[nodiscard]] double snapped(double second, int exceptClip) const;
    void announce();

    void paint(QPainter& painter) const;
    void paintAxis(QPainter& painter, const Lanes& at) const;
    void paintBands(QPainter& painter, const Lanes& at) const;
    void paintLoad(QPainter& painter, const QRectF& lane) const;
    void paintClips(QPainter& painter, const QRectF& lane) const;
    void paintClip(QPainter& painter, const bridge::ClipRow& clip) const;
    void paintReactions(QPainter& painter, const QRectF& lane) const;
    void paintChart(QPainter& painter, const QRectF& lane, bool isSuccess) const;
    void paintPlayhead(QPainter& painter, const Lanes& at) const;
    void paintLabel(
        QPainter& painter, const QRectF& lane, const QString& title, const QString& below
    ) const;

    enum class Press : std::uint8_t { None, Playhead, Move, Begin, End };

    RunTimeline* view;
    RunTimelineContent content;
    std::vector<int> rows; // By clip: its row in the lane.
    int rowCount = 1;
    double playhead_s = 0;
    int selected = -1;
    Press press = Press::None;
    double pressSecond = 0;
    std::optional<bridge::ClipRow> dragged; // As it would be dropped.
};

inline constexpr double kLabelWidth = 128;
inline constexpr double kClipHeight = 22;
inline constexpr double kClipPitch = 26;
inline constexpr double kHandle = 6; // Grab width of an end.

} // namespace mesh::charts
