#pragma once

#include <QStyledItemDelegate>

class QTableView;
class QTreeView;

namespace mesh::theme {

// Roles that the delegates below read from any model.
enum ItemRole : int {
    kStateRole = Qt::UserRole + 900, // int of theme::State: glyph and colour of a state cell.
    kPipRole, // int of theme::Pip: dot before the text.
    kRowStateRole, // int of theme::State of the whole row: Failure and Stale have a ground.
    kStrongRole, // bool: semi-bold.
};

// Draws a row of a table or tree as the visual design, section 4 says: hairline below, selection as
// accent-soft with a bar at the left and unchanged text, failure and stale grounds.
class RowDelegate : public QStyledItemDelegate
{
    Q_OBJECT

public:
    using QStyledItemDelegate::QStyledItemDelegate;

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index)
        const override;
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index)
        const override;

protected:
    // Ground, hairline and selection; every delegate begins with it.
    void paintGround(
        QPainter& painter, const QStyleOptionViewItem& option, const QModelIndex& index
    ) const;
};

// 12 px glyph of kStateRole and the word of DisplayRole.
class StateCellDelegate : public RowDelegate
{
    Q_OBJECT

public:
    using RowDelegate::RowDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index)
        const override;
};

// Right-aligned tabular figures; kStateRole colours them.
class NumberDelegate : public RowDelegate
{
    Q_OBJECT

public:
    using RowDelegate::RowDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index)
        const override;
};

// Row heights, hairlines, header, selection by row, no zebra, no grid; sets a RowDelegate.
void applyTableDefaults(QTableView& view);
void applyTreeDefaults(QTreeView& view);

} // namespace mesh::theme
