#include "app/pages/stability_map.h"

#include "app/bridge/format.h"
#include "app/theme/figures.h"
#include "app/theme/glyphs.h"
#include "app/theme/theme.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace mesh::pages {
namespace {

constexpr double kLeft = 74; // Names of the rows.
constexpr double kTop = 34; // Names of the columns.
constexpr double kCell = 40;
constexpr double kQuick_s = 10; // Recovers before anybody looks.
constexpr double kSlow_s = 45;

theme::State stateOf(const bridge::StabilityCell& cell)
{
    if (!cell.recovered_s) {
        return theme::State::Failure;
    }
    return *cell.recovered_s <= kQuick_s ? theme::State::Healthy : theme::State::Degraded;
}

QString wordsOf(const bridge::StabilityCell& cell)
{
    if (!cell.isDone) {
        return {};
    }
    return cell.recovered_s ? bridge::formatDuration(std::round(*cell.recovered_s) * 1000)
                            : StabilityMap::tr("never");
}

} // namespace

StabilityMap::StabilityMap(QWidget* parent)
    : QWidget(parent)
{
    setObjectName(QStringLiteral("stabilityMap"));
    setAccessibleName(tr("Stability map"));
    setFocusPolicy(Qt::StrongFocus);
    connect(&theme::current(), &theme::Theme::changed, this, [this] { update(); });
}

void StabilityMap::setRows(const bridge::StabilityRows& rows)
{
    m_rows = rows;
    choose(std::clamp(m_current, 0, std::max(0, static_cast<int>(rows.cells.size()) - 1)));
    updateGeometry();
}

void StabilityMap::choose(int index)
{
    m_current = index;
    const auto at = static_cast<std::size_t>(index);
    if (at < m_rows.cells.size()) {
        const bridge::StabilityCell& cell = m_rows.cells[at];
        setAccessibleDescription(
            tr("load ×%1, faults of %2: %3")
                .arg(cell.load)
                .arg(bridge::formatDuration(cell.length_s * 1000))
                .arg(cell.isDone ? tr("recovers: %1").arg(wordsOf(cell)) : tr("not run yet"))
        );
    }
    update();
}

QRectF StabilityMap::cellRect(int index) const
{
    if (m_rows.loads.empty() || index < 0 || index >= static_cast<int>(m_rows.cells.size())) {
        return {};
    }
    const auto columns = static_cast<int>(m_rows.loads.size());
    const double wide = (width() - kLeft - 16.0) / columns;
    return {kLeft + wide * (index % columns), kTop + kCell * (index / columns), wide, kCell};
}

int StabilityMap::cellAt(const QPointF& point) const
{
    for (int i = 0; i < static_cast<int>(m_rows.cells.size()); ++i) {
        if (cellRect(i).contains(point)) {
            return i;
        }
    }
    return -1;
}

QSize StabilityMap::sizeHint() const
{
    return {
        400, static_cast<int>(kTop + kCell * static_cast<double>(m_rows.lengths_s.size()) + 54)};
}

QSize StabilityMap::minimumSizeHint() const { return {300, sizeHint().height()}; }

void StabilityMap::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const theme::Tokens& t = theme::tokens();
    painter.setFont(theme::font(theme::Role::Caption));
    painter.setPen(t.text3);
    painter.drawText(
        QRectF(0, 8, kLeft - 10, 20), Qt::AlignRight | Qt::AlignVCenter, tr("faults last")
    );
    for (std::size_t i = 0; i < m_rows.loads.size(); ++i) {
        const QRectF cell = cellRect(static_cast<int>(i));
        theme::drawFigures(
            painter,
            QRectF(cell.left(), 8, cell.width(), 20),
            QStringLiteral("×%1").arg(m_rows.loads[i]),
            Qt::AlignCenter
        );
    }
    const auto columns = static_cast<int>(m_rows.loads.size());
    for (std::size_t i = 0; i < m_rows.lengths_s.size(); ++i) {
        const QRectF cell = cellRect(static_cast<int>(i) * columns);
        painter.setPen(t.text3);
        theme::drawFigures(
            painter,
            QRectF(0, cell.top(), kLeft - 10, cell.height()),
            bridge::formatDuration(m_rows.lengths_s[i] * 1000),
            Qt::AlignRight | Qt::AlignVCenter
        );
    }
    for (int i = 0; i < static_cast<int>(m_rows.cells.size()); ++i) {
        const bridge::StabilityCell& cell = m_rows.cells[static_cast<std::size_t>(i)];
        const QRectF box = cellRect(i).adjusted(1.5, 1.5, -1.5, -1.5);
        const theme::StateColors& colors = t.of(stateOf(cell));
        painter.setPen(i == m_current ? QPen(t.selection, 2) : QPen(t.border, 1));
        // The longer it takes the fuller the colour.
        const double share =
            !cell.recovered_s ? 0.42 : 0.14 + 0.2 * std::min(1.0, *cell.recovered_s / kSlow_s);
        painter.setBrush(cell.isDone ? theme::mixed(t.panel, colors.line, share) : t.raised);
        painter.drawRoundedRect(box, 4, 4);
        if (!cell.isDone) {
            theme::drawHatch(painter, box.adjusted(1, 1, -1, -1), t.border);
            continue;
        }
        painter.setPen(t.text1);
        painter.setFont(theme::font(theme::Role::CaptionMedium));
        theme::drawFigures(painter, box, wordsOf(cell), Qt::AlignCenter);
    }
    const double foot = kTop + kCell * static_cast<double>(m_rows.lengths_s.size()) + 8;
    painter.setFont(theme::font(theme::Role::Caption));
    painter.setPen(t.text3);
    painter.drawText(
        QRectF(kLeft, foot, width() - kLeft - 16.0, 40),
        Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap,
        tr("Time to recover after the last fault, by load against the scenario's. Enter or a "
           "double "
           "click opens a cell as a run.")
    );
}

void StabilityMap::mousePressEvent(QMouseEvent* event)
{
    const int cell = cellAt(event->position());
    if (cell >= 0) {
        choose(cell);
    }
}

void StabilityMap::mouseDoubleClickEvent(QMouseEvent* event)
{
    const int cell = cellAt(event->position());
    if (cell >= 0) {
        const auto& chosen = m_rows.cells[static_cast<std::size_t>(cell)];
        Q_EMIT cellActivated(chosen.load, chosen.length_s);
    }
}

void StabilityMap::keyPressEvent(QKeyEvent* event)
{
    const auto columns = static_cast<int>(m_rows.loads.size());
    const auto count = static_cast<int>(m_rows.cells.size());
    const int step = event->key() == Qt::Key_Left    ? -1
                     : event->key() == Qt::Key_Right ? 1
                     : event->key() == Qt::Key_Up    ? -columns
                     : event->key() == Qt::Key_Down  ? columns
                                                     : 0;
    if (step != 0 && m_current + step >= 0 && m_current + step < count) {
        choose(m_current + step);
        return;
    }
    const bool isEnter = event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter;
    if (isEnter && m_current < count) {
        const auto& chosen = m_rows.cells[static_cast<std::size_t>(m_current)];
        Q_EMIT cellActivated(chosen.load, chosen.length_s);
        return;
    }
    QWidget::keyPressEvent(event);
}

} // namespace mesh::pages
