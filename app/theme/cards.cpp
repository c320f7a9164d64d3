#include "app/theme/controls.h"
#include "app/theme/style_paint.h"

#include <QPainter>
#include <QPainterPath>

namespace mesh::theme {

Card::Card(QWidget* parent, int radius)
    : QFrame(parent)
    , m_radius(radius)
{
    setFrameShape(QFrame::NoFrame);
}

void Card::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    paint::roundedBox(painter, QRectF(rect()), m_radius, tokens().panel, tokens().border);
}

Note::Note(State state, QWidget* parent)
    : QFrame(parent)
    , m_state(state)
{
    setFrameShape(QFrame::NoFrame);
    setContentsMargins(13, 8, 12, 8);
}

void Note::setState(State state)
{
    if (state != m_state) {
        m_state = state;
        update();
    }
}

void Note::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    const StateColors& colors = tokens().of(m_state);
    painter.setRenderHint(QPainter::Antialiasing);
    QPainterPath shape;
    shape.addRoundedRect(QRectF(rect()), 6, 6);
    painter.fillPath(shape, colors.soft);
    painter.setClipPath(shape);
    painter.fillRect(QRectF(0, 0, 3, height()), colors.line);
}

Hairline::Hairline(Qt::Orientation orientation, QWidget* parent)
    : QWidget(parent)
{
    if (orientation == Qt::Horizontal) {
        setFixedHeight(1);
    } else {
        setFixedWidth(1);
    }
}

void Hairline::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    painter.fillRect(rect(), tokens().border);
}

} // namespace mesh::theme
