#include "app/pages/rollout_page.h"

#include "app/bridge/mesh_session.h"
#include "app/bridge/rollout_session.h"
#include "app/pages/history_page.h"
#include "app/pages/review_page.h"
#include "app/pages/rollout_grid.h"
#include "app/pages/rows_table.h"
#include "app/pages/write_guard.h"
#include "app/theme/controls.h"
#include "app/theme/icons.h"
#include "app/theme/tab_order.h"
#include "app/theme/theme.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QSplitter>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace mesh::pages {
namespace {

constexpr int kHeadHeight = 60;
constexpr int kSideWidth = 344;

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

theme::State stateOf(bridge::RolloutVerdict verdict)
{
    using bridge::RolloutVerdict;
    switch (verdict) {
    case RolloutVerdict::Converged:
        return theme::State::Healthy;
    case RolloutVerdict::Failed:
        return theme::State::Failure;
    case RolloutVerdict::Partial:
    case RolloutVerdict::Stopped:
    case RolloutVerdict::Stopping:
    case RolloutVerdict::RollingBack:
    case RolloutVerdict::RolledBack:
        return theme::State::Degraded;
    case RolloutVerdict::None:
    case RolloutVerdict::Running:
    case RolloutVerdict::Held:
        break;
    }
    return theme::State::Idle;
}

theme::State stateOf(bridge::StepKind kind)
{
    switch (kind) {
    case bridge::StepKind::Done:
        return theme::State::Healthy;
    case bridge::StepKind::Failed:
        return theme::State::Failure;
    case bridge::StepKind::TakenBack:
        return theme::State::Degraded;
    case bridge::StepKind::Waiting:
    case bridge::StepKind::Moving:
        break;
    }
    return theme::State::Idle;
}

} // namespace

