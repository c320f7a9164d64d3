#include "app/pages/step_number.h"

#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QPainter>

namespace mesh::pages {
namespace {

constexpr int kSide = 19;
constexpr double kTick = 11;

} // namespace

StepNumber::StepNumber(int number, QWidget* parent)
    : QWidget(parent)
    , m_number(number)
{
    setFixedSize(kSide, kSide);
}

void StepNumber::setState(StepState state)
{
    if (m_state != state) {
        m_state = state;
        update();
    }
}

void StepNumber::paintEvent(QPaintEvent* /*event*/)
{
    const theme::Tokens& t = theme::tokens();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF ring = QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5);
    if (m_state == StepState::Done) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(t.of(theme::State::Healthy).soft);
        painter.drawEllipse(ring);
        const QRectF tick(ring.center() - QPointF(kTick / 2, kTick / 2), QSizeF(kTick, kTick));
        theme::drawIcon(painter, tick, QStringLiteral("check"), t.of(theme::State::Healthy).text);
        return;
    }
    const bool isCurrent = m_state == StepState::Current;
    painter.setPen(isCurrent ? t.accent : t.borderInput);
    painter.drawEllipse(ring);
    painter.setPen(isCurrent ? t.accent : t.text2);
    painter.setFont(theme::font(theme::Role::CaptionMedium));
    painter.drawText(rect(), Qt::AlignCenter, QString::number(m_number));
}

} // namespace mesh::pages
