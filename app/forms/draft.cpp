#include "app/forms/draft.h"

#include "app/forms/line_diff.h"
#include "app/forms/value_path.h"

#include <QUndoCommand>

#include <utility>

namespace mesh::forms {
namespace {

using config::TreeNode;
using model::Value;

constexpr int kUndoStepsMax = 200; // Each holds two texts: about 40 MiB for a 100 KiB document.
constexpr int kTypingMergeId = 1;

QString nameOf(const TreeNode& record, std::size_t index)
{
    for (const std::string_view key : {"name", "target", "service", "id"}) {
        const Value* value = record.find(key);
        if (value != nullptr && value->isString() && !value->text().empty()) {
            return QString::fromStdString(value->text());
        }
    }
    return QStringLiteral("#%1").arg(index + 1);
}

std::vector<DraftObject> objectsIn(
    const TreeNode& holder,
    const model::EntityKind& kind,
    const std::string& holderPath,
    const QString& parent
)
{
    std::vector<DraftObject> objects;
    const Value* list = holder.find(kind.plural);
    if (list == nullptr) {
        return objects;
    }
    const std::string base = joinPath(holderPath, kind.plural);
    if (list->isMap()) {
        objects.push_back(DraftObject{&kind, nameOf(*list, 0), parent, base, {}});
        return objects;
    }
    if (!list->isList()) {
        return objects;
    }
    for (std::size_t i = 0; i < list->list().size(); ++i) {
        const TreeNode& record = list->list()[i];
        DraftObject object;
        object.kind = &kind;
        object.name = nameOf(record, i);
        object.parent = parent;
        object.path = base + "[" + std::to_string(i) + "]";
        for (const model::EntityKind& child : model::entityKinds()) {
            if (child.parent == kind.plural) {
                auto children = objectsIn(record, child, object.path, object.name);
                std::move(children.begin(), children.end(), std::back_inserter(object.children));
            }
        }
        objects.push_back(std::move(object));
    }
    return objects;
}

const TreeNode* findRecord(
    const std::vector<DraftObject>& objects, const TreeNode& root, const DraftObject& wanted
)
{
    for (const DraftObject& object : objects) {
        if (object.kind == wanted.kind && object.name == wanted.name
            && object.parent == wanted.parent) {
            return valueAt(root, object.path);
        }
        if (const TreeNode* found = findRecord(object.children, root, wanted)) {
            return found;
        }
    }
    return nullptr;
}

std::vector<DraftObject> objectsOfTree(const TreeNode& tree)
{
    std::vector<DraftObject> objects;
    for (const model::EntityKind& kind : model::entityKinds()) {
        auto some = objectsIn(tree, kind, {}, {});
        std::move(some.begin(), some.end(), std::back_inserter(objects));
    }
    return objects;
}

// The record without its children, which are objects of their own.
TreeNode ownPart(const TreeNode& record, const model::EntityKind& kind)
{
    TreeNode own = record;
    for (const model::EntityKind& child : model::entityKinds()) {
        if (child.parent == kind.plural && own.isMap()) {
            own.remove(child.plural);
        }
    }
    return own;
}

bool isSame(const DraftObject& object, const TreeNode& tree, const TreeNode* other)
{
    const TreeNode* record = valueAt(tree, object.path);
    return record != nullptr && other != nullptr
           && ownPart(*record, *object.kind) == ownPart(*other, *object.kind);
}

int countChanged(
    const std::vector<DraftObject>& objects,
    const TreeNode& tree,
    const std::vector<DraftObject>& others,
    const TreeNode& otherTree
)
{
    int count = 0;
    for (const DraftObject& object : objects) {
        count += isSame(object, tree, findRecord(others, otherTree, object)) ? 0 : 1;
        count += countChanged(object.children, tree, others, otherTree);
    }
    return count;
}

// Those of `objects` that `others` lack.
int countMissing(
    const std::vector<DraftObject>& objects,
    const std::vector<DraftObject>& others,
    const TreeNode& otherTree
)
{
    int count = 0;
    for (const DraftObject& object : objects) {
        count += findRecord(others, otherTree, object) == nullptr ? 1 : 0;
        count += countMissing(object.children, others, otherTree);
    }
    return count;
}

} // namespace

// Puts one text in the place of another; typing into the same field is one step.
class DraftCommand : public QUndoCommand
{
public:
    DraftCommand(Draft& draft, const QString& after, const QString& what, int mergeId)
        : QUndoCommand(what)
        , m_draft(draft)
        , m_before(draft.text())
        , m_after(after)
        , m_mergeId(mergeId)
    {}

