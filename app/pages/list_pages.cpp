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

QString words(const char* text) { return QCoreApplication::translate("ListPages", text); }

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
