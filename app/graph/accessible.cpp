#include "app/graph/accessible.h"

#include "app/graph/painter.h"
#include "app/graph/policy_marks.h"
#include "app/graph/topology_view.h"

#include <QAccessible>
#include <QAccessibleWidget>
#include <QCoreApplication>

#include <array>
#include <map>

namespace mesh::graph {

namespace {

QString stateWord(bridge::HealthState state)
{
    static constexpr std::array<const char*, 6> kWords = {
        "healthy", "degraded", "failing", "idle", "no data", "stale"};
    return QCoreApplication::translate("mesh::graph", kWords[static_cast<std::size_t>(state)]);
}

// One node; asks the view each time, so that it never shows old figures.
class NodeInterface : public QAccessibleInterface
{
public:
    NodeInterface(TopologyView* view, QAccessibleInterface* parent, int index)
        : m_view(view)
        , m_parent(parent)
        , m_index(index)
    {}

    [[nodiscard]] bool isValid() const override { return row() != nullptr; }
    [[nodiscard]] QObject* object() const override { return nullptr; }
    [[nodiscard]] QAccessibleInterface* childAt(int, int) const override { return nullptr; }
    [[nodiscard]] QAccessibleInterface* parent() const override { return m_parent; }
    [[nodiscard]] QAccessibleInterface* child(int) const override { return nullptr; }
    [[nodiscard]] int childCount() const override { return 0; }
    [[nodiscard]] int indexOfChild(const QAccessibleInterface*) const override { return -1; }
    [[nodiscard]] QAccessible::Role role() const override { return QAccessible::ListItem; }
    void setText(QAccessible::Text, const QString&) override {}

    [[nodiscard]] QString text(QAccessible::Text kind) const override
    {
        const bridge::EntityRow* const entity = row();
        if (entity == nullptr) {
            return {};
        }
        if (kind == QAccessible::Name) {
            return entity->name + QStringLiteral(", ") + stateWord(entity->state);
        }
        if (kind == QAccessible::Description) {
            const QString figures = figuresLine(*entity);
            QStringList parts{
                entity->why, figures, policyLines(entity->policies), entity->lockText};
            parts.removeAll(QString());
            return parts.join(QStringLiteral(". "));
        }
        return {};
    }

    [[nodiscard]] QRect rect() const override
    {
        const bridge::EntityRow* const entity = row();
        if (entity == nullptr || !m_view->positions().contains(entity->id)) {
            return {};
        }
        const QPointF at = m_view->toWidget(m_view->positions()[entity->id].point);
        const double half = 32 * m_view->zoom();
        const QPointF corner = at - QPointF(half, half);
        const QRect local = QRectF(corner, QSizeF(2 * half, 2 * half)).toRect();
        return QRect(m_view->mapToGlobal(local.topLeft()), local.size());
    }

    [[nodiscard]] QAccessible::State state() const override
    {
        QAccessible::State result;
        result.selectable = 1;
        result.focusable = 1;
        const bridge::EntityRow* const entity = row();
        result.selected = entity != nullptr && entity->id == m_view->selection() ? 1 : 0;
        return result;
    }

private:
    [[nodiscard]] const bridge::EntityRow* row() const
    {
        const auto& entities = m_view->topology().entities;
        const auto index = static_cast<std::size_t>(m_index);
        return index < entities.size() ? &entities[index] : nullptr;
    }

    TopologyView* m_view;
    QAccessibleInterface* m_parent;
    int m_index;
};

class ViewInterface : public QAccessibleWidget
{
public:
    explicit ViewInterface(TopologyView* view)
        : QAccessibleWidget(view, QAccessible::List)
        , m_view(view)
    {}
    ~ViewInterface() override
    {
        for (const auto& entry : m_children) {
            QAccessible::deleteAccessibleInterface(entry.second);
        }
    }
    ViewInterface(const ViewInterface&) = delete;
    ViewInterface& operator=(const ViewInterface&) = delete;

    [[nodiscard]] int childCount() const override
    {
        return static_cast<int>(m_view->topology().entities.size());
    }

    [[nodiscard]] QAccessibleInterface* child(int index) const override
    {
        if (index < 0 || index >= childCount()) {
            return nullptr;
        }
        const auto found = m_children.find(index);
        if (found != m_children.end()) {
            return QAccessible::accessibleInterface(found->second);
        }
        auto* const self = const_cast<ViewInterface*>(this);
        auto* const made = new NodeInterface(m_view, self, index);
        m_children[index] = QAccessible::registerAccessibleInterface(made);
        return made;
    }

    [[nodiscard]] int indexOfChild(const QAccessibleInterface* wanted) const override
    {
        for (const auto& [index, id] : m_children) {
            if (QAccessible::accessibleInterface(id) == wanted) {
                return index;
            }
        }
        return -1;
    }

private:
    TopologyView* m_view;
    mutable std::map<int, QAccessible::Id> m_children;
};

QAccessibleInterface* makeInterface(const QString& /*className*/, QObject* object)
{
    auto* const view = qobject_cast<TopologyView*>(object);
    return view == nullptr ? nullptr : new ViewInterface(view);
}

} // namespace

void installAccessibility()
{
    // Qt ignores a factory that it already has.
    QAccessible::installFactory(&makeInterface);
}

} // namespace mesh::graph
