#pragma once

#include "app/bridge/review_rows.h"

#include <QTableWidget>
#include <QWidget>

#include <cstdint>
#include <optional>
#include <vector>

namespace mesh::pages {

// One row for each expected node, grouped by wave: its way in six dots, what it runs as read back,
// how long that took, and its figures against before. A node that is away is hatched.
class RolloutGrid : public QTableWidget
{
    Q_OBJECT

public:
    explicit RolloutGrid(QWidget* parent);
    void setRollout(const bridge::RolloutRows& rollout);

private:
    struct Line
    {
        int wave = -1; // Of a group row; -1: a node's.
        int node = -1;
        bool isAway = false;
        friend bool operator==(const Line&, const Line&) = default;
    };
    void fillNode(int row, const bridge::RolloutNodeRow& node);
    std::vector<Line> m_lines;
};

// The waves of a push as cards with their progress.
class RolloutWaves : public QWidget
{
    Q_OBJECT

public:
    explicit RolloutWaves(QWidget* parent);
    void setWaves(const std::vector<bridge::RolloutWaveRow>& waves);
    [[nodiscard]] QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void paintWave(
        QPainter& painter, const QRectF& rect, const bridge::RolloutWaveRow& wave, int number
    );
    std::vector<bridge::RolloutWaveRow> m_waves;
};

// One quantity of the nodes before (dashed) and with the change (solid), and the gate's limit.
class RolloutChart : public QWidget
{
    Q_OBJECT

public:
    enum class Quantity : std::uint8_t { Errors, P95 };
    RolloutChart(Quantity quantity, const QString& title, QWidget* parent);
    void setRollout(const bridge::RolloutRows& rollout);
    [[nodiscard]] QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    struct Area
    {
        QRectF plot;
        double top = 1;
        std::int64_t begin_s = 0;
        std::int64_t end_s = 1;
        [[nodiscard]] double x(std::int64_t time_s) const;
        [[nodiscard]] double y(double value) const;
    };
    [[nodiscard]] Area area() const;
    [[nodiscard]] std::optional<double> valueOf(const bridge::RolloutPoint& point, bool isNow)
        const;
    void paintAxes(QPainter& painter, const Area& area) const;
    void paintMarks(QPainter& painter, const Area& area) const;
    void paintLine(QPainter& painter, const Area& area, bool isNow) const;
    void paintLimit(QPainter& painter, const Area& area) const;

    Quantity m_quantity;
    QString m_title;
    std::vector<bridge::RolloutPoint> m_points;
    std::vector<bridge::RolloutMark> m_marks;
    std::optional<double> m_limit;
    QString m_limitText;
    QString m_before;
    QString m_now;
};

} // namespace mesh::pages
