#include "app/pages/review_merge.h"

#include "app/bridge/rollout_session.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

namespace mesh::pages {
namespace {

constexpr std::size_t kConflictsShownMax = 12;

QLabel* makeWords(const QString& text, theme::Role role, theme::TextColor color, QWidget* parent)
{
    auto* label = new QLabel(text, parent);
    theme::setText(*label, role, color);
    return label;
}

} // namespace

ReviewMerge::ReviewMerge(bridge::RolloutSession& session, QWidget* parent)
    : Note(theme::State::Degraded, parent)
    , m_session(session)
    , m_text(makeWords({}, theme::Role::SmallMedium, theme::TextColor::Text1, this))
    , m_rows(new QVBoxLayout)
    , m_take(new QPushButton(tr("Merge into the draft"), this))
{
    setObjectName(QStringLiteral("merge"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(20, 10, 20, 10);
    column->setSpacing(6);
    auto* head = new QHBoxLayout;
    m_text->setWordWrap(true);
    head->addWidget(m_text, 1);
    m_take->setObjectName(QStringLiteral("takeMerge"));
    theme::setButtonRole(*m_take, theme::ButtonRole::Primary);
    connect(m_take, &QPushButton::clicked, this, [this] {
        if (const auto done = m_session.takeMerge(); !done) {
            Q_EMIT failed(
                tr("The two changes do not go together this way."),
                QString::fromStdString(done.error().message)
            );
        }
    });
    head->addWidget(m_take);
    column->addLayout(head);
    m_rows->setSpacing(2);
    column->addLayout(m_rows);
    connect(&session, &bridge::RolloutSession::mergeChanged, this, &ReviewMerge::refresh);
    refresh();
}

QWidget* ReviewMerge::makeRow(std::size_t index)
{
    const bridge::ConflictRow& row = m_session.merge().conflicts[index];
    auto* holder = new QWidget(this);
    auto* line = new QHBoxLayout(holder);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(12);
    line->addWidget(makeWords(
        row.field.isEmpty() ? row.object : row.object + QStringLiteral("  ") + row.field,
        theme::Role::Small,
        theme::TextColor::Text1,
        holder
    ));
    line->addWidget(makeWords(
        row.base.isEmpty() ? QString() : tr("was %1").arg(row.base),
        theme::Role::CodeSmall,
        theme::TextColor::Text3,
        holder
    ));
    line->addStretch();
    auto* choice = new QComboBox(holder);
    choice->setObjectName(QStringLiteral("conflict.%1").arg(index));
    choice->setAccessibleName(row.object + u' ' + row.field);
    choice->addItem(tr("mine: %1").arg(row.mine));
    choice->addItem(tr("theirs: %1").arg(row.theirs));
    choice->setCurrentIndex(row.takesTheirs ? 1 : 0);
    choice->setMinimumWidth(240);
    const QString key = row.key;
    connect(choice, &QComboBox::activated, this, [this, key](int chosen) {
        m_session.chooseTheirs(key, chosen == 1);
    });
    line->addWidget(choice);
    return holder;
}

void ReviewMerge::refresh()
{
    const bridge::MergeRows& merge = m_session.merge();
    setVisible(merge.isNeeded);
    if (!merge.isNeeded) {
        return;
    }
    const auto count = static_cast<int>(merge.conflicts.size());
    const QString counts =
        tr("%1 objects are changed here, %2 there.").arg(merge.mine).arg(merge.theirs);
    const QString both = count == 0
                             ? tr("No field was changed by both; nothing is lost.")
                             : tr("%n field(s) were changed by both; choose.", nullptr, count);
    m_text->setText(merge.text + u' ' + counts + u' ' + both);
    while (QLayoutItem* item = m_rows->takeAt(0)) {
        if (item->widget() != nullptr) {
            item->widget()->hide();
            item->widget()->deleteLater(); // Not at once: its own choice may have asked for it.
        }
        delete item;
    }
    const std::size_t shown = std::min(merge.conflicts.size(), kConflictsShownMax);
    for (std::size_t i = 0; i < shown; ++i) {
        m_rows->addWidget(makeRow(i));
    }
    if (merge.conflicts.size() > shown) {
        m_rows->addWidget(makeWords(
            tr("%n more; they stay as they are here.", nullptr, count - static_cast<int>(shown)),
            theme::Role::Caption,
            theme::TextColor::Text3,
            this
        ));
    }
}

} // namespace mesh::pages
