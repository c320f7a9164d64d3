#pragma once

#include "app/theme/tokens.h"

#include <QRectF>

#include <cstdint>

class QPainter;

namespace mesh::theme {

// States of one copy of a service. The order is that of bridge::InstanceState.
enum class Pip : std::uint8_t { Up, Ejected, Draining, Starting, Stale, Down, Frozen };
inline constexpr int kPipCount = 7;

// Draws the state's sign (check, exclamation mark, cross, dash, question mark, broken wave) centred
// in `rect`, as large as its shorter side, with round caps.
void drawStateGlyph(
    QPainter& painter,
    const QRectF& rect,
    State state,
    const QColor& color,
    double strokeWidth = 1.8
);

// Draws an instance's dot centred in `rect`: disc, slashed ring, half disc, ring, dashed ring,
// cross, barred disc.
void drawPip(QPainter& painter, const QRectF& rect, Pip pip);

// The colour a dot is drawn in.
[[nodiscard]] QColor pipColor(Pip pip);

// A 45 degree hatch over `rect`, for stale rows and missing data.
void drawHatch(QPainter& painter, const QRectF& rect, const QColor& color);

} // namespace mesh::theme
