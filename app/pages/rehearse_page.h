#pragma once

#include "app/bridge/rehearsal_rows.h"

#include <QWidget>

class QComboBox;
class QTabBar;
class QTimer;
class QToolButton;

namespace mesh::bridge {
class MeshSession;
class RehearsalSession;
} // namespace mesh::bridge
namespace mesh::charts {
class RunTimeline;
}

namespace mesh::pages {

class FaultPalette;
class RehearseBar;
class RehearseStage;
class RunLegend;
class VerdictPane;

// The mode Rehearse: palette of faults, stage, timeline and verdict on one screen.
//
// Everything shown comes from the rehearsal session; a drop, a drag or a key becomes an edit of the
// scenario's text there. The playhead and what is selected are the page's own.
class RehearsePage : public QWidget
{
    Q_OBJECT

public:
    RehearsePage(bridge::MeshSession& mesh, bridge::RehearsalSession& session, QWidget* parent);

    // Where the shipped scenarios are; empty: none.
    void setScenarioFolder(const QString& folder);
    // The scenario of the document, a shipped one of its mesh, or a made one.
    void beginScenario();
    // A scenario in which this happens, run at once.
    void rehearse(const QString& offer, const QString& target);
    void toggleRun(); // Ctrl+R: run, or cancel.
    void toggleText(); // Alt+0.
    void focusFilter(); // Ctrl+F.
    void setPlayhead(double second);

    [[nodiscard]] charts::RunTimeline& timeline() { return *m_timeline; }
    [[nodiscard]] RehearseStage& stage() { return *m_stage; }
    [[nodiscard]] FaultPalette& palette() { return *m_palette; }
    [[nodiscard]] VerdictPane& verdict() { return *m_verdict; }
    [[nodiscard]] RehearseBar& bar() { return *m_bar; }

Q_SIGNALS:
    void reviewRequested(); // Of the draft as it is.
    void policyChosen(const QString& text); // The document with the policy, to be the draft.
    void failed(const QString& what, const QString& why);
    void playheadChanged();

protected:
    void showEvent(QShowEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    QWidget* makeTransport();
    QWidget* makeRunTabs();
    void connectAll();
    void refreshScenario();
    void refreshRuns();
    void refreshTabs();
    void refreshTimeline();
    void refreshStage();
    void run();
    void addFault(const QString& offer, const QString& target, double at_s);
    void dropFault(const QString& offer, const QString& target);
    [[nodiscard]] double dropTime() const;
    void play(bool isPlaying);
    void onTick();
    void usePolicy(const QString& variant);
    void exportRun();
    void showTabMenu(const QPoint& at);
    void renameRun(int index);

    bridge::MeshSession& m_mesh;
    bridge::RehearsalSession& m_session;
    RehearseBar* m_bar;
    QTabBar* m_runs;
    QWidget* m_runsRow = nullptr;
    FaultPalette* m_palette;
    RehearseStage* m_stage;
    charts::RunTimeline* m_timeline;
    VerdictPane* m_verdict;
    QToolButton* m_play = nullptr;
    QComboBox* m_speed = nullptr;
    RunLegend* m_legend = nullptr;
    QTimer* m_tick;
    int m_shownRun = 0; // Whose playhead was placed.
};

} // namespace mesh::pages
