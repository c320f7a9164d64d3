#include "app/bridge/alerts.h"

#include "app/bridge/find_subjects.h"
#include "app/bridge/format.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>
#include <utility>

namespace mesh::bridge {
namespace {

constexpr std::int64_t kSecond_us = 1'000'000;
constexpr std::int64_t kStepsMax = 6 * 3600 / kAlertStep_s;

QString words(const char* text) { return QCoreApplication::translate("Alerts", text); }

// Larger is worse; nothing: it says neither good nor bad.
std::optional<int> badness(HealthState state)
{
    switch (state) {
    case HealthState::Healthy:
    case HealthState::Idle:
        return 0;
    case HealthState::Degraded:
        return 1;
    case HealthState::Failure:
        return 2;
    case HealthState::Stale:
        return 3;
    case HealthState::NoData:
        break;
    }
    return std::nullopt;
}

QString spanText(int seconds) { return formatDuration(static_cast<double>(seconds) * 1000); }

QString timesText(double times) { return QString::number(times, 'f', 1); }

} // namespace

std::vector<BurnWindows> defaultBurnWindows() { return {{3600, 300, 14.4}, {21'600, 1800, 6}}; }

std::vector<AlertRule> defaultAlertRules()
{
    AlertRule failing;
    failing.name = words("Service fails");
    AlertRule burning;
    burning.name = words("Error budget burns");
    burning.kind = AlertKind::BurnRate;
    return {failing, burning};
}

QString alertRuleText(const AlertRule& rule)
{
    const QString about = rule.filter.isEmpty() ? words("every service") : rule.filter;
    if (rule.kind == AlertKind::State) {
        const QString what = words("%1: %2 or worse").arg(about, findWord(rule.state));
        return rule.holds_s == 0 ? what : words("%1 for %2").arg(what, spanText(rule.holds_s));
    }
    QStringList pairs;
    for (const BurnWindows& pair : rule.windows) {
        pairs << words("%1 times over %2 and %3")
                     .arg(timesText(pair.factor), spanText(pair.long_s), spanText(pair.short_s));
    }
    return words("%1: objective %2 %, burns %3")
        .arg(about, QString::number(rule.objective * 100, 'g', 6), pairs.join(words(" or ")));
}

QString alertRuleProblem(const AlertRule& rule)
{
    if (rule.name.trimmed().isEmpty()) {
        return words("The rule needs a name.");
    }
    const FindLanguage filter(rule.filter);
    if (const auto& problem = filter.problem()) {
        return words("The filter is wrong: %1. %2").arg(problem->message, problem->remedy);
    }
    const QStringList foreign = filter.foreignOperands(static_cast<FindScopes>(FindScope::Entity));
    if (!foreign.isEmpty()) {
        return words("Services have no %1; filter by what they have.").arg(foreign.first());
    }
    if (rule.kind == AlertKind::State) {
        return rule.holds_s < 0 || rule.holds_s > 86'400
                   ? words("A state holds for 0 seconds to a day.")
                   : QString();
    }
    if (!(rule.objective >= 0.5 && rule.objective <= 0.99999)) {
        return words("The objective is a share between 50 % and 99.999 %.");
    }
    const bool areWindows =
        !rule.windows.empty()
        && std::all_of(rule.windows.begin(), rule.windows.end(), [](const BurnWindows& pair) {
               return pair.short_s >= kAlertStep_s && pair.short_s < pair.long_s
                      && pair.long_s <= 21'600 && pair.factor > 0 && pair.factor < 100'000;
           });
    return areWindows ? QString()
                      : words("The short window is at least 30 s and shorter than the long one, "
                              "which is at most 6 h; the factor is above 0.");
}

void AlertBook::setRules(std::vector<AlertRule> rules)
{
    if (rules.size() > kAlertRulesMax) {
        rules.resize(kAlertRulesMax);
    }
    m_rules = std::move(rules);
    m_filters.clear();
    for (const AlertRule& rule : m_rules) {
        m_filters.emplace_back(rule.filter);
    }
}

void AlertBook::setSilences(std::vector<AlertSilence> silences)
{
    if (silences.size() > kAlertSilencesMax) {
        silences.resize(kAlertSilencesMax);
    }
    m_silences = std::move(silences);
}

void AlertBook::addTraffic(
    const QString& subject, std::int64_t end_us, std::uint64_t requests, std::uint64_t errors
)
{
    if (requests == 0 || (m_traffic.size() >= kAlertSubjectsMax && !m_traffic.contains(subject))) {
        return;
    }
    std::deque<Step>& steps = m_traffic[subject];
    // The end belongs to the step it closes.
    const std::int64_t index = (end_us - 1) / (kAlertStep_s * kSecond_us);
    const std::int64_t newest = steps.empty() ? index : std::max(index, steps.back().index);
    if (index <= newest - kStepsMax) {
        return;
    }
    auto place = std::lower_bound(
        steps.begin(),
        steps.end(),
        index,
        [](const Step& step, std::int64_t wanted) { return step.index < wanted; }
    );
    if (place == steps.end() || place->index != index) {
        place = steps.insert(place, Step{index, 0, 0});
    }
    place->requests += requests;
    place->errors += std::min(errors, requests);
    while (steps.front().index <= newest - kStepsMax) {
        steps.pop_front();
    }
}

AlertBook::Burn AlertBook::burn(
    const QString& subject, std::int64_t now_us, int window_s, double objective
) const
{
    Burn sum;
    std::uint64_t errors = 0;
    const std::int64_t last = (now_us - 1) / (kAlertStep_s * kSecond_us);
    const std::int64_t first = last - (window_s / kAlertStep_s) + 1;
    if (const auto found = m_traffic.constFind(subject); found != m_traffic.cend()) {
        for (auto step = found->rbegin(); step != found->rend() && step->index >= first; ++step) {
            if (step->index <= last) {
                sum.requests += step->requests;
                errors += step->errors;
            }
        }
    }
    if (sum.requests > 0) {
        sum.rate =
            static_cast<double>(errors) / static_cast<double>(sum.requests) / (1 - objective);
    }
    return sum;
}

AlertBook::Judgement AlertBook::judge(
    const AlertRule& rule, const AlertSubject& subject, std::int64_t now_us
) const
{
    Judgement judgement;
    if (rule.kind == AlertKind::State) {
        const auto now = badness(subject.state);
        judgement.isKnown = now.has_value();
        judgement.isBad = now && *now >= badness(rule.state).value_or(2);
        judgement.why = subject.why.isEmpty() ? findWord(subject.state) : subject.why;
        return judgement;
    }
    for (const BurnWindows& pair : rule.windows) {
        const Burn far = burn(subject.id, now_us, pair.long_s, rule.objective);
        const Burn near = burn(subject.id, now_us, pair.short_s, rule.objective);
        const bool isBad =
            far.requests >= rule.requestsMin && far.rate >= pair.factor && near.rate >= pair.factor;
        if (isBad && !judgement.isBad) {
            judgement.isBad = true;
            judgement.why = words("burns %1 times over %2 and %3 times over %4, of %5 requests")
                                .arg(timesText(far.rate), spanText(pair.long_s))
                                .arg(timesText(near.rate), spanText(pair.short_s))
                                .arg(formatCount(far.requests));
        }
    }
    return judgement;
}

const AlertSilence* AlertBook::silenceOf(const AlertRow& row, std::int64_t now_us) const
{
    const auto found =
        std::find_if(m_silences.begin(), m_silences.end(), [&](const AlertSilence& silence) {
            return (silence.rule.isEmpty() || silence.rule == row.rule)
                   && (silence.subject.isEmpty() || silence.subject == row.subject)
                   && silence.begin_us <= now_us && now_us < silence.end_us;
        });
    return found == m_silences.end() ? nullptr : &*found;
}

void AlertBook::finish(AlertRow row, std::int64_t now_us, std::vector<AlertChange>& changes)
{
    if (row.state != AlertState::Firing) {
        return; // Nobody was told that it began.
    }
    row.state = AlertState::Over;
    row.end_us = now_us;
    changes.push_back({row});
    m_over.push_front(std::move(row));
    if (m_over.size() > kAlertsOverMax) {
        m_over.pop_back();
    }
}

void AlertBook::follow(
    const AlertRule& rule,
    const AlertSubject& subject,
    std::int64_t now_us,
    std::vector<AlertChange>& changes
)
{
    const Judgement judgement = judge(rule, subject, now_us);
    const Key key(rule.name, subject.id);
    auto found = m_alerts.find(key);
    if (!judgement.isBad) {
        if (found != m_alerts.end() && judgement.isKnown) {
            finish(found->second, now_us, changes);
            m_alerts.erase(found);
        }
        return;
    }
    if (found == m_alerts.end()) {
        AlertRow row;
        row.rule = rule.name;
        row.subject = subject.id;
        row.since_us = now_us;
        found = m_alerts.emplace(key, row).first;
    }
    AlertRow& row = found->second;
    row.why = judgement.why;
    const std::int64_t holds_us = rule.kind == AlertKind::State ? rule.holds_s * kSecond_us
                                                                : 0; // Windows hold by themselves.
    if (row.state == AlertState::Pending && now_us - row.since_us >= holds_us) {
        row.state = AlertState::Firing;
        row.fired_us = now_us;
        const AlertSilence* silence = silenceOf(row, now_us);
        row.silence = silence != nullptr ? silence->reason : QString();
        row.silenceEnd_us = silence != nullptr ? silence->end_us : 0;
        changes.push_back({row});
    }
}

std::vector<AlertChange> AlertBook::evaluate(
    std::int64_t now_us, const std::vector<AlertSubject>& subjects
)
{
    std::vector<AlertChange> changes;
    std::map<Key, bool> seen;
    for (std::size_t i = 0; i < m_rules.size(); ++i) {
        const AlertRule& rule = m_rules[i];
        if (!rule.isOn || !alertRuleProblem(rule).isEmpty()) {
            continue;
        }
        for (const AlertSubject& subject : subjects) {
            const bool isMeant =
                m_filters[i].isEmpty()
                || (subject.find != nullptr && m_filters[i].matches(*subject.find));
            const Key key(rule.name, subject.id);
            // An alert that is on is followed to its end: its filter may ask for the very figure.
            if (isMeant || m_alerts.count(key) != 0) {
                seen[key] = true;
                follow(rule, subject, now_us, changes);
            }
        }
    }
    for (auto alert = m_alerts.begin(); alert != m_alerts.end();) {
        if (seen.count(alert->first) == 0) {
            finish(alert->second, now_us, changes);
            alert = m_alerts.erase(alert);
            continue;
        }
        AlertRow& row = alert->second;
        const AlertSilence* silence = silenceOf(row, now_us);
        const bool wasSilent = !row.silence.isEmpty();
        row.silence = silence != nullptr ? silence->reason : QString();
        row.silenceEnd_us = silence != nullptr ? silence->end_us : 0;
        // A silence that ends while it still fires: now it is told.
        if (row.state == AlertState::Firing && wasSilent && silence == nullptr) {
            changes.push_back({row});
        }
        ++alert;
    }
    return changes;
}

std::vector<AlertRow> AlertBook::rows() const
{
    std::vector<AlertRow> rows;
    for (const auto& [key, row] : m_alerts) {
        rows.push_back(row);
    }
    std::stable_sort(rows.begin(), rows.end(), [](const AlertRow& a, const AlertRow& b) {
        if (a.state != b.state) {
            return a.state == AlertState::Firing;
        }
        return a.since_us > b.since_us;
    });
    rows.insert(rows.end(), m_over.begin(), m_over.end());
    return rows;
}

int AlertBook::firing() const
{
    return static_cast<int>(std::count_if(m_alerts.begin(), m_alerts.end(), [](const auto& alert) {
        return alert.second.state == AlertState::Firing && alert.second.silence.isEmpty();
    }));
}

} // namespace mesh::bridge
