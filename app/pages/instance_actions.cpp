#include "app/pages/instance_actions.h"

#include "app/bridge/mesh_session.h"
#include "app/bridge/view_context.h"
#include "app/pages/write_guard.h"
#include "app/theme/icons.h"
#include "proxyengine/model/document.h"

#include <QHBoxLayout>
#include <QMenu>
#include <QPushButton>

#include <algorithm>

namespace mesh::pages {
namespace {

constexpr int kMargin = 16;
constexpr int kButtonHeight = 26;
constexpr int kAddedLatency_ms = 400;
constexpr double kErrorShare = 0.3;

} // namespace

InstanceActions::InstanceActions(bridge::MeshSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
{
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(kMargin, 8, kMargin, 0);
    row->setSpacing(8);
    m_kill = addButton(QStringLiteral("killInstance"), tr("Kill"), QStringLiteral("bolt"));
    m_freeze = addButton(QStringLiteral("freezeInstance"), tr("Freeze"), {});
    m_restore = addButton(QStringLiteral("restoreInstance"), tr("Restore"), {});
    m_edit = addButton(QStringLiteral("editEntity"), tr("Shift weight"), {});
    m_edit->setToolTip(tr("Open the weight of the instance in Edit, or the upstream of the service."
    ));
    row->addStretch();
    for (QPushButton* button : {m_kill, m_freeze}) {
        guardWrite(*button, session, bridge::WriteAction::InjectFault);
    }
    connect(m_kill, &QPushButton::clicked, this, [this] {
        const QString instance = m_instance.id; // The question outlives a second's measurement.
        if (askToInject(tr("Kill %1").arg(instance))) {
            m_session.killInstance(instance);
        }
    });
    connect(m_freeze, &QPushButton::clicked, this, [this] {
        const QString instance = m_instance.id;
        if (askToInject(tr("Freeze %1").arg(instance))) {
            m_session.freezeInstance(instance);
        }
    });
    connect(m_restore, &QPushButton::clicked, this, [this] {
        m_session.restoreInstance(m_instance.id);
    });
    connect(m_edit, &QPushButton::clicked, this, [this] {
        const auto document = m_session.document();
        const auto& workloads = document->workloads;
        const std::string chosen = m_instance.id.toStdString();
        const bool isWorkload = std::any_of(
            workloads.begin(),
            workloads.end(),
            [&chosen](const model::Workload& workload) { return workload.name == chosen; }
        );
        Q_EMIT editRequested(isWorkload ? QStringLiteral("workload:") + m_instance.id : m_entity);
    });
}

QPushButton* InstanceActions::addButton(
    const QString& name, const QString& text, const QString& icon
)
{
    auto* button = new QPushButton(text, this);
    button->setObjectName(name);
    button->setAccessibleName(text);
    button->setFixedHeight(kButtonHeight);
    if (!icon.isEmpty()) {
        button->setIcon(theme::icon(icon));
        button->setIconSize({13, 13});
    }
    layout()->addWidget(button);
    return button;
}

void InstanceActions::setTarget(
    const bridge::EntityRow* entity, const bridge::InstanceRow& instance
)
{
    m_entity = entity != nullptr ? entity->id : QString();
    m_instance = instance;
    const bool isSimulated = entity != nullptr
                             && std::any_of(
                                 entity->instances.begin(),
                                 entity->instances.end(),
                                 [](const bridge::InstanceRow& row) { return row.canFault; }
                             );
    const auto faults = m_session.faults();
    const bool isFaulted =
        !instance.id.isEmpty()
        && std::any_of(faults.begin(), faults.end(), [&](const bridge::FaultRow& fault) {
               return fault.instance == instance.id;
           });
    for (QPushButton* button : {m_kill, m_freeze, m_restore}) {
        button->setVisible(isSimulated);
        if (m_session.gate().isRefused(bridge::WriteAction::InjectFault)) {
            continue; // The tool tip says why.
        }
        button->setToolTip(
            instance.id.isEmpty() ? tr("Select an instance in the table first.")
                                  : tr("%1 %2").arg(button->text(), instance.id)
        );
    }
    m_kill->setEnabled(instance.canFault && !isFaulted);
    m_freeze->setEnabled(instance.canFault && !isFaulted);
    m_restore->setEnabled(instance.canFault && isFaulted);
    m_edit->setVisible(entity != nullptr);
}

bool InstanceActions::askToInject(const QString& what)
{
    return askToWrite(this, m_session, bridge::WriteAction::InjectFault, what);
}

void InstanceActions::showMenu(QPoint place)
{
    const bridge::InstanceRow instance = m_instance; // The menu outlives a second's measurement.
    const QString entity = m_entity;
    QMenu menu;
    QAction* latency =
        menu.addAction(tr("Add %1 ms latency to %2").arg(kAddedLatency_ms).arg(instance.id));
    QAction* errors =
        menu.addAction(tr("Let %1 % of %2 fail").arg(kErrorShare * 100).arg(instance.id));
    latency->setEnabled(instance.canFault);
    errors->setEnabled(instance.canFault);
    if (!instance.canFault) {
        latency->setText(tr("Add latency (select a simulated instance)"));
        errors->setText(tr("Let requests fail (select a simulated instance)"));
    }
    for (QAction* fault : {latency, errors}) {
        guardWrite(*fault, m_session, bridge::WriteAction::InjectFault);
    }
    menu.addSeparator();
    QAction* edit = menu.addAction(tr("Edit configuration"));
    QAction* focus = menu.addAction(tr("Focus on its neighbours"));
    QAction* chosen = menu.exec(place);
    if (chosen == nullptr) {
        return;
    }
    if (chosen == latency && askToInject(latency->text())) {
        m_session.addLatency(instance.id, kAddedLatency_ms);
    } else if (chosen == errors && askToInject(errors->text())) {
        m_session.setErrorRate(instance.id, kErrorShare);
    } else if (chosen == edit) {
        Q_EMIT editRequested(entity);
    } else if (chosen == focus) {
        m_session.context().focusOn(entity, 1);
    }
}

} // namespace mesh::pages
