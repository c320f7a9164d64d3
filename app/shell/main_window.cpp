#include "app/shell/main_window.h"

#include "app/bridge/alert_watch.h"
#include "app/bridge/mesh_session.h"
#include "app/bridge/nodes_session.h"
#include "app/bridge/profile.h"
#include "app/bridge/rehearsal_session.h"
#include "app/bridge/rollout_session.h"
#include "app/bridge/view_context.h"
#include "app/charts/run_timeline.h"
#include "app/charts/time_bar.h"
#include "app/pages/alerts_view.h"
#include "app/pages/demo_guide.h"
#include "app/pages/edit_page.h"
#include "app/pages/events_view.h"
#include "app/pages/first_run_page.h"
#include "app/pages/inspector.h"
#include "app/pages/list_pages.h"
#include "app/pages/nodes_inspector.h"
#include "app/pages/nodes_page.h"
#include "app/pages/rehearse_page.h"
#include "app/pages/rollout_page.h"
#include "app/pages/route_tester.h"
#include "app/pages/rows_table.h"
#include "app/pages/settings_page.h"
#include "app/pages/tap_view.h"
#include "app/pages/time_strip.h"
#include "app/pages/topology_page.h"
#include "app/shell/top_bar.h"
#include "app/theme/controls.h"
#include "app/theme/theme.h"

#include <QCloseEvent>
#include <QDateTime>
#include <QDockWidget>
#include <QLabel>
#include <QMessageBox>
#include <QPainter>
#include <QPainterPath>
#include <QPushButton>
#include <QSettings>
#include <QSplitter>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace mesh::shell {
namespace {

constexpr int kPaneHeight = 220;
constexpr int kInspectorWidth = 344;
constexpr int kNodesInspectorWidth = 376;
constexpr int kRouteTesterHeight = 260;
constexpr int kWideWindow = 1280; // Narrower ones leave the page more room.

// The line of the environment across the window's top. Property "kind": its colour.
class TintLine : public QWidget
{
public:
    explicit TintLine(QWidget* parent)
        : QWidget(parent)
    {
        setAttribute(Qt::WA_TransparentForMouseEvents);
    }

protected:
    void paintEvent(QPaintEvent* event) override
    {
        Q_UNUSED(event)
        QPainter painter(this);
        const auto kind = static_cast<theme::EnvironmentKind>(property("kind").toInt());
        painter.fillRect(rect(), theme::tokens().of(kind));
    }
};

// The hatched frame that says that what is inside is not real.
class SimulationFrame : public QWidget
{
public:
    explicit SimulationFrame(QWidget* parent)
        : QWidget(parent)
    {
        setObjectName(QStringLiteral("simulationFrame"));
        setAttribute(Qt::WA_TransparentForMouseEvents);
        hide();
    }

protected:
    void paintEvent(QPaintEvent* /*event*/) override
    {
        constexpr double kWidth = 3;
        constexpr double kPitch = 10;
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        const theme::Tokens& t = theme::tokens();
        QPainterPath frame;
        frame.addRect(QRectF(rect()));
        frame.addRect(QRectF(rect()).adjusted(kWidth, kWidth, -kWidth, -kWidth));
        painter.fillPath(frame, t.simulationRow);
        painter.setClipPath(frame);
        painter.setPen(QPen(t.simulationLine, 4));
        for (double x = -height(); x < width(); x += kPitch) {
            painter.drawLine(QPointF(x, height()), QPointF(x + height(), 0));
        }
    }
};

} // namespace

