#include "app/bridge/health.h"

#include "app/bridge/format.h"

#include <QCoreApplication>

#include <cmath>

namespace mesh::bridge {

namespace {

// Windows are chosen in whole seconds and minutes: "60 s", "5 min".
QString formatWindow(double seconds)
{
    const auto whole = static_cast<int>(std::lround(seconds));
    if (whole > 60 && whole % 60 == 0) {
        return QStringLiteral("%1\u202Fmin").arg(whole / 60);
    }
    return whole <= 60 ? QStringLiteral("%1\u202Fs").arg(whole) : formatDuration(seconds * 1000.0);
}

QString tr(const char* text) { return QCoreApplication::translate("mesh::bridge::Health", text); }

bool isEvident(HealthState state)
{
    return state == HealthState::Healthy || state == HealthState::Degraded
           || state == HealthState::Failure;
}

int rankOf(HealthState state)
{
    switch (state) {
    case HealthState::Failure:
        return 3;
    case HealthState::Degraded:
        return 2;
    case HealthState::Healthy:
        return 1;
    case HealthState::Idle:
    case HealthState::NoData:
    case HealthState::Stale:
        return 0;
    }
    return 0;
}

// One threshold and the words for it.
struct Grade
{
    HealthState state;
    double ratio;
    double threshold;
    const char* why; // %1 ratio, %2 requests, %3 window
};

QString ruleText(HealthState state, double threshold)
{
    const QString text =
        state == HealthState::Failure ? tr("rule: failure ≥ %1") : tr("rule: degraded ≥ %1");
    return text.arg(formatRatio(threshold));
}

HealthVerdict judgeTraffic(
    const HealthEvidence& evidence, const HealthRules& rules, HealthState previous
)
{
    const QString window = formatWindow(evidence.window_s);
    if (evidence.requests == 0) {
        return {HealthState::Idle, tr("no requests in %1").arg(window), {}, false};
    }
    const QString requests = formatCount(evidence.requests);
    const std::uint64_t errors = evidence.serverErrors + evidence.clientErrors;
    if (evidence.requests < rules.requestsMin && errors < rules.errorsMin) {
        const HealthState kept = isEvident(previous) ? previous : HealthState::Healthy;
        return {kept, tr("low traffic: %1 requests in %2").arg(requests, window), {}, true};
    }
    const auto all = static_cast<double>(evidence.requests);
    const double server = static_cast<double>(evidence.serverErrors) / all;
    const double client = static_cast<double>(evidence.clientErrors) / all;
    const char* serverWhy =
        QT_TRANSLATE_NOOP("mesh::bridge::Health", "5xx on %1 of %2 requests in %3");
    const char* clientWhy =
        QT_TRANSLATE_NOOP("mesh::bridge::Health", "4xx on %1 of %2 requests in %3");
    const Grade grades[] = {
        {HealthState::Failure, server, rules.serverFailure, serverWhy},
        {HealthState::Failure, client, rules.clientFailure, clientWhy},
        {HealthState::Degraded, server, rules.serverDegraded, serverWhy},
        {HealthState::Degraded, client, rules.clientDegraded, clientWhy},
    };
    for (const Grade& grade : grades) {
        if (grade.ratio >= grade.threshold && grade.ratio > 0) {
            return {
                grade.state,
                tr(grade.why).arg(formatRatio(grade.ratio), requests, window),
                ruleText(grade.state, grade.threshold),
                false};
        }
    }
    if (evidence.serverErrors > 0) {
        return {
            HealthState::Healthy,
            tr(serverWhy).arg(formatRatio(server), requests, window),
            ruleText(HealthState::Degraded, rules.serverDegraded),
            false};
    }
    return {
        HealthState::Healthy, tr("no 5xx on %1 requests in %2").arg(requests, window), {}, false};
}

// Healthy when nothing is out or nothing is counted.
HealthVerdict judgeInstances(const HealthEvidence& evidence)
{
    if (evidence.instancesOut == 0) {
        return {HealthState::Healthy, {}, {}, false};
    }
    const bool isAll = evidence.instancesOut >= evidence.instances;
    const QString text =
        isAll ? tr("all %2 instances are out (%3)") : tr("%1 of %2 instances out (%3)");
    QString why = text;
    why.replace(QStringLiteral("%1"), QString::number(evidence.instancesOut))
        .replace(QStringLiteral("%2"), QString::number(evidence.instances))
        .replace(QStringLiteral("%3"), evidence.instanceReason);
    const QString rule = isAll ? tr("rule: failure when no instance is left")
                               : tr("rule: degraded when an instance is out");
    return {isAll ? HealthState::Failure : HealthState::Degraded, why, rule, false};
}

// What silence alone says; absent: reports come.
std::optional<HealthVerdict> judgeSilence(const HealthEvidence& evidence, const HealthRules& rules)
{
    if (!evidence.silentFor_s) {
        return HealthVerdict{HealthState::NoData, tr("nothing has reported yet"), {}, false};
    }
    if (*evidence.silentFor_s > rules.silentMax_s) {
        return HealthVerdict{
            HealthState::Stale,
            tr("silent for %1").arg(formatDuration(*evidence.silentFor_s * 1000)),
            tr("rule: stale after 3 intervals"),
            false};
    }
    return std::nullopt;
}

HealthVerdict worst(const HealthVerdict& instances, const HealthVerdict& traffic)
{
    return isWorse(instances.state, traffic.state) && instances.state != HealthState::Healthy
               ? instances
               : traffic;
}

} // namespace

bool isWorse(HealthState a, HealthState b) { return rankOf(a) > rankOf(b); }

HealthVerdict judge(const HealthEvidence& evidence, const HealthRules& rules, HealthState previous)
{
    if (auto silence = judgeSilence(evidence, rules)) {
        return *silence;
    }
    return worst(judgeInstances(evidence), judgeTraffic(evidence, rules, previous));
}

HealthState HealthTracker::confirm(Subject& subject, HealthState judged) const
{
    if (!isEvident(subject.traffic) || !isEvident(judged)) {
        subject.confirmations = 0;
        return judged;
    }
    if (judged == subject.traffic) {
        subject.confirmations = 0;
        return judged;
    }
    subject.confirmations = judged == subject.candidate ? subject.confirmations + 1 : 1;
    subject.candidate = judged;
    const int needed = isWorse(judged, subject.traffic) ? m_rules.evaluationsToWorsen
                                                        : m_rules.evaluationsToImprove;
    if (subject.confirmations < needed) {
        return subject.traffic;
    }
    subject.confirmations = 0;
    return judged;
}

HealthTracker::Outcome HealthTracker::evaluate(
    const QString& id, const HealthEvidence& evidence, std::int64_t now_us
)
{
    const auto [place, isNew] = m_subjects.try_emplace(id);
    Subject& subject = place->second;
    const HealthState before = subject.verdict.state;
    HealthVerdict verdict;
    if (auto silence = judgeSilence(evidence, m_rules)) {
        verdict = *silence;
    } else {
        HealthVerdict traffic = judgeTraffic(evidence, m_rules, subject.traffic);
        traffic.state = confirm(subject, traffic.state);
        subject.traffic = traffic.state;
        verdict = worst(judgeInstances(evidence), traffic);
    }
    subject.verdict = verdict;
    if (isNew || before != verdict.state) {
        subject.since_us = now_us;
    }
    return {verdict, subject.since_us, !isNew && before != verdict.state};
}

} // namespace mesh::bridge
