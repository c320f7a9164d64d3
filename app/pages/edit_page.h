#pragma once

#include "app/forms/draft.h"

#include <QLabel>
#include <QWidget>

#include <map>
#include <string>

class QScrollArea;
class QSplitter;
class QTabBar;
class QTimer;

namespace mesh::bridge {
class MeshSession;
}
namespace mesh::forms {
class ChildTable;
class ConfigTextEdit;
class FormSection;
class SchemaForm;
} // namespace mesh::forms
namespace mesh::theme {
class Chip;
}

namespace mesh::pages {

class ObjectTree;

// Objects at the left, the form of the selected one, the whole text at the right: three views of
// one draft. What is wrong stands at its field, in its line and at its object.
class EditPage : public QWidget
{
    Q_OBJECT

public:
    EditPage(bridge::MeshSession& session, forms::Draft& draft, QWidget* parent);

    // "services[0].host": shows the object and the field; false when there is none.
    bool goToPath(const std::string& path);
    // The upstream, service or node of this name, or the weight of the workload.
    void goToEntity(const QString& name);
    void goToLine(int line);
    void focusFilter(); // Ctrl+F.
    void showAddMenu(); // Ctrl+N.
    void toggleText(); // Alt+0.
    void goToProblem(int direction); // F8, Shift+F8.
    [[nodiscard]] forms::SchemaForm& form() { return *m_form; }
    [[nodiscard]] forms::ConfigTextEdit& text() { return *m_text; }
    [[nodiscard]] ObjectTree& tree() { return *m_tree; }

private:
    QWidget* makeForm();
    QWidget* makeText();
    void refresh();
    void refreshText();
    void showObject(const std::string& path);
    void refreshChildren(const forms::DraftObject& object);
    void refreshUse(const forms::DraftObject& object);
    void followField(const std::string& field);
    [[nodiscard]] int lineOf(const std::string& path) const;

    bridge::MeshSession& m_session;
    QWidget* m_textPane = nullptr;
    forms::Draft& m_draft;
    ObjectTree* m_tree;
    QLabel* m_breadcrumb = nullptr;
    theme::Chip* m_edited = nullptr;
    QLabel* m_use = nullptr;
    QLabel* m_general = nullptr; // Problems that belong to no field.
    QScrollArea* m_scroll = nullptr;
    forms::SchemaForm* m_form = nullptr;
    forms::FormSection* m_childSection = nullptr;
    forms::ChildTable* m_children = nullptr;
    QTabBar* m_tabs = nullptr;
    forms::ConfigTextEdit* m_text = nullptr;
    QLabel* m_place = nullptr;
    QTimer* m_typing;
    QString m_typed;
    std::size_t m_rowsOrdered = 0; // Rows of the form when the tab order was made.
    std::string m_path; // Of the object in the form.
    std::string m_field; // Last focused, relative to the object.
    int m_problemAt = -1;
};

} // namespace mesh::pages
