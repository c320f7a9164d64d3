#include "app/graph/layout.h"

#include "app/graph/scene.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

namespace mesh::graph {

namespace {

double snapped(double value) { return std::round(value / kGrid) * kGrid; }

bool isFree(QPointF point, const QString& id, const Positions& placed)
{
    return std::none_of(placed.keyValueBegin(), placed.keyValueEnd(), [&](const auto& entry) {
        const QPointF distance = entry.second.point - point;
        return entry.first != id && std::abs(distance.x()) < kSlotWidth
               && std::abs(distance.y()) < kSlotHeight;
    });
}

struct Center
{
    QPointF sum;
    int count = 0;

    void add(QPointF point)
    {
        sum += point;
        ++count;
    }
    [[nodiscard]] QPointF value() const { return sum / count; }
};

// Where the node would stand if nobody were in the way.
QPointF wish(const QString& id, const bridge::Topology& topology, const Positions& placed)
{
    Center callers;
    Center callees;
    for (const bridge::EdgeRow& edge : topology.edges) {
        if (edge.target == id && edge.source != id && placed.contains(edge.source)) {
            callers.add(placed[edge.source].point);
        } else if (edge.source == id && edge.target != id && placed.contains(edge.target)) {
            callees.add(placed[edge.target].point);
        }
    }
    const QPointF step(kColumnPitch, 0);
    if (callers.count > 0 && callees.count > 0) {
        return (callers.value() + callees.value()) / 2;
    }
    if (callers.count > 0) {
        return callers.value() + step;
    }
    if (callees.count > 0) {
        return callees.value() - step;
    }
    double left = std::numeric_limits<double>::max();
    double bottom = std::numeric_limits<double>::lowest();
    for (const Place& place : placed) {
        left = std::min(left, place.point.x());
        bottom = std::max(bottom, place.point.y());
    }
    return placed.isEmpty() ? QPointF(0, 0) : QPointF(left, bottom + kRowPitch);
}

// Longest path from a node without callers; edges back to an ancestor are left out.
std::vector<int> layersOf(const LayoutInput& input, const std::vector<std::vector<int>>& callees)
{
    const std::size_t count = input.nodes.size();
    std::vector<int> incoming(count, 0);
    for (const auto& [source, target] : input.edges) {
        incoming[static_cast<std::size_t>(target)] += source == target ? 0 : 1;
    }
    for (const int entry : input.entries) {
        incoming[static_cast<std::size_t>(entry)] = 0;
    }
    std::vector<int> layers(count, 0);
    std::vector<bool> isDone(count, false);
    std::vector<std::size_t> ready;
    for (std::size_t node = 0; node < count; ++node) {
        if (incoming[node] == 0) {
            ready.push_back(node);
            isDone[node] = true;
        }
    }
    std::size_t read = 0;
    std::size_t oldest = 0;
    while (ready.size() < count || read < ready.size()) {
        if (read == ready.size()) {
            // Only cycles are left: the first of them opens the next round.
            while (isDone[oldest]) {
                ++oldest;
            }
            isDone[oldest] = true;
            ready.push_back(oldest);
        }
        const std::size_t node = ready[read++];
        for (const int next : callees[node]) {
            const auto target = static_cast<std::size_t>(next);
            if (isDone[target]) {
                continue;
            }
            layers[target] = std::max(layers[target], layers[node] + 1);
            if (--incoming[target] <= 0) {
                isDone[target] = true;
                ready.push_back(target);
            }
        }
    }
    return layers;
}

} // namespace

LayoutInput layoutInput(const bridge::Topology& topology)
{
    LayoutInput input;
    QHash<QString, int> indexes;
    for (const bridge::EntityRow& entity : topology.entities) {
        const int index = static_cast<int>(input.nodes.size());
        indexes.insert(entity.id, index);
        input.nodes.push_back(entity.id);
        input.halfWidths.push_back(textHalfWidth(entity));
        if (entity.isEntry) {
            input.entries.push_back(index);
        }
    }
    for (const bridge::EdgeRow& edge : topology.edges) {
        const auto source = indexes.constFind(edge.source);
        const auto target = indexes.constFind(edge.target);
        if (source != indexes.cend() && target != indexes.cend()) {
            input.edges.emplace_back(*source, *target);
        }
    }
    return input;
}

Positions layOutLayers(const LayoutInput& input, const std::stop_token& stop)
{
    const std::size_t count = input.nodes.size();
    std::vector<std::vector<int>> callees(count);
    std::vector<std::vector<int>> callers(count);
    for (const auto& [source, target] : input.edges) {
        callees[static_cast<std::size_t>(source)].push_back(target);
        callers[static_cast<std::size_t>(target)].push_back(source);
    }
    const std::vector<int> layers = layersOf(input, callees);
    const int layerCount = count == 0 ? 0 : *std::max_element(layers.begin(), layers.end()) + 1;
    std::vector<std::vector<std::size_t>> rows(static_cast<std::size_t>(layerCount));
    for (std::size_t node = 0; node < count; ++node) {
        rows[static_cast<std::size_t>(layers[node])].push_back(node);
    }
    std::vector<double> heights(count, 0);
    const auto number = [&heights](const std::vector<std::size_t>& row) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            heights[row[i]] = static_cast<double>(i) - static_cast<double>(row.size() - 1) / 2;
        }
    };
    std::for_each(rows.begin(), rows.end(), number);
    constexpr int kSweeps = 8;
    for (int sweep = 0; sweep < kSweeps && !stop.stop_requested(); ++sweep) {
        const auto& neighbors = sweep % 2 == 0 ? callers : callees;
        for (std::vector<std::size_t>& row : rows) {
            std::vector<double> weights(count, 0);
            for (const std::size_t node : row) {
                double sum = heights[node];
                for (const int other : neighbors[node]) {
                    sum += heights[static_cast<std::size_t>(other)];
                }
                weights[node] = sum / static_cast<double>(neighbors[node].size() + 1);
            }
            std::stable_sort(row.begin(), row.end(), [&](std::size_t one, std::size_t other) {
                return weights[one] < weights[other];
            });
            number(row);
        }
    }
    Positions positions;
    if (stop.stop_requested()) {
        return positions;
    }
    for (std::size_t node = 0; node < count; ++node) {
        const QPointF point(layers[node] * kColumnPitch, snapped(heights[node] * kRowPitch));
        positions.insert(input.nodes[node], Place{point, false});
    }
    return positions;
}

