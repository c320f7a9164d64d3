#include "app/pages/verdict_pane.h"

#include "app/bridge/rehearsal_session.h"
#include "app/forms/config_text_edit.h"
#include "app/pages/compare_pane.h"
#include "app/pages/stability_map.h"
#include "app/pages/verdict_view.h"
#include "app/theme/controls.h"
#include "app/theme/theme.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QStackedWidget>
#include <QTabBar>
#include <QVBoxLayout>

#include <algorithm>
#include <map>

namespace mesh::pages {

VerdictPane::VerdictPane(bridge::RehearsalSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_tabs(new QTabBar(this))
    , m_stack(new QStackedWidget(this))
    , m_primary(new QPushButton(this))
    , m_export(new QPushButton(tr("Export…"), this))
{
    setObjectName(QStringLiteral("verdictPane"));
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::Base);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    m_tabs->setObjectName(QStringLiteral("verdictTabs"));
    m_tabs->setAccessibleName(tr("Verdict, comparison, stability, text"));
    m_tabs->setDrawBase(false);
    m_tabs->setExpanding(false);
    for (const QString& title : {tr("Verdict"), tr("Compare"), tr("Stability"), tr("YAML")}) {
        m_tabs->addTab(title);
    }
    auto* inset = new QHBoxLayout;
    inset->setContentsMargins(8, 0, 8, 0);
    inset->addWidget(m_tabs);
    inset->addStretch();
    column->addLayout(inset);
    column->addWidget(new theme::Hairline(Qt::Horizontal, this));
    m_stack->addWidget(makeVerdict());
    m_compare = new ComparePane(session, m_stack);
    m_stack->addWidget(m_compare);
    m_stack->addWidget(makeMap());
    m_stack->addWidget(makeText());
    column->addWidget(m_stack, 1);
    column->addWidget(new theme::Hairline(Qt::Horizontal, this));
    auto* foot = new QHBoxLayout;
    foot->setContentsMargins(12, 10, 12, 10);
    foot->setSpacing(8);
    m_primary->setObjectName(QStringLiteral("usePolicy"));
    theme::setButtonRole(*m_primary, theme::ButtonRole::Primary);
    m_export->setObjectName(QStringLiteral("exportRun"));
    m_export->setToolTip(tr("Scenario as a file, or the report"));
    foot->addWidget(m_primary, 1);
    foot->addWidget(m_export);
    column->addLayout(foot);
    connect(m_tabs, &QTabBar::currentChanged, this, [this](int index) {
        m_stack->setCurrentIndex(index);
        Q_EMIT tabChanged(static_cast<VerdictTab>(index));
    });
    connect(m_export, &QPushButton::clicked, this, &VerdictPane::exportRequested);
    connect(m_primary, &QPushButton::clicked, this, [this] {
        const bridge::RunRow* run = m_session.current();
        if (run != nullptr && m_session.hasPatch(run->shown)) {
            Q_EMIT policyChosen(run->shown);
        } else {
            Q_EMIT reviewRequested();
        }
    });
    using bridge::RehearsalSession;
    connect(&session, &RehearsalSession::runsChanged, this, &VerdictPane::refreshRun);
    connect(&session, &RehearsalSession::progressChanged, this, &VerdictPane::refreshRun);
    connect(&session, &RehearsalSession::scenarioChanged, this, &VerdictPane::refreshText);
    connect(&session, &RehearsalSession::stabilityChanged, this, &VerdictPane::refreshMap);
    connect(&session, &RehearsalSession::progressChanged, this, &VerdictPane::refreshMap);
    connect(&session, &RehearsalSession::runsChanged, m_compare, &ComparePane::refresh);
    refreshRun();
    refreshText();
    refreshMap();
}

QWidget* VerdictPane::makeVerdict()
{
    auto* page = new QWidget(m_stack);
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    m_variantRow = new QWidget(page);
    auto* row = new QHBoxLayout(m_variantRow);
    row->setContentsMargins(16, 8, 16, 0);
    auto* label = new QLabel(tr("Variant"), m_variantRow);
    theme::setText(*label, theme::Role::Caption, theme::TextColor::Text3);
    m_variant = new QComboBox(m_variantRow);
    m_variant->setObjectName(QStringLiteral("shownVariant"));
    m_variant->setAccessibleName(tr("Variant shown"));
    m_variant->setFixedHeight(24);
    row->addWidget(label);
    row->addWidget(m_variant, 1);
    column->addWidget(m_variantRow);
    connect(m_variant, &QComboBox::activated, this, [this](int index) {
        m_session.showVariant(m_variant->itemText(index));
    });
    auto* scroll = new QScrollArea(page);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    m_verdict = new VerdictView(scroll);
    scroll->setWidget(m_verdict);
    column->addWidget(scroll, 1);
    return page;
}

QWidget* VerdictPane::makeMap()
{
    auto* page = new QWidget(m_stack);
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(0, 12, 0, 0);
    column->setSpacing(6);
    auto* row = new QHBoxLayout;
    row->setContentsMargins(16, 0, 16, 0);
    m_mapWords = new QLabel(page);
    m_mapWords->setWordWrap(true);
    theme::setText(*m_mapWords, theme::Role::Small, theme::TextColor::Text2);
    m_mapRun = new QPushButton(page);
    m_mapRun->setObjectName(QStringLiteral("runStability"));
    m_mapRun->setFixedHeight(24);
    row->addWidget(m_mapWords, 1);
    row->addWidget(m_mapRun);
    column->addLayout(row);
    m_map = new StabilityMap(page);
    column->addWidget(m_map);
    column->addStretch(1);
    connect(m_mapRun, &QPushButton::clicked, this, [this] {
        if (m_session.stability().isRunning) {
            Q_EMIT cancelRequested();
        } else {
            Q_EMIT mapRequested();
        }
    });
    connect(m_map, &StabilityMap::cellActivated, this, &VerdictPane::cellActivated);
    return page;
}

QWidget* VerdictPane::makeText()
{
    auto* page = new QWidget(m_stack);
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    m_text = new forms::ConfigTextEdit(page);
    m_text->setObjectName(QStringLiteral("scenarioText"));
    m_text->setAccessibleName(tr("Scenario as text"));
    column->addWidget(m_text, 1);
    m_problem = new QLabel(page);
    m_problem->setObjectName(QStringLiteral("scenarioProblem"));
    m_problem->setWordWrap(true);
    m_problem->setContentsMargins(14, 7, 14, 7);
    theme::setText(*m_problem, theme::Role::Small, theme::TextColor::Failure);
    column->addWidget(m_problem);
    connect(m_text, &forms::ConfigTextEdit::textEdited, this, [this](const QString& text) {
        m_session.setText(text);
    });
    return page;
}

void VerdictPane::setTab(VerdictTab tab) { m_tabs->setCurrentIndex(static_cast<int>(tab)); }

VerdictTab VerdictPane::tab() const { return static_cast<VerdictTab>(m_tabs->currentIndex()); }

void VerdictPane::setPlayhead(double second) { m_compare->setPlayhead(second); }

void VerdictPane::setDraftChanged(bool isChanged)
{
    m_isDraftChanged = isChanged;
    refreshPrimary();
}

void VerdictPane::goToLine(int line)
{
    setTab(VerdictTab::Text);
    m_text->goToLine(line);
    m_text->setFocusLine(line);
}

void VerdictPane::refreshRun()
{
    const bridge::RunRow* run = m_session.current();
    if (run == nullptr) {
        const bool isRunning = m_session.isRunning();
        m_verdict->setNote(
            isRunning ? tr("Rehearsing…") : tr("Not rehearsed yet"),
            isRunning ? tr("The first figures are in the timeline already.")
                      : tr("Drop a fault on the graph, then press Ctrl+R. It takes seconds, and "
                           "nothing of it reaches a live node.")
        );
        m_verdict->setRun(std::nullopt);
    } else {
        m_verdict->setRun(*run);
    }
    const auto count = run != nullptr ? run->variants.size() : 0;
    m_variantRow->setVisible(count > 1);
    m_variant->clear();
    if (run != nullptr) {
        for (const bridge::VariantRow& variant : run->variants) {
            m_variant->addItem(variant.name);
        }
        m_variant->setCurrentText(run->shown);
    }
    m_export->setEnabled(run != nullptr);
    refreshPrimary();
}

void VerdictPane::refreshPrimary()
{
    const bridge::RunRow* run = m_session.current();
    const bool hasPatch = run != nullptr && m_session.hasPatch(run->shown);
    m_primary->setText(hasPatch ? tr("Use this policy…") : tr("Review this draft…"));
    m_primary->setToolTip(
        hasPatch
            ? tr("Puts %1 into the draft and opens the review; nothing is pushed").arg(run->shown)
            : tr("Opens the review of the draft; nothing is pushed")
    );
    m_primary->setEnabled(hasPatch || m_isDraftChanged);
}

void VerdictPane::refreshText()
{
    m_text->showText(m_session.text());
    std::map<int, QString> messages;
    for (const bridge::ProblemRow& problem : m_session.problems()) {
        if (problem.line > 0) {
            messages.try_emplace(problem.line, problem.message);
        }
    }
    m_text->setProblemLines(messages);
    QString words;
    if (!m_session.problems().empty()) {
        const bridge::ProblemRow& first = m_session.problems().front();
        words =
            first.line > 0 ? tr("Line %1: %2").arg(first.line).arg(first.message) : first.message;
        if (m_session.problems().size() > 1) {
            words +=
                QStringLiteral(" ")
                + tr("(and %n more)", nullptr, static_cast<int>(m_session.problems().size()) - 1);
        }
    }
    m_problem->setText(words);
    m_problem->setVisible(!words.isEmpty());
}

void VerdictPane::refreshMap()
{
    const bridge::StabilityRows& rows = m_session.stability();
    m_map->setRows(rows);
    m_map->setVisible(!rows.cells.empty());
    m_mapRun->setText(
        rows.isRunning       ? tr("Cancel")
        : rows.cells.empty() ? tr("Compute the map")
                             : tr("Compute again")
    );
    m_mapRun->setEnabled(rows.isRunning || !m_session.isRunning());
    const auto all = static_cast<int>(rows.cells.size());
    m_mapWords->setText(
        !rows.error.isEmpty() ? rows.error
        : rows.isRunning      ? tr("%1 of %2 cells").arg(rows.done).arg(all)
        : rows.cells.empty()  ? tr(
              "Where the mesh recovers by itself, and where it does not: the scenario's faults at "
               "other loads and lengths, one run each."
          )
                             : tr("%1 of %2 cells, one run each").arg(rows.done).arg(all)
    );
}

} // namespace mesh::pages
