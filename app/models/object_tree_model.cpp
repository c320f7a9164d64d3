#include "app/models/object_tree_model.h"

#include <QCoreApplication>

#include <algorithm>
#include <string>
#include <string_view>

namespace mesh::models {

struct ObjectTreeModel::Item
{
    model::ObjectRef ref;
    QString label;
    bool isChanged = false;
    int findings = 0;
    Item* parent = nullptr;
    std::vector<std::unique_ptr<Item>> children;

    [[nodiscard]] bool isSameObject(const Item& other) const { return ref == other.ref; }
    [[nodiscard]] bool looksLike(const Item& other) const
    {
        return label == other.label && isChanged == other.isChanged && findings == other.findings
               && children.size() == other.children.size();
    }
};

namespace {

QString toQt(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

// "services[1]" holds "services[1].routes[0]", but not "services[10]".
bool holds(const std::string& path, const QString& problem)
{
    const QString own = QString::fromStdString(path);
    return !path.empty() && problem.startsWith(own)
           && (problem.size() == own.size() || problem[own.size()] == u'.');
}

} // namespace

ObjectTreeModel::ObjectTreeModel(QObject* parent)
    : QAbstractItemModel(parent)
    , m_root(std::make_unique<Item>())
{}

ObjectTreeModel::~ObjectTreeModel() = default;

void ObjectTreeModel::setDocument(
    const model::Document& document,
    const std::vector<model::ObjectChange>& changes,
    const std::vector<bridge::ProblemRow>& problems
)
{
    const auto makeItem = [&](const model::ObjectRef& ref) {
        auto item = std::make_unique<Item>();
        item->ref = ref;
        item->label = QString::fromStdString(ref.name);
        item->isChanged = std::ranges::any_of(changes, [&](const model::ObjectChange& change) {
            return change.object == ref
                   || (change.object.parent == ref.name && change.object.kind != ref.kind);
        });
        const std::string path = model::pathOf(document, ref);
        for (const bridge::ProblemRow& problem : problems) {
            item->findings += holds(path, problem.path) ? 1 : 0;
        }
        return item;
    };
    auto root = std::make_unique<Item>();
    for (const model::EntityKind& kind : model::entityKinds()) {
        const auto refs = model::objectsOf(document, kind.plural);
        for (const model::ObjectRef& ref : refs) {
            auto item = makeItem(ref);
            Item* holder = nullptr;
            for (const auto& group : root->children) {
                for (const auto& candidate : group->children) {
                    const bool isParent = !ref.parent.empty() && candidate->ref.name == ref.parent
                                          && candidate->ref.kind == kind.parent;
                    holder = isParent ? candidate.get() : holder;
                }
            }
            if (holder == nullptr) {
                const auto group = std::ranges::find_if(root->children, [&](const auto& entry) {
                    return entry->ref.kind == kind.plural;
                });
                if (group == root->children.end()) {
                    auto made = std::make_unique<Item>();
                    made->ref.kind = std::string(kind.plural);
                    made->label = QCoreApplication::translate(
                        "mesh::model", toQt(kind.labelPlural).toUtf8().constData()
                    );
                    made->parent = root.get();
                    root->children.push_back(std::move(made));
                    holder = root->children.back().get();
                } else {
                    holder = group->get();
                }
            }
            item->parent = holder;
            holder->children.push_back(std::move(item));
        }
    }
    for (const auto& group : root->children) {
        for (const auto& item : group->children) {
            group->findings += item->findings;
            group->isChanged = group->isChanged || item->isChanged;
        }
    }
    merge(*m_root, std::move(root), {});
}

void ObjectTreeModel::merge(Item& shown, std::unique_ptr<Item> wanted, const QModelIndex& index)
{
    auto& rows = shown.children;
    const auto isWanted = [&](const Item& item) {
        return std::ranges::any_of(wanted->children, [&](const auto& other) {
            return other->isSameObject(item);
        });
    };
    for (std::size_t at = rows.size(); at-- > 0;) {
        if (!isWanted(*rows[at])) {
            const int row = static_cast<int>(at);
            beginRemoveRows(index, row, row);
            rows.erase(rows.begin() + row);
            endRemoveRows();
        }
    }
    for (std::size_t at = 0; at < wanted->children.size(); ++at) {
        std::unique_ptr<Item>& next = wanted->children[at];
        const int row = static_cast<int>(at);
        const auto found = std::find_if(
            rows.begin() + std::min<std::ptrdiff_t>(row, std::ssize(rows)),
            rows.end(),
            [&](const auto& item) { return item->isSameObject(*next); }
        );
        if (found == rows.end()) {
            beginInsertRows(index, row, row);
            next->parent = &shown;
            rows.insert(rows.begin() + row, std::move(next));
            endInsertRows();
            continue;
        }
        const int from = static_cast<int>(found - rows.begin());
        if (from != row && beginMoveRows(index, from, from, index, row)) {
            std::rotate(rows.begin() + row, rows.begin() + from, rows.begin() + from + 1);
            endMoveRows();
        }
        Item& item = *rows[at];
        const QModelIndex place = this->index(row, 0, index);
        const bool isNew = !item.looksLike(*next);
        item.label = next->label;
        item.isChanged = next->isChanged;
        item.findings = next->findings;
        merge(item, std::move(next), place);
        if (isNew) {
            Q_EMIT dataChanged(place, place);
        }
    }
}

const ObjectTreeModel::Item& ObjectTreeModel::itemAt(const QModelIndex& index) const
{
    return index.isValid() ? *static_cast<const Item*>(index.constInternalPointer()) : *m_root;
}

QModelIndex ObjectTreeModel::indexOf(const model::ObjectRef& ref) const
{
    for (int group = 0; group < rowCount(); ++group) {
        const QModelIndex kind = index(group, 0, {});
        for (int row = 0; row < rowCount(kind); ++row) {
            const QModelIndex object = index(row, 0, kind);
            if (itemAt(object).ref == ref) {
                return object;
            }
            for (int child = 0; child < rowCount(object); ++child) {
                const QModelIndex below = index(child, 0, object);
                if (itemAt(below).ref == ref) {
                    return below;
                }
            }
        }
    }
    return {};
}

QModelIndex ObjectTreeModel::index(int row, int column, const QModelIndex& parent) const
{
    const Item& item = itemAt(parent);
    const bool isThere = row >= 0 && row < static_cast<int>(item.children.size()) && column == 0
                         && (!parent.isValid() || parent.column() == 0);
    return isThere ? createIndex(row, column, item.children[static_cast<std::size_t>(row)].get())
                   : QModelIndex();
}

QModelIndex ObjectTreeModel::parent(const QModelIndex& index) const
{
    if (!index.isValid()) {
        return {};
    }
    const Item* holder = itemAt(index).parent;
    if (holder == nullptr || holder == m_root.get()) {
        return {};
    }
    const auto& siblings = holder->parent->children;
    const auto found =
        std::ranges::find_if(siblings, [&](const auto& item) { return item.get() == holder; });
    return createIndex(static_cast<int>(found - siblings.begin()), 0, holder);
}

int ObjectTreeModel::rowCount(const QModelIndex& parent) const
{
    return parent.column() > 0 ? 0 : static_cast<int>(itemAt(parent).children.size());
}

int ObjectTreeModel::columnCount(const QModelIndex&) const { return 1; }

QVariant ObjectTreeModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) {
        return {};
    }
    const Item& item = itemAt(index);
    switch (role) {
    case Qt::DisplayRole:
        return item.label;
    case KindRole:
        return QString::fromStdString(item.ref.kind);
    case NameRole:
        return QString::fromStdString(item.ref.name);
    case ParentNameRole:
        return QString::fromStdString(item.ref.parent);
    case CountRole:
        return static_cast<int>(item.children.size());
    case ChangedRole:
        return item.isChanged;
    case FindingsRole:
        return item.findings;
    default:
        return {};
    }
}

} // namespace mesh::models
