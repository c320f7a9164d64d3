#include "app/pages/inspector.h"
#include "app/pages/texts.h"
#include "app/theme/controls.h"
#include "app/theme/glyphs.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QPainterPath>
#include <QToolButton>

#include <algorithm>

namespace mesh::pages {
namespace {

constexpr int kPicture = 40;

QPainterPath outlineOf(const QRectF& rect, bool isGateway)
{
    QPainterPath path;
    if (!isGateway) {
        path.addRoundedRect(rect, rect.width() * 0.26, rect.width() * 0.26);
        return path;
    }
    const QPointF c = rect.center();
    const double r = rect.width() / 2;
    path.moveTo(c + QPointF(-r, 0));
    path.lineTo(c + QPointF(-r / 2, -0.87 * r));
    path.lineTo(c + QPointF(r / 2, -0.87 * r));
    path.lineTo(c + QPointF(r, 0));
    path.lineTo(c + QPointF(r / 2, 0.87 * r));
    path.lineTo(c + QPointF(-r / 2, 0.87 * r));
    path.closeSubpath();
    return path;
}

} // namespace

InspectorHead::InspectorHead(QWidget* parent)
    : QWidget(parent)
    , m_title(new QLabel(this))
    , m_line(new QLabel(this))
    , m_state(new theme::Chip({}, this))
    , m_pin(new QToolButton(this))
    , m_menu(new QToolButton(this))
{
    setFixedHeight(42);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(kPicture + 13, 0, 0, 0);
    row->setSpacing(2);
    auto* words = new QVBoxLayout;
    words->setSpacing(0);
    auto* first = new QHBoxLayout;
    first->setSpacing(8);
    theme::setText(*m_title, theme::Role::Title);
    m_title->setObjectName(QStringLiteral("inspectorTitle"));
    m_title->setMinimumWidth(20);
    m_state->setFocusPolicy(Qt::NoFocus);
    first->addWidget(m_title);
    first->addWidget(m_state);
    first->addStretch();
    theme::setText(*m_line, theme::Role::Small, theme::TextColor::Text3);
    m_line->setMinimumWidth(20);
    words->addLayout(first);
    words->addWidget(m_line);
    row->addLayout(words, 1);
    for (QToolButton* button : {m_pin, m_menu}) {
        theme::setButtonRole(*button, theme::ButtonRole::Ghost);
        button->setFixedSize(28, 28);
        row->addWidget(button);
    }
    m_pin->setIcon(theme::icon(QStringLiteral("pin")));
    m_pin->setCheckable(true);
    m_pin->setObjectName(QStringLiteral("inspectorPin"));
    m_pin->setAccessibleName(tr("Keep showing this"));
    m_pin->setToolTip(tr("Keep showing this, whatever is selected"));
    m_menu->setIcon(theme::icon(QStringLiteral("kebab")));
    m_menu->setObjectName(QStringLiteral("inspectorMenu"));
    m_menu->setAccessibleName(tr("More actions"));
    m_menu->setToolTip(tr("More actions"));
}

void InspectorHead::setEntity(const QString& title, const QString& line, bridge::HealthState state)
{
    const QFontMetrics metrics(theme::font(theme::Role::Title));
    m_title->setText(metrics.elidedText(title, Qt::ElideMiddle, 150));
    m_title->setToolTip(title);
    m_line->setText(line);
    m_line->setToolTip(line);
    m_health = state;
    m_state->setText(wordOf(state));
    m_state->setState(stateOf(state));
    m_state->setAccessibleName(wordOf(state));
    update();
}

void InspectorHead::setShares(
    double success, double clientError, double serverError, bool isGateway
)
{
    Q_UNUSED(success)
    m_clientError = clientError;
    m_serverError = serverError;
    m_isGateway = isGateway;
    update();
}

void InspectorHead::paintEvent(QPaintEvent* event)
{
    Q_UNUSED(event)
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const theme::Tokens& tokens = theme::tokens();
    const theme::State state = stateOf(m_health);
    const QColor& color = tokens.of(state).text;
    const QRectF box(1, (height() - kPicture) / 2.0, kPicture, kPicture);
    const QPainterPath outer = outlineOf(box.adjusted(1.5, 1.5, -1.5, -1.5), m_isGateway);
    const bool isSilent = m_health == bridge::HealthState::NoData
                          || m_health == bridge::HealthState::Stale
                          || m_health == bridge::HealthState::Idle;
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(isSilent ? color : tokens.of(theme::State::Healthy).text, 3));
    painter.drawPath(outer);
    const auto arc = [&](double begin, double share, const QColor& ink) {
        if (share <= 0) {
            return;
        }
        const double length = outer.length() / 3; // The dash unit is the pen's width.
        QPen pen(ink, 3, Qt::CustomDashLine, Qt::FlatCap);
        pen.setDashPattern({std::max(share, 0.02) * length, length});
        pen.setDashOffset(-begin * length);
        painter.setPen(pen);
        painter.drawPath(outer);
    };
    arc(0.02, m_clientError, tokens.statusCodes[3]);
    arc(0.02 + m_clientError, m_serverError, tokens.of(theme::State::Failure).text);
    const QPainterPath core = outlineOf(box.adjusted(5.5, 5.5, -5.5, -5.5), m_isGateway);
    const bool isLoud = state == theme::State::Degraded || state == theme::State::Failure;
    painter.setPen(QPen(theme::faded(color, 0.28), 1));
    painter.setBrush(theme::mixed(tokens.panel, color, isLoud ? 0.16 : 0.06));
    painter.drawPath(core);
    const QRectF glyph(box.center().x() - 6, box.center().y() - 6, 12, 12);
    theme::drawStateGlyph(painter, glyph, state, color);
}

} // namespace mesh::pages
