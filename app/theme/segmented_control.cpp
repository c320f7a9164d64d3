#include "app/theme/controls.h"
#include "app/theme/icons.h"
#include "app/theme/style_paint.h"

#include <QFontMetricsF>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>

#include <algorithm>

namespace mesh::theme {

SegmentedControl::SegmentedControl(QWidget* parent)
    : QWidget(parent)
{
    setFocusPolicy(Qt::TabFocus);
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
}

int SegmentedControl::addSegment(const QString& text, const QString& iconName)
{
    m_segments.push_back({text, iconName});
    updateGeometry();
    update();
    return count() - 1;
}

void SegmentedControl::setCurrent(int index)
{
    if (index == m_current || index < 0 || index >= count()) {
        return;
    }
    m_current = index;
    update();
    Q_EMIT currentChanged(index);
}

double SegmentedControl::widthOf(const Segment& segment) const
{
    const QFontMetricsF metrics(theme::font(Role::Control));
    const double sign = segment.icon.isEmpty() ? 0 : 20;
    return metrics.horizontalAdvance(segment.text) + sign + 20;
}

int SegmentedControl::segmentAt(double x) const
{
    double right = 0;
    for (int i = 0; i < count(); ++i) {
        right += widthOf(m_segments[static_cast<std::size_t>(i)]);
        if (x < right) {
            return i;
        }
    }
    return -1;
}

QSize SegmentedControl::sizeHint() const
{
    double width = 0;
    for (const Segment& segment : m_segments) {
        width += widthOf(segment);
    }
    return QSize(static_cast<int>(width + 1), 24);
}

QSize SegmentedControl::minimumSizeHint() const { return sizeHint(); }

void SegmentedControl::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    const Tokens& t = tokens();
    const QRectF frame(0, 0, sizeHint().width(), height());
    paint::roundedBox(painter, frame, 6, t.panel, t.borderInput);
    double left = 0;
    for (int i = 0; i < count(); ++i) {
        const Segment& segment = m_segments[static_cast<std::size_t>(i)];
        const QRectF box(left, 0, widthOf(segment), height());
        const bool isCurrent = i == m_current;
        if (isCurrent || i == m_hovered) {
            const QColor fill = isCurrent ? t.pressed : t.hover;
            paint::roundedBox(painter, box.adjusted(1, 1, -1, -1), 5, fill, QColor());
        }
        double textLeft = box.left() + 10;
        const QColor color = isCurrent ? t.text1 : t.text2;
        if (!segment.icon.isEmpty()) {
            drawIcon(painter, QRectF(textLeft, box.center().y() - 7, 14, 14), segment.icon, color);
            textLeft += 20;
        }
        painter.setFont(theme::font(isCurrent ? Role::ControlStrong : Role::Control));
        painter.setPen(isEnabled() ? color : t.textDisabled);
        painter.drawText(
            QRectF(textLeft, 0, box.right() - textLeft, height()),
            Qt::AlignLeft | Qt::AlignVCenter,
            segment.text
        );
        left = box.right();
    }
    if (hasFocus()) {
        paint::focusRing(painter, frame, 6, t.accent);
    }
}

void SegmentedControl::mousePressEvent(QMouseEvent* event)
{
    if (event->button() == Qt::LeftButton) {
        setCurrent(segmentAt(event->position().x()));
    }
}

void SegmentedControl::mouseMoveEvent(QMouseEvent* event)
{
    m_hovered = segmentAt(event->position().x());
    update();
}

void SegmentedControl::leaveEvent(QEvent* /*event*/)
{
    m_hovered = -1;
    update();
}

void SegmentedControl::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Left) {
        setCurrent(std::max(0, m_current - 1));
    } else if (event->key() == Qt::Key_Right) {
        setCurrent(std::min(count() - 1, m_current + 1));
    } else {
        QWidget::keyPressEvent(event);
    }
}

} // namespace mesh::theme
