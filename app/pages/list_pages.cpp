#include "app/pages/list_pages.h"

#include "app/bridge/mesh_session.h"
#include "app/bridge/view_context.h"
#include "app/pages/events_view.h"
#include "app/pages/rows_table.h"
#include "app/pages/texts.h"
#include "app/theme/controls.h"
#include "app/theme/figures.h"
#include "app/theme/theme.h"

#include <QCoreApplication>
#include <QHeaderView>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

namespace mesh::pages {
namespace {

using Kind = TableColumn::Kind;

constexpr std::size_t kRequestsShown = 300;

QString words(const char* text) { return QCoreApplication::translate("ListPages", text); }

QString nodeWord(bridge::NodeState state)
{
    switch (state) {
    case bridge::NodeState::Running:
        return words("running");
    case bridge::NodeState::Starting:
        return words("starting");
    case bridge::NodeState::Draining:
        return words("draining");
    case bridge::NodeState::Stopped:
        return words("stopped");
    case bridge::NodeState::Unreachable:
        return words("unreachable");
    case bridge::NodeState::Stale:
        return words("stale");
    case bridge::NodeState::NotStarted:
        return words("not started");
    }
    return {};
}

theme::State nodeState(bridge::NodeState state)
{
    switch (state) {
    case bridge::NodeState::Running:
        return theme::State::Healthy;
    case bridge::NodeState::Starting:
    case bridge::NodeState::Draining:
        return theme::State::Degraded;
    case bridge::NodeState::Unreachable:
        return theme::State::Failure;
    case bridge::NodeState::Stale:
        return theme::State::Stale;
    case bridge::NodeState::Stopped:
        return theme::State::Idle;
    case bridge::NodeState::NotStarted:
        break;
    }
    return theme::State::NoData;
}

QString ageText(std::int64_t age_ms)
{
    if (age_ms < 0) {
        return QStringLiteral("–");
    }
    return QString::number(static_cast<double>(age_ms) / 1000.0, 'f', 1)
           + QStringLiteral("\u202Fs");
}

QLabel* makeTitle(const QString& text, QWidget* parent)
{
    auto* title = new QLabel(text, parent);
    theme::setText(*title, theme::Role::Title);
    return title;
}

} // namespace

RowsTable* makeProblemsTable(QWidget* parent)
{
    auto* table = new RowsTable(
        words("Problems"),
        {{words("Severity"), 96, Kind::State},
         {words("Where"), 260},
         {words("Line"), 50, Kind::Number},
         {words("What"), 0},
         {words("Origin"), 90}},
        parent
    );
    table->setObjectName(QStringLiteral("problems"));
    return table;
}

RowsTable* makeRequestsTable(QWidget* parent)
{
    auto* table = new RowsTable(
        words("Requests"),
        {{words("Time"), 70},
         {words("Node"), 70},
         {words("From"), 90},
         {words("Status"), 54, Kind::Number},
         {words("Request"), 0},
         {words("Service"), 100},
         {words("Target"), 130},
         {words("Attempts"), 66, Kind::Number},
         {words("ms"), 60, Kind::Number}},
        parent
    );
    table->setObjectName(QStringLiteral("tap"));
    return table;
}

void fillProblems(RowsTable& table, const bridge::MeshSession& session)
{
    std::vector<TableRow> rows;
    for (const bridge::ProblemRow& problem : session.problems()) {
        const bool isError = problem.severity == bridge::ProblemSeverity::Error;
        const bool isWarning = problem.severity == bridge::ProblemSeverity::Warning;
        TableRow row;
        row.key = QStringLiteral("%1\n%2").arg(problem.path).arg(problem.line);
        row.cells = {
            {isError     ? words("error")
             : isWarning ? words("warning")
                         : words("note"),
             static_cast<int>(
                 isError     ? theme::State::Failure
                 : isWarning ? theme::State::Degraded
                             : theme::State::Idle
             )},
            {problem.path},
            {problem.line > 0 ? QString::number(problem.line) : QStringLiteral("–")},
            {problem.message},
            {problem.origin}};
        rows.push_back(std::move(row));
    }
    table.setRows(std::move(rows));
}

void fillRequests(RowsTable& table, const bridge::MeshSession& session)
{
    std::vector<TableRow> rows;
    const auto& tap = session.tap();
    for (auto request = tap.rbegin(); request != tap.rend() && rows.size() < kRequestsShown;
         ++request) {
        const bool isBad = request->status == 0 || request->status >= 500;
        TableRow row;
        row.key = request->requestId + QString::number(request->time_us) + request->node;
        row.cells = {
            {clockText(request->time_us)},
            {request->node},
            {request->source},
            {request->status > 0 ? QString::number(request->status) : QStringLiteral("–"),
             isBad ? static_cast<int>(theme::State::Failure) : -1},
            {QStringLiteral("%1 %2%3").arg(request->method, request->host, request->path)},
            {request->service},
            {request->target},
            {QString::number(request->attempts)},
            {millisecondsText(request->latency_ms)}};
        rows.push_back(std::move(row));
    }
    table.setRows(std::move(rows));
}

NodesPage::NodesPage(bridge::MeshSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_summary(new QLabel(this))
    , m_table(new RowsTable(
          tr("Nodes"),
          {{tr("Node"), 110},
           {tr("State"), 110, Kind::State},
           {tr("Role"), 76},
           {tr("Zone"), 50},
           {tr("Age"), 60, Kind::Number},
           {tr("rps"), 64, Kind::Number},
           {tr("CPU %"), 60, Kind::Number},
           {tr("Connections"), 90, Kind::Number},
           {tr("Workloads"), 80, Kind::Number},
           {tr("Runs"), 96},
           {tr("Converged"), 96, Kind::State},
           {tr("Listens on"), 0}},
          this
      ))
    , m_empty(new QLabel(tr("No nodes: open a mesh or start the demo."), this))
{
    setObjectName(QStringLiteral("nodesPage"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(20, 14, 20, 14);
    column->setSpacing(10);
    auto* head = new QHBoxLayout;
    head->addWidget(makeTitle(tr("Nodes"), this));
    head->addSpacing(12);
    theme::setText(*m_summary, theme::Role::Small, theme::TextColor::Text3);
    head->addWidget(m_summary, 1);
    column->addLayout(head);
    m_table->setObjectName(QStringLiteral("nodes"));
    m_table->verticalHeader()->setDefaultSectionSize(theme::metrics().fleetRow);
    column->addWidget(m_table, 1);
    theme::setText(*m_empty, theme::Role::Body, theme::TextColor::Text2);
    m_empty->setAlignment(Qt::AlignCenter);
    column->addWidget(m_empty, 1);
    connect(&session, &bridge::MeshSession::nodesChanged, this, &NodesPage::refresh);
    connect(&session, &bridge::MeshSession::documentChanged, this, &NodesPage::refresh);
    connect(m_table, &RowsTable::keySelected, this, [this](const QString& name) {
        const QString gateway = QStringLiteral("gateway:") + name;
        if (findEntity(m_session.topology(), gateway) != nullptr) {
            m_session.context().select(gateway);
        }
    });
    refresh();
}

void NodesPage::refresh()
{
    std::vector<TableRow> rows;
    for (const bridge::NodeRow& node : m_session.nodes()) {
        TableRow row;
        row.key = node.name;
        row.state =
            node.state == bridge::NodeState::Stale ? static_cast<int>(theme::State::Stale) : -1;
        const theme::State converged =
            node.isConverged ? theme::State::Healthy : theme::State::Degraded;
        row.cells = {
            {node.name},
            {nodeWord(node.state), static_cast<int>(nodeState(node.state))},
            {node.role == bridge::NodeRoleKind::Gateway ? tr("gateway") : tr("sidecar")},
            {node.zone},
            {ageText(node.age_ms)},
            {rateText(node.rps)},
            {node.age_ms < 0 ? QStringLiteral("–") : QString::number(node.cpuPercent, 'f', 1)},
            {countText(node.connections)},
            {QString::number(node.workloads)},
            {node.hash.isEmpty() ? QStringLiteral("–") : node.hash.left(12), -1, -1, node.hash},
            {node.hash.isEmpty() ? tr("unknown")
             : node.isConverged  ? tr("yes")
                                 : tr("no"),
             static_cast<int>(node.hash.isEmpty() ? theme::State::NoData : converged)},
            {node.listeners.join(QStringLiteral(", "))}};
        rows.push_back(std::move(row));
    }
    const bool isEmpty = rows.empty();
    const bridge::HonestyFigures& figures = m_session.honesty();
    m_summary->setText(tr("%1 of %2 reporting · %3 run the newest revision")
                           .arg(figures.nodesReporting)
                           .arg(figures.nodesExpected)
                           .arg(figures.nodesConverged));
    m_table->setRows(std::move(rows));
    m_table->setVisible(!isEmpty);
    m_empty->setVisible(isEmpty);
}

FindingsPage::FindingsPage(bridge::MeshSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_problemsTitle(makeTitle({}, this))
    , m_eventsTitle(makeTitle({}, this))
    , m_problems(makeProblemsTable(this))
    , m_events(new EventsView(session, this))
{
    setObjectName(QStringLiteral("findingsPage"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(20, 14, 20, 14);
    column->setSpacing(8);
    column->addWidget(m_problemsTitle);
    column->addWidget(m_problems, 1);
    column->addSpacing(8);
    column->addWidget(m_eventsTitle);
    column->addWidget(m_events, 2);
    connect(&session, &bridge::MeshSession::problemsChanged, this, &FindingsPage::refreshProblems);
    connect(&session, &bridge::MeshSession::eventsChanged, this, &FindingsPage::refreshEvents);
    connect(m_problems, &RowsTable::keyActivated, this, [this](const QString& key) {
        Q_EMIT problemActivated(key.section(u'\n', 0, 0), key.section(u'\n', 1, 1).toInt());
    });
    connect(m_events, &EventsView::entityActivated, this, &FindingsPage::entityActivated);
    refreshProblems();
    refreshEvents();
}

void FindingsPage::refreshProblems()
{
    fillProblems(*m_problems, m_session);
    const int count = m_problems->rowCount();
    m_problemsTitle->setText(count > 0 ? tr("%n problem(s)", nullptr, count) : tr("No problems"));
}

void FindingsPage::refreshEvents()
{
    m_events->refresh();
    const int count = m_events->count();
    m_eventsTitle->setText(count > 0 ? tr("%n event(s)", nullptr, count) : tr("No events yet"));
}

LaterPage::LaterPage(
    const QString& iconName,
    const QString& title,
    const QString& will,
    const QString& now,
    const QString& action,
    QWidget* parent
)
    : QWidget(parent)
{
    Q_UNUSED(iconName)
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(40, 60, 40, 40);
    column->setSpacing(10);
    column->addWidget(makeTitle(title, this));
    for (const QString& text : {will, now}) {
        auto* label = new QLabel(text, this);
        theme::setText(*label, theme::Role::Body, theme::TextColor::Text2);
        label->setWordWrap(true);
        label->setMaximumWidth(640);
        column->addWidget(label);
    }
    auto* button = new QPushButton(action, this);
    button->setAccessibleName(action);
    button->setObjectName(QStringLiteral("laterAction"));
    connect(button, &QPushButton::clicked, this, &LaterPage::actionChosen);
    column->addWidget(button, 0, Qt::AlignLeft);
    column->addStretch();
}

} // namespace mesh::pages
