#pragma once

#include <QWidget>

#include <cstdint>

class QPushButton;

namespace mesh::bridge {
class MeshSession;
struct TopologyChange;
} // namespace mesh::bridge

namespace mesh::charts {
class TimeBar;
}

namespace mesh::theme {
class Chip;
class ElidedLabel;
} // namespace mesh::theme

namespace mesh::pages {

class RowsTable;

// The time bar writes the session's context: pause, replay, speed, window and both cursors.
void connectTime(charts::TimeBar& bar, bridge::MeshSession& session);

// Both cursors show what the step from one revision to another did. False: one is not known.
bool compareRevisions(bridge::MeshSession& session, std::int64_t before, std::int64_t after);

// One line over the graph while it does not show now: which moment, with which configuration, what
// is compared, and the way back.
class TimeStrip : public QWidget
{
    Q_OBJECT

public:
    explicit TimeStrip(bridge::MeshSession& session, QWidget* parent);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void refresh();
    void showRevisions();
    [[nodiscard]] QString words() const;

    bridge::MeshSession& m_session;
    theme::ElidedLabel* m_word;
    theme::ElidedLabel* m_text;
    theme::Chip* m_revisions;
    QPushButton* m_end;
    QPushButton* m_live;
};

// What appeared, vanished, became worse or better between two moments, under the graph while they
// are compared.
class ChangesTable : public QWidget
{
    Q_OBJECT

public:
    explicit ChangesTable(bridge::MeshSession& session, QWidget* parent);

private:
    void refresh();

    bridge::MeshSession& m_session;
    theme::ElidedLabel* m_note;
    RowsTable* m_table;
};

// The frame around a window that shows a time that is over. Follows the size of its parent.
class ReplayFrame : public QWidget
{
    Q_OBJECT

public:
    ReplayFrame(bridge::MeshSession& session, QWidget* parent);

protected:
    void paintEvent(QPaintEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void refresh();

    bridge::MeshSession& m_session;
};

} // namespace mesh::pages
