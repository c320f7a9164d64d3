#pragma once

#include "app/bridge/find_language.h"
#include "app/bridge/topology.h"

#include <QHash>
#include <QString>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

// Which alerts fire, from states and counts that are handed in. No clock, no I/O.
namespace mesh::bridge {

enum class AlertKind : std::uint8_t {
    State, // A service is in a bad state for some time.
    BurnRate, // It uses up the error budget of its objective too fast.
};

// Both windows must burn faster than the factor: the long one shows that it matters, the short one
// that it still goes on.
struct BurnWindows
{
    int long_s = 3600;
    int short_s = 300;
    double factor = 14.4; // Times the rate that uses the budget up in exactly its period.
    friend bool operator==(const BurnWindows&, const BurnWindows&) = default;
};

// Source: Beyer et al., "The Site Reliability Workbook", chapter 5, table 5-8: 2 % of a 30-day
// budget in one hour, 5 % in six.
[[nodiscard]] std::vector<BurnWindows> defaultBurnWindows();

struct AlertRule
{
    QString name; // Unique.
    AlertKind kind = AlertKind::State;
    QString filter; // In the find language, over services; empty: all.
    bool isOn = true;
    // State: this one or worse. Stale is worse than failing: what is not seen may be anything.
    HealthState state = HealthState::Failure;
    int holds_s = 30; // So long before it fires.
    // BurnRate.
    double objective = 0.999; // Share of good requests, 0.5 to 0.99999.
    std::vector<BurnWindows> windows = defaultBurnWindows(); // Any of them fires.
    std::uint64_t requestsMin = 100; // In the long window; fewer prove nothing.
    friend bool operator==(const AlertRule&, const AlertRule&) = default;
};

// What a document has before anybody writes rules.
[[nodiscard]] std::vector<AlertRule> defaultAlertRules();
// "1 h burns 20.1 times, 5 min 18.0 times …" needs no rule to read; this says the rule itself.
[[nodiscard]] QString alertRuleText(const AlertRule& rule);
// Why a rule cannot be used, and what to write; empty: it can.
[[nodiscard]] QString alertRuleProblem(const AlertRule& rule);

// Nobody is told of an alert that a silence covers; it stays in the list.
struct AlertSilence
{
    QString rule; // Empty: every rule.
    QString subject; // EntityRow::id; empty: every service.
    QString reason; // Never empty.
    QString author;
    std::int64_t begin_us = 0;
    std::int64_t end_us = 0;
    friend bool operator==(const AlertSilence&, const AlertSilence&) = default;
};

enum class AlertState : std::uint8_t { Pending, Firing, Over };

struct AlertRow
{
    QString rule;
    QString subject; // EntityRow::id
    AlertState state = AlertState::Pending;
    std::int64_t since_us = 0; // Of the condition.
    std::int64_t fired_us = 0; // 0: not yet.
    std::int64_t end_us = 0; // Of Over.
    QString why; // In figures.
    QString silence; // Why nobody is told; empty: it is told.
    std::int64_t silenceEnd_us = 0;
    friend bool operator==(const AlertRow&, const AlertRow&) = default;
};

// One thing to tell: an alert fired or is over. Silenced ones are changes too.
struct AlertChange
{
    AlertRow row;
    friend bool operator==(const AlertChange&, const AlertChange&) = default;
};

// One service at one moment.
struct AlertSubject
{
    QString id;
    HealthState state = HealthState::NoData;
    QString why;
    const FindSubject* find = nullptr; // What filters ask; null: only rules without filter.
};

// Judges rules over subjects and remembers what fires.
//
// Limits: kAlertSubjectsMax services with counts of six hours in steps of kAlertStep_s, and the
// last kAlertsOverMax alerts that are over.
class AlertBook
{
public:
    void setRules(std::vector<AlertRule> rules); // Alerts of rules that are gone are over.
    [[nodiscard]] const std::vector<AlertRule>& rules() const { return m_rules; }
    void setSilences(std::vector<AlertSilence> silences);
    [[nodiscard]] const std::vector<AlertSilence>& silences() const { return m_silences; }

    // Requests and errors of one service in the step that ends at `end_us`. In any order, adding
    // up; older than six hours: ignored.
    void addTraffic(
        const QString& subject, std::int64_t end_us, std::uint64_t requests, std::uint64_t errors
    );
    // All services of this moment; one that is missing has no alerts any more.
    [[nodiscard]] std::vector<AlertChange> evaluate(
        std::int64_t now_us, const std::vector<AlertSubject>& subjects
    );
    // Firing first, then pending, then over; the newest first.
    [[nodiscard]] std::vector<AlertRow> rows() const;
    [[nodiscard]] int firing() const; // Without those silenced.

    struct Burn
    {
        double rate = 0; // 1: the budget lasts exactly its period.
        std::uint64_t requests = 0;
    };
    [[nodiscard]] Burn burn(
        const QString& subject, std::int64_t now_us, int window_s, double objective
    ) const;

private:
    struct Step
    {
        std::int64_t index = 0; // Of kAlertStep_s since the epoch.
        std::uint64_t requests = 0;
        std::uint64_t errors = 0;
    };
    struct Judgement
    {
        bool isBad = false;
        bool isKnown = true; // False: it stays as it is.
        QString why;
    };
    using Key = std::pair<QString, QString>; // Rule, subject.

    [[nodiscard]] Judgement judge(
        const AlertRule& rule, const AlertSubject& subject, std::int64_t now_us
    ) const;
    [[nodiscard]] const AlertSilence* silenceOf(const AlertRow& row, std::int64_t now_us) const;
    void follow(
        const AlertRule& rule,
        const AlertSubject& subject,
        std::int64_t now_us,
        std::vector<AlertChange>& changes
    );
    void finish(AlertRow row, std::int64_t now_us, std::vector<AlertChange>& changes);

    std::vector<AlertRule> m_rules;
    std::vector<FindLanguage> m_filters; // Of the rules, in their order.
    std::vector<AlertSilence> m_silences;
    QHash<QString, std::deque<Step>> m_traffic; // Sorted by index.
    std::map<Key, AlertRow> m_alerts; // Pending and firing.
    std::deque<AlertRow> m_over; // Newest first.
};

inline constexpr std::size_t kAlertRulesMax = 50;
inline constexpr std::size_t kAlertSilencesMax = 200;
inline constexpr qsizetype kAlertSubjectsMax = 2'000;
inline constexpr std::size_t kAlertsOverMax = 200;
inline constexpr int kAlertStep_s = 30;

// Rules and silences as the document keeps them. What cannot be read is left out; a text that is
// none gives nothing.
[[nodiscard]] QString toText(const std::vector<AlertRule>& rules);
[[nodiscard]] std::optional<std::vector<AlertRule>> alertRulesOf(const QString& text);
[[nodiscard]] QString toText(const std::vector<AlertSilence>& silences);
[[nodiscard]] std::vector<AlertSilence> alertSilencesOf(const QString& text);

} // namespace mesh::bridge
