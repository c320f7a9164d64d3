#pragma once

#include "app/bridge/topology.h"
#include "app/theme/controls.h"

#include <optional>
#include <set>
#include <vector>

class QLabel;
class QToolButton;

namespace mesh::graph {

// What the signs on the canvas mean; bottom left.
class LegendPanel : public theme::Card
{
    Q_OBJECT

public:
    explicit LegendPanel(QWidget* parent);
    // Of the policies' signs, only those that are on the canvas are told.
    void setTopology(const bridge::Topology& topology);
    [[nodiscard]] QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    std::set<bridge::PolicyKind> m_kinds;
};

// Instances and their share by zone; top left.
class ZonesPanel : public theme::Card
{
    Q_OBJECT

public:
    explicit ZonesPanel(QWidget* parent);
    void setTopology(const bridge::Topology& topology);
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] bool hasZones() const { return !m_zones.empty(); }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    struct Zone
    {
        QString name;
        int total = 0;
        int up = 0;
        int ejected = 0;
        int stale = 0;
        int other = 0;
        double rps = 0;
    };
    std::vector<Zone> m_zones;
    int m_instances = 0;
    double m_rps = 0;
    std::optional<double> m_crossZone;
};

// Zoom out, percent, zoom in, fit, lay out again, animate; bottom left.
class ZoomBar : public theme::Card
{
    Q_OBJECT

public:
    explicit ZoomBar(QWidget* parent);
    void setZoom(double zoom);
    void setAnimated(bool isAnimated);

Q_SIGNALS:
    void zoomInClicked();
    void zoomOutClicked();
    void resetClicked();
    void fitClicked();
    void layoutClicked();
    void animateToggled(bool isAnimated);

private:
    QToolButton* addButton(const QString& text, const QString& icon, const QString& name);

    QToolButton* m_percent = nullptr;
    QToolButton* m_animate = nullptr;
};

} // namespace mesh::graph
