#include "app/bridge/alert_watch.h"

#include "app/bridge/mesh_session.h"
#include "app/bridge/view_context.h"

#include <QDateTime>
#include <QTimer>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace mesh::bridge {
namespace {

const QString kRulesKey = QStringLiteral("alerts.rules");
const QString kSilencesKey = QStringLiteral("alerts.silences");
const QString kWebhookKey = QStringLiteral("alerts.webhook");
constexpr std::int64_t kSecond_us = 1'000'000;
constexpr std::int64_t kReach_us = 6 * 3600 * kSecond_us; // Of the longest window.
constexpr std::int64_t kAskEach_us = 10 * kSecond_us;
constexpr std::int64_t kLate_us = 3 * kSecond_us; // Counts of the last seconds are on their way.
constexpr std::size_t kAskedAtOnce = 50;

std::int64_t wallNow_us() { return QDateTime::currentMSecsSinceEpoch() * 1000; }

QString nameOfSubject(const QString& id) { return id.section(u':', 1); }

} // namespace

AlertWatch::AlertWatch(MeshSession& session, QObject* parent)
    : QObject(parent)
    , m_session(session)
    , m_timer(new QTimer(this))
{
    connect(&session, &MeshSession::documentChanged, this, &AlertWatch::load);
    connect(&session, &MeshSession::seriesReady, this, &AlertWatch::takeTraffic);
    connect(&m_webhook, &AlertWebhook::changed, this, &AlertWatch::alertsChanged);
    connect(m_timer, &QTimer::timeout, this, &AlertWatch::evaluate);
    m_timer->setInterval(1000);
    m_timer->start();
    load();
}

void AlertWatch::load()
{
    m_tags = FindTags(*m_session.document());
    if (m_session.path() != m_path) {
        m_path = m_session.path();
        m_book = AlertBook();
        m_askedTo_us.clear();
        m_requests.clear();
        m_asked_us = 0;
    }
    const auto rules = alertRulesOf(m_session.setting(kRulesKey));
    m_book.setRules(rules ? *rules : defaultAlertRules());
    m_book.setSilences(alertSilencesOf(m_session.setting(kSilencesKey)));
    m_webhook.setUrl(m_session.setting(kWebhookKey));
    Q_EMIT alertsChanged();
}

bool AlertWatch::setRules(const std::vector<AlertRule>& rules)
{
    std::set<QString> names;
    for (const AlertRule& rule : rules) {
        if (!alertRuleProblem(rule).isEmpty() || !names.insert(rule.name).second) {
            return false;
        }
    }
    if (rules.size() > kAlertRulesMax) {
        return false;
    }
    m_book.setRules(rules);
    m_session.setSetting(kRulesKey, toText(rules));
    Q_EMIT alertsChanged();
    return true;
}

void AlertWatch::saveSilences(std::vector<AlertSilence> silences)
{
    m_session.setSetting(kSilencesKey, toText(silences));
    m_book.setSilences(std::move(silences));
    evaluate();
    Q_EMIT alertsChanged();
}

bool AlertWatch::addSilence(const AlertSilence& silence)
{
    const std::int64_t now = wallNow_us();
    std::vector<AlertSilence> silences = m_book.silences();
    std::erase_if(silences, [now](const AlertSilence& kept) { return kept.end_us <= now; });
    const bool isWhole = !silence.reason.trimmed().isEmpty() && silence.end_us > silence.begin_us
                         && silence.end_us > now;
    if (!isWhole || silences.size() >= kAlertSilencesMax) {
        return false;
    }
    silences.push_back(silence);
    saveSilences(std::move(silences));
    return true;
}

void AlertWatch::endSilences(const QString& rule, const QString& subject)
{
    std::vector<AlertSilence> silences = m_book.silences();
    std::erase_if(silences, [&](const AlertSilence& silence) {
        return (silence.rule.isEmpty() || silence.rule == rule)
               && (silence.subject.isEmpty() || silence.subject == subject);
    });
    saveSilences(std::move(silences));
}

bool AlertWatch::setWebhook(const QString& url)
{
    if (!webhookProblem(url).isEmpty()) {
        return false;
    }
    m_session.setSetting(kWebhookKey, url);
    m_webhook.setUrl(url);
    return true;
}

