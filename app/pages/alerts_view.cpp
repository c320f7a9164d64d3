#include "app/pages/alerts_view.h"

#include "app/bridge/alert_watch.h"
#include "app/bridge/mesh_session.h"
#include "app/pages/find_field.h"
#include "app/pages/rows_table.h"
#include "app/pages/texts.h"
#include "app/theme/controls.h"
#include "app/theme/theme.h"

#include <QComboBox>
#include <QDateTime>
#include <QDialogButtonBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QVBoxLayout>

#include <algorithm>
#include <array>

namespace mesh::pages {
namespace {

using Kind = TableColumn::Kind;

constexpr int kButtonHeight = 24;
constexpr std::int64_t kMinute_us = 60'000'000;

// What an alert is in the colours of health: an alert that nobody is told of is not loud.
std::pair<QString, theme::State> alertWord(const bridge::AlertRow& row)
{
    if (row.state == bridge::AlertState::Over) {
        return {AlertsView::tr("over"), theme::State::Healthy};
    }
    if (!row.silence.isEmpty()) {
        return {AlertsView::tr("silenced"), theme::State::Idle};
    }
    return row.state == bridge::AlertState::Firing
               ? std::pair(AlertsView::tr("firing"), theme::State::Failure)
               : std::pair(AlertsView::tr("pending"), theme::State::Degraded);
}

QString keyOf(const bridge::AlertRow& row)
{
    return row.subject + u'\n' + row.rule + u'\n' + QString::number(row.since_us);
}

constexpr std::array<bridge::HealthState, 3> kStates = {
    bridge::HealthState::Degraded, bridge::HealthState::Failure, bridge::HealthState::Stale};

} // namespace

AlertsView::AlertsView(bridge::MeshSession& session, bridge::AlertWatch& watch, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_watch(watch)
    , m_sum(new QLabel(this))
    , m_silence(new QPushButton(tr("Silence…"), this))
    , m_rules(new QPushButton(tr("Rules…"), this))
    , m_table(new RowsTable(
          tr("Alerts"),
          {{tr("State"), 100, Kind::State},
           {tr("Alert"), 170},
           {tr("Service"), 130},
           {tr("Since"), 120},
           {tr("Why"), 0},
           {tr("Silence"), 220}},
          this
      ))
{
    setObjectName(QStringLiteral("alertsPane"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* bar = new QHBoxLayout;
    bar->setContentsMargins(10, 4, 8, 4);
    bar->setSpacing(8);
    theme::setText(*m_sum, theme::Role::Small, theme::TextColor::Text2);
    bar->addWidget(m_sum);
    bar->addStretch();
    m_silence->setObjectName(QStringLiteral("silenceAlert"));
    m_rules->setObjectName(QStringLiteral("alertRules"));
    for (QPushButton* button : {m_silence, m_rules}) {
        button->setAccessibleName(button->text());
        button->setFixedHeight(kButtonHeight);
        bar->addWidget(button);
    }
    column->addLayout(bar);
    m_table->setObjectName(QStringLiteral("alerts"));
    column->addWidget(m_table, 1);
    connect(m_silence, &QPushButton::clicked, this, &AlertsView::silence);
    connect(m_rules, &QPushButton::clicked, this, &AlertsView::editRules);
    connect(&watch, &bridge::AlertWatch::alertsChanged, this, &AlertsView::refresh);
    connect(m_table, &RowsTable::keySelected, this, [this](const QString& key) {
        refresh();
        if (!key.isEmpty()) {
            Q_EMIT entitySelected(key.section(u'\n', 0, 0));
        }
    });
    refresh();
}

void AlertsView::refresh()
{
    m_rows = m_watch.book().rows();
    int pending = 0;
    int silenced = 0;
    std::vector<TableRow> rows;
    for (const bridge::AlertRow& alert : m_rows) {
        const auto [word, state] = alertWord(alert);
        const bool isOn = alert.state != bridge::AlertState::Over;
        pending += alert.state == bridge::AlertState::Pending ? 1 : 0;
        silenced += isOn && !alert.silence.isEmpty() ? 1 : 0;
        TableRow row;
        row.key = keyOf(alert);
        row.cells = {
            {word, static_cast<int>(state)},
            {alert.rule},
            {nameOf(alert.subject)},
            {dateTimeText(alert.since_us)},
            {isOn ? alert.why : tr("%1 · until %2").arg(alert.why, dateTimeText(alert.end_us))},
            {alert.silence.isEmpty()
                 ? QString()
                 : tr("%1, until %2").arg(alert.silence, dateTimeText(alert.silenceEnd_us))}};
        rows.push_back(std::move(row));
    }
    m_table->setRows(std::move(rows));
    QStringList words = {
        tr("%n fire(s)", nullptr, m_watch.book().firing()), tr("%1 pending").arg(pending)};
    if (silenced > 0) {
        words << tr("%1 silenced").arg(silenced);
    }
    const auto on = std::count_if(
        m_watch.book().rules().begin(),
        m_watch.book().rules().end(),
        [](const bridge::AlertRule& rule) { return rule.isOn; }
    );
    words << tr("%n rule(s)", nullptr, static_cast<int>(on));
    const bridge::AlertWebhook& webhook = m_watch.webhook();
    if (!webhook.lastProblem().isEmpty()) {
        words << tr("webhook: %1 %2 waiting").arg(webhook.lastProblem()).arg(webhook.waiting());
    }
    m_sum->setText(words.join(QStringLiteral(" · ")));
    const bridge::AlertRow* chosen = current();
    const bool isOn = chosen != nullptr && chosen->state != bridge::AlertState::Over;
    m_silence->setEnabled(isOn);
    m_silence->setText(isOn && !chosen->silence.isEmpty() ? tr("End the silence") : tr("Silence…"));
    m_silence->setToolTip(
        isOn ? tr("Nobody is told until the end you choose.") : tr("Choose an alert first.")
    );
}

const bridge::AlertRow* AlertsView::current() const
{
    const QString key = m_table->currentKey();
    const auto found = std::find_if(m_rows.begin(), m_rows.end(), [&key](const auto& row) {
        return keyOf(row) == key;
    });
    return found == m_rows.end() ? nullptr : &*found;
}

void AlertsView::silence()
{
    const bridge::AlertRow* chosen = current();
    if (chosen == nullptr) {
        return;
    }
    const bridge::AlertRow row = *chosen; // The list changes while the question stands.
    if (!row.silence.isEmpty()) {
        m_watch.endSilences(row.rule, row.subject);
        return;
    }
    SilenceDialog dialog(row, this);
    if (dialog.exec() == QDialog::Accepted) {
        m_watch.addSilence(dialog.silence(QDateTime::currentMSecsSinceEpoch() * 1000));
    }
}

void AlertsView::editRules()
{
    AlertRulesDialog dialog(m_session, m_watch, this);
    dialog.exec();
}

SilenceDialog::SilenceDialog(const bridge::AlertRow& row, QWidget* parent)
    : QDialog(parent)
    , m_row(row)
    , m_reason(new QLineEdit(this))
    , m_span(new QComboBox(this))
    , m_scope(new QComboBox(this))
{
    setObjectName(QStringLiteral("silenceDialog"));
    setWindowTitle(tr("Silence an alert"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(20, 16, 20, 16);
    column->setSpacing(10);
    auto* form = new QFormLayout;
    m_scope->setObjectName(QStringLiteral("silenceScope"));
    m_scope->addItem(tr("%1 of %2").arg(row.rule, nameOf(row.subject)));
    m_scope->addItem(tr("%1 of every service").arg(row.rule));
    m_scope->addItem(tr("Every alert of %1").arg(nameOf(row.subject)));
    form->addRow(tr("What"), m_scope);
    m_span->setObjectName(QStringLiteral("silenceSpan"));
    const std::array<std::pair<QString, int>, 5> spans = {
        {{tr("30 minutes"), 30},
         {tr("1 hour"), 60},
         {tr("4 hours"), 240},
         {tr("1 day"), 1440},
         {tr("1 week"), 10'080}}};
    for (const auto& [text, minutes] : spans) {
        m_span->addItem(text, minutes);
    }
    m_span->setCurrentIndex(1);
    form->addRow(tr("For"), m_span);
    m_reason->setObjectName(QStringLiteral("silenceReason"));
    m_reason->setPlaceholderText(tr("Who works on it, or why it does not matter"));
    m_reason->setMinimumWidth(320);
    form->addRow(tr("Reason"), m_reason);
    column->addLayout(form);
    for (QWidget* control : std::initializer_list<QWidget*>{m_scope, m_span, m_reason}) {
        if (const auto* label = qobject_cast<QLabel*>(form->labelForField(control))) {
            control->setAccessibleName(label->text());
        }
    }
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    QPushButton* accept = buttons->addButton(tr("Silence"), QDialogButtonBox::AcceptRole);
    accept->setObjectName(QStringLiteral("silence"));
    theme::setButtonRole(*accept, theme::ButtonRole::Primary);
    accept->setEnabled(false);
    column->addWidget(buttons);
    connect(m_reason, &QLineEdit::textChanged, accept, [accept](const QString& text) {
        accept->setEnabled(!text.trimmed().isEmpty());
    });
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    m_reason->setFocus();
}

bridge::AlertSilence SilenceDialog::silence(std::int64_t now_us) const
{
    bridge::AlertSilence silence;
    silence.rule = m_scope->currentIndex() == 2 ? QString() : m_row.rule;
    silence.subject = m_scope->currentIndex() == 1 ? QString() : m_row.subject;
    silence.reason = m_reason->text().simplified();
    silence.begin_us = now_us;
    silence.end_us = now_us + m_span->currentData().toInt() * kMinute_us;
    return silence;
}

AlertRulesDialog::AlertRulesDialog(
    bridge::MeshSession& session, bridge::AlertWatch& watch, QWidget* parent
)
    : QDialog(parent)
    , m_session(session)
    , m_watch(watch)
    , m_rules(watch.book().rules())
    , m_list(new RowsTable(
          tr("Alert rules"), {{tr("Rule"), 180}, {tr("Says"), 0}, {tr("On"), 60}}, this
      ))
    , m_form(new QWidget(this))
{
    setObjectName(QStringLiteral("alertRulesDialog"));
    setWindowTitle(tr("Alert rules"));
    resize(820, 560);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(20, 16, 20, 16);
    column->setSpacing(10);
    m_list->setObjectName(QStringLiteral("alertRuleList"));
    column->addWidget(m_list, 1);
    auto* row = new QHBoxLayout;
    const auto button = [this, row](const char* name, const QString& text) {
        auto* made = new QPushButton(text, this);
        made->setObjectName(QLatin1String(name));
        made->setAutoDefault(false);
        row->addWidget(made);
        return made;
    };
    connect(button("addStateRule", tr("New rule on a state")), &QPushButton::clicked, this, [this] {
        add(bridge::AlertKind::State);
    });
    connect(
        button("addBurnRule", tr("New rule on an objective")),
        &QPushButton::clicked,
        this,
        [this] { add(bridge::AlertKind::BurnRate); }
    );
    connect(button("removeRule", tr("Delete")), &QPushButton::clicked, this, [this] {
        removeCurrent();
    });
    row->addStretch();
    column->addLayout(row);
    makeForm(*m_form);
    column->addWidget(m_form);
    m_problem = new QLabel(this);
    m_problem->setWordWrap(true);
    theme::setText(*m_problem, theme::Role::Small, theme::TextColor::Failure);
    column->addWidget(m_problem);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    m_keep = buttons->addButton(tr("Keep the rules"), QDialogButtonBox::AcceptRole);
    m_keep->setObjectName(QStringLiteral("keepRules"));
    theme::setButtonRole(*m_keep, theme::ButtonRole::Primary);
    column->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::accepted, this, &AlertRulesDialog::keep);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(m_list, &RowsTable::keySelected, this, [this](const QString& key) {
        bool isNumber = false;
        const int index = key.toInt(&isNumber);
        showRule(isNumber ? index : -1);
    });
    refreshList();
    m_list->setCurrentKey(QStringLiteral("0"));
    showRule(m_rules.empty() ? -1 : 0);
}

void AlertRulesDialog::makeForm(QWidget& form)
{
    auto* rows = new QFormLayout(&form);
    rows->setContentsMargins(0, 0, 0, 0);
    m_name = new QLineEdit(&form);
    m_name->setObjectName(QStringLiteral("ruleName"));
    m_filter =
        new FindField(m_session, static_cast<bridge::FindScopes>(bridge::FindScope::Entity), &form);
    m_filter->setObjectName(QStringLiteral("ruleFilter"));
    m_filter->setPlaceholderText(tr("Every service; or zone = b and not idle"));
    m_isOn = new QComboBox(&form);
    m_isOn->setObjectName(QStringLiteral("ruleOn"));
    m_isOn->addItems({tr("On"), tr("Off")});
    m_state = new QComboBox(&form);
    m_state->setObjectName(QStringLiteral("ruleState"));
    for (const bridge::HealthState state : kStates) {
        m_state->addItem(tr("%1 or worse").arg(wordOf(state)));
    }
    m_holds = new QSpinBox(&form);
    m_holds->setObjectName(QStringLiteral("ruleHolds"));
    m_holds->setRange(0, 86'400);
    m_holds->setSuffix(tr(" s"));
    m_objective = new QDoubleSpinBox(&form);
    m_objective->setObjectName(QStringLiteral("ruleObjective"));
    m_objective->setDecimals(3);
    m_objective->setRange(50, 99.999);
    m_objective->setSuffix(tr(" % good"));
    m_requests = new QSpinBox(&form);
    m_requests->setObjectName(QStringLiteral("ruleRequests"));
    m_requests->setRange(1, 1'000'000);
    m_says = new QLabel(&form);
    m_says->setWordWrap(true);
    theme::setText(*m_says, theme::Role::Small, theme::TextColor::Text2);
    m_webhook = new QLineEdit(m_watch.webhook().url(), &form);
    m_webhook->setObjectName(QStringLiteral("webhookUrl"));
    m_webhook->setPlaceholderText(tr("https://host/path gets each alert as JSON; empty: nobody"));
    const std::array<std::pair<QString, QWidget*>, 8> fields = {
        {{tr("Name"), m_name},
         {tr("Services"), m_filter},
         {tr("Rule is"), m_isOn},
         {tr("State"), m_state},
         {tr("Holds for"), m_holds},
         {tr("Objective"), m_objective},
         {tr("At least requests"), m_requests},
         {tr("Webhook of the mesh"), m_webhook}}};
    for (const auto& [label, control] : fields) {
        control->setAccessibleName(label);
        if (control == m_webhook) {
            rows->addRow(m_says);
        }
        rows->addRow(label, control);
    }
    connect(m_name, &QLineEdit::textChanged, this, &AlertRulesDialog::readForm);
    connect(m_filter, &QLineEdit::textChanged, this, &AlertRulesDialog::readForm);
    connect(m_webhook, &QLineEdit::textChanged, this, &AlertRulesDialog::readForm);
    connect(m_isOn, &QComboBox::currentIndexChanged, this, &AlertRulesDialog::readForm);
    connect(m_state, &QComboBox::currentIndexChanged, this, &AlertRulesDialog::readForm);
    connect(m_holds, &QSpinBox::valueChanged, this, &AlertRulesDialog::readForm);
    connect(m_objective, &QDoubleSpinBox::valueChanged, this, &AlertRulesDialog::readForm);
    connect(m_requests, &QSpinBox::valueChanged, this, &AlertRulesDialog::readForm);
}

void AlertRulesDialog::refreshList()
{
    std::vector<TableRow> rows;
    for (std::size_t i = 0; i < m_rules.size(); ++i) {
        TableRow row;
        row.key = QString::number(i);
        row.cells = {
            {m_rules[i].name},
            {bridge::alertRuleText(m_rules[i])},
            {m_rules[i].isOn ? tr("on") : tr("off")}};
        rows.push_back(std::move(row));
    }
    m_list->setRows(std::move(rows));
}

void AlertRulesDialog::showRule(int index)
{
    m_current = index;
    const bool isThere = index >= 0 && index < static_cast<int>(m_rules.size());
    const bridge::AlertRule rule =
        isThere ? m_rules[static_cast<std::size_t>(index)] : bridge::AlertRule();
    const bool isState = rule.kind == bridge::AlertKind::State;
    m_isShowing = true;
    m_name->setText(rule.name);
    m_filter->setText(rule.filter);
    m_isOn->setCurrentIndex(rule.isOn ? 0 : 1);
    const auto state = std::find(kStates.begin(), kStates.end(), rule.state);
    m_state->setCurrentIndex(static_cast<int>(state - kStates.begin()));
    m_holds->setValue(rule.holds_s);
    m_objective->setValue(rule.objective * 100);
    m_requests->setValue(static_cast<int>(rule.requestsMin));
    for (QWidget* control : std::initializer_list<QWidget*>{m_name, m_filter, m_isOn}) {
        control->setEnabled(isThere);
    }
    m_state->setEnabled(isThere && isState);
    m_holds->setEnabled(isThere && isState);
    m_objective->setEnabled(isThere && !isState);
    m_requests->setEnabled(isThere && !isState);
    m_isShowing = false;
    readForm();
}

void AlertRulesDialog::readForm()
{
    if (m_isShowing) {
        return;
    }
    m_problem->setText(bridge::webhookProblem(m_webhook->text()));
    const bool isThere = m_current >= 0 && m_current < static_cast<int>(m_rules.size());
    if (isThere) {
        bridge::AlertRule& rule = m_rules[static_cast<std::size_t>(m_current)];
        rule.name = m_name->text().simplified();
        rule.filter = m_filter->text().simplified();
        rule.isOn = m_isOn->currentIndex() == 0;
        rule.state = kStates[static_cast<std::size_t>(std::max(0, m_state->currentIndex()))];
        rule.holds_s = m_holds->value();
        rule.objective = m_objective->value() / 100;
        rule.requestsMin = static_cast<std::uint64_t>(m_requests->value());
        int matching = 0;
        const bridge::FindTags tags(*m_session.document());
        for (const bridge::EntityRow& entity : m_session.topology().entities) {
            matching += m_filter->language().matches(bridge::EntitySubject(entity, tags)) ? 1 : 0;
        }
        m_filter->setMatches(matching, static_cast<int>(m_session.topology().entities.size()));
        m_says->setText(bridge::alertRuleText(rule));
        refreshList();
    }
    for (const bridge::AlertRule& rule : m_rules) {
        const QString problem = bridge::alertRuleProblem(rule);
        const auto same = std::count_if(m_rules.begin(), m_rules.end(), [&](const auto& other) {
            return other.name == rule.name;
        });
        if (!problem.isEmpty()) {
            m_problem->setText(problem);
        } else if (same > 1) {
            m_problem->setText(tr("Two rules are called %1; name one otherwise.").arg(rule.name));
        }
    }
    m_keep->setEnabled(m_problem->text().isEmpty());
}

void AlertRulesDialog::add(bridge::AlertKind kind)
{
    bridge::AlertRule rule;
    rule.kind = kind;
    rule.name = tr("Rule %1").arg(m_rules.size() + 1);
    m_rules.push_back(rule);
    refreshList();
    m_list->setCurrentKey(QString::number(m_rules.size() - 1));
    showRule(static_cast<int>(m_rules.size()) - 1);
    m_name->setFocus();
    m_name->selectAll();
}

void AlertRulesDialog::removeCurrent()
{
    if (m_current >= 0 && m_current < static_cast<int>(m_rules.size())) {
        m_rules.erase(m_rules.begin() + m_current);
        const int next = std::min(m_current, static_cast<int>(m_rules.size()) - 1);
        m_current = -1;
        refreshList();
        m_list->setCurrentKey(QString::number(next));
        showRule(next);
    }
}

void AlertRulesDialog::keep()
{
    if (m_watch.setRules(m_rules) && m_watch.setWebhook(m_webhook->text())) {
        accept();
    }
}

} // namespace mesh::pages
