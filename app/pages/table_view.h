#pragma once

#include "app/bridge/find_language.h"
#include "app/pages/rows_table.h"

#include <QAbstractTableModel>
#include <QHash>
#include <QString>
#include <QStringList>
#include <QWidget>

#include <memory>
#include <optional>
#include <vector>

class QLabel;
class QTableView;

namespace mesh::theme {
class Chip;
}

namespace mesh::pages {

// One cell of a TableView; made when it is shown or sorted by.
struct GridCell
{
    QString text;
    std::optional<double> number{}; // Sorts instead of the text; none: sorts last.
    int state = -1; // theme::State; -1: none.
    QString toolTip{}; // Empty: the text.
    QStringList values{}; // What a filter on this cell asks for; empty: the text.
};

struct GridColumn
{
    QString title;
    int width = 80; // 0: takes what is left.
    TableColumn::Kind kind = TableColumn::Kind::Text;
    std::optional<bridge::FindOperand> operand{}; // What "Filter on this" asks for.
};

// The rows of a table, which stay where they are kept: nothing is copied into the view.
class TableSource
{
public:
    virtual ~TableSource() = default;
    [[nodiscard]] virtual std::vector<GridColumn> columns() const = 0;
    [[nodiscard]] virtual int count() const = 0;
    [[nodiscard]] virtual QString key(int row) const = 0; // Stable and unique.
    [[nodiscard]] virtual GridCell cell(int row, int column) const = 0;
    [[nodiscard]] virtual int rowState(int row) const = 0; // theme::State of the row; -1: none.
    [[nodiscard]] virtual bool matches(int row, const bridge::FindLanguage& find) const = 0;

protected:
    TableSource() = default;
    TableSource(const TableSource&) = default;
    TableSource& operator=(const TableSource&) = default;
};

// The shown rows of a source: filtered, sorted, and held still when asked.
class GridModel : public QAbstractTableModel
{
    Q_OBJECT

public:
    explicit GridModel(std::unique_ptr<TableSource> source, QObject* parent = nullptr);

    // Rows that match `find` (all when it is empty) and do not match `hide`.
    void setFilter(const bridge::FindLanguage& find, const bridge::FindLanguage& hide);
    // Reads the source again. held: rows that are shown keep their place, new ones wait.
    enum class Order : std::uint8_t { Free, Held };
    void refresh(Order order);
    [[nodiscard]] int waiting() const { return m_waiting; } // Rows that are not shown while held.
    [[nodiscard]] int total() const { return m_source->count(); }
    [[nodiscard]] int matching() const { return m_matching; }
    [[nodiscard]] QString keyAt(int row) const;
    [[nodiscard]] int rowOf(const QString& key) const; // -1: it is not shown.
    [[nodiscard]] GridCell cellAt(const QModelIndex& index) const;
    [[nodiscard]] const GridColumn& column(int index) const;

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation side, int role) const override;
    void sort(int column, Qt::SortOrder order) override;

private:
    [[nodiscard]] std::vector<int> wantedRows() const;
    void sortRows(std::vector<int>& rows) const;
    [[nodiscard]] std::vector<int> heldRows(const std::vector<int>& wanted);

    std::unique_ptr<TableSource> m_source;
    std::vector<GridColumn> m_columns;
    bridge::FindLanguage m_find;
    bridge::FindLanguage m_hide;
    std::vector<int> m_rows; // Of the source, in the order shown.
    std::vector<QString> m_keys; // Of m_rows.
    QHash<QString, int> m_places; // Key to row shown.
    int m_sortColumn = -1; // -1: in the source's order.
    Qt::SortOrder m_sortOrder = Qt::AscendingOrder;
    int m_waiting = 0;
    int m_matching = 0;
};

// A sortable table over any number of rows with a line below that says how many of them it shows.
//
// While the pointer is inside, the rows hold still and new ones are counted on a chip.
// Cost: reads what is visible; sorting and filtering read each row once.
class TableView : public QWidget
{
    Q_OBJECT

public:
    TableView(const QString& name, std::unique_ptr<TableSource> source, QWidget* parent);

    void refresh();
    void setFilter(const bridge::FindLanguage& find, const bridge::FindLanguage& hide);
    [[nodiscard]] QString currentKey() const;
    void setCurrentKey(const QString& key); // Shows the row when there is one.
    void sortBy(int column, Qt::SortOrder order);
    [[nodiscard]] GridModel& model() { return *m_model; }
    [[nodiscard]] QTableView& view() { return *m_view; }
    [[nodiscard]] QLabel& note() { return *m_note; }
    void addToFoot(QWidget& widget); // Left of the note.

Q_SIGNALS:
    void keySelected(const QString& key);
    void keyActivated(const QString& key);
    void filterWanted(const QString& term); // "Filter on this", "Exclude this".

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void makeColumns();
    void update(GridModel::Order order);
    void showNote();
    void showMenu(const QPoint& at);

    GridModel* m_model;
    QTableView* m_view;
    QWidget* m_foot;
    QLabel* m_note;
    theme::Chip* m_new;
    bool m_isPointed = false;
    bool m_isFilling = false;
};

} // namespace mesh::pages
