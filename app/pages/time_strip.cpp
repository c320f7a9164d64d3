#include "app/pages/time_strip.h"

#include "app/bridge/mesh_session.h"
#include "app/bridge/view_context.h"
#include "app/charts/time_bar.h"
#include "app/pages/rows_table.h"
#include "app/pages/texts.h"
#include "app/theme/controls.h"
#include "app/theme/theme.h"

#include <QDateTime>
#include <QEvent>
#include <QHBoxLayout>
#include <QMenu>
#include <QPainter>
#include <QPainterPath>
#include <QPushButton>

#include <algorithm>
#include <array>

namespace mesh::pages {
namespace {

constexpr int kStripHeight = 32;
constexpr int kTableHeight = 190;
constexpr std::size_t kChangeRowsMax = 1'000; // What the table is made for; the note says so.
constexpr std::size_t kRevisionsOffered = 20;

std::int64_t wallNow_us() { return QDateTime::currentMSecsSinceEpoch() * 1'000; }

QString clockOf(std::int64_t time_us)
{
    return QDateTime::fromMSecsSinceEpoch(time_us / 1'000).toString(QStringLiteral("HH:mm:ss"));
}

QString wordOfChange(bridge::Change change)
{
    constexpr std::array<const char*, 5> kWords = {
        "",
        QT_TRANSLATE_NOOP("mesh::pages::ChangesTable", "+ appeared"),
        QT_TRANSLATE_NOOP("mesh::pages::ChangesTable", "− vanished"),
        QT_TRANSLATE_NOOP("mesh::pages::ChangesTable", "▲ worse"),
        QT_TRANSLATE_NOOP("mesh::pages::ChangesTable", "▼ better")}; // Indexed by Change.
    return ChangesTable::tr(kWords[static_cast<std::size_t>(change)]);
}

// "12.1 → 84.0"; one side alone when the other was not there.
QString stepText(const QString& before, const QString& after)
{
    return before == after ? after : before + QStringLiteral(" → ") + after;
}

TableRow rowOf(const bridge::TopologyChange& change)
{
    const bridge::Figures& before = change.figuresBefore;
    const bridge::Figures& after = change.figuresAfter;
    QString name = nameOf(change.subject);
    if (change.isEdge) {
        name = nameOf(change.subject.section(QStringLiteral(" -> "), 0, 0)) + QStringLiteral(" → ")
               + nameOf(change.subject.section(QStringLiteral(" -> "), 1));
    }
    TableRow row;
    row.key = change.subject;
    row.cells = {
        {wordOfChange(change.change)},
        {name},
        {change.isEdge ? ChangesTable::tr("calls") : ChangesTable::tr("service")},
        {stepText(wordOf(change.before), wordOf(change.after))},
        {stepText(rateText(before.rps), rateText(after.rps))},
        {stepText(percentText(before.errorRatio), percentText(after.errorRatio))},
        {stepText(millisecondsText(before.p95_ms), millisecondsText(after.p95_ms))},
        {change.what}};
    if (change.change == bridge::Change::Worse) {
        row.state = static_cast<int>(theme::State::Failure);
    }
    return row;
}

std::vector<TableColumn> changeColumns()
{
    using Kind = TableColumn::Kind;
    return {
        {ChangesTable::tr("Change"), 92},
        {ChangesTable::tr("What"), 210},
        {ChangesTable::tr("Kind"), 64},
        {ChangesTable::tr("State"), 150},
        {ChangesTable::tr("rps"), 100, Kind::Number},
        {ChangesTable::tr("err %"), 90, Kind::Number},
        {ChangesTable::tr("p95 ms"), 90, Kind::Number},
        {ChangesTable::tr("Why"), 0}};
}

} // namespace

void connectTime(charts::TimeBar& bar, bridge::MeshSession& session)
{
    using bridge::ViewContext;
    using charts::TimeBar;
    ViewContext& context = session.context();
    QObject::connect(&bar, &TimeBar::goLive, &context, &ViewContext::goLive);
    QObject::connect(&bar, &TimeBar::pauseAt, &context, &ViewContext::pauseAt);
    QObject::connect(&bar, &TimeBar::replayFrom, &context, &ViewContext::replayFrom);
    QObject::connect(&bar, &TimeBar::speedChosen, &context, &ViewContext::setSpeed);
    QObject::connect(&bar, &TimeBar::compareWith, &context, &ViewContext::compareWith);
    QObject::connect(&bar, &TimeBar::windowChosen, &context, &ViewContext::setWindow);
}

bool compareRevisions(bridge::MeshSession& session, std::int64_t before, std::int64_t after)
{
    bridge::ViewContext& context = session.context();
    const auto moments = bridge::momentsOf(
        session.revisions(), before, after, context.window_s() * 1'000'000LL, wallNow_us()
    );
    if (!moments) {
        return false;
    }
    context.pauseAt(moments->second);
    context.compareWith(moments->first);
    return true;
}

TimeStrip::TimeStrip(bridge::MeshSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_word(new theme::ElidedLabel(theme::Role::Capitals, this))
    , m_text(new theme::ElidedLabel(theme::Role::Small, this))
    , m_revisions(new theme::Chip(tr("Compare revisions"), this))
    , m_end(new QPushButton(tr("End comparison"), this))
    , m_live(new QPushButton(tr("Go live"), this))
{
    setObjectName(QStringLiteral("timeStrip"));
    setAccessibleName(tr("Time that is shown"));
    setFixedHeight(kStripHeight);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(12, 0, 10, 0);
    row->setSpacing(10);
    m_word->setFixedWidth(76);
    row->addWidget(m_word);
    m_text->setObjectName(QStringLiteral("timeStripText"));
    row->addWidget(m_text, 1);
    m_revisions->setObjectName(QStringLiteral("compareRevisions"));
    m_revisions->setAccessibleName(m_revisions->text());
    m_revisions->setArrow(theme::Chip::Arrow::Down);
    m_revisions->setFocusPolicy(Qt::TabFocus);
    m_revisions->setToolTip(tr("What a change of revisions did to the graph"));
    connect(m_revisions, &theme::Chip::clicked, this, &TimeStrip::showRevisions);
    row->addWidget(m_revisions);
    m_end->setObjectName(QStringLiteral("endComparison"));
    m_live->setObjectName(QStringLiteral("backToLive"));
    m_live->setToolTip(tr("Home"));
    bridge::ViewContext& context = session.context();
    connect(m_end, &QPushButton::clicked, &context, [&context] {
        context.compareWith(std::nullopt);
    });
    connect(m_live, &QPushButton::clicked, &context, &bridge::ViewContext::goLive);
    for (QPushButton* button : {m_end, m_live}) {
        theme::setButtonRole(*button, theme::ButtonRole::Ghost);
        button->setFixedHeight(24);
        row->addWidget(button);
    }
    connect(&context, &bridge::ViewContext::timeChanged, this, &TimeStrip::refresh);
    connect(&session, &bridge::MeshSession::topologyChanged, this, &TimeStrip::refresh);
    refresh();
}

QString TimeStrip::words() const
{
    const bridge::ViewContext& context = m_session.context();
    const bridge::TopologyDiff& diff = m_session.comparison();
    if (context.second_us() && !diff.isEmpty()) {
        const QString moments = tr("A %1 (rev %2) → B %3 (rev %4)")
                                    .arg(clockOf(diff.before_us))
                                    .arg(diff.revisionBefore)
                                    .arg(clockOf(diff.after_us))
                                    .arg(diff.revisionAfter);
        return moments
               + tr(" · %1 appeared · %2 vanished · %3 worse · %4 better")
                     .arg(diff.count(bridge::Change::Appeared))
                     .arg(diff.count(bridge::Change::Vanished))
                     .arg(diff.count(bridge::Change::Worse))
                     .arg(diff.count(bridge::Change::Better));
    }
    const std::int64_t at_us = context.cursor_us();
    QString text = clockOf(at_us);
    if (context.timeMode() == bridge::TimeMode::Replay) {
        text += tr(" at %1×").arg(context.speed());
    }
    const bridge::PastMoment& moment = m_session.moment();
    const std::int64_t newest =
        m_session.revisions().empty() ? 0 : m_session.revisions().front().id;
    if (moment.time_us == 0 || moment.revision == 0) {
        return text;
    }
    if (!moment.isConfigurationKnown) {
        return text
               + tr(" · revision %1 cannot be read: today's stands for it").arg(moment.revision);
    }
    return text
           + (moment.revision == newest
                  ? tr(" · configuration: revision %1, as now").arg(newest)
                  : tr(" · configuration and layout of then: revision %1 (now %2)")
                        .arg(moment.revision)
                        .arg(newest));
}

void TimeStrip::refresh()
{
    const bridge::ViewContext& context = m_session.context();
    const bool isPast = m_session.isOpen() && context.timeMode() != bridge::TimeMode::Live;
    setVisible(isPast);
    if (!isPast) {
        return;
    }
    const bool isComparing = context.second_us().has_value();
    m_word->setText(
        isComparing                                      ? tr("COMPARE")
        : context.timeMode() == bridge::TimeMode::Replay ? tr("REPLAY")
                                                         : tr("PAUSED")
    );
    m_text->setText(words());
    m_end->setVisible(isComparing);
    m_revisions->setVisible(m_session.revisions().size() > 1);
}

void TimeStrip::showRevisions()
{
    QMenu menu(this);
    const std::vector<bridge::RevisionRow>& revisions = m_session.revisions();
    const std::size_t count = std::min(revisions.size() - 1, kRevisionsOffered);
    for (std::size_t i = 0; i < count; ++i) {
        const std::int64_t before = revisions[i + 1].id;
        const std::int64_t after = revisions[i].id;
        QAction* action = menu.addAction(
            tr("Revision %1 → %2   %3").arg(before).arg(after).arg(revisions[i].message.left(40))
        );
        connect(action, &QAction::triggered, this, [this, before, after] {
            compareRevisions(m_session, before, after);
        });
    }
    menu.exec(m_revisions->mapToGlobal(QPoint(0, m_revisions->height())));
}

void TimeStrip::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    const theme::Tokens& t = theme::tokens();
    painter.fillRect(rect(), t.panel);
    painter.fillRect(rect(), theme::faded(t.replay, 0.12));
    painter.fillRect(0, 0, 3, height(), t.replay);
    painter.fillRect(0, height() - 1, width(), 1, t.border);
}

ChangesTable::ChangesTable(bridge::MeshSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_note(new theme::ElidedLabel(theme::Role::Caption, this))
    , m_table(new RowsTable(tr("Changes between two moments"), changeColumns(), this))
{
    setObjectName(QStringLiteral("changes"));
    setFixedHeight(kTableHeight);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(new theme::Hairline(Qt::Horizontal, this));
    column->addWidget(m_note);
    column->addWidget(m_table, 1);
    m_table->setObjectName(QStringLiteral("changesTable"));
    connect(m_table, &RowsTable::keySelected, &session.context(), &bridge::ViewContext::select);
    connect(&session, &bridge::MeshSession::topologyChanged, this, &ChangesTable::refresh);
    connect(&session.context(), &bridge::ViewContext::timeChanged, this, &ChangesTable::refresh);
    refresh();
}

void ChangesTable::refresh()
{
    const bridge::TopologyDiff& diff = m_session.comparison();
    const bool isShown = m_session.context().second_us().has_value() && !diff.isEmpty();
    setVisible(isShown);
    if (!isShown) {
        return;
    }
    std::vector<TableRow> rows;
    for (const bridge::TopologyChange& change : diff.changes) {
        if (rows.size() < kChangeRowsMax) {
            rows.push_back(rowOf(change));
        }
    }
    m_note->setVisible(rows.empty() || rows.size() < diff.changes.size());
    m_note->setText(
        rows.empty() ? tr("Nothing appeared, vanished or changed noticeably.")
                     : tr("The first %1 of %2 changes, worst first.")
                           .arg(rows.size())
                           .arg(diff.changes.size())
    );
    m_table->setRows(std::move(rows));
}

ReplayFrame::ReplayFrame(bridge::MeshSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
{
    setObjectName(QStringLiteral("replayFrame"));
    setAttribute(Qt::WA_TransparentForMouseEvents);
    parent->installEventFilter(this);
    connect(&session.context(), &bridge::ViewContext::timeChanged, this, &ReplayFrame::refresh);
    connect(&session, &bridge::MeshSession::documentChanged, this, &ReplayFrame::refresh);
    refresh();
}

void ReplayFrame::refresh()
{
    const bool isPast =
        m_session.isOpen() && m_session.context().timeMode() != bridge::TimeMode::Live;
    setVisible(isPast);
    setGeometry(parentWidget()->rect());
    raise();
}

bool ReplayFrame::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::Resize) {
        refresh();
    }
    return QWidget::eventFilter(watched, event);
}

void ReplayFrame::paintEvent(QPaintEvent* /*event*/)
{
    constexpr double kWidth = 3;
    QPainter painter(this);
    QPainterPath frame;
    frame.addRect(QRectF(rect()));
    frame.addRect(QRectF(rect()).adjusted(kWidth, kWidth, -kWidth, -kWidth));
    painter.fillPath(frame, theme::tokens().replay);
}

} // namespace mesh::pages
