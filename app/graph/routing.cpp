#include "app/graph/scene.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

namespace mesh::graph {

namespace {

constexpr double kStartGap = 3;
constexpr double kEndGap = 4;
constexpr double kPortPitch = 12;
constexpr double kLaneGap = 24; // Between two lanes, so that their plates do not touch.
constexpr double kTurnMax = 132; // Longest way from a port into a lane.
constexpr std::size_t kLaneEdgesMax = 600; // Above, edges run straight: nobody follows lanes.

struct Lane
{
    double left = 0;
    double right = 0;
    double y = 0;
};

// Half of the glyph's width at the height of its centre, where ports are.
double halfWidth(const SceneNode& node)
{
    const double radius = node.size / 2;
    switch (node.row.kind) {
    case bridge::EntityKind::Service:
        return 0.94 * radius + 1.5;
    case bridge::EntityKind::Gateway:
    case bridge::EntityKind::External:
    case bridge::EntityKind::Unknown:
        break;
    }
    return radius;
}

// The ports of one side are centred on the glyph and fit into its height.
double portOffset(int index, int count, double size)
{
    if (count <= 1) {
        return 0;
    }
    const double pitch = std::min(kPortPitch, 0.75 * size / (count - 1));
    return (index - (count - 1) / 2.0) * pitch;
}

struct Ports
{
    std::vector<double> starts; // Offsets of y, by edge.
    std::vector<double> ends;
};

Ports assignPorts(const Scene& scene)
{
    const std::size_t count = scene.edges.size();
    Ports ports{std::vector<double>(count, 0), std::vector<double>(count, 0)};
    std::vector<std::vector<std::size_t>> leaving(scene.nodes.size());
    std::vector<std::vector<std::size_t>> entering(scene.nodes.size());
    for (std::size_t i = 0; i < count; ++i) {
        if (scene.edges[i].source != scene.edges[i].target) {
            leaving[scene.edges[i].source].push_back(i);
            entering[scene.edges[i].target].push_back(i);
        }
    }
    for (std::size_t node = 0; node < scene.nodes.size(); ++node) {
        const double size = scene.nodes[node].size;
        const auto byTarget = [&scene](std::size_t one, std::size_t other) {
            return scene.nodes[scene.edges[one].target].center.y()
                   < scene.nodes[scene.edges[other].target].center.y();
        };
        std::stable_sort(leaving[node].begin(), leaving[node].end(), byTarget);
        const auto bySource = [&scene](std::size_t one, std::size_t other) {
            return scene.nodes[scene.edges[one].source].center.y()
                   < scene.nodes[scene.edges[other].source].center.y();
        };
        std::stable_sort(entering[node].begin(), entering[node].end(), bySource);
        for (std::size_t i = 0; i < leaving[node].size(); ++i) {
            ports.starts[leaving[node][i]] =
                portOffset(static_cast<int>(i), static_cast<int>(leaving[node].size()), size);
        }
        for (std::size_t i = 0; i < entering[node].size(); ++i) {
            ports.ends[entering[node][i]] =
                portOffset(static_cast<int>(i), static_cast<int>(entering[node].size()), size);
        }
    }
    return ports;
}

bool isLaneFree(
    const Scene& scene, const SceneEdge& edge, const std::vector<Lane>& lanes, const Lane& lane
)
{
    constexpr double kClear = 10;
    for (std::size_t i = 0; i < scene.nodes.size(); ++i) {
        if (i == edge.source || i == edge.target) {
            continue;
        }
        const QRectF& box = scene.nodes[i].box;
        const bool isBeside = box.right() < lane.left || box.left() > lane.right;
        if (!isBeside && lane.y > box.top() - kClear && lane.y < box.bottom() + kClear) {
            return false;
        }
    }
    return std::none_of(lanes.begin(), lanes.end(), [&lane](const Lane& other) {
        return other.left < lane.right && lane.left < other.right
               && std::abs(other.y - lane.y) < kLaneGap;
    });
}

// Whether something stands between the columns of source and target near the direct curve.
bool isBlocked(const Scene& scene, const SceneEdge& edge, QPointF start, QPointF end)
{
    const QPainterPath direct = [&] {
        QPainterPath path(start);
        const double reach = (end.x() - start.x()) / 2;
        path.cubicTo(start + QPointF(reach, 0), end - QPointF(reach, 0), end);
        return path;
    }();
    for (int step = 1; step < 16; ++step) {
        const QPointF point = direct.pointAtPercent(step / 16.0);
        for (std::size_t i = 0; i < scene.nodes.size(); ++i) {
            if (i != edge.source && i != edge.target
                && scene.nodes[i].box.adjusted(-4, -6, 4, 6).contains(point)) {
                return true;
            }
        }
    }
    return false;
}

void routeSelf(SceneEdge& edge, const SceneNode& node)
{
    const double half = halfWidth(node);
    const QPointF start = node.center + QPointF(half + kStartGap, -6);
    const QPointF end = node.center + QPointF(6, -half - kEndGap - 2);
    edge.path = QPainterPath(start);
    edge.path.cubicTo(start + QPointF(44, -8), end + QPointF(8, -48), end);
    edge.endAngle = std::numbers::pi / 2;
}

void routeThroughLane(SceneEdge& edge, QPointF start, QPointF end, const Lane& lane)
{
    edge.path = QPainterPath(start);
    const QPointF in(lane.left, lane.y);
    const QPointF out(lane.right, lane.y);
    const double inReach = (in.x() - start.x()) / 2;
    const double outReach = (end.x() - out.x()) / 2;
    edge.path.cubicTo(start + QPointF(inReach, 0), in - QPointF(inReach, 0), in);
    edge.path.lineTo(out);
    edge.path.cubicTo(out + QPointF(outReach, 0), end - QPointF(outReach, 0), end);
}

// The lane with the shortest way down and up, or nothing.
std::optional<Lane> findLane(
    const Scene& scene,
    const SceneEdge& edge,
    const std::vector<Lane>& lanes,
    QPointF start,
    QPointF end
)
{
    constexpr double kStep = 4;
    constexpr int kTries = 120;
    std::optional<Lane> best;
    double bestCost = std::numeric_limits<double>::max();
    for (int i = -kTries; i <= kTries; ++i) {
        const double y = start.y() + i * kStep;
        // A high step takes a long way, or the curve would fall through the source's own text.
        const double in = std::clamp(std::abs(y - start.y()), 56.0, kTurnMax);
        const double out = std::clamp(std::abs(y - end.y()), 96.0, kTurnMax);
        const Lane lane{start.x() + in, end.x() - out, y};
        const double cost = std::abs(y - start.y()) + std::abs(y - end.y());
        if (lane.right - lane.left >= 40 && cost < bestCost
            && isLaneFree(scene, edge, lanes, lane)) {
            best = lane;
            bestCost = cost;
        }
    }
    return best;
}

void measure(SceneEdge& edge)
{
    edge.samples.clear();
    edge.samples.reserve(kEdgeSamples);
    // Equal steps of length, from a polygon: pointAtPercent() walks the curve anew each time.
    const QPolygonF polygon = edge.path.toSubpathPolygons().value(0);
    std::vector<double> lengths(1, 0);
    for (qsizetype i = 1; i < polygon.size(); ++i) {
        const QPointF step = polygon[i] - polygon[i - 1];
        lengths.push_back(lengths.back() + std::hypot(step.x(), step.y()));
    }
    std::size_t at = 1;
    for (int i = 0; i < kEdgeSamples && polygon.size() > 1; ++i) {
        const double wanted = lengths.back() * i / (kEdgeSamples - 1);
        while (at + 1 < lengths.size() && lengths[at] < wanted) {
            ++at;
        }
        const double span = std::max(1e-6, lengths[at] - lengths[at - 1]);
        const double share = std::clamp((wanted - lengths[at - 1]) / span, 0.0, 1.0);
        const auto index = static_cast<qsizetype>(at);
        edge.samples.push_back(polygon[index - 1] * (1 - share) + polygon[index] * share);
    }
    edge.bounds = edge.path.boundingRect().adjusted(-12, -12, 12, 12);
}

} // namespace

void routeEdges(Scene& scene)
{
    const Ports ports = assignPorts(scene);
    std::vector<Lane> lanes;
    const bool hasLanes = scene.edges.size() <= kLaneEdgesMax;
    // From the upper ports to the lower ones, so that lanes of one source do not cross.
    std::vector<std::size_t> order(scene.edges.size());
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(), [&ports](std::size_t one, std::size_t other) {
        return ports.starts[one] < ports.starts[other];
    });
    for (const std::size_t i : order) {
        SceneEdge& edge = scene.edges[i];
        const SceneNode& source = scene.nodes[edge.source];
        const SceneNode& target = scene.nodes[edge.target];
        edge.endAngle = 0;
        if (edge.source == edge.target) {
            routeSelf(edge, source);
            measure(edge);
            continue;
        }
        const QPointF start =
            source.center + QPointF(halfWidth(source) + kStartGap, ports.starts[i]);
        const QPointF end = target.center + QPointF(-halfWidth(target) - kEndGap, ports.ends[i]);
        const double dx = end.x() - start.x();
        const bool isLong = dx > 1.4 * kColumnPitch;
        std::optional<Lane> lane;
        if (hasLanes && isLong && isBlocked(scene, edge, start, end)) {
            lane = findLane(scene, edge, lanes, start, end);
        }
        if (lane) {
            lanes.push_back(*lane);
            routeThroughLane(edge, start, end, *lane);
        } else {
            // Backwards and within a column the tangents reach out, so that the ends stay level.
            const double reach = dx > 40 ? dx / 2 : std::min(220.0, 90 + std::abs(dx) / 4);
            edge.path = QPainterPath(start);
            edge.path.cubicTo(start + QPointF(reach, 0), end - QPointF(reach, 0), end);
        }
        measure(edge);
    }
}

} // namespace mesh::graph
