#include "app/forms/split_controls.h"

#include "app/theme/figures.h"
#include "app/theme/theme.h"

#include <QMouseEvent>
#include <QPainter>

#include <algorithm>

namespace mesh::forms {
namespace {

constexpr int kSharesPage = 10; // Of Page up and Page down.
constexpr int kKnob = 7; // Radius of the slider's knob.

} // namespace

ShareSlider::ShareSlider(QWidget* parent)
    : QSlider(Qt::Horizontal, parent)
{
    setRange(0, kSharesTotal);
    setPageStep(kSharesPage);
    setSingleStep(1);
    setFocusPolicy(Qt::StrongFocus);
    setMinimumWidth(60);
}

void ShareSlider::setColor(const QColor& color)
{
    m_color = color;
    update();
}

void ShareSlider::paintEvent(QPaintEvent* event)
{
    Q_UNUSED(event)
    const theme::Tokens& t = theme::tokens();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const double y = height() / 2.0;
    const double span = width() - 2 * kKnob - 2;
    const double x = 1 + kKnob + span * (value() - minimum()) / std::max(1, maximum() - minimum());
    painter.setPen(Qt::NoPen);
    painter.setBrush(t.pressed);
    painter.drawRoundedRect(QRectF(1 + kKnob, y - 2, span, 4), 2, 2);
    painter.setBrush(isEnabled() ? m_color : t.textDisabled);
    painter.drawRoundedRect(QRectF(1 + kKnob, y - 2, x - 1 - kKnob, 4), 2, 2);
    if (hasFocus()) {
        painter.setBrush(theme::faded(t.accent, t.focusRingAlpha / 255.0));
        painter.drawEllipse(QPointF(x, y), kKnob + 3, kKnob + 3);
    }
    painter.setPen(QPen(hasFocus() ? t.accent : t.borderStrong, 1));
    painter.setBrush(isEnabled() ? t.panel : t.hover);
    painter.drawEllipse(QPointF(x, y), kKnob - 0.5, kKnob - 0.5);
}

void ShareSlider::mousePressEvent(QMouseEvent* event)
{
    // The knob comes to the pointer, as in every volume control.
    const double span = std::max(1, width() - 2 * kKnob);
    const double share = (event->position().x() - kKnob) / span;
    if (event->button() == Qt::LeftButton) {
        const double at = std::clamp(share, 0.0, 1.0) * kSharesTotal;
        setSliderDown(true);
        setValue(static_cast<int>(at + 0.5));
    }
    QSlider::mousePressEvent(event);
}

void ShareSlider::wheelEvent(QWheelEvent* event) { event->ignore(); } // It scrolls the form.

SplitBar::SplitBar(QWidget* parent)
    : QWidget(parent)
{
    setFixedHeight(20);
    setObjectName(QStringLiteral("splitBar"));
}

void SplitBar::setParts(const std::vector<SplitShare>& parts)
{
    m_parts = parts;
    QStringList words;
    for (const SplitShare& part : parts) {
        words << tr("%1 %2 %").arg(part.service).arg(part.share);
    }
    setAccessibleName(words.join(QStringLiteral(", ")));
    setToolTip(accessibleName());
    update();
}

void SplitBar::paintEvent(QPaintEvent* event)
{
    Q_UNUSED(event)
    const theme::Tokens& t = theme::tokens();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(theme::font(theme::Role::CaptionMedium));
    double x = 0;
    for (std::size_t i = 0; i < m_parts.size(); ++i) {
        const double width = this->width() * m_parts[i].share / static_cast<double>(kSharesTotal);
        const QRectF box(x, 0, std::max(0.0, width - 1.5), height());
        const QColor& color = t.series[i % t.series.size()];
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme::mixed(t.panel, color, 0.32));
        painter.drawRoundedRect(box, 3, 3);
        painter.setBrush(color);
        painter.drawRoundedRect(QRectF(x, height() - 3, box.width(), 3), 1.5, 1.5);
        const QString full =
            QStringLiteral("%1 %2\u202F%").arg(m_parts[i].service).arg(m_parts[i].share);
        const QString few = QStringLiteral("%1\u202F%").arg(m_parts[i].share);
        const double room = box.width() - 8;
        const QString& words = theme::figuresWidth(painter.font(), full) <= room ? full : few;
        if (theme::figuresWidth(painter.font(), words) <= room) {
            painter.setPen(t.text1);
            theme::drawFigures(painter, box.adjusted(0, 0, 0, -2), words, Qt::AlignCenter);
        }
        x += width;
    }
}

} // namespace mesh::forms
