#pragma once

#include "app/forms/draft.h"
#include "app/shell/connect_dialog.h"
#include "app/shell/locator.h"
#include "app/shell/mode_rail.h"
#include "app/shell/strips.h"

#include <QMainWindow>
#include <QString>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

class QAction;
class QDockWidget;
class QLabel;
class QMenu;
class QStackedWidget;
class QSystemTrayIcon;

namespace mesh::bridge {
class AlertWatch;
class MeshSession;
class NodesSession;
class RehearsalSession;
struct TapRow;
class RolloutSession;
enum class WriteAction : std::uint8_t;
} // namespace mesh::bridge
namespace mesh::charts {
class TimeBar;
}
namespace mesh::pages {
class DemoGuide;
class AlertsView;
class EditPage;
class FirstRunPage;
class Inspector;
class EventsView;
class NodesInspector;
class NodesPage;
class RehearsePage;
class RouteTester;
class RolloutPage;
class RowsTable;
class TapView;
class TopologyPage;
} // namespace mesh::pages

namespace mesh::shell {

class ModeRail;
class TopBar;

// What the console tells the window once.
struct WindowOptions
{
    QString demoFile; // The demo's declarative file; empty: there is none.
    QString demoScenario; // What happens to it; empty: the usual one.
    bool isPersistent = true; // Reads and writes window state and recent documents.
    NodeConnector nodeConnector{}; // Empty: nodes cannot be connected.
    NodeEnrolment nodeEnrolment{}; // Empty: only addresses without TLS can be.
    QString scenarioFolder{}; // Of the shipped rehearsals; empty: none.
};

// The window: top bar, modes, the page of the mode, inspector, bottom panes, time bar, strips.
//
// It holds the draft and hands what changes to the session; everything shown comes from there.
// Lifetime: the session outlives the window.
class MainWindow : public QMainWindow
{
    Q_OBJECT

public:
    MainWindow(bridge::MeshSession& session, WindowOptions options);
    ~MainWindow() override;

    void setMode(Mode mode);
    [[nodiscard]] Mode mode() const { return m_mode; }
    // Starts the demo mesh; says so on the first-run page when it cannot.
    void startDemo(); // With the scenario of the options.
    void startDemo(const QString& scenario);
    void guideThroughDemo(); // From the first step; starts the demo where nothing is open.
    // Opens the configuration of a reached node and follows the node; what is applied goes there.
    [[nodiscard]] Result<void> followNode(const NodeConnection& node);
    // It joins the nodes of the draft and is followed from now on.
    void addNode(const NodeConnection& node);
    void showTap(); // As a page, until a mode is chosen.
    void testRoute(const bridge::TapRow& request); // In the route tester below Edit.
    void openPath(const QString& path); // A document, or a declarative file to import.
    // Writes the window to a picture; false when the file cannot be written.
    [[nodiscard]] bool writePicture(const QString& file);

    [[nodiscard]] forms::Draft& draft() { return m_draft; }
    [[nodiscard]] pages::EditPage& editPage() { return *m_edit; }
    [[nodiscard]] pages::TopologyPage& topologyPage() { return *m_topology; }
    [[nodiscard]] pages::RehearsePage& rehearsePage() { return *m_rehearse; }
    [[nodiscard]] bridge::AlertWatch& alerts() { return *m_alerts; }
    [[nodiscard]] bridge::RehearsalSession& rehearsal() { return *m_rehearsal; }
    [[nodiscard]] pages::RolloutPage& rolloutPage() { return *m_rolloutPage; }
    [[nodiscard]] bridge::RolloutSession& rollout() { return *m_rolloutSession; }
    [[nodiscard]] pages::Inspector& inspector() { return *m_inspector; }
    [[nodiscard]] pages::NodesPage& nodesPage() { return *m_nodesPage; }
    [[nodiscard]] pages::NodesInspector& nodesInspector() { return *m_nodesInspector; }
    [[nodiscard]] pages::RouteTester& routeTester() { return *m_routeTester; }
    [[nodiscard]] pages::TapView& tapPage() { return *m_tapPage; }
    [[nodiscard]] const std::vector<QAction*>& actionList() const { return m_actions; }

protected:
    void resizeEvent(QResizeEvent* event) override;
    void closeEvent(QCloseEvent* event) override;

private:
    struct ActionSpec
    {
        QString name;
        QString text;
        QString keys;
        std::function<void()> run;
    };
    void makeCentral();
    void makeBottomDock();
    QWidget* makePage(Mode mode);
    QWidget* makeRehearsePage();
    QWidget* makeEditPage();
    QWidget* makeNodesPage();
    void makeInspectors();
    void connectTap(pages::TapView& tap);
    void toggleRouteTester();
    [[nodiscard]] bool isConfirmed(
        const QString& what, const QString& consequence, const QString& action
    );
    QWidget* makeRolloutPage();
    void rehearseDraft();
    void proposeDraft(const QString& text);
    void refreshRollout();
    void push();
    void stopAll(); // Ctrl+Shift+.: a push, and every fault.
    void makeTimeBar();
    void connectSession();

