// What the inspector of a node shows, and what it asks of the node.
#include "app/bridge/mesh_session.h"
#include "app/charts/time_chart.h"
#include "app/pages/nodes_inspector.h"
#include "app/pages/nodes_model.h"
#include "app/pages/rows_table.h"
#include "app/pages/texts.h"
#include "app/pages/write_guard.h"
#include "app/theme/controls.h"
#include "app/theme/theme.h"

#include <QAction>
#include <QHeaderView>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QTabBar>

#include <algorithm>
#include <cstdlib>

namespace mesh::pages {

namespace {

using bridge::NodeRow;
using bridge::NodeVerdict;

constexpr int kInstancesShown = 8;
constexpr int kEventsShown = 6;
constexpr std::size_t kValuesShown = 1000; // What a RowsTable is for.
constexpr std::int64_t kClockOff_ms = 1500; // Beyond a frame's own way.
constexpr std::int64_t kMicro = 1'000'000;

QString roleText(const NodeRow& node)
{
    const QString role = node.role == bridge::NodeRoleKind::Gateway ? NodesInspector::tr("gateway")
                                                                    : NodesInspector::tr("sidecar");
    return node.zone.isEmpty() ? role : NodesInspector::tr("%1, zone %2").arg(role, node.zone);
}

bool isQuiet(NodeVerdict verdict)
{
    return verdict == NodeVerdict::Silent || verdict == NodeVerdict::Unreachable
           || verdict == NodeVerdict::Stopped;
}

int stateOf(bridge::NodeTargetRow::Health health)
{
    using Health = bridge::NodeTargetRow::Health;
    const theme::State state = health == Health::Healthy     ? theme::State::Healthy
                               : health == Health::Unchecked ? theme::State::NoData
                                                             : theme::State::Failure;
    return static_cast<int>(state);
}

QString wordOf(const bridge::NodeTargetRow& target)
{
    using Health = bridge::NodeTargetRow::Health;
    if (target.isEjected) {
        return NodesInspector::tr("ejected");
    }
    switch (target.health) {
    case Health::Healthy:
        return NodesInspector::tr("healthy");
    case Health::Unhealthy:
        return NodesInspector::tr("unhealthy");
    case Health::DnsError:
        return NodesInspector::tr("no address");
    case Health::Unchecked:
        break;
    }
    return NodesInspector::tr("unchecked");
}

} // namespace

void NodesInspector::setConfirmation(Confirmation confirmation)
{
    m_confirmation = std::move(confirmation);
}

bool NodesInspector::isConfirmed(
    const QString& what, const QString& consequence, const QString& action
) const
{
    using bridge::WriteAction;
    const bool isTyped = m_session.gate().mayWrite(WriteAction::ConfigureNode).permit
                         == bridge::WritePermit::TypeName;
    const bool isAllowed =
        !isTyped
        || askToWrite(
            window(), m_session, WriteAction::ConfigureNode, tr("%1 %2").arg(action, m_node)
        );
    return isAllowed && m_confirmation && m_confirmation(what, consequence, action);
}

void NodesInspector::setNode(const QString& node)
{
    if (node != m_node) {
        m_node = node;
        m_answer->hide();
    }
    refresh();
}

const NodeRow* NodesInspector::row() const
{
    const auto& nodes = m_nodes.nodes();
    const auto found = std::find_if(nodes.begin(), nodes.end(), [this](const NodeRow& node) {
        return node.name == m_node;
    });
    return found == nodes.end() ? nullptr : &*found;
}

void NodesInspector::refresh()
{
    const NodeRow* const node = row();
    m_empty->setVisible(node == nullptr);
    m_body->setVisible(node != nullptr);
    if (node == nullptr) {
        return;
    }
    const NodeVerdict verdict = bridge::verdictOf(*node, m_nodes.now_us());
    m_title->setText(node->name);
    m_state->setText(
        verdict == NodeVerdict::Silent && node->lastFrame_us != 0
            ? tr("Stale, %1").arg(spanText(m_nodes.now_us() - node->lastFrame_us))
            : verdictText(*node, m_nodes.now_us())
    );
    m_state->setState(stateOf(verdict));
    refreshNote(*node, verdict);
    m_maintenance->setText(
        node->isInMaintenance ? tr("End maintenance") : tr("Begin maintenance…")
    );
    m_maintenance->setVisible(node->role == bridge::NodeRoleKind::Gateway);
    const bool isWritable = !m_session.isReadOnly();
    for (QAction* action : m_menu->actions()) {
        action->setEnabled(isWritable);
    }
    if (m_tabs->currentIndex() == Overview) {
        refreshFacts(*node);
        refreshChart(*node);
        refreshInstances(*node);
        refreshEvents(*node);
    } else if (m_tabs->currentIndex() == Configuration) {
        refreshConfiguration();
    } else if (m_tabs->currentIndex() == Targets) {
        refreshTargets();
    } else {
        refreshCertificates();
    }
}

void NodesInspector::refreshNote(const NodeRow& node, NodeVerdict verdict)
{
    const bool isSilent = isQuiet(verdict);
    const bool isDrifted = verdict == NodeVerdict::Drifted;
    const bool isBehind = verdict == NodeVerdict::Behind;
    m_note->setVisible(isSilent || isDrifted || isBehind);
    m_note->setState(isSilent ? theme::State::Stale : theme::State::Degraded);
    m_try->setVisible(isSilent && m_nodes.isLive());
    m_adopt->setVisible(isDrifted && node.isRemote);
    m_restore->setVisible(isDrifted || isBehind);
    const bool isWritable = !m_session.isReadOnly();
    m_adopt->setEnabled(isWritable);
    m_restore->setEnabled(isWritable);
    if (isSilent && !m_nodes.isLive()) {
        m_noteTitle->setText(tr("It said nothing then"));
        m_noteText->setText(tr("The document has no report of it in the last seconds before %1.")
                                .arg(clockText(m_nodes.now_us())));
    } else if (isSilent) {
        m_noteTitle->setText(
            node.lastFrame_us > 0 ? tr("No report since %1").arg(clockText(node.lastFrame_us))
                                  : tr("It has never reported")
        );
        const bool isRefused = node.state == bridge::NodeState::Unreachable;
        m_noteText->setText(
            isRefused ? tr("Its admin address cannot be reached. What it carries may go on: the "
                           "proxy does not need the console.")
                      : tr("It is connected and says nothing. Its figures are as old as its last "
                           "report.")
        );
    } else if (isDrifted) {
        m_noteTitle->setText(tr("It runs what is no revision of this document"));
        m_noteText->setText(tr("Hash %1. Adopt makes it the draft; Restore sends revision %2.")
                                .arg(node.hash.left(12))
                                .arg(m_nodes.summary().revision));
    } else if (isBehind) {
        m_noteTitle->setText(tr("It runs revision %1").arg(node.revision));
        m_noteText->setText(tr("Revision %1 is the newest; Restore sends it to this node.")
                                .arg(m_nodes.summary().revision));
    }
}

void NodesInspector::refreshFacts(const NodeRow& node)
{
    const auto set = [this](Fact fact, const QString& text) {
        m_facts[static_cast<std::size_t>(fact)]->setText(
            text.isEmpty() ? QStringLiteral("–") : text
        );
    };
    const bridge::FleetSummary& summary = m_nodes.summary();
    set(Role, roleText(node));
    set(Admin, node.address);
    set(Identity, node.identity);
    const bool isOther = !node.version.isEmpty() && node.version != summary.version;
    set(Version,
        isOther ? tr("%1 (most nodes run %2)").arg(node.version, summary.version) : node.version);
    const QString running = node.revision > 0     ? tr("rev %1").arg(node.revision)
                            : node.hash.isEmpty() ? QString()
                                                  : tr("no revision, %1").arg(node.hash.left(12));
    set(Running,
        running.isEmpty() || node.lastFrame_us == 0
            ? running
            : tr("%1, as of %2").arg(running, clockText(node.lastFrame_us)));
    set(Waiting,
        !m_nodes.isLive()                         ? QString()
        : node.isConverged || node.hash.isEmpty() ? tr("nothing")
                                                  : tr("rev %1").arg(summary.revision));
    set(Process,
        tr("%1 · connections %2 in, %3 out")
            .arg(bytesText(node.memoryBytes))
            .arg(node.connections)
            .arg(node.upstreamConnections));
    QString clock;
    if (node.clockOffset_ms) {
        clock = std::llabs(*node.clockOffset_ms) < kClockOff_ms
                    ? tr("agrees with this machine's")
                    : tr("%1 s off this machine's")
                          .arg(static_cast<double>(*node.clockOffset_ms) / 1000, 0, 'f', 1);
    }
    set(Clock, clock);
}

void NodesInspector::refreshChart(const NodeRow& node)
{
    const auto history = m_nodes.history(node.name);
    charts::ChartLine line;
    line.name = tr("rps");
    line.fill = charts::ChartLine::Fill::Below;
    constexpr std::int64_t kStep_us = bridge::NodesSession::kStep_s * kMicro;
    for (std::size_t at = 0; at < history.samples.size(); ++at) {
        if (history.samples[at].rps) {
            const std::int64_t middle =
                history.begin_us + static_cast<std::int64_t>(at) * kStep_us + kStep_us / 2;
            line.points.emplace_back(std::min(middle, m_nodes.now_us()), *history.samples[at].rps);
        }
    }
    const charts::TimeSpan span{
        m_nodes.now_us() - bridge::NodesSession::kSeconds * kMicro, m_nodes.now_us()};
    m_chart->setLines({line}, kStep_us, span);
    std::vector<bridge::Marker> markers;
    if (isQuiet(bridge::verdictOf(node, m_nodes.now_us())) && node.lastFrame_us > 0) {
        bridge::Marker last;
        last.kind = bridge::Marker::Kind::Node;
        last.begin_us = last.end_us = node.lastFrame_us;
        last.label = tr("last report %1").arg(clockText(node.lastFrame_us));
        markers.push_back(std::move(last));
    }
    m_chart->setMarkers(markers);
}

void NodesInspector::refreshInstances(const NodeRow& node)
{
    const auto document = m_session.document();
    std::vector<TableRow> rows;
    for (const model::Workload& workload : document->workloads) {
        if (workload.node != node.name.toStdString()) {
            continue;
        }
        const QString name = QString::fromStdString(workload.name);
        TableRow row;
        row.key = name;
        QString rps = QStringLiteral("–");
        QString errors = rps;
        int state = -1;
        for (const bridge::EntityRow& entity : m_session.topology().entities) {
            const auto found = std::find_if(
                entity.instances.begin(),
                entity.instances.end(),
                [&name](const bridge::InstanceRow& instance) { return instance.id == name; }
            );
            if (found != entity.instances.end()) {
                rps = rateText(found->figures.rps);
                errors = percentText(found->figures.errorRatio);
                const bool isUp = found->state == bridge::InstanceState::Up;
                state = static_cast<int>(isUp ? theme::State::Healthy : theme::State::Failure);
            }
        }
        row.cells = {{name, state}, {QString::fromStdString(workload.service)}, {rps}, {errors}};
        rows.push_back(std::move(row));
    }
    m_instancesTitle->setVisible(!rows.empty());
    m_instances->setVisible(!rows.empty());
    const auto count = static_cast<int>(rows.size());
    m_instancesTitle->setText(
        count > kInstancesShown ? tr("Instances behind it · %1, in Topology all").arg(count)
                                : tr("Instances behind it")
    );
    if (count > kInstancesShown) {
        rows.resize(kInstancesShown);
    }
    m_instances->setRows(std::move(rows));
    m_instances->setFixedHeight(
        m_instances->rowCount() * m_instances->verticalHeader()->defaultSectionSize() + 2
    );
}

void NodesInspector::refreshEvents(const NodeRow& node)
{
    std::vector<TableRow> rows;
    const auto& events = m_session.events();
    const QString gateway = QStringLiteral("gateway:") + node.name;
    for (auto event = events.rbegin(); event != events.rend() && rows.size() < kEventsShown;
         ++event) {
        if (!m_nodes.isLive() && event->begin_us > m_nodes.now_us()) {
            continue;
        }
        const bool isOurs = event->node == node.name || event->subject == gateway
                            || event->label.startsWith(node.name + u' ')
                            || event->kind == bridge::Marker::Kind::Revision;
        if (isOurs) {
            TableRow row;
            row.key = QString::number(event->begin_us) + event->label;
            row.cells = {{clockText(event->begin_us)}, {event->label, -1, -1, event->detail}};
            rows.push_back(std::move(row));
        }
    }
    m_eventsTitle->setVisible(!rows.empty());
    m_events->setVisible(!rows.empty());
    m_events->setRows(std::move(rows));
    m_events->setFixedHeight(
        m_events->rowCount() * m_events->verticalHeader()->defaultSectionSize() + 2
    );
}

void NodesInspector::refreshConfiguration()
{
    const NodeRow* const node = row();
    const QString key = m_node + u' ' + (node == nullptr ? QString() : node->expectedHash);
    if (node == nullptr || key == m_valuesOf) {
        return;
    }
    m_valuesOf = key;
    std::vector<TableRow> rows;
    QString problem;
    const auto values = m_session.effectiveValues(m_node, &problem);
    for (const bridge::NodeValueRow& value : values) {
        if (rows.size() == kValuesShown) {
            break; // The note says so.
        }
        TableRow row;
        row.key = value.object + u'\n' + value.field;
        row.cells = {
            {value.object + QStringLiteral(" · ") + value.field},
            {value.value},
            {value.origin, -1, -1, value.from}};
        rows.push_back(std::move(row));
    }
    m_valuesNote->setText(
        !problem.isEmpty()  ? problem
        : node->isConverged ? tr("What it runs, compiled from revision %1; where each value "
                                 "comes from stands at the right.")
                                  .arg(m_nodes.summary().revision)
                            : tr("What it would run with revision %1: it runs something else now.")
                                  .arg(m_nodes.summary().revision)
    );
    if (values.size() > kValuesShown) {
        m_valuesNote->setText(tr("The first %1 of %2 values; meshwrightctl compile --explain "
                                 "writes all.")
                                  .arg(kValuesShown)
                                  .arg(values.size()));
    }
    m_values->setRows(std::move(rows));
}

void NodesInspector::refreshTargets()
{
    std::vector<TableRow> rows;
    for (const bridge::NodeTargetRow& target : m_session.targets(m_node)) {
        TableRow row;
        row.key = target.upstream + u'\n' + target.target;
        const QString name = target.workload.isEmpty() ? target.target : target.workload;
        QString why = target.reason;
        if (target.since_us > 0 && !why.isEmpty()) {
            why = tr("%1, since %2").arg(why, clockText(target.since_us));
        }
        // A state is remembered since it began, and no longer.
        const bool isKnown =
            m_nodes.isLive() || (target.since_us > 0 && target.since_us <= m_nodes.now_us());
        row.cells = {
            {QStringLiteral("%1 · %2").arg(target.upstream, name),
             -1,
             -1,
             tr("%1, weight %2").arg(target.target).arg(target.weight)},
            isKnown ? Cell{wordOf(target), stateOf(target.health)}
                    : Cell{tr("not recorded"), static_cast<int>(theme::State::NoData)},
            {isKnown ? why : QString()}};
        rows.push_back(std::move(row));
    }
    m_targets->setRows(std::move(rows));
    const bool isChosen = !m_targets->currentKey().isEmpty() && !m_session.isReadOnly();
    for (QPushButton* button : m_overrides) {
        button->setEnabled(isChosen);
    }
}

void NodesInspector::refreshCertificates()
{
    std::vector<TableRow> rows;
    for (const bridge::NodeCertificateRow& certificate : m_session.certificates(m_node)) {
        const std::int64_t left = certificate.end_us - m_nodes.now_us();
        const bool isOver = left <= 0;
        const bool isSoon = left < bridge::kCertificateWarning_us;
        TableRow row;
        row.key = certificate.use + certificate.subject;
        row.cells = {
            {certificate.use},
            {certificate.identity.isEmpty() ? certificate.names.join(QStringLiteral(", "))
                                            : certificate.identity,
             -1,
             -1,
             certificate.subject},
            {isOver ? tr("over") : spanText(left),
             isOver   ? static_cast<int>(theme::State::Failure)
             : isSoon ? static_cast<int>(theme::State::Degraded)
                      : -1,
             -1,
             dateTimeText(certificate.end_us)}};
        rows.push_back(std::move(row));
    }
    m_certificates->setRows(std::move(rows));
}

void NodesInspector::onCommandFinished(const QString& node, bool isSuccess, const QString& text)
{
    if (node == m_adopting) {
        m_adopting.clear();
        if (isSuccess) {
            Q_EMIT draftAdopted();
        }
    }
    if (node != m_node) {
        return;
    }
    theme::setText(
        *m_answer,
        theme::Role::Small,
        isSuccess ? theme::TextColor::Text2 : theme::TextColor::Failure
    );
    m_answer->setText(text);
    m_answer->show();
}

void NodesInspector::overrideTarget(bridge::TargetOverride health)
{
    const QString key = m_targets->currentKey();
    if (key.isEmpty()) {
        return;
    }
    const QString upstream = key.section(u'\n', 0, 0);
    const QString target = key.section(u'\n', 1, 1);
    const bool isAsked =
        health != bridge::TargetOverride::Unhealthy
        || isConfirmed(
            tr("%1 shall send nothing to %2?").arg(m_node, target),
            tr("The other targets of %1 take its share until this is taken back.").arg(upstream),
            tr("Send nothing")
        );
    if (isAsked) {
        m_session.setTargetHealth(m_node, upstream, target, health);
    }
}

void NodesInspector::drain()
{
    if (isConfirmed(
            tr("Drain %1?").arg(m_node),
            tr("It takes nothing new, finishes what it has within 30 s, and its program ends. It "
               "has to be started again on its machine."),
            tr("Drain %1").arg(m_node)
        )) {
        m_session.drainNode(m_node);
    }
}

void NodesInspector::toggleMaintenance()
{
    const NodeRow* const node = row();
    if (node == nullptr) {
        return;
    }
    if (node->isInMaintenance) {
        m_session.setNodeMaintenance(m_node, bridge::NodeMaintenance::Off);
    } else if (isConfirmed(
                   tr("Take %1 into maintenance?").arg(m_node),
                   tr("Its gateway listeners close and the connections that stand are asked to "
                      "leave. Clients have to reach the mesh elsewhere until it ends."),
                   tr("Begin maintenance")
               )) {
        m_session.setNodeMaintenance(m_node, bridge::NodeMaintenance::On);
    }
}

void NodesInspector::restore()
{
    if (isConfirmed(
            tr("Send revision %1 to %2?").arg(m_nodes.summary().revision).arg(m_node),
            tr("It replaces what the node runs now; no request is lost."),
            tr("Send to %1").arg(m_node)
        )) {
        m_session.restoreNode(m_node);
    }
}

void NodesInspector::adopt()
{
    const bool hasDraft = m_session.isDraftChanged();
    if (isConfirmed(
            tr("Make what %1 runs the draft?").arg(m_node),
            hasDraft ? tr("The changes of the present draft are replaced. Nothing is sent.")
                     : tr("Nothing is sent; review and push it to the other nodes afterwards."),
            tr("Adopt")
        )) {
        m_adopting = m_node;
        m_session.adoptNode(m_node);
    }
}

} // namespace mesh::pages
