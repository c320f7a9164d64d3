#include "app/pages/object_delegate.h"

#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QAbstractItemView>
#include <QPainter>

namespace mesh::pages {

void ObjectDelegate::paint(
    QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index
) const
{
    const theme::Tokens& tokens = theme::tokens();
    const bool isSelected = (option.state & QStyle::State_Selected) != 0;
    const bool isHovered = (option.state & QStyle::State_MouseOver) != 0;
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    const auto* view = qobject_cast<const QAbstractItemView*>(option.widget);
    const int right = view != nullptr ? view->viewport()->width() : option.rect.right();
    if (isSelected || isHovered) {
        const QRect ground(0, option.rect.top(), right, option.rect.height());
        painter->fillRect(ground, isSelected ? tokens.accentSoft : tokens.hover);
    }
    if (isSelected) {
        painter->fillRect(QRect(0, option.rect.top(), 2, option.rect.height()), tokens.accent);
    }
    QRectF rect = QRectF(option.rect).adjusted(2, 0, -10, 0);
    const QRectF iconRect(rect.left(), rect.center().y() - 7, 14, 14);
    const auto icon = index.data(Qt::DecorationRole).value<QIcon>();
    icon.paint(painter, iconRect.toRect());
    rect.setLeft(iconRect.right() + 8);

    const int errors = index.data(kErrorsRole).toInt();
    const int warnings = index.data(kWarningsRole).toInt();
    if (errors + warnings > 0) {
        const QPointF center(rect.right() - 7, rect.center().y());
        const theme::State state = errors > 0 ? theme::State::Failure : theme::State::Degraded;
        painter->setPen(Qt::NoPen);
        painter->setBrush(tokens.of(state).text);
        painter->drawEllipse(center, 7.5, 7.5);
        painter->setFont(theme::font(theme::Role::Capitals));
        painter->setPen(theme::current().isDark() ? tokens.chrome : tokens.onFill);
        painter->drawText(
            QRectF(center.x() - 8, center.y() - 8, 16, 16),
            Qt::AlignCenter,
            QString::number(errors > 0 ? errors : warnings)
        );
        rect.setRight(rect.right() - 20);
    }
    if (index.data(kChangedRole).toBool()) {
        const QRectF pencil(rect.right() - 12, rect.center().y() - 6, 12, 12);
        theme::drawIcon(*painter, pencil, QStringLiteral("pencil"), tokens.accent);
        rect.setRight(rect.right() - 18);
    }
    const QVariant count = index.data(kCountRole);
    if (count.isValid()) {
        painter->setFont(theme::font(theme::Role::Small));
        painter->setPen(tokens.text3);
        painter->drawText(rect, Qt::AlignRight | Qt::AlignVCenter, count.toString());
        rect.setRight(rect.right() - 28);
    }
    const bool isGroup = count.isValid();
    painter->setFont(
        theme::font(isGroup || isSelected ? theme::Role::BodyStrong : theme::Role::Body)
    );
    painter->setPen(isSelected ? tokens.accent : tokens.text1);
    painter->drawText(
        rect,
        Qt::AlignLeft | Qt::AlignVCenter,
        painter->fontMetrics().elidedText(
            index.data().toString(), Qt::ElideMiddle, static_cast<int>(rect.width())
        )
    );
    painter->restore();
}

QSize ObjectDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    Q_UNUSED(option)
    Q_UNUSED(index)
    return {100, theme::metrics().treeRow};
}

} // namespace mesh::pages
