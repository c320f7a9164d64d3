#pragma once

#include "app/bridge/review_rows.h"

#include <QWidget>

#include <array>
#include <cstdint>

class QLabel;
class QPushButton;
class QStackedWidget;
class QVBoxLayout;

namespace mesh::bridge {
class MeshSession;
class RehearsalSession;
class RolloutSession;
} // namespace mesh::bridge
namespace mesh::theme {
class Chip;
class Note;
class SegmentedControl;
} // namespace mesh::theme

namespace mesh::pages {

class HistoryPage;
class ReviewPage;
class RolloutChart;
class RolloutGrid;
class RolloutWaves;
class RowsTable;

// The push that goes on, or the last one: waves, nodes, gates with their figures, and the log.
// Nothing here says that a node has the change before its hash was read back.
class CurrentRollout : public QWidget
{
    Q_OBJECT

public:
    CurrentRollout(bridge::RolloutSession& session, QWidget* parent);

    void setSwitch(QWidget* control);
    void setTarget(const QString& target); // "PROD shop-eu"
    [[nodiscard]] RolloutGrid& grid() { return *m_grid; }
    [[nodiscard]] QPushButton& rollBackButton() { return *m_rollBack; }

Q_SIGNALS:
    void diffRequested(qint64 from, qint64 to);
    void reviewRequested();

private:
    QWidget* makeHead();
    QWidget* makeSide();
    void refresh();
    void refreshSide();

    bridge::RolloutSession& m_session;
    QString m_target;
    QLabel* m_title = nullptr;
    theme::Chip* m_state = nullptr;
    QLabel* m_subtitle = nullptr;
    QWidget* m_right = nullptr;
    QPushButton* m_hold = nullptr;
    QPushButton* m_stop = nullptr;
    QPushButton* m_rollBack = nullptr;
    theme::Note* m_found = nullptr;
    QLabel* m_foundText = nullptr;
    RolloutWaves* m_waves;
    RolloutGrid* m_grid;
    QLabel* m_foot;
    QLabel* m_gatesTitle = nullptr;
    QLabel* m_gatesState = nullptr;
    RowsTable* m_gates = nullptr;
    RolloutChart* m_errors = nullptr;
    RolloutChart* m_p95 = nullptr;
    RowsTable* m_notes = nullptr;
    QPushButton* m_continue = nullptr;
    QPushButton* m_diff = nullptr;
    QWidget* m_empty = nullptr;
    QWidget* m_body = nullptr;
};

enum class RolloutView : std::uint8_t { Review, Current, History };

// The mode Rollout: its three views behind one switch.
class RolloutPage : public QWidget
{
    Q_OBJECT

public:
    RolloutPage(
        bridge::MeshSession& mesh,
        bridge::RolloutSession& session,
        bridge::RehearsalSession* rehearsal,
        QWidget* parent
    );

    void setView(RolloutView view);
    [[nodiscard]] RolloutView view() const { return m_view; }
    void setEnvironment(const QString& tag); // "PROD"
    [[nodiscard]] ReviewPage& review() { return *m_review; }
    [[nodiscard]] CurrentRollout& current() { return *m_current; }
    [[nodiscard]] HistoryPage& history() { return *m_history; }

Q_SIGNALS:
    void rehearseRequested();
    void pathChosen(const QString& path);
    void failed(const QString& what, const QString& why);
    void viewChanged();

private:
    bridge::MeshSession& m_mesh;
    bridge::RolloutSession& m_session;
    RolloutView m_view = RolloutView::Review;
    QStackedWidget* m_views;
    ReviewPage* m_review;
    CurrentRollout* m_current;
    HistoryPage* m_history;
    std::array<theme::SegmentedControl*, 3> m_switches{};
};

} // namespace mesh::pages