MainWindow::MainWindow(bridge::MeshSession& session, WindowOptions options)
    : m_session(session)
    , m_rehearsal(std::make_unique<bridge::RehearsalSession>(session))
    , m_nodes(std::make_unique<bridge::NodesSession>(session))
    , m_rolloutSession(std::make_unique<bridge::RolloutSession>(session))
    , m_alerts(std::make_unique<bridge::AlertWatch>(session))
    , m_options(std::move(options))
    , m_topBar(new TopBar(this))
    , m_rail(new ModeRail(this))
    , m_honesty(new HonestyStrip(session, this))
    , m_inner(new QMainWindow(this, Qt::Widget))
    , m_stack(new QStackedWidget(m_inner))
    , m_banner(new QLabel(m_inner))
    , m_tint(new TintLine(this))
    , m_simulationFrame(new SimulationFrame(this))
{
    setObjectName(QStringLiteral("mainWindow"));
    setWindowTitle(tr("Meshwright"));
    setMinimumSize(900, 560);
    resize(1440, 900);
    setMenuWidget(m_topBar);
    m_draft.load(*session.document());
    makeCentral();
    makeBottomDock();
    makeMenus();
    connectSession();
    m_topBar->locator().setSource([this] { return locatorEntries(); });
    connect(&m_topBar->meshButton(), &QAbstractButton::clicked, this, &MainWindow::showMeshMenu);
    onDocumentChanged();
    showRecent();
    if (m_options.isPersistent) {
        restoreWindow();
    }
    setMode(m_mode);
    m_firstRun->focusFirstDoor();
}

// The pages go first: they read what the rehearsal session says.
MainWindow::~MainWindow() { delete takeCentralWidget(); }

void MainWindow::makeCentral()
{
    auto* central = new QWidget(this);
    auto* column = new QVBoxLayout(central);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* row = new QHBoxLayout;
    row->setSpacing(0);
    row->addWidget(m_rail);
    row->addWidget(m_inner, 1);
    column->addLayout(row, 1);
    column->addWidget(m_honesty);
    setCentralWidget(central);
    connect(m_rail, &ModeRail::modeChosen, this, &MainWindow::setMode);

    auto* middle = new QWidget(m_inner);
    auto* middleColumn = new QVBoxLayout(middle);
    middleColumn->setContentsMargins(0, 0, 0, 0);
    middleColumn->setSpacing(0);
    theme::setText(*m_banner, theme::Role::Small, theme::TextColor::Degraded);
    m_banner->setContentsMargins(16, 7, 16, 7);
    m_banner->setWordWrap(true);
    m_banner->hide();
    middleColumn->addWidget(m_banner);
    m_demoGuide = new pages::DemoGuide(m_session, *m_rolloutSession, m_draft, middle);
    middleColumn->addWidget(m_demoGuide);
    middleColumn->addWidget(m_stack, 1);
    makeTimeBar();
    middleColumn->addWidget(m_timeBar);
    m_inner->setCentralWidget(middle);
    m_inner->setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
    m_inner->setContextMenuPolicy(Qt::NoContextMenu);

    m_firstRun = new pages::FirstRunPage(m_stack);
    m_stack->addWidget(m_firstRun);
    for (int i = 0; i < kModeCount; ++i) {
        QWidget* page = makePage(static_cast<Mode>(i));
        m_modePages[static_cast<std::size_t>(i)] = page;
        m_stack->addWidget(page);
    }
    m_tapPage = new pages::TapView(m_session, pages::TapView::Form::Page, m_stack);
    m_stack->addWidget(m_tapPage);
    connectTap(*m_tapPage);
    connect(m_firstRun, &pages::FirstRunPage::doorOpened, this, [this](pages::Door door) {
        if (door == pages::Door::Demo) {
            guideThroughDemo();
        } else if (door == pages::Door::Connect) {
            connectNode();
        } else {
            chooseImport();
        }
    });
    connect(m_firstRun, &pages::FirstRunPage::openOther, this, &MainWindow::chooseDocument);
    connect(m_firstRun, &pages::FirstRunPage::documentChosen, this, &MainWindow::openPath);
    connect(m_firstRun, &pages::FirstRunPage::fileDropped, this, &MainWindow::openPath);

    makeInspectors();
}

