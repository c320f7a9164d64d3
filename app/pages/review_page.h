#pragma once

#include "app/bridge/review_rows.h"

#include <QWidget>

#include <vector>

class QLabel;
class QPushButton;
class QSplitter;
class QStackedWidget;

namespace mesh::bridge {
class MeshSession;
class RehearsalSession;
class RolloutSession;
} // namespace mesh::bridge
namespace mesh::theme {
class FigureLabel;
class SegmentedControl;
} // namespace mesh::theme

namespace mesh::pages {

class BehaviourBar;
class ChangeList;
class FindingList;
class ReviewDiffView;
class ReviewPlan;
class RowsTable;

// What the draft will do, on one screen: objects, effective configuration, behaviour, findings, and
// the plan to push it. Replaces the plain dialog of the console's first version.
class ReviewPage : public QWidget
{
    Q_OBJECT

public:
    ReviewPage(
        bridge::MeshSession& mesh,
        bridge::RolloutSession& session,
        bridge::RehearsalSession* rehearsal,
        QWidget* parent
    );

    void setEnvironment(const QString& tag);
    void push(); // As the button does.
    void stepChange(int direction); // F8.
    [[nodiscard]] ChangeList& list() { return *m_changes; }
    [[nodiscard]] ReviewDiffView& diff() { return *m_diff; }
    [[nodiscard]] ReviewPlan& plan() { return *m_plan; }
    // Where the views of the mode are chosen; right in the summary.
    void setSwitch(QWidget* control);

Q_SIGNALS:
    void rehearseRequested();
    void pushed();
    void pathChosen(const QString& path); // In Edit.
    void failed(const QString& what, const QString& why);

protected:
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;

private:
    struct Figure
    {
        theme::FigureLabel* value = nullptr;
        QLabel* words = nullptr;
    };
    QWidget* makeSummary();
    QWidget* makeLeft();
    QWidget* makeCentre();
    QWidget* makeEffective();
    QWidget* makeBehaviour();
    QWidget* makePaneHead(int number, const QString& title, QLabel*& note, QWidget* right);
    void refreshChanges();
    void refreshReview();
    void refreshFindings();
    void refreshExcerpt();
    void refreshRehearsed();
    void mute(const QString& key);

    bridge::MeshSession& m_mesh;
    QString m_environment; // Its word: "PROD".
    bridge::RolloutSession& m_session;
    bridge::RehearsalSession* m_rehearsal; // Null: rehearsals are not offered.
    QLabel* m_subtitle = nullptr;
    std::vector<Figure> m_figures;
    QWidget* m_summaryRight = nullptr;
    QPushButton* m_rehearse = nullptr;
    QLabel* m_changesTitle = nullptr;
    ChangeList* m_changes = nullptr;
    QLabel* m_empty = nullptr;
    FindingList* m_findings = nullptr;
    QLabel* m_diffNote = nullptr;
    theme::SegmentedControl* m_form = nullptr;
    ReviewDiffView* m_diff = nullptr;
    QLabel* m_effectiveNote = nullptr;
    RowsTable* m_effective = nullptr;
    QLabel* m_excerptTitle = nullptr;
    ReviewDiffView* m_excerpt = nullptr;
    QLabel* m_behaviourNote = nullptr;
    BehaviourBar* m_bar = nullptr;
    RowsTable* m_behaviour = nullptr;
    QLabel* m_sampled = nullptr;
    QWidget* m_rehearsed = nullptr;
    QLabel* m_rehearsedText = nullptr;
    ReviewPlan* m_plan;
};

} // namespace mesh::pages
