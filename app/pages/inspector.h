#pragma once

#include "app/bridge/topology.h"

#include <QString>
#include <QWidget>

#include <array>
#include <cstdint>

class QLabel;
class QPushButton;
class QStackedWidget;
class QTabBar;
class QToolButton;

namespace mesh::bridge {
class MeshSession;
}
namespace mesh::charts {
class TimeChart;
}
namespace mesh::theme {
class Chip;
class FigureLabel;
class Note;
} // namespace mesh::theme

namespace mesh::pages {

class InstanceActions;
class PolicyNotes;
class RowsTable;

// The head of the inspector: how the node looks on the graph, its name, its state.
class InspectorHead : public QWidget
{
    Q_OBJECT

public:
    explicit InspectorHead(QWidget* parent);

    void setEntity(const QString& title, const QString& line, bridge::HealthState state);
    void setShares(double success, double clientError, double serverError, bool isGateway);
    [[nodiscard]] QToolButton& pinButton() { return *m_pin; }
    [[nodiscard]] QToolButton& menuButton() { return *m_menu; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QLabel* m_title;
    QLabel* m_line;
    theme::Chip* m_state;
    QToolButton* m_pin;
    QToolButton* m_menu;
    bridge::HealthState m_health = bridge::HealthState::NoData;
    double m_clientError = 0;
    double m_serverError = 0;
    bool m_isGateway = false;
};

// What is known of the selected service, gateway or edge: why it is in its state, figures, charts,
// instances with what can be done to them, configuration, events, requests. Without a selection:
// the mesh as a whole.
class Inspector : public QWidget
{
    Q_OBJECT

public:
    enum class Tab : std::uint8_t { Metrics, Routes, Endpoints, Policy, Tap, History };

    Inspector(bridge::MeshSession& session, QWidget* parent);

    void setTab(Tab tab);
    [[nodiscard]] QSize sizeHint() const override;

Q_SIGNALS:
    void editRequested(const QString& entity); // Open its configuration in Edit.
    void cursorMoved(std::optional<std::int64_t> time_us); // Over a chart.
    void instanceChosen(const QString& instance); // In one of its tables; empty: none.

public Q_SLOTS:
    void setCursorTime(std::optional<std::int64_t> time_us);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QWidget* makeWhy();
    QWidget* makeFigures();
    QWidget* makeMetrics();
    QWidget* makeEndpoints();
    QWidget* makePolicy();
    void refresh();
    void refreshHead(const bridge::EntityRow* entity, const bridge::EdgeRow* edge);
    void refreshFigures(const bridge::Figures* figures, bridge::HealthState state);
    void refreshInstances(const bridge::EntityRow* entity);
    void refreshPolicies(const bridge::EntityRow* entity, const bridge::EdgeRow* edge);
    void refreshDocumentTabs();
    void refreshTap();
    void refreshShow();
    void refreshHistory();
    void requestSeries();
    void onSeries(int request, const bridge::Series& series);
    [[nodiscard]] bridge::InstanceRow selectedInstance() const; // Empty id: none.
    void updateActions();

    bridge::MeshSession& m_session;
    QString m_subject; // Of what is shown; may differ from the selection when pinned.
    InspectorHead* m_head;
    theme::Note* m_why = nullptr;
    QLabel* m_whyText = nullptr;
    QLabel* m_whyRule = nullptr;
    QPushButton* m_showErrors = nullptr;
    std::array<theme::FigureLabel*, 4> m_figures{};
    std::array<QLabel*, 4> m_figureTitles{};
    QTabBar* m_tabs;
    QStackedWidget* m_pages;
    std::array<charts::TimeChart*, 3> m_charts{};
    RowsTable* m_services = nullptr; // Under the charts, without a selection.
    RowsTable* m_instances = nullptr; // Under the charts.
    QLabel* m_instanceReason = nullptr;
    RowsTable* m_endpoints = nullptr;
    RowsTable* m_routes = nullptr;
    PolicyNotes* m_notes = nullptr; // Below the reason: what policies do right now.
    PolicyNotes* m_policies = nullptr; // All of them, on the Policy tab.
    RowsTable* m_policy = nullptr;
    RowsTable* m_tap = nullptr;
    RowsTable* m_history = nullptr;
    InstanceActions* m_actions = nullptr;
    bool m_isErrorsOnly = false; // The Tap tab.
    int m_request = -1;
};

} // namespace mesh::pages