void MainWindow::makeInspectors()
{
    m_inspectors = new QStackedWidget(m_inner);
    m_inspector = new pages::Inspector(m_session, m_inspectors);
    m_nodesInspector = new pages::NodesInspector(m_session, *m_nodes, m_inspectors);
    m_inspectors->addWidget(m_inspector);
    m_inspectors->addWidget(m_nodesInspector);
    m_inspectorDock = new QDockWidget(tr("Inspector"), m_inner);
    m_inspectorDock->setObjectName(QStringLiteral("inspectorDock"));
    m_inspectorDock->setFeatures(QDockWidget::NoDockWidgetFeatures);
    m_inspectorDock->setTitleBarWidget(new QWidget(m_inspectorDock));
    m_inspectorDock->setWidget(m_inspectors);
    m_inner->addDockWidget(Qt::RightDockWidgetArea, m_inspectorDock);
    m_inner->resizeDocks({m_inspectorDock}, {kInspectorWidth}, Qt::Horizontal);
    m_nodesInspector->setConfirmation(
        [this](const QString& what, const QString& consequence, const QString& action) {
            return isConfirmed(what, consequence, action);
        }
    );
    connect(
        m_nodesPage,
        &pages::NodesPage::nodeSelected,
        m_nodesInspector,
        &pages::NodesInspector::setNode
    );
    m_nodesInspector->setNode(m_nodesPage->selected());
    connect(m_nodesInspector, &pages::NodesInspector::draftAdopted, this, [this] {
        m_draft.editText(m_session.draftText());
    });
    connect(m_inspector, &pages::Inspector::editRequested, this, [this](const QString& id) {
        setMode(Mode::Edit);
        m_edit->goToEntity(id.section(u':', 1));
    });
    connect(
        m_inspector,
        &pages::Inspector::instanceChosen,
        m_demoGuide,
        &pages::DemoGuide::onInstanceChosen
    );
    connect(
        m_inspector, &pages::Inspector::cursorMoved, m_timeBar, &charts::TimeBar::setCursorTime
    );
    connect(
        m_timeBar, &charts::TimeBar::cursorMoved, m_inspector, &pages::Inspector::setCursorTime
    );
}

QWidget* MainWindow::makePage(Mode mode)
{
    switch (mode) {
    case Mode::Topology:
        m_topology = new pages::TopologyPage(m_session, m_stack);
        connect(m_topology, &pages::TopologyPage::activated, this, [this] {
            m_inspector->setFocus(Qt::OtherFocusReason);
        });
        connect(
            m_topology,
            &pages::TopologyPage::rehearseRequested,
            this,
            [this](const QString& offer, const QString& target) {
                setMode(Mode::Rehearse);
                m_rehearse->rehearse(offer, target);
            }
        );
        return m_topology;
    case Mode::Edit:
        return makeEditPage();
    case Mode::Rehearse:
        return makeRehearsePage();
    case Mode::Rollout:
        return makeRolloutPage();
    case Mode::Nodes:
        return makeNodesPage();
    case Mode::Findings: {
        auto* page = new pages::FindingsPage(m_session, m_stack);
        const auto show = [this](const QString& path, int line) {
            setMode(Mode::Edit);
            if (!m_edit->goToPath(path.toStdString()) && line > 0) {
                m_edit->goToLine(line);
            }
        };
        connect(page, &pages::FindingsPage::problemActivated, this, show);
        connect(page, &pages::FindingsPage::entityActivated, this, [this](const QString& id) {
            m_session.context().select(id);
            setMode(Mode::Topology);
        });
        return page;
    }
    case Mode::Settings:
        return new pages::SettingsPage(m_session, m_stack);
    }
    return new QWidget(m_stack);
}

QWidget* MainWindow::makeEditPage()
{
    auto* splitter = new QSplitter(Qt::Vertical, m_stack);
    splitter->setHandleWidth(1);
    splitter->setChildrenCollapsible(false);
    m_edit = new pages::EditPage(m_session, m_draft, splitter);
    m_routeTester = new pages::RouteTester(m_session, splitter);
    m_routeTester->setMinimumHeight(kRouteTesterHeight);
    m_routeTester->hide();
    splitter->setStretchFactor(0, 1);
    splitter->setFocusProxy(m_edit);
    connect(m_routeTester, &pages::RouteTester::closeRequested, m_routeTester, &QWidget::hide);
    connect(m_routeTester, &pages::RouteTester::routeActivated, this, [this](const QString& name) {
        m_edit->goToEntity(name);
    });
    return splitter;
}

QWidget* MainWindow::makeNodesPage()
{
    m_nodesPage = new pages::NodesPage(m_session, *m_nodes, m_stack);
    connect(m_nodesPage, &pages::NodesPage::addRequested, this, &MainWindow::connectNode);
    return m_nodesPage;
}

void MainWindow::connectTap(pages::TapView& tap)
{
    connect(&tap, &pages::TapView::routeTestRequested, this, &MainWindow::testRoute);
    connect(&tap, &pages::TapView::pageRequested, this, &MainWindow::showTap);
    connect(&tap, &pages::TapView::closeRequested, this, [this] { setMode(m_mode); });
}

