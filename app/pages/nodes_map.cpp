#include "app/pages/nodes_map.h"

#include "app/pages/nodes_model.h"
#include "app/pages/texts.h"
#include "app/theme/figures.h"
#include "app/theme/glyphs.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>

namespace mesh::pages {

namespace {

constexpr int kMargin = 16;
constexpr int kPad = 12;
constexpr int kHead = 26;
constexpr int kTileWidth = 148;
constexpr int kTileHeight = 60;
constexpr int kGap = 8;

} // namespace

NodesMap::NodesMap(const bridge::NodesSession& nodes, QWidget* parent)
    : QWidget(parent)
    , m_nodes(nodes)
{
    setObjectName(QStringLiteral("nodesMap"));
    setAccessibleName(tr("Map of nodes by zone"));
    setFocusPolicy(Qt::StrongFocus);
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Minimum);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
}

int NodesMap::columnsFor(int width) const
{
    return std::max(1, (width - 2 * kMargin - 2 * kPad + kGap) / (kTileWidth + kGap));
}

int NodesMap::layOut(int width, std::vector<Box>* boxes, std::vector<QRectF>* tiles) const
{
    const int columns = columnsFor(width);
    double y = kMargin;
    for (std::size_t first = 0; first < m_rows.size();) {
        std::size_t last = first;
        while (last < m_rows.size() && m_rows[last].zone == m_rows[first].zone) {
            ++last;
        }
        const auto count = static_cast<int>(last - first);
        const int lines = (count + columns - 1) / columns;
        const double height = kHead + kPad + lines * (kTileHeight + kGap) - kGap + kPad;
        if (boxes != nullptr) {
            boxes->push_back(
                {m_rows[first].zone,
                 QRectF(kMargin, y, width - 2 * kMargin, height),
                 first,
                 last - first}
            );
        }
        for (int at = 0; tiles != nullptr && at < count; ++at) {
            tiles->emplace_back(
                kMargin + kPad + (at % columns) * (kTileWidth + kGap),
                y + kHead + kPad + static_cast<double>(at / columns) * (kTileHeight + kGap),
                kTileWidth,
                kTileHeight
            );
        }
        y += height + kMargin;
        first = last;
    }
    return static_cast<int>(y);
}

int NodesMap::heightForWidth(int width) const { return layOut(width, nullptr, nullptr); }

QSize NodesMap::sizeHint() const { return {600, heightForWidth(std::max(width(), 400))}; }

void NodesMap::layOutAgain()
{
    m_boxes.clear();
    m_tiles.clear();
    setMinimumHeight(layOut(width(), &m_boxes, &m_tiles));
    update();
}

void NodesMap::setNodes(std::vector<bridge::NodeRow> rows)
{
    m_rows = std::move(rows);
    layOutAgain();
}

void NodesMap::setCurrentNode(const QString& node)
{
    m_current = node;
    update();
}

void NodesMap::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    layOutAgain();
}

