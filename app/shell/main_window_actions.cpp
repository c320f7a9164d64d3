// The window's actions: menus, shortcuts, the locator and what lists them.
#include "app/bridge/mesh_session.h"
#include "app/bridge/profile.h"
#include "app/bridge/rehearsal_session.h"
#include "app/bridge/rollout_session.h"
#include "app/bridge/view_context.h"
#include "app/charts/time_bar.h"
#include "app/graph/topology_view.h"
#include "app/pages/edit_page.h"
#include "app/pages/history_page.h"
#include "app/pages/inspector.h"
#include "app/pages/nodes_page.h"
#include "app/pages/rehearse_page.h"
#include "app/pages/review_page.h"
#include "app/pages/rollout_page.h"
#include "app/pages/topology_page.h"
#include "app/pages/write_guard.h"
#include "app/shell/help_window.h"
#include "app/shell/main_window.h"
#include "app/shell/top_bar.h"
#include "app/theme/theme.h"
#include "proxyengine/base/version.h"
#include "proxyengine/model/objects.h"

#include <QAction>
#include <QApplication>
#include <QLabel>
#include <QMenu>
#include <QMessageBox>
#include <QSettings>

#include <array>
#include <utility>

namespace mesh::shell {
namespace {

QString plain(const QString& text)
{
    QString words = text;
    return words.remove(u'&').remove(QStringLiteral("…"));
}

} // namespace

QAction* MainWindow::add(QMenu& menu, ActionSpec spec)
{
    auto* action = new QAction(spec.text, this);
    action->setObjectName(spec.name);
    if (!spec.keys.isEmpty()) {
        action->setShortcut(QKeySequence(spec.keys));
        action->setShortcutContext(Qt::WindowShortcut);
    }
    action->setToolTip(plain(spec.text));
    connect(action, &QAction::triggered, this, std::move(spec.run));
    menu.addAction(action);
    addAction(action);
    m_actions.push_back(action);
    return action;
}

void MainWindow::makeMenus()
{
    makeFileMenu();
    makeEditMenu();
    makeViewMenu();
    makeChangeMenu();
    makeMeshMenu();
    makeHelpMenu();
    guardActions();
    m_topBar->setDraftActions(m_undo, m_redo, m_discard, m_review, m_push);
}

// What writes is said here once; the rest follows from the profile of the open document.
void MainWindow::guardActions()
{
    using bridge::WriteAction;
    const std::array<std::pair<const char*, WriteAction>, 7> writing = {{
        {"change.push", WriteAction::Push},
        {"change.discard", WriteAction::EditDraft},
        {"change.undoPush", WriteAction::RollBack},
        {"edit.new", WriteAction::EditDraft},
        {"mesh.start", WriteAction::StartMesh},
        {"mesh.stop", WriteAction::StopMesh},
        {"file.saveDraft", WriteAction::EditDraft},
    }};
    for (QAction* action : m_actions) {
        for (const auto& [name, what] : writing) {
            if (action->objectName() == QLatin1String(name)) {
                pages::guardWrite(*action, m_session, what);
            }
        }
    }
}

void MainWindow::makeFileMenu()
{
    QMenu& menu = *m_topBar->menus().addMenu(tr("File"));
    const auto name = [](const char* text) { return QString::fromLatin1(text); };
    add(menu, {name("file.new"), tr("New document…"), {}, [this] { newDocument(); }});
    add(menu, {name("file.open"), tr("Open…"), name("Ctrl+O"), [this] { chooseDocument(); }});
    add(menu, {name("file.import"), tr("Import configuration…"), {}, [this] { chooseImport(); }});
    add(menu, {name("file.demo"), tr("Start the demo mesh"), {}, [this] { startDemo(); }});
    add(menu, {name("file.demoPolicies"), tr("Start the demo of traffic policies"), {}, [this] {
                   startDemo(QStringLiteral("policies"));
               }});
    menu.addSeparator();
    m_saveCopy =
        add(menu,
            {name("file.copy"), tr("Save a copy…"), name("Ctrl+Shift+S"), [this] { saveCopy(); }});
    add(menu, {name("file.saveDraft"), tr("Save the draft"), name("Ctrl+S"), [this] {
                   if (m_session.isOpen() && m_draft.isChanged()) {
                       m_session.setDraftText(m_draft.text());
                   }
               }});
    m_closeDocument = add(menu, {name("file.close"), tr("Close document"), {}, [this] {
                                     rememberRecent();
                                     m_session.closeDocument();
                                 }});
    menu.addSeparator();
    add(menu, {name("file.quit"), tr("Quit"), name("Ctrl+Q"), [this] { close(); }});
}

void MainWindow::makeEditMenu()
{
    QMenu& menu = *m_topBar->menus().addMenu(tr("Edit"));
    const auto name = [](const char* text) { return QString::fromLatin1(text); };
    QUndoStack& history = *m_draft.undoStack();
    m_undo = add(menu, {name("edit.undo"), tr("Undo"), name("Ctrl+Z"), [this] { undo(); }});
    m_redo = add(menu, {name("edit.redo"), tr("Redo"), name("Ctrl+Shift+Z"), [this] { redo(); }});
    connect(&history, &QUndoStack::canUndoChanged, this, &MainWindow::updateActions);
    connect(&history, &QUndoStack::canRedoChanged, this, &MainWindow::updateActions);
    menu.addSeparator();
    QAction* find = add(menu, {name("edit.find"), tr("Find in this view"), name("Ctrl+F"), [this] {
                                   if (m_mode == Mode::Edit) {
                                       m_edit->focusFilter();
                                   } else if (m_mode == Mode::Rehearse) {
                                       m_rehearse->focusFilter();
                                   } else if (m_mode == Mode::Nodes) {
                                       m_nodesPage->focusFind();
                                   } else {
                                       setMode(Mode::Topology);
                                       m_topology->focusFind();
                                   }
                               }});
    find->setShortcuts({QKeySequence(name("Ctrl+F")), QKeySequence(name("/"))});
    add(menu, {name("edit.new"), tr("New object…"), name("Ctrl+N"), [this] {
                   if (m_session.isOpen()) {
                       setMode(Mode::Edit);
                       m_edit->showAddMenu();
                   }
               }});
    add(menu, {name("edit.locator"), tr("Find anything"), name("Ctrl+K"), [this] {
                   m_topBar->locator().setFocus(Qt::ShortcutFocusReason);
               }});
    add(menu,
        {name("edit.nextProblem"), tr("Next problem"), name("F8"), [this] { stepProblem(1); }});
    add(menu, {name("edit.previousProblem"), tr("Previous problem"), name("Shift+F8"), [this] {
                   stepProblem(-1);
               }});
}

void MainWindow::makeViewMenu()
{
    QMenu& menu = *m_topBar->menus().addMenu(tr("View"));
    const auto name = [](const char* text) { return QString::fromLatin1(text); };
    for (int i = 0; i < kModeCount; ++i) {
        const auto mode = static_cast<Mode>(i);
        add(menu,
            {name("view.") + modeKey(mode),
             modeTitle(mode),
             QStringLiteral("Ctrl+%1").arg(i + 1),
             [this, mode] { setMode(mode); }});
    }
    menu.addSeparator();
    const QStringList panes = {
        tr("Problems"), tr("Events"), tr("Tap"), tr("Rollout"), tr("Revisions"), tr("Alerts")};
    for (int i = 0; i < kPaneCount; ++i) {
        add(menu,
            {QStringLiteral("pane.%1").arg(i + 1),
             tr("%1 pane").arg(panes[i]),
             QStringLiteral("Alt+%1").arg(i + 1),
             [this, i] {
                 if (m_session.isOpen()) {
                     togglePane(i);
                 }
             }});
    }
    menu.addSeparator();
    add(menu,
        {name("view.refresh"), tr("Refresh"), name("F5"), [this] { m_session.refreshNow(); }});
    add(menu, {name("view.sidebar"), tr("Sidebar"), name("Alt+0"), [this] { toggleSidebar(); }});
    add(menu, {name("view.form"), tr("Graph or table"), name("F6"), [this] {
                   if (m_mode == Mode::Nodes) {
                       m_nodesPage->toggleForm();
                   } else {
                       m_topology->toggleForm();
                   }
               }});
    add(menu, {name("view.tap"), tr("Tap as a page"), name("Ctrl+Shift+T"), [this] { showTap(); }});
    add(menu, {name("view.fit"), tr("Fit the graph"), {}, [this] { m_topology->view().fit(); }});
    add(menu, {name("view.layout"), tr("Re-layout the graph"), {}, [this] {
                   m_topology->view().layOutAgain();
               }});
    add(menu, {name("view.live"), tr("Go live"), name("Ctrl+Home"), [this] {
                   m_session.context().goLive();
               }});
    add(menu, {name("view.previousMarker"), tr("Previous marker"), name("Alt+Left"), [this] {
                   m_timeBar->stepToMarker(-1);
               }});
    add(menu, {name("view.nextMarker"), tr("Next marker"), name("Alt+Right"), [this] {
                   m_timeBar->stepToMarker(1);
               }});
    menu.addSeparator();
    QMenu& themes = *menu.addMenu(tr("Theme"));
    const QStringList choices = {tr("System"), tr("Dark"), tr("Light")};
    for (int i = 0; i < choices.size(); ++i) {
        add(themes, {QStringLiteral("theme.%1").arg(i), tr("%1 theme").arg(choices[i]), {}, [i] {
                         theme::current().setTheme(static_cast<theme::Choice>(i));
                         QSettings().setValue(QStringLiteral("theme"), i);
                     }});
    }
    add(menu, {name("view.fullScreen"), tr("Full screen"), name("F11"), [this] {
                   setWindowState(windowState() ^ Qt::WindowFullScreen);
               }});
    add(menu, {name("view.settings"), tr("Settings"), name("Ctrl+,"), [this] {
                   setMode(Mode::Settings);
               }});
}

void MainWindow::makeChangeMenu()
{
    QMenu& menu = *m_topBar->menus().addMenu(tr("Change"));
    const auto name = [](const char* text) { return QString::fromLatin1(text); };
    m_review =
        add(menu, {name("change.review"), tr("Review changes…"), name("Ctrl+Shift+R"), [this] {
                       review();
                   }});
    m_push =
        add(menu, {name("change.push"), tr("Push…"), name("Ctrl+Shift+P"), [this] { push(); }});
    m_discard =
        add(menu,
            {name("change.discard"), tr("Discard changes"), name("Ctrl+Shift+Backspace"), [this] {
                 m_draft.discard();
             }});
    menu.addSeparator();
    add(menu, {name("change.routeTest"), tr("Route tester"), name("Ctrl+T"), [this] {
                   if (m_session.isOpen()) {
                       toggleRouteTester();
                   }
               }});
    m_undoPush =
        add(menu, {name("change.undoPush"), tr("Undo the last push…"), name("Ctrl+Alt+Z"), [this] {
                       m_rolloutSession->undoLastPush();
                   }});
    add(menu, {name("change.rollout"), tr("Current rollout"), {}, [this] {
                   setMode(Mode::Rollout);
                   m_rolloutPage->setView(pages::RolloutView::Current);
               }});
    add(menu, {name("change.history"), tr("History of revisions"), name("Ctrl+Shift+H"), [this] {
                   setMode(Mode::Rollout);
                   m_rolloutPage->setView(pages::RolloutView::History);
               }});
}

void MainWindow::makeMeshMenu()
{
    QMenu& menu = *m_topBar->menus().addMenu(tr("Mesh"));
    const auto name = [](const char* text) { return QString::fromLatin1(text); };
    m_startMesh =
        add(menu, {name("mesh.start"), tr("Start mesh"), {}, [this] {
                       if (!askToWrite(bridge::WriteAction::StartMesh, tr("Start mesh"))) {
                           return;
                       }
                       if (const auto started = m_session.startMesh(); !started) {
                           showError(
                               tr("The mesh did not start."),
                               QString::fromStdString(started.error().message)
                           );
                       }
                   }});
    add(menu, {name("mesh.connect"), tr("Connect a node…"), {}, [this] { connectNode(); }});
    m_stopMesh = add(menu, {name("mesh.stop"), tr("Stop mesh"), {}, [this] {
                                if (askToWrite(bridge::WriteAction::StopMesh, tr("Stop mesh"))) {
                                    m_session.stopMesh();
                                }
                            }});
    m_run = add(menu, {name("mesh.rehearse"), tr("Rehearse, or cancel"), name("Ctrl+R"), [this] {
                           if (m_mode != Mode::Rehearse) {
                               setMode(Mode::Rehearse);
                           }
                           m_rehearse->toggleRun();
                       }});
    menu.addSeparator();
    m_stopFaults =
        add(menu,
            {name("mesh.stopFaults"),
             tr("Stop the push and all faults"),
             name("Ctrl+Shift+."),
             [this] { stopAll(); }});
}

void MainWindow::makeHelpMenu()
{
    QMenu& menu = *m_topBar->menus().addMenu(tr("Help"));
    const auto name = [](const char* text) { return QString::fromLatin1(text); };
    add(menu, {name("help.firstSteps"), tr("First steps"), name("F1"), [this] {
                   showHelp(QStringLiteral("first_steps"));
               }});
    add(menu, {name("help.demo"), tr("Steps of the demo"), {}, [this] { guideThroughDemo(); }});
    add(menu, {name("help.policies"), tr("Traffic policies"), {}, [this] {
                   showHelp(QStringLiteral("policies"));
               }});
    add(menu, {name("help.rehearse"), tr("Rehearsals"), {}, [this] {
                   showHelp(QStringLiteral("rehearse"));
               }});
    add(menu, {name("help.nodes"), tr("Nodes, Tap and route tester"), {}, [this] {
                   showHelp(QStringLiteral("nodes"));
               }});
    add(menu, {name("help.rollout"), tr("Review, push and history"), {}, [this] {
                   showHelp(QStringLiteral("rollout"));
               }});
    add(menu, {name("help.protocols"), tr("Protocols and locks"), {}, [this] {
                   showHelp(QStringLiteral("protocols"));
               }});
    add(menu, {name("help.find"), tr("Find"), {}, [this] { showHelp(QStringLiteral("find")); }});
    add(menu,
        {name("help.alerts"), tr("Alerts"), {}, [this] { showHelp(QStringLiteral("alerts")); }});
    add(menu, {name("help.glossary"), tr("Glossary"), {}, [this] {
                   showHelp(QStringLiteral("glossary"));
               }});
    add(menu, {name("help.shortcuts"), tr("Shortcuts"), name("?"), [this] { showShortcuts(); }});
    add(menu,
        {name("help.about"), tr("About Meshwright"), {}, [this] {
             const std::string_view version = mesh::version();
             QMessageBox::about(
                 this,
                 tr("About Meshwright"),
                 tr("Meshwright %1\nA console for service meshes with the mesh inside.\n"
                    "Apache License 2.0.")
                     .arg(QString::fromUtf8(version.data(), static_cast<qsizetype>(version.size())))
             );
         }});
}

void MainWindow::updateActions()
{
    const bool isOpen = m_session.isOpen();
    const bool isWritable = isOpen && !m_session.isReadOnly();
    // The mode's own text has its own history.
    const bool isRehearsing = m_mode == Mode::Rehearse && isOpen;
    const bool isEditable = !m_session.gate().isRefused(bridge::WriteAction::EditDraft);
    const QUndoStack& history = *m_draft.undoStack();
    m_undo->setEnabled(isRehearsing ? m_rehearsal->canUndo() : isEditable && history.canUndo());
    m_redo->setEnabled(isRehearsing ? m_rehearsal->canRedo() : isEditable && history.canRedo());
    m_run->setEnabled(isOpen);
    m_discard->setEnabled(isOpen && m_draft.isChanged());
    m_review->setEnabled(isOpen && m_draft.isChanged());
    m_push->setEnabled(
        isWritable && m_draft.isChanged() && !m_draft.hasErrors() && !m_session.isApplying()
    );
    m_undoPush->setEnabled(isWritable && m_rolloutSession->undoable() > 0);
    m_stopFaults->setEnabled(!m_session.faults().empty() || m_rolloutSession->isRunning());
    m_startMesh->setEnabled(isOpen && !m_session.isMeshRunning());
    m_stopMesh->setEnabled(m_session.isMeshRunning());
    m_closeDocument->setEnabled(isOpen);
    m_saveCopy->setEnabled(isOpen);
}

void MainWindow::stepProblem(int direction)
{
    const bool isReviewing =
        m_mode == Mode::Rollout && m_rolloutPage->view() == pages::RolloutView::Review;
    if (isReviewing) {
        m_rolloutPage->review().stepChange(direction);
        return;
    }
    setMode(Mode::Edit);
    m_edit->goToProblem(direction);
}

void MainWindow::undo()
{
    if (m_mode == Mode::Rehearse) {
        m_rehearsal->undo();
    } else {
        m_draft.undoStack()->undo();
    }
}

void MainWindow::redo()
{
    if (m_mode == Mode::Rehearse) {
        m_rehearsal->redo();
    } else {
        m_draft.undoStack()->redo();
    }
}

std::vector<LocatorEntry> MainWindow::locatorEntries()
{
    std::vector<LocatorEntry> entries;
    for (const bridge::EntityRow& entity : m_session.topology().entities) {
        const QString id = entity.id;
        entries.push_back({entity.name, QStringLiteral("service"), [this, id] {
                               setMode(Mode::Topology);
                               m_session.context().select(id);
                           }});
    }
    for (const bridge::EntityRow& entity : m_session.topology().entities) {
        for (const bridge::InstanceRow& instance : entity.instances) {
            entries.push_back(
                {tr("%1 of %2").arg(instance.id, entity.name),
                 QStringLiteral("chip"),
                 [this, id = entity.id] {
                     setMode(Mode::Topology);
                     m_session.context().select(id);
                 }}
            );
        }
    }
    for (const bridge::NodeRow& node : m_session.nodes()) {
        const QString name = node.name;
        entries.push_back({QStringLiteral("@ ") + name, QStringLiteral("nodes"), [this, name] {
                               setMode(Mode::Nodes);
                               m_nodesPage->select(name);
                           }});
    }
    const auto document = m_session.document();
    for (const model::EntityKind& kind : model::entityKinds()) {
        const bool isRoute = kind.plural == "routes";
        for (const model::ObjectRef& ref : model::objectsOf(*document, kind.plural)) {
            const QString name = QString::fromStdString(ref.name);
            const QString word =
                QString::fromUtf8(kind.plural.data(), static_cast<qsizetype>(kind.plural.size()));
            entries.push_back(
                {isRoute ? QStringLiteral("/ ") + name : tr("%1 in %2").arg(name, word),
                 isRoute ? QStringLiteral("route") : QStringLiteral("document"),
                 [this, ref] {
                     setMode(Mode::Edit);
                     m_edit->goToPath(model::pathOf(*m_session.document(), ref));
                 }}
            );
        }
    }
    for (const bridge::RevisionRow& revision : m_session.revisions()) {
        entries.push_back(
            {QStringLiteral("# %1 %2").arg(revision.id).arg(revision.message),
             QStringLiteral("history"),
             [this, id = revision.id] {
                 setMode(Mode::Rollout);
                 m_rolloutPage->setView(pages::RolloutView::History);
                 m_rolloutPage->history().select(id);
             }}
        );
    }
    for (QAction* action : m_actions) {
        if (action->isEnabled()) {
            entries.push_back(
                {QStringLiteral("> ") + plain(action->text()),
                 QStringLiteral("play"),
                 [action] { action->trigger(); }}
            );
        }
    }
    return entries;
}

void MainWindow::showShortcuts()
{
    QString rows;
    for (const QAction* action : m_actions) {
        if (!action->shortcut().isEmpty()) {
            rows +=
                QStringLiteral("| %1 | %2 |\n")
                    .arg(
                        QKeySequence::listToString(action->shortcuts(), QKeySequence::NativeText)
                            .replace(u';', u','),
                        plain(action->text())
                    );
        }
    }
    auto* window = new HelpWindow(this);
    window->setAttribute(Qt::WA_DeleteOnClose);
    window->showText(
        tr("Shortcuts"),
        tr("# Shortcuts")
            + QStringLiteral("\n\n| %1 | %2 |\n|---|---|\n").arg(tr("Keys"), tr("Does")) + rows
            + QStringLiteral("\n") + HelpWindow::textOf(QStringLiteral("shortcuts"))
    );
}

void MainWindow::showHelp(const QString& topic)
{
    auto* window = new HelpWindow(this);
    window->setAttribute(Qt::WA_DeleteOnClose);
    window->showText(tr("Help"), HelpWindow::textOf(topic));
}

} // namespace mesh::shell
