// What a person does in the mode, and what the page shows of it.
#include "app/bridge/format.h"
#include "app/bridge/mesh_session.h"
#include "app/bridge/rehearsal_session.h"
#include "app/charts/run_timeline.h"
#include "app/forms/config_text_edit.h"
#include "app/pages/fault_palette.h"
#include "app/pages/rehearse_bar.h"
#include "app/pages/rehearse_page.h"
#include "app/pages/rehearse_stage.h"
#include "app/pages/run_legend.h"
#include "app/pages/texts.h"
#include "app/pages/verdict_pane.h"
#include "app/theme/icons.h"

#include <QComboBox>
#include <QFileDialog>
#include <QInputDialog>
#include <QKeyEvent>
#include <QMenu>
#include <QSaveFile>
#include <QTabBar>
#include <QTimer>
#include <QToolButton>

#include <algorithm>
#include <cmath>

namespace mesh::pages {
namespace {

constexpr double kDropDefault_s = 40;
const QString kView = QStringLiteral("topology");

// What is drawn before anything ran: the mesh as it is known, without a figure.
bridge::StageState quietStage(const bridge::Topology& topology)
{
    bridge::StageState stage;
    stage.topology = topology;
    for (bridge::EntityRow& entity : stage.topology.entities) {
        entity.state = bridge::HealthState::Idle;
        entity.figures = {};
        entity.policies.clear();
        entity.faults.clear();
        entity.findings = 0;
        for (bridge::InstanceRow& instance : entity.instances) {
            instance.state = bridge::InstanceState::Up;
        }
    }
    for (bridge::EdgeRow& edge : stage.topology.edges) {
        edge.state = bridge::HealthState::Idle;
        edge.figures = {};
        edge.policies.clear();
    }
    return stage;
}

const bridge::VariantRow* variantOf(const bridge::RunRow& run, const QString& name)
{
    const auto found = std::ranges::find(run.variants, name, &bridge::VariantRow::name);
    return found == run.variants.end() ? nullptr : &*found;
}

// Where the first fault is in full effect.
double telling(const bridge::ScenarioRow& scenario)
{
    double at = scenario.duration_s / 2;
    double first = scenario.duration_s;
    for (const bridge::ClipRow& clip : scenario.clips) {
        if (clip.at_s < first) {
            first = clip.at_s;
            at = clip.at_s + std::min(clip.length_s.value_or(20), 20.0) * 0.5;
        }
    }
    return std::round(at);
}

} // namespace

void RehearsePage::beginScenario()
{
    if (!m_mesh.isOpen() || !m_session.text().isEmpty()) {
        return;
    }
    const QStringList zones = m_session.zones();
    if (m_bar->openStartScenario()) {
        return;
    }
    const QString zone = zones.isEmpty() ? QString() : bridge::zoneTarget(zones.last());
    m_session.useTemplate(QStringLiteral("zone_outage"), zone);
}

void RehearsePage::rehearse(const QString& offer, const QString& target)
{
    m_session.useTemplate(offer, target);
    run();
}

void RehearsePage::toggleRun()
{
    if (m_session.isRunning() || m_session.stability().isRunning) {
        m_session.cancel();
    } else {
        run();
    }
}

void RehearsePage::toggleText()
{
    const bool isText = m_verdict->tab() == VerdictTab::Text;
    m_verdict->setTab(isText ? VerdictTab::Verdict : VerdictTab::Text);
}

void RehearsePage::focusFilter() { m_palette->focusFilter(); }

void RehearsePage::run()
{
    beginScenario();
    if (const auto begun = m_session.run(); !begun) {
        if (!m_session.problems().empty()) {
            m_verdict->goToLine(std::max(1, m_session.problems().front().line));
        } else {
            Q_EMIT failed(
                tr("The rehearsal did not run."), QString::fromStdString(begun.error().message)
            );
        }
    }
}

void RehearsePage::setPlayhead(double second)
{
    m_timeline->setPlayhead(second);
    m_verdict->setPlayhead(m_timeline->playhead());
    refreshStage();
    Q_EMIT playheadChanged();
}

double RehearsePage::dropTime() const
{
    // At the playhead once somebody has put it somewhere.
    const double at = std::round(m_timeline->playhead());
    const double last = std::max(0.0, m_session.scenario().duration_s - 5);
    return std::min(at > 0 ? at : kDropDefault_s, last);
}

void RehearsePage::addFault(const QString& offer, const QString& target, double at_s)
{
    const int clip = m_session.addFault(offer, target, at_s);
    if (clip >= 0) {
        m_timeline->selectClip(clip);
        m_verdict->text().setFocusLine(m_session.lineOfClip(clip));
        return;
    }
    const bridge::FaultOffer* found = bridge::findFaultOffer(offer);
    const QString title = found != nullptr ? found->title : offer;
    const bool isNowhere = target.isEmpty();
    Q_EMIT failed(
        isNowhere ? tr("%1 needs a target.").arg(title) : tr("%1 cannot be put there.").arg(title),
        isNowhere ? tr("Select a node, an edge or a zone on the stage, or drag the fault onto one.")
                  : tr("Choose another target, or look at the scenario's text for errors.")
    );
}

// A fault of zones that falls on a node means one of the zones the node stands in.
void RehearsePage::dropFault(const QString& offer, const QString& target)
{
    const bridge::FaultOffer* found = bridge::findFaultOffer(offer);
    const bool isZoneOnly = found != nullptr && !found->supports(bridge::targetKindOf(target))
                            && found->supports(bridge::TargetKind::Zone);
    if (!isZoneOnly) {
        addFault(offer, target, dropTime());
        return;
    }
    const bridge::EntityRow* entity = findEntity(m_stage->state().topology, target);
    const QStringList zones = entity != nullptr ? entity->zones : QStringList();
    if (zones.size() == 1) {
        addFault(offer, bridge::zoneTarget(zones.first()), dropTime());
        return;
    }
    QMenu menu;
    for (const QString& zone : zones.isEmpty() ? m_session.zones() : zones) {
        connect(menu.addAction(tr("Zone %1").arg(zone)), &QAction::triggered, this, [&, zone] {
            addFault(offer, bridge::zoneTarget(zone), dropTime());
        });
    }
    menu.exec(QCursor::pos());
}

void RehearsePage::play(bool isPlaying)
{
    m_play->setIcon(theme::icon(isPlaying ? QStringLiteral("pause") : QStringLiteral("play")));
    if (!isPlaying) {
        m_tick->stop();
        return;
    }
    if (m_timeline->playhead() >= m_timeline->content().duration_s - 0.5) {
        setPlayhead(0);
    }
    m_tick->start();
}

void RehearsePage::onTick()
{
    const double step = m_tick->interval() / 1000.0 * m_speed->currentData().toInt();
    setPlayhead(m_timeline->playhead() + step);
    if (m_timeline->playhead() >= m_timeline->content().duration_s) {
        m_play->setChecked(false);
    }
}

void RehearsePage::usePolicy(const QString& variant)
{
    const auto text = m_session.policyText(variant);
    if (!text) {
        Q_EMIT failed(
            tr("The policy cannot be put into the draft."),
            QString::fromStdString(text.error().message)
        );
        return;
    }
    Q_EMIT policyChosen(*text);
}

void RehearsePage::exportRun()
{
    const auto formats = bridge::RehearsalSession::reportFormats();
    QStringList filters;
    for (const QString& format : formats) {
        filters << tr("%1 report (*.%2)").arg(format.toUpper(), format);
    }
    QString chosen;
    const QString path = QFileDialog::getSaveFileName(
        this,
        tr("Export"),
        m_session.scenario().name + u'.' + formats.value(0),
        filters.join(QStringLiteral(";;")),
        &chosen
    );
    if (path.isEmpty()) {
        return;
    }
    const QString format = path.section(u'.', -1).toLower();
    QSaveFile file(path);
    const QByteArray report =
        m_session.report(formats.contains(format) ? format : formats.value(0)).toUtf8();
    const bool isWritten =
        file.open(QIODevice::WriteOnly) && file.write(report) == report.size() && file.commit();
    if (!isWritten) {
        Q_EMIT failed(tr("The report was not written."), file.errorString());
    }
}

void RehearsePage::showTabMenu(const QPoint& at)
{
    const int index = m_runs->tabAt(at);
    if (index < 0) {
        return;
    }
    const int id = m_runs->tabData(index).toInt();
    const auto& runs = m_session.runs();
    const auto found = std::ranges::find(runs, id, &bridge::RunRow::id);
    const bool isKept = found != runs.end() && found->isKept;
    QMenu menu;
    connect(
        menu.addAction(isKept ? tr("Do not keep") : tr("Keep")),
        &QAction::triggered,
        this,
        [this, id, isKept] { m_session.keepRun(id, !isKept); }
    );
    connect(menu.addAction(tr("Rename…")), &QAction::triggered, this, [this, index] {
        renameRun(index);
    });
    connect(menu.addAction(tr("Close")), &QAction::triggered, this, [this, id] {
        m_session.closeRun(id);
    });
    menu.exec(m_runs->mapToGlobal(at));
}

void RehearsePage::renameRun(int index)
{
    const int id = m_runs->tabData(index).toInt();
    const auto& runs = m_session.runs();
    const auto found = std::ranges::find(runs, id, &bridge::RunRow::id);
    if (found != runs.end()) {
        m_session.renameRun(
            id,
            QInputDialog::getText(
                this, tr("Name the run"), tr("A named run is kept."), QLineEdit::Normal, found->name
            )
        );
    }
}

void RehearsePage::refreshScenario()
{
    m_stage->setZones(m_session.zones());
    refreshTimeline();
    if (m_session.current() == nullptr) {
        refreshStage();
    }
}

void RehearsePage::refreshRuns()
{
    refreshTabs();
    const bridge::RunRow* run = m_session.current();
    refreshTimeline();
    if (run != nullptr && run->id != m_shownRun) {
        m_shownRun = run->id;
        if (m_timeline->playhead() <= 0) {
            m_timeline->setPlayhead(telling(run->scenario));
        }
        m_verdict->setPlayhead(m_timeline->playhead());
        if (m_verdict->tab() == VerdictTab::Stability) {
            m_verdict->setTab(VerdictTab::Verdict);
        }
    }
    refreshStage();
}

void RehearsePage::refreshTabs()
{
    const QSignalBlocker quiet(m_runs);
    const auto& runs = m_session.runs();
    while (m_runs->count() > static_cast<int>(runs.size())) {
        m_runs->removeTab(m_runs->count() - 1);
    }
    for (int i = 0; i < static_cast<int>(runs.size()); ++i) {
        const bridge::RunRow& run = runs[static_cast<std::size_t>(i)];
        if (i >= m_runs->count()) {
            m_runs->addTab(run.name);
        }
        m_runs->setTabText(i, run.name);
        m_runs->setTabIcon(i, run.isKept ? theme::icon(QStringLiteral("pin")) : QIcon());
        m_runs->setTabData(i, run.id);
        m_runs->setTabToolTip(
            i,
            tr("%1 · seed %2 · %3\n%4%5")
                .arg(run.scenario.name)
                .arg(run.scenario.seed)
                .arg(clockText(run.time_us), run.headline)
                .arg(
                    run.isOutdated ? tr("\nThe scenario or the draft has changed since.")
                                   : QString()
                )
        );
        if (m_session.current() != nullptr && m_session.current()->id == run.id) {
            m_runs->setCurrentIndex(i);
        }
    }
    m_runsRow->setVisible(runs.size() > 1);
}

void RehearsePage::refreshTimeline()
{
    const bridge::ScenarioRow& scenario = m_session.scenario();
    const bridge::RunRow* run = m_session.current();
    const bridge::RehearsalProgressRow& progress = m_session.progress();
    charts::RunTimelineContent content;
    content.clips = scenario.clips;
    content.loads = scenario.loads;
    content.duration_s = scenario.duration_s > 0 ? scenario.duration_s : 60;
    content.warmup_s = scenario.warmup_s;
    content.entry = scenario.loads.empty() ? QString() : scenario.loads.front().entry;
    QString shownName;
    QString referenceName;
    if (progress.isRunning) {
        content.shown = progress.preview;
        shownName = tr("running, %1 of %2").arg(progress.done).arg(progress.all);
    } else if (run != nullptr) {
        const bridge::VariantRow* shown = variantOf(*run, run->shown);
        const bridge::VariantRow* reference = variantOf(*run, run->reference);
        if (shown != nullptr) {
            content.shown = shown->entry;
            content.reactions = shown->reactions;
            shownName = tr("%1, %2").arg(shown->name, run->name);
        }
        if (reference != nullptr) {
            content.reference = reference->entry;
            referenceName = reference->name;
        }
        content.objective = run->objective;
        content.isQuiet = run->isOutdated;
        if (run->isOutdated) {
            shownName = tr("%1, before the last change").arg(shownName);
        }
    }
    m_legend->setNames(shownName, referenceName);
    m_timeline->setContent(std::move(content));
}

void RehearsePage::refreshStage()
{
    graph::Positions positions;
    for (const bridge::MeshSession::Position& kept : m_mesh.positions(kView)) {
        graph::Place place;
        place.point = QPointF(kept.x, kept.y);
        positions[kept.id] = place;
    }
    m_stage->setPositions(positions);
    const bridge::RunRow* run = m_session.current();
    if (run == nullptr) {
        m_stage->setState(quietStage(m_mesh.topology()), tr("not rehearsed yet"));
        return;
    }
    const double second = m_timeline->playhead();
    const bridge::VariantRow* shown = variantOf(*run, run->shown);
    const QString at = bridge::formatDuration(std::floor(second) * 1000);
    QString words = tr("state at %1").arg(at);
    if (shown != nullptr && run->scenario.replications > 1) {
        words +=
            tr(" · run %1 of %2, the worst").arg(shown->worst + 1).arg(run->scenario.replications);
    }
    m_stage->setState(m_session.stageAt(second), words);
}

void RehearsePage::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    beginScenario();
    m_verdict->setDraftChanged(m_mesh.isDraftChanged());
    refreshStage();
}

void RehearsePage::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Space && event->modifiers() == Qt::NoModifier) {
        m_play->toggle();
        return;
    }
    QWidget::keyPressEvent(event);
}

} // namespace mesh::pages
