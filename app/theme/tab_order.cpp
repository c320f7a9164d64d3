#include "app/theme/tab_order.h"

#include <QLayout>
#include <QList>
#include <QScrollArea>
#include <QSplitter>
#include <QWidget>

namespace mesh::theme {

namespace {

void collect(QWidget& widget, QList<QWidget*>& order);

void collect(QLayout& layout, QList<QWidget*>& order)
{
    for (int i = 0; i < layout.count(); ++i) {
        QLayoutItem* item = layout.itemAt(i);
        if (QWidget* widget = item->widget()) {
            collect(*widget, order);
        } else if (QLayout* inner = item->layout()) {
            collect(*inner, order);
        }
    }
}

void collect(QWidget& widget, QList<QWidget*>& order)
{
    if (widget.focusPolicy() != Qt::NoFocus && widget.focusProxy() == nullptr) {
        order.append(&widget);
    }
    if (auto* splitter = qobject_cast<QSplitter*>(&widget)) {
        for (int i = 0; i < splitter->count(); ++i) {
            collect(*splitter->widget(i), order);
        }
    } else if (auto* area = qobject_cast<QScrollArea*>(&widget)) {
        if (area->widget() != nullptr) {
            collect(*area->widget(), order);
        }
    } else if (QLayout* layout = widget.layout()) {
        collect(*layout, order);
    } else if (widget.focusPolicy() == Qt::NoFocus) {
        // Placed by hand: in the order they were made.
        for (QObject* child : widget.children()) {
            auto* inner = qobject_cast<QWidget*>(child);
            if (inner != nullptr && !inner->isWindow()) {
                collect(*inner, order);
            }
        }
    }
}

} // namespace

void followLayouts(QWidget& root)
{
    QList<QWidget*> order;
    if (QLayout* layout = root.layout()) {
        collect(*layout, order);
    }
    for (qsizetype i = 1; i < order.size(); ++i) {
        QWidget::setTabOrder(order[i - 1], order[i]);
    }
}

} // namespace mesh::theme