void NodesMap::paintTile(QPainter& painter, const QRectF& tile, const bridge::NodeRow& node) const
{
    const theme::Tokens& t = theme::tokens();
    const bridge::NodeVerdict verdict = bridge::verdictOf(node, m_nodes.now_us());
    const theme::State state = stateOf(verdict);
    const bool isCurrent = node.name == m_current;
    const bool isQuiet = state == theme::State::Stale;
    painter.setPen(QPen(isCurrent ? t.accent : t.border, isCurrent ? 2 : 1));
    painter.setBrush(isCurrent ? t.accentSoft : t.panel);
    painter.drawRoundedRect(tile.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
    if (isQuiet) {
        theme::drawHatch(painter, tile.adjusted(2, 2, -2, -2), t.hover);
    }
    const QRectF inner = tile.adjusted(10, 8, -10, -8);
    theme::drawStateGlyph(
        painter, QRectF(inner.left(), inner.top() + 2, 12, 12), state, t.of(state).text, 1.6
    );
    painter.setFont(theme::font(theme::Role::SmallStrong));
    painter.setPen(t.text1);
    const QRectF title =
        inner.adjusted(18, 0, node.role == bridge::NodeRoleKind::Gateway ? -16 : 0, 0);
    painter.drawText(
        title,
        Qt::AlignLeft | Qt::AlignTop,
        painter.fontMetrics().elidedText(
            node.name, Qt::ElideMiddle, static_cast<int>(title.width())
        )
    );
    if (node.role == bridge::NodeRoleKind::Gateway) {
        theme::drawIcon(
            painter,
            QRectF(inner.right() - 13, inner.top() + 1, 13, 13),
            QStringLiteral("gateway"),
            t.text2
        );
    }
    painter.setFont(theme::font(theme::Role::Caption));
    const bool isCalm = state == theme::State::Healthy;
    painter.setPen(isCalm ? t.text2 : t.of(state).text);
    theme::drawFigures(
        painter,
        inner,
        isCalm ? tr("%1 rps · %2 %").arg(rateText(node.rps)).arg(node.cpuPercent, 0, 'f', 0)
               : verdictText(node, m_nodes.now_us()),
        Qt::AlignLeft | Qt::AlignBottom
    );
}

void NodesMap::paintEvent(QPaintEvent* event)
{
    const theme::Tokens& t = theme::tokens();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.fillRect(event->rect(), t.canvas);
    for (const Box& box : m_boxes) {
        if (!box.rect.intersects(event->rect())) {
            continue;
        }
        painter.setPen(QPen(t.border, 1));
        painter.setBrush(t.raised);
        painter.drawRoundedRect(box.rect.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8);
        painter.setFont(theme::font(theme::Role::SmallStrong));
        painter.setPen(t.text1);
        const QRectF head(box.rect.left() + kPad, box.rect.top() + 6, box.rect.width(), kHead);
        const QString name = box.zone.isEmpty() ? tr("no zone") : tr("zone %1").arg(box.zone);
        painter.drawText(head, Qt::AlignLeft | Qt::AlignVCenter, name);
        painter.setFont(theme::font(theme::Role::Caption));
        painter.setPen(t.text2);
        painter.drawText(
            head.adjusted(0, 0, -2 * kPad, 0),
            Qt::AlignRight | Qt::AlignVCenter,
            tr("%n node(s)", nullptr, static_cast<int>(box.count))
        );
        for (std::size_t at = box.first; at < box.first + box.count; ++at) {
            if (m_tiles[at].intersects(event->rect())) {
                paintTile(painter, m_tiles[at], m_rows[at]);
            }
        }
    }
}

int NodesMap::tileAt(const QPointF& place) const
{
    const auto found = std::find_if(m_tiles.begin(), m_tiles.end(), [&](const QRectF& tile) {
        return tile.contains(place);
    });
    return found == m_tiles.end() ? -1 : static_cast<int>(found - m_tiles.begin());
}

void NodesMap::choose(int at)
{
    if (at >= 0 && at < static_cast<int>(m_rows.size())) {
        m_current = m_rows[static_cast<std::size_t>(at)].name;
        update();
        Q_EMIT nodeSelected(m_current);
    }
}

void NodesMap::mousePressEvent(QMouseEvent* event)
{
    setFocus(Qt::MouseFocusReason);
    choose(tileAt(event->position()));
}

void NodesMap::keyPressEvent(QKeyEvent* event)
{
    const auto found = std::find_if(m_rows.begin(), m_rows.end(), [this](const auto& row) {
        return row.name == m_current;
    });
    const int at = found == m_rows.end() ? -1 : static_cast<int>(found - m_rows.begin());
    const int columns = columnsFor(width());
    switch (event->key()) {
    case Qt::Key_Right:
        choose(at + 1);
        return;
    case Qt::Key_Left:
        choose(at - 1);
        return;
    case Qt::Key_Down:
        choose(std::min(at + columns, static_cast<int>(m_rows.size()) - 1));
        return;
    case Qt::Key_Up:
        choose(std::max(at - columns, 0));
        return;
    default:
        QWidget::keyPressEvent(event);
    }
}

bool NodesMap::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const int at = tileAt(help->pos());
        if (at >= 0) {
            const bridge::NodeRow& node = m_rows[static_cast<std::size_t>(at)];
            QToolTip::showText(
                help->globalPos(),
                QStringLiteral("%1\n%2\n%3")
                    .arg(node.name, verdictText(node, m_nodes.now_us()), node.address),
                this
            );
        }
        return true;
    }
    return QWidget::event(event);
}

} // namespace mesh::pages
