#include "app/shell/mode_rail.h"

#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QPainter>
#include <QPaintEvent>
#include <QVBoxLayout>

namespace mesh::shell {
namespace {

constexpr int kRailWidth = 64;
constexpr int kItemHeight = 54;
constexpr int kIconSize = 19;

constexpr std::array<const char*, kModeCount> kIcons = {
    "topology", "edit", "rehearse", "rollout", "nodes", "findings", "settings"};

} // namespace

QString modeTitle(Mode mode)
{
    switch (mode) {
    case Mode::Topology:
        return ModeRail::tr("Topology");
    case Mode::Edit:
        //: The mode in which configuration is edited.
        return ModeRail::tr("Edit");
    case Mode::Rehearse:
        return ModeRail::tr("Rehearse");
    case Mode::Rollout:
        return ModeRail::tr("Rollout");
    case Mode::Nodes:
        return ModeRail::tr("Nodes");
    case Mode::Findings:
        return ModeRail::tr("Findings");
    case Mode::Settings:
        return ModeRail::tr("Settings");
    }
    return {};
}

QString modeKey(Mode mode) { return QString::fromLatin1(kIcons[static_cast<std::size_t>(mode)]); }

RailButton::RailButton(const QString& iconName, const QString& title, QWidget* parent)
    : QAbstractButton(parent)
    , m_icon(iconName)
{
    setText(title);
    setCheckable(true);
    setAutoExclusive(true);
    setAttribute(Qt::WA_Hover);
    setFocusPolicy(Qt::TabFocus);
}

void RailButton::setCount(int count)
{
    m_count = count;
    setAccessibleDescription(count > 0 ? tr("%n findings", nullptr, count) : QString());
    update();
}

void RailButton::setProgress(const QString& words)
{
    if (words != m_progress) {
        m_progress = words;
        setAccessibleDescription(words.isEmpty() ? QString() : tr("wave %1").arg(words));
        update();
    }
}

QSize RailButton::sizeHint() const { return {kRailWidth, kItemHeight}; }

void RailButton::paintEvent(QPaintEvent* event)
{
    Q_UNUSED(event)
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const theme::Tokens& tokens = theme::tokens();
    const bool isCurrent = isChecked();
    const QRectF plate = QRectF(rect()).adjusted(5, 3, -6, -3);
    if (isCurrent || underMouse()) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(tokens.hover);
        painter.drawRoundedRect(plate, 6, 6);
    }
    if (isCurrent) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(tokens.accent);
        painter.drawRoundedRect(QRectF(-2, 9, 5, height() - 18), 2, 2);
    }
    if (hasFocus()) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(tokens.accent);
        painter.drawRoundedRect(plate.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
    }
    const QRectF iconRect((kRailWidth - kIconSize) / 2.0, 9.5, kIconSize, kIconSize);
    theme::drawIcon(painter, iconRect, m_icon, isCurrent ? tokens.accent : tokens.text2);
    painter.setFont(theme::font(isCurrent ? theme::Role::CaptionStrong : theme::Role::Caption));
    painter.setPen(isCurrent ? tokens.text1 : tokens.text2);
    const QString label = painter.fontMetrics().elidedText(text(), Qt::ElideRight, kRailWidth - 4);
    painter.drawText(QRectF(0, 29, kRailWidth, 16), Qt::AlignCenter, label);
    if (m_count > 0) {
        const QPointF center(kRailWidth - 14.5, 12.5);
        painter.setPen(Qt::NoPen);
        painter.setBrush(tokens.of(theme::State::Degraded).text);
        painter.drawEllipse(center, 8, 8);
        painter.setFont(theme::font(theme::Role::Capitals));
        painter.setPen(theme::current().isDark() ? tokens.chrome : tokens.onFill);
        const QString number = m_count > 9 ? QStringLiteral("9+") : QString::number(m_count);
        painter.drawText(QRectF(center.x() - 9, center.y() - 8, 18, 16), Qt::AlignCenter, number);
    }
    if (!m_progress.isEmpty()) {
        painter.setFont(theme::font(theme::Role::Capitals));
        const double width = painter.fontMetrics().horizontalAdvance(m_progress) + 10;
        const QRectF badge(kRailWidth - 6 - width, 5, width, 15);
        painter.setPen(Qt::NoPen);
        painter.setBrush(tokens.accent);
        painter.drawRoundedRect(badge, 7.5, 7.5);
        painter.setPen(theme::current().isDark() ? tokens.chrome : tokens.onFill);
        painter.drawText(badge, Qt::AlignCenter, m_progress);
    }
}

ModeRail::ModeRail(QWidget* parent)
    : QWidget(parent)
{
    setFixedWidth(kRailWidth);
    setAccessibleName(tr("Modes"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 6, 0, 5);
    column->setSpacing(0);
    for (int i = 0; i < kModeCount; ++i) {
        const auto mode = static_cast<Mode>(i);
        auto* button = new RailButton(modeKey(mode), modeTitle(mode), this);
        button->setObjectName(QStringLiteral("mode.") + modeKey(mode));
        button->setAccessibleName(modeTitle(mode));
        button->setToolTip(tr("%1 (Ctrl+%2)").arg(modeTitle(mode)).arg(i + 1));
        connect(button, &QAbstractButton::clicked, this, [this, mode] { Q_EMIT modeChosen(mode); });
        if (mode == Mode::Settings) {
            column->addStretch();
        }
        column->addWidget(button);
        m_buttons[static_cast<std::size_t>(i)] = button;
    }
    setMode(Mode::Topology);
}

void ModeRail::setMode(Mode mode) { m_buttons[static_cast<std::size_t>(mode)]->setChecked(true); }

void ModeRail::setFindings(int count)
{
    m_buttons[static_cast<std::size_t>(Mode::Findings)]->setCount(count);
}

void ModeRail::setSilentNodes(int count)
{
    m_buttons[static_cast<std::size_t>(Mode::Nodes)]->setCount(count);
}

void ModeRail::setRollout(const QString& words)
{
    m_buttons[static_cast<std::size_t>(Mode::Rollout)]->setProgress(words);
}

void ModeRail::paintEvent(QPaintEvent* event)
{
    QPainter painter(this);
    painter.fillRect(event->rect(), theme::tokens().chrome);
    painter.fillRect(width() - 1, 0, 1, height(), theme::tokens().border);
}

} // namespace mesh::shell
