#pragma once

#include "app/bridge/topology.h"

#include <QWidget>

class QComboBox;
class QLabel;
class QLineEdit;

namespace mesh::bridge {
class MeshSession;
}

namespace mesh::pages {

class RowsTable;
struct TableRow;

// What happened, newest first: when, what kind, about whom, why, and which node says so. Filtered
// by words and by group; selecting a row selects its object everywhere. While time is turned back
// it shows what was known then.
class EventsView : public QWidget
{
    Q_OBJECT

public:
    EventsView(bridge::MeshSession& session, QWidget* parent);

    void refresh();
    [[nodiscard]] int count() const; // Rows in sight.
    [[nodiscard]] RowsTable& table() { return *m_table; }

Q_SIGNALS:
    void entitySelected(const QString& id);
    void entityActivated(const QString& id);

private:
    enum Group : int { All, Policies, Faults, Health, Changes };
    [[nodiscard]] static Group groupOf(bridge::Marker::Kind kind);
    [[nodiscard]] static TableRow rowOf(const bridge::Marker& event);

    bridge::MeshSession& m_session;
    QLineEdit* m_filter;
    QComboBox* m_group;
    QLabel* m_time; // Of what moment it is; hidden while live.
    RowsTable* m_table;
};

} // namespace mesh::pages
