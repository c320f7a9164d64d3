#include "app/pages/demo_guide.h"

#include "app/bridge/mesh_session.h"
#include "app/bridge/rollout_session.h"
#include "app/bridge/view_context.h"
#include "app/forms/draft.h"
#include "app/pages/step_number.h"
#include "app/theme/controls.h"
#include "proxyengine/model/diff.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QPushButton>

#include <algorithm>

namespace mesh::pages {
namespace {

constexpr int kHeight = 40;

// How each step is done, in the order of DemoStep.
QStringList ways()
{
    return {
        DemoGuide::tr("Tab goes through the graph, the worst first; or click what is marked."),
        DemoGuide::tr("Enter goes to the inspector; choose an instance below its charts."),
        DemoGuide::tr("Shift weight, below the instances, opens it in Edit: lower the number."),
        DemoGuide::tr("Ctrl+Shift+R shows what the change does, Ctrl+Shift+P pushes it."),
        DemoGuide::tr("Ctrl+Alt+Z makes the inverse change; review it and push it as well.")};
}

bool isSick(const bridge::EntityRow& entity)
{
    return entity.state == bridge::HealthState::Degraded
           || entity.state == bridge::HealthState::Failure;
}

bool isOfWeights(const model::ObjectChange& change)
{
    return std::any_of(change.fields.begin(), change.fields.end(), [](const auto& field) {
        return field.path.find("weight") != std::string::npos
               || field.path.find("split") != std::string::npos;
    });
}

std::size_t indexOf(DemoStep step) { return static_cast<std::size_t>(step); }

} // namespace

QStringList demoSteps()
{
    return {
        DemoGuide::tr("Find the service that fails"),
        DemoGuide::tr("Open why, down to one instance"),
        DemoGuide::tr("Shift its weight away"),
        DemoGuide::tr("Review and push the change"),
        DemoGuide::tr("Undo the push")};
}

DemoGuide::DemoGuide(
    bridge::MeshSession& session,
    bridge::RolloutSession& rollout,
    forms::Draft& draft,
    QWidget* parent
)
    : QWidget(parent)
    , m_session(session)
    , m_rollout(rollout)
    , m_draft(draft)
    , m_title(new QLabel(this))
    , m_how(new theme::ElidedLabel(theme::Role::Small, this))
    , m_hide(new QPushButton(tr("Hide"), this))
{
    setObjectName(QStringLiteral("demoGuide"));
    setFixedHeight(kHeight);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(16, 0, 10, 0);
    row->setSpacing(6);
    for (int i = 0; i < kDemoStepCount; ++i) {
        auto* number = new StepNumber(i + 1, this);
        number->setToolTip(demoSteps()[i]);
        m_numbers[static_cast<std::size_t>(i)] = number;
        row->addWidget(number);
    }
    row->addSpacing(8);
    m_title->setObjectName(QStringLiteral("demoGuideTitle"));
    theme::setText(*m_title, theme::Role::BodyStrong);
    row->addWidget(m_title);
    row->addSpacing(8);
    m_how->setColor(theme::TextColor::Text2);
    m_how->setElideMode(Qt::ElideRight);
    row->addWidget(m_how, 1);
    m_hide->setObjectName(QStringLiteral("demoGuideHide"));
    m_hide->setAccessibleName(tr("Hide the steps of the demo"));
    theme::setButtonRole(*m_hide, theme::ButtonRole::Ghost);
    connect(m_hide, &QPushButton::clicked, this, &DemoGuide::end);
    row->addWidget(m_hide);
    watch();
    hide();
}

void DemoGuide::watch()
{
    connect(
        &m_session.context(), &bridge::ViewContext::selectionChanged, this, &DemoGuide::onSelection
    );
    connect(&m_session, &bridge::MeshSession::topologyChanged, this, &DemoGuide::onSelection);
    connect(&m_session, &bridge::MeshSession::documentClosing, this, &DemoGuide::end);
    connect(&m_draft, &forms::Draft::changed, this, &DemoGuide::onDraft);
    connect(&m_rollout, &bridge::RolloutSession::rolloutChanged, this, &DemoGuide::onRollout);
}

void DemoGuide::begin()
{
    m_done.fill(false);
    m_found.clear();
    m_before.reset();
    m_isRunning = true;
    refresh();
    show();
}

void DemoGuide::end()
{
    m_isRunning = false;
    hide();
}

bool DemoGuide::isDone(DemoStep step) const { return m_done.at(indexOf(step)); }

std::optional<DemoStep> DemoGuide::next() const
{
    const auto first = std::find(m_done.begin(), m_done.end(), false);
    if (first == m_done.end()) {
        return std::nullopt;
    }
    return static_cast<DemoStep>(first - m_done.begin());
}

void DemoGuide::onSelection()
{
    const QString& selected = m_session.context().selection();
    const auto& entities = m_session.topology().entities;
    if (std::any_of(entities.begin(), entities.end(), [&selected](const auto& entity) {
            return entity.id == selected && isSick(entity);
        })) {
        m_found.insert(selected);
        complete(DemoStep::Find);
    }
}

void DemoGuide::onInstanceChosen(const QString& instance)
{
    for (const bridge::EntityRow& entity : m_session.topology().entities) {
        if ((isSick(entity) || m_found.contains(entity.id))
            && std::any_of(
                entity.instances.begin(),
                entity.instances.end(),
                [&instance](const auto& row) { return row.id == instance; }
            )) {
            complete(DemoStep::Why);
        }
    }
}

void DemoGuide::onDraft()
{
    const auto& changes = m_draft.changes();
    if (m_isRunning && !isDone(DemoStep::Shift)
        && std::any_of(changes.begin(), changes.end(), isOfWeights)) {
        m_before = std::make_unique<const model::Document>(m_draft.baseDocument());
        complete(DemoStep::Shift);
    }
}

void DemoGuide::onRollout()
{
    if (!m_before || m_rollout.rollout().verdict != bridge::RolloutVerdict::Converged) {
        return;
    }
    const bool isAsBefore = model::diff(*m_before, *m_session.document()).empty();
    if (!isAsBefore) {
        complete(DemoStep::Push);
    } else if (isDone(DemoStep::Push)) {
        complete(DemoStep::Undo);
    }
}

void DemoGuide::complete(DemoStep step)
{
    bool& isDone = m_done.at(indexOf(step));
    if (m_isRunning && !isDone) {
        isDone = true;
        refresh();
    }
}

void DemoGuide::refresh()
{
    const auto current = next();
    for (int i = 0; i < kDemoStepCount; ++i) {
        const auto step = static_cast<DemoStep>(i);
        m_numbers[static_cast<std::size_t>(i)]->setState(
            isDone(step)      ? StepState::Done
            : current == step ? StepState::Current
                              : StepState::Ahead
        );
    }
    if (!current) {
        m_title->setText(tr("That was the whole walk."));
        m_how->setText(tr("From a symptom to a change on every node, and back. F1 tells the rest.")
        );
        setAccessibleName(tr("Demo: all steps are done"));
        return;
    }
    const int index = static_cast<int>(*current);
    m_title->setText(demoSteps()[index]);
    m_how->setText(ways()[index]);
    setAccessibleName(
        tr("Demo, step %1 of %2: %3").arg(index + 1).arg(kDemoStepCount).arg(demoSteps()[index])
    );
    setAccessibleDescription(ways()[index]);
}

void DemoGuide::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    painter.fillRect(rect(), theme::tokens().accentSoft);
    painter.fillRect(QRect(0, height() - 1, width(), 1), theme::tokens().border);
}

} // namespace mesh::pages
