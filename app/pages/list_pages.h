#pragma once

#include <QLabel>
#include <QWidget>

#include <array>

class QTabBar;

namespace mesh::bridge {
class MeshSession;
}
namespace mesh::theme {
class FigureLabel;
}

namespace mesh::pages {

class EventsView;
class RowsTable;

// The nodes of the mesh: what they run, how fresh they are, where they listen.
class NodesPage : public QWidget
{
    Q_OBJECT

public:
    NodesPage(bridge::MeshSession& session, QWidget* parent);

private:
    void refresh();

    bridge::MeshSession& m_session;
    QLabel* m_summary;
    std::array<theme::FigureLabel*, 4> m_figures{};
    RowsTable* m_table;
    QLabel* m_empty;
};

// Everything that is wrong and everything that happened, as two tables.
class FindingsPage : public QWidget
{
    Q_OBJECT

public:
    FindingsPage(bridge::MeshSession& session, QWidget* parent);

Q_SIGNALS:
    void problemActivated(const QString& path, int line);
    void entityActivated(const QString& id);

private:
    void refreshProblems();
    void refreshEvents();

    bridge::MeshSession& m_session;
    QLabel* m_problemsTitle;
    QLabel* m_eventsTitle;
    RowsTable* m_problems;
    EventsView* m_events;
};

// The tables that the pages and the bottom panes share.
[[nodiscard]] RowsTable* makeProblemsTable(QWidget* parent);
[[nodiscard]] RowsTable* makeRequestsTable(QWidget* parent);
void fillProblems(RowsTable& table, const bridge::MeshSession& session);
void fillRequests(RowsTable& table, const bridge::MeshSession& session);

// A mode that a later version brings: what it will do, and what can be done now.
class LaterPage : public QWidget
{
    Q_OBJECT

public:
    LaterPage(
        const QString& iconName,
        const QString& title,
        const QString& will,
        const QString& now,
        const QString& action,
        QWidget* parent
    );

Q_SIGNALS:
    void actionChosen();
};

} // namespace mesh::pages
