#include "app/pages/table_view.h"

#include "app/theme/controls.h"
#include "app/theme/tables.h"
#include "app/theme/theme.h"

#include <QApplication>
#include <QClipboard>
#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLocale>
#include <QMenu>
#include <QScrollBar>
#include <QTableView>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

namespace mesh::pages {
namespace {

constexpr int kFootHeight = 30;

using Kind = TableColumn::Kind;

bool isRight(Kind kind) { return kind == Kind::Number; }

} // namespace

GridModel::GridModel(std::unique_ptr<TableSource> source, QObject* parent)
    : QAbstractTableModel(parent)
    , m_source(std::move(source))
    , m_columns(m_source->columns())
{}

void GridModel::setFilter(const bridge::FindLanguage& find, const bridge::FindLanguage& hide)
{
    m_find = find;
    m_hide = hide;
}

std::vector<int> GridModel::wantedRows() const
{
    std::vector<int> wanted;
    const int count = m_source->count();
    wanted.reserve(static_cast<std::size_t>(count));
    const bool isFinding = !m_find.isEmpty() && m_find.isValid();
    const bool isHiding = !m_hide.isEmpty() && m_hide.isValid();
    for (int row = 0; row < count; ++row) {
        const bool isFound = !isFinding || m_source->matches(row, m_find);
        if (isFound && !(isHiding && m_source->matches(row, m_hide))) {
            wanted.push_back(row);
        }
    }
    return wanted;
}

void GridModel::sortRows(std::vector<int>& rows) const
{
    if (m_sortColumn < 0) {
        return;
    }
    struct Place
    {
        int row = 0;
        GridCell cell;
    };
    std::vector<Place> places;
    places.reserve(rows.size());
    for (const int row : rows) {
        places.push_back({row, m_source->cell(row, m_sortColumn)});
    }
    const bool isNumber = m_columns[static_cast<std::size_t>(m_sortColumn)].kind != Kind::Text;
    const bool isUp = m_sortOrder == Qt::AscendingOrder;
    // What has no value stands last in either direction.
    std::stable_sort(
        places.begin(),
        places.end(),
        [isNumber, isUp](const Place& a, const Place& b) {
            if (isNumber) {
                if (!a.cell.number || !b.cell.number) {
                    return a.cell.number.has_value() && !b.cell.number.has_value();
                }
                return isUp ? *a.cell.number < *b.cell.number : *a.cell.number > *b.cell.number;
            }
            if (a.cell.text.isEmpty() || b.cell.text.isEmpty()) {
                return !a.cell.text.isEmpty() && b.cell.text.isEmpty();
            }
            const int order = a.cell.text.compare(b.cell.text, Qt::CaseInsensitive);
            return isUp ? order < 0 : order > 0;
        }
    );
    for (std::size_t i = 0; i < places.size(); ++i) {
        rows[i] = places[i].row;
    }
}

// Rows that are shown and still exist keep their order; the others are counted.
std::vector<int> GridModel::heldRows(const std::vector<int>& wanted)
{
    QHash<QString, int> rowsNow;
    const int count = m_source->count();
    rowsNow.reserve(count);
    for (int row = 0; row < count; ++row) {
        rowsNow.insert(m_source->key(row), row);
    }
    std::vector<int> held;
    for (const QString& key : m_keys) {
        if (const auto found = rowsNow.constFind(key); found != rowsNow.cend()) {
            held.push_back(*found);
        }
    }
    m_waiting = static_cast<int>(std::count_if(wanted.begin(), wanted.end(), [this](int row) {
        return !m_places.contains(m_source->key(row));
    }));
    return held;
}

void GridModel::refresh(Order order)
{
    std::vector<int> wanted = wantedRows();
    m_matching = static_cast<int>(wanted.size());
    m_waiting = 0;
    if (order == Order::Held) {
        wanted = heldRows(wanted);
    } else {
        sortRows(wanted);
    }
    std::vector<QString> keys;
    keys.reserve(wanted.size());
    for (const int row : wanted) {
        keys.push_back(m_source->key(row));
    }
    if (keys == m_keys) {
        m_rows = std::move(wanted);
        if (!m_rows.empty()) {
            Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1));
        }
        return;
    }
    beginResetModel();
    m_rows = std::move(wanted);
    m_keys = std::move(keys);
    m_places.clear();
    m_places.reserve(static_cast<qsizetype>(m_keys.size()));
    for (std::size_t i = 0; i < m_keys.size(); ++i) {
        m_places.insert(m_keys[i], static_cast<int>(i));
    }
    endResetModel();
}

QString GridModel::keyAt(int row) const
{
    return row >= 0 && row < rowCount() ? m_keys[static_cast<std::size_t>(row)] : QString();
}

int GridModel::rowOf(const QString& key) const { return m_places.value(key, -1); }

GridCell GridModel::cellAt(const QModelIndex& index) const
{
    if (!index.isValid() || index.row() >= rowCount()) {
        return {};
    }
    const int row = m_rows[static_cast<std::size_t>(index.row())];
    return row < m_source->count() ? m_source->cell(row, index.column()) : GridCell();
}

