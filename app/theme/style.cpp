#include "app/theme/style.h"

#include "app/theme/controls.h"
#include "app/theme/icons.h"
#include "app/theme/style_paint.h"

#include <QAbstractButton>
#include <QAbstractItemView>
#include <QAbstractSpinBox>
#include <QApplication>
#include <QComboBox>
#include <QGroupBox>
#include <QHeaderView>
#include <QLineEdit>
#include <QMenu>
#include <QMenuBar>
#include <QPainter>
#include <QScrollBar>
#include <QSplitterHandle>
#include <QStyleOption>
#include <QTabBar>
#include <QToolTip>

namespace mesh::theme {

namespace {

// The line edit inside a combo or spin box is drawn by its owner.
bool isInsideBox(const QWidget* widget)
{
    const QWidget* const parent = widget == nullptr ? nullptr : widget->parentWidget();
    return qobject_cast<const QComboBox*>(parent) != nullptr
           || qobject_cast<const QAbstractSpinBox*>(parent) != nullptr;
}

void setClassFonts()
{
    const QFont control = font(Role::Control);
    for (const char* const name :
         {"QAbstractButton",
          "QPushButton",
          "QToolButton",
          "QLineEdit",
          "QComboBox",
          "QSpinBox",
          "QDoubleSpinBox",
          "QMenu",
          "QMenuBar",
          "QTabBar",
          "QCheckBox",
          "QRadioButton",
          "QComboBoxListView"}) {
        QApplication::setFont(control, name);
    }
    QApplication::setFont(font(Role::Small), "QAbstractItemView");
    QApplication::setFont(font(Role::Caption), "QHeaderView");
    QToolTip::setFont(font(Role::Small));
}

void drawFrame(QPainter& painter, const QRect& rect, const QColor& fill, int radius)
{
    paint::roundedBox(painter, rect, radius, fill, tokens().border);
}

} // namespace

Style::Style()
    : QProxyStyle(QStringLiteral("Fusion"))
{
    setClassFonts();
}

void Style::polish(QWidget* widget)
{
    QProxyStyle::polish(widget);
    if (qobject_cast<QAbstractButton*>(widget) != nullptr
        || qobject_cast<QLineEdit*>(widget) != nullptr
        || qobject_cast<QComboBox*>(widget) != nullptr
        || qobject_cast<QAbstractSpinBox*>(widget) != nullptr
        || qobject_cast<QScrollBar*>(widget) != nullptr || qobject_cast<QTabBar*>(widget) != nullptr
        || qobject_cast<QSplitterHandle*>(widget) != nullptr) {
        widget->setAttribute(Qt::WA_Hover);
    }
}

void Style::drawPrimitive(
    PrimitiveElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget
) const
{
    const Tokens& t = tokens();
    switch (element) {
    case PE_PanelButtonCommand:
    case PE_PanelButtonTool:
        paint::buttonPanel(*painter, *option, widget);
        return;
    case PE_PanelLineEdit:
    case PE_FrameLineEdit:
        if (!isInsideBox(widget)) {
            const auto* const edit = qobject_cast<const QLineEdit*>(widget);
            if (edit == nullptr || edit->hasFrame()) {
                paint::inputPanel(*painter, *option, widget);
            }
        }
        return;
    case PE_IndicatorCheckBox:
    case PE_IndicatorItemViewItemCheck:
        paint::checkBox(*painter, *option);
        return;
    case PE_IndicatorRadioButton:
        paint::radioButton(*painter, *option);
        return;
    case PE_FrameFocusRect:
    case PE_FrameTabBarBase:
    case PE_FrameStatusBarItem:
    case PE_PanelMenuBar:
    case PE_FrameButtonTool:
        return; // Drawn with the control itself, or not at all.
    case PE_FrameMenu:
    case PE_PanelMenu:
        drawFrame(*painter, option->rect, t.panel, 0);
        return;
    case PE_PanelTipLabel:
    case PE_FrameTabWidget:
        drawFrame(*painter, option->rect, element == PE_PanelTipLabel ? t.raised : t.panel, 0);
        return;
    case PE_Frame:
    case PE_FrameGroupBox:
        drawFrame(*painter, option->rect, QColor(), element == PE_Frame ? 0 : 8);
        return;
    case PE_IndicatorBranch:
        paint::branch(*painter, *option);
        return;
    case PE_IndicatorArrowDown:
        drawIcon(*painter, option->rect, QStringLiteral("chevron-down"), t.text3);
        return;
    case PE_IndicatorArrowRight:
        drawIcon(*painter, option->rect, QStringLiteral("chevron-right"), t.text3);
        return;
    default:
        QProxyStyle::drawPrimitive(element, option, painter, widget);
    }
}

void Style::drawControl(
    ControlElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget
) const
{
    const Tokens& t = tokens();
    if (element == CE_PushButtonBevel) {
        paint::buttonPanel(*painter, *option, widget);
    } else if (element == CE_PushButtonLabel || element == CE_ToolButtonLabel) {
        const QColor color = paint::buttonTextColor(*option, widget);
        if (const auto* const push = qstyleoption_cast<const QStyleOptionButton*>(option)) {
            QStyleOptionButton copy = *push;
            copy.palette.setColor(QPalette::ButtonText, color);
            QProxyStyle::drawControl(element, &copy, painter, widget);
        } else if (const auto* tool = qstyleoption_cast<const QStyleOptionToolButton*>(option)) {
            QStyleOptionToolButton copy = *tool;
            copy.palette.setColor(QPalette::ButtonText, color);
            QProxyStyle::drawControl(element, &copy, painter, widget);
        }
    } else if (const auto* const tab = qstyleoption_cast<const QStyleOptionTab*>(option);
               tab != nullptr && element == CE_TabBarTabShape) {
        paint::tabShape(*painter, *tab);
    } else if (tab != nullptr && element == CE_TabBarTabLabel) {
        QStyleOptionTab copy = *tab;
        const bool isLit =
            tab->state.testFlag(State_Selected) || tab->state.testFlag(State_MouseOver);
        copy.palette.setColor(QPalette::WindowText, isLit ? t.text1 : t.text2);
        copy.state.setFlag(State_HasFocus, false);
        QProxyStyle::drawControl(element, &copy, painter, widget);
    } else if (const auto* const header = qstyleoption_cast<const QStyleOptionHeader*>(option);
               header != nullptr && element == CE_HeaderSection) {
        paint::headerSection(*painter, *header);
    } else if (header != nullptr && element == CE_HeaderLabel) {
        QStyleOptionHeader copy = *header;
        copy.palette.setColor(QPalette::ButtonText, t.text3);
        copy.state.setFlag(State_On, false); // Fusion draws sections of selected cells bold.
        QProxyStyle::drawControl(element, &copy, painter, widget);
    } else if (element == CE_HeaderEmptyArea) {
        painter->fillRect(option->rect, t.panel);
    } else if (const auto* const item = qstyleoption_cast<const QStyleOptionMenuItem*>(option);
               item != nullptr && element == CE_MenuItem) {
        paint::menuItem(*painter, *item);
    } else if (item != nullptr && element == CE_MenuBarItem) {
        paint::menuBarItem(*painter, *item);
    } else if (element == CE_MenuBarEmptyArea) {
        painter->fillRect(option->rect, t.chrome);
    } else if (element == CE_Splitter) {
        const QRectF rect(option->rect);
        painter->setPen(QPen(t.border, 1));
        const bool isTall = rect.height() > rect.width();
        const QPointF middle = rect.center();
        painter->drawLine(
            isTall ? QPointF(middle.x(), rect.top()) : QPointF(rect.left(), middle.y()),
            isTall ? QPointF(middle.x(), rect.bottom()) : QPointF(rect.right(), middle.y())
        );
    } else {
        QProxyStyle::drawControl(element, option, painter, widget);
    }
}

void Style::drawComplexControl(
    ComplexControl control,
    const QStyleOptionComplex* option,
    QPainter* painter,
    const QWidget* widget
) const
{
    const Tokens& t = tokens();
    if (const auto* const combo = qstyleoption_cast<const QStyleOptionComboBox*>(option);
        combo != nullptr && control == CC_ComboBox) {
        paint::inputPanel(*painter, *option, widget);
        const QRectF arrow = subControlRect(control, option, SC_ComboBoxArrow, widget);
        const bool isEnabled = option->state.testFlag(State_Enabled);
        const QRectF sign(arrow.center() - QPointF(6, 6), QSizeF(12, 12));
        drawIcon(
            *painter, sign, QStringLiteral("chevron-down"), isEnabled ? t.text3 : t.textDisabled
        );
        return;
    }
    if (const auto* const slider = qstyleoption_cast<const QStyleOptionSlider*>(option);
        slider != nullptr && control == CC_ScrollBar) {
        const QRectF handle = subControlRect(control, option, SC_ScrollBarSlider, widget);
        paint::scrollBar(*painter, *slider, handle);
        return;
    }
    if (control == CC_SpinBox) {
        paint::inputPanel(*painter, *option, widget);
        const QColor color = option->state.testFlag(State_Enabled) ? t.text3 : t.textDisabled;
        for (const SubControl part : {SC_SpinBoxUp, SC_SpinBoxDown}) {
            const QRectF rect = subControlRect(control, option, part, widget);
            const QRectF sign(rect.center() - QPointF(5, 5), QSizeF(10, 10));
            const bool isUp = part == SC_SpinBoxUp;
            drawIcon(
                *painter,
                sign,
                isUp ? QStringLiteral("chevron-up") : QStringLiteral("chevron-down"),
                color
            );
        }
        return;
    }
    QProxyStyle::drawComplexControl(control, option, painter, widget);
}

QRect Style::subControlRect(
    ComplexControl control,
    const QStyleOptionComplex* option,
    SubControl subControl,
    const QWidget* widget
) const
{
    if (control == CC_ComboBox && subControl == SC_ComboBoxArrow) {
        const QRect all = option->rect;
        return visualRect(
            option->direction, all, QRect(all.right() - 23, all.top(), 22, all.height())
        );
    }
    if (control == CC_ComboBox && subControl == SC_ComboBoxEditField) {
        return visualRect(option->direction, option->rect, option->rect.adjusted(9, 1, -24, -1));
    }
    return QProxyStyle::subControlRect(control, option, subControl, widget);
}

QRect Style::subElementRect(SubElement element, const QStyleOption* option, const QWidget* widget)
    const
{
    if (element == SE_LineEditContents && !isInsideBox(widget)) {
        return visualRect(option->direction, option->rect, option->rect.adjusted(7, 1, -7, -1));
    }
    return QProxyStyle::subElementRect(element, option, widget);
}

int Style::pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const
{
    switch (metric) {
    case PM_IndicatorWidth:
    case PM_IndicatorHeight:
        return 15;
    case PM_ExclusiveIndicatorWidth:
    case PM_ExclusiveIndicatorHeight:
        return 14;
    case PM_ScrollBarExtent:
        return 12;
    case PM_SplitterWidth:
        return 7;
    case PM_SmallIconSize:
    case PM_ButtonIconSize:
    case PM_TabBarIconSize:
    case PM_ToolBarIconSize:
        return 16;
    case PM_ButtonShiftHorizontal:
    case PM_ButtonShiftVertical:
    case PM_TabBarBaseHeight:
    case PM_TabBarBaseOverlap:
    case PM_MenuBarPanelWidth:
    case PM_FocusFrameVMargin:
        return 0;
    case PM_MenuVMargin:
        return 4;
    case PM_MenuHMargin:
        return 0;
    case PM_TabBarTabHSpace:
        return 12;
    case PM_DockWidgetSeparatorExtent:
        return 1;
    case PM_HeaderMargin:
        return 8;
    case PM_ToolTipLabelFrameWidth:
        return 6;
    case PM_TreeViewIndentation:
        return 16;
    default:
        return QProxyStyle::pixelMetric(metric, option, widget);
    }
}

QSize Style::sizeFromContents(
    ContentsType type, const QStyleOption* option, const QSize& size, const QWidget* widget
) const
{
    QSize result = QProxyStyle::sizeFromContents(type, option, size, widget);
    const int control = metrics().control;
    switch (type) {
    case CT_PushButton:
        return QSize(size.width() + 22, std::max(control, size.height() + 6));
    case CT_ToolButton:
        return QSize(std::max(24, size.width() + 8), std::max(24, size.height() + 6));
    case CT_LineEdit:
    case CT_SpinBox:
        result.setHeight(std::max(control, size.height() + 4));
        return result;
    case CT_ComboBox:
        return QSize(size.width() + 36, std::max(control, size.height() + 6));
    case CT_TabBarTab:
        result.setHeight(std::max(30, result.height()));
        return result;
    case CT_HeaderSection:
        result.setHeight(metrics().header);
        return result;
    case CT_MenuBarItem:
        return QSize(size.width() + 9, std::max(28, size.height()));
    case CT_MenuItem: {
        const auto* const item = qstyleoption_cast<const QStyleOptionMenuItem*>(option);
        if (item != nullptr && item->menuItemType == QStyleOptionMenuItem::Separator) {
            return QSize(10, 9);
        }
        return QSize(std::max(160, size.width() + 72), 26);
    }
    default:
        return result;
    }
}

int Style::styleHint(
    StyleHint hint, const QStyleOption* option, const QWidget* widget, QStyleHintReturn* returned
) const
{
    switch (hint) {
    case SH_EtchDisabledText:
    case SH_Menu_FlashTriggeredItem:
    case SH_ScrollBar_Transient:
    case SH_ComboBox_Popup:
    case SH_ItemView_ShowDecorationSelected:
    case SH_UnderlineShortcut:
        return hint == SH_ItemView_ShowDecorationSelected ? 1 : 0;
    case SH_Table_GridLineColor:
        return static_cast<int>(tokens().border.rgb());
    case SH_ToolTip_WakeUpDelay:
        return 300;
    case SH_Widget_Animate:
    case SH_Widget_Animation_Duration:
        return 0;
    default:
        return QProxyStyle::styleHint(hint, option, widget, returned);
    }
}

} // namespace mesh::theme
