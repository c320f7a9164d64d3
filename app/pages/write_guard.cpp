#include "app/pages/write_guard.h"

#include "app/bridge/mesh_session.h"
#include "app/theme/controls.h"

#include <QAction>
#include <QDialog>
#include <QDialogButtonBox>
#include <QEvent>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace mesh::pages {
namespace {

// Keeps one control disabled while the gate refuses, and enables it again as it was.
class WriteGuard : public QObject
{
public:
    WriteGuard(QObject& control, bridge::WriteGate& gate, bridge::WriteAction action)
        : QObject(&control)
        , m_control(control)
        , m_gate(gate)
        , m_action(action)
    {
        control.setProperty(kWritesProperty, static_cast<int>(action));
        connect(&gate, &bridge::WriteGate::changed, this, &WriteGuard::follow);
        if (auto* button = qobject_cast<QAction*>(&control)) {
            connect(button, &QAction::changed, this, &WriteGuard::hold);
        } else {
            control.installEventFilter(this);
        }
        follow();
    }

protected:
    bool eventFilter(QObject* watched, QEvent* event) override
    {
        if (event->type() == QEvent::EnabledChange) {
            hold();
        }
        return QObject::eventFilter(watched, event);
    }

private:
    [[nodiscard]] bool isEnabled() const { return m_control.property("enabled").toBool(); }

    void follow()
    {
        const bool isRefused = m_gate.isRefused(m_action);
        if (isRefused == m_isHeld) {
            return;
        }
        if (isRefused) {
            m_wasEnabled = isEnabled();
            m_toolTip = m_control.property("toolTip").toString();
            m_isHeld = true;
            m_control.setProperty("enabled", false);
            m_control.setProperty("toolTip", m_gate.mayWrite(m_action).reason);
        } else {
            m_isHeld = false;
            m_control.setProperty("toolTip", m_toolTip);
            m_control.setProperty("enabled", m_wasEnabled);
        }
    }

    void hold()
    {
        if (m_isHeld && isEnabled()) {
            m_wasEnabled = true;
            m_control.setProperty("enabled", false);
        }
    }

    QObject& m_control;
    bridge::WriteGate& m_gate;
    bridge::WriteAction m_action;
    QString m_toolTip;
    bool m_isHeld = false;
    bool m_wasEnabled = true;
};

} // namespace

void guardWrite(QWidget& control, bridge::MeshSession& session, bridge::WriteAction action)
{
    new WriteGuard(control, session.gate(), action); // The control owns it.
}

void guardWrite(QAction& action, bridge::MeshSession& session, bridge::WriteAction what)
{
    new WriteGuard(action, session.gate(), what); // The action owns it.
}

bool askToWrite(
    QWidget* parent, bridge::MeshSession& session, bridge::WriteAction action, const QString& what
)
{
    const bridge::WritePermit permit = session.gate().mayWrite(action).permit;
    if (permit == bridge::WritePermit::Free || permit == bridge::WritePermit::Refused) {
        return permit == bridge::WritePermit::Free;
    }
    QDialog dialog(parent);
    dialog.setObjectName(QStringLiteral("askToWrite"));
    dialog.setWindowTitle(QObject::tr("Write to %1").arg(session.name()));
    auto* column = new QVBoxLayout(&dialog);
    column->setContentsMargins(20, 16, 20, 16);
    column->setSpacing(10);
    auto* title = new QLabel(QObject::tr("%1 in %2?").arg(what, session.name()), &dialog);
    theme::setText(*title, theme::Role::Title);
    column->addWidget(title);
    auto* name = new QLineEdit(&dialog);
    name->setObjectName(QStringLiteral("meshName"));
    name->setAccessibleName(QObject::tr("Name of the mesh"));
    name->setPlaceholderText(QObject::tr("Type %1 to go on").arg(session.name()));
    name->setVisible(permit == bridge::WritePermit::TypeName);
    column->addWidget(name);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, &dialog);
    QPushButton* write = buttons->addButton(what, QDialogButtonBox::AcceptRole);
    write->setObjectName(QStringLiteral("write"));
    theme::setButtonRole(*write, theme::ButtonRole::Primary);
    write->setEnabled(permit == bridge::WritePermit::Confirm);
    column->addWidget(buttons);
    QObject::connect(name, &QLineEdit::textChanged, write, [write, &session](const QString& text) {
        write->setEnabled(text == session.name());
    });
    QObject::connect(buttons, &QDialogButtonBox::accepted, &dialog, &QDialog::accept);
    QObject::connect(buttons, &QDialogButtonBox::rejected, &dialog, &QDialog::reject);
    return dialog.exec() == QDialog::Accepted;
}

} // namespace mesh::pages