const GridColumn& GridModel::column(int index) const
{
    return m_columns[static_cast<std::size_t>(index)];
}

int GridModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int GridModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_columns.size());
}

QVariant GridModel::data(const QModelIndex& index, int role) const
{
    switch (role) {
    case Qt::DisplayRole:
        return cellAt(index).text;
    case Qt::ToolTipRole: {
        const GridCell cell = cellAt(index);
        return cell.toolTip.isEmpty() ? cell.text : cell.toolTip;
    }
    case Qt::TextAlignmentRole: {
        const bool isAtRight = isRight(column(index.column()).kind);
        return QVariant::fromValue((isAtRight ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    }
    case theme::kStateRole: {
        const int state = cellAt(index).state;
        return state >= 0 ? QVariant(state) : QVariant();
    }
    case theme::kRowStateRole: {
        const int row = m_rows[static_cast<std::size_t>(index.row())];
        const int state = row < m_source->count() ? m_source->rowState(row) : -1;
        return state >= 0 ? QVariant(state) : QVariant();
    }
    case theme::kStrongRole:
        return false;
    default:
        return {};
    }
}

QVariant GridModel::headerData(int section, Qt::Orientation side, int role) const
{
    const bool isOurs = side == Qt::Horizontal && section >= 0 && section < columnCount();
    if (isOurs && role == Qt::DisplayRole) {
        return column(section).title;
    }
    if (isOurs && role == Qt::TextAlignmentRole) {
        const Qt::Alignment across = isRight(column(section).kind) ? Qt::AlignRight : Qt::AlignLeft;
        return QVariant::fromValue(across | Qt::AlignVCenter);
    }
    return {};
}

void GridModel::sort(int column, Qt::SortOrder order)
{
    m_sortColumn = column < columnCount() ? column : -1;
    m_sortOrder = order;
    refresh(Order::Free);
}

TableView::TableView(const QString& name, std::unique_ptr<TableSource> source, QWidget* parent)
    : QWidget(parent)
    , m_model(new GridModel(std::move(source), this))
    , m_view(new QTableView(this))
    , m_foot(new QWidget(this))
    , m_note(new QLabel(m_foot))
    , m_new(new theme::Chip(QString(), m_foot))
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_view, 1);
    column->addWidget(new theme::Hairline(Qt::Horizontal, this));
    m_foot->setFixedHeight(kFootHeight);
    auto* row = new QHBoxLayout(m_foot);
    row->setContentsMargins(10, 0, 10, 0);
    row->setSpacing(10);
    row->addWidget(m_note);
    row->addWidget(m_new);
    row->addStretch();
    column->addWidget(m_foot);
    theme::setText(*m_note, theme::Role::Small, theme::TextColor::Text3);
    m_note->setObjectName(QStringLiteral("shownOf"));
    m_new->setObjectName(QStringLiteral("newRows"));
    m_new->setAccessibleName(tr("Show the new rows"));
    m_new->setToolTip(tr("Rows hold still while the pointer is in the table. Show the new ones."));
    m_new->hide();
    connect(m_new, &theme::Chip::clicked, this, [this] { update(GridModel::Order::Free); });
    m_view->setModel(m_model);
    m_view->setAccessibleName(name);
    setFocusProxy(m_view);
    makeColumns();
    m_view->viewport()->installEventFilter(this);
    m_view->setContextMenuPolicy(Qt::CustomContextMenu);
    connect(m_view, &QWidget::customContextMenuRequested, this, &TableView::showMenu);
    connect(m_view, &QTableView::activated, this, [this](const QModelIndex& index) {
        Q_EMIT keyActivated(m_model->keyAt(index.row()));
    });
    connect(
        m_view->selectionModel(),
        &QItemSelectionModel::currentRowChanged,
        this,
        [this](const QModelIndex& current) {
            if (!m_isFilling && current.isValid()) {
                Q_EMIT keySelected(m_model->keyAt(current.row()));
            }
        }
    );
    connect(
        m_view->horizontalHeader(),
        &QHeaderView::sortIndicatorChanged,
        this,
        [this](int section, Qt::SortOrder order) { sortBy(section, order); }
    );
    refresh();
}

void TableView::makeColumns()
{
    theme::applyTableDefaults(*m_view);
    m_view->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_view->setSelectionMode(QAbstractItemView::SingleSelection);
    m_view->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_view->setTabKeyNavigation(false);
    m_view->setWordWrap(false);
    QHeaderView& header = *m_view->horizontalHeader();
    header.setFont(theme::font(theme::Role::Caption));
    header.setSortIndicator(-1, Qt::AscendingOrder);
    header.setSectionsClickable(true);
    header.setSortIndicatorShown(true);
    for (int i = 0; i < m_model->columnCount(); ++i) {
        const GridColumn& made = m_model->column(i);
        if (made.width > 0) {
            m_view->setColumnWidth(i, made.width);
        } else {
            header.setSectionResizeMode(i, QHeaderView::Stretch);
        }
        if (made.kind == Kind::Number) {
            m_view->setItemDelegateForColumn(i, new theme::NumberDelegate(m_view));
        } else if (made.kind == Kind::State) {
            m_view->setItemDelegateForColumn(i, new theme::StateCellDelegate(m_view));
        }
    }
}

