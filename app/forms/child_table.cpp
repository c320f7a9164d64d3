#include "app/forms/child_table.h"

#include "app/forms/scalar_editors.h"
#include "app/forms/value_path.h"
#include "app/theme/controls.h"
#include "app/theme/icons.h"
#include "app/theme/tables.h"
#include "app/theme/theme.h"

#include <QHeaderView>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QTableWidget>
#include <QVBoxLayout>

#include <array>
#include <string_view>

namespace mesh::forms {
namespace {

enum Column : int { kName, kSecond, kThird, kWeight, kNow, kState, kColumnCount };

// The value of "zone:a" among the tags.
QString tagValue(const config::TreeNode& record, std::string_view name)
{
    const model::Value* tags = record.find("tags");
    if (tags == nullptr || !tags->isList()) {
        return {};
    }
    const std::string prefix = std::string(name) + ":";
    for (const model::Value& tag : tags->list()) {
        if (tag.isString() && tag.text().rfind(prefix, 0) == 0) {
            return QString::fromStdString(tag.text().substr(prefix.size()));
        }
    }
    return {};
}

QString textAt(const config::TreeNode& record, std::string_view key)
{
    const model::Value* value = record.find(key);
    return value != nullptr ? QString::fromStdString(toDisplay(*value)) : QString();
}

QTableWidgetItem* makeItem(const QString& text, Qt::Alignment alignment, bool isEditable)
{
    auto* item = new QTableWidgetItem(text);
    item->setTextAlignment(alignment | Qt::AlignVCenter);
    item->setToolTip(text);
    if (!isEditable) {
        item->setFlags(item->flags() & ~Qt::ItemIsEditable);
    }
    return item;
}

} // namespace

ChildTable::ChildTable(const model::EntityKind& kind, QWidget* parent)
    : QWidget(parent)
    , m_kind(kind)
    , m_table(new QTableWidget(this))
    , m_add(new QPushButton(this))
    , m_none(new QLabel(this))
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(28, 2, 24, 8);
    column->addWidget(m_table);
    const bool isTargets = kind.plural == "targets";
    m_none->setText(
        isTargets ? tr("None here. The workloads of a service of this name are targets too.")
                  : tr("None yet.")
    );
    theme::setText(*m_none, theme::Role::Caption, theme::TextColor::Text3);
    m_none->setContentsMargins(8, 6, 0, 0);
    m_none->setWordWrap(true);
    column->addWidget(m_none);
    const QStringList forTargets = {
        tr("Target"), tr("Zone"), tr("Version"), tr("Weight"), tr("Now"), tr("State")};
    const QStringList forRoutes = {tr("Name"), tr("Paths"), tr("Hosts"), tr("Methods")};
    const QStringList& titles = isTargets ? forTargets : forRoutes;
    m_table->setColumnCount(static_cast<int>(titles.size()));
    m_table->setHorizontalHeaderLabels(titles);
    theme::applyTableDefaults(*m_table);
    m_table->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_table->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_table->horizontalHeader()->setStretchLastSection(true);
    m_table->setColumnWidth(kName, isTargets ? 150 : 130);
    m_table->setObjectName(
        QString::fromUtf8(kind.plural.data(), static_cast<qsizetype>(kind.plural.size()))
    );
    m_table->setAccessibleName(translated(kind.labelPlural));
    m_table->setContextMenuPolicy(Qt::ActionsContextMenu);
    if (isTargets) {
        m_table->setColumnWidth(kSecond, 56);
        m_table->setColumnWidth(kThird, 72);
        m_table->setColumnWidth(kWeight, 70);
        m_table->setColumnWidth(kNow, 86);
        m_table->setItemDelegateForColumn(kWeight, new theme::NumberDelegate(m_table));
        m_table->setItemDelegateForColumn(kNow, new theme::NumberDelegate(m_table));
        m_table->setItemDelegateForColumn(kState, new theme::StateCellDelegate(m_table));
    }
    auto* remove = new QAction(tr("Remove"), m_table);
    remove->setShortcut(QKeySequence::Delete);
    remove->setShortcutContext(Qt::WidgetShortcut);
    m_table->addAction(remove);
    connect(remove, &QAction::triggered, this, [this] {
        const auto row = static_cast<std::size_t>(m_table->currentRow());
        if (row < m_children.size()) {
            Q_EMIT removeRequested(m_children[row].path);
        }
    });
    m_add->setIcon(theme::icon(QStringLiteral("plus")));
    m_add->setText(tr("Add %1").arg(translated(kind.label).toLower()));
    m_add->setObjectName(QStringLiteral("addChild"));
    m_add->setAccessibleName(m_add->text());
    connect(m_add, &QAbstractButton::clicked, this, &ChildTable::addRequested);
    connect(m_table, &QTableWidget::cellChanged, this, &ChildTable::onItemChanged);
    connect(m_table, &QTableWidget::cellDoubleClicked, this, [this](int row, int) {
        if (m_kind.plural != "targets") {
            Q_EMIT openRequested(m_children[static_cast<std::size_t>(row)].path);
        }
    });
}

