#include "app/theme/controls.h"
#include "app/theme/figures.h"
#include "app/theme/glyphs.h"
#include "app/theme/icons.h"
#include "app/theme/style_paint.h"

#include <QPainter>

namespace mesh::theme {

Chip::Chip(const QString& text, QWidget* parent)
    : QAbstractButton(parent)
{
    setText(text);
    setFocusPolicy(Qt::NoFocus);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    setAttribute(Qt::WA_Hover);
}

void Chip::setState(std::optional<State> state)
{
    m_state = state;
    updateGeometry();
    update();
}

void Chip::setArrow(Arrow arrow)
{
    m_arrow = arrow;
    setFocusPolicy(arrow == Arrow::Down ? Qt::TabFocus : Qt::NoFocus);
    updateGeometry();
    update();
}

QSize Chip::sizeHint() const
{
    double width = figuresWidth(theme::font(Role::SmallMedium), text()) + 14;
    width += m_state ? 16 : 0;
    width += m_arrow == Arrow::Down ? 15 : 0;
    return QSize(static_cast<int>(width + 1), 20);
}

QSize Chip::minimumSizeHint() const { return sizeHint(); }

void Chip::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    const Tokens& t = tokens();
    const bool isLit = m_arrow == Arrow::Down && (underMouse() || isDown());
    QColor fill = isLit ? t.pressed : t.hover;
    QColor text = isEnabled() ? t.text2 : t.textDisabled;
    if (isChecked()) {
        fill = t.accentSoft;
        text = t.accent;
    }
    if (m_state) {
        fill = t.of(*m_state).soft;
        text = t.of(*m_state).text;
    }
    paint::roundedBox(painter, QRectF(rect()), 4, fill, QColor());
    QRectF words = QRectF(rect()).adjusted(7, 0, -7, 0);
    if (m_state) {
        drawStateGlyph(
            painter, QRectF(words.left() - 1, words.center().y() - 6, 12, 12), *m_state, text, 1.5
        );
        words.adjust(16, 0, 0, 0);
    }
    if (m_arrow == Arrow::Down) {
        const QRectF sign(words.right() - 11, words.center().y() - 6, 12, 12);
        drawIcon(painter, sign, QStringLiteral("chevron-down"), t.text3);
    }
    painter.setFont(theme::font(Role::SmallMedium));
    painter.setPen(text);
    drawFigures(painter, words, this->text(), Qt::AlignLeft | Qt::AlignVCenter);
    if (hasFocus()) {
        paint::focusRing(painter, QRectF(rect()), 4, t.accent);
    }
}

} // namespace mesh::theme
