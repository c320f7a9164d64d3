#include "app/pages/review_page.h"

#include "app/bridge/mesh_session.h"
#include "app/bridge/profile.h"
#include "app/bridge/rehearsal_session.h"
#include "app/bridge/rollout_session.h"
#include "app/pages/review_diff_view.h"
#include "app/pages/review_lists.h"
#include "app/pages/review_merge.h"
#include "app/pages/review_plan.h"
#include "app/pages/rows_table.h"
#include "app/pages/texts.h"
#include "app/pages/write_guard.h"
#include "app/theme/controls.h"
#include "app/theme/figures.h"
#include "app/theme/icons.h"
#include "app/theme/tab_order.h"
#include "app/theme/theme.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QInputDialog>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QSplitter>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace mesh::pages {
namespace {

constexpr int kSummaryHeight = 64;
constexpr int kLeftWidth = 248;
constexpr int kPlanWidth = 340;
constexpr int kHeadHeight = 36;
constexpr int kEffectiveRow = 44;

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

// A cell of two lines: what it is, and of which kind.
class TwoLineDelegate : public theme::RowDelegate
{
public:
    using RowDelegate::RowDelegate;

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index)
        const override
    {
        painter->save();
        paintGround(*painter, option, index);
        const theme::Tokens& t = theme::tokens();
        const QRectF cell = QRectF(option.rect).adjusted(14, 6, -6, -7);
        const QString text = index.data().toString();
        painter->setFont(theme::font(theme::Role::SmallStrong));
        painter->setPen(t.text1);
        const auto line = [&](const QString& words, int align) {
            painter->drawText(
                cell,
                Qt::AlignLeft | align,
                painter->fontMetrics().elidedText(words, Qt::ElideMiddle, int(cell.width()))
            );
        };
        line(text.section(u'\n', 0, 0), Qt::AlignTop);
        painter->setFont(theme::font(theme::Role::Caption));
        painter->setPen(t.text3);
        line(text.section(u'\n', 1), Qt::AlignBottom);
        painter->restore();
    }
};

// What a request becomes, in the colour of what that means.
class OutcomeDelegate : public theme::RowDelegate
{
public:
    using RowDelegate::RowDelegate;

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index)
        const override
    {
        painter->save();
        paintGround(*painter, option, index);
        const theme::Tokens& t = theme::tokens();
        const bool isWorse =
            index.data(theme::kStateRole).toInt() == static_cast<int>(theme::State::Failure);
        painter->setFont(theme::font(theme::Role::SmallMedium));
        painter->setPen(isWorse ? t.of(theme::State::Failure).text : t.accent);
        const QRectF cell = QRectF(option.rect).adjusted(8, 0, -6, 0);
        painter->drawText(
            cell,
            Qt::AlignLeft | Qt::AlignVCenter,
            painter->fontMetrics().elidedText(
                index.data().toString(), Qt::ElideRight, static_cast<int>(cell.width())
            )
        );
        painter->restore();
    }
};

// A request in the font of code.
class CodeDelegate : public theme::RowDelegate
{
public:
    using RowDelegate::RowDelegate;

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index)
        const override
    {
        painter->save();
        paintGround(*painter, option, index);
        painter->setFont(theme::font(theme::Role::CodeSmall));
        painter->setPen(theme::tokens().text1);
        const QRectF cell = QRectF(option.rect).adjusted(14, 0, -6, 0);
        painter->drawText(
            cell,
            Qt::AlignLeft | Qt::AlignVCenter,
            painter->fontMetrics().elidedText(
                index.data().toString(), Qt::ElideMiddle, static_cast<int>(cell.width())
            )
        );
        painter->restore();
    }
};

QString bytesText(std::int64_t bytes)
{
    return (bytes < 0 ? QStringLiteral("−") : QStringLiteral("+"))
           + countText(static_cast<std::uint64_t>(bytes < 0 ? -bytes : bytes));
}

} // namespace

