#include "app/pages/rows_table.h"

#include "app/theme/theme.h"

#include <QHeaderView>

#include <algorithm>
#include <utility>

namespace mesh::pages {

RowsTable::RowsTable(const QString& name, std::vector<TableColumn> columns, QWidget* parent)
    : QTableWidget(0, static_cast<int>(columns.size()), parent)
    , m_columns(std::move(columns))
{
    setAccessibleName(name);
    theme::applyTableDefaults(*this);
    horizontalHeader()->setFont(theme::font(theme::Role::Caption));
    setEditTriggers(QAbstractItemView::NoEditTriggers);
    setSelectionMode(QAbstractItemView::SingleSelection);
    setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    setTabKeyNavigation(false);
    setWordWrap(false);
    for (int i = 0; i < static_cast<int>(m_columns.size()); ++i) {
        const TableColumn& column = m_columns[static_cast<std::size_t>(i)];
        auto* title = new QTableWidgetItem(column.title); // The table owns it.
        const bool isNumber = column.kind == TableColumn::Kind::Number;
        title->setTextAlignment((isNumber ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
        setHorizontalHeaderItem(i, title);
        if (column.width > 0) {
            setColumnWidth(i, column.width);
        } else {
            horizontalHeader()->setSectionResizeMode(i, QHeaderView::Stretch);
        }
        if (isNumber) {
            setItemDelegateForColumn(i, new theme::NumberDelegate(this));
        } else if (column.kind == TableColumn::Kind::State) {
            setItemDelegateForColumn(i, new theme::StateCellDelegate(this));
        }
    }
    connect(this, &QTableWidget::itemSelectionChanged, this, [this] {
        if (!m_isFilling) {
            Q_EMIT keySelected(currentKey());
        }
    });
    connect(this, &QTableWidget::cellActivated, this, [this](int row, int) {
        Q_EMIT keyActivated(keyAt(row));
    });
}

void RowsTable::setRows(std::vector<TableRow> rows)
{
    m_isFilling = true;
    const QString current = currentKey();
    if (underMouse()) {
        // The order holds still under the pointer: known rows keep their place, new ones follow.
        const auto placeOf = [this](const QString& key) {
            return std::find(m_keys.begin(), m_keys.end(), key) - m_keys.begin();
        };
        std::stable_sort(rows.begin(), rows.end(), [&placeOf](const auto& a, const auto& b) {
            return placeOf(a.key) < placeOf(b.key);
        });
    }
    setRowCount(static_cast<int>(rows.size()));
    m_keys.clear();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        fillRow(static_cast<int>(i), rows[i]);
        m_keys.push_back(rows[i].key);
    }
    if (!current.isEmpty() && current != currentKey()) {
        setCurrentKey(current);
    }
    m_isFilling = false;
}

void RowsTable::fillRow(int row, const TableRow& content)
{
    for (int column = 0; column < columnCount(); ++column) {
        const auto at = static_cast<std::size_t>(column);
        const Cell cell = at < content.cells.size() ? content.cells[at] : Cell{};
        QTableWidgetItem* cellItem = item(row, column);
        if (cellItem == nullptr) {
            cellItem = new QTableWidgetItem; // The table owns it.
            setItem(row, column, cellItem);
            const bool isNumber = m_columns[at].kind == TableColumn::Kind::Number;
            cellItem->setTextAlignment(
                (isNumber ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter
            );
            cellItem->setData(theme::kStrongRole, false);
        }
        if (cellItem->text() != cell.text) {
            cellItem->setText(cell.text);
        }
        cellItem->setToolTip(cell.toolTip.isEmpty() ? cell.text : cell.toolTip);
        cellItem->setData(theme::kStateRole, cell.state >= 0 ? QVariant(cell.state) : QVariant());
        cellItem->setData(theme::kPipRole, cell.pip >= 0 ? QVariant(cell.pip) : QVariant());
        cellItem->setData(
            theme::kRowStateRole, content.state >= 0 ? QVariant(content.state) : QVariant()
        );
    }
}

QString RowsTable::currentKey() const
{
    const QList<QTableWidgetSelectionRange> ranges = selectedRanges();
    return ranges.isEmpty() ? QString() : keyAt(ranges.first().topRow());
}

void RowsTable::setCurrentKey(const QString& key)
{
    for (std::size_t i = 0; i < m_keys.size(); ++i) {
        if (m_keys[i] == key && !key.isEmpty()) {
            selectRow(static_cast<int>(i));
            return;
        }
    }
    clearSelection();
}

QString RowsTable::keyAt(int row) const
{
    const auto at = static_cast<std::size_t>(row);
    return row >= 0 && at < m_keys.size() ? m_keys[at] : QString();
}

void RowsTable::fitHeight(int rowsMax)
{
    const int rows = std::min(rowCount(), rowsMax);
    int height = horizontalHeader()->sizeHint().height() + 2;
    for (int row = 0; row < rows; ++row) {
        height += rowHeight(row);
    }
    setFixedHeight(height);
}

} // namespace mesh::pages
