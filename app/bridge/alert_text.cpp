#include "app/bridge/alerts.h"
#include "app/bridge/find_subjects.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>
#include <array>

namespace mesh::bridge {
namespace {

constexpr std::array<HealthState, 3> kRuleStates = {
    HealthState::Degraded, HealthState::Failure, HealthState::Stale};

QString compact(const QJsonArray& rows)
{
    return QString::fromUtf8(QJsonDocument(rows).toJson(QJsonDocument::Compact));
}

QString textIn(const QJsonObject& row, const char* key)
{
    return row[QLatin1String(key)].toString();
}

QJsonObject toJson(const AlertRule& rule)
{
    QJsonArray windows;
    for (const BurnWindows& pair : rule.windows) {
        windows << QJsonObject{
            {QStringLiteral("long_s"), pair.long_s},
            {QStringLiteral("short_s"), pair.short_s},
            {QStringLiteral("factor"), pair.factor}};
    }
    const bool isState = rule.kind == AlertKind::State;
    return {
        {QStringLiteral("name"), rule.name},
        {QStringLiteral("kind"), isState ? QStringLiteral("state") : QStringLiteral("burn_rate")},
        {QStringLiteral("filter"), rule.filter},
        {QStringLiteral("on"), rule.isOn},
        {QStringLiteral("state"), findWord(rule.state)},
        {QStringLiteral("holds_s"), rule.holds_s},
        {QStringLiteral("objective"), rule.objective},
        {QStringLiteral("windows"), windows},
        {QStringLiteral("requests_min"), static_cast<qint64>(rule.requestsMin)}};
}

AlertRule ruleOf(const QJsonObject& row)
{
    AlertRule rule;
    rule.name = textIn(row, "name");
    rule.kind =
        textIn(row, "kind") == QStringLiteral("burn_rate") ? AlertKind::BurnRate : AlertKind::State;
    rule.filter = textIn(row, "filter");
    rule.isOn = row[QStringLiteral("on")].toBool(true);
    for (const HealthState state : kRuleStates) {
        rule.state = textIn(row, "state") == findWord(state) ? state : rule.state;
    }
    rule.holds_s = row[QStringLiteral("holds_s")].toInt(rule.holds_s);
    rule.objective = row[QStringLiteral("objective")].toDouble(rule.objective);
    const qint64 least = row[QStringLiteral("requests_min")].toInteger(100);
    rule.requestsMin = static_cast<std::uint64_t>(std::max<qint64>(0, least));
    const QJsonArray windows = row[QStringLiteral("windows")].toArray();
    if (!windows.isEmpty()) {
        rule.windows.clear();
    }
    constexpr qsizetype kWindowsMax = 4;
    for (const QJsonValue& pair : windows) {
        if (static_cast<qsizetype>(rule.windows.size()) < kWindowsMax) {
            rule.windows.push_back(
                {pair[QStringLiteral("long_s")].toInt(),
                 pair[QStringLiteral("short_s")].toInt(),
                 pair[QStringLiteral("factor")].toDouble()}
            );
        }
    }
    return rule;
}

} // namespace

QString toText(const std::vector<AlertRule>& rules)
{
    QJsonArray rows;
    for (const AlertRule& rule : rules) {
        rows << toJson(rule);
    }
    return compact(rows);
}

std::optional<std::vector<AlertRule>> alertRulesOf(const QString& text)
{
    const QJsonDocument read = QJsonDocument::fromJson(text.toUtf8());
    if (!read.isArray()) {
        return std::nullopt;
    }
    std::vector<AlertRule> rules;
    for (const QJsonValue& row : read.array()) {
        AlertRule rule = ruleOf(row.toObject());
        if (alertRuleProblem(rule).isEmpty() && rules.size() < kAlertRulesMax) {
            rules.push_back(std::move(rule));
        }
    }
    return rules;
}

QString toText(const std::vector<AlertSilence>& silences)
{
    QJsonArray rows;
    for (const AlertSilence& silence : silences) {
        rows << QJsonObject{
            {QStringLiteral("rule"), silence.rule},
            {QStringLiteral("subject"), silence.subject},
            {QStringLiteral("reason"), silence.reason},
            {QStringLiteral("author"), silence.author},
            {QStringLiteral("begin_us"), static_cast<qint64>(silence.begin_us)},
            {QStringLiteral("end_us"), static_cast<qint64>(silence.end_us)}};
    }
    return compact(rows);
}

std::vector<AlertSilence> alertSilencesOf(const QString& text)
{
    std::vector<AlertSilence> silences;
    for (const QJsonValue& value : QJsonDocument::fromJson(text.toUtf8()).array()) {
        const QJsonObject row = value.toObject();
        AlertSilence silence;
        silence.rule = textIn(row, "rule");
        silence.subject = textIn(row, "subject");
        silence.reason = textIn(row, "reason");
        silence.author = textIn(row, "author");
        silence.begin_us = row[QStringLiteral("begin_us")].toInteger();
        silence.end_us = row[QStringLiteral("end_us")].toInteger();
        if (!silence.reason.isEmpty() && silences.size() < kAlertSilencesMax) {
            silences.push_back(std::move(silence));
        }
    }
    return silences;
}

} // namespace mesh::bridge
