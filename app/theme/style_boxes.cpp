#include "app/theme/controls.h"
#include "app/theme/icons.h"
#include "app/theme/style_paint.h"

#include <QPainter>
#include <QPainterPath>
#include <QStyle>
#include <QStyleOption>
#include <QVariant>
#include <QWidget>

namespace mesh::theme::paint {

namespace {

bool isOn(const QStyleOption& option, QStyle::StateFlag flag)
{
    return option.state.testFlag(flag);
}

bool showsKeyboardFocus(const QStyleOption& option)
{
    return isOn(option, QStyle::State_HasFocus) && isOn(option, QStyle::State_KeyboardFocusChange);
}

struct ButtonLook
{
    QColor fill;
    QColor border;
};

ButtonLook normalLook(const QStyleOption& option, const Tokens& t)
{
    ButtonLook look{t.raised, t.borderInput};
    if (isOn(option, QStyle::State_Sunken) || isOn(option, QStyle::State_On)) {
        look.fill = t.pressed;
    } else if (isOn(option, QStyle::State_MouseOver)) {
        look.fill = t.hover;
    }
    return look;
}

ButtonLook lookOf(const QStyleOption& option, ButtonRole role, const Tokens& t)
{
    const bool isHovered = isOn(option, QStyle::State_MouseOver);
    const bool isDown = isOn(option, QStyle::State_Sunken);
    if (!isOn(option, QStyle::State_Enabled)) {
        return {QColor(), role == ButtonRole::Ghost ? QColor() : t.borderInput};
    }
    switch (role) {
    case ButtonRole::Primary: {
        const QColor fill =
            isHovered && !isDown ? mixed(t.accentFill, t.onFill, 0.06) : t.accentFill;
        return {fill, fill};
    }
    case ButtonRole::Destructive: {
        const QColor& failure = t.of(State::Failure).text;
        return {isHovered ? t.of(State::Failure).soft : QColor(), faded(failure, 0.4)};
    }
    case ButtonRole::Ghost: {
        const bool isChecked = isOn(option, QStyle::State_On);
        const QColor fill = isDown || isChecked ? t.pressed : t.hover;
        return {isHovered || isDown || isChecked ? fill : QColor(), QColor()};
    }
    case ButtonRole::Normal:
        break;
    }
    return normalLook(option, t);
}

ButtonRole roleOf(const QWidget* widget)
{
    return widget == nullptr ? ButtonRole::Normal : buttonRole(*widget);
}

} // namespace

void roundedBox(
    QPainter& painter, const QRectF& rect, double radius, const QColor& fill, const QColor& border
)
{
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(border.isValid() ? QPen(border, 1) : QPen(Qt::NoPen));
    painter.setBrush(fill.isValid() ? QBrush(fill) : QBrush(Qt::NoBrush));
    const double inset = border.isValid() ? 0.5 : 0;
    painter.drawRoundedRect(rect.adjusted(inset, inset, -inset, -inset), radius, radius);
    painter.restore();
}

void focusRing(QPainter& painter, const QRectF& rect, double radius, const QColor& color)
{
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setBrush(Qt::NoBrush);
    const double opacity = tokens().focusRingAlpha / 255.0;
    painter.setPen(QPen(faded(color, opacity), 3));
    painter.drawRoundedRect(rect.adjusted(1.5, 1.5, -1.5, -1.5), radius, radius);
    painter.setPen(QPen(color, 1));
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), radius, radius);
    painter.restore();
}

void buttonPanel(QPainter& painter, const QStyleOption& option, const QWidget* widget)
{
    const Tokens& t = tokens();
    const ButtonRole role = roleOf(widget);
    const ButtonLook look = lookOf(option, role, t);
    roundedBox(painter, option.rect, 6, look.fill, look.border);
    if (showsKeyboardFocus(option)) {
        const bool isRed = role == ButtonRole::Destructive;
        focusRing(painter, option.rect, 6, isRed ? t.of(State::Failure).text : t.accent);
    }
}

QColor buttonTextColor(const QStyleOption& option, const QWidget* widget)
{
    const Tokens& t = tokens();
    if (!isOn(option, QStyle::State_Enabled)) {
        return t.textDisabled;
    }
    switch (roleOf(widget)) {
    case ButtonRole::Primary:
        return t.onFill;
    case ButtonRole::Destructive:
        return t.of(State::Failure).text;
    case ButtonRole::Ghost:
        return isOn(option, QStyle::State_MouseOver) ? t.text1 : t.text2;
    case ButtonRole::Normal:
        break;
    }
    return t.text1;
}

void inputPanel(QPainter& painter, const QStyleOption& option, const QWidget* widget)
{
    const Tokens& t = tokens();
    const bool isEnabled = isOn(option, QStyle::State_Enabled);
    const auto state =
        static_cast<FieldState>(widget != nullptr ? widget->property("meshFieldState").toInt() : 0);
    const bool isTinted = state >= FieldState::Valid;
    const StateColors& tone = t.of(
        state == FieldState::Valid      ? State::Healthy
        : state == FieldState::Doubtful ? State::Degraded
                                        : State::Failure
    );
    QColor border =
        isOn(option, QStyle::State_MouseOver) && isEnabled ? t.borderStrong : t.borderInput;
    if (state != FieldState::Normal) {
        border = tone.text;
    }
    const QColor& ground = isTinted ? tone.soft : t.input;
    roundedBox(painter, option.rect, 6, isEnabled ? ground : t.hover, border);
    if (isOn(option, QStyle::State_HasFocus)) {
        focusRing(painter, option.rect, 6, state == FieldState::Normal ? t.accent : tone.text);
    } else if (state == FieldState::Error) {
        focusRing(painter, option.rect, 6, tone.text);
    }
}

void checkBox(QPainter& painter, const QStyleOption& option)
{
    const Tokens& t = tokens();
    const QRectF box = QRectF(option.rect);
    const bool isFilled = isOn(option, QStyle::State_On) || isOn(option, QStyle::State_NoChange);
    painter.save();
    painter.setOpacity(isOn(option, QStyle::State_Enabled) ? 1 : 0.5);
    roundedBox(
        painter, box, 4, isFilled ? t.accentFill : t.input, isFilled ? t.accentFill : t.borderStrong
    );
    if (isOn(option, QStyle::State_On)) {
        drawIcon(painter, box.adjusted(1.5, 1.5, -1.5, -1.5), QStringLiteral("check"), t.onFill);
    } else if (isOn(option, QStyle::State_NoChange)) {
        painter.setPen(QPen(t.onFill, 1.6, Qt::SolidLine, Qt::RoundCap));
        const double y = box.center().y();
        painter.drawLine(QPointF(box.left() + 4, y), QPointF(box.right() - 4, y));
    }
    painter.restore();
}

void radioButton(QPainter& painter, const QStyleOption& option)
{
    const Tokens& t = tokens();
    const QRectF box = QRectF(option.rect);
    const bool isChecked = isOn(option, QStyle::State_On);
    painter.save();
    painter.setOpacity(isOn(option, QStyle::State_Enabled) ? 1 : 0.5);
    roundedBox(
        painter,
        box,
        box.width() / 2,
        isChecked ? t.accentFill : t.input,
        isChecked ? t.accentFill : t.borderStrong
    );
    if (isChecked) {
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(Qt::NoPen);
        painter.setBrush(t.onFill);
        painter.drawEllipse(box.center(), 2.6, 2.6);
    }
    painter.restore();
}

} // namespace mesh::theme::paint
