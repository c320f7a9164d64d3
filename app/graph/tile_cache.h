#pragma once

#include <QHash>
#include <QPixmap>
#include <QPointF>
#include <QRectF>
#include <QSizeF>

#include <cstdint>
#include <functional>

class QPainter;

namespace mesh::graph {

// Keeps the picture as square pixmaps of one zoom, so that panning copies and zooming stretches
// what is there until the new zoom is drawn. Private to app/graph.
// Cost: at most `rendersMax` tiles are drawn per call.
class TileCache
{
public:
    // Draws a part of the canvas: painter in canvas coordinates, clipped to `area`.
    using Render = std::function<void(QPainter& painter, const QRectF& area)>;

    struct Viewport
    {
        double zoom = 1;
        QPointF offset; // Widget position of the canvas origin, whole device pixels.
        QSizeF size;
        double ratio = 1; // Device pixels per logical pixel.
    };

    // Everything is to be drawn again; until then the old tiles are shown.
    void invalidate() { ++m_generation; }
    void clear();

    // Shows the viewport. False: some tiles are still old or missing, call again soon.
    bool paint(QPainter& painter, const Viewport& viewport, const Render& render, int rendersMax);
    // Only stretches and copies what is there.
    void paintStretched(QPainter& painter, const Viewport& viewport) const;

    [[nodiscard]] bool isEmpty() const { return m_tiles.isEmpty(); }
    [[nodiscard]] double zoom() const { return m_zoom; }

private:
    struct Tile
    {
        QPixmap pixmap;
        std::uint64_t generation = 0;
    };
    using Key = QPair<int, int>;

    void drop(const Viewport& viewport);
    void drawBehind(QPainter& painter, const Viewport& viewport) const;

    QHash<Key, Tile> m_tiles;
    QHash<Key, Tile> m_former; // Of the zoom before, shown below until the new one is complete.
    double m_zoom = 0;
    double m_formerZoom = 0;
    double m_ratio = 1;
    std::uint64_t m_generation = 1;
};

} // namespace mesh::graph