void spread(const LayoutInput& input, Positions& positions)
{
    constexpr double kRoom = 32; // Beside two texts, so that edges pass.
    std::map<double, double> halves; // By column, the widest text.
    std::map<double, std::vector<double>> heights;
    for (std::size_t i = 0; i < input.nodes.size(); ++i) {
        const QPointF point = positions.value(input.nodes[i]).point;
        const double half = i < input.halfWidths.size() ? input.halfWidths[i] : 0;
        halves[point.x()] = std::max(halves[point.x()], half);
        heights[point.x()].push_back(point.y());
    }
    std::map<double, double> columns;
    double at = 0;
    double before = -1;
    for (const auto& [x, half] : halves) {
        const double pitch = std::clamp(before + half + kRoom, kColumnPitch, kColumnPitchMax);
        at += before < 0 ? x : snapped(pitch);
        before = half;
        columns[x] = at;
    }
    double nearest = std::numeric_limits<double>::max();
    for (auto& [x, column] : heights) {
        std::sort(column.begin(), column.end());
        for (std::size_t i = 1; i < column.size(); ++i) {
            nearest = std::min(nearest, column[i] - column[i - 1]);
        }
    }
    const double factor = nearest > kSlotHeight ? std::max(0.6, kSlotHeight / nearest) : 1;
    const bool isAlone = nearest == std::numeric_limits<double>::max();
    for (Place& place : positions) {
        const double y = isAlone ? place.point.y() : place.point.y() * factor;
        place.point = QPointF(columns[place.point.x()], snapped(y));
    }
}

QPointF placeNew(const QString& id, const bridge::Topology& topology, const Positions& placed)
{
    const QPointF wanted = wish(id, topology, placed);
    const QPointF start(snapped(wanted.x()), snapped(wanted.y()));
    std::optional<QPointF> best;
    double bestCost = std::numeric_limits<double>::max();
    // With n placed nodes one of the first n + 1 rows of any column is free.
    const int rowsMax = static_cast<int>(placed.size()) + 1;
    for (const int column : {0, 1, -1, 2, -2}) {
        const double dx = column * kColumnPitch;
        for (int row = 0; row <= rowsMax; ++row) {
            // Sideways costs more: columns mean depth.
            const double cost = std::abs(dx) * 1.5 + row * kRowPitch / 2;
            if (cost >= bestCost) {
                break;
            }
            for (const int sign : {1, -1}) {
                const QPointF point(
                    start.x() + dx, snapped(start.y() + sign * row * kRowPitch / 2)
                );
                if (cost < bestCost && isFree(point, id, placed)) {
                    best = point;
                    bestCost = cost;
                }
            }
        }
    }
    return best.value_or(QPointF(start.x(), start.y() + (rowsMax + 1) * kRowPitch));
}

} // namespace mesh::graph
