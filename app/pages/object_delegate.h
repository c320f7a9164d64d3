#pragma once

#include "app/theme/tables.h"

namespace mesh::pages {

// Roles of the object tree's items.
enum ObjectRole : int {
    kPathRole = Qt::UserRole + 1, // Path in the draft; empty on groups.
    kKindRole, // Plural, on groups.
    kCountRole, // Objects, on groups.
    kChangedRole, // bool
    kErrorsRole,
    kWarningsRole,
};

// A row of the tree: after the name a pencil when it changed, a disc with the number of problems.
class ObjectDelegate : public theme::RowDelegate
{
    Q_OBJECT

public:
    using theme::RowDelegate::RowDelegate;

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index)
        const override;
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index)
        const override;
};

} // namespace mesh::pages
