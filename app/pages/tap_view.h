#pragma once

#include "app/bridge/session_rows.h"

#include <QString>
#include <QWidget>

#include <cstdint>
#include <map>
#include <vector>

class QLabel;
class QPushButton;

namespace mesh::bridge {
class FindLanguage;
class MeshSession;
} // namespace mesh::bridge
namespace mesh::theme {
class Chip;
}

namespace mesh::pages {

class FindField;
class RowsTable;
class TapDetail;

// Requests as they happen, sampled by the nodes: filtered in the find language, one of them open.
// While time is turned back, those until then: what was seen, before that what the document keeps.
//
// While the pointer is in the table, or while it is paused, the table stands still and a chip says
// how many came meanwhile.
class TapView : public QWidget
{
    Q_OBJECT

public:
    enum class Form : std::uint8_t { Pane, Page };

    TapView(bridge::MeshSession& session, Form form, QWidget* parent);

    void setFilter(const QString& text); // In the find language.
    [[nodiscard]] QString filter() const;
    void refresh(); // With what the session has; called by itself when something came.

Q_SIGNALS:
    void routeTestRequested(const mesh::bridge::TapRow& request);
    void pageRequested(); // Of the pane: show it as large as the window.
    void closeRequested(); // Of the page.

protected:
    void showEvent(QShowEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    QWidget* makeBar(Form form);
    void onTap();
    void onTime();
    void onFilter();
    // At the context's time, newest last.
    [[nodiscard]] const std::vector<bridge::TapRow>& requests() const;
    [[nodiscard]] bool isLive() const;
    [[nodiscard]] QStringList namesShown() const;
    void showRows(const std::vector<const bridge::TapRow*>& rows, std::size_t matching);
    [[nodiscard]] bool isHeld() const;
    [[nodiscard]] std::vector<const bridge::TapRow*> matching(const bridge::FindLanguage& find
    ) const; // Newest first.
    void openRequest(const QString& key);

    bridge::MeshSession& m_session;
    FindField* m_find = nullptr;
    QPushButton* m_pause = nullptr;
    theme::Chip* m_new = nullptr;
    QLabel* m_count = nullptr;
    RowsTable* m_table = nullptr;
    TapDetail* m_detail = nullptr;
    std::vector<bridge::TapRow> m_past; // While time is turned back.
    int m_pastAsked = 0; // Answers to older questions are dropped.
    QString m_newestKey; // Of the newest request in the table.
    std::map<QString, bridge::TapRow> m_shown; // By key, so that what is open stays.
};

// One request: its way in time, what acted on it, and why it went there.
class TapDetail : public QWidget
{
    Q_OBJECT

public:
    explicit TapDetail(QWidget* parent);

    void setRequest(const bridge::TapRow& request);
    [[nodiscard]] const bridge::TapRow& request() const { return m_request; }

Q_SIGNALS:
    void filterRequested(const QString& term); // "route = cart and status = 503"
    void routeTestRequested();
    void closeRequested();

private:
    class Waterfall;

    bridge::TapRow m_request;
    QLabel* m_title;
    QLabel* m_facts;
    Waterfall* m_waterfall;
};

} // namespace mesh::pages
