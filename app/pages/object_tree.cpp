#include "app/pages/object_tree.h"

#include "app/bridge/mesh_session.h"
#include "app/forms/field_editor.h"
#include "app/pages/object_delegate.h"
#include "app/pages/write_guard.h"
#include "app/theme/controls.h"
#include "app/theme/icons.h"
#include "app/theme/tables.h"
#include "app/theme/theme.h"

#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPainter>
#include <QPaintEvent>
#include <QToolButton>
#include <QVBoxLayout>

#include <functional>
#include <set>

namespace mesh::pages {
namespace {

using forms::DraftObject;

QString iconOf(std::string_view kind)
{
    static const std::map<std::string_view, const char*> kIcons = {
        {"services", "service"},
        {"routes", "route"},
        {"upstreams", "upstream"},
        {"targets", "link"},
        {"certificates", "certificate"},
        {"snis", "certificate"},
        {"mesh", "graph"},
        {"nodes", "nodes"},
        {"workloads", "chip"},
        {"models", "rehearse"}};
    const auto found = kIcons.find(kind);
    return QString::fromLatin1(found != kIcons.end() ? found->second : "document");
}

const DraftObject* findObject(const std::vector<DraftObject>& objects, const std::string& path)
{
    for (const DraftObject& object : objects) {
        if (object.path == path) {
            return &object;
        }
        if (const DraftObject* below = findObject(object.children, path)) {
            return below;
        }
    }
    return nullptr;
}

void appendShape(const std::vector<DraftObject>& objects, QString& shape)
{
    for (const DraftObject& object : objects) {
        shape += QString::fromStdString(object.path) + u'=' + object.name + u'\n';
        appendShape(object.children, shape);
    }
}

int countAll(const std::vector<DraftObject>& objects)
{
    int count = 0;
    for (const DraftObject& object : objects) {
        count += 1 + countAll(object.children);
    }
    return count;
}

bool isTarget(const DraftObject& object)
{
    return object.kind->plural == "targets"; // Shown in the upstream's form, not in the tree.
}

} // namespace

ObjectTree::ObjectTree(forms::Draft& draft, QWidget* parent)
    : QWidget(parent)
    , m_draft(draft)
    , m_filter(new QLineEdit(this))
    , m_tree(new QTreeWidget(this))
    , m_foot(new QLabel(this))
    , m_add(new QToolButton(this))
    , m_menu(new QToolButton(this))
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 1, 0);
    column->setSpacing(0);
    auto* head = new QHBoxLayout;
    head->setContentsMargins(10, 4, 6, 4);
    head->setSpacing(2);
    auto* title = new QLabel(tr("Objects"), this);
    theme::setText(*title, theme::Role::BodyStrong);
    head->addWidget(title, 1);
    for (QToolButton* button : {m_add, m_menu}) {
        theme::setButtonRole(*button, theme::ButtonRole::Ghost);
        button->setFixedSize(26, 26);
        head->addWidget(button);
    }
    m_add->setIcon(theme::icon(QStringLiteral("plus")));
    m_add->setObjectName(QStringLiteral("addObject"));
    m_add->setAccessibleName(tr("New object"));
    m_add->setToolTip(tr("New object"));
    m_menu->setIcon(theme::icon(QStringLiteral("kebab")));
    m_menu->setObjectName(QStringLiteral("objectMenu"));
    m_menu->setAccessibleName(tr("Object actions"));
    m_menu->setToolTip(tr("Object actions"));
    connect(m_add, &QToolButton::clicked, this, &ObjectTree::showAddMenu);
    connect(m_menu, &QToolButton::clicked, this, [this] {
        QMenu menu;
        QAction* remove = menu.addAction(tr("Delete object"));
        remove->setEnabled(!m_current.empty());
        if (m_session != nullptr) {
            guardWrite(*remove, *m_session, bridge::WriteAction::EditDraft);
        }
        connect(remove, &QAction::triggered, this, &ObjectTree::removeCurrent);
        connect(
            menu.addAction(tr("Unfold all")), &QAction::triggered, m_tree, &QTreeView::expandAll
        );
        connect(
            menu.addAction(tr("Fold all")), &QAction::triggered, m_tree, &QTreeView::collapseAll
        );
        menu.exec(m_menu->mapToGlobal(QPoint(0, m_menu->height())));
    });
    column->addLayout(head);
    column->addWidget(new theme::Hairline(Qt::Horizontal, this));
    m_filter->setObjectName(QStringLiteral("objectFilter"));
    m_filter->setAccessibleName(tr("Filter objects"));
    m_filter->setToolTip(tr("Shows objects whose name contains this (Ctrl+F)"));
    m_filter->addAction(theme::icon(QStringLiteral("search")), QLineEdit::LeadingPosition);
    m_filter->setClearButtonEnabled(true);
    auto* filterRow = new QHBoxLayout;
    filterRow->setContentsMargins(10, 8, 10, 6);
    filterRow->addWidget(m_filter);
    column->addLayout(filterRow);
    m_tree->setObjectName(QStringLiteral("objectTree"));
    m_tree->setAccessibleName(tr("Objects of the configuration"));
    m_tree->setHeaderHidden(true);
    m_tree->setColumnCount(1);
    theme::applyTreeDefaults(*m_tree);
    m_tree->setItemDelegate(new ObjectDelegate(m_tree));
    m_tree->setFrameShape(QFrame::NoFrame);
    m_tree->setIndentation(18);
    column->addWidget(m_tree, 1);
    column->addWidget(new theme::Hairline(Qt::Horizontal, this));
    theme::setText(*m_foot, theme::Role::Caption, theme::TextColor::Text2);
    m_foot->setContentsMargins(12, 7, 8, 8);
    m_foot->setTextFormat(Qt::RichText);
    column->addWidget(m_foot);
    connect(m_filter, &QLineEdit::textChanged, this, &ObjectTree::applyFilter);
    connect(m_tree, &QTreeWidget::currentItemChanged, this, [this](QTreeWidgetItem* item) {
        if (item == nullptr || m_isRefreshing) {
            return;
        }
        const std::string path = item->data(0, kPathRole).toString().toStdString();
        if (!path.empty() && path != m_current) {
            m_current = path;
            Q_EMIT objectSelected(path);
        }
    });
    connect(&draft, &forms::Draft::changed, this, &ObjectTree::refresh);
    connect(&theme::current(), &theme::Theme::changed, this, &ObjectTree::refreshFoot);
    refresh();
}

