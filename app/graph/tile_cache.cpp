#include "app/graph/tile_cache.h"

#include <QPainter>

#include <cmath>

namespace mesh::graph {

namespace {

constexpr int kTile = 256; // Logical pixels.
constexpr qsizetype kTilesMax = 160; // 40 MB at ratio 1; twice a 4K screen.

void drawTile(
    QPainter& painter, QPair<int, int> key, const QPixmap& pixmap, double scale, QPointF offset
)
{
    const double side = kTile * scale;
    const QPointF corner = QPointF(key.first * side, key.second * side) + offset;
    if (scale == 1) {
        painter.drawPixmap(corner, pixmap);
    } else {
        painter.drawPixmap(QRectF(corner, QSizeF(side, side)), pixmap, QRectF(pixmap.rect()));
    }
}

} // namespace

void TileCache::clear()
{
    m_tiles.clear();
    m_former.clear();
    m_zoom = 0;
}

void TileCache::drop(const Viewport& viewport)
{
    if (m_tiles.size() <= kTilesMax) {
        return;
    }
    const QRectF near(
        -viewport.size.width() - viewport.offset.x(),
        -viewport.size.height() - viewport.offset.y(),
        3 * viewport.size.width(),
        3 * viewport.size.height()
    );
    m_tiles.removeIf([&near](const auto& entry) {
        const QRectF rect(entry.key().first * kTile, entry.key().second * kTile, kTile, kTile);
        return !rect.intersects(near);
    });
}

void TileCache::drawBehind(QPainter& painter, const Viewport& viewport) const
{
    if (m_formerZoom <= 0) {
        return;
    }
    const double scale = viewport.zoom / m_formerZoom;
    const QRectF view(QPointF(0, 0), viewport.size);
    for (const auto& [key, tile] : m_former.asKeyValueRange()) {
        const double side = kTile * scale;
        const QRectF rect(
            QPointF(key.first * side, key.second * side) + viewport.offset, QSizeF(side, side)
        );
        if (rect.intersects(view)) {
            drawTile(painter, key, tile.pixmap, scale, viewport.offset);
        }
    }
}

void TileCache::paintStretched(QPainter& painter, const Viewport& viewport) const
{
    drawBehind(painter, viewport);
    if (m_zoom <= 0) {
        return;
    }
    const double scale = viewport.zoom / m_zoom;
    const QRectF view(QPointF(0, 0), viewport.size);
    const double side = kTile * scale;
    for (const auto& [key, tile] : m_tiles.asKeyValueRange()) {
        const QPointF corner = QPointF(key.first * side, key.second * side) + viewport.offset;
        if (QRectF(corner, QSizeF(side, side)).intersects(view)) {
            drawTile(painter, key, tile.pixmap, scale, viewport.offset);
        }
    }
}

bool TileCache::paint(
    QPainter& painter, const Viewport& viewport, const Render& render, int rendersMax
)
{
    if (viewport.zoom != m_zoom || viewport.ratio != m_ratio) {
        if (!m_tiles.isEmpty()) {
            m_former = std::move(m_tiles);
            m_formerZoom = m_zoom;
        }
        m_tiles.clear();
        m_zoom = viewport.zoom;
        m_ratio = viewport.ratio;
    }
    drop(viewport);
    const auto first = [](double value) { return static_cast<int>(std::floor(value / kTile)); };
    const int left = first(-viewport.offset.x());
    const int top = first(-viewport.offset.y());
    const int right = first(viewport.size.width() - viewport.offset.x());
    const int bottom = first(viewport.size.height() - viewport.offset.y());
    bool isComplete = true;
    bool isFormerShown = false;
    int renders = 0;
    for (int x = left; x <= right; ++x) {
        for (int y = top; y <= bottom; ++y) {
            Tile& tile = m_tiles[{x, y}];
            if (tile.generation != m_generation && renders < rendersMax) {
                ++renders;
                const int pixels = static_cast<int>(std::ceil(kTile * viewport.ratio));
                tile.pixmap = QPixmap(pixels, pixels);
                tile.pixmap.setDevicePixelRatio(viewport.ratio);
                const double side = kTile / viewport.zoom;
                const QRectF area(x * side, y * side, side, side);
                QPainter inner(&tile.pixmap);
                inner.scale(viewport.zoom, viewport.zoom);
                inner.translate(-area.topLeft());
                render(inner, area);
                tile.generation = m_generation;
            }
            isComplete = isComplete && tile.generation == m_generation;
            if (tile.pixmap.isNull()) {
                if (!isFormerShown) {
                    isFormerShown = true;
                    drawBehind(painter, viewport);
                }
                m_tiles.remove({x, y});
            }
        }
    }
    for (const auto& [key, tile] : m_tiles.asKeyValueRange()) {
        if (key.first >= left && key.first <= right && key.second >= top && key.second <= bottom) {
            drawTile(painter, key, tile.pixmap, 1, viewport.offset);
        }
    }
    if (isComplete) {
        m_former.clear();
    }
    return isComplete;
}

} // namespace mesh::graph
