#include "app/graph/scene.h"
#include "app/theme/figures.h"
#include "app/theme/numbers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace mesh::graph {

namespace {

constexpr double kLineHeight = 13.5;
constexpr double kPadding = 6;
constexpr double kCell = 64;

using Cell = std::pair<int, int>;

struct CellHash
{
    std::size_t operator()(const Cell& cell) const
    {
        return qHashMulti(0, cell.first, cell.second);
    }
};

// Points of edges by cell, so that a plate asks only its own neighbourhood.
class PointGrid
{
public:
    void add(QPointF point, std::size_t edge) { m_cells[cellOf(point)].push_back({point, edge}); }

    [[nodiscard]] bool hasForeign(const QRectF& rect, std::size_t own) const
    {
        const auto [left, top] = cellOf(rect.topLeft());
        const auto [right, bottom] = cellOf(rect.bottomRight());
        for (int x = left; x <= right; ++x) {
            for (int y = top; y <= bottom; ++y) {
                const auto cell = m_cells.find({x, y});
                if (cell != m_cells.end()
                    && std::any_of(
                        cell->second.begin(),
                        cell->second.end(),
                        [&](const Entry& entry) {
                            return entry.edge != own && rect.contains(entry.point);
                        }
                    )) {
                    return true;
                }
            }
        }
        return false;
    }

private:
    struct Entry
    {
        QPointF point;
        std::size_t edge;
    };
    [[nodiscard]] static Cell cellOf(QPointF point)
    {
        return {
            static_cast<int>(std::floor(point.x() / kCell)),
            static_cast<int>(std::floor(point.y() / kCell))};
    }
    std::unordered_map<Cell, std::vector<Entry>, CellHash> m_cells;
};

class BoxGrid
{
public:
    void add(const QRectF& rect)
    {
        forEachCell(rect, [&](Cell cell) { m_cells[cell].push_back(rect); });
    }

    [[nodiscard]] bool overlaps(const QRectF& rect) const
    {
        bool isHit = false;
        forEachCell(rect, [&](Cell key) {
            const auto cell = m_cells.find(key);
            isHit = isHit
                    || (cell != m_cells.end()
                        && std::any_of(
                            cell->second.begin(),
                            cell->second.end(),
                            [&](const QRectF& other) { return other.intersects(rect); }
                        ));
        });
        return isHit;
    }

private:
    template <typename OnCell>
    static void forEachCell(const QRectF& rect, const OnCell& onCell)
    {
        const auto cell = [](double value) { return static_cast<int>(std::floor(value / kCell)); };
        for (int x = cell(rect.left()); x <= cell(rect.right()); ++x) {
            for (int y = cell(rect.top()); y <= cell(rect.bottom()); ++y) {
                onCell({x, y});
            }
        }
    }
    std::unordered_map<Cell, std::vector<QRectF>, CellHash> m_cells;
};

QRectF around(QPointF center, QSizeF size)
{
    return QRectF(center - QPointF(size.width() / 2, size.height() / 2), size);
}

QPointF sampleAt(const SceneEdge& edge, double share)
{
    const auto index = static_cast<std::size_t>(std::lround(share * (kEdgeSamples - 1)));
    return edge.samples[std::min(index, edge.samples.size() - 1)];
}

int importance(const bridge::EdgeRow& row)
{
    if (row.state == bridge::HealthState::Failure) {
        return 2;
    }
    return row.state == bridge::HealthState::Degraded ? 1 : 0;
}

} // namespace

QSizeF plateSize(const bridge::EdgeRow& row, bool isLarge)
{
    const QFont font = theme::font(theme::Role::CaptionMedium);
    if (!isLarge) {
        // Three digits reserve room, so that a growing rate does not move a plate.
        const QString text = theme::rateText(row.figures.rps);
        const double width = std::max(theme::figuresWidth(font, text), 22.0);
        return QSizeF(width + 2 * kPadding + 2, kLineHeight + 4.5);
    }
    return QSizeF(51, 3 * kLineHeight + 5);
}

void placePlates(Scene& scene, const QHash<QString, double>& former)
{
    PointGrid points;
    for (std::size_t i = 0; i < scene.edges.size(); ++i) {
        const std::vector<QPointF>& samples = scene.edges[i].samples;
        for (std::size_t j = 0; j + 1 < samples.size(); ++j) {
            points.add(samples[j], i);
            points.add((samples[j] + samples[j + 1]) / 2, i);
        }
    }
    BoxGrid boxes;
    for (const SceneNode& node : scene.nodes) {
        boxes.add(node.glyphBox);
        boxes.add(node.textBox);
        if (!node.tagBox.isNull()) {
            boxes.add(node.tagBox.adjusted(-2, -2, 2, 2));
        }
    }
    for (const SceneEdge& edge : scene.edges) {
        if (!edge.row.policies.empty() && edge.samples.size() >= 8) {
            boxes.add(around(edge.samples[edge.samples.size() / 5], QSizeF(22, 22)));
            boxes.add(around(edge.samples[edge.samples.size() * 9 / 10], QSizeF(18, 18)));
        }
    }
    std::vector<std::size_t> order(scene.edges.size());
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(), [&scene](std::size_t one, std::size_t other) {
        const bridge::EdgeRow& first = scene.edges[one].row;
        const bridge::EdgeRow& second = scene.edges[other].row;
        const int difference = importance(first) - importance(second);
        return difference != 0 ? difference > 0 : first.figures.rps > second.figures.rps;
    });
    for (const std::size_t index : order) {
        SceneEdge& edge = scene.edges[index];
        edge.hasPlate = false;
        if (edge.samples.empty()) {
            continue;
        }
        const QSizeF size = plateSize(edge.row, isStacked(edge.row));
        // The first place is where the plate stood before, if it did.
        std::array<double, 7> tries = {0.5, 0.5, 0.6, 0.4, 0.7, 0.3, 0.8};
        if (const auto kept = former.constFind(edgeId(edge.row)); kept != former.cend()) {
            tries[0] = *kept;
        }
        for (const double share : tries) {
            const QRectF rect = around(sampleAt(edge, share), size);
            if (!boxes.overlaps(rect) && !points.hasForeign(rect.adjusted(-2, -2, 2, 2), index)) {
                edge.hasPlate = true;
                edge.plateAt = share;
                boxes.add(rect.adjusted(-3, -3, 3, 3));
                break;
            }
        }
    }
}

} // namespace mesh::graph
