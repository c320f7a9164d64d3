#include "app/pages/review_plan.h"

#include "app/bridge/rollout_session.h"
#include "app/theme/controls.h"
#include "app/theme/theme.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QRadioButton>
#include <QScrollArea>
#include <QVBoxLayout>

namespace mesh::pages {
namespace {

constexpr int kMessageHeight = 58;
constexpr int kPushHeight = 38;
constexpr int kGateInput = 84;

QLabel* makeLabel(const QString& text, theme::Role role, theme::TextColor color, QWidget* parent)
{
    auto* label = new QLabel(text, parent);
    theme::setText(*label, role, color);
    return label;
}

} // namespace

ReviewPlan::ReviewPlan(bridge::RolloutSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
{
    setObjectName(QStringLiteral("pushPlan"));
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::Base);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* head = new QWidget(this);
    head->setFixedHeight(36);
    auto* headRow = new QHBoxLayout(head);
    headRow->setContentsMargins(16, 0, 16, 0);
    headRow->addWidget(
        makeLabel(tr("Push plan"), theme::Role::BodyStrong, theme::TextColor::Text1, head)
    );
    headRow->addStretch();
    m_default = makeLabel({}, theme::Role::Caption, theme::TextColor::Text3, head);
    headRow->addWidget(m_default);
    column->addWidget(head);
    column->addWidget(new theme::Hairline(Qt::Horizontal, this));
    auto* scroll = new QScrollArea(this);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setWidget(makePlan());
    column->addWidget(scroll, 1);

    auto* foot = new QWidget(this);
    auto* footColumn = new QVBoxLayout(foot);
    footColumn->setContentsMargins(16, 8, 16, 10);
    footColumn->setSpacing(8);
    m_note = new theme::Note(theme::State::Degraded, foot);
    auto* noteColumn = new QVBoxLayout(m_note);
    noteColumn->setContentsMargins(14, 7, 12, 8);
    noteColumn->setSpacing(2);
    m_noteTitle = makeLabel({}, theme::Role::SmallStrong, theme::TextColor::Text1, m_note);
    m_noteText = makeLabel({}, theme::Role::Caption, theme::TextColor::Text2, m_note);
    m_noteText->setWordWrap(true);
    noteColumn->addWidget(m_noteTitle);
    noteColumn->addWidget(m_noteText);
    footColumn->addWidget(m_note);
    m_why = makeLabel({}, theme::Role::Caption, theme::TextColor::Degraded, foot);
    m_why->setObjectName(QStringLiteral("whyNotPush"));
    m_why->setWordWrap(true);
    footColumn->addWidget(m_why);
    m_push = new QPushButton(foot);
    m_push->setObjectName(QStringLiteral("pushNow"));
    m_push->setMinimumHeight(kPushHeight);
    theme::setButtonRole(*m_push, theme::ButtonRole::Primary);
    theme::setText(*m_push, theme::Role::ControlStrong);
    m_push->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
    connect(m_push, &QPushButton::clicked, this, &ReviewPlan::pushRequested);
    footColumn->addWidget(m_push);
    auto* hint = new QHBoxLayout;
    hint->setSpacing(8);
    hint->addStretch();
    hint->addWidget(new theme::KeyCap(QStringLiteral("Ctrl Shift P"), foot));
    hint->addWidget(makeLabel(
        tr("undo stays one key for 10 minutes"), theme::Role::Caption, theme::TextColor::Text3, foot
    ));
    hint->addStretch();
    footColumn->addLayout(hint);
    column->addWidget(foot);
    connect(&session, &bridge::RolloutSession::planChanged, this, &ReviewPlan::refresh);
    connect(&session, &bridge::RolloutSession::changesChanged, this, &ReviewPlan::refresh);
    connect(&session, &bridge::RolloutSession::reviewChanged, this, &ReviewPlan::refresh);
    connect(&session, &bridge::RolloutSession::mergeChanged, this, &ReviewPlan::refresh);
    connect(&session, &bridge::RolloutSession::rolloutChanged, this, &ReviewPlan::refresh);
}

QWidget* ReviewPlan::makePlan()
{
    auto* inside = new QWidget(this);
    inside->setAutoFillBackground(true);
    inside->setBackgroundRole(QPalette::Base);
    auto* column = new QVBoxLayout(inside);
    column->setContentsMargins(16, 10, 16, 6);
    column->setSpacing(5);
    m_messageLabel = makeLabel({}, theme::Role::CaptionStrong, theme::TextColor::Text2, inside);
    column->addWidget(m_messageLabel);
    m_message = new QPlainTextEdit(inside);
    m_message->setObjectName(QStringLiteral("message"));
    m_message->setAccessibleName(tr("Message of the revision"));
    m_message->setPlaceholderText(tr("What this changes, for the history"));
    m_message->setFixedHeight(kMessageHeight);
    m_message->setTabChangesFocus(true);
    theme::setText(*m_message, theme::Role::Small);
    connect(m_message, &QPlainTextEdit::textChanged, this, [this] {
        if (!m_isFilling) {
            m_session.setMessage(m_message->toPlainText());
        }
    });
    column->addWidget(m_message);
    column->addSpacing(8);
    column->addWidget(
        makeLabel(tr("Waves"), theme::Role::CaptionStrong, theme::TextColor::Text2, inside)
    );
    const QStringList names = {
        tr("All at once"), tr("Canary, then 25 %, then all"), tr("Manual waves")};
    const std::array<const char*, 3> keys = {"allAtOnce", "canary", "manual"};
    for (std::size_t i = 0; i < m_kinds.size(); ++i) {
        auto* button = new QRadioButton(names[static_cast<qsizetype>(i)], inside);
        button->setObjectName(QStringLiteral("plan.") + QLatin1String(keys[i]));
        theme::setText(*button, theme::Role::SmallMedium);
        connect(button, &QRadioButton::toggled, this, [this, i](bool isOn) {
            if (isOn && !m_isFilling) {
                m_session.setPlanKind(static_cast<bridge::PlanKind>(i));
            }
        });
        m_kinds[i] = button;
        m_counts[i] = makeLabel({}, theme::Role::Caption, theme::TextColor::Text3, inside);
        m_counts[i]->setContentsMargins(23, 0, 0, 3);
        column->addWidget(button);
        column->addWidget(m_counts[i]);
    }
    m_waves = new theme::Card(inside, 6);
    m_waveRows = new QVBoxLayout(m_waves);
    m_waveRows->setContentsMargins(1, 1, 1, 1);
    m_waveRows->setSpacing(0);
    column->addWidget(m_waves);
    column->addSpacing(8);
    makeGates(*column);
    column->addStretch();
    return inside;
}

void ReviewPlan::addGateRow(QVBoxLayout& column, const QString& words, QWidget* input)
{
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    auto* label = makeLabel(words, theme::Role::Small, theme::TextColor::Text2, this);
    row->addWidget(label, 1);
    input->setMinimumWidth(kGateInput);
    input->setFixedHeight(25);
    input->setAccessibleName(words);
    row->addWidget(input);
    column.addLayout(row);
    column.addWidget(new theme::Hairline(Qt::Horizontal, this));
}

void ReviewPlan::makeGates(QVBoxLayout& column)
{
    column.addWidget(makeLabel(
        tr("Stop when, against the minute before"),
        theme::Role::CaptionStrong,
        theme::TextColor::Text2,
        this
    ));
    m_errors = new QDoubleSpinBox(this);
    m_errors->setObjectName(QStringLiteral("gate.errors"));
    m_errors->setRange(0, 100);
    m_errors->setSingleStep(0.1);
    m_errors->setDecimals(1);
    m_errors->setSuffix(QStringLiteral("\u202Fpp"));
    m_errors->setSpecialValueText(tr("not watched"));
    addGateRow(column, tr("error rate rises by"), m_errors);
    m_p95 = new QSpinBox(this);
    m_p95->setObjectName(QStringLiteral("gate.p95"));
    m_p95->setRange(0, 1000);
    m_p95->setSingleStep(5);
    m_p95->setSuffix(QStringLiteral("\u202F%"));
    m_p95->setSpecialValueText(tr("not watched"));
    addGateRow(column, tr("p95 rises by"), m_p95);
    m_ejections = new QSpinBox(this);
    m_ejections->setObjectName(QStringLiteral("gate.ejections"));
    m_ejections->setRange(0, 1000);
    m_ejections->setPrefix(QStringLiteral("≥ "));
    m_ejections->setSpecialValueText(tr("not watched"));
    addGateRow(column, tr("ejections"), m_ejections);
    m_rejections = new QComboBox(this);
    m_rejections->setObjectName(QStringLiteral("gate.rejections"));
    m_rejections->addItems({tr("any"), tr("not watched")});
    addGateRow(column, tr("a node rejects"), m_rejections);
    m_bake = new QSpinBox(this);
    m_bake->setObjectName(QStringLiteral("bake"));
    m_bake->setRange(0, 24 * 3600);
    m_bake->setSingleStep(10);
    m_bake->setSuffix(QStringLiteral("\u202Fs"));
    m_bake->setSpecialValueText(tr("none"));
    addGateRow(column, tr("each wave bakes"), m_bake);
    m_then = new QComboBox(this);
    m_then->setObjectName(QStringLiteral("onFailure"));
    m_then->addItems({tr("roll back"), tr("stop")});
    addGateRow(column, tr("then"), m_then);
    for (QSpinBox* box : {m_p95, m_ejections}) {
        connect(box, &QSpinBox::valueChanged, this, &ReviewPlan::writeGates);
    }
    connect(m_errors, &QDoubleSpinBox::valueChanged, this, &ReviewPlan::writeGates);
    connect(m_rejections, &QComboBox::currentIndexChanged, this, &ReviewPlan::writeGates);
    connect(m_bake, &QSpinBox::valueChanged, this, [this](int seconds) {
        if (!m_isFilling) {
            m_session.setBake(seconds);
        }
    });
    connect(m_then, &QComboBox::currentIndexChanged, this, [this](int index) {
        if (!m_isFilling) {
            m_session.setRollsBack(index == 0);
        }
    });
}

void ReviewPlan::writeGates()
{
    if (m_isFilling) {
        return;
    }
    bridge::PlanGates gates;
    gates.errorPoints = m_errors->value() > 0 ? std::optional(m_errors->value()) : std::nullopt;
    gates.p95Percent = m_p95->value() > 0 ? std::optional<double>(m_p95->value()) : std::nullopt;
    gates.ejections = m_ejections->value() > 0 ? std::optional(m_ejections->value()) : std::nullopt;
    gates.rejections = m_rejections->currentIndex() == 0 ? std::optional(1) : std::nullopt;
    m_session.setGates(gates);
}

void ReviewPlan::fillWaves()
{
    while (QLayoutItem* item = m_waveRows->takeAt(0)) {
        if (item->widget() != nullptr) {
            item->widget()->hide();
            item->widget()->deleteLater();
        }
        delete item;
    }
    const bridge::PlanRows& plan = m_session.plan();
    for (std::size_t i = 0; i < plan.waves.size(); ++i) {
        const bridge::PlanWaveRow& wave = plan.waves[i];
        if (i > 0) {
            m_waveRows->addWidget(new theme::Hairline(Qt::Horizontal, m_waves));
        }
        auto* holder = new QWidget(m_waves);
        holder->setFixedHeight(31);
        auto* row = new QHBoxLayout(holder);
        row->setContentsMargins(11, 0, 11, 0);
        row->setSpacing(8);
        auto* label =
            makeLabel(wave.label, theme::Role::SmallStrong, theme::TextColor::Text1, holder);
        label->setMinimumWidth(56);
        row->addWidget(label);
        auto* nodes = new theme::ElidedLabel(theme::Role::Small, holder);
        nodes->setColor(theme::TextColor::Text2);
        nodes->setText(wave.nodesText);
        nodes->setToolTip(wave.nodes.join(QStringLiteral(", ")));
        row->addWidget(nodes, 1);
        row->addWidget(makeLabel(
            wave.bake_s > 0 ? tr("bake %1 s").arg(wave.bake_s) : tr("no bake"),
            theme::Role::Small,
            theme::TextColor::Text2,
            holder
        ));
        m_waveRows->addWidget(holder);
    }
    m_waves->setVisible(!plan.waves.empty());
}

void ReviewPlan::setEnvironment(const QString& tag)
{
    if (tag != m_environment) {
        m_environment = tag;
        refresh();
    }
}

void ReviewPlan::focusMessage() { m_message->setFocus(Qt::OtherFocusReason); }

void ReviewPlan::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    refresh();
}