ReviewPage::ReviewPage(
    bridge::MeshSession& mesh,
    bridge::RolloutSession& session,
    bridge::RehearsalSession* rehearsal,
    QWidget* parent
)
    : QWidget(parent)
    , m_mesh(mesh)
    , m_session(session)
    , m_rehearsal(rehearsal)
    , m_plan(new ReviewPlan(session, this))
{
    setObjectName(QStringLiteral("reviewPage"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(makeSummary());
    column->addWidget(new theme::Hairline(Qt::Horizontal, this));
    auto* merge = new ReviewMerge(session, this);
    connect(merge, &ReviewMerge::failed, this, &ReviewPage::failed);
    column->addWidget(merge);
    auto* columns = new QSplitter(Qt::Horizontal, this);
    columns->setHandleWidth(1);
    columns->setChildrenCollapsible(false);
    columns->addWidget(makeLeft());
    columns->addWidget(makeCentre());
    m_plan->setMinimumWidth(300);
    columns->addWidget(m_plan);
    columns->setStretchFactor(1, 1);
    columns->setSizes({kLeftWidth, 788, kPlanWidth});
    column->addWidget(columns, 1);
    setFocusProxy(m_changes);
    using bridge::RolloutSession;
    connect(&session, &RolloutSession::changesChanged, this, &ReviewPage::refreshChanges);
    connect(&session, &RolloutSession::reviewChanged, this, &ReviewPage::refreshReview);
    connect(m_plan, &ReviewPlan::pushRequested, this, &ReviewPage::push);
    if (m_rehearsal != nullptr) {
        connect(
            m_rehearsal, &bridge::RehearsalSession::runsChanged, this, &ReviewPage::refreshRehearsed
        );
    }
    refreshChanges();
    refreshReview();
    refreshRehearsed();
    theme::followLayouts(*this);
}

QWidget* ReviewPage::makeSummary()
{
    auto* bar = makePanel(this);
    bar->setFixedHeight(kSummaryHeight);
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(20, 0, 20, 0);
    row->setSpacing(20);
    auto* title = new QVBoxLayout;
    title->setSpacing(1);
    title->addStretch();
    title->addWidget(
        makeLabel(tr("Review changes"), theme::Role::Title, theme::TextColor::Text1, bar)
    );
    m_subtitle = makeLabel({}, theme::Role::Small, theme::TextColor::Text2, bar);
    title->addWidget(m_subtitle);
    title->addStretch();
    row->addLayout(title);
    const QStringList words = {
        tr("created"),
        tr("updated"),
        tr("deleted"),
        tr("nodes affected"),
        tr("services"),
        tr("rps touched"),
        tr("warnings")};
    for (const QString& word : words) {
        auto* cell = new QVBoxLayout;
        cell->setSpacing(0);
        cell->addStretch();
        Figure figure;
        figure.value = new theme::FigureLabel(theme::Role::FigureLarge, bar);
        figure.value->setText(QStringLiteral("0"));
        figure.words = makeLabel(word, theme::Role::Small, theme::TextColor::Text2, bar);
        cell->addWidget(figure.value);
        cell->addWidget(figure.words);
        cell->addStretch();
        row->addLayout(cell);
        auto* line = new theme::Hairline(Qt::Vertical, bar);
        line->setFixedHeight(40);
        if (m_figures.size() + 1 < static_cast<std::size_t>(words.size())) {
            row->addWidget(line, 0, Qt::AlignVCenter);
        } else {
            line->hide();
        }
        m_figures.push_back(figure);
    }
    row->addStretch();
    m_summaryRight = new QWidget(bar);
    auto* right = new QHBoxLayout(m_summaryRight);
    right->setContentsMargins(0, 0, 0, 0);
    right->setSpacing(10);
    m_rehearse = new QPushButton(tr("Rehearse these changes"), m_summaryRight);
    m_rehearse->setObjectName(QStringLiteral("rehearseChanges"));
    m_rehearse->setIcon(theme::icon(QStringLiteral("rehearse"), theme::tokens().simulationLine));
    m_rehearse->setVisible(m_rehearsal != nullptr);
    connect(m_rehearse, &QPushButton::clicked, this, &ReviewPage::rehearseRequested);
    right->addWidget(m_rehearse);
    row->addWidget(m_summaryRight);
    return bar;
}

void ReviewPage::setSwitch(QWidget* control)
{
    static_cast<QHBoxLayout*>(m_summaryRight->layout())->insertWidget(0, control);
}

QWidget* ReviewPage::makeLeft()
{
    auto* left = makePanel(this);
    left->setMinimumWidth(200);
    auto* column = new QVBoxLayout(left);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* head = new QWidget(left);
    head->setFixedHeight(34);
    auto* headRow = new QHBoxLayout(head);
    headRow->setContentsMargins(12, 0, 12, 0);
    m_changesTitle = makeLabel({}, theme::Role::CaptionStrong, theme::TextColor::Text2, head);
    headRow->addWidget(m_changesTitle, 1);
    headRow->addWidget(new theme::KeyCap(tr("Space"), head));
    column->addWidget(head);
    column->addWidget(new theme::Hairline(Qt::Horizontal, left));
    auto* split = new QSplitter(Qt::Vertical, left);
    split->setHandleWidth(1);
    split->setChildrenCollapsible(false);
    auto* above = makePanel(split);
    auto* aboveColumn = new QVBoxLayout(above);
    aboveColumn->setContentsMargins(0, 0, 0, 0);
    aboveColumn->setSpacing(0);
    m_changes = new ChangeList(above);
    m_empty = makeLabel(
        tr("Nothing is changed. What Edit changes is listed here."),
        theme::Role::Small,
        theme::TextColor::Text3,
        above
    );
    m_empty->setWordWrap(true);
    m_empty->setContentsMargins(12, 12, 12, 12);
    m_empty->setAlignment(Qt::AlignTop);
    aboveColumn->addWidget(m_empty, 1);
    aboveColumn->addWidget(m_changes, 1);
    split->addWidget(above);
    auto* below = makePanel(split);
    auto* belowColumn = new QVBoxLayout(below);
    belowColumn->setContentsMargins(0, 0, 0, 0);
    belowColumn->setSpacing(0);
    auto* findingsHead = new QWidget(below);
    findingsHead->setFixedHeight(32);
    auto* findingsRow = new QHBoxLayout(findingsHead);
    findingsRow->setContentsMargins(12, 0, 12, 0);
    findingsRow->addWidget(
        makeLabel(tr("Findings"), theme::Role::CaptionStrong, theme::TextColor::Text2, findingsHead)
    );
    findingsRow->addStretch();
    findingsRow->addWidget(
        makeLabel(tr("F8 next change"), theme::Role::Caption, theme::TextColor::Text3, findingsHead)
    );
    belowColumn->addWidget(findingsHead);
    belowColumn->addWidget(new theme::Hairline(Qt::Horizontal, below));
    m_findings = new FindingList(below);
    belowColumn->addWidget(m_findings, 1);
    split->addWidget(below);
    split->setSizes({180, 520});
    column->addWidget(split, 1);
    using bridge::RolloutSession;
    connect(m_changes, &ChangeList::includedChanged, &m_session, &RolloutSession::setIncluded);
    connect(m_changes, &ChangeList::keySelected, this, [this](const QString& key) {
        m_diff->goTo(key);
    });
    connect(m_changes, &ChangeList::discardRequested, this, [this](const QString& key) {
        if (const auto done = m_session.discardChange(key); !done) {
            Q_EMIT failed(
                tr("The change stays: another one needs it."),
                QString::fromStdString(done.error().message)
            );
        }
    });
    connect(m_findings, &FindingList::acceptChanged, &m_session, &RolloutSession::acceptFinding);
    connect(m_findings, &FindingList::muteRequested, this, &ReviewPage::mute);
    connect(m_findings, &FindingList::pathChosen, this, &ReviewPage::pathChosen);
    connect(m_findings, &FindingList::fixRequested, this, [this](const QString& key) {
        if (const auto done = m_session.applyFix(key); !done) {
            Q_EMIT failed(
                tr("The fix was not made."), QString::fromStdString(done.error().message)
            );
        }
    });
    return left;
}

QWidget* ReviewPage::makePaneHead(int number, const QString& title, QLabel*& note, QWidget* right)
{
    auto* head = makePanel(this);
    head->setFixedHeight(kHeadHeight);
    auto* row = new QHBoxLayout(head);
    row->setContentsMargins(14, 0, 12, 0);
    row->setSpacing(8);
    row->addWidget(makeLabel(
        QStringLiteral("%1  %2").arg(number).arg(title),
        theme::Role::BodyStrong,
        theme::TextColor::Text1,
        head
    ));
    note = makeLabel({}, theme::Role::CaptionMedium, theme::TextColor::Text2, head);
    row->addWidget(note);
    row->addStretch();
    if (right != nullptr) {
        row->addWidget(right);
    }
    return head;
}

QWidget* ReviewPage::makeCentre()
{
    auto* centre = new QSplitter(Qt::Vertical, this);
    centre->setHandleWidth(1);
    centre->setChildrenCollapsible(false);
    auto* above = makePanel(centre);
    auto* aboveColumn = new QVBoxLayout(above);
    aboveColumn->setContentsMargins(0, 0, 0, 0);
    aboveColumn->setSpacing(0);
    m_form = new theme::SegmentedControl(above);
    m_form->setObjectName(QStringLiteral("diffForm"));
    m_form->setAccessibleName(tr("Form of the differences"));
    m_form->addSegment(tr("Inline"));
    m_form->addSegment(tr("Side by side"));
    aboveColumn->addWidget(makePaneHead(1, tr("Objects"), m_diffNote, m_form));
    m_diff = new ReviewDiffView(above);
    m_diff->setObjectName(QStringLiteral("objectDiff"));
    m_diff->setAccessibleName(tr("Objects, before and after"));
    aboveColumn->addWidget(m_diff, 1);
    connect(m_form, &theme::SegmentedControl::currentChanged, this, [this](int index) {
        m_diff->setForm(
            index == 0 ? ReviewDiffView::Form::Inline : ReviewDiffView::Form::SideBySide
        );
    });
    centre->addWidget(above);
    auto* below = new QSplitter(Qt::Horizontal, centre);
    below->setHandleWidth(1);
    below->setChildrenCollapsible(false);
    below->addWidget(makeEffective());
    below->addWidget(makeBehaviour());
    below->setSizes({394, 394});
    centre->addWidget(below);
    centre->setSizes({392, 348});
    return centre;
}

QWidget* ReviewPage::makeEffective()
{
    auto* pane = makePanel(this);
    auto* column = new QVBoxLayout(pane);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(makePaneHead(2, tr("Effective per node"), m_effectiveNote, nullptr));
    m_effective = new RowsTable(
        tr("Nodes whose configuration changes"),
        {{tr("Nodes"), 160},
         {tr("What changes on them"), 0},
         {tr("Bytes"), 62, TableColumn::Kind::Number}},
        pane
    );
    m_effective->setObjectName(QStringLiteral("effective"));
    m_effective->setItemDelegateForColumn(0, new TwoLineDelegate(m_effective));
    m_effective->verticalHeader()->setDefaultSectionSize(kEffectiveRow);
    m_effective->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    connect(m_effective, &RowsTable::keySelected, this, &ReviewPage::refreshExcerpt);
    column->addWidget(m_effective, 3);
    m_excerptTitle = makeLabel({}, theme::Role::CaptionStrong, theme::TextColor::Text2, pane);
    m_excerptTitle->setContentsMargins(14, 8, 14, 6);
    column->addWidget(m_excerptTitle);
    auto* card = new theme::Card(pane, 6);
    auto* inside = new QVBoxLayout(card);
    inside->setContentsMargins(2, 3, 2, 3);
    m_excerpt = new ReviewDiffView(card, ReviewDiffView::Numbers::Hidden);
    m_excerpt->setObjectName(QStringLiteral("excerpt"));
    m_excerpt->setAccessibleName(tr("Compiled configuration, before and after"));
    inside->addWidget(m_excerpt);
    auto* margin = new QVBoxLayout;
    margin->setContentsMargins(14, 0, 14, 12);
    margin->addWidget(card);
    column->addLayout(margin, 2);
    return pane;
}

QWidget* ReviewPage::makeBehaviour()
{
    auto* pane = makePanel(this);
    auto* column = new QVBoxLayout(pane);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(makePaneHead(3, tr("Behaviour"), m_behaviourNote, nullptr));
    m_bar = new BehaviourBar(pane);
    auto* barMargin = new QVBoxLayout;
    barMargin->setContentsMargins(14, 8, 14, 8);
    barMargin->addWidget(m_bar);
    column->addLayout(barMargin);
    m_behaviour = new RowsTable(
        tr("Requests that go elsewhere"),
        {{tr("Request"), 0},
         {tr("Before"), 88},
         {tr("After"), 92},
         {tr("Count"), 56, TableColumn::Kind::Number}},
        pane
    );
    m_behaviour->setObjectName(QStringLiteral("behaviour"));
    m_behaviour->setItemDelegateForColumn(0, new CodeDelegate(m_behaviour));
    m_behaviour->setItemDelegateForColumn(2, new OutcomeDelegate(m_behaviour));
    column->addWidget(m_behaviour, 1);
    m_sampled = makeLabel({}, theme::Role::Caption, theme::TextColor::Text2, pane);
    m_sampled->setWordWrap(true);
    m_sampled->setContentsMargins(14, 8, 14, 10);
    column->addWidget(m_sampled);
    m_rehearsed = new theme::Card(pane, 6);
    auto* row = new QHBoxLayout(m_rehearsed);
    row->setContentsMargins(12, 6, 6, 6);
    row->setSpacing(8);
    auto* sign = new QLabel(m_rehearsed);
    sign->setPixmap(theme::iconPixmap(
        QStringLiteral("rehearse"), 14, theme::tokens().simulationLine, devicePixelRatioF()
    ));
    row->addWidget(sign);
    m_rehearsedText = makeLabel({}, theme::Role::Small, theme::TextColor::Text2, m_rehearsed);
    row->addWidget(m_rehearsedText, 1);
    auto* open = new QPushButton(tr("Open"), m_rehearsed);
    open->setObjectName(QStringLiteral("openRehearsal"));
    theme::setButtonRole(*open, theme::ButtonRole::Ghost);
    connect(open, &QPushButton::clicked, this, &ReviewPage::rehearseRequested);
    row->addWidget(open);
    auto* margin = new QVBoxLayout;
    margin->setContentsMargins(14, 0, 14, 12);
    margin->addWidget(m_rehearsed);
    column->addLayout(margin);
    return pane;
}

void ReviewPage::refreshChanges()
{
    const auto& changes = m_session.changes();
    m_changes->setRows(changes);
    m_changes->setVisible(!changes.empty());
    m_empty->setVisible(changes.empty());
    m_changesTitle->setText(
        tr("Objects, %1 of %2 included").arg(m_session.includedCount()).arg(changes.size())
    );
    const std::int64_t revision = m_mesh.revisions().empty() ? 0 : m_mesh.revisions().front().id;
    m_subtitle->setText(
        m_session.origin().isEmpty()
            ? tr("draft on rev %1 → becomes rev %2").arg(revision).arg(revision + 1)
            : m_session.origin()
    );
    m_rehearse->setEnabled(!changes.empty());
    refreshRehearsed();
}

void ReviewPage::refreshReview()
{
    const bridge::ReviewRows& review = m_session.review();
    const theme::Tokens& t = theme::tokens();
    int warnings = 0;
    int errors = 0;
    for (const bridge::FindingRow& row : review.findings) {
        warnings += row.severity == bridge::FindingSeverity::Warning && !row.isMuted ? 1 : 0;
        errors += row.severity == bridge::FindingSeverity::Error ? 1 : 0;
    }
    const QStringList values = {
        QString::number(review.created),
        QString::number(review.updated),
        QString::number(review.deleted),
        QString::number(review.nodesAffected),
        QString::number(review.services),
        rateText(review.rpsTouched),
        QString::number(errors > 0 ? errors : warnings)};
    for (std::size_t i = 0; i < m_figures.size(); ++i) {
        m_figures[i].value->setText(values[static_cast<qsizetype>(i)]);
        m_figures[i].value->setColor({});
    }
    if (review.updated > 0) {
        m_figures[1].value->setColor(t.accent);
    }
    if (errors + warnings > 0) {
        m_figures[6].value->setColor(
            t.of(errors > 0 ? theme::State::Failure : theme::State::Degraded).text
        );
    }
    m_figures[6].words->setText(
        errors > 0 ? tr("%n error(s) found", nullptr, errors) : tr("warnings")
    );
    m_diff->setDiffs(review.objects);
    m_diffNote->setText(tr("%n line(s)", nullptr, review.lines));
    std::vector<TableRow> rows;
    for (const bridge::EffectiveRow& row : review.effective) {
        TableRow made;
        made.key = row.nodes;
        const bool isBad = !row.errors.isEmpty();
        made.cells = {
            {row.nodes + u'\n' + row.roles},
            {isBad ? row.errors.front() : row.summary},
            {bytesText(row.bytes)}};
        made.state = isBad ? static_cast<int>(theme::State::Failure) : -1;
        rows.push_back(std::move(made));
    }
    m_effective->setRows(std::move(rows));
    if (m_effective->currentKey().isEmpty() && !review.effective.empty()) {
        m_effective->setCurrentKey(review.effective.front().nodes);
    }
    m_effectiveNote->setText(
        review.isReady || !review.effective.empty()
            ? tr("%n group(s)", nullptr, int(review.effective.size()))
            : tr("being compiled…")
    );
    rows.clear();
    for (const bridge::BehaviourRow& row : review.behaviour.rows) {
        TableRow made;
        made.key = row.request + u'\n' + row.before + u'\n' + row.after;
        made.cells = {
            {row.request, -1, -1, row.example + u'\n' + row.why},
            {row.before},
            {row.after, row.isWorse ? static_cast<int>(theme::State::Failure) : -1, -1, row.why},
            {countText(row.count)}};
        rows.push_back(std::move(made));
    }
    m_behaviour->setRows(std::move(rows));
    m_bar->setRows(review.behaviour);
    m_behaviourNote->setText(
        review.isReady || review.behaviour.sampled > 0
            ? tr("%1 recent requests, re-routed").arg(countText(review.behaviour.sampled))
            : tr("being routed…")
    );
    QString sampled =
        review.behaviour.sampled == 0
            ? tr("No node has told of a request yet; behaviour cannot be predicted.")
            : tr(
                "Sampled on %n node(s) and run through the same compiled router and policies the "
                "nodes use.",
                nullptr,
                review.behaviour.nodes
            );
    if (review.behaviour.more > 0) {
        sampled +=
            u' ' + tr("%n more change(s) are not listed.", nullptr, int(review.behaviour.more));
    }
    m_sampled->setText(sampled);
    refreshFindings();
    refreshExcerpt();
}

void ReviewPage::refreshFindings()
{
    const bridge::ReviewRows& review = m_session.review();
    QString good;
    QString text;
    if (!review.failure.isEmpty()) {
        text = tr("These changes do not stand alone: %1").arg(review.failure);
    } else if (review.isReady && !m_session.changes().empty()) {
        int failing = 0;
        for (const bridge::EffectiveRow& row : review.effective) {
            failing += row.errors.isEmpty() ? 0 : static_cast<int>(row.names.size());
        }
        const int all = review.nodesAffected + review.nodesUnchanged;
        if (failing == 0) {
            good = tr("%1 of %1 nodes can run this").arg(all);
        }
        text = tr("Compiled for each node as the node does it; %1 of them change.")
                   .arg(review.nodesAffected);
    }
    m_findings->setRows(review.findings, good, text);
}

void ReviewPage::refreshExcerpt()
{
    const bridge::ReviewRows& review = m_session.review();
    const QString key = m_effective->currentKey();
    const auto found = std::ranges::find(review.effective, key, &bridge::EffectiveRow::nodes);
    std::vector<bridge::ObjectDiff> shown;
    if (found != review.effective.end()) {
        bridge::ObjectDiff diff;
        diff.key = key;
        diff.lines = found->lines;
        shown.push_back(std::move(diff));
        m_excerptTitle->setText(
            tr("%1, compiled configuration").arg(found->names.value(0, found->nodes))
        );
    } else {
        m_excerptTitle->setText(tr("Compiled configuration"));
    }
    m_excerpt->setDiffs(std::move(shown));
}

void ReviewPage::refreshRehearsed()
{
    const bridge::RunRow* run = m_rehearsal == nullptr ? nullptr : m_rehearsal->current();
    m_rehearsed->setVisible(run != nullptr);
    if (run != nullptr) {
        const QString when = clockText(run->time_us).left(5);
        m_rehearsedText->setText(
            tr("Rehearsed %1, %2%3")
                .arg(
                    when, run->headline, run->isOutdated ? tr(" (before the last edit)") : QString()
                )
        );
    }
}

void ReviewPage::mute(const QString& key)
{
    const auto& findings = m_session.review().findings;
    const auto found = std::ranges::find(findings, key, &bridge::FindingRow::key);
    if (found == findings.end()) {
        return;
    }
    if (found->isMuted) {
        m_session.muteFinding(key, {});
        return;
    }
    bool isGiven = false;
    const QString reason = QInputDialog::getText(
        this,
        tr("Mute %1").arg(found->code),
        tr("Why this finding is no problem here:"),
        QLineEdit::Normal,
        {},
        &isGiven
    );
    if (isGiven && !reason.trimmed().isEmpty()) {
        m_session.muteFinding(key, reason.trimmed());
    }
}

void ReviewPage::push()
{
    // Looking at the review is the confirmation; a protected mesh asks for its name as well.
    bridge::MeshSession& mesh = m_mesh;
    const bool isProtected =
        mesh.gate().mayWrite(bridge::WriteAction::Push).permit == bridge::WritePermit::TypeName;
    if (isProtected && !askToWrite(this, mesh, bridge::WriteAction::Push, tr("Push"))) {
        return;
    }
    if (const auto begun = m_session.push(); !begun) {
        Q_EMIT failed(
            tr("The changes were not pushed."), QString::fromStdString(begun.error().message)
        );
        return;
    }
    Q_EMIT pushed();
}

void ReviewPage::stepChange(int direction) { m_diff->stepChange(direction); }

void ReviewPage::setEnvironment(const QString& tag) { m_plan->setEnvironment(tag); }

void ReviewPage::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    m_session.setReviewed(true);
}

void ReviewPage::hideEvent(QHideEvent* event)
{
    QWidget::hideEvent(event);
    m_session.setReviewed(false);
}

} // namespace mesh::pages