void MainWindow::showTap()
{
    if (m_session.isOpen()) {
        m_isTapShown = true;
        m_tapPage->setFilter(m_tap->filter());
        updateRegions();
    }
}

void MainWindow::testRoute(const bridge::TapRow& request)
{
    setMode(Mode::Edit);
    m_routeTester->show();
    m_routeTester->setRequest(request);
}

void MainWindow::toggleRouteTester()
{
    const bool isShown = m_mode == Mode::Edit && m_routeTester->isVisible();
    setMode(Mode::Edit);
    m_routeTester->setVisible(!isShown);
    if (!isShown) {
        m_routeTester->setFocus(Qt::ShortcutFocusReason);
    }
}

bool MainWindow::isConfirmed(const QString& what, const QString& consequence, const QString& action)
{
    QMessageBox box(QMessageBox::Question, tr("Meshwright"), what, QMessageBox::Cancel, this);
    box.setInformativeText(consequence);
    QPushButton* go = box.addButton(action, QMessageBox::AcceptRole);
    box.setDefaultButton(QMessageBox::Cancel);
    box.exec();
    return box.clickedButton() == go;
}

QWidget* MainWindow::makeRehearsePage()
{
    using pages::RehearsePage;
    m_rehearse = new RehearsePage(m_session, *m_rehearsal, m_stack);
    m_rehearse->setScenarioFolder(m_options.scenarioFolder);
    connect(m_rehearse, &RehearsePage::reviewRequested, this, &MainWindow::review);
    connect(m_rehearse, &RehearsePage::policyChosen, this, &MainWindow::usePolicy);
    connect(m_rehearse, &RehearsePage::failed, this, &MainWindow::showError);
    connect(m_rehearse, &RehearsePage::playheadChanged, this, &MainWindow::refreshHonesty);
    using bridge::RehearsalSession;
    connect(
        m_rehearsal.get(), &RehearsalSession::scenarioChanged, this, &MainWindow::updateActions
    );
    connect(m_rehearsal.get(), &RehearsalSession::progressChanged, this, [this] {
        updateActions();
        refreshHonesty();
    });
    return m_rehearse;
}

QWidget* MainWindow::makeRolloutPage()
{
    using bridge::RolloutSession;
    using pages::RolloutPage;
    RolloutSession& session = *m_rolloutSession;
    m_rolloutPage = new RolloutPage(m_session, session, m_rehearsal.get(), m_stack);
    connect(m_rolloutPage, &RolloutPage::rehearseRequested, this, &MainWindow::rehearseDraft);
    connect(m_rolloutPage, &RolloutPage::failed, this, &MainWindow::showError);
    connect(m_rolloutPage, &RolloutPage::pathChosen, this, [this](const QString& path) {
        setMode(Mode::Edit);
        m_edit->goToPath(path.toStdString());
    });
    connect(m_rolloutPage, &RolloutPage::viewChanged, this, [this] {
        if (m_timeBar != nullptr && m_inspectorDock != nullptr) {
            updateRegions();
        }
    });
    connect(&session, &RolloutSession::draftProposed, this, &MainWindow::proposeDraft);
    connect(&session, &RolloutSession::reviewProposed, this, &MainWindow::review);
    connect(&session, &RolloutSession::rolloutChanged, this, &MainWindow::refreshRollout);
    connect(&session, &RolloutSession::planChanged, this, &MainWindow::updateActions);
    return m_rolloutPage;
}

void MainWindow::refreshHonesty()
{
    SimulationStatus status;
    status.isShown = m_mode == Mode::Rehearse && m_session.isOpen();
    status.isRunning = m_rehearsal->isRunning();
    status.second = m_rehearse->timeline().playhead();
    m_honesty->setSimulation(status);
}