void ReviewPlan::refresh()
{
    if (!isVisible()) {
        return; // A push tells ten times a second.
    }
    m_isFilling = true;
    const bridge::PlanRows& plan = m_session.plan();
    m_default->setText(
        plan.isDefault ? tr("default for %1").arg(m_environment) : tr("changed for this push")
    );
    m_messageLabel->setText(
        m_session.isMessageRequired() ? tr("Message (required)") : tr("Message")
    );
    if (m_message->toPlainText() != m_session.message()) {
        m_message->setPlainText(m_session.message());
    }
    for (std::size_t i = 0; i < m_kinds.size(); ++i) {
        m_kinds[i]->setChecked(static_cast<std::size_t>(plan.kind) == i);
        m_counts[i]->setText(
            static_cast<qsizetype>(i) < plan.counts.size() ? plan.counts[static_cast<qsizetype>(i)]
                                                           : QString()
        );
    }
    fillWaves();
    m_errors->setValue(plan.gates.errorPoints.value_or(0));
    m_p95->setValue(static_cast<int>(plan.gates.p95Percent.value_or(0)));
    m_ejections->setValue(plan.gates.ejections.value_or(0));
    m_rejections->setCurrentIndex(plan.gates.rejections ? 0 : 1);
    m_bake->setValue(plan.bake_s);
    m_then->setCurrentIndex(plan.rollsBack ? 0 : 1);
    const bool isSilent = !plan.silent.isEmpty();
    m_note->setVisible(isSilent);
    if (isSilent) {
        m_noteTitle->setText(
            plan.silent.size() == 1 ? tr("%1 is silent").arg(plan.silent.front())
                                    : tr("%n nodes are silent", nullptr, int(plan.silent.size()))
        );
        m_noteText->setText(
            plan.appliesOnReturn
                ? tr("What it serves stays as it is. The change is applied when it returns.")
                : tr("What it serves stays as it is; the change is not sent to it.")
        );
    }
    const QString why = m_session.whyNotPush();
    m_why->setText(why);
    m_why->setVisible(!why.isEmpty() && !m_session.changes().empty());
    m_push->setText(m_session.pushLabel(m_environment));
    m_push->setEnabled(why.isEmpty());
    m_isFilling = false;
}

} // namespace mesh::pages