void ChildTable::setObject(const Draft& draft, const DraftObject& parent)
{
    std::vector<DraftObject> children;
    std::vector<config::TreeNode> records;
    for (const DraftObject& child : parent.children) {
        if (child.kind == &m_kind) {
            const config::TreeNode* record = valueAt(draft.tree(), child.path);
            children.push_back(child);
            records.push_back(record != nullptr ? *record : config::TreeNode());
        }
    }
    const bool isSame = records == m_records && children.size() == m_children.size()
                        && (children.empty() || children.front().path == m_children.front().path);
    m_children = std::move(children);
    if (isSame) {
        return;
    }
    m_records = std::move(records);
    m_isFilling = true;
    m_table->setRowCount(static_cast<int>(m_children.size()));
    for (std::size_t i = 0; i < m_children.size(); ++i) {
        fillRow(static_cast<int>(i), m_records[i]);
    }
    m_isFilling = false;
    fitHeight();
    refreshLive();
}

void ChildTable::setLive(std::function<LiveTarget(const QString&)> live)
{
    m_live = std::move(live);
    refreshLive();
}

void ChildTable::fillRow(int row, const config::TreeNode& record)
{
    if (m_kind.plural != "targets") {
        m_table->setItem(row, kName, makeItem(textAt(record, "name"), Qt::AlignLeft, false));
        m_table->setItem(row, kSecond, makeItem(textAt(record, "paths"), Qt::AlignLeft, false));
        m_table->setItem(row, kThird, makeItem(textAt(record, "hosts"), Qt::AlignLeft, false));
        m_table->setItem(row, kWeight, makeItem(textAt(record, "methods"), Qt::AlignLeft, false));
        return;
    }
    QString weight = textAt(record, "weight");
    if (weight.isEmpty()) {
        const model::Field* field = m_kind.schema->field("weight");
        weight = field != nullptr ? QString::fromStdString(toDisplay(field->defaultValue)) : weight;
    }
    auto* name = makeItem(textAt(record, "target"), Qt::AlignLeft, true);
    name->setFont(theme::font(theme::Role::CodeSmall));
    m_table->setItem(row, kName, name);
    m_table->setItem(row, kSecond, makeItem(tagValue(record, "zone"), Qt::AlignLeft, false));
    m_table->setItem(row, kThird, makeItem(tagValue(record, "version"), Qt::AlignLeft, false));
    m_table->setItem(row, kWeight, makeItem(weight, Qt::AlignRight, true));
    m_table->setItem(row, kNow, makeItem(QStringLiteral("–"), Qt::AlignRight, false));
    m_table->setItem(row, kState, makeItem({}, Qt::AlignLeft, false));
}

void ChildTable::refreshLive()
{
    if (!m_live || m_kind.plural != "targets") {
        return;
    }
    m_isFilling = true;
    for (int row = 0; row < m_table->rowCount(); ++row) {
        const LiveTarget live = m_live(m_table->item(row, kName)->text());
        m_table->item(row, kNow)->setText(live.rate);
        m_table->item(row, kState)->setText(live.state);
        m_table->item(row, kState)
            ->setData(
                theme::kStateRole, live.themeState >= 0 ? QVariant(live.themeState) : QVariant()
            );
    }
    m_isFilling = false;
}

void ChildTable::onItemChanged(int row, int column)
{
    const auto index = static_cast<std::size_t>(row);
    if (m_isFilling || index >= m_children.size()) {
        return;
    }
    const QString text = m_table->item(row, column)->text();
    const std::string& path = m_children[index].path;
    if (column == kName) {
        Q_EMIT edited(path + ".target", model::Value(text.trimmed().toStdString()));
    } else if (column == kWeight) {
        Q_EMIT edited(path + ".weight", valueOfText(text, model::Kind::Int));
    }
}

void ChildTable::fitHeight()
{
    // The header's own size is not known before the table was shown.
    int height = theme::metrics().header + 2 * m_table->frameWidth() + 1;
    for (int row = 0; row < m_table->rowCount(); ++row) {
        height += m_table->rowHeight(row);
    }
    m_table->setFixedHeight(height);
    m_none->setVisible(m_table->rowCount() == 0);
}

} // namespace mesh::forms
