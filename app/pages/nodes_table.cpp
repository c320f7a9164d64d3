#include "app/pages/nodes_table.h"

#include "app/charts/sparkline.h"
#include "app/pages/nodes_model.h"
#include "app/theme/figures.h"
#include "app/theme/glyphs.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QHeaderView>
#include <QPainter>
#include <QResizeEvent>

#include <algorithm>
#include <array>
#include <optional>

namespace mesh::pages {

namespace {

using theme::State;

// Widths at 1000 px; the rest is given to all in proportion.
constexpr std::array<int, NodesModel::ColumnCount> kWidths = {
    96, 112, 82, 138, 58, 60, 112, 62, 110, 84, 86};

// Zone rows, sparklines, bars; the rest is the theme's.
class NodesDelegate final : public theme::RowDelegate
{
public:
    NodesDelegate(const bridge::NodesSession& nodes, QObject* parent)
        : RowDelegate(parent)
        , m_nodes(nodes)
        , m_states(new theme::StateCellDelegate(this))
        , m_numbers(new theme::NumberDelegate(this))
    {}

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index)
        const override
    {
        if (!index.parent().isValid()) {
            paintZone(*painter, option, index);
            return;
        }
        switch (index.column()) {
        case NodesModel::State:
            m_states->paint(painter, option, index);
            break;
        case NodesModel::Rate:
        case NodesModel::Errors:
        case NodesModel::Memory:
        case NodesModel::Certificate:
            m_numbers->paint(painter, option, index);
            break;
        case NodesModel::Revision:
            paintRevision(*painter, option, index);
            break;
        case NodesModel::History:
            paintHistory(*painter, option, index);
            break;
        case NodesModel::Cpu:
            paintCpu(*painter, option, index);
            break;
        default:
            RowDelegate::paint(painter, option, index);
            break;
        }
        // Trees have no hairlines of their own.
        painter->fillRect(
            QRectF(option.rect.left(), option.rect.bottom(), option.rect.width(), 1),
            theme::tokens().border
        );
    }

    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index)
        const override
    {
        const QSize size = QStyledItemDelegate::sizeHint(option, index);
        return QSize(size.width() + 16, theme::metrics().fleetRow);
    }

private:
    void paintZone(QPainter& painter, const QStyleOptionViewItem& option, const QModelIndex& index)
        const
    {
        const theme::Tokens& t = theme::tokens();
        painter.save();
        painter.fillRect(option.rect, t.raised);
        const QRectF rect(option.rect);
        painter.fillRect(QRectF(rect.left(), rect.bottom() - 1, rect.width(), 1), t.border);
        if (index.column() == NodesModel::Name) {
            const bool isOpen = option.state.testFlag(QStyle::State_Open);
            theme::drawIcon(
                painter,
                QRectF(rect.left() + 8, rect.center().y() - 6, 12, 12),
                isOpen ? QStringLiteral("chevron-down") : QStringLiteral("chevron-right"),
                t.text2
            );
            QRectF cell = rect.adjusted(28, 0, -8, 0);
            painter.setFont(theme::font(theme::Role::SmallStrong));
            painter.setPen(t.text1);
            const QString name = index.data().toString();
            painter.drawText(cell, Qt::AlignLeft | Qt::AlignVCenter, name);
            cell.adjust(painter.fontMetrics().horizontalAdvance(name) + 10, 0, 0, 0);
            painter.setFont(theme::font(theme::Role::Caption));
            painter.setPen(t.text2);
            painter.drawText(
                cell,
                Qt::AlignLeft | Qt::AlignVCenter,
                index.data(NodesModel::ZoneNoteRole).toString()
            );
        }
        painter.restore();
    }

    void paintRevision(
        QPainter& painter, const QStyleOptionViewItem& option, const QModelIndex& index
    ) const
    {
        painter.save();
        paintGround(painter, option, index);
        const QVariant state = index.data(theme::kStateRole);
        const theme::Tokens& t = theme::tokens();
        painter.setFont(theme::font(theme::Role::SmallStrong));
        painter.setPen(state.isValid() ? t.of(State::Degraded).text : t.text1);
        theme::drawFigures(
            painter,
            QRectF(option.rect).adjusted(8, 0, -8, 0),
            index.data().toString(),
            Qt::AlignLeft | Qt::AlignVCenter
        );
        painter.restore();
    }

    void paintHistory(
        QPainter& painter, const QStyleOptionViewItem& option, const QModelIndex& index
    ) const
    {
        painter.save();
        paintGround(painter, option, index);
        const auto history = m_nodes.history(index.data(NodesModel::KeyRole).toString());
        const QRectF cell(option.rect);
        const QRectF plot(cell.left() + 8, cell.center().y() - 10, cell.width() - 16, 20);
        const double step = plot.width() / (bridge::NodesSession::kSteps - 1);
        const auto xOf = [&](int at) { return plot.left() + step * at; };
        std::vector<std::optional<double>> values;
        int quietFrom = -1;
        // The newest step may have no report yet; that is no silence.
        const int end = history.samples.back().rps ? bridge::NodesSession::kSteps
                                                   : bridge::NodesSession::kSteps - 1;
        for (int at = 0; at < end; ++at) {
            const auto& sample = history.samples[static_cast<std::size_t>(at)];
            values.push_back(sample.rps);
            const bool isQuiet = !sample.rps && at >= history.known;
            if (isQuiet && quietFrom < 0) {
                quietFrom = at;
            }
            if (quietFrom >= 0 && (!isQuiet || at == end - 1)) {
                const double right = xOf(isQuiet ? bridge::NodesSession::kSteps - 1 : at);
                const double left = xOf(std::max(0, quietFrom - 1));
                theme::drawHatch(
                    painter,
                    QRectF(left, plot.top() + 1, right - left, plot.height() - 2),
                    theme::tokens().borderInput
                );
                quietFrom = -1;
            }
        }
        while (values.size() < bridge::NodesSession::kSteps) {
            values.emplace_back();
        }
        const bool isSilent = !history.samples[bridge::NodesSession::kSteps - 1].rps
                              && !history.samples[bridge::NodesSession::kSteps - 2].rps;
        const theme::Tokens& t = theme::tokens();
        charts::drawSparkline(
            painter, plot, values, isSilent ? t.of(State::Stale).line : t.series.front()
        );
        painter.restore();
    }

