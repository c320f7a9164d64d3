#pragma once

#include "app/theme/tables.h"

#include <QTableWidget>

#include <cstdint>
#include <vector>

namespace mesh::pages {

// One cell of a RowsTable.
struct Cell
{
    QString text;
    int state = -1; // theme::State; -1: none.
    int pip = -1; // theme::Pip; -1: none.
    QString toolTip{}; // Empty: the text.
};

struct TableRow
{
    QString key; // What the row is, for selection and activation.
    std::vector<Cell> cells;
    int state = -1; // theme::State of the whole row: Failure and Stale have a ground.
};

struct TableColumn
{
    QString title;
    int width = 80; // 0: takes what is left.
    enum class Kind : std::uint8_t { Text, Number, State };
    Kind kind = Kind::Text;
};

// A table of rows given whole: it updates cells in place, so that selection and scroll position
// survive, and keeps the order while the pointer is inside. For lists of at most a thousand rows.
class RowsTable : public QTableWidget
{
    Q_OBJECT

public:
    RowsTable(const QString& name, std::vector<TableColumn> columns, QWidget* parent);

    void setRows(std::vector<TableRow> rows);
    [[nodiscard]] QString currentKey() const; // Empty: none.
    void setCurrentKey(const QString& key);
    [[nodiscard]] QString keyAt(int row) const;
    // As high as its rows, without scroll bars of its own.
    void fitHeight(int rowsMax);

Q_SIGNALS:
    void keySelected(const QString& key);
    void keyActivated(const QString& key);

private:
    void fillRow(int row, const TableRow& content);

    std::vector<TableColumn> m_columns;
    std::vector<QString> m_keys;
    bool m_isFilling = false;
};

} // namespace mesh::pages
