#pragma once

#include "app/bridge/topology.h"

#include <QHash>
#include <QObject>
#include <QPointF>
#include <QString>

#include <cstdint>
#include <memory>
#include <stop_token>
#include <utility>
#include <vector>

namespace mesh::graph {

// Where one node stands: canvas pixels at 100 %, the centre of its slot, on the 4 px grid.
struct Place
{
    QPointF point;
    bool isPinned = false; // The user put it there; a new layout leaves it alone.
    friend bool operator==(const Place&, const Place&) = default;
};

using Positions = QHash<QString, Place>;

enum class MoveReason : std::uint8_t { Layout, NewNode, Drag, Pin };

inline constexpr double kGrid = 4;
inline constexpr double kColumnPitch = 208; // Columns of a layered layout, 200 to 250.
inline constexpr double kColumnPitchMax = 250;
inline constexpr double kRowPitch = 130;
inline constexpr double kSlotWidth = 168; // Room for name and figures around a node's centre.
inline constexpr double kSlotHeight = 124;

// What a layout needs to know; small enough to hand to a thread.
struct LayoutInput
{
    std::vector<QString> nodes; // Sorted, unique.
    std::vector<std::pair<int, int>> edges; // Indexes into nodes.
    std::vector<int> entries; // Nodes that stand at the left.
    std::vector<double> halfWidths; // Of the nodes' texts; empty: columns of equal pitch.
};

[[nodiscard]] LayoutInput layoutInput(const bridge::Topology& topology);

// Widens the columns so that the texts of neighbours and a plate between them have room, and
// draws rows together as far as no two slots of a column touch.
void spread(const LayoutInput& input, Positions& positions);

// A layered layout, left to right: Graphviz `dot` up to kDotNodesMax nodes, above that our own
// longest-path layers with barycentre sorting (dot takes minutes there). No two slots overlap.
// Empty when cancelled.
// Threads: any; calls are serialised by LayoutJob (Graphviz is not re-entrant).
// Source: Gansner, Koutsofios, North, Vo, "A Technique for Drawing Directed Graphs" (1993).
[[nodiscard]] Positions layOut(const LayoutInput& input, const std::stop_token& stop);
inline constexpr int kDotNodesMax = 250;

// The layers-and-barycentres layout alone.
[[nodiscard]] Positions layOutLayers(const LayoutInput& input, const std::stop_token& stop);

// A place for `id` that overlaps nobody: the free slot nearest to the barycentre of its placed
// neighbours, a column right of its callers or left of its callees. Nobody else moves. With nobody
// placed, the origin. Pure.
[[nodiscard]] QPointF placeNew(
    const QString& id, const bridge::Topology& topology, const Positions& placed
);

// Runs one layout at a time on a thread of its own; a new start cancels the one before.
class LayoutJob : public QObject
{
    Q_OBJECT

public:
    explicit LayoutJob(QObject* parent = nullptr);
    ~LayoutJob() override;

    void start(LayoutInput input);
    void cancel();
    [[nodiscard]] bool isRunning() const;

Q_SIGNALS:
    void finished(const mesh::graph::Positions& positions);

private:
    class Worker;
    std::unique_ptr<Worker> m_worker;
};

} // namespace mesh::graph
