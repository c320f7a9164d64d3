#pragma once

#include <QAbstractTableModel>
#include <QString>
#include <QVariant>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <utility>
#include <vector>

namespace mesh::models {

// What every table answers beside the usual roles.
enum TableRole : int {
    SortRole = Qt::UserRole + 1, // A number or text that sorts as the value does, not as its text.
    KeyRole, // The row's stable key, for selections.
};

// One column: its header, what it shows, and how it sorts.
template <typename Row>
struct Column
{
    QString header;
    std::function<QVariant(const Row&)> display;
    std::function<QVariant(const Row&)> sortValue; // Empty: by what it shows.
    Qt::Alignment alignment = Qt::AlignLeft | Qt::AlignVCenter;
};

// A flat, read-only list of rows with stable keys. New contents change only the rows that differ,
// so that selection, current row and scroll position survive a refresh.
template <typename Row>
class RowTableModel : public QAbstractTableModel
{
public:
    // key: stable over refreshes and unique in the list.
    RowTableModel(
        std::vector<Column<Row>> columns, std::function<QString(const Row&)> key, QObject* parent
    )
        : QAbstractTableModel(parent)
        , m_columns(std::move(columns))
        , m_key(std::move(key))
    {}

    // Rows that stay must keep their order among each other; otherwise the model is reset.
    void setRows(const std::vector<Row>& rows)
    {
        if (!keepsOrder(rows)) {
            beginResetModel();
            m_rows = rows;
            endResetModel();
            return;
        }
        removeMissing(rows);
        for (std::size_t at = 0; at < rows.size(); ++at) {
            const int row = static_cast<int>(at);
            if (at >= m_rows.size() || m_key(m_rows[at]) != m_key(rows[at])) {
                beginInsertRows({}, row, row);
                m_rows.insert(m_rows.begin() + row, rows[at]);
                endInsertRows();
            } else if (!isSame(m_rows[at], rows[at])) {
                m_rows[at] = rows[at];
                Q_EMIT dataChanged(index(row, 0), index(row, columnCount() - 1));
            }
        }
    }

    [[nodiscard]] const std::vector<Row>& rows() const { return m_rows; }
    // -1: there is none.
    [[nodiscard]] int rowOf(const QString& key) const
    {
        const auto found =
            std::ranges::find_if(m_rows, [&](const Row& row) { return m_key(row) == key; });
        return found == m_rows.end() ? -1 : static_cast<int>(found - m_rows.begin());
    }

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override
    {
        return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
    }
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override
    {
        return parent.isValid() ? 0 : static_cast<int>(m_columns.size());
    }

    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override
    {
        if (!checkIndex(index, CheckIndexOption::IndexIsValid)) {
            return {};
        }
        const Row& row = m_rows[static_cast<std::size_t>(index.row())];
        const Column<Row>& column = m_columns[static_cast<std::size_t>(index.column())];
        switch (role) {
        case Qt::DisplayRole:
            return column.display(row);
        case Qt::TextAlignmentRole:
            return QVariant::fromValue(column.alignment);
        case SortRole:
            return column.sortValue ? column.sortValue(row) : column.display(row);
        case KeyRole:
            return m_key(row);
        default:
            return {};
        }
    }

    [[nodiscard]] QVariant headerData(int section, Qt::Orientation side, int role) const override
    {
        const bool isOurs = side == Qt::Horizontal && section >= 0 && section < columnCount();
        if (!isOurs) {
            return {};
        }
        const Column<Row>& column = m_columns[static_cast<std::size_t>(section)];
        if (role == Qt::DisplayRole) {
            return column.header;
        }
        return role == Qt::TextAlignmentRole ? QVariant::fromValue(column.alignment) : QVariant();
    }

protected:
    // Equal as far as the table shows; rows without operator== are compared by their cells.
    [[nodiscard]] bool isSame(const Row& a, const Row& b) const
    {
        return std::ranges::all_of(m_columns, [&](const Column<Row>& column) {
            return column.display(a) == column.display(b)
                   && (!column.sortValue || column.sortValue(a) == column.sortValue(b));
        });
    }

private:
    [[nodiscard]] bool keepsOrder(const std::vector<Row>& rows) const
    {
        std::map<QString, std::size_t> places;
        for (std::size_t at = 0; at < rows.size(); ++at) {
            places.emplace(m_key(rows[at]), at);
        }
        std::size_t last = 0;
        for (const Row& row : m_rows) {
            const auto found = places.find(m_key(row));
            if (found == places.end()) {
                continue;
            }
            if (found->second < last) {
                return false;
            }
            last = found->second;
        }
        return places.size() == rows.size();
    }

    void removeMissing(const std::vector<Row>& rows)
    {
        std::map<QString, bool> wanted;
        for (const Row& row : rows) {
            wanted[m_key(row)] = true;
        }
        for (std::size_t at = m_rows.size(); at-- > 0;) {
            if (wanted.count(m_key(m_rows[at])) == 0) {
                const int row = static_cast<int>(at);
                beginRemoveRows({}, row, row);
                m_rows.erase(m_rows.begin() + row);
                endRemoveRows();
            }
        }
    }

    std::vector<Column<Row>> m_columns;
    std::function<QString(const Row&)> m_key;
    std::vector<Row> m_rows;
};

} // namespace mesh::models
