#include "app/pages/rehearse_page.h"

#include "app/bridge/mesh_session.h"
#include "app/bridge/rehearsal_session.h"
#include "app/charts/run_timeline.h"
#include "app/forms/config_text_edit.h"
#include "app/pages/fault_palette.h"
#include "app/pages/rehearse_bar.h"
#include "app/pages/rehearse_stage.h"
#include "app/pages/run_legend.h"
#include "app/pages/verdict_pane.h"
#include "app/theme/controls.h"
#include "app/theme/icons.h"
#include "app/theme/tab_order.h"
#include "app/theme/theme.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QSplitter>
#include <QTabBar>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>

#include <cmath>

namespace mesh::pages {
namespace {

constexpr int kTransportHeight = 38;
constexpr int kVerdictWidth = 416;
constexpr int kTick_ms = 100; // Ten pictures a second.
} // namespace

RehearsePage::RehearsePage(
    bridge::MeshSession& mesh, bridge::RehearsalSession& session, QWidget* parent
)
    : QWidget(parent)
    , m_mesh(mesh)
    , m_session(session)
    , m_bar(new RehearseBar(session, this))
    , m_runs(new QTabBar(this))
    , m_palette(new FaultPalette(this))
    , m_stage(new RehearseStage(this))
    , m_timeline(new charts::RunTimeline(this))
    , m_verdict(new VerdictPane(session, this))
    , m_tick(new QTimer(this))
{
    setObjectName(QStringLiteral("rehearsePage"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_bar);
    auto* row = new QHBoxLayout;
    row->setSpacing(0);
    row->addWidget(m_palette);
    row->addWidget(new theme::Hairline(Qt::Vertical, this));
    auto* columns = new QSplitter(Qt::Horizontal, this);
    columns->setHandleWidth(1);
    columns->setChildrenCollapsible(false);
    auto* rows = new QSplitter(Qt::Vertical, columns);
    rows->setHandleWidth(1);
    rows->setChildrenCollapsible(false);
    auto* above = new QWidget(rows);
    auto* aboveColumn = new QVBoxLayout(above);
    aboveColumn->setContentsMargins(0, 0, 0, 0);
    aboveColumn->setSpacing(0);
    m_runsRow = makeRunTabs();
    aboveColumn->addWidget(m_runsRow);
    aboveColumn->addWidget(m_stage, 1);
    rows->addWidget(above);
    auto* below = new QWidget(rows);
    auto* belowColumn = new QVBoxLayout(below);
    belowColumn->setContentsMargins(0, 0, 0, 0);
    belowColumn->setSpacing(0);
    belowColumn->addWidget(makeTransport());
    belowColumn->addWidget(m_timeline, 1);
    rows->addWidget(below);
    rows->setStretchFactor(0, 1);
    rows->setSizes({396, 368});
    columns->addWidget(rows);
    columns->addWidget(m_verdict);
    columns->setStretchFactor(0, 1);
    columns->setSizes({772, kVerdictWidth});
    m_verdict->setMinimumWidth(320);
    row->addWidget(columns, 1);
    column->addLayout(row, 1);
    setFocusProxy(m_stage);
    m_tick->setInterval(kTick_ms);
    connectAll();
    refreshScenario();
    refreshRuns();
    theme::followLayouts(*this);
}

QWidget* RehearsePage::makeRunTabs()
{
    auto* holder = new QWidget(this);
    auto* row = new QHBoxLayout(holder);
    row->setContentsMargins(8, 0, 8, 0);
    m_runs->setObjectName(QStringLiteral("runTabs"));
    m_runs->setAccessibleName(tr("Runs"));
    m_runs->setDrawBase(false);
    m_runs->setExpanding(false);
    m_runs->setTabsClosable(true);
    m_runs->setElideMode(Qt::ElideRight);
    m_runs->setContextMenuPolicy(Qt::CustomContextMenu);
    row->addWidget(m_runs, 1);
    connect(m_runs, &QTabBar::currentChanged, this, [this](int index) {
        m_session.selectRun(m_runs->tabData(index).toInt());
    });
    connect(m_runs, &QTabBar::tabCloseRequested, this, [this](int index) {
        m_session.closeRun(m_runs->tabData(index).toInt());
    });
    connect(m_runs, &QTabBar::tabBarDoubleClicked, this, [this](int index) { renameRun(index); });
    connect(m_runs, &QWidget::customContextMenuRequested, this, &RehearsePage::showTabMenu);
    return holder;
}

QWidget* RehearsePage::makeTransport()
{
    auto* bar = new QWidget(this);
    bar->setObjectName(QStringLiteral("transport"));
    bar->setFixedHeight(kTransportHeight);
    bar->setAutoFillBackground(true);
    bar->setBackgroundRole(QPalette::Base);
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(10, 0, 16, 0);
    row->setSpacing(6);
    const auto button = [&](const QString& icon, const QString& name, const QString& tip) {
        auto* made = new QToolButton(bar);
        theme::setButtonRole(*made, theme::ButtonRole::Ghost);
        made->setIcon(theme::icon(icon));
        made->setFixedSize(26, 24);
        made->setObjectName(name);
        made->setAccessibleName(tip);
        made->setToolTip(tip);
        row->addWidget(made);
        return made;
    };
    QToolButton* back = button(
        QStringLiteral("step-back"), QStringLiteral("stepBack"), tr("One second back (Left)")
    );
    m_play = button(QStringLiteral("play"), QStringLiteral("playRun"), tr("Play the run (Space)"));
    m_play->setCheckable(true);
    QToolButton* forward = button(
        QStringLiteral("step-forward"), QStringLiteral("stepForward"), tr("One second on (Right)")
    );
    connect(back, &QToolButton::clicked, this, [this] {
        setPlayhead(std::round(m_timeline->playhead()) - 1);
    });
    connect(forward, &QToolButton::clicked, this, [this] {
        setPlayhead(std::round(m_timeline->playhead()) + 1);
    });
    connect(m_play, &QToolButton::toggled, this, &RehearsePage::play);
    m_speed = new QComboBox(bar);
    m_speed->setObjectName(QStringLiteral("speed"));
    m_speed->setAccessibleName(tr("Speed"));
    m_speed->setToolTip(tr("How fast the run is played"));
    m_speed->setFixedHeight(24);
    for (const int speed : {1, 2, 5, 10, 30}) {
        m_speed->addItem(tr("speed %1×").arg(speed), speed);
    }
    m_speed->setCurrentIndex(3);
    row->addWidget(m_speed);
    row->addStretch();
    m_legend = new RunLegend(bar);
    row->addWidget(m_legend);
    return bar;
}

void RehearsePage::connectAll()
{
    using bridge::RehearsalSession;
    connect(&m_session, &RehearsalSession::scenarioChanged, this, &RehearsePage::refreshScenario);
    connect(&m_session, &RehearsalSession::progressChanged, this, &RehearsePage::refreshTimeline);
    connect(&m_session, &RehearsalSession::runsChanged, this, &RehearsePage::refreshRuns);
    connect(&m_session, &RehearsalSession::runFailed, this, [this](const QString& why) {
        Q_EMIT failed(tr("The rehearsal did not run."), why);
    });
    connect(&m_mesh, &bridge::MeshSession::topologyChanged, this, [this] {
        if (m_session.current() == nullptr && isVisible()) {
            refreshStage();
        }
    });
    connect(&m_mesh, &bridge::MeshSession::draftChanged, this, [this] {
        m_verdict->setDraftChanged(m_mesh.isDraftChanged());
    });
    connect(m_bar, &RehearseBar::runRequested, this, &RehearsePage::run);
    connect(m_bar, &RehearseBar::cancelRequested, &m_session, &RehearsalSession::cancel);
    connect(m_bar, &RehearseBar::failed, this, &RehearsePage::failed);
    connect(m_bar, &RehearseBar::textToggled, this, [this](bool isShown) {
        m_verdict->setTab(isShown ? VerdictTab::Text : VerdictTab::Verdict);
    });
    connect(m_verdict, &VerdictPane::tabChanged, this, [this](VerdictTab tab) {
        m_bar->setTextShown(tab == VerdictTab::Text);
    });
    connect(m_verdict, &VerdictPane::reviewRequested, this, &RehearsePage::reviewRequested);
    connect(m_verdict, &VerdictPane::policyChosen, this, &RehearsePage::usePolicy);
    connect(m_verdict, &VerdictPane::exportRequested, this, &RehearsePage::exportRun);
    connect(m_verdict, &VerdictPane::cancelRequested, &m_session, &RehearsalSession::cancel);
    const auto tell = [this](const Result<void>& done) {
        if (!done) {
            Q_EMIT failed(
                tr("The rehearsal did not run."), QString::fromStdString(done.error().message)
            );
        }
    };
    connect(m_verdict, &VerdictPane::mapRequested, this, [this, tell] {
        tell(m_session.runStability());
    });
    connect(m_verdict, &VerdictPane::cellActivated, this, [this, tell](double load, double length) {
        tell(m_session.runCell(load, length));
    });
    connect(m_stage, &RehearseStage::targetChanged, m_palette, &FaultPalette::setTarget);
    connect(m_stage, &RehearseStage::offerDropped, this, &RehearsePage::dropFault);
    connect(m_palette, &FaultPalette::offerActivated, this, [this](const QString& offer) {
        addFault(offer, m_stage->target(), dropTime());
    });
    using charts::RunTimeline;
    connect(m_timeline, &RunTimeline::playheadMoved, this, [this] {
        m_verdict->setPlayhead(m_timeline->playhead());
        refreshStage();
    });
    connect(
        m_timeline,
        &RunTimeline::clipMoved,
        this,
        [this](int index, double at, std::optional<double> length) {
            m_session.moveClip(index, at, length);
        }
    );
    connect(m_timeline, &RunTimeline::clipRemoved, this, [this](int index) {
        m_session.removeClip(index);
    });
    connect(m_timeline, &RunTimeline::clipActivated, this, [this](int index) {
        m_verdict->goToLine(m_session.lineOfClip(index));
    });
    connect(m_timeline, &RunTimeline::clipSelected, this, [this](int index) {
        m_verdict->text().setFocusLine(index < 0 ? 0 : m_session.lineOfClip(index));
    });
    connect(m_timeline, &RunTimeline::offerDropped, this, [this](const QString& offer, double at) {
        addFault(offer, m_stage->target(), at);
    });
    connect(m_tick, &QTimer::timeout, this, &RehearsePage::onTick);
}

void RehearsePage::setScenarioFolder(const QString& folder) { m_bar->setScenarioFolder(folder); }

} // namespace mesh::pages
