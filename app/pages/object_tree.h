#pragma once

#include "app/forms/draft.h"

#include <QTreeWidget>
#include <QWidget>

#include <map>
#include <string>

class QLabel;
class QLineEdit;
class QToolButton;

namespace mesh::bridge {
class MeshSession;
}

namespace mesh::pages {

// The objects of the draft by kind, with what changed and what is wrong, and a filter.
class ObjectTree : public QWidget
{
    Q_OBJECT

public:
    ObjectTree(forms::Draft& draft, QWidget* parent);

    // By path in the draft; false when it is not there.
    bool selectPath(const std::string& path);
    [[nodiscard]] const forms::DraftObject* current() const; // Null: none.
    [[nodiscard]] const forms::DraftObject* object(const std::string& path) const;
    void focusFilter();
    void showAddMenu(); // Asks which kind, then adds one.
    // Adds and deletes nothing while the session's profile refuses it.
    void guard(bridge::MeshSession& session);

Q_SIGNALS:
    void objectSelected(const std::string& path);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void refresh();
    void addObjects(
        QTreeWidgetItem& parent, const std::vector<forms::DraftObject>& objects, bool isTop
    );
    void decorate(QTreeWidgetItem& item, const forms::DraftObject& object);
    void applyFilter();
    void refreshFoot();
    void removeCurrent();

    forms::Draft& m_draft;
    bridge::MeshSession* m_session = nullptr; // Of guard(); null: nothing is refused.
    QLineEdit* m_filter;
    QTreeWidget* m_tree;
    QLabel* m_foot;
    QToolButton* m_add;
    QToolButton* m_menu;
    std::vector<forms::DraftObject> m_objects;
    std::map<std::string, QTreeWidgetItem*> m_items;
    std::string m_current;
    QString m_shape; // Of the tree: it is rebuilt only when objects come, go or are renamed.
    bool m_isRefreshing = false;
};

} // namespace mesh::pages