void TableView::sortBy(int column, Qt::SortOrder order)
{
    m_view->horizontalHeader()->blockSignals(true);
    m_view->horizontalHeader()->setSortIndicator(column, order);
    m_view->horizontalHeader()->blockSignals(false);
    m_model->sort(column, order);
    update(GridModel::Order::Free);
}

void TableView::setFilter(const bridge::FindLanguage& find, const bridge::FindLanguage& hide)
{
    m_model->setFilter(find, hide);
    update(GridModel::Order::Free);
}

void TableView::refresh() { update(m_isPointed ? GridModel::Order::Held : GridModel::Order::Free); }

void TableView::update(GridModel::Order order)
{
    m_isFilling = true;
    const QString current = currentKey();
    const int place = m_view->verticalScrollBar()->value();
    m_model->refresh(order);
    if (!current.isEmpty() && current != currentKey()) {
        if (const int row = m_model->rowOf(current); row >= 0) {
            m_view->selectionModel()->setCurrentIndex(
                m_model->index(row, 0),
                QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows
            );
        }
    }
    m_view->verticalScrollBar()->setValue(place);
    m_isFilling = false;
    showNote();
}

void TableView::showNote()
{
    const QLocale locale;
    const int shown = m_model->rowCount();
    const int total = m_model->total();
    m_note->setText(
        shown == total ? tr("showing all %1").arg(locale.toString(total))
                       : tr("showing %1 of %2").arg(locale.toString(shown), locale.toString(total))
    );
    m_new->setVisible(m_model->waiting() > 0);
    m_new->setText(tr("%n new", nullptr, m_model->waiting()));
}

QString TableView::currentKey() const
{
    const QModelIndex current = m_view->currentIndex();
    return current.isValid() ? m_model->keyAt(current.row()) : QString();
}

void TableView::setCurrentKey(const QString& key)
{
    if (key == currentKey()) {
        return;
    }
    m_isFilling = true;
    const int row = m_model->rowOf(key);
    if (row >= 0) {
        const QModelIndex index = m_model->index(row, 0);
        m_view->selectionModel()->setCurrentIndex(
            index, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows
        );
        m_view->scrollTo(index);
    } else {
        m_view->clearSelection();
        m_view->setCurrentIndex({});
    }
    m_isFilling = false;
}

void TableView::addToFoot(QWidget& widget)
{
    qobject_cast<QHBoxLayout*>(m_foot->layout())->insertWidget(0, &widget);
}

bool TableView::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::Enter) {
        m_isPointed = true;
    } else if (event->type() == QEvent::Leave) {
        m_isPointed = false;
        update(GridModel::Order::Free);
    }
    return QWidget::eventFilter(watched, event);
}

void TableView::showMenu(const QPoint& at)
{
    const QModelIndex index = m_view->indexAt(at);
    if (!index.isValid()) {
        return;
    }
    auto* menu = new QMenu(this);
    menu->setObjectName(QStringLiteral("cellMenu"));
    menu->setAttribute(Qt::WA_DeleteOnClose);
    const GridCell cell = m_model->cellAt(index);
    const GridColumn& made = m_model->column(index.column());
    const auto offer = [this, menu](const QString& text, const QString& term) {
        connect(menu->addAction(text), &QAction::triggered, this, [this, term] {
            Q_EMIT filterWanted(term);
        });
    };
    if (made.operand && made.kind == Kind::Number && cell.number) {
        const QString name = QString::fromLatin1(bridge::findOperandRow(*made.operand).name);
        const QString figure = QString::number(*cell.number, 'g', 6);
        offer(
            tr("%1 at least %2").arg(made.title, cell.text),
            name + u' ' + u'>' + u'=' + u' ' + figure
        );
        offer(tr("%1 below %2").arg(made.title, cell.text), name + u' ' + u'<' + u' ' + figure);
    } else if (made.operand) {
        const QStringList values = cell.values.isEmpty() ? QStringList{cell.text} : cell.values;
        for (const QString& value : values) {
            const QString shown = value.isEmpty() ? tr("no value") : value;
            offer(
                tr("Filter on %1").arg(shown),
                bridge::findTerm(*made.operand, value, bridge::FindSense::Only)
            );
            offer(
                tr("Exclude %1").arg(shown),
                bridge::findTerm(*made.operand, value, bridge::FindSense::Without)
            );
        }
    }
    menu->addSeparator();
    connect(menu->addAction(tr("Copy")), &QAction::triggered, this, [cell] {
        QApplication::clipboard()->setText(cell.text);
    });
    menu->popup(m_view->viewport()->mapToGlobal(at));
}

} // namespace mesh::pages