void AlertWatch::evaluate()
{
    if (!m_session.isOpen()) {
        return;
    }
    const std::int64_t now = wallNow_us();
    askForTraffic(now);
    if (m_session.context().timeMode() != TimeMode::Live) {
        return;
    }
    const std::vector<EntityRow>& entities = m_session.topology().entities;
    std::vector<EntitySubject> finds;
    std::vector<AlertSubject> subjects;
    finds.reserve(entities.size());
    subjects.reserve(entities.size());
    for (const EntityRow& entity : entities) {
        finds.emplace_back(entity, m_tags);
        subjects.push_back({entity.id, entity.state, entity.why, &finds.back()});
    }
    const std::vector<AlertChange> changes = m_book.evaluate(now, subjects);
    for (const AlertChange& change : changes) {
        tell(change, now);
    }
    if (!changes.empty() || m_book.firing() > 0) {
        Q_EMIT alertsChanged();
    }
}

void AlertWatch::tell(const AlertChange& change, std::int64_t now_us)
{
    const AlertRow& row = change.row;
    const bool isOver = row.state == AlertState::Over;
    const QString title = tr("%1: %2").arg(nameOfSubject(row.subject), row.rule);
    Marker marker;
    marker.kind = Marker::Kind::Alert;
    marker.begin_us = marker.end_us = now_us;
    marker.label = isOver ? tr("alert over") : tr("alert");
    marker.detail = isOver ? tr("%1 is over").arg(row.rule)
                    : row.silence.isEmpty()
                        ? tr("%1: %2").arg(row.rule, row.why)
                        : tr("%1: %2 (silenced: %3)").arg(row.rule, row.why, row.silence);
    marker.subject = row.subject;
    m_session.addMarker(marker);
    if (!row.silence.isEmpty()) {
        return;
    }
    m_webhook.send(webhookBody(change, m_session.name()));
    if (isOver) {
        Q_EMIT alertOver(title, tr("It is over."));
    } else {
        Q_EMIT alertFired(title, row.why);
    }
}

// The counts since the last answer, in turn, so that a large mesh does not ask all at once.
void AlertWatch::askForTraffic(std::int64_t now_us)
{
    const bool isBurning =
        std::any_of(m_book.rules().begin(), m_book.rules().end(), [](const AlertRule& rule) {
            return rule.isOn && rule.kind == AlertKind::BurnRate;
        });
    if (!isBurning || now_us - m_asked_us < kAskEach_us || !m_requests.empty()) {
        return;
    }
    m_asked_us = now_us;
    const std::vector<EntityRow>& entities = m_session.topology().entities;
    const std::size_t count = std::min(kAskedAtOnce, entities.size());
    for (std::size_t i = 0; i < count; ++i) {
        const QString& id = entities[(m_next + i) % entities.size()].id;
        const std::int64_t begin = std::max(m_askedTo_us.value(id), now_us - kReach_us);
        const std::int64_t end = (now_us - kLate_us) / kSecond_us * kSecond_us;
        if (end > begin) {
            m_requests[m_session.requestSeries(id, begin, end)] = id;
        }
    }
    m_next = entities.empty() ? 0 : (m_next + count) % entities.size();
}

void AlertWatch::takeTraffic(int request, const Series& series)
{
    const auto found = m_requests.find(request);
    if (found == m_requests.end()) {
        return;
    }
    const QString id = found->second;
    m_requests.erase(found);
    const double step_s = static_cast<double>(series.step_us) / static_cast<double>(kSecond_us);
    std::int64_t& counted = m_askedTo_us[id];
    for (const SeriesPoint& point : series.points) {
        const std::int64_t end = point.time_us + series.step_us;
        if (point.time_us < counted) {
            continue; // A wide step that begins before what is counted already.
        }
        const double all = (point.rps2xx + point.rps4xx + point.rps5xx) * step_s;
        m_book.addTraffic(
            id,
            end,
            static_cast<std::uint64_t>(std::llround(all)),
            static_cast<std::uint64_t>(std::llround(point.rps5xx * step_s))
        );
        counted = std::max(counted, end);
    }
}

} // namespace mesh::bridge
