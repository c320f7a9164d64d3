#pragma once

#include "app/forms/draft.h"

#include <QString>
#include <QWidget>

#include <functional>

class QAbstractButton;
class QLabel;
class QTableWidget;

namespace mesh::forms {

// What is known about a target right now, for the last columns.
struct LiveTarget
{
    QString rate; // "11.0 rps"; "–".
    QString state; // "healthy"; empty: unknown.
    int themeState = -1; // theme::State; -1: none.
};

// The children of an object (targets of an upstream, routes of a service) as a table: cells are
// edited in place, rows added and removed. Emits edits as paths of the draft.
class ChildTable : public QWidget
{
    Q_OBJECT

public:
    ChildTable(const model::EntityKind& kind, QWidget* parent);

    [[nodiscard]] const model::EntityKind& kind() const { return m_kind; }
    void setObject(const Draft& draft, const DraftObject& parent);
    // Asked for every target's address on refresh; empty function: no live columns.
    void setLive(std::function<LiveTarget(const QString& address)> live);
    void refreshLive();

    [[nodiscard]] QTableWidget& table() { return *m_table; }
    // To be put into the section's header.
    [[nodiscard]] QAbstractButton& addButton() { return *m_add; }

Q_SIGNALS:
    void edited(const std::string& path, const mesh::model::Value& value);
    void addRequested();
    void removeRequested(const std::string& path);
    void openRequested(const std::string& path);

private:
    void fillRow(int row, const config::TreeNode& record);
    void onItemChanged(int row, int column);
    void fitHeight();

    const model::EntityKind& m_kind;
    QTableWidget* m_table;
    QAbstractButton* m_add;
    QLabel* m_none; // Said in place of rows.
    std::vector<DraftObject> m_children;
    std::vector<config::TreeNode> m_records;
    std::function<LiveTarget(const QString&)> m_live;
    bool m_isFilling = false;
};

} // namespace mesh::forms
