#pragma once

#include "app/bridge/alert_webhook.h"
#include "app/bridge/alerts.h"
#include "app/bridge/find_subjects.h"

#include <QHash>
#include <QObject>

#include <cstdint>
#include <map>

class QTimer;

namespace mesh::bridge {

class MeshSession;

// Keeps the alerts of the open mesh: judges its rules each second, asks the store for the counts
// behind burn rates, and tells what fires: events, signals, webhook.
//
// Rules on states rest while the view is turned back in time, because then the topology is of the
// past; burn rates are counted all the same. Rules, silences and URL are settings of the document.
// Lifetime: the session outlives it.
class AlertWatch : public QObject
{
    Q_OBJECT

public:
    explicit AlertWatch(MeshSession& session, QObject* parent = nullptr);

    [[nodiscard]] const AlertBook& book() const { return m_book; }
    [[nodiscard]] const AlertWebhook& webhook() const { return m_webhook; }
    // False: one of them cannot be used, or two have one name; nothing changed.
    bool setRules(const std::vector<AlertRule>& rules);
    // Ended ones are forgotten. A silence without a reason or an end is refused.
    bool addSilence(const AlertSilence& silence);
    void endSilences(const QString& rule, const QString& subject);
    // False: webhookProblem() says why.
    bool setWebhook(const QString& url);
    // One evaluation, as each second.
    void evaluate();

Q_SIGNALS:
    void alertsChanged();
    void alertFired(const QString& title, const QString& text); // Not of silenced ones.
    void alertOver(const QString& title, const QString& text);

private:
    void load();
    void tell(const AlertChange& change, std::int64_t now_us);
    void askForTraffic(std::int64_t now_us);
    void takeTraffic(int request, const Series& series);
    void saveSilences(std::vector<AlertSilence> silences);

    MeshSession& m_session;
    AlertBook m_book;
    AlertWebhook m_webhook;
    FindTags m_tags;
    QTimer* m_timer;
    QString m_path; // Of the document the book is about.
    QHash<QString, std::int64_t> m_askedTo_us; // By subject: counted up to here.
    std::map<int, QString> m_requests; // Subject of each request on its way.
    std::int64_t m_asked_us = 0;
    std::size_t m_next = 0; // Subject to ask about next.
};

} // namespace mesh::bridge