bool ObjectTree::selectPath(const std::string& path)
{
    const auto found = m_items.find(path);
    if (found == m_items.end()) {
        return false;
    }
    m_tree->setCurrentItem(found->second);
    m_tree->scrollToItem(found->second);
    return true;
}

const DraftObject* ObjectTree::current() const { return object(m_current); }

const DraftObject* ObjectTree::object(const std::string& path) const
{
    return path.empty() ? nullptr : findObject(m_objects, path);
}

void ObjectTree::focusFilter()
{
    m_filter->setFocus(Qt::ShortcutFocusReason);
    m_filter->selectAll();
}

void ObjectTree::refresh()
{
    m_objects = m_draft.objects();
    QString shape;
    appendShape(m_objects, shape);
    m_isRefreshing = true;
    if (shape != m_shape) {
        m_shape = shape;
        std::set<QString> folded;
        for (int i = 0; i < m_tree->topLevelItemCount(); ++i) {
            if (!m_tree->topLevelItem(i)->isExpanded()) {
                folded.insert(m_tree->topLevelItem(i)->data(0, kKindRole).toString());
            }
        }
        const bool isFirst = m_items.empty();
        m_tree->clear();
        m_items.clear();
        for (const model::EntityKind& kind : model::entityKinds()) {
            if (!kind.parent.empty() && kind.plural != "routes") {
                continue;
            }
            std::vector<DraftObject> own;
            for (const DraftObject& object : m_objects) {
                if (object.kind == &kind) {
                    own.push_back(object);
                }
            }
            if (own.empty()) {
                continue;
            }
            auto* group = new QTreeWidgetItem(m_tree); // The tree owns it.
            const auto key =
                QString::fromUtf8(kind.plural.data(), static_cast<qsizetype>(kind.plural.size()));
            group->setText(0, forms::translated(kind.labelPlural));
            group->setIcon(0, theme::icon(QStringLiteral("folder")));
            group->setData(0, kKindRole, key);
            group->setData(0, kCountRole, static_cast<int>(own.size()));
            addObjects(*group, own, true);
            const bool isMain = kind.plural == "services" || kind.plural == "upstreams";
            group->setExpanded(isFirst ? isMain : !folded.contains(key));
        }
    }
    for (auto& [path, item] : m_items) {
        if (const DraftObject* object = findObject(m_objects, path)) {
            decorate(*item, *object);
        }
    }
    if (const auto found = m_items.find(m_current); found != m_items.end()) {
        m_tree->setCurrentItem(found->second);
    }
    m_filter->setPlaceholderText(tr("Filter %n objects", nullptr, countAll(m_objects)));
    m_isRefreshing = false;
    applyFilter();
    refreshFoot();
}

void ObjectTree::addObjects(
    QTreeWidgetItem& parent, const std::vector<DraftObject>& objects, bool isTop
)
{
    Q_UNUSED(isTop)
    for (const DraftObject& object : objects) {
        if (isTarget(object)) {
            continue;
        }
        auto* item = new QTreeWidgetItem(&parent); // Its parent owns it.
        item->setText(0, object.name);
        item->setToolTip(0, object.name);
        item->setIcon(0, theme::icon(iconOf(object.kind->plural)));
        item->setData(0, kPathRole, QString::fromStdString(object.path));
        m_items[object.path] = item;
        addObjects(*item, object.children, false);
    }
}

