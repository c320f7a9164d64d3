#include "app/graph/overlays.h"

#include "app/bridge/policy_words.h"
#include "app/graph/policy_marks.h"
#include "app/theme/figures.h"
#include "app/theme/glyphs.h"
#include "app/theme/icons.h"
#include "app/theme/numbers.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QToolButton>

#include <cmath>
#include <map>
#include <utility>

namespace mesh::graph {

namespace {

using theme::Role;
using theme::State;
using theme::Tokens;

void drawWords(QPainter& painter, QPointF at, const QString& words)
{
    theme::drawFigures(
        painter, QRectF(at.x(), at.y() - 8, 400, 16), words, Qt::AlignLeft | Qt::AlignVCenter
    );
}

void drawLine(QPainter& painter, double y, const QPen& pen)
{
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(pen);
    painter.drawLine(QPointF(13, y), QPointF(39, y));
}

} // namespace

LegendPanel::LegendPanel(QWidget* parent)
    : Card(parent)
{
    setObjectName(QStringLiteral("legendPanel"));
    setAccessibleName(tr("Legend"));
}

namespace {

constexpr int kLegendTop = 136;
constexpr int kLegendRow = 19;

void drawPolicySigns(QPainter& painter, int width, const std::set<bridge::PolicyKind>& kinds)
{
    if (kinds.empty()) {
        return;
    }
    const Tokens& t = theme::tokens();
    painter.setPen(QPen(t.border, 1));
    painter.drawLine(QPointF(13, kLegendTop - 0.5), QPointF(width - 13, kLegendTop - 0.5));
    int at = 0;
    for (const bridge::PolicyKind kind : kinds) {
        const double x = at % 2 == 0 ? 13 : 140;
        const double y = kLegendTop + 14 + kLegendRow * (at / 2);
        const State state = stateOf(kind);
        const QColor& color = state == State::Idle ? t.text1 : t.of(state).text;
        theme::drawIcon(painter, QRectF(x, y - 6, 12, 12), bridge::policyIcon(kind), color);
        painter.setPen(t.text2);
        drawWords(painter, {x + 18, y}, bridge::policyText(kind));
        ++at;
    }
}

} // namespace

void LegendPanel::setTopology(const bridge::Topology& topology)
{
    std::set<bridge::PolicyKind> kinds;
    for (const bridge::EntityRow& entity : topology.entities) {
        for (const bridge::PolicyRow& policy : entity.policies) {
            kinds.insert(policy.kind);
        }
    }
    if (kinds != m_kinds) {
        m_kinds = std::move(kinds);
        resize(sizeHint());
        update();
    }
}

QSize LegendPanel::sizeHint() const
{
    const int rows = static_cast<int>(m_kinds.size() + 1) / 2;
    return rows == 0 ? QSize(208, kLegendTop) : QSize(276, kLegendTop + rows * kLegendRow + 10);
}

void LegendPanel::paintEvent(QPaintEvent* event)
{
    Card::paintEvent(event);
    QPainter painter(this);
    const Tokens& t = theme::tokens();
    painter.setFont(theme::font(Role::CaptionStrong));
    painter.setPen(t.text1);
    drawWords(painter, {13, 16}, tr("Legend"));
    painter.setPen(t.text3);
    painter.drawText(QRectF(0, 8, width() - 13, 16), Qt::AlignRight | Qt::AlignVCenter, tr("L"));
    const double rows[] = {40, 61, 82, 103, 122};
    drawLine(painter, rows[0], QPen(t.of(State::Degraded).line, 2.75));
    drawLine(painter, rows[1], QPen(t.of(State::Failure).line, 3.25));
    for (const double x : {20.0, 32.0}) {
        painter.setPen(QPen(t.of(State::Failure).line, 1.6, Qt::SolidLine, Qt::RoundCap));
        painter.drawLine(QPointF(x - 3, rows[1] - 3), QPointF(x + 3, rows[1] + 3));
        painter.drawLine(QPointF(x - 3, rows[1] + 3), QPointF(x + 3, rows[1] - 3));
    }
    QPen tcp(t.edgeTcp, 2);
    tcp.setDashPattern({5, 2.5});
    drawLine(painter, rows[2], tcp);
    QPen idle(t.of(State::Idle).line, 1.5);
    idle.setDashPattern({1, 2.7});
    drawLine(painter, rows[3], idle);
    theme::drawIcon(painter, QRectF(20, rows[4] - 6, 12, 12), QStringLiteral("pencil"), t.accent);
    painter.setFont(theme::font(Role::Caption));
    painter.setPen(t.text2);
    drawWords(painter, {47, rows[0]}, tr("degraded edge"));
    drawWords(painter, {47, rows[1]}, tr("failing edge"));
    drawWords(painter, {47, rows[2]}, tr("TCP"));
    drawWords(painter, {47, rows[3]}, tr("idle"));
    drawWords(painter, {47, rows[4]}, tr("pending change"));
    const std::pair<theme::Pip, QString> pips[] = {
        {theme::Pip::Up, tr("up")},
        {theme::Pip::Ejected, tr("ejected")},
        {theme::Pip::Draining, tr("draining")},
        {theme::Pip::Stale, tr("stale")},
        {theme::Pip::Down, tr("down")},
    };
    int row = 0;
    const double x = 140;
    for (const auto& [pip, word] : pips) {
        const double y = rows[row++];
        theme::drawPip(painter, QRectF(x, y - 3.5, 7, 7), pip);
        painter.setPen(t.text2);
        drawWords(painter, {x + 18, y}, word);
    }
    drawPolicySigns(painter, width(), m_kinds);
}

ZonesPanel::ZonesPanel(QWidget* parent)
    : Card(parent)
{
    setObjectName(QStringLiteral("zonesPanel"));
    setAccessibleName(tr("Zones"));
    hide();
}

void ZonesPanel::setTopology(const bridge::Topology& topology)
{
    std::map<QString, Zone> zones;
    m_instances = 0;
    m_rps = 0;
    for (const bridge::EntityRow& entity : topology.entities) {
        for (const bridge::InstanceRow& instance : entity.instances) {
            Zone& zone = zones[instance.zone];
            zone.name = instance.zone;
            ++zone.total;
            ++m_instances;
            m_rps += instance.figures.rps;
            zone.rps += instance.figures.rps;
            switch (instance.state) {
            case bridge::InstanceState::Up:
                ++zone.up;
                break;
            case bridge::InstanceState::Ejected:
                ++zone.ejected;
                break;
            case bridge::InstanceState::Stale:
                ++zone.stale;
                break;
            default:
                ++zone.other;
            }
        }
    }
    const std::size_t before = m_zones.size();
    m_zones.clear();
    for (const auto& [name, zone] : zones) {
        if (!name.isEmpty()) {
            m_zones.push_back(zone);
        }
    }
    m_crossZone = topology.crossZoneShare;
    setVisible(hasZones());
    if (m_zones.size() != before) {
        resize(sizeHint());
    }
    update();
}

QSize ZonesPanel::sizeHint() const
{
    return QSize(244, 30 + 20 * static_cast<int>(m_zones.size()) + 26);
}

void ZonesPanel::paintEvent(QPaintEvent* event)
{
    Card::paintEvent(event);
    QPainter painter(this);
    const Tokens& t = theme::tokens();
    const double right = width() - 13;
    const auto drawRight = [&](double y, const QString& words) {
        const QRectF box(0, y - 8, right, 16);
        theme::drawFigures(painter, box, words, Qt::AlignRight | Qt::AlignVCenter);
    };
    painter.setFont(theme::font(Role::CaptionStrong));
    painter.setPen(t.text1);
    drawWords(painter, {13, 16}, tr("Zones"));
    painter.setFont(theme::font(Role::Caption));
    painter.setPen(t.text2);
    drawRight(16, tr("%n instance(s)", nullptr, m_instances));
    double y = 36;
    for (const Zone& zone : m_zones) {
        const bool isWell = zone.ejected + zone.stale + zone.other == 0;
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(Qt::NoPen);
        painter.setBrush(t.of(isWell ? State::Healthy : State::Degraded).line);
        painter.drawEllipse(QPointF(16.5, y), 3.5, 3.5);
        painter.setPen(t.text1);
        painter.setFont(theme::font(Role::CaptionStrong));
        drawWords(painter, {27, y}, zone.name);
        const double after = 27 + theme::figuresWidth(painter.font(), zone.name) + 7;
        painter.setFont(theme::font(Role::Caption));
        painter.setPen(t.text2);
        QStringList words{tr("%1 up").arg(zone.up)};
        if (zone.ejected > 0) {
            words.append(tr("%1 ejected").arg(zone.ejected));
        }
        if (zone.stale > 0) {
            words.append(tr("%1 stale").arg(zone.stale));
        }
        if (zone.other > 0) {
            words.append(tr("%1 down").arg(zone.other));
        }
        drawWords(painter, {after, y}, words.join(QStringLiteral(" · ")));
        const QString share = m_rps > 0
                                  ? QStringLiteral("%1 %").arg(std::lround(100 * zone.rps / m_rps))
                                  : theme::noValue();
        drawRight(y, share);
        y += 20;
    }
    painter.setPen(QPen(t.border, 1));
    painter.drawLine(QPointF(13, y - 6.5), QPointF(right, y - 6.5));
    painter.setPen(t.text2);
    drawWords(painter, {13, y + 7}, tr("cross-zone traffic"));
    drawRight(y + 7, m_crossZone ? theme::shareText(*m_crossZone) : theme::noValue());
}

ZoomBar::ZoomBar(QWidget* parent)
    : Card(parent)
{
    setObjectName(QStringLiteral("zoomBar"));
    auto* const row = new QHBoxLayout(this);
    row->setContentsMargins(3, 3, 3, 3);
    row->setSpacing(2);
    QToolButton* const out = addButton({}, QStringLiteral("minus"), tr("Zoom out (−)"));
    m_percent = addButton(QStringLiteral("100 %"), {}, tr("Zoom to 100 % (0)"));
    QToolButton* const in = addButton({}, QStringLiteral("plus"), tr("Zoom in (+)"));
    QToolButton* const fit = addButton(tr("Fit"), QStringLiteral("fit"), tr("Fit everything (F)"));
    QToolButton* const layout = addButton(tr("Re-layout"), {}, tr("Lay out again (R)"));
    m_animate = addButton(tr("Animate"), {}, tr("Animate traffic (A)"));
    m_animate->setCheckable(true);
    connect(out, &QToolButton::clicked, this, &ZoomBar::zoomOutClicked);
    connect(m_percent, &QToolButton::clicked, this, &ZoomBar::resetClicked);
    connect(in, &QToolButton::clicked, this, &ZoomBar::zoomInClicked);
    connect(fit, &QToolButton::clicked, this, &ZoomBar::fitClicked);
    connect(layout, &QToolButton::clicked, this, &ZoomBar::layoutClicked);
    connect(m_animate, &QToolButton::clicked, this, &ZoomBar::animateToggled);
}

QToolButton* ZoomBar::addButton(const QString& text, const QString& icon, const QString& name)
{
    auto* const button = new QToolButton(this);
    theme::setButtonRole(*button, theme::ButtonRole::Ghost);
    button->setText(text);
    if (!icon.isEmpty()) {
        button->setIcon(theme::icon(icon));
        button->setIconSize(QSize(14, 14));
    }
    if (!text.isEmpty() && !icon.isEmpty()) {
        button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    }
    button->setToolTip(name);
    button->setAccessibleName(name);
    button->setFocusPolicy(Qt::NoFocus);
    layout()->addWidget(button);
    return button;
}

void ZoomBar::setZoom(double zoom)
{
    m_percent->setText(QStringLiteral("%1 %").arg(std::lround(zoom * 100)));
}

void ZoomBar::setAnimated(bool isAnimated) { m_animate->setChecked(isAnimated); }

} // namespace mesh::graph
