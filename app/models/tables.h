#pragma once

#include "app/bridge/session_rows.h"
#include "app/bridge/topology.h"
#include "app/models/row_table_model.h"

#include <QCoreApplication>

namespace mesh::models {

// Services and gateways: the table view of the graph. Key: EntityRow::id.
class EntityTableModel : public RowTableModel<bridge::EntityRow>
{
    Q_DECLARE_TR_FUNCTIONS(mesh::models::EntityTableModel)

public:
    explicit EntityTableModel(QObject* parent = nullptr);
};

// Who calls whom. Key: "a -> b".
class EdgeTableModel : public RowTableModel<bridge::EdgeRow>
{
    Q_DECLARE_TR_FUNCTIONS(mesh::models::EdgeTableModel)

public:
    explicit EdgeTableModel(QObject* parent = nullptr);
};

// Key: InstanceRow::id.
class InstanceTableModel : public RowTableModel<bridge::InstanceRow>
{
    Q_DECLARE_TR_FUNCTIONS(mesh::models::InstanceTableModel)

public:
    explicit InstanceTableModel(QObject* parent = nullptr);
};

// What happened, newest last. Key: time, label and subject.
class EventsModel : public RowTableModel<bridge::Marker>
{
    Q_DECLARE_TR_FUNCTIONS(mesh::models::EventsModel)

public:
    explicit EventsModel(QObject* parent = nullptr);
};

// Key: origin, place, path and message.
class ProblemsModel : public RowTableModel<bridge::ProblemRow>
{
    Q_DECLARE_TR_FUNCTIONS(mesh::models::ProblemsModel)

public:
    explicit ProblemsModel(QObject* parent = nullptr);
};

// Newest first. Key: the revision's number.
class RevisionsModel : public RowTableModel<bridge::RevisionRow>
{
    Q_DECLARE_TR_FUNCTIONS(mesh::models::RevisionsModel)

public:
    explicit RevisionsModel(QObject* parent = nullptr);
};

} // namespace mesh::models
