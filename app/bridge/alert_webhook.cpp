#include "app/bridge/alert_webhook.h"

#include <QDateTime>
#include <QJsonDocument>
#include <QJsonObject>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QNetworkRequest>
#include <QRandomGenerator>
#include <QTimer>
#include <QTimeZone>

#include <algorithm>
#include <utility>

namespace mesh::bridge {
namespace {

QString isoTime(std::int64_t time_us)
{
    return time_us == 0 ? QString()
                        : QDateTime::fromMSecsSinceEpoch(time_us / 1000, QTimeZone::utc())
                              .toString(Qt::ISODateWithMs);
}

// The receiver will not take it however often it is sent.
bool isFinal(int status) { return status >= 400 && status < 500 && status != 408 && status != 429; }

} // namespace

QByteArray webhookBody(const AlertChange& change, const QString& mesh)
{
    const AlertRow& row = change.row;
    const QJsonObject body = {
        {QStringLiteral("mesh"), mesh},
        {QStringLiteral("rule"), row.rule},
        {QStringLiteral("subject"), row.subject},
        {QStringLiteral("state"),
         row.state == AlertState::Over ? QStringLiteral("over") : QStringLiteral("firing")},
        {QStringLiteral("since"), isoTime(row.since_us)},
        {QStringLiteral("fired"), isoTime(row.fired_us)},
        {QStringLiteral("ended"), isoTime(row.end_us)},
        {QStringLiteral("why"), row.why}};
    return QJsonDocument(body).toJson(QJsonDocument::Compact);
}

QString webhookProblem(const QString& url)
{
    if (url.isEmpty()) {
        return {};
    }
    const QUrl read(url, QUrl::StrictMode);
    if (!read.isValid() || read.host().isEmpty()) {
        return AlertWebhook::tr("This is no URL; write https://host/path.");
    }
    if (read.scheme() != QStringLiteral("https") && read.scheme() != QStringLiteral("http")) {
        return AlertWebhook::tr("Only http and https are sent to.");
    }
    return read.userInfo().isEmpty()
               ? QString()
               : AlertWebhook::tr("A password does not belong into a URL that is kept as text.");
}

AlertWebhook::AlertWebhook(WebhookOptions options, QObject* parent)
    : QObject(parent)
    , m_options(options)
    , m_pause(new QTimer(this))
{
    m_pause->setSingleShot(true);
    connect(m_pause, &QTimer::timeout, this, &AlertWebhook::sendNext);
}

AlertWebhook::~AlertWebhook()
{
    if (m_reply != nullptr) {
        m_reply->disconnect(this);
        m_reply->abort();
    }
}

void AlertWebhook::setUrl(const QString& url)
{
    const QUrl next = webhookProblem(url).isEmpty() ? QUrl(url, QUrl::StrictMode) : QUrl();
    if (next == m_url) {
        return;
    }
    m_url = next;
    m_pause->stop();
    if (QNetworkReply* reply = std::exchange(m_reply, nullptr)) {
        reply->disconnect(this);
        reply->abort();
        reply->deleteLater();
    }
    m_queue.clear();
    m_tries = 0;
    m_problem.clear();
    Q_EMIT changed();
}

void AlertWebhook::send(const QByteArray& body)
{
    if (m_url.isEmpty()) {
        return;
    }
    m_queue.push_back(body);
    if (m_queue.size() > m_options.queueMax) {
        // The first is on its way; the oldest that waits goes.
        m_queue.erase(m_queue.begin() + (m_reply != nullptr && m_queue.size() > 1 ? 1 : 0));
        ++m_lost;
    }
    if (m_reply == nullptr && !m_pause->isActive()) {
        sendNext();
    }
    Q_EMIT changed();
}

void AlertWebhook::sendNext()
{
    if (m_queue.empty() || m_reply != nullptr || m_url.isEmpty()) {
        return;
    }
    if (!m_network) {
        m_network = std::make_unique<QNetworkAccessManager>();
        m_network->setAutoDeleteReplies(false);
    }
    QNetworkRequest request(m_url);
    request.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
    request.setAttribute(
        QNetworkRequest::RedirectPolicyAttribute, QNetworkRequest::ManualRedirectPolicy
    );
    request.setTransferTimeout(m_options.answerMax_ms);
    ++m_tries;
    m_reply = m_network->post(request, m_queue.front());
    connect(m_reply, &QNetworkReply::finished, this, &AlertWebhook::onAnswer);
}

void AlertWebhook::onAnswer()
{
    QNetworkReply* reply = std::exchange(m_reply, nullptr);
    reply->deleteLater();
    const int status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    if (status >= 200 && status < 300) {
        ++m_sent;
        m_problem.clear();
        m_tries = 0;
        m_queue.pop_front();
        sendNext();
    } else {
        m_problem = status > 0 ? tr("%1 answered %2.").arg(m_url.host()).arg(status)
                               : tr("%1: %2.").arg(m_url.host(), reply->errorString());
        if (isFinal(status) || m_tries >= m_options.triesMax) {
            drop();
        } else {
            retryLater();
        }
    }
    Q_EMIT changed();
}

// Full jitter over the upper half, so that many consoles do not come back together.
void AlertWebhook::retryLater()
{
    const int doublings = std::min(m_tries - 1, 16);
    const auto whole = std::min<qint64>(
        m_options.delayMax_ms, static_cast<qint64>(m_options.firstDelay_ms) << doublings
    );
    const int half = static_cast<int>(whole / 2);
    m_pause->start(half + QRandomGenerator::global()->bounded(half + 1));
}

void AlertWebhook::drop()
{
    ++m_lost;
    m_tries = 0;
    m_queue.pop_front();
    sendNext();
}

} // namespace mesh::bridge
