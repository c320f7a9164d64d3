#pragma once

#include "app/bridge/rehearsal_rows.h"

#include <QWidget>

#include <memory>
#include <optional>
#include <vector>

namespace mesh::charts {

// What a RunTimeline draws. Times are seconds of the run.
struct RunTimelineContent
{
    double duration_s = 60;
    double warmup_s = 0;
    QString entry; // What the lines speak of.
    std::vector<bridge::LoadRow> loads;
    std::vector<bridge::ClipRow> clips;
    std::vector<bridge::ReactionMark> reactions;
    bridge::SecondRows shown;
    bridge::SecondRows reference; // Dashed; empty: none.
    std::optional<std::pair<double, QString>> objective; // Success asked for, and its words.
    bool isQuiet = false; // The lines are of another scenario than the clips.
};

// One run on one time axis: load, faults as clips, reactions, success and p99, and the playhead.
//
// Clips are moved by their middle and stretched by their ends; times snap to seconds and to other
// events nearby. Keyboard: Tab and Shift+Tab choose a clip, arrows move it by a second (Shift:
// ten), Ctrl with arrows changes its length, Delete takes it out, Enter shows its text, Escape lets
// go; without a clip arrows, Home and End move the playhead. Source: visual design, section 8.
class RunTimeline : public QWidget
{
    Q_OBJECT

public:
    explicit RunTimeline(QWidget* parent = nullptr);
    ~RunTimeline() override;

    void setContent(RunTimelineContent content);
    [[nodiscard]] const RunTimelineContent& content() const;
    void setPlayhead(double second); // Clamped; emits nothing.
    [[nodiscard]] double playhead() const;
    void selectClip(int index); // -1: none. Emits nothing.
    [[nodiscard]] int selectedClip() const;

    // Where things stand, in widget coordinates, for tests and tool tips.
    [[nodiscard]] QRectF clipRect(int index) const;
    [[nodiscard]] double xOf(double second) const;
    [[nodiscard]] double secondAt(double x) const;

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

Q_SIGNALS:
    void playheadMoved(double second);
    void clipSelected(int index);
    // By a person; an absent length is left as it is.
    void clipMoved(int index, double at_s, std::optional<double> length_s);
    void clipRemoved(int index);
    void clipActivated(int index); // Show its text.
    void offerDropped(const QString& offer, double at_s);

protected:
    bool event(QEvent* event) override; // Tool tips.
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool focusNextPrevChild(bool next) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    class Private;
    std::unique_ptr<Private> m_private;
};

// The kind of data a dragged fault of the palette carries: its key in UTF-8.
inline constexpr const char* kFaultMime = "application/x-meshwright-fault";

} // namespace mesh::charts
