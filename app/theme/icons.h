#pragma once

#include <QColor>
#include <QIcon>
#include <QPixmap>
#include <QRectF>
#include <QString>
#include <QStringList>

class QPainter;

namespace mesh::theme {

// An icon of resources/icons by its file name without ending ("step-back"), drawn in text2
// (normal), textDisabled and text1 (active, selected) of the theme in use. Follows the theme by
// itself. A name that does not exist gives an empty icon.
[[nodiscard]] QIcon icon(const QString& name);

// The same with one colour for all states but disabled.
[[nodiscard]] QIcon icon(const QString& name, const QColor& color);

// One picture, `size` logical pixels wide and high. Cached.
[[nodiscard]] QPixmap iconPixmap(
    const QString& name, double size, const QColor& color, double devicePixelRatio
);

// Draws the icon centred in `rect`, as large as its shorter side.
void drawIcon(QPainter& painter, const QRectF& rect, const QString& name, const QColor& color);

// All names, sorted.
[[nodiscard]] QStringList iconNames();

} // namespace mesh::theme