    QAction* add(QMenu& menu, ActionSpec spec);
    void makeMenus();
    void makeFileMenu();
    void makeEditMenu();
    void makeViewMenu();
    void makeChangeMenu();
    void makeMeshMenu();
    void makeHelpMenu();
    void updateActions();

    void onDocumentChanged();
    void onDraftChanged();
    void onApplyFinished(bool isSuccess, const QString& text);
    void refreshChrome();
    void refreshBanners();
    void refreshPanes();
    void refreshTimeBar();
    void refreshAlerts();
    void notify(const QString& title, const QString& text);
    void togglePane(int pane);
    void toggleSidebar(); // The inspector in Topology, the text in Edit.
    void updateRegions();
    void updateTint();
    void refreshHonesty();
    void usePolicy(const QString& text);
    void stepProblem(int direction); // In Review the next change.
    void undo();
    void redo();

    void newDocument();
    void chooseDocument();
    void chooseImport();
    void connectNode();
    void saveCopy();
    void rememberRecent();
    void showRecent();
    void showMeshMenu();
    void review();
    [[nodiscard]] bool askToWrite(bridge::WriteAction action, const QString& what);
    void guardActions();
    void showShortcuts();
    void showHelp(const QString& topic);
    void showError(const QString& what, const QString& why);
    [[nodiscard]] std::vector<LocatorEntry> locatorEntries();
    void restoreWindow();
    void saveWindow();

    bridge::MeshSession& m_session;
    std::unique_ptr<bridge::RehearsalSession> m_rehearsal; // Outlives its page: a member.
    std::unique_ptr<bridge::NodesSession> m_nodes; // As well.
    std::unique_ptr<bridge::RolloutSession> m_rolloutSession; // As well.
    std::unique_ptr<bridge::AlertWatch> m_alerts;
    WindowOptions m_options;
    forms::Draft m_draft;
    Mode m_mode = Mode::Topology;
    int m_pane = -1;
    bool m_isInspectorShown = true;
    bool m_isTapShown = false; // As a page.
    int m_request = -1;

    TopBar* m_topBar;
    ModeRail* m_rail;
    HonestyStrip* m_honesty;
    QMainWindow* m_inner; // Holds the docks between rail and honesty strip.
    QStackedWidget* m_stack;
    QLabel* m_banner;
    charts::TimeBar* m_timeBar = nullptr;
    QDockWidget* m_inspectorDock = nullptr;
    QDockWidget* m_bottomDock = nullptr;
    PaneStrip* m_paneStrip = nullptr;
    QStackedWidget* m_panes = nullptr;
    QWidget* m_tint;
    QWidget* m_simulationFrame;
    pages::FirstRunPage* m_firstRun = nullptr;
    pages::DemoGuide* m_demoGuide = nullptr;
    pages::TopologyPage* m_topology = nullptr;
    pages::EditPage* m_edit = nullptr;
    pages::RehearsePage* m_rehearse = nullptr;
    pages::RolloutPage* m_rolloutPage = nullptr;
    pages::Inspector* m_inspector = nullptr;
    QStackedWidget* m_inspectors = nullptr; // Of Topology, of Nodes.
    pages::NodesPage* m_nodesPage = nullptr;
    pages::NodesInspector* m_nodesInspector = nullptr;
    pages::RouteTester* m_routeTester = nullptr;
    pages::TapView* m_tapPage = nullptr;
    std::array<QWidget*, kModeCount> m_modePages{};
    pages::RowsTable* m_problems = nullptr;
    pages::EventsView* m_events = nullptr;
    pages::TapView* m_tap = nullptr;
    QLabel* m_rollout = nullptr;
    pages::RowsTable* m_revisions = nullptr;
    pages::AlertsView* m_alertsView = nullptr;
    QSystemTrayIcon* m_tray = nullptr; // Null: the desktop has none, or nothing fired yet.
    QString m_lastApply;

    std::vector<QAction*> m_actions;
    QAction* m_undo = nullptr;
    QAction* m_redo = nullptr;
    QAction* m_discard = nullptr;
    QAction* m_review = nullptr;
    QAction* m_push = nullptr;
    QAction* m_undoPush = nullptr;
    QAction* m_stopFaults = nullptr;
    QAction* m_run = nullptr;
    QAction* m_startMesh = nullptr;
    QAction* m_stopMesh = nullptr;
    QAction* m_closeDocument = nullptr;
    QAction* m_saveCopy = nullptr;
};

} // namespace mesh::shell
