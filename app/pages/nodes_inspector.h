#pragma once

#include "app/bridge/nodes_session.h"

#include <QString>
#include <QWidget>

#include <array>
#include <functional>
#include <utility>
#include <vector>

class QAction;
class QLabel;
class QMenu;
class QPushButton;
class QStackedWidget;
class QTabBar;
class QToolButton;
class QVBoxLayout;

namespace mesh::charts {
class TimeChart;
}
namespace mesh::theme {
class Chip;
class ElidedLabel;
class Note;
} // namespace mesh::theme

namespace mesh::pages {

class RowsTable;

// Whether a person really wants this: what is asked, what it does, what the button says. Handed in
// by the window, which also knows whether the mesh is protected.
using Confirmation =
    std::function<bool(const QString& what, const QString& consequence, const QString& action)>;

// All that is known of one node, and what can be asked of it.
class NodesInspector : public QWidget
{
    Q_OBJECT

public:
    NodesInspector(
        bridge::MeshSession& session, const bridge::NodesSession& nodes, QWidget* parent
    );

    void setNode(const QString& node); // Empty: none is selected.
    [[nodiscard]] const QString& node() const { return m_node; }
    void setConfirmation(Confirmation confirmation); // Empty: nothing is done.
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override; // Its stack must not make others wider.

Q_SIGNALS:
    void draftAdopted(); // The session's draft is what a node runs.

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    enum Tab : int { Overview, Configuration, Targets, Certificates };
    enum Fact : int { Role, Admin, Identity, Version, Running, Waiting, Process, Clock, FactCount };

    QWidget* makeHead();
    QWidget* makeNote();
    QWidget* makeOverview();
    QWidget* makeFacts();
    QWidget* makeConfiguration();
    QWidget* makeTargets();
    QLabel* addSection(QVBoxLayout& column, const QString& title);
    void makeMenu();

    void refresh();
    void refreshNote(const bridge::NodeRow& node, bridge::NodeVerdict verdict);
    void refreshFacts(const bridge::NodeRow& node);
    void refreshChart(const bridge::NodeRow& node);
    void refreshInstances(const bridge::NodeRow& node);
    void refreshEvents(const bridge::NodeRow& node);
    void refreshConfiguration();
    void refreshTargets();
    void refreshCertificates();
    void onCommandFinished(const QString& node, bool isSuccess, const QString& text);
    void overrideTarget(bridge::TargetOverride health);
    void drain();
    void toggleMaintenance();
    void restore();
    void adopt();
    [[nodiscard]] const bridge::NodeRow* row() const;
    [[nodiscard]] bool isConfirmed(
        const QString& what, const QString& consequence, const QString& action
    ) const;

    bridge::MeshSession& m_session;
    const bridge::NodesSession& m_nodes;
    Confirmation m_confirmation;
    QString m_node;
    QString m_adopting; // Whose configuration is on its way into the draft.
    QLabel* m_title = nullptr;
    theme::Chip* m_state = nullptr;
    QToolButton* m_menuButton = nullptr;
    QMenu* m_menu = nullptr;
    QAction* m_maintenance = nullptr;
    QLabel* m_empty = nullptr;
    QWidget* m_body = nullptr;
    theme::Note* m_note = nullptr;
    QLabel* m_noteTitle = nullptr;
    QLabel* m_noteText = nullptr;
    QPushButton* m_try = nullptr;
    QPushButton* m_restore = nullptr;
    QPushButton* m_adopt = nullptr;
    QLabel* m_answer = nullptr; // Of the last command.
    QTabBar* m_tabs = nullptr;
    QStackedWidget* m_pages = nullptr;
    std::array<theme::ElidedLabel*, FactCount> m_facts{};
    charts::TimeChart* m_chart = nullptr;
    QLabel* m_instancesTitle = nullptr;
    RowsTable* m_instances = nullptr;
    QLabel* m_eventsTitle = nullptr;
    RowsTable* m_events = nullptr;
    RowsTable* m_values = nullptr;
    QLabel* m_valuesNote = nullptr;
    QString m_valuesOf; // Node and hash that the table shows.
    RowsTable* m_targets = nullptr;
    std::array<QPushButton*, 3> m_overrides{};
    RowsTable* m_certificates = nullptr;
};

} // namespace mesh::pages
