#pragma once

#include <QLabel>
#include <QWidget>

class QTabBar;

namespace mesh::bridge {
class MeshSession;
}

namespace mesh::pages {

class EventsView;
class RowsTable;

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
