#pragma once

#include "app/bridge/find_language.h"
#include "app/bridge/find_subjects.h"

#include <QWidget>

#include <array>
#include <functional>
#include <memory>

class QStackedWidget;

namespace mesh::theme {
class SegmentedControl;
}
namespace mesh::bridge {
class MeshSession;
}

namespace mesh::pages {

class TableView;

enum class GraphRows : std::uint8_t { Entities, Edges, Instances };
inline constexpr int kGraphRowsCount = 3;

// Everything the graph shows, as three tables: services, who calls whom, and instances.
class GraphTable : public QWidget
{
    Q_OBJECT

public:
    GraphTable(bridge::MeshSession& session, QWidget* parent);

    void refresh();
    void setFilter(const bridge::FindLanguage& find, const bridge::FindLanguage& hide);
    void setRows(GraphRows rows);
    [[nodiscard]] GraphRows rows() const;
    void setCurrentKey(const QString& key); // When the table in front has it.
    [[nodiscard]] TableView& table(GraphRows rows);
    [[nodiscard]] int matching(); // Of the table in front.
    [[nodiscard]] int total();
    [[nodiscard]] bridge::FindScopes scopes() const; // Of the table in front.

Q_SIGNALS:
    void keySelected(const QString& key);
    void keyActivated(const QString& key);
    void filterWanted(const QString& term);
    void rowsChanged(); // Another table is in front.

private:
    bridge::MeshSession& m_session;
    std::shared_ptr<bridge::FindTags> m_tags;
    theme::SegmentedControl* m_choice;
    QStackedWidget* m_stack;
    std::array<TableView*, kGraphRowsCount> m_tables{};
    QString m_filter; // Both, as canonical texts.
    std::function<void()> m_index; // Of the instances, before they are read.
};

} // namespace mesh::pages
