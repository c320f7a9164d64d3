// The window's reactions to the session: documents, drafts, panes, banners.
#include "app/bridge/alert_watch.h"
#include "app/bridge/mesh_session.h"
#include "app/bridge/policy_words.h"
#include "app/bridge/profile.h"
#include "app/bridge/rehearsal_session.h"
#include "app/bridge/rollout_session.h"
#include "app/bridge/view_context.h"
#include "app/charts/time_bar.h"
#include "app/pages/backup_offer.h"
#include "app/pages/demo_guide.h"
#include "app/pages/edit_page.h"
#include "app/pages/events_view.h"
#include "app/pages/first_run_page.h"
#include "app/pages/list_pages.h"
#include "app/pages/nodes_page.h"
#include "app/pages/review_page.h"
#include "app/pages/rollout_page.h"
#include "app/pages/rows_table.h"
#include "app/pages/tap_view.h"
#include "app/pages/texts.h"
#include "app/pages/topology_page.h"
#include "app/pages/write_guard.h"
#include "app/shell/main_window.h"
#include "app/shell/top_bar.h"
#include "app/theme/theme.h"
#include "proxyengine/model/objects.h"

#include <QAction>
#include <QApplication>
#include <QDateTime>
#include <QFileDialog>
#include <QFileInfo>
#include <QInputDialog>
#include <QLabel>
#include <QMenu>
#include <QMessageBox>
#include <QSettings>
#include <QSystemTrayIcon>

#include <algorithm>

