#pragma once

#include <QRectF>

class QPainter;

namespace mesh::pages {

// The product's mark: an M of five joined dots, its two tops in text1, the rest in accent.
void drawMark(QPainter& painter, const QRectF& rect);

// The three pictures of the first-run doors, drawn for a 334x146 room and centred in `rect`.
void drawDemoPicture(QPainter& painter, const QRectF& rect);
void drawConnectPicture(QPainter& painter, const QRectF& rect);
void drawImportPicture(QPainter& painter, const QRectF& rect);

} // namespace mesh::pages
