#pragma once

#include "app/bridge/alerts.h"

#include <QByteArray>
#include <QObject>
#include <QString>
#include <QUrl>

#include <deque>
#include <memory>

class QNetworkAccessManager;
class QNetworkReply;
class QTimer;

namespace mesh::bridge {

struct WebhookOptions
{
    int firstDelay_ms = 1'000; // Before the second try; doubled for each further one.
    int delayMax_ms = 60'000;
    int triesMax = 6;
    int answerMax_ms = 5'000;
    std::size_t queueMax = 64; // The oldest goes first.
};

// What is sent: one alert as a JSON object. mesh: its name.
[[nodiscard]] QByteArray webhookBody(const AlertChange& change, const QString& mesh);
// Why a URL cannot be used; empty: it can. Only http and https, without a password in it.
[[nodiscard]] QString webhookProblem(const QString& url);

// Sends alerts to a URL by POST, one after the other and in order; one that is not taken is tried
// again with longer and longer pauses, then given up and counted.
//
// Redirects are not followed. 2xx is success; 4xx but 408 and 429 is given up at once.
class AlertWebhook : public QObject
{
    Q_OBJECT

public:
    explicit AlertWebhook(WebhookOptions options = {}, QObject* parent = nullptr);
    ~AlertWebhook() override;

    void setUrl(const QString& url); // Empty or wrong: nothing is sent and nothing waits.
    [[nodiscard]] QString url() const { return m_url.toString(); }
    void send(const QByteArray& body);
    [[nodiscard]] std::size_t waiting() const { return m_queue.size(); }
    [[nodiscard]] std::uint64_t sent() const { return m_sent; }
    [[nodiscard]] std::uint64_t lost() const { return m_lost; } // Given up or pushed out.
    [[nodiscard]] const QString& lastProblem() const { return m_problem; } // Empty: none.

Q_SIGNALS:
    void changed(); // One was sent, lost, or has to wait.

private:
    void sendNext();
    void onAnswer();
    void retryLater();
    void drop();

    WebhookOptions m_options;
    QUrl m_url;
    std::deque<QByteArray> m_queue; // The first is on its way or waits for its next try.
    std::unique_ptr<QNetworkAccessManager> m_network;
    QNetworkReply* m_reply = nullptr;
    QTimer* m_pause;
    int m_tries = 0;
    std::uint64_t m_sent = 0;
    std::uint64_t m_lost = 0;
    QString m_problem;
};

} // namespace mesh::bridge
