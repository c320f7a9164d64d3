#include "app/pages/events_view.h"

#include "app/bridge/format.h"
#include "app/bridge/mesh_session.h"
#include "app/bridge/policy_words.h"
#include "app/bridge/view_context.h"
#include "app/pages/rows_table.h"
#include "app/pages/texts.h"
#include "app/theme/controls.h"
#include "app/theme/theme.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QVBoxLayout>

#include <algorithm>
#include <limits>
#include <utility>

namespace mesh::pages {
namespace {

using Kind = TableColumn::Kind;
using MarkerKind = bridge::Marker::Kind;

constexpr std::size_t kEventsShown = 500;
constexpr std::int64_t kSpanShown_us = 1'000'000; // Shorter ones are moments.

theme::State policyState(const QString& event)
{
    const bridge::PolicyWord* word = bridge::policyWord(event.toStdString());
    if (word != nullptr && word->phase == bridge::PolicyPhase::Ends) {
        return theme::State::Healthy;
    }
    if (word == nullptr || !word->kind) {
        return theme::State::Idle;
    }
    const bool isAlarm = bridge::policyTone(*word->kind) == bridge::PolicyTone::Alarm;
    return isAlarm ? theme::State::Failure : theme::State::Degraded;
}

std::pair<QString, theme::State> kindWord(const bridge::Marker& event)
{
    switch (event.kind) {
    case MarkerKind::Revision:
        return {EventsView::tr("revision"), theme::State::Healthy};
    case MarkerKind::Push:
        return {EventsView::tr("push"), theme::State::Healthy};
    case MarkerKind::Fault:
        return {EventsView::tr("fault"), theme::State::Failure};
    case MarkerKind::HealthChange:
        return {EventsView::tr("health"), theme::State::Degraded};
    case MarkerKind::Ejection:
        return {EventsView::tr("health check"), theme::State::Failure};
    case MarkerKind::Node:
        return {EventsView::tr("node"), theme::State::Idle};
    case MarkerKind::Alert:
        return {EventsView::tr("alert"), theme::State::Failure};
    case MarkerKind::Policy:
        return {bridge::policyEventText(event.policy), policyState(event.policy)};
    }
    return {};
}

// What it concerns, in the words of the operator: an instance, a service, a route.
QString aboutOf(const bridge::Marker& event)
{
    if (event.kind == MarkerKind::Policy) {
        const QString words = bridge::policyEventText(event.policy);
        return event.label.endsWith(words) ? event.label.chopped(words.size()).trimmed()
                                           : bridge::policySubjectName(event.target);
    }
    return event.subject.isEmpty() ? EventsView::tr("mesh") : nameOf(event.subject);
}

QString reasonOf(const bridge::Marker& event)
{
    QString text = event.detail;
    if (event.kind == MarkerKind::Policy) {
        const QString node = event.node + QStringLiteral(": ");
        text = text.startsWith(node) ? text.mid(node.size()) : text;
    } else if (text.isEmpty()) {
        text = event.label;
    } else {
        text = event.label + QStringLiteral(" · ") + text;
    }
    const std::int64_t length = event.end_us - event.begin_us;
    if (event.end_us == 0) {
        text += QStringLiteral(" · ") + EventsView::tr("goes on");
    } else if (length >= kSpanShown_us) {
        const double milliseconds = static_cast<double>(length) / 1000.0;
        text += QStringLiteral(" · ")
                + EventsView::tr("for %1").arg(bridge::formatDuration(milliseconds));
    }
    return text;
}

} // namespace

EventsView::EventsView(bridge::MeshSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_filter(new QLineEdit(this))
    , m_group(new QComboBox(this))
    , m_time(new QLabel(this))
    , m_table(new RowsTable(
          tr("Events"),
          {{tr("Time"), 110},
           {tr("Kind"), 160, Kind::State},
           {tr("About"), 130},
           {tr("Why"), 0},
           {tr("Node"), 80}},
          this
      ))
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(8, 4, 8, 4);
    bar->setSpacing(8);
    m_filter->setObjectName(QStringLiteral("eventsFilter"));
    m_filter->setAccessibleName(tr("Filter events by words"));
    m_filter->setPlaceholderText(tr("Filter: ejected payment"));
    m_filter->setClearButtonEnabled(true);
    m_filter->setMaximumWidth(260);
    m_filter->setFixedHeight(24);
    bar->addWidget(m_filter, 1);
    m_group->setObjectName(QStringLiteral("eventsGroup"));
    m_group->setAccessibleName(tr("Which events"));
    m_group->setToolTip(m_group->accessibleName());
    m_group->setFixedHeight(24);
    m_group->addItems(
        {tr("All events"), tr("Traffic policies"), tr("Faults"), tr("Health"), tr("Changes")}
    );
    bar->addWidget(m_group);
    m_time->setObjectName(QStringLiteral("eventsTime"));
    theme::setText(*m_time, theme::Role::Caption, theme::TextColor::Text3);
    m_time->hide();
    bar->addWidget(m_time);
    bar->addStretch(1);
    column->addLayout(bar);
    m_table->setObjectName(QStringLiteral("events"));
    column->addWidget(m_table, 1);
    connect(m_filter, &QLineEdit::textChanged, this, &EventsView::refresh);
    connect(m_group, &QComboBox::currentIndexChanged, this, &EventsView::refresh);
    connect(&session.context(), &bridge::ViewContext::timeChanged, this, &EventsView::refresh);
    connect(m_table, &RowsTable::keySelected, this, [this](const QString& key) {
        if (const QString id = key.section(u'\n', 0, 0); !id.isEmpty()) {
            Q_EMIT entitySelected(id);
        }
    });
    connect(m_table, &RowsTable::keyActivated, this, [this](const QString& key) {
        Q_EMIT entityActivated(key.section(u'\n', 0, 0));
    });
}

EventsView::Group EventsView::groupOf(bridge::Marker::Kind kind)
{
    switch (kind) {
    case MarkerKind::Policy:
        return Policies;
    case MarkerKind::Fault:
        return Faults;
    case MarkerKind::HealthChange:
    case MarkerKind::Ejection:
    case MarkerKind::Node:
    case MarkerKind::Alert:
        return Health;
    case MarkerKind::Revision:
    case MarkerKind::Push:
        break;
    }
    return Changes;
}

TableRow EventsView::rowOf(const bridge::Marker& event)
{
    const auto [word, state] = kindWord(event);
    const QString node = event.node.isEmpty() && event.kind == MarkerKind::Ejection
                             ? event.detail.section(u':', 0, 0) // "edge-1: 3 failures in a row"
                             : event.node;
    TableRow row;
    row.key = event.subject + u'\n' + QString::number(event.begin_us) + event.label + event.node;
    row.cells = {
        {dateTimeText(event.begin_us)},
        {word, static_cast<int>(state)},
        {aboutOf(event)},
        {reasonOf(event)},
        {node.isEmpty() ? bridge::noValueText() : node}};
    return row;
}

void EventsView::refresh()
{
    const QStringList wanted = m_filter->text().split(u' ', Qt::SkipEmptyParts);
    const int group = m_group->currentIndex();
    std::vector<TableRow> rows;
    const bridge::ViewContext& context = m_session.context();
    const bool isLive = context.timeMode() == bridge::TimeMode::Live;
    const std::int64_t end_us =
        isLive ? std::numeric_limits<std::int64_t>::max() : context.cursor_us();
    m_time->setText(tr("until %1").arg(dateTimeText(context.cursor_us())));
    m_time->setVisible(!isLive);
    const auto& events = m_session.events();
    for (auto event = events.rbegin(); event != events.rend() && rows.size() < kEventsShown;
         ++event) {
        if (event->begin_us > end_us || (group != All && groupOf(event->kind) != group)) {
            continue;
        }
        bridge::Marker known = *event;
        known.end_us = known.end_us > end_us ? 0 : known.end_us; // It went on then.
        TableRow row = rowOf(known);
        const bool fits = std::all_of(wanted.begin(), wanted.end(), [&row](const QString& word) {
            return std::any_of(row.cells.begin(), row.cells.end(), [&word](const Cell& cell) {
                return cell.text.contains(word, Qt::CaseInsensitive);
            });
        });
        if (fits) {
            rows.push_back(std::move(row));
        }
    }
    m_table->setRows(std::move(rows));
}

int EventsView::count() const { return m_table->rowCount(); }

} // namespace mesh::pages