CurrentRollout::CurrentRollout(bridge::RolloutSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_waves(new RolloutWaves(this))
    , m_grid(new RolloutGrid(this))
    , m_foot(makeLabel({}, theme::Role::Caption, theme::TextColor::Text3, this))
{
    setObjectName(QStringLiteral("currentRollout"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(makeHead());
    column->addWidget(new theme::Hairline(Qt::Horizontal, this));
    m_found = new theme::Note(theme::State::Degraded, this);
    auto* foundRow = new QHBoxLayout(m_found);
    foundRow->setContentsMargins(20, 9, 20, 9);
    m_foundText = makeLabel({}, theme::Role::Small, theme::TextColor::Text1, m_found);
    m_foundText->setWordWrap(true);
    foundRow->addWidget(m_foundText);
    column->addWidget(m_found);
    m_body = new QSplitter(Qt::Horizontal, this);
    auto* columns = static_cast<QSplitter*>(m_body);
    columns->setHandleWidth(1);
    columns->setChildrenCollapsible(false);
    auto* left = makePanel(columns);
    auto* leftColumn = new QVBoxLayout(left);
    leftColumn->setContentsMargins(0, 0, 0, 0);
    leftColumn->setSpacing(0);
    leftColumn->addWidget(m_waves);
    leftColumn->addWidget(new theme::Hairline(Qt::Horizontal, left));
    leftColumn->addWidget(m_grid, 1);
    m_foot->setContentsMargins(20, 10, 20, 12);
    leftColumn->addWidget(m_foot);
    columns->addWidget(left);
    columns->addWidget(makeSide());
    columns->setStretchFactor(0, 1);
    columns->setSizes({1032, kSideWidth});
    column->addWidget(columns, 1);
    m_empty = makePanel(this);
    auto* emptyColumn = new QVBoxLayout(m_empty);
    emptyColumn->setContentsMargins(20, 20, 20, 20);
    auto* words = makeLabel(
        tr("Nothing has been pushed from this document yet."),
        theme::Role::BodyStrong,
        theme::TextColor::Text1,
        m_empty
    );
    auto* more = makeLabel(
        tr("Change something in Edit, look at it in Review, and push it: every node has a row "
           "here, from queued to read back."),
        theme::Role::Small,
        theme::TextColor::Text2,
        m_empty
    );
    more->setWordWrap(true);
    auto* review = new QPushButton(tr("Review changes"), m_empty);
    review->setObjectName(QStringLiteral("toReview"));
    connect(review, &QPushButton::clicked, this, &CurrentRollout::reviewRequested);
    emptyColumn->addWidget(words);
    emptyColumn->addWidget(more);
    emptyColumn->addSpacing(8);
    emptyColumn->addWidget(review, 0, Qt::AlignLeft);
    emptyColumn->addStretch();
    column->addWidget(m_empty, 1);
    setFocusProxy(m_grid);
    connect(&session, &bridge::RolloutSession::rolloutChanged, this, &CurrentRollout::refresh);
    refresh();
    theme::followLayouts(*this);
}

QWidget* CurrentRollout::makeHead()
{
    auto* head = makePanel(this);
    head->setFixedHeight(kHeadHeight);
    auto* row = new QHBoxLayout(head);
    row->setContentsMargins(20, 0, 20, 0);
    row->setSpacing(12);
    auto* words = new QVBoxLayout;
    words->setSpacing(1);
    words->addStretch();
    auto* titleRow = new QHBoxLayout;
    titleRow->setSpacing(10);
    m_title = makeLabel({}, theme::Role::Title, theme::TextColor::Text1, head);
    titleRow->addWidget(m_title);
    m_state = new theme::Chip({}, head);
    m_state->setObjectName(QStringLiteral("rolloutState"));
    m_state->setFocusPolicy(Qt::NoFocus);
    titleRow->addWidget(m_state);
    titleRow->addStretch();
    words->addLayout(titleRow);
    m_subtitle = makeLabel({}, theme::Role::Small, theme::TextColor::Text2, head);
    m_subtitle->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    words->addWidget(m_subtitle);
    words->addStretch();
    row->addLayout(words, 1);
    m_right = new QWidget(head);
    auto* right = new QHBoxLayout(m_right);
    right->setContentsMargins(0, 0, 0, 0);
    right->setSpacing(12);
    m_hold = new QPushButton(tr("Hold"), m_right);
    m_hold->setObjectName(QStringLiteral("hold"));
    m_hold->setIcon(theme::icon(QStringLiteral("pause")));
    m_hold->setToolTip(tr("Nothing more is sent until you continue"));
    m_stop = new QPushButton(tr("Stop"), m_right);
    m_stop->setObjectName(QStringLiteral("stop"));
    m_stop->setToolTip(tr("No node gets anything any more (Ctrl+Shift+.)"));
    theme::setButtonRole(*m_stop, theme::ButtonRole::Destructive);
    m_rollBack = new QPushButton(m_right);
    m_rollBack->setObjectName(QStringLiteral("rollBack"));
    m_rollBack->setToolTip(tr("Every node that has the change runs again what it ran before"));
    theme::setButtonRole(*m_rollBack, theme::ButtonRole::Destructive);
    const QColor red = theme::tokens().of(theme::State::Failure).text;
    m_stop->setIcon(theme::icon(QStringLiteral("stop"), red));
    m_rollBack->setIcon(theme::icon(QStringLiteral("undo"), red));
    for (QPushButton* button : {m_hold, m_stop, m_rollBack}) {
        button->setIconSize({14, 14});
        right->addWidget(button);
    }
    connect(m_hold, &QPushButton::clicked, &m_session, &bridge::RolloutSession::hold);
    connect(m_stop, &QPushButton::clicked, &m_session, &bridge::RolloutSession::stop);
    connect(m_rollBack, &QPushButton::clicked, &m_session, &bridge::RolloutSession::rollBack);
    row->addWidget(m_right);
    return head;
}

void CurrentRollout::setSwitch(QWidget* control)
{
    static_cast<QHBoxLayout*>(m_right->layout())->insertWidget(0, control);
}

QWidget* CurrentRollout::makeSide()
{
    auto* side = makePanel(this);
    side->setMinimumWidth(300);
    auto* column = new QVBoxLayout(side);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* head = new QWidget(side);
    head->setFixedHeight(38);
    auto* headRow = new QHBoxLayout(head);
    headRow->setContentsMargins(18, 0, 18, 0);
    m_gatesTitle = makeLabel({}, theme::Role::BodyStrong, theme::TextColor::Text1, head);
    headRow->addWidget(m_gatesTitle);
    headRow->addStretch();
    m_gatesState = makeLabel({}, theme::Role::SmallMedium, theme::TextColor::Healthy, head);
    headRow->addWidget(m_gatesState);
    column->addWidget(head);
    column->addWidget(new theme::Hairline(Qt::Horizontal, side));
    m_gates = new RowsTable(
        tr("Gates"),
        {{tr("Gate"), 0, TableColumn::Kind::State},
         {tr("Measured"), 96, TableColumn::Kind::Number},
         {tr("Limit"), 84, TableColumn::Kind::Number}},
        side
    );
    m_gates->setObjectName(QStringLiteral("gates"));
    m_gates->horizontalHeader()->hide();
    column->addWidget(m_gates);
    auto* charts = new QWidget(side);
    auto* chartColumn = new QVBoxLayout(charts);
    chartColumn->setContentsMargins(18, 10, 18, 6);
    chartColumn->setSpacing(10);
    m_errors = new RolloutChart(RolloutChart::Quantity::Errors, tr("Error rate, %"), charts);
    m_p95 = new RolloutChart(RolloutChart::Quantity::P95, tr("p95, ms"), charts);
    chartColumn->addWidget(m_errors);
    chartColumn->addWidget(m_p95);
    column->addWidget(charts);
    column->addWidget(new theme::Hairline(Qt::Horizontal, side));
    auto* notesTitle =
        makeLabel(tr("This rollout"), theme::Role::SmallStrong, theme::TextColor::Text1, side);
    notesTitle->setContentsMargins(18, 10, 18, 6);
    column->addWidget(notesTitle);
    m_notes = new RowsTable(
        tr("Log of the push"), {{tr("Time"), 78}, {tr("What"), 0, TableColumn::Kind::State}}, side
    );
    m_notes->setObjectName(QStringLiteral("rolloutLog"));
    m_notes->horizontalHeader()->hide();
    column->addWidget(m_notes, 1);
    column->addWidget(new theme::Hairline(Qt::Horizontal, side));
    auto* foot = new QHBoxLayout;
    foot->setContentsMargins(18, 11, 18, 11);
    foot->setSpacing(12);
    m_continue = new QPushButton(tr("Continue now"), side);
    m_continue->setObjectName(QStringLiteral("continueNow"));
    m_continue->setToolTip(tr("Ends the hold, or the bake before its time"));
    foot->addWidget(m_continue, 1);
    m_diff = new QPushButton(tr("Open diff"), side);
    m_diff->setObjectName(QStringLiteral("openDiff"));
    theme::setButtonRole(*m_diff, theme::ButtonRole::Ghost);
    foot->addWidget(m_diff);
    column->addLayout(foot);
    connect(m_continue, &QPushButton::clicked, &m_session, &bridge::RolloutSession::continueNow);
    connect(m_diff, &QPushButton::clicked, this, [this] {
        const bridge::RolloutRows& rows = m_session.rollout();
        Q_EMIT diffRequested(rows.revisionBefore, rows.revision);
    });
    return side;
}

void CurrentRollout::setTarget(const QString& target)
{
    m_target = target;
    refresh();
}

void CurrentRollout::refresh()
{
    const bridge::RolloutRows& rows = m_session.rollout();
    const bool isAny = rows.verdict != bridge::RolloutVerdict::None;
    m_empty->setVisible(!isAny);
    m_body->setVisible(isAny);
    m_found->setVisible(rows.isFound);
    m_state->setVisible(isAny);
    for (QPushButton* button : {m_hold, m_stop, m_rollBack}) {
        button->setVisible(isAny);
    }
    if (!isAny) {
        m_title->setText(tr("No rollout"));
        m_subtitle->setText(tr("The push that goes on, or the last one, is shown here"));
        return;
    }
    m_title->setText(tr("Revision %1 to %2").arg(rows.revision).arg(m_target));
    m_state->setText(rows.state);
    const theme::State state = stateOf(rows.verdict);
    m_state->setState(state == theme::State::Idle ? std::nullopt : std::optional(state));
    QStringList words;
    if (!rows.message.isEmpty()) {
        words << rows.message;
    }
    words << tr("started %1").arg(rows.started) << rows.took;
    m_subtitle->setText(words.join(QStringLiteral(" · ")));
    m_subtitle->setToolTip(m_subtitle->text());
    m_foundText->setText(
        tr("This push was going on when the console ended. What is shown was read back before "
           "that; "
           "%1 of %2 nodes had the change. Continue reads every node that was sent to first.")
            .arg(rows.converged)
            .arg(rows.expected)
    );
    m_hold->setEnabled(rows.canHold);
    m_stop->setEnabled(rows.canStop);
    m_rollBack->setEnabled(rows.canRollBack);
    m_rollBack->setText(tr("Roll back to %1").arg(rows.revisionBefore));
    m_waves->setWaves(rows.waves);
    m_grid->setRollout(rows);
    m_foot->setText(
        tr("%n expected node(s), fixed when the push began      Acknowledged is not "
           "applied: the running hash is read back from every node",
           nullptr,
           rows.expected)
    );
    refreshSide();
}

void CurrentRollout::refreshSide()
{
    const bridge::RolloutRows& rows = m_session.rollout();
    m_gatesTitle->setText(
        rows.waves.size() > 1 ? tr("Gates, wave %1").arg(rows.wave) : tr("Gates")
    );
    int holding = 0;
    int failing = 0;
    std::vector<TableRow> gates;
    for (const bridge::RolloutGateRow& gate : rows.gates) {
        holding += gate.sign == bridge::GateSign::Holds ? 1 : 0;
        failing += gate.sign == bridge::GateSign::Fails ? 1 : 0;
        const theme::State state = gate.sign == bridge::GateSign::Holds   ? theme::State::Healthy
                                   : gate.sign == bridge::GateSign::Fails ? theme::State::Failure
                                                                          : theme::State::NoData;
        TableRow row;
        row.key = gate.name;
        row.cells = {{gate.name, static_cast<int>(state)}, {gate.measured}, {gate.limit}};
        gates.push_back(std::move(row));
    }
    m_gates->setRows(std::move(gates));
    m_gates->fitHeight(8);
    m_gatesState->setText(
        rows.gates.empty() ? tr("none")
        : failing > 0      ? tr("%1 of %2 fail").arg(failing).arg(rows.gates.size())
                           : tr("%1 of %2 hold").arg(holding).arg(rows.gates.size())
    );
    theme::setText(
        *m_gatesState,
        theme::Role::SmallMedium,
        failing > 0   ? theme::TextColor::Failure
        : holding > 0 ? theme::TextColor::Healthy
                      : theme::TextColor::Text3
    );
    m_errors->setRollout(rows);
    m_p95->setRollout(rows);
    std::vector<TableRow> notes;
    for (std::size_t i = 0; i < rows.notes.size(); ++i) {
        const bridge::RolloutNoteRow& note = rows.notes[i];
        TableRow row;
        row.key = QString::number(rows.notes.size() - i);
        row.cells = {{note.time}, {note.text, static_cast<int>(stateOf(note.kind))}};
        notes.push_back(std::move(row));
    }
    m_notes->setRows(std::move(notes));
    m_continue->setEnabled(rows.canContinue);
    m_diff->setEnabled(rows.revision > 0);
}

RolloutPage::RolloutPage(
    bridge::MeshSession& mesh,
    bridge::RolloutSession& session,
    bridge::RehearsalSession* rehearsal,
    QWidget* parent
)
    : QWidget(parent)
    , m_mesh(mesh)
    , m_session(session)
    , m_views(new QStackedWidget(this))
    , m_review(new ReviewPage(mesh, session, rehearsal, m_views))
    , m_current(new CurrentRollout(session, m_views))
    , m_history(new HistoryPage(session, m_views))
{
    setObjectName(QStringLiteral("rolloutPage"));
    // The figures of a review would not let the inspector of other modes have its width.
    constexpr int kWidthMin = 640;
    setMinimumWidth(kWidthMin);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_views);
    for (std::size_t i = 0; i < m_switches.size(); ++i) {
        auto* control = new theme::SegmentedControl(this);
        control->setObjectName(QStringLiteral("rolloutView.%1").arg(i));
        control->setAccessibleName(tr("Views of the rollout"));
        control->addSegment(tr("Review"));
        control->addSegment(tr("Current"));
        control->addSegment(tr("History"));
        control->setCurrent(static_cast<int>(i));
        connect(control, &theme::SegmentedControl::currentChanged, this, [this](int index) {
            setView(static_cast<RolloutView>(index));
        });
        m_switches[i] = control;
    }
    m_review->setSwitch(m_switches[0]);
    m_current->setSwitch(m_switches[1]);
    m_history->setSwitch(m_switches[2]);
    guardWrite(m_current->rollBackButton(), mesh, bridge::WriteAction::RollBack);
    m_views->addWidget(m_review);
    m_views->addWidget(m_current);
    m_views->addWidget(m_history);
    connect(m_review, &ReviewPage::rehearseRequested, this, &RolloutPage::rehearseRequested);
    connect(m_review, &ReviewPage::pathChosen, this, &RolloutPage::pathChosen);
    connect(m_review, &ReviewPage::failed, this, &RolloutPage::failed);
    connect(m_review, &ReviewPage::pushed, this, [this] { setView(RolloutView::Current); });
    connect(m_current, &CurrentRollout::reviewRequested, this, [this] {
        setView(RolloutView::Review);
    });
    connect(m_current, &CurrentRollout::diffRequested, this, [this](qint64 from, qint64 to) {
        setView(RolloutView::History);
        m_history->showDiff(from, to);
    });
    connect(&session, &bridge::RolloutSession::failed, this, &RolloutPage::failed);
    connect(&session, &bridge::RolloutSession::reviewProposed, this, [this] {
        setView(RolloutView::Review);
    });
    setView(RolloutView::Review);
}

void RolloutPage::setView(RolloutView view)
{
    m_view = view;
    const auto index = static_cast<int>(view);
    m_views->setCurrentIndex(index);
    setFocusProxy(m_views->currentWidget());
    for (std::size_t i = 0; i < m_switches.size(); ++i) {
        // Each view has its own switch, which says where it is.
        const QSignalBlocker quiet(m_switches[i]);
        m_switches[i]->setCurrent(static_cast<int>(i));
    }
    Q_EMIT viewChanged();
}

void RolloutPage::setEnvironment(const QString& tag)
{
    m_review->setEnvironment(tag);
    m_current->setTarget(tag + u' ' + m_mesh.name());
}

} // namespace mesh::pages
