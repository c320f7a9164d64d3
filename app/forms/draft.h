#pragma once

#include "proxyengine/config/codec.h"
#include "proxyengine/config/tree.h"
#include "proxyengine/model/diff.h"
#include "proxyengine/model/objects.h"

#include <QObject>
#include <QSet>
#include <QString>
#include <QTimer>
#include <QUndoStack>

#include <optional>
#include <string>
#include <vector>

namespace mesh::forms {

// One object as the draft's text has it, also while the text has errors.
struct DraftObject
{
    const model::EntityKind* kind = nullptr;
    QString name; // Its name, a target's address, a model's service; "#2" without one.
    QString parent; // Name of the object that holds it; empty: none.
    std::string path; // "services[0].routes[1]"
    std::vector<DraftObject> children;
};

// The configuration being edited: one tree that the form and the text both show and change.
//
// The text is the truth: what the form writes goes into the tree and from there into the text; what
// is typed is parsed into the tree. An object nobody touched keeps every byte. Problems are those
// of the whole document, with the line they stand at.
class Draft : public QObject
{
    Q_OBJECT

public:
    explicit Draft(QObject* parent = nullptr);

    // A new state to start from; drops the edits and their history.
    void load(const model::Document& document);
    // What is in the text now is what runs: nothing counts as changed. Keeps the history.
    void markApplied();
    // Back to what was loaded or applied last; can be undone.
    void discard();

    [[nodiscard]] const QString& text() const { return m_text; }
    [[nodiscard]] config::TextForm textForm() const { return m_form; }
    // YAML or JSON. Refused (false) while the text cannot be parsed, because nothing may be lost.
    bool setTextForm(config::TextForm form);

    [[nodiscard]] const config::TreeNode& tree() const { return m_tree; }
    [[nodiscard]] const config::TreeNode& baseTree() const { return m_baseTree; }
    // Absent while there are errors.
    [[nodiscard]] const std::optional<model::Document>& document() const { return m_document; }
    [[nodiscard]] const model::Document& baseDocument() const { return m_base; }
    [[nodiscard]] const std::vector<config::Problem>& problems() const { return m_problems; }
    [[nodiscard]] bool hasErrors() const { return config::hasErrors(m_problems); }
    [[nodiscard]] bool isChanged() const { return m_text != m_baseText; }
    // Objects that are new, different or gone, by the text, also while it has errors.
    [[nodiscard]] int changedObjects() const { return m_changedObjects; }
    [[nodiscard]] bool isObjectChanged(const DraftObject& object) const;
    // Against what was loaded; the last valid state while there are errors.
    [[nodiscard]] const std::vector<model::ObjectChange>& changes() const { return m_changes; }
    [[nodiscard]] const QSet<int>& changedLineNumbers() const { return m_changedLines; }

    // By kind, in the order of entityKinds(); children below their parents.
    [[nodiscard]] std::vector<DraftObject> objects() const;
    // The same object in what was loaded; null: it is new.
    [[nodiscard]] const config::TreeNode* baseRecord(const DraftObject& object) const;

    // The whole text as typed. Parsed at once.
    void editText(const QString& text);
    // One member of one object, from the form. A null value removes it.
    void editValue(const std::string& path, model::Value value);
    // Appends an object of a kind; returns its path, empty when the text cannot be parsed.
    std::string addObject(const model::EntityKind& kind, const std::string& parentPath);
    void removeObject(const std::string& path);

    [[nodiscard]] QUndoStack* undoStack() { return &m_undo; }

Q_SIGNALS:
    void changed(); // Text, tree, problems: any of them.

private:
    friend class DraftCommand;
    void adopt(const QString& text);
    void push(const QString& text, const QString& what, int mergeId);
    void writeTree(config::TreeNode tree, const QString& what, int mergeId);
    [[nodiscard]] QString render(const config::TreeNode& tree) const;
    void updateChanges();

    config::TextForm m_form = config::TextForm::Yaml;
    QString m_text;
    QString m_baseText; // In the form of m_text.
    config::TreeNode m_tree;
    config::TreeNode m_baseTree;
    model::Document m_base;
    std::optional<model::Document> m_document;
    std::vector<config::Problem> m_problems;
    std::vector<model::ObjectChange> m_changes;
    QSet<int> m_changedLines;
    int m_changedObjects = 0;
    QUndoStack m_undo;
};

} // namespace mesh::forms
