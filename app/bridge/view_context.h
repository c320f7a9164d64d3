#pragma once

#include <QObject>
#include <QString>

#include <cstdint>

namespace mesh::bridge {

enum class TimeMode : std::uint8_t { Live, Paused, Replay };

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
    void setWindow(int seconds); // 10 s to 1 h.
    void setFind(const QString& text);
    void setHide(const QString& text);
    void focusOn(const QString& id, int depth);

Q_SIGNALS:
    void changed(); // Any of the above; views compare what they need.
    void selectionChanged(const QString& id);
    void timeChanged();

private:
    QString m_selection;
    TimeMode m_timeMode = TimeMode::Live;
    std::int64_t m_cursor_us = 0;
    int m_window_s = 60;
    QString m_find;
    QString m_hide;
    QString m_focus;
    int m_depth = 1;
};

} // namespace mesh::bridge
