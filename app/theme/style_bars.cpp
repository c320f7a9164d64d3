#include "app/theme/icons.h"
#include "app/theme/style_paint.h"
#include "app/theme/theme.h"

#include <QFontMetricsF>
#include <QPainter>
#include <QStyle>
#include <QStyleOption>

namespace mesh::theme::paint {

namespace {

bool isOn(const QStyleOption& option, QStyle::StateFlag flag)
{
    return option.state.testFlag(flag);
}

} // namespace

void tabShape(QPainter& painter, const QStyleOptionTab& option)
{
    const Tokens& t = tokens();
    const bool isSelected = isOn(option, QStyle::State_Selected);
    const bool isVertical =
        option.shape == QTabBar::RoundedWest || option.shape == QTabBar::RoundedEast
        || option.shape == QTabBar::TriangularWest || option.shape == QTabBar::TriangularEast;
    if (isSelected && !isVertical) {
        const QRectF line(
            option.rect.left() + 6, option.rect.bottom() - 1, option.rect.width() - 12, 2
        );
        roundedBox(painter, line, 1, t.accent, QColor());
    }
    if (isOn(option, QStyle::State_HasFocus)) {
        focusRing(painter, QRectF(option.rect).adjusted(1, 2, -1, -3), 4, t.accent);
    }
}

void headerSection(QPainter& painter, const QStyleOptionHeader& option)
{
    const Tokens& t = tokens();
    painter.fillRect(option.rect, t.panel);
    const double y = option.rect.bottom() + 0.5;
    painter.setPen(QPen(t.border, 1));
    painter.drawLine(QPointF(option.rect.left(), y), QPointF(option.rect.right() + 1, y));
}

void scrollBar(QPainter& painter, const QStyleOptionSlider& option, const QRectF& handle)
{
    const Tokens& t = tokens();
    if (option.maximum <= option.minimum) {
        return;
    }
    const bool isActive =
        isOn(option, QStyle::State_MouseOver) || isOn(option, QStyle::State_Sunken);
    const double inset = isActive ? 2 : 3;
    const QRectF box = handle.adjusted(inset, inset, -inset, -inset);
    const double radius = std::min(box.width(), box.height()) / 2;
    roundedBox(painter, box, radius, isActive ? t.borderStrong : t.borderInput, QColor());
}

void menuItem(QPainter& painter, const QStyleOptionMenuItem& option)
{
    const Tokens& t = tokens();
    const QRectF rect(option.rect);
    if (option.menuItemType == QStyleOptionMenuItem::Separator) {
        const double y = rect.center().y();
        painter.setPen(QPen(t.border, 1));
        painter.drawLine(QPointF(rect.left() + 8, y), QPointF(rect.right() - 8, y));
        return;
    }
    const bool isEnabled = isOn(option, QStyle::State_Enabled);
    if (isOn(option, QStyle::State_Selected) && isEnabled) {
        roundedBox(painter, rect.adjusted(4, 0, -4, 0), 4, t.hover, QColor());
    }
    const QColor color = isEnabled ? t.text1 : t.textDisabled;
    const QRectF sign(rect.left() + 10, rect.center().y() - 7, 14, 14);
    if (option.checkType != QStyleOptionMenuItem::NotCheckable && option.checked) {
        drawIcon(painter, sign, QStringLiteral("check"), isEnabled ? t.accent : t.textDisabled);
    } else if (!option.icon.isNull()) {
        option.icon.paint(
            &painter, sign.toRect(), Qt::AlignCenter, isEnabled ? QIcon::Normal : QIcon::Disabled
        );
    }
    const qsizetype tab = option.text.indexOf(u'\t');
    const QString name = tab < 0 ? option.text : option.text.left(tab);
    const QRectF words = rect.adjusted(32, 0, -14, 0);
    painter.setFont(option.font);
    painter.setPen(color);
    painter.drawText(words, Qt::AlignLeft | Qt::AlignVCenter | Qt::TextShowMnemonic, name);
    if (option.menuItemType == QStyleOptionMenuItem::SubMenu) {
        const QRectF arrow(rect.right() - 20, rect.center().y() - 6, 12, 12);
        drawIcon(painter, arrow, QStringLiteral("chevron-right"), t.text3);
    } else if (tab >= 0) {
        painter.setPen(isEnabled ? t.text3 : t.textDisabled);
        painter.drawText(words, Qt::AlignRight | Qt::AlignVCenter, option.text.mid(tab + 1));
    }
}

void menuBarItem(QPainter& painter, const QStyleOptionMenuItem& option)
{
    const Tokens& t = tokens();
    painter.fillRect(option.rect, t.chrome);
    const bool isOpen = isOn(option, QStyle::State_Selected) || isOn(option, QStyle::State_Sunken);
    const QRectF rect = QRectF(option.rect);
    if (isOpen) {
        const QRectF box(rect.left(), rect.center().y() - 12, rect.width(), 24);
        roundedBox(painter, box, 6, t.hover, QColor());
    }
    painter.setPen(isOn(option, QStyle::State_Enabled) ? t.text2 : t.textDisabled);
    painter.drawText(rect, Qt::AlignCenter | Qt::TextShowMnemonic, option.text);
}

void branch(QPainter& painter, const QStyleOption& option)
{
    if (!isOn(option, QStyle::State_Children)) {
        return;
    }
    const QRectF rect(option.rect);
    const QRectF arrow(rect.center() - QPointF(6, 6), QSizeF(12, 12));
    const bool isOpen = isOn(option, QStyle::State_Open);
    drawIcon(
        painter,
        arrow,
        isOpen ? QStringLiteral("chevron-down") : QStringLiteral("chevron-right"),
        tokens().text3
    );
}

} // namespace mesh::theme::paint
