#pragma once

#include "app/bridge/rehearsal_rows.h"
#include "app/graph/topology_view.h"

#include <QAbstractButton>
#include <QWidget>

#include <vector>

class QHBoxLayout;
class QLabel;
class QVBoxLayout;

namespace mesh::pages {

// The graph that takes faults: a drop names what it fell on.
class StageView : public graph::TopologyView
{
    Q_OBJECT

public:
    explicit StageView(QWidget* parent);

Q_SIGNALS:
    void offerDropped(const QString& offer, const QString& target);

protected:
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dragMoveEvent(QDragMoveEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    [[nodiscard]] QString targetAt(const QPointF& point) const;
};

// A zone as a target: chosen by a click, dropped on like a node.
class ZoneButton : public QAbstractButton
{
    Q_OBJECT

public:
    ZoneButton(const QString& zone, QWidget* parent);
    void setOut(bool isOut); // Its instances are gone at the playhead.
    [[nodiscard]] QSize sizeHint() const override;

Q_SIGNALS:
    void offerDropped(const QString& offer);

protected:
    void paintEvent(QPaintEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dragLeaveEvent(QDragLeaveEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    bool m_isOut = false;
    bool m_isHot = false; // A fault hangs over it.
};

// The simulated mesh at the playhead: graph, faults in force, zones, and words about the moment.
class RehearseStage : public QWidget
{
    Q_OBJECT

public:
    explicit RehearseStage(QWidget* parent);

    void setPositions(const graph::Positions& positions); // Those of Topology, drawn together.
    void setZones(const QStringList& zones);
    void setState(const bridge::StageState& state, const QString& words);
    // "service:cart", "a -> b", "zone:b", or empty.
    void setTarget(const QString& target);
    [[nodiscard]] const QString& target() const { return m_target; }
    [[nodiscard]] StageView& view() { return *m_view; }
    [[nodiscard]] const bridge::StageState& state() const { return m_state; }

Q_SIGNALS:
    void targetChanged(const QString& target); // By a person.
    void offerDropped(const QString& offer, const QString& target);
    void contextMenuRequested(const QString& target, const QPoint& at);

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void arrange();
    void choose(const QString& target);

    StageView* m_view;
    QWidget* m_faults; // Banners, top left.
    QWidget* m_zones; // Buttons, top right.
    QLabel* m_words; // Bottom left.
    std::vector<ZoneButton*> m_zoneButtons;
    graph::Positions m_positions; // As they were handed in.
    QString m_target;
    bridge::StageState m_state;
};

} // namespace mesh::pages
