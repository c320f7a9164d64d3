#pragma once

#include "app/bridge/topology.h"

#include <QString>
#include <QWidget>

class QPushButton;

namespace mesh::bridge {
class MeshSession;
}

namespace mesh::pages {

// What can be done to the instance that is chosen in the inspector, and to its entity.
class InstanceActions : public QWidget
{
    Q_OBJECT

public:
    InstanceActions(bridge::MeshSession& session, QWidget* parent);

    // `entity`: null for edges and the mesh; `instance`: an empty id for none.
    void setTarget(const bridge::EntityRow* entity, const bridge::InstanceRow& instance);
    // Further faults and ways to go on, at a place on the screen.
    void showMenu(QPoint place);

Q_SIGNALS:
    void editRequested(const QString& entity); // Open its configuration in Edit.

private:
    [[nodiscard]] QPushButton* addButton(
        const QString& name, const QString& text, const QString& icon
    );

    [[nodiscard]] bool askToInject(const QString& what);

    bridge::MeshSession& m_session;
    QString m_entity; // EntityRow::id
    bridge::InstanceRow m_instance;
    QPushButton* m_kill;
    QPushButton* m_freeze;
    QPushButton* m_restore;
    QPushButton* m_edit;
};

} // namespace mesh::pages
