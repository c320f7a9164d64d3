#pragma once

#include <QObject>
#include <QString>

#include <cstdint>
#include <optional>

namespace mesh::bridge {

// Replay is a pause whose cursor moves by itself.
enum class TimeMode : std::uint8_t { Live, Paused, Replay };

// How many seconds of the past go by in one.
inline constexpr double kSpeedMin = 0.25;
inline constexpr double kSpeedMax = 60;

// The one selection, time, window, scope and filter that all panes share.
//
// Every view reads it and listens to changed(); no view keeps its own idea of "now" or "selected".
class ViewContext : public QObject
{
    Q_OBJECT

public:
    explicit ViewContext(QObject* parent = nullptr);

    [[nodiscard]] const QString& selection() const
    {
        return m_selection;
    } // EntityRow::id, "a -> b" for an edge, or empty.
    [[nodiscard]] TimeMode timeMode() const { return m_timeMode; }
    [[nodiscard]] std::int64_t cursor_us() const
    {
        return m_cursor_us;
    } // Meaningful when not Live.
    [[nodiscard]] int window_s() const { return m_window_s; }
    [[nodiscard]] double speed() const { return m_speed; } // Of replays.
    // The moment that is compared with the cursor's; only when not Live.
    [[nodiscard]] std::optional<std::int64_t> second_us() const { return m_second_us; }
    [[nodiscard]] const QString& find() const { return m_find; } // Highlight.
    [[nodiscard]] const QString& hide() const { return m_hide; }
    [[nodiscard]] const QString& focus() const
    {
        return m_focus;
    } // Neighbourhood shown alone; empty: all.
    [[nodiscard]] int depth() const { return m_depth; }

    void select(const QString& id);
    void goLive();
    void pauseAt(std::int64_t time_us);
    // Replays from `time_us` on; ends a comparison.
    void replayFrom(std::int64_t time_us);
    // Moves the cursor of a replay, or of a pause, and stays in that mode; nothing when Live.
    void moveTo(std::int64_t time_us);
    void setSpeed(double speed); // kSpeedMin to kSpeedMax.
    // Sets the second cursor, or takes it away; nothing when Live. A replay pauses.
    void compareWith(std::optional<std::int64_t> time_us);
    void setWindow(int seconds); // 10 s to 1 h.
    // Pauses so that the window is this span, as near as the limits of a window allow.
    void showSpan(std::int64_t begin_us, std::int64_t end_us);
    void setFind(const QString& text);
    void setHide(const QString& text);
    void focusOn(const QString& id, int depth);

Q_SIGNALS:
    void changed(); // Any of the above; views compare what they need.
    void selectionChanged(const QString& id);
    void timeChanged();

private:
    void moveCursor(
        TimeMode mode, std::int64_t cursor_us, std::optional<std::int64_t> second_us, int window_s
    );

    QString m_selection;
    TimeMode m_timeMode = TimeMode::Live;
    std::int64_t m_cursor_us = 0;
    int m_window_s = 60;
    double m_speed = 1;
    std::optional<std::int64_t> m_second_us;
    QString m_find;
    QString m_hide;
    QString m_focus;
    int m_depth = 1;
};

} // namespace mesh::bridge
