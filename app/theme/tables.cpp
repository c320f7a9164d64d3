#include "app/theme/tables.h"

#include "app/theme/figures.h"
#include "app/theme/glyphs.h"
#include "app/theme/theme.h"

#include <QHeaderView>
#include <QPainter>
#include <QTableView>
#include <QTreeView>

namespace mesh::theme {

namespace {

std::optional<State> stateAt(const QModelIndex& index, int role)
{
    const QVariant value = index.data(role);
    const int number = value.toInt();
    if (!value.isValid() || number < 0 || number >= kStateCount) {
        return std::nullopt;
    }
    return static_cast<State>(number);
}

QColor textColorOf(const QStyleOptionViewItem& option, const QModelIndex& index)
{
    const Tokens& t = tokens();
    if (!option.state.testFlag(QStyle::State_Enabled)) {
        return t.textDisabled;
    }
    if (stateAt(index, kRowStateRole) == State::Stale) {
        return t.of(State::Stale).text;
    }
    const QVariant foreground = index.data(Qt::ForegroundRole);
    return foreground.isValid() ? foreground.value<QBrush>().color() : t.text1;
}

QRectF cellOf(const QStyleOptionViewItem& option)
{
    return QRectF(option.rect).adjusted(8, 0, -8, 0);
}

} // namespace

void RowDelegate::paintGround(
    QPainter& painter, const QStyleOptionViewItem& option, const QModelIndex& index
) const
{
    const Tokens& t = tokens();
    const QRectF rect(option.rect);
    const std::optional<State> rowState = stateAt(index, kRowStateRole);
    if (rowState == State::Failure) {
        painter.fillRect(rect, t.of(State::Failure).soft);
    } else if (rowState == State::Stale) {
        drawHatch(painter, rect, t.raised);
    }
    if (option.state.testFlag(QStyle::State_Selected)) {
        painter.fillRect(rect, t.accentSoft);
        if (index.column() == 0) {
            const QRect row = option.widget == nullptr ? option.rect : option.widget->rect();
            painter.fillRect(QRectF(row.left(), rect.top(), 2, rect.height()), t.accent);
        }
    } else if (option.state.testFlag(QStyle::State_MouseOver)) {
        painter.fillRect(rect, t.hover);
    }
    if (qobject_cast<const QTableView*>(option.widget) != nullptr) {
        painter.fillRect(QRectF(rect.left(), rect.bottom() - 1, rect.width(), 1), t.border);
    }
}

void RowDelegate::paint(
    QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index
) const
{
    painter->save();
    paintGround(*painter, option, index);
    QRectF cell = cellOf(option);
    const QVariant pip = index.data(kPipRole);
    if (pip.isValid()) {
        const QRectF dot(cell.left(), cell.center().y() - 4, 8, 8);
        drawPip(*painter, dot, static_cast<Pip>(std::clamp(pip.toInt(), 0, kPipCount - 1)));
        cell.adjust(15, 0, 0, 0);
    }
    const QIcon icon = qvariant_cast<QIcon>(index.data(Qt::DecorationRole));
    if (!icon.isNull()) {
        const QRect sign(
            static_cast<int>(cell.left()), static_cast<int>(cell.center().y()) - 8, 16, 16
        );
        icon.paint(painter, sign);
        cell.adjust(22, 0, 0, 0);
    }
    const QVariant fontValue = index.data(Qt::FontRole);
    const bool isStrong = index.data(kStrongRole).toBool();
    const QFont normal = isStrong ? font(Role::SmallStrong) : font(Role::Small);
    painter->setFont(fontValue.isValid() ? fontValue.value<QFont>() : normal);
    painter->setPen(textColorOf(option, index));
    const QVariant aligned = index.data(Qt::TextAlignmentRole);
    const int horizontal =
        aligned.isValid() ? aligned.toInt() & Qt::AlignHorizontal_Mask : int{Qt::AlignLeft};
    const QString text = painter->fontMetrics().elidedText(
        index.data().toString(), Qt::ElideMiddle, static_cast<int>(cell.width())
    );
    painter->drawText(cell, horizontal | Qt::AlignVCenter, text);
    painter->restore();
}

QSize RowDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    const bool isTree = qobject_cast<const QTreeView*>(option.widget) != nullptr;
    const QSize size = QStyledItemDelegate::sizeHint(option, index);
    return QSize(size.width() + 16, isTree ? metrics().treeRow : metrics().tableRow);
}

void StateCellDelegate::paint(
    QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index
) const
{
    painter->save();
    paintGround(*painter, option, index);
    QRectF cell = cellOf(option);
    const std::optional<State> state = stateAt(index, kStateRole);
    painter->setFont(font(Role::Small));
    painter->setPen(textColorOf(option, index));
    if (state) {
        const QColor& color = tokens().of(*state).text;
        const QRectF sign(cell.left(), cell.center().y() - 6, 12, 12);
        drawStateGlyph(*painter, sign, *state, color, 1.6);
        painter->setPen(color);
        cell.adjust(17, 0, 0, 0);
    }
    painter->drawText(cell, Qt::AlignLeft | Qt::AlignVCenter, index.data().toString());
    painter->restore();
}

void NumberDelegate::paint(
    QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index
) const
{
    painter->save();
    paintGround(*painter, option, index);
    const std::optional<State> state = stateAt(index, kStateRole);
    const bool isLoud = state == State::Degraded || state == State::Failure;
    painter->setFont(font(isLoud ? Role::SmallStrong : Role::Small));
    painter->setPen(isLoud ? tokens().of(*state).text : textColorOf(option, index));
    drawFigures(
        *painter, cellOf(option), index.data().toString(), Qt::AlignRight | Qt::AlignVCenter
    );
    painter->restore();
}

namespace {

void applyItemDefaults(QAbstractItemView& view)
{
    view.setItemDelegate(new RowDelegate(&view));
    view.setFrameShape(QFrame::NoFrame);
    view.setAlternatingRowColors(false);
    view.setSelectionBehavior(QAbstractItemView::SelectRows);
    view.setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    view.setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    view.viewport()->setAttribute(Qt::WA_Hover);
    view.setMouseTracking(true);
}

} // namespace

void applyTableDefaults(QTableView& view)
{
    applyItemDefaults(view);
    view.setShowGrid(false);
    view.setWordWrap(false);
    view.setCornerButtonEnabled(false);
    view.verticalHeader()->hide();
    view.verticalHeader()->setMinimumSectionSize(20);
    view.verticalHeader()->setDefaultSectionSize(metrics().tableRow);
    view.horizontalHeader()->setHighlightSections(false);
    view.horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    view.horizontalHeader()->setFixedHeight(metrics().header);
    QObject::connect(&current(), &Theme::changed, &view, [target = &view] {
        target->verticalHeader()->setDefaultSectionSize(metrics().tableRow);
        target->horizontalHeader()->setFixedHeight(metrics().header);
    });
}

void applyTreeDefaults(QTreeView& view)
{
    applyItemDefaults(view);
    view.setUniformRowHeights(true);
    view.setIndentation(16);
    view.setAnimated(false);
}

} // namespace mesh::theme
