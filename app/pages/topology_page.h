#pragma once

#include "app/bridge/topology.h"
#include "app/graph/topology_view.h"

#include <QLabel>
#include <QWidget>

#include <array>
#include <cstdint>

class QComboBox;
class QLineEdit;
class QMenu;
class QPushButton;
class QStackedWidget;

namespace mesh::bridge {
class MeshSession;
}
namespace mesh::theme {
class Chip;
class SegmentedControl;
} // namespace mesh::theme

namespace mesh::pages {

class RowsTable;

enum class TopologyForm : std::uint8_t { Graph, Table };

// The live graph, or the same rows as a table, under one filter bar.
class TopologyPage : public QWidget
{
    Q_OBJECT

public:
    TopologyPage(bridge::MeshSession& session, QWidget* parent);

    void setForm(TopologyForm form);
    void toggleForm(); // F6.
    void focusFind(); // Ctrl+F.
    [[nodiscard]] graph::TopologyView& view() { return *m_view; }

Q_SIGNALS:
    void activated(const QString& id); // Open the inspector.
    void rehearseRequested(const QString& offer, const QString& target);

private:
    QWidget* makeFilterBar();
    QWidget* makeEmpty();
    void refresh();
    void refreshTable();
    void applyFilter();
    void loadPositions();
    void savePlaces(const graph::Positions& positions);
    void showPlaces();
    void showLabelsMenu();
    void showScopeMenu();
    void showZonesMenu();
    void showContextMenu(const QString& id, const QPoint& at);
    void addRehearseActions(QMenu& menu, const QString& id);
    [[nodiscard]] QStringList hiddenByZone() const;

    bridge::MeshSession& m_session;
    theme::SegmentedControl* m_form = nullptr;
    QLineEdit* m_find = nullptr;
    QLabel* m_matches = nullptr;
    QComboBox* m_hide = nullptr;
    theme::Chip* m_scope = nullptr;
    theme::Chip* m_zones = nullptr;
    theme::Chip* m_labels = nullptr;
    QLabel* m_counts = nullptr;
    QStackedWidget* m_stack;
    graph::TopologyView* m_view;
    RowsTable* m_table;
    QWidget* m_empty = nullptr;
    QLabel* m_emptyTitle = nullptr;
    QLabel* m_emptyText = nullptr;
    QPushButton* m_emptyAction = nullptr;
    bool m_isPast = false; // The view has the layout of another time.
    QString m_zone; // Shown alone; empty: all.
    bool m_hasPositions = false;
};

} // namespace mesh::pages
