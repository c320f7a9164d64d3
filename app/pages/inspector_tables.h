#pragma once

#include "app/bridge/mesh_session.h"
#include "app/pages/rows_table.h"
#include "proxyengine/model/document.h"

#include <QString>

#include <vector>

// The tables of the inspector: which columns they have and what rows they show.
namespace mesh::pages {

[[nodiscard]] RowsTable* makeServiceTable(QWidget* parent);
[[nodiscard]] RowsTable* makeInstanceTable(QWidget* parent);
[[nodiscard]] RowsTable* makeEndpointTable(QWidget* parent);
[[nodiscard]] RowsTable* makeRoutesTable(QWidget* parent);
[[nodiscard]] RowsTable* makePolicyTable(QWidget* parent);
[[nodiscard]] RowsTable* makeTapTable(QWidget* parent);
[[nodiscard]] RowsTable* makeHistoryTable(QWidget* parent);

// Services and gateways, the worst first, then the busiest.
[[nodiscard]] std::vector<TableRow> serviceRows(const bridge::Topology& topology);
[[nodiscard]] std::vector<TableRow> instanceRows(const std::vector<bridge::InstanceRow>& instances);
// Why an instance is out, or why it should be and is not; empty: nothing to say.
[[nodiscard]] QString whyOf(const bridge::InstanceRow& instance);
[[nodiscard]] std::vector<TableRow> endpointRows(const std::vector<bridge::InstanceRow>& instances);
// Routes that lead to a service.
[[nodiscard]] std::vector<TableRow> routeRows(
    const model::Document& document, const QString& service
);
// What the service and its upstream set, apart from defaults.
[[nodiscard]] std::vector<TableRow> policyRows(
    const model::Document& document, const QString& service
);
// Newest first; of one service, or all when the subject is empty.
[[nodiscard]] std::vector<TableRow> tapRows(
    const std::vector<bridge::TapRow>& tap, const QString& subject
);
// Events of the subject and revisions, newest first.
[[nodiscard]] std::vector<TableRow> historyRows(
    const bridge::MeshSession& session, const QString& subject
);

// The reason of the instance that is worst off; empty when all are up.
[[nodiscard]] QString worstReason(const std::vector<bridge::InstanceRow>& instances);

// All traffic that enters: rates added, latencies of the largest entry.
[[nodiscard]] bridge::Figures entryFigures(const bridge::Topology& topology);
[[nodiscard]] bridge::HealthState worstState(const bridge::Topology& topology);
// "9 healthy, 1 degraded, 1 idle"
[[nodiscard]] QString meshSummary(const bridge::Topology& topology);

} // namespace mesh::pages
