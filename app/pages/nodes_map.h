#pragma once

#include "app/bridge/nodes_session.h"

#include <QWidget>

#include <vector>

namespace mesh::pages {

// The nodes as tiles in the boxes of their zones; stands in a scroll area.
//
// Arrow keys move the selection, a click takes it.
class NodesMap : public QWidget
{
    Q_OBJECT

public:
    NodesMap(const bridge::NodesSession& nodes, QWidget* parent);

    void setNodes(std::vector<bridge::NodeRow> rows); // In the order of the table.
    void setCurrentNode(const QString& node);
    [[nodiscard]] bool hasHeightForWidth() const override { return true; }
    [[nodiscard]] int heightForWidth(int width) const override;
    [[nodiscard]] QSize sizeHint() const override;

Q_SIGNALS:
    void nodeSelected(const QString& node);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    bool event(QEvent* event) override;

private:
    struct Box
    {
        QString zone;
        QRectF rect;
        std::size_t first = 0; // Of m_rows.
        std::size_t count = 0;
    };
    [[nodiscard]] int columnsFor(int width) const;
    int layOut(int width, std::vector<Box>* boxes, std::vector<QRectF>* tiles) const;
    void layOutAgain();
    void paintTile(QPainter& painter, const QRectF& tile, const bridge::NodeRow& node) const;
    [[nodiscard]] int tileAt(const QPointF& place) const;
    void choose(int at);

    const bridge::NodesSession& m_nodes;
    std::vector<bridge::NodeRow> m_rows;
    std::vector<Box> m_boxes;
    std::vector<QRectF> m_tiles;
    QString m_current;
};

} // namespace mesh::pages