    void paintCpu(QPainter& painter, const QStyleOptionViewItem& option, const QModelIndex& index)
        const
    {
        m_numbers->paint(&painter, option, index);
        const QVariant share = index.data(NodesModel::ShareRole);
        if (!share.isValid()) {
            return;
        }
        const theme::Tokens& t = theme::tokens();
        painter.save();
        painter.setRenderHint(QPainter::Antialiasing);
        const QRectF cell(option.rect);
        const QRectF bar(cell.left() + 8, cell.center().y() - 2.5, cell.width() - 62, 5);
        painter.setPen(Qt::NoPen);
        painter.setBrush(t.hover);
        painter.drawRoundedRect(bar, 2.5, 2.5);
        const double part = std::clamp(share.toDouble(), 0.0, 1.0);
        if (part > 0) {
            QRectF filled = bar;
            filled.setWidth(std::max(4.0, bar.width() * part));
            painter.setBrush(t.series.front());
            painter.drawRoundedRect(filled, 2.5, 2.5);
        }
        painter.restore();
    }

    const bridge::NodesSession& m_nodes;
    theme::StateCellDelegate* m_states;
    theme::NumberDelegate* m_numbers;
};

} // namespace

NodesTable::NodesTable(NodesModel& model, const bridge::NodesSession& nodes, QWidget* parent)
    : QTreeView(parent)
    , m_model(model)
{
    setObjectName(QStringLiteral("nodes"));
    setAccessibleName(tr("Nodes by zone"));
    theme::applyTreeDefaults(*this);
    setItemDelegate(new NodesDelegate(nodes, this));
    setModel(&model);
    setRootIsDecorated(true);
    setIndentation(0);
    setExpandsOnDoubleClick(false);
    setAllColumnsShowFocus(true);
    setSelectionMode(QAbstractItemView::SingleSelection);
    setSortingEnabled(false); // The model sorts within zones.
    setHorizontalScrollBarPolicy(Qt::ScrollBarAsNeeded);
    QHeaderView& head = *header();
    head.setSectionsClickable(true);
    head.setFont(theme::font(theme::Role::Caption));
    head.setSortIndicatorShown(false); // By name at first, which needs no sign.
    connect(&head, &QHeaderView::sectionClicked, &head, [&head] {
        head.setSortIndicatorShown(true);
    });
    head.setSortIndicator(NodesModel::Name, Qt::AscendingOrder);
    head.setHighlightSections(false);
    head.setMinimumSectionSize(40);
    head.setStretchLastSection(false);
    head.setFixedHeight(theme::metrics().header);
    connect(&head, &QHeaderView::sortIndicatorChanged, &model, &NodesModel::setSortColumn);
    connect(&model, &NodesModel::zonesChanged, this, &NodesTable::onZonesChanged);
    connect(this, &QTreeView::clicked, this, [this](const QModelIndex& index) {
        if (!index.parent().isValid()) {
            setExpanded(index.siblingAtColumn(0), !isExpanded(index.siblingAtColumn(0)));
        }
    });
    onZonesChanged();
}

void NodesTable::onZonesChanged()
{
    m_isRestoring = true;
    for (int zone = 0; zone < m_model.rowCount(); ++zone) {
        setFirstColumnSpanned(zone, {}, true);
    }
    expandAll();
    setCurrentNode(m_kept);
    m_isRestoring = false;
}

QString NodesTable::currentNode() const
{
    return currentIndex().data(NodesModel::KeyRole).toString();
}

void NodesTable::setCurrentNode(const QString& node)
{
    m_kept = node;
    const QModelIndex index = node.isEmpty() ? QModelIndex() : m_model.indexOf(node);
    if (index.isValid() && currentNode() != node) {
        setCurrentIndex(index);
    }
}

void NodesTable::currentChanged(const QModelIndex& current, const QModelIndex& previous)
{
    QTreeView::currentChanged(current, previous);
    const QString node = current.data(NodesModel::KeyRole).toString();
    if (!m_isRestoring && !node.isEmpty() && node != m_kept) {
        m_kept = node;
        Q_EMIT nodeSelected(node);
    }
}

void NodesTable::drawBranches(QPainter* painter, const QRect& rect, const QModelIndex& index) const
{
    Q_UNUSED(painter)
    Q_UNUSED(rect)
    Q_UNUSED(index)
}

void NodesTable::fitColumns()
{
    int wanted = 0;
    for (const int width : kWidths) {
        wanted += width;
    }
    const double factor = std::max(1.0, static_cast<double>(viewport()->width()) / wanted);
    int used = 0;
    for (int column = 0; column < NodesModel::ColumnCount; ++column) {
        const int width =
            column == NodesModel::ColumnCount - 1 && factor > 1.0
                ? viewport()->width() - used
                : static_cast<int>(kWidths[static_cast<std::size_t>(column)] * factor);
        header()->resizeSection(column, width);
        used += width;
    }
}

void NodesTable::resizeEvent(QResizeEvent* event)
{
    QTreeView::resizeEvent(event);
    fitColumns();
}

} // namespace mesh::pages
