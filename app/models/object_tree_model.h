#pragma once

#include "app/bridge/session_rows.h"
#include "proxyengine/model/diff.h"
#include "proxyengine/model/objects.h"

#include <QAbstractItemModel>

#include <memory>
#include <vector>

namespace mesh::models {

// The objects of a configuration: kinds, below them objects, below those their children (routes of
// a service, targets of an upstream). A refresh changes only what differs, so that selection and
// open branches survive.
class ObjectTreeModel : public QAbstractItemModel
{
    Q_OBJECT

public:
    enum Role : int {
        KindRole = Qt::UserRole + 1, // "services"
        NameRole, // Empty for a kind.
        ParentNameRole,
        CountRole, // Objects of a kind.
        ChangedRole, // bool
        FindingsRole, // int, children included.
    };

    explicit ObjectTreeModel(QObject* parent = nullptr);
    ~ObjectTreeModel() override;

    void setDocument(
        const model::Document& document,
        const std::vector<model::ObjectChange>& changes,
        const std::vector<bridge::ProblemRow>& problems
    );
    // An invalid index when there is none.
    [[nodiscard]] QModelIndex indexOf(const model::ObjectRef& ref) const;

    [[nodiscard]] QModelIndex index(int row, int column, const QModelIndex& parent) const override;
    [[nodiscard]] QModelIndex parent(const QModelIndex& index) const override;
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;

private:
    struct Item;
    void merge(Item& shown, std::unique_ptr<Item> wanted, const QModelIndex& index);
    [[nodiscard]] const Item& itemAt(const QModelIndex& index) const;

    std::unique_ptr<Item> m_root;
};

} // namespace mesh::models