void MainWindow::makeTimeBar()
{
    bridge::ViewContext& context = m_session.context();
    m_timeBar = new charts::TimeBar(&context, m_inner);
    m_timeBar->setObjectName(QStringLiteral("timeBar"));
    m_timeBar->setAccessibleName(tr("Time"));
    pages::connectTime(*m_timeBar, m_session);
    connect(
        m_timeBar,
        &charts::TimeBar::refreshChosen,
        &m_session,
        &bridge::MeshSession::setRefreshInterval
    );
    m_timeBar->setRefresh(m_session.refreshInterval());
    new pages::ReplayFrame(m_session, this);
    connect(&m_session, &bridge::MeshSession::topologyChanged, this, &MainWindow::refreshTimeBar);
    connect(
        &m_session,
        &bridge::MeshSession::seriesReady,
        this,
        [this](int request, const bridge::Series& series) {
            if (request == m_request) {
                const auto recorded = m_session.recordedRange_us();
                const std::int64_t now = QDateTime::currentMSecsSinceEpoch() * 1000;
                m_timeBar->setSeries(series, std::max(recorded.second, now));
            }
        }
    );
}

void MainWindow::makeBottomDock()
{
    m_paneStrip = new PaneStrip(m_inner);
    m_panes = new QStackedWidget(m_inner);
    m_problems = pages::makeProblemsTable(m_panes);
    m_events = new pages::EventsView(m_session, m_panes);
    m_events->setObjectName(QStringLiteral("eventsPane"));
    connect(m_events, &pages::EventsView::entitySelected, this, [this](const QString& id) {
        m_session.context().select(id);
    });
    m_problems->setObjectName(QStringLiteral("problemsPane"));
    m_tap = new pages::TapView(m_session, pages::TapView::Form::Pane, m_panes);
    connectTap(*m_tap);
    m_rollout = new QLabel(tr("Nothing has been applied in this session."), m_panes);
    m_rollout->setWordWrap(true);
    m_rollout->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    m_rollout->setContentsMargins(16, 12, 16, 12);
    m_rollout->setTextInteractionFlags(Qt::TextSelectableByMouse);
    theme::setText(*m_rollout, theme::Role::Small, theme::TextColor::Text2);
    m_revisions = new pages::RowsTable(
        tr("Revisions"),
        {{tr("Revision"), 80}, {tr("Time"), 130}, {tr("By"), 120}, {tr("Message"), 0}},
        m_panes
    );
    m_revisions->setObjectName(QStringLiteral("revisionsPane"));
    m_alertsView = new pages::AlertsView(m_session, *m_alerts, m_panes);
    connect(
        m_alertsView,
        &pages::AlertsView::entitySelected,
        &m_session.context(),
        &bridge::ViewContext::select
    );
    for (QWidget* pane : std::initializer_list<QWidget*>{
             m_problems, m_events, m_tap, m_rollout, m_revisions, m_alertsView}) {
        m_panes->addWidget(pane);
    }
    m_panes->addWidget(new QWidget(m_panes)); // Shown while all panes are closed.
    m_bottomDock = new QDockWidget(tr("Panes"), m_inner);
    m_bottomDock->setObjectName(QStringLiteral("bottomDock"));
    m_bottomDock->setFeatures(QDockWidget::NoDockWidgetFeatures);
    m_bottomDock->setTitleBarWidget(m_paneStrip);
    m_bottomDock->setWidget(m_panes);
    m_inner->addDockWidget(Qt::BottomDockWidgetArea, m_bottomDock);
    connect(m_paneStrip, &PaneStrip::paneToggled, this, [this](Pane pane) {
        togglePane(static_cast<int>(pane));
    });
    connect(m_paneStrip, &PaneStrip::closeRequested, this, [this] {
        togglePane(m_pane >= 0 ? m_pane : 0);
    });
    connect(m_problems, &pages::RowsTable::keyActivated, this, [this](const QString& key) {
        setMode(Mode::Edit);
        const int line = key.section(u'\n', 1, 1).toInt();
        if (!m_edit->goToPath(key.section(u'\n', 0, 0).toStdString()) && line > 0) {
            m_edit->goToLine(line);
        }
    });
    m_pane = 0;
    togglePane(0); // Closed at first.
}

void MainWindow::togglePane(int pane)
{
    m_pane = m_pane == pane ? -1 : pane;
    const bool isOpen = m_pane >= 0;
    m_panes->setMinimumHeight(isOpen ? 120 : 0);
    m_panes->setMaximumHeight(isOpen ? QWIDGETSIZE_MAX : 0);
    m_bottomDock->setMaximumHeight(isOpen ? QWIDGETSIZE_MAX : m_paneStrip->height());
    m_panes->setCurrentIndex(isOpen ? m_pane : kPaneCount);
    if (isOpen) {
        m_inner->resizeDocks({m_bottomDock}, {kPaneHeight}, Qt::Vertical);
        refreshPanes();
    }
    m_paneStrip->setOpenPane(m_pane);
}

