#include "app/graph/layout.h"
#include "proxyengine/base/mailbox.h"

#include <graphviz/cgraph.h>
#include <graphviz/gvc.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

namespace mesh::graph {

namespace {

// Above this many edges dot needs seconds for what the layers do in milliseconds.
constexpr std::size_t kDotEdgesMax = 1'000;

// Graphviz keeps state in globals, so one layout runs at a time in the whole process.
Mutex& dotMutex()
{
    static Mutex mutex;
    return mutex;
}

void set(void* object, const char* name, std::string value)
{
    // The C interface takes non-const strings but copies them.
    std::string key(name);
    std::string empty;
    agsafeset(object, key.data(), value.data(), empty.data());
}

Positions readPositions(const LayoutInput& input, const std::vector<Agnode_t*>& nodes)
{
    // dot's ranks become columns of equal pitch; its heights stay, on the grid.
    std::map<long, int> columns;
    for (Agnode_t* const node : nodes) {
        columns.emplace(std::lround(ND_coord(node).x), 0);
    }
    int column = 0;
    for (auto& entry : columns) {
        entry.second = column++;
    }
    Positions positions;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const auto at = ND_coord(nodes[i]);
        const double x = columns[std::lround(at.x)] * kColumnPitch;
        // dot counts upwards.
        const double y = std::round(-at.y / kGrid) * kGrid;
        positions.insert(input.nodes[i], Place{QPointF(x, y), false});
    }
    return positions;
}

Positions layOutDot(const LayoutInput& input)
{
    const MutexLock lock(dotMutex());
    GVC_t* const context = gvContext();
    std::string graphName("mesh");
    Agraph_t* const graph = agopen(graphName.data(), Agdirected, nullptr);
    // Points stand for pixels: columns 208 apart, rows 130.
    set(graph, "rankdir", "LR");
    set(graph, "nodesep", std::to_string(20.0 / 72));
    set(graph, "ranksep", std::to_string((kColumnPitch - 64) / 72));
    std::vector<Agnode_t*> nodes;
    for (std::size_t i = 0; i < input.nodes.size(); ++i) {
        std::string name = std::to_string(i);
        Agnode_t* const node = agnode(graph, name.data(), 1);
        set(node, "shape", "box");
        set(node, "fixedsize", "true");
        set(node, "label", "");
        set(node, "width", std::to_string(64.0 / 72));
        set(node, "height", std::to_string(110.0 / 72));
        nodes.push_back(node);
    }
    for (const auto& [source, target] : input.edges) {
        if (source != target) {
            agedge(
                graph,
                nodes[static_cast<std::size_t>(source)],
                nodes[static_cast<std::size_t>(target)],
                nullptr,
                1
            );
        }
    }
    if (!input.entries.empty()) {
        std::string groupName("entries");
        Agraph_t* const group = agsubg(graph, groupName.data(), 1);
        set(group, "rank", "min");
        for (const int entry : input.entries) {
            agsubnode(group, nodes[static_cast<std::size_t>(entry)], 1);
        }
    }
    Positions positions;
    if (gvLayout(context, graph, "dot") == 0) {
        positions = readPositions(input, nodes);
        gvFreeLayout(context, graph);
    }
    agclose(graph);
    gvFreeContext(context);
    return positions;
}

// dot keeps its own promises; this repairs two nodes that the grid's rounding pushed together.
void separate(Positions& positions)
{
    std::map<double, std::vector<std::pair<double, QString>>> columns;
    for (const auto& [id, place] : positions.asKeyValueRange()) {
        columns[place.point.x()].emplace_back(place.point.y(), id);
    }
    for (auto& [x, column] : columns) {
        std::sort(column.begin(), column.end());
        for (std::size_t i = 1; i < column.size(); ++i) {
            column[i].first = std::max(column[i].first, column[i - 1].first + kSlotHeight);
            positions[column[i].second].point.setY(column[i].first);
        }
    }
}

} // namespace

Positions layOut(const LayoutInput& input, const std::stop_token& stop)
{
    if (input.nodes.empty() || stop.stop_requested()) {
        return {};
    }
    Positions positions;
    if (input.nodes.size() <= kDotNodesMax && input.edges.size() <= kDotEdgesMax) {
        positions = layOutDot(input);
    }
    if (positions.isEmpty()) {
        positions = layOutLayers(input, stop);
    }
    spread(input, positions);
    separate(positions);
    return stop.stop_requested() ? Positions() : positions;
}

} // namespace mesh::graph
