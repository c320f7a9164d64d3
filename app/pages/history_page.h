#pragma once

#include "app/bridge/review_rows.h"

#include <QWidget>

#include <cstdint>

class QComboBox;
class QLabel;
class QPushButton;

namespace mesh::bridge {
class RolloutSession;
}

namespace mesh::pages {

class ChangeList;
class ReviewDiffView;
class RowsTable;

// Every revision with its author, message, outcome and convergence; what lies between any two; and
// the way back, whole or object by object, through the same review as any change.
class HistoryPage : public QWidget
{
    Q_OBJECT

public:
    HistoryPage(bridge::RolloutSession& session, QWidget* parent);

    void setSwitch(QWidget* control);
    void select(std::int64_t revision);
    void showDiff(std::int64_t from, std::int64_t to);
    [[nodiscard]] RowsTable& table() { return *m_table; }
    [[nodiscard]] ReviewDiffView& diff() { return *m_diff; }

protected:
    void showEvent(QShowEvent* event) override;

private:
    QWidget* makeHead();
    QWidget* makeSide();
    void refresh();
    void refreshDiff();
    void ask();
    void goBack();

    bridge::RolloutSession& m_session;
    QWidget* m_right = nullptr;
    QLabel* m_subtitle = nullptr;
    QPushButton* m_undo = nullptr;
    RowsTable* m_table;
    QLabel* m_title = nullptr;
    QLabel* m_about = nullptr;
    QComboBox* m_against = nullptr;
    QLabel* m_summary = nullptr;
    ChangeList* m_changes = nullptr;
    ReviewDiffView* m_diff = nullptr;
    QLabel* m_warning = nullptr;
    QPushButton* m_back = nullptr;
    std::int64_t m_selected = 0;
    bool m_isFilling = false;
};

} // namespace mesh::pages