    void undo() override { m_draft.adopt(m_before); }
    void redo() override { m_draft.adopt(m_after); }
    [[nodiscard]] int id() const override { return m_mergeId; }
    bool mergeWith(const QUndoCommand* other) override
    {
        if (other->id() != m_mergeId || other->text() != text()) {
            return false;
        }
        m_after = static_cast<const DraftCommand*>(other)->m_after;
        return true;
    }

private:
    Draft& m_draft;
    QString m_before;
    QString m_after;
    int m_mergeId;
};

Draft::Draft(QObject* parent)
    : QObject(parent)
{
    m_undo.setUndoLimit(kUndoStepsMax);
    m_tree = Value(Value::Map{});
    m_baseTree = m_tree;
}

void Draft::load(const model::Document& document)
{
    m_undo.clear();
    m_base = document;
    const std::string yaml = config::toYaml(document);
    if (auto tree = config::parseTree(yaml)) {
        m_baseTree = *std::move(tree);
    }
    m_baseText =
        m_form == config::TextForm::Yaml ? QString::fromStdString(yaml) : render(m_baseTree);
    adopt(m_baseText);
}

void Draft::markApplied()
{
    if (!m_document) {
        return;
    }
    m_base = *m_document;
    m_baseTree = m_tree;
    m_baseText = m_text;
    updateChanges();
    Q_EMIT changed();
}

void Draft::discard()
{
    if (isChanged()) {
        push(m_baseText, tr("Discard changes"), -1);
    }
}

bool Draft::setTextForm(config::TextForm form)
{
    if (form == m_form) {
        return true;
    }
    auto tree = config::parseTree(m_text.toStdString());
    if (!tree) {
        return false;
    }
    m_form = form;
    m_undo.clear(); // Its texts are in the other form.
    const bool wasChanged = isChanged();
    m_baseText = form == config::TextForm::Yaml ? QString::fromStdString(config::toYaml(m_base))
                                                : render(m_baseTree);
    adopt(wasChanged ? render(*tree) : m_baseText);
    return true;
}

std::vector<DraftObject> Draft::objects() const { return objectsOfTree(m_tree); }

const TreeNode* Draft::baseRecord(const DraftObject& object) const
{
    return findRecord(objectsOfTree(m_baseTree), m_baseTree, object);
}

bool Draft::isObjectChanged(const DraftObject& object) const
{
    return !isSame(object, m_tree, baseRecord(object));
}

void Draft::editText(const QString& text)
{
    if (text != m_text) {
        push(text, tr("Edit text"), kTypingMergeId);
    }
}

void Draft::editValue(const std::string& path, model::Value value)
{
    TreeNode tree = m_tree;
    setValueAt(tree, path, std::move(value));
    const QString what = tr("Edit %1").arg(QString::fromStdString(path));
    writeTree(std::move(tree), what, static_cast<int>(qHash(what) & 0x7fffffffU));
}

std::string Draft::addObject(const model::EntityKind& kind, const std::string& parentPath)
{
    TreeNode tree = m_tree;
    const std::string listPath = joinPath(parentPath, kind.plural);
    const Value* old = valueAt(tree, listPath);
    Value list = old != nullptr && old->isList() ? *old : Value(Value::List{});
    Value record(Value::Map{});
    const bool isNamed = kind.schema->field("name") != nullptr;
    const std::size_t index = list.list().size();
    if (isNamed) {
        record.set("name", Value(std::string(kind.singular) + "-" + std::to_string(index + 1)));
    }
    list.list().push_back(std::move(record));
    setValueAt(tree, listPath, std::move(list));
    writeTree(std::move(tree), tr("Add object"), -1);
    return listPath + "[" + std::to_string(index) + "]";
}

void Draft::removeObject(const std::string& path)
{
    TreeNode tree = m_tree;
    setValueAt(tree, path, Value());
    writeTree(std::move(tree), tr("Delete object"), -1);
}

void Draft::adopt(const QString& text)
{
    m_text = text;
    const std::string utf8 = text.toStdString();
    if (auto tree = config::parseTree(utf8); tree && (tree->isMap() || tree->isNull())) {
        m_tree = *std::move(tree);
    }
    config::DecodeResult decoded = config::decode(utf8);
    m_problems = std::move(decoded.problems);
    m_document.reset();
    if (!config::hasErrors(m_problems)) {
        m_document = std::move(decoded.document);
    }
    updateChanges();
    Q_EMIT changed();
}

void Draft::push(const QString& text, const QString& what, int mergeId)
{
    m_undo.push(new DraftCommand(*this, text, what, mergeId)); // The stack owns it; redo() runs.
}

void Draft::writeTree(TreeNode tree, const QString& what, int mergeId)
{
    const QString text = render(tree);
    if (text != m_text) {
        push(text, what, mergeId);
    }
}

QString Draft::render(const TreeNode& tree) const
{
    return QString::fromStdString(
        m_form == config::TextForm::Yaml ? config::toYaml(tree) : toPrettyJson(tree)
    );
}

void Draft::updateChanges()
{
    if (m_document) {
        m_changes = model::diff(m_base, *m_document);
    }
    m_changedObjects = 0;
    if (isChanged()) {
        const auto now = objectsOfTree(m_tree);
        const auto before = objectsOfTree(m_baseTree);
        m_changedObjects =
            countChanged(now, m_tree, before, m_baseTree) + countMissing(before, now, m_tree);
    }
    m_changedLines = changedLines(m_baseText.split(u'\n'), m_text.split(u'\n'));
}

} // namespace mesh::forms