namespace mesh::shell {
namespace {

constexpr int kRecentMax = 8;
constexpr std::int64_t kStripSpanMax_us = 20LL * 60 * 1'000'000;
constexpr std::int64_t kStripSpanMin_us = 2LL * 60 * 1'000'000;
const QString kRecentKey = QStringLiteral("recent");

QString reasonOf(const Error& error) { return QString::fromStdString(error.message); }

std::vector<pages::RecentDocument> readRecent()
{
    std::vector<pages::RecentDocument> recent;
    QSettings settings;
    const int count = settings.beginReadArray(kRecentKey);
    for (int i = 0; i < count; ++i) {
        settings.setArrayIndex(i);
        pages::RecentDocument document;
        document.path = settings.value(QStringLiteral("path")).toString();
        document.name = settings.value(QStringLiteral("name")).toString();
        document.environment = settings.value(QStringLiteral("environment")).toString();
        document.services = settings.value(QStringLiteral("services")).toInt();
        document.nodes = settings.value(QStringLiteral("nodes")).toInt();
        document.revision = settings.value(QStringLiteral("revision")).toLongLong();
        document.revisionTime_us = settings.value(QStringLiteral("revisionTime")).toLongLong();
        document.opened_us = settings.value(QStringLiteral("opened")).toLongLong();
        if (QFileInfo::exists(document.path)) {
            recent.push_back(document);
        }
    }
    settings.endArray();
    return recent;
}

void writeRecent(const std::vector<pages::RecentDocument>& recent)
{
    QSettings settings;
    settings.beginWriteArray(kRecentKey, static_cast<int>(recent.size()));
    for (std::size_t i = 0; i < recent.size(); ++i) {
        settings.setArrayIndex(static_cast<int>(i));
        settings.setValue(QStringLiteral("path"), recent[i].path);
        settings.setValue(QStringLiteral("name"), recent[i].name);
        settings.setValue(QStringLiteral("environment"), recent[i].environment);
        settings.setValue(QStringLiteral("services"), recent[i].services);
        settings.setValue(QStringLiteral("nodes"), recent[i].nodes);
        settings.setValue(QStringLiteral("revision"), qlonglong(recent[i].revision));
        settings.setValue(QStringLiteral("revisionTime"), qlonglong(recent[i].revisionTime_us));
        settings.setValue(QStringLiteral("opened"), qlonglong(recent[i].opened_us));
    }
    settings.endArray();
}

} // namespace

void MainWindow::connectSession()
{
    using bridge::MeshSession;
    connect(&m_session, &MeshSession::documentChanged, this, &MainWindow::onDocumentChanged);
    connect(&m_session, &MeshSession::applyFinished, this, &MainWindow::onApplyFinished);
    connect(&m_session, &MeshSession::bannersChanged, this, &MainWindow::refreshBanners);
    connect(&m_session, &MeshSession::problemsChanged, this, &MainWindow::refreshPanes);
    connect(&m_session, &MeshSession::eventsChanged, this, &MainWindow::refreshPanes);
    connect(&m_session, &MeshSession::tapChanged, this, &MainWindow::refreshPanes);
    connect(&m_session, &MeshSession::honestyChanged, this, &MainWindow::refreshPanes);
    connect(&m_session, &MeshSession::faultsChanged, this, &MainWindow::updateActions);
    connect(&m_session, &MeshSession::meshRunningChanged, this, &MainWindow::updateActions);
    connect(&m_session, &MeshSession::markersChanged, this, &MainWindow::refreshTimeBar);
    connect(
        &m_session,
        &MeshSession::copyFinished,
        this,
        [this](bool isSuccess, const QString& text) {
            if (!isSuccess) {
                showError(tr("The copy was not written."), text);
            }
        }
    );
    connect(&m_draft, &forms::Draft::changed, this, &MainWindow::onDraftChanged);
    connect(&theme::current(), &theme::Theme::changed, this, &MainWindow::refreshChrome);
    using bridge::AlertWatch;
    connect(m_alerts.get(), &AlertWatch::alertsChanged, this, &MainWindow::refreshAlerts);
    connect(m_alerts.get(), &AlertWatch::alertFired, this, &MainWindow::notify);
    connect(m_alerts.get(), &AlertWatch::alertOver, this, &MainWindow::notify);
    connect(&m_session.gate(), &bridge::WriteGate::changed, this, [this] {
        refreshChrome();
        updateActions();
    });
}

void MainWindow::onDocumentChanged()
{
    // The session tells of new revisions too: an edit in progress survives those.
    const QString kept = m_session.draftText();
    if (!(m_draft.baseDocument() == *m_session.document()) || !m_session.isOpen()) {
        m_draft.load(*m_session.document());
        if (m_session.isOpen() && m_session.isDraftChanged() && !kept.isEmpty()) {
            m_draft.editText(kept);
        }
    }
    refreshChrome();
    refreshBanners();
    refreshPanes();
    updateRegions();
    updateActions();
}

void MainWindow::onDraftChanged()
{
    if (m_session.isOpen()) {
        if (m_draft.isChanged()) {
            m_session.setDraftText(m_draft.text());
        } else if (m_session.isDraftChanged()) {
            m_session.discardDraft();
        }
    }
    refreshChrome();
    updateActions();
}

void MainWindow::onApplyFinished(bool isSuccess, const QString& text)
{
    const QString time = QDateTime::currentDateTime().toString(QStringLiteral("HH:mm:ss"));
    m_lastApply = isSuccess ? tr("%1 · applied. %2").arg(time, text)
                            : tr("%1 · not applied. %2").arg(time, text);
    m_rollout->setText(m_lastApply);
    if (isSuccess) {
        m_draft.markApplied();
    } else {
        showError(tr("The changes were not applied."), text);
    }
    refreshChrome();
    updateActions();
}

void MainWindow::refreshChrome()
{
    const bridge::WriteGate& gate = m_session.gate();
    const theme::EnvironmentKind kind = environmentOf(gate.profile().environment);
    const QString profile = gate.profile().name;
    QStringList tag = {profile.isEmpty() ? environmentTag(kind) : profile};
    if (gate.level() == bridge::SafetyLevel::ReadOnly) {
        tag << tr("READ-ONLY");
    }
    if (gate.isOverridden()) {
        tag << tr("OVERRIDDEN");
    }
    m_topBar->meshButton().setMesh(
        m_session.isOpen() ? m_session.name() : QString(), kind, tag.join(QStringLiteral(" · "))
    );
    m_rolloutPage->setEnvironment(tag.front());
    m_topBar->setChanges(m_draft.isChanged() ? std::max(m_draft.changedObjects(), 1) : 0);
    updateTint();
    m_honesty->refresh();
    const QString name = m_session.isOpen() ? m_session.name() : QString();
    setWindowTitle(name.isEmpty() ? tr("Meshwright") : tr("%1 – Meshwright").arg(name));
}

void MainWindow::refreshBanners()
{
    QStringList texts;
    QStringList details;
    for (const bridge::Banner& banner : m_session.banners()) {
        texts << banner.text;
        details << banner.detail;
    }
    m_banner->setText(texts.join(u'\n'));
    m_banner->setToolTip(details.join(u'\n'));
    m_banner->setVisible(!texts.isEmpty());
}

void MainWindow::refreshPanes()
{
    const theme::Tokens& tokens = theme::tokens();
    int errors = 0;
    int warnings = 0;
    for (const bridge::ProblemRow& problem : m_session.problems()) {
        errors += problem.severity == bridge::ProblemSeverity::Error ? 1 : 0;
        warnings += problem.severity == bridge::ProblemSeverity::Warning ? 1 : 0;
    }
    QStringList words;
    if (errors > 0) {
        words << tr("%n error(s)", nullptr, errors);
    }
    if (warnings > 0) {
        words << tr("%n warning(s)", nullptr, warnings);
    }
    m_paneStrip->setNote(
        Pane::Problems,
        words.join(QStringLiteral(", ")),
        tokens.of(errors > 0 ? theme::State::Failure : theme::State::Degraded).text
    );
    int failing = 0;
    for (const bridge::EntityRow& entity : m_session.topology().entities) {
        failing += entity.state == bridge::HealthState::Degraded
                           || entity.state == bridge::HealthState::Failure
                       ? 1
                       : 0;
    }
    m_rail->setFindings(errors + warnings + failing);
    m_rail->setSilentNodes(static_cast<int>(m_session.honesty().silentNodes.size()));
    const auto events = m_session.events().size();
    m_paneStrip->setNote(
        Pane::Events, events > 0 ? QString::number(events) : QString(), tokens.text1
    );
    const bridge::HonestyFigures& figures = m_session.honesty();
    const bool hasRollout = m_rolloutSession->rollout().verdict != bridge::RolloutVerdict::None;
    if (hasRollout) {
        refreshRollout();
    } else {
        m_paneStrip->setNote(
            Pane::Rollout,
            figures.revision > 0 ? tr("rev %1 · %2/%3")
                                       .arg(figures.revision)
                                       .arg(figures.nodesConverged)
                                       .arg(figures.nodesExpected)
                                 : QString(),
            tokens.text1
        );
    }
    if (m_pane == static_cast<int>(Pane::Problems)) {
        pages::fillProblems(*m_problems, m_session);
    } else if (m_pane == static_cast<int>(Pane::Events)) {
        m_events->refresh();
    } else if (m_pane == static_cast<int>(Pane::Revisions)) {
        std::vector<pages::TableRow> rows;
        for (const bridge::RevisionRow& revision : m_session.revisions()) {
            pages::TableRow row;
            row.key = QString::number(revision.id);
            row.cells = {
                {row.key},
                {pages::dateTimeText(revision.time_us)},
                {revision.author},
                {revision.message}};
            rows.push_back(std::move(row));
        }
        m_revisions->setRows(std::move(rows));
    }
}

void MainWindow::refreshAlerts()
{
    const int firing = m_alerts->book().firing();
    m_paneStrip->setNote(
        Pane::Alerts,
        firing > 0 ? QString::number(firing) : QString(),
        theme::tokens().of(theme::State::Failure).text
    );
}

// Through the tray, so that it is seen while the window is not; in the window the pane says it.
void MainWindow::notify(const QString& title, const QString& text)
{
    if (!m_options.isPersistent || isActiveWindow() || !QSystemTrayIcon::isSystemTrayAvailable()) {
        return;
    }
    if (m_tray == nullptr) {
        m_tray = new QSystemTrayIcon(windowIcon(), this);
        m_tray->setToolTip(windowTitle());
        connect(m_tray, &QSystemTrayIcon::activated, this, [this] {
            setWindowState(windowState() & ~Qt::WindowMinimized);
            raise();
            activateWindow();
        });
        connect(m_tray, &QSystemTrayIcon::messageClicked, this, [this] {
            raise();
            activateWindow();
            if (m_pane != static_cast<int>(Pane::Alerts)) {
                togglePane(static_cast<int>(Pane::Alerts));
            }
        });
        m_tray->show();
    }
    m_tray->showMessage(tr("%1 – %2").arg(m_session.name(), title), text, QSystemTrayIcon::Warning);
}

void MainWindow::refreshTimeBar()
{
    if (!m_session.isOpen() || !m_timeBar->isVisibleTo(this)) {
        return;
    }
    const std::int64_t now = QDateTime::currentMSecsSinceEpoch() * 1000;
    const std::int64_t begin = m_session.recordedRange_us().first;
    const std::int64_t held = begin > 0 && begin < now ? now - begin : kStripSpanMax_us;
    const std::int64_t span = std::clamp(held, kStripSpanMin_us, kStripSpanMax_us);
    m_timeBar->setShown(static_cast<int>(span / 1'000'000));
    m_request = m_session.requestSeries({}, now - span, now);
    auto markers = m_session.markers(now - span, now);
    std::erase_if(markers, [](const bridge::Marker& marker) { return !bridge::isOnAxis(marker); });
    pages::shortenLabels(markers);
    m_timeBar->setMarkers(markers);
}

void MainWindow::startDemo() { startDemo(m_options.demoScenario); }

void MainWindow::startDemo(const QString& scenario)
{
    if (m_options.demoFile.isEmpty() || !QFileInfo::exists(m_options.demoFile)) {
        m_firstRun->setMessage(tr("The demo mesh is missing from this installation."));
        return;
    }
    m_firstRun->setMessage({});
    QApplication::setOverrideCursor(Qt::BusyCursor);
    const auto started = m_session.startDemo(m_options.demoFile, scenario);
    QApplication::restoreOverrideCursor();
    if (!started) {
        m_firstRun->setMessage(tr("The demo mesh did not start: %1").arg(reasonOf(started.error()))
        );
        return;
    }
    setMode(Mode::Topology);
}

void MainWindow::guideThroughDemo()
{
    if (!m_session.isOpen()) {
        startDemo();
    }
    if (m_session.isOpen()) {
        m_demoGuide->begin();
    }
}

void MainWindow::openPath(const QString& path)
{
    const bool isDocument = path.endsWith(QStringLiteral(".mesh"), Qt::CaseInsensitive);
    const auto opened = isDocument ? m_session.openDocument(path) : m_session.importFile(path);
    if (!opened) {
        const QString reason = reasonOf(opened.error());
        if (isDocument
            && pages::offerBackup(*this, m_session, path, reason, [this] { rememberRecent(); })) {
            return;
        }
        m_firstRun->setMessage(
            tr("%1 was not opened: %2").arg(QFileInfo(path).fileName(), reasonOf(opened.error()))
        );
        if (m_session.isOpen()) {
            showError(tr("%1 was not opened.").arg(path), reasonOf(opened.error()));
        }
        return;
    }
    rememberRecent();
    const QString mode = m_session.setting(QStringLiteral("mode"));
    for (int i = 0; i < kModeCount; ++i) {
        if (modeKey(static_cast<Mode>(i)) == mode) {
            setMode(static_cast<Mode>(i));
        }
    }
}

void MainWindow::newDocument()
{
    const QString path = QFileDialog::getSaveFileName(
        this, tr("New document"), QStringLiteral("mesh.mesh"), tr("Mesh documents (*.mesh)")
    );
    if (path.isEmpty()) {
        return;
    }
    if (const auto created = m_session.createDocument(path); !created) {
        showError(tr("The document was not created."), reasonOf(created.error()));
        return;
    }
    rememberRecent();
    setMode(Mode::Edit);
}

void MainWindow::chooseDocument()
{
    const QString path = QFileDialog::getOpenFileName(
        this,
        tr("Open"),
        QString(),
        tr("Mesh documents and configuration (*.mesh *.yaml *.yml *.json)")
    );
    if (!path.isEmpty()) {
        openPath(path);
    }
}

void MainWindow::chooseImport()
{
    const QString path = QFileDialog::getOpenFileName(
        this, tr("Import configuration"), QString(), tr("YAML and JSON (*.yaml *.yml *.json)")
    );
    if (!path.isEmpty()) {
        openPath(path);
    }
}

void MainWindow::connectNode()
{
    if (!m_options.nodeConnector) {
        showError(tr("Nodes cannot be connected here."), {});
        return;
    }
    ConnectDialog dialog(m_options.nodeConnector, this);
    dialog.setEnrolment(m_options.nodeEnrolment);
    if (m_session.isOpen() && !m_session.isReadOnly()) {
        dialog.offerMesh(m_session.name());
    }
    dialog.setAcceptor([this, &dialog](const NodeConnection& node) {
        if (dialog.use() == NodeUse::AddToMesh) {
            addNode(node);
            return true;
        }
        const auto opened = followNode(node);
        if (!opened) {
            dialog.showError(tr("The configuration of the node cannot be read."), opened.error());
        }
        return opened.has_value();
    });
    if (dialog.exec() == QDialog::Accepted) {
        setMode(dialog.use() == NodeUse::AddToMesh ? Mode::Nodes : Mode::Topology);
    }
}

void MainWindow::addNode(const NodeConnection& node)
{
    const std::string name = node.name.toStdString();
    const auto& nodes = m_session.document()->nodes;
    const bool isKnown =
        std::ranges::any_of(nodes, [&name](const auto& known) { return known.name == name; });
    const std::string path =
        isKnown ? std::string() : m_draft.addObject(*model::entityKind("nodes"), {});
    if (!path.empty()) {
        m_draft.editValue(path + ".name", model::Value(name));
        m_draft.editValue(path + ".admin", model::Value(node.address.toStdString()));
        m_draft.editValue(
            path + ".role",
            model::Value(node.role.isEmpty() ? std::string("sidecar") : node.role.toStdString())
        );
        if (!node.zone.isEmpty()) {
            m_draft.editValue(path + ".zone", model::Value(node.zone.toStdString()));
        }
    }
    node.attach(m_session);
    m_nodesPage->select(node.name);
}

Result<void> MainWindow::followNode(const NodeConnection& node)
{
    MESH_TRY_VOID(m_session.importText(node.configuration));
    node.attach(m_session);
    m_firstRun->setMessage({});
    return {};
}

void MainWindow::saveCopy()
{
    const QString path = QFileDialog::getSaveFileName(
        this,
        tr("Save a copy"),
        m_session.name() + QStringLiteral(".mesh"),
        tr("Mesh documents (*.mesh)")
    );
    if (!path.isEmpty()) {
        m_session.saveCopy(path);
    }
}

void MainWindow::rememberRecent()
{
    if (!m_options.isPersistent || !m_session.isOpen() || m_session.isTemporary()) {
        return;
    }
    pages::RecentDocument document;
    document.path = m_session.path();
    document.name = m_session.name();
    document.environment = environmentTag(
        environmentOf(m_session.setting(QStringLiteral("environment"), QStringLiteral("local")))
    );
    document.services = static_cast<int>(m_session.document()->services.size());
    document.nodes = static_cast<int>(m_session.document()->nodes.size());
    if (!m_session.revisions().empty()) {
        document.revision = m_session.revisions().front().id;
        document.revisionTime_us = m_session.revisions().front().time_us;
    }
    document.opened_us = QDateTime::currentMSecsSinceEpoch() * 1000;
    std::vector<pages::RecentDocument> recent = readRecent();
    std::erase_if(recent, [&document](const auto& old) { return old.path == document.path; });
    recent.insert(recent.begin(), document);
    if (recent.size() > kRecentMax) {
        recent.resize(kRecentMax);
    }
    writeRecent(recent);
    showRecent();
}

void MainWindow::showRecent()
{
    if (m_options.isPersistent) {
        m_firstRun->setRecent(readRecent());
    }
}

void MainWindow::showMeshMenu()
{
    QMenu menu;
    for (const pages::RecentDocument& document : readRecent()) {
        const QString path = document.path;
        QAction* open = menu.addAction(document.name.isEmpty() ? path : document.name);
        open->setToolTip(path);
        connect(open, &QAction::triggered, this, [this, path] { openPath(path); });
    }
    menu.addSeparator();
    connect(menu.addAction(tr("Open…")), &QAction::triggered, this, &MainWindow::chooseDocument);
    menu.addAction(m_saveCopy);
    menu.addAction(m_closeDocument);
    QWidget& button = m_topBar->meshButton();
    menu.exec(button.mapToGlobal(QPoint(0, button.height() + 4)));
}

void MainWindow::usePolicy(const QString& text)
{
    const auto answer = m_session.gate().mayWrite(bridge::WriteAction::EditDraft);
    if (answer.permit == bridge::WritePermit::Refused) {
        showError(tr("The policy was not taken over."), answer.reason);
        return;
    }
    m_draft.editText(text);
    review();
}

bool MainWindow::askToWrite(bridge::WriteAction action, const QString& what)
{
    return pages::askToWrite(this, m_session, action, what);
}

void MainWindow::review()
{
    setMode(Mode::Rollout);
    m_rolloutPage->setView(pages::RolloutView::Review);
}

void MainWindow::push()
{
    const bool isReviewing =
        m_mode == Mode::Rollout && m_rolloutPage->view() == pages::RolloutView::Review;
    if (isReviewing) {
        m_rolloutPage->review().push();
    } else {
        review(); // Nothing is sent that was not looked at.
    }
}

void MainWindow::stopAll()
{
    m_rolloutSession->stop();
    m_session.stopAllFaults();
}

void MainWindow::rehearseDraft()
{
    setMode(Mode::Rehearse);
    if (const auto compared = m_rehearsal->compareDraft(); !compared) {
        showError(tr("The changes cannot be rehearsed as they are."), reasonOf(compared.error()));
    }
}

void MainWindow::proposeDraft(const QString& text)
{
    m_draft.editText(text);
    onDraftChanged();
}

void MainWindow::refreshRollout()
{
    const bridge::RolloutRows& rows = m_rolloutSession->rollout();
    const theme::Tokens& tokens = theme::tokens();
    const bool isRunning = m_rolloutSession->isRunning();
    const auto waves = static_cast<int>(rows.waves.size());
    m_rail->setRollout(isRunning ? QStringLiteral("%1/%2").arg(rows.wave).arg(waves) : QString());
    if (rows.verdict != bridge::RolloutVerdict::None) {
        m_paneStrip->setNote(
            Pane::Rollout,
            tr("rev %1 · %2/%3").arg(rows.revision).arg(rows.converged).arg(rows.expected),
            isRunning ? tokens.accent : tokens.text1
        );
        QStringList lines;
        lines << tr("Revision %1: %2").arg(rows.revision).arg(rows.state);
        for (const bridge::RolloutNoteRow& note : rows.notes) {
            lines << note.time + QStringLiteral("  ") + note.text;
        }
        constexpr qsizetype kLinesMax = 9;
        m_rollout->setText(lines.mid(0, kLinesMax).join(u'\n'));
    }
    updateActions();
}

void MainWindow::showError(const QString& what, const QString& why)
{
    QMessageBox box(QMessageBox::Warning, tr("Meshwright"), what, QMessageBox::Ok, this);
    box.setInformativeText(why);
    box.setAttribute(Qt::WA_DeleteOnClose, false);
    box.exec();
}

} // namespace mesh::shell