void ObjectTree::decorate(QTreeWidgetItem& item, const DraftObject& object)
{
    bool isChanged = m_draft.isChanged() && m_draft.isObjectChanged(object);
    for (const DraftObject& child : object.children) {
        isChanged =
            isChanged || (isTarget(child) && m_draft.isChanged() && m_draft.isObjectChanged(child));
    }
    int errors = 0;
    int warnings = 0;
    for (const config::Problem& problem : m_draft.problems()) {
        const bool isHere =
            problem.path.rfind(object.path, 0) == 0
            && (problem.path.size() == object.path.size() || problem.path[object.path.size()] == '.'
                || problem.path[object.path.size()] == '[');
        errors += isHere && problem.severity == config::Severity::Error ? 1 : 0;
        warnings += isHere && problem.severity == config::Severity::Warning ? 1 : 0;
    }
    item.setData(0, kChangedRole, isChanged);
    item.setData(0, kErrorsRole, errors);
    item.setData(0, kWarningsRole, warnings);
}

void ObjectTree::applyFilter()
{
    const QString text = m_filter->text().trimmed();
    const std::function<bool(QTreeWidgetItem&)> show = [&](QTreeWidgetItem& item) {
        bool isAny = text.isEmpty() || item.text(0).contains(text, Qt::CaseInsensitive);
        for (int i = 0; i < item.childCount(); ++i) {
            const bool isChild = show(*item.child(i));
            isAny = isAny || isChild;
        }
        item.setHidden(!isAny);
        if (!text.isEmpty() && isAny) {
            item.setExpanded(true);
        }
        return isAny;
    };
    for (int i = 0; i < m_tree->topLevelItemCount(); ++i) {
        show(*m_tree->topLevelItem(i));
    }
}

void ObjectTree::refreshFoot()
{
    int errors = 0;
    int warnings = 0;
    for (const config::Problem& problem : m_draft.problems()) {
        errors += problem.severity == config::Severity::Error ? 1 : 0;
        warnings += problem.severity == config::Severity::Warning ? 1 : 0;
    }
    const theme::Tokens& tokens = theme::tokens();
    const auto colored = [](const QString& text, const QColor& color) {
        return QStringLiteral("<span style=\"color:%1\">%2</span>").arg(color.name(), text);
    };
    const int changes = m_draft.changedObjects();
    QStringList parts;
    parts << colored(
        changes > 0 ? tr("✎ %n changed", nullptr, changes) : tr("nothing changed"), tokens.text2
    );
    if (errors > 0) {
        parts << colored(
            tr("✕ %n error(s)", nullptr, errors), tokens.of(theme::State::Failure).text
        );
    }
    if (warnings > 0) {
        parts << colored(
            tr("! %n warning(s)", nullptr, warnings), tokens.of(theme::State::Degraded).text
        );
    }
    m_foot->setText(parts.join(QStringLiteral("&nbsp;&nbsp;&nbsp;")));
}

void ObjectTree::guard(bridge::MeshSession& session)
{
    m_session = &session;
    guardWrite(*m_add, session, bridge::WriteAction::EditDraft);
}

void ObjectTree::showAddMenu()
{
    if (m_session != nullptr && m_session->gate().isRefused(bridge::WriteAction::EditDraft)) {
        return;
    }
    QMenu menu;
    const DraftObject* selected = current();
    for (const model::EntityKind& kind : model::entityKinds()) {
        const bool isTop = kind.parent.empty();
        const bool fits = selected != nullptr && selected->kind->plural == kind.parent;
        if (!isTop && !fits) {
            continue;
        }
        const std::string parentPath = isTop ? std::string() : selected->path;
        const QString label =
            isTop ? forms::translated(kind.label)
                  : tr("%1 of %2").arg(forms::translated(kind.label), selected->name);
        connect(menu.addAction(label), &QAction::triggered, this, [this, &kind, parentPath] {
            const std::string path = m_draft.addObject(kind, parentPath);
            selectPath(path);
        });
    }
    menu.exec(m_add->mapToGlobal(QPoint(0, m_add->height())));
}

void ObjectTree::removeCurrent()
{
    const std::string path = m_current;
    m_current.clear();
    m_draft.removeObject(path);
}

void ObjectTree::paintEvent(QPaintEvent* event)
{
    QPainter painter(this);
    painter.fillRect(event->rect(), theme::tokens().panel);
    painter.fillRect(width() - 1, 0, 1, height(), theme::tokens().border);
}

} // namespace mesh::pages
