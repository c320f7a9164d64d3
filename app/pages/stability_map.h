#pragma once

#include "app/bridge/rehearsal_rows.h"

#include <QWidget>

namespace mesh::pages {

// Load across, length of the faults down; each cell says how long recovery takes, or never.
// Arrows walk, Enter or a double click opens a cell as a run.
class StabilityMap : public QWidget
{
    Q_OBJECT

public:
    explicit StabilityMap(QWidget* parent = nullptr);

    void setRows(const bridge::StabilityRows& rows);
    [[nodiscard]] QRectF cellRect(int index) const;
    [[nodiscard]] int current() const { return m_current; }
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

Q_SIGNALS:
    void cellActivated(double load, double length_s);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    void choose(int index);
    [[nodiscard]] int cellAt(const QPointF& point) const;

    bridge::StabilityRows m_rows;
    int m_current = 0;
};

} // namespace mesh::pages
