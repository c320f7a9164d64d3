#pragma once

#include "app/bridge/route_test.h"

#include <QString>
#include <QTimer>
#include <QWidget>

#include <array>

class QComboBox;
class QLabel;
class QLineEdit;

namespace mesh::bridge {
class MeshSession;
struct TapRow;
} // namespace mesh::bridge
namespace mesh::theme {
class Note;
}

namespace mesh::pages {

class RowsTable;

// One answer of the route tester: where the request goes, what acts on it, who lost and why.
class RouteAnswerView : public QWidget
{
    Q_OBJECT

public:
    explicit RouteAnswerView(QWidget* parent);

    void setAnswer(const QString& title, const bridge::RouteAnswerRow& answer);

Q_SIGNALS:
    void routeActivated(const QString& place); // "services[0].routes[1]"

private:
    QLabel* m_title;
    theme::Note* m_note;
    QLabel* m_verdict;
    QLabel* m_facts;
    QLabel* m_losersTitle;
    RowsTable* m_losers;
};

// A request that is typed, and the route that would take it: of what runs and of the draft, side by
// side when they differ. Nothing is sent.
class RouteTester : public QWidget
{
    Q_OBJECT

public:
    RouteTester(bridge::MeshSession& session, QWidget* parent);

    void setRequest(const bridge::TapRow& request);
    void setQuestion(const bridge::RouteQuestionRow& question);
    [[nodiscard]] bridge::RouteQuestionRow question() const;
    void test(); // Now; called by itself a moment after each change.

Q_SIGNALS:
    void routeActivated(const QString& place);
    void closeRequested();

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QWidget* makeForm();
    void fillNodes();

    bridge::MeshSession& m_session;
    QTimer m_soon;
    QComboBox* m_method = nullptr;
    QLineEdit* m_url = nullptr;
    QLineEdit* m_headers = nullptr;
    QComboBox* m_node = nullptr;
    QLabel* m_hint = nullptr;
    std::array<RouteAnswerView*, 2> m_answers{}; // What runs, the draft.
};

} // namespace mesh::pages
