#include "app/graph/scene.h"

#include "app/graph/painter.h"
#include "app/graph/policy_marks.h"
#include "app/theme/figures.h"

#include <QPolygonF>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace mesh::graph {

namespace {

constexpr double kTextDepth = 94; // From the centre to below line 3.
constexpr double kTextHalf = 62; // Half of the usual text width.
constexpr qsizetype kFaultsShown = 2;

void addNode(Scene& scene, SceneNode node)
{
    measureNode(node);
    const QRectF extent = node.extent();
    scene.bounds = scene.bounds.isNull() ? extent : scene.bounds.united(extent);
    scene.indexes.insert(node.row.id, scene.nodes.size());
    scene.nodes.push_back(std::move(node));
}

} // namespace

double nodeSize(const bridge::EntityRow& row)
{
    if (row.isEntry || row.figures.rps >= 100) {
        return 56;
    }
    return row.figures.rps >= 10 ? 42 : 28;
}

double textHalfWidth(const bridge::EntityRow& row)
{
    const QFont caption = theme::font(theme::Role::CaptionMedium);
    const double name =
        theme::figuresWidth(theme::font(theme::Role::BodyStrong), row.name.left(24));
    const double kind = theme::figuresWidth(caption, kindLine(row));
    const double figures = theme::figuresWidth(caption, figuresLine(row));
    return std::max(kTextHalf, std::max({name, kind, figures}) / 2 + 4);
}

QString faultText(const bridge::EntityRow& row)
{
    QStringList effects;
    for (const QString& fault : row.faults) {
        const qsizetype space = fault.indexOf(u' ');
        const bool isNamed = space > 0 && fault.startsWith(row.name);
        const QString effect = isNamed ? fault.mid(space + 1) : fault;
        if (!effects.contains(effect)) {
            effects.append(effect);
        }
    }
    const qsizetype more = effects.size() - kFaultsShown;
    QString words = effects.mid(0, kFaultsShown).join(QStringLiteral(" · "));
    if (more > 0) {
        words += QStringLiteral(" · +%1").arg(more);
    }
    return words;
}

void measureNode(SceneNode& node)
{
    const double reach = node.size / 2 + 14;
    const double half = textHalfWidth(node.row);
    const QPointF center = node.center;
    node.glyphBox = QRectF(center.x() - reach, center.y() - reach, 2 * reach, 2 * reach);
    const double top = node.size / 2 + 4;
    node.textBox = QRectF(center.x() - half, center.y() + top, 2 * half, kTextDepth - top);
    node.tagBox = {};
    const QRectF tags = nodeTagBox(node.size, nodeTags(node.row), 1);
    if (!tags.isNull()) {
        node.tagBox = tags.translated(center);
    }
    node.box = node.glyphBox.united(node.textBox);
}

double edgeWidth(const bridge::EdgeRow& row)
{
    constexpr std::array<double, 4> kRates = {1, 10, 100, 1'000};
    constexpr std::array<double, 5> kWidths = {1, 1.5, 2.25, 3.25, 4.5};
    const auto above = std::upper_bound(kRates.begin(), kRates.end(), row.figures.rps);
    double width = kWidths[static_cast<std::size_t>(above - kRates.begin())];
    if (row.state == bridge::HealthState::Degraded) {
        width += 0.5;
    } else if (row.state == bridge::HealthState::Failure) {
        width += 1;
    }
    return width;
}

bool isStacked(const bridge::EdgeRow& row)
{
    return row.state == bridge::HealthState::Degraded || row.state == bridge::HealthState::Failure;
}

QPainterPath outline(bridge::EntityKind kind, double radius)
{
    QPainterPath path;
    switch (kind) {
    case bridge::EntityKind::Service: {
        const double half = 0.94 * radius;
        path.addRoundedRect(QRectF(-half, -half, 2 * half, 2 * half), 0.5 * radius, 0.5 * radius);
        break;
    }
    case bridge::EntityKind::Gateway: {
        const double point = 1.04 * radius;
        const double flat = 0.9 * radius;
        const double shoulder = point / 2;
        path.addPolygon(QPolygonF(
            {{-point, 0},
             {-shoulder, -flat},
             {shoulder, -flat},
             {point, 0},
             {shoulder, flat},
             {-shoulder, flat},
             {-point, 0}}
        ));
        path.closeSubpath();
        break;
    }
    case bridge::EntityKind::External: {
        const double top = 0.66 * radius;
        const double base = 1.04 * radius;
        const double half = 0.82 * radius;
        path.addPolygon(
            QPolygonF({{-top, -half}, {top, -half}, {base, half}, {-base, half}, {-top, -half}})
        );
        path.closeSubpath();
        break;
    }
    case bridge::EntityKind::Unknown:
        path.addEllipse(QPointF(0, 0), radius, 0.8 * radius);
        break;
    }
    return path;
}

Scene buildScene(
    const bridge::Topology& topology, const Positions& positions, const QSet<QString>& hidden
)
{
    Scene scene;
    for (const bridge::EntityRow& row : topology.entities) {
        const auto place = positions.constFind(row.id);
        if (place == positions.cend() || hidden.contains(row.id)) {
            continue;
        }
        SceneNode node;
        node.row = row;
        node.center = place->point;
        node.isPinned = place->isPinned;
        node.size = nodeSize(row);
        addNode(scene, std::move(node));
    }
    std::vector<int> tcpCallers(scene.nodes.size(), 0);
    std::vector<int> callers(scene.nodes.size(), 0);
    for (const bridge::EdgeRow& row : topology.edges) {
        const auto source = scene.indexes.constFind(row.source);
        const auto target = scene.indexes.constFind(row.target);
        const bool isHidden =
            !hidden.isEmpty() && hidden.contains(row.source + QStringLiteral(" -> ") + row.target);
        if (source == scene.indexes.cend() || target == scene.indexes.cend() || isHidden) {
            continue;
        }
        SceneEdge edge;
        edge.row = row;
        edge.source = *source;
        edge.target = *target;
        edge.width = edgeWidth(row);
        ++callers[*target];
        tcpCallers[*target] += row.isTcp ? 1 : 0;
        scene.edges.push_back(std::move(edge));
    }
    for (std::size_t i = 0; i < scene.nodes.size(); ++i) {
        scene.nodes[i].isTcp = callers[i] > 0 && callers[i] == tcpCallers[i];
    }
    return scene;
}

} // namespace mesh::graph
