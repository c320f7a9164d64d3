#include "app/pages/history_page.h"

#include "app/bridge/rollout_session.h"
#include "app/pages/review_diff_view.h"
#include "app/pages/review_lists.h"
#include "app/pages/rows_table.h"
#include "app/pages/texts.h"
#include "app/theme/controls.h"
#include "app/theme/icons.h"
#include "app/theme/tab_order.h"
#include "app/theme/theme.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSplitter>
#include <QVBoxLayout>

#include <algorithm>

namespace mesh::pages {
namespace {

constexpr int kHeadHeight = 60;
constexpr int kOthersMax = 200; // Revisions offered to compare with; the table has all.

QLabel* makeLabel(const QString& text, theme::Role role, theme::TextColor color, QWidget* parent)
{
    auto* label = new QLabel(text, parent);
    theme::setText(*label, role, color);
    return label;
}

QWidget* makePanel(QWidget* parent)
{
    auto* panel = new QWidget(parent);
    panel->setAutoFillBackground(true);
    panel->setBackgroundRole(QPalette::Base);
    return panel;
}

} // namespace

HistoryPage::HistoryPage(bridge::RolloutSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_table(new RowsTable(
          tr("Revisions"),
          {{tr("Revision"), 84},
           {tr("Time"), 128},
           {tr("By"), 104},
           {tr("Message"), 0},
           {tr("Outcome"), 156, TableColumn::Kind::State},
           {tr("Nodes"), 64, TableColumn::Kind::Number}},
          this
      ))
{
    setObjectName(QStringLiteral("historyPage"));
    m_table->setObjectName(QStringLiteral("history"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(makeHead());
    column->addWidget(new theme::Hairline(Qt::Horizontal, this));
    auto* columns = new QSplitter(Qt::Horizontal, this);
    columns->setHandleWidth(1);
    columns->setChildrenCollapsible(false);
    columns->addWidget(m_table);
    columns->addWidget(makeSide());
    columns->setStretchFactor(0, 1);
    columns->setStretchFactor(1, 1);
    columns->setSizes({740, 636});
    column->addWidget(columns, 1);
    setFocusProxy(m_table);
    connect(m_table, &RowsTable::keySelected, this, [this](const QString& key) {
        if (!m_isFilling && key.toLongLong() != m_selected) {
            select(key.toLongLong());
        }
    });
    using bridge::RolloutSession;
    connect(&session, &RolloutSession::historyChanged, this, &HistoryPage::refresh);
    connect(&session, &RolloutSession::historyDiffReady, this, &HistoryPage::refreshDiff);
    refresh();
    theme::followLayouts(*this);
}

QWidget* HistoryPage::makeHead()
{
    auto* head = makePanel(this);
    head->setFixedHeight(kHeadHeight);
    auto* row = new QHBoxLayout(head);
    row->setContentsMargins(20, 0, 20, 0);
    row->setSpacing(12);
    auto* words = new QVBoxLayout;
    words->setSpacing(1);
    words->addStretch();
    words->addWidget(makeLabel(tr("History"), theme::Role::Title, theme::TextColor::Text1, head));
    m_subtitle = makeLabel({}, theme::Role::Small, theme::TextColor::Text2, head);
    words->addWidget(m_subtitle);
    words->addStretch();
    row->addLayout(words, 1);
    m_right = new QWidget(head);
    auto* right = new QHBoxLayout(m_right);
    right->setContentsMargins(0, 0, 0, 0);
    right->setSpacing(12);
    m_undo = new QPushButton(tr("Undo last push…"), m_right);
    m_undo->setObjectName(QStringLiteral("undoPush"));
    m_undo->setIcon(theme::icon(QStringLiteral("undo")));
    m_undo->setToolTip(tr("Opens the review of the way back; for ten minutes (Ctrl+Alt+Z)"));
    connect(m_undo, &QPushButton::clicked, &m_session, &bridge::RolloutSession::undoLastPush);
    right->addWidget(m_undo);
    row->addWidget(m_right);
    return head;
}

void HistoryPage::setSwitch(QWidget* control)
{
    static_cast<QHBoxLayout*>(m_right->layout())->insertWidget(0, control);
}

QWidget* HistoryPage::makeSide()
{
    auto* side = makePanel(this);
    side->setMinimumWidth(380);
    auto* column = new QVBoxLayout(side);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* head = new QWidget(side);
    auto* headColumn = new QVBoxLayout(head);
    headColumn->setContentsMargins(18, 12, 18, 10);
    headColumn->setSpacing(4);
    m_title = makeLabel({}, theme::Role::BodyStrong, theme::TextColor::Text1, head);
    m_title->setWordWrap(true);
    headColumn->addWidget(m_title);
    m_about = makeLabel({}, theme::Role::Caption, theme::TextColor::Text2, head);
    headColumn->addWidget(m_about);
    auto* against = new QHBoxLayout;
    against->setSpacing(8);
    against->addWidget(
        makeLabel(tr("Compared with"), theme::Role::Small, theme::TextColor::Text2, head)
    );
    m_against = new QComboBox(head);
    m_against->setObjectName(QStringLiteral("against"));
    m_against->setAccessibleName(tr("Compared with"));
    m_against->setMinimumWidth(170);
    connect(m_against, &QComboBox::currentIndexChanged, this, [this] {
        if (!m_isFilling) {
            ask();
        }
    });
    against->addWidget(m_against);
    m_summary = makeLabel({}, theme::Role::Small, theme::TextColor::Text2, head);
    against->addWidget(m_summary);
    against->addStretch();
    headColumn->addLayout(against);
    column->addWidget(head);
    column->addWidget(new theme::Hairline(Qt::Horizontal, side));
    auto* split = new QSplitter(Qt::Vertical, side);
    split->setHandleWidth(1);
    split->setChildrenCollapsible(false);
    m_changes = new ChangeList(split);
    m_changes->setObjectName(QStringLiteral("historyChanges"));
    m_changes->setAccessibleName(tr("Objects that differ; those with a tick go back"));
    m_diff = new ReviewDiffView(split);
    m_diff->setObjectName(QStringLiteral("historyDiff"));
    split->addWidget(m_changes);
    split->addWidget(m_diff);
    split->setSizes({150, 430});
    connect(m_changes, &ChangeList::keySelected, m_diff, &ReviewDiffView::goTo);
    column->addWidget(split, 1);
    column->addWidget(new theme::Hairline(Qt::Horizontal, side));
    auto* foot = new QHBoxLayout;
    foot->setContentsMargins(18, 11, 18, 11);
    foot->setSpacing(12);
    m_warning = makeLabel({}, theme::Role::Caption, theme::TextColor::Degraded, side);
    m_warning->setWordWrap(true);
    foot->addWidget(m_warning, 1);
    m_back = new QPushButton(side);
    m_back->setObjectName(QStringLiteral("goBack"));
    m_back->setIcon(theme::icon(QStringLiteral("undo")));
    connect(m_back, &QPushButton::clicked, this, &HistoryPage::goBack);
    foot->addWidget(m_back);
    column->addLayout(foot);
    return side;
}

void HistoryPage::refresh()
{
    if (!isVisible()) {
        return; // A push changes it ten times a second; showEvent() catches up.
    }
    m_isFilling = true;
    const auto& history = m_session.history();
    std::vector<TableRow> rows;
    for (const bridge::HistoryRow& row : history) {
        TableRow made;
        made.key = QString::number(row.id);
        const bool isGood = row.outcome == tr("converged");
        const int state = row.isBad                 ? static_cast<int>(theme::State::Degraded)
                          : row.isRunning || isGood ? static_cast<int>(theme::State::Healthy)
                                                    : -1;
        const QString outcome =
            row.isRunning
                ? (row.outcome.isEmpty() ? tr("running") : tr("running, %1").arg(row.outcome))
                : row.outcome;
        made.cells = {
            {made.key},
            {dateTimeText(row.time_us)},
            {row.author},
            {row.message},
            {outcome, state},
            {row.convergence.isEmpty() ? QStringLiteral("–") : row.convergence}};
        rows.push_back(std::move(made));
    }
    m_table->setRows(std::move(rows));
    m_subtitle->setText(tr("%n revision(s) in this document", nullptr, int(history.size())));
    const std::int64_t undoable = m_session.undoable();
    m_undo->setEnabled(undoable > 0);
    m_undo->setText(undoable > 0 ? tr("Undo push of %1…").arg(undoable) : tr("Undo last push…"));
    const bool isKnown =
        std::ranges::find(history, m_selected, &bridge::HistoryRow::id) != history.end();
    m_isFilling = false;
    if (!isKnown && !history.empty()) {
        select(history.front().id);
    }
}

void HistoryPage::select(std::int64_t revision)
{
    const auto& history = m_session.history();
    const auto found = std::ranges::find(history, revision, &bridge::HistoryRow::id);
    if (found == history.end()) {
        return;
    }
    m_selected = revision;
    m_isFilling = true;
    m_table->setCurrentKey(QString::number(revision));
    m_title->setText(
        found->message.isEmpty() ? tr("Revision %1").arg(revision)
                                 : tr("Revision %1: %2").arg(revision).arg(found->message)
    );
    m_about->setText(
        tr("%1 by %2").arg(dateTimeText(found->time_us), found->author)
        + (found->outcome.isEmpty() ? QString() : QStringLiteral(" · ") + found->outcome)
        + (found->convergence.isEmpty() ? QString() : u' ' + found->convergence)
    );
    m_against->clear();
    if (found->parent > 0) {
        m_against->addItem(tr("the one before (%1)").arg(found->parent), qlonglong(found->parent));
    }
    m_against->addItem(tr("what should run now"), qlonglong(0));
    int offered = 0;
    for (const bridge::HistoryRow& row : history) {
        if (row.id != revision && row.id != found->parent && ++offered <= kOthersMax) {
            m_against->addItem(tr("revision %1").arg(row.id), qlonglong(row.id));
        }
    }
    const bool isNewest = !history.empty() && history.front().id == revision;
    m_back->setText(tr("Roll back to %1…").arg(revision));
    m_back->setEnabled(!isNewest);
    m_isFilling = false;
    ask();
}

void HistoryPage::showDiff(std::int64_t from, std::int64_t to)
{
    select(to);
    const int index = m_against->findData(qlonglong(from));
    if (index >= 0) {
        m_against->setCurrentIndex(index);
    }
}

void HistoryPage::ask()
{
    if (isVisible()) {
        const std::int64_t other = m_against->currentData().toLongLong();
        if (other == 0) {
            m_session.requestDiff(0, m_selected);
        } else {
            m_session.requestDiff(std::min(other, m_selected), std::max(other, m_selected));
        }
    }
}

void HistoryPage::refreshDiff()
{
    const bridge::HistoryDiff& diff = m_session.historyDiff();
    m_summary->setText(
        diff.failure.isEmpty() ? tr("%1:  %2 created, %3 updated, %4 deleted")
                                     .arg(diff.title)
                                     .arg(diff.created)
                                     .arg(diff.updated)
                                     .arg(diff.deleted)
                               : diff.failure
    );
    m_changes->setRows(diff.changes);
    m_diff->setDiffs(diff.objects);
    // Single objects go back only when the diff is against what runs.
    const bool isAgainstNow = m_against->currentData().toLongLong() == 0;
    QStringList undone;
    const auto& history = m_session.history();
    for (const bridge::HistoryRow& row : history) {
        if (row.id > m_selected) {
            undone.prepend(QString::number(row.id));
        }
    }
    m_warning->setText(
        undone.isEmpty()
            ? QString()
            : tr("Going back to %1 also undoes %2.")
                      .arg(m_selected)
                      .arg(undone.join(QStringLiteral(", ")))
                  + (isAgainstNow ? u' ' + tr("Only ticked objects go back.") : QString())
    );
}

void HistoryPage::goBack()
{
    QStringList keys;
    const bool isAgainstNow = m_against->currentData().toLongLong() == 0;
    if (isAgainstNow) {
        bool isAll = true;
        for (int i = 0; i < m_changes->count(); ++i) {
            if (m_changes->item(i)->checkState() == Qt::Checked) {
                keys << m_changes->item(i)->data(Qt::UserRole + 1).toString();
            } else {
                isAll = false;
            }
        }
        if (isAll) {
            keys.clear();
        } else if (keys.isEmpty()) {
            return;
        }
    }
    m_session.goBackTo(m_selected, keys);
}

void HistoryPage::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    refresh();
    ask();
}

} // namespace mesh::pages