void MainWindow::setMode(Mode mode)
{
    m_mode = mode;
    m_isTapShown = false;
    m_rail->setMode(mode);
    updateRegions();
    if (m_session.isOpen() && m_modePages[static_cast<std::size_t>(mode)] != nullptr) {
        m_modePages[static_cast<std::size_t>(mode)]->setFocus(Qt::OtherFocusReason);
    }
    if (m_session.isOpen()) {
        m_session.setSetting(QStringLiteral("mode"), modeKey(mode));
    }
}

void MainWindow::updateRegions()
{
    const bool isOpen = m_session.isOpen();
    const bool isFirstRun = !isOpen && m_mode != Mode::Settings;
    m_stack->setCurrentWidget(
        isFirstRun               ? static_cast<QWidget*>(m_firstRun)
        : m_isTapShown && isOpen ? m_tapPage
                                 : m_modePages[static_cast<std::size_t>(m_mode)]
    );
    const bool isOfNodes = m_mode == Mode::Nodes;
    const bool hasInspector = (m_mode == Mode::Topology || isOfNodes) && !m_isTapShown;
    m_inspectorDock->setVisible(isOpen && hasInspector && m_isInspectorShown);
    if (const int wanted = isOfNodes ? 1 : 0; m_inspectors->currentIndex() != wanted) {
        m_inspectors->setCurrentIndex(wanted);
        const int wide = isOfNodes ? kNodesInspectorWidth : kInspectorWidth;
        m_inspectorDock->setMinimumWidth(isOfNodes && width() >= kWideWindow ? wide : 0);
        m_inner->resizeDocks({m_inspectorDock}, {wide}, Qt::Horizontal);
    }
    const bool isPushShown =
        m_mode == Mode::Rollout && m_rolloutPage->view() == pages::RolloutView::Current;
    m_timeBar->setVisible(
        isOpen && (m_mode == Mode::Topology || m_mode == Mode::Nodes || isPushShown)
    );
    m_bottomDock->setVisible(isOpen);
    updateTint();
    updateActions();
    refreshHonesty();
}

void MainWindow::toggleSidebar()
{
    if (m_mode == Mode::Topology || m_mode == Mode::Nodes) {
        m_isInspectorShown = !m_isInspectorShown;
        updateRegions();
    } else if (m_mode == Mode::Edit) {
        m_edit->toggleText();
    } else if (m_mode == Mode::Rehearse) {
        m_rehearse->toggleText();
    }
}

void MainWindow::updateTint()
{
    const theme::EnvironmentKind kind = environmentOf(m_session.gate().profile().environment);
    m_tint->setProperty("kind", static_cast<int>(kind));
    m_tint->setVisible(m_session.isOpen() && kind != theme::EnvironmentKind::Local);
    m_tint->update();
    m_tint->setGeometry(0, 0, width(), 2);
    m_tint->raise();
    m_simulationFrame->setVisible(m_session.isOpen() && m_mode == Mode::Rehearse);
    m_simulationFrame->setGeometry(rect());
    m_simulationFrame->raise();
}

bool MainWindow::writePicture(const QString& file)
{
    QImage picture(size(), QImage::Format_RGB32);
    picture.fill(theme::tokens().chrome);
    render(&picture);
    return picture.save(file, "PNG");
}

void MainWindow::resizeEvent(QResizeEvent* event)
{
    QMainWindow::resizeEvent(event);
    updateTint();
}

void MainWindow::closeEvent(QCloseEvent* event)
{
    if (m_options.isPersistent) {
        saveWindow();
    }
    event->accept();
}

void MainWindow::restoreWindow()
{
    const QSettings settings;
    restoreGeometry(settings.value(QStringLiteral("window/geometry")).toByteArray());
}

void MainWindow::saveWindow()
{
    QSettings settings;
    settings.setValue(QStringLiteral("window/geometry"), saveGeometry());
    rememberRecent();
}

} // namespace mesh::shell
