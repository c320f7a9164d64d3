#pragma once

#include <QColor>
#include <QRectF>

class QPainter;
class QStyleOption;
class QStyleOptionButton;
class QStyleOptionComplex;
class QStyleOptionHeader;
class QStyleOptionMenuItem;
class QStyleOptionSlider;
class QStyleOptionTab;
class QWidget;

// The brushes of Style, one function per control. Private to app/theme.
namespace mesh::theme::paint {

// A rounded box on pixel centres; an invalid colour leaves that part out.
void roundedBox(
    QPainter& painter, const QRectF& rect, double radius, const QColor& fill, const QColor& border
);
// 3 px of accent (or failure) around `rect`, drawn inside the widget when there is no room.
void focusRing(QPainter& painter, const QRectF& rect, double radius, const QColor& color);

void buttonPanel(QPainter& painter, const QStyleOption& option, const QWidget* widget);
[[nodiscard]] QColor buttonTextColor(const QStyleOption& option, const QWidget* widget);
void inputPanel(QPainter& painter, const QStyleOption& option, const QWidget* widget);
void checkBox(QPainter& painter, const QStyleOption& option);
void radioButton(QPainter& painter, const QStyleOption& option);

void tabShape(QPainter& painter, const QStyleOptionTab& option);
void headerSection(QPainter& painter, const QStyleOptionHeader& option);
void scrollBar(QPainter& painter, const QStyleOptionSlider& option, const QRectF& handle);
void menuItem(QPainter& painter, const QStyleOptionMenuItem& option);
void menuBarItem(QPainter& painter, const QStyleOptionMenuItem& option);
void branch(QPainter& painter, const QStyleOption& option);

} // namespace mesh::theme::paint
