#include "app/theme/controls.h"

#include "app/theme/style_paint.h"

#include <QEvent>
#include <QFontMetricsF>
#include <QPainter>
#include <QStyleOption>
#include <QToolButton>

namespace mesh::theme {

namespace {

constexpr char kRoleProperty[] = "meshButtonRole";
constexpr char kTextRoleProperty[] = "meshTextRole";
constexpr char kTextColorProperty[] = "meshTextColor";
constexpr char kFieldStateProperty[] = "meshFieldState";

void applyText(QWidget& widget)
{
    const auto role = static_cast<Role>(widget.property(kTextRoleProperty).toInt());
    const auto color = static_cast<TextColor>(widget.property(kTextColorProperty).toInt());
    widget.setFont(font(role));
    QPalette palette = widget.palette();
    palette.setColor(QPalette::WindowText, textColor(color));
    palette.setColor(QPalette::Text, textColor(color));
    palette.setColor(QPalette::ButtonText, textColor(color));
    widget.setPalette(palette);
}

} // namespace

void setButtonRole(QAbstractButton& button, ButtonRole role)
{
    button.setProperty(kRoleProperty, static_cast<int>(role));
    if (role == ButtonRole::Primary) {
        button.setFont(font(Role::ControlStrong));
    }
    if (auto* const tool = qobject_cast<QToolButton*>(&button)) {
        tool->setAutoRaise(role == ButtonRole::Ghost);
    }
    button.update();
}

ButtonRole buttonRole(const QWidget& button)
{
    const QVariant role = button.property(kRoleProperty);
    if (!role.isValid()) {
        const auto* const tool = qobject_cast<const QToolButton*>(&button);
        return tool != nullptr && tool->autoRaise() ? ButtonRole::Ghost : ButtonRole::Normal;
    }
    return static_cast<ButtonRole>(role.toInt());
}

void setFieldState(QWidget& input, FieldState state)
{
    input.setProperty(kFieldStateProperty, static_cast<int>(state));
    input.update();
}

const QColor& textColor(TextColor color)
{
    const Tokens& t = tokens();
    switch (color) {
    case TextColor::Text1:
        return t.text1;
    case TextColor::Text2:
        return t.text2;
    case TextColor::Text3:
        return t.text3;
    case TextColor::Accent:
        return t.accent;
    case TextColor::Degraded:
        return t.of(State::Degraded).text;
    case TextColor::Failure:
        return t.of(State::Failure).text;
    case TextColor::Healthy:
        return t.of(State::Healthy).text;
    }
    return t.text1;
}

void setText(QWidget& widget, Role role, TextColor color)
{
    const bool isKnown = widget.property(kTextRoleProperty).isValid();
    widget.setProperty(kTextRoleProperty, static_cast<int>(role));
    widget.setProperty(kTextColorProperty, static_cast<int>(color));
    applyText(widget);
    if (!isKnown) {
        QObject::connect(&current(), &Theme::changed, &widget, [target = &widget] {
            applyText(*target);
        });
    }
}

Switch::Switch(QWidget* parent)
    : QAbstractButton(parent)
{
    setCheckable(true);
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
}

QSize Switch::sizeHint() const { return QSize(30, 17); }

void Switch::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    const Tokens& t = tokens();
    painter.setOpacity(isEnabled() ? 1 : 0.5);
    const QRectF box((width() - 30) / 2.0, (height() - 17) / 2.0, 30, 17);
    paint::roundedBox(painter, box, 8.5, isChecked() ? t.accentFill : t.borderInput, QColor());
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(t.onFill);
    const double x = isChecked() ? box.right() - 8.5 : box.left() + 8.5;
    painter.drawEllipse(QPointF(x, box.center().y()), 6.5, 6.5);
    if (hasFocus()) {
        paint::focusRing(painter, box, 8.5, t.accent);
    }
}

KeyCap::KeyCap(const QString& text, QWidget* parent)
    : QWidget(parent)
    , m_text(text)
{
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    setAccessibleName(text);
    setAttribute(Qt::WA_TransparentForMouseEvents);
}

QSize KeyCap::sizeHint() const
{
    const QFontMetricsF metrics(theme::font(Role::Caption));
    return QSize(static_cast<int>(metrics.horizontalAdvance(m_text)) + 12, 18);
}

QSize KeyCap::minimumSizeHint() const { return sizeHint(); }

void KeyCap::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    const Tokens& t = tokens();
    paint::roundedBox(painter, QRectF(rect()), 4, QColor(), t.borderInput);
    painter.setFont(theme::font(Role::Caption));
    painter.setPen(t.text2);
    painter.drawText(rect(), Qt::AlignCenter, m_text);
}

ElidedLabel::ElidedLabel(Role role, QWidget* parent)
    : QWidget(parent)
    , m_role(role)
{
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void ElidedLabel::setText(const QString& text)
{
    if (text == m_text) {
        return;
    }
    m_text = text;
    setAccessibleName(text);
    updateGeometry();
    update();
}

void ElidedLabel::setColor(TextColor color)
{
    m_color = color;
    update();
}

void ElidedLabel::setElideMode(Qt::TextElideMode mode)
{
    m_mode = mode;
    update();
}

QSize ElidedLabel::sizeHint() const
{
    const QFontMetricsF metrics(theme::font(m_role));
    return QSize(
        static_cast<int>(metrics.horizontalAdvance(m_text)) + 2,
        static_cast<int>(metrics.height()) + 1
    );
}

QSize ElidedLabel::minimumSizeHint() const { return QSize(24, sizeHint().height()); }

void ElidedLabel::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    painter.setFont(theme::font(m_role));
    const QFontMetricsF metrics(painter.font());
    const QString shown = metrics.elidedText(m_text, m_mode, width());
    setToolTip(shown == m_text ? QString() : m_text);
    painter.setPen(isEnabled() ? textColor(m_color) : tokens().textDisabled);
    painter.drawText(rect(), Qt::AlignLeft | Qt::AlignVCenter, shown);
}

} // namespace mesh::theme
