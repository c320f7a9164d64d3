#pragma once

#include "app/theme/tables.h"

#include <QStyledItemDelegate>
#include <QTreeView>

namespace mesh::bridge {
class NodesSession;
}

namespace mesh::pages {

class NodesModel;

// The table of nodes, grouped by zone. Order and scroll position hold while the pointer is inside.
class NodesTable : public QTreeView
{
    Q_OBJECT

public:
    NodesTable(NodesModel& model, const bridge::NodesSession& nodes, QWidget* parent);

    [[nodiscard]] QString currentNode() const; // Empty: none, or a zone.
    void setCurrentNode(const QString& node);

Q_SIGNALS:
    void nodeSelected(const QString& node);

protected:
    void drawBranches(QPainter* painter, const QRect& rect, const QModelIndex& index)
        const override;
    void resizeEvent(QResizeEvent* event) override;
    void currentChanged(const QModelIndex& current, const QModelIndex& previous) override;

private:
    void onZonesChanged();
    void fitColumns();

    NodesModel& m_model;
    QString m_kept; // Selected; survives a reset.
    bool m_isRestoring = false;
};

} // namespace mesh::pages
