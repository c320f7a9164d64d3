#pragma once

#include "app/bridge/topology.h"

#include <QString>

#include <cstdint>
#include <map>
#include <optional>

// How the state of an entity or an edge follows from what was measured.
//
// Source: Kiali's defaults (5xx 0.1 % and 10 %, 4xx 10 % and 20 %), HAProxy's rise and fall.
namespace mesh::bridge {

// A ratio at the boundary belongs to the worse state: 0.1 % is degraded, 10 % is a failure.
struct HealthRules
{
    double serverDegraded = 0.001;
    double serverFailure = 0.10;
    double clientDegraded = 0.10;
    double clientFailure = 0.20;
    std::uint64_t requestsMin = 20; // Less evidence than this, and
    std::uint64_t errorsMin = 3; // less than this, keeps the previous state.
    int evaluationsToWorsen = 2;
    int evaluationsToImprove = 3;
    double silentMax_s = 3.0; // Three intervals; longer is stale.
};

// What is known about one subject at one moment.
struct HealthEvidence
{
    std::optional<double> silentFor_s; // Since the last report about it; absent: never reported.
    std::uint64_t requests = 0; // In the window.
    std::uint64_t serverErrors = 0; // 5xx and unanswered.
    std::uint64_t clientErrors = 0; // 4xx.
    int window_s = 60;
    int instances = 0; // Known copies of it; 0: not counted.
    int instancesOut = 0; // Unhealthy, killed, frozen or gone.
    QString instanceReason; // Of the first that is out: "cart-2: killed".
};

struct HealthVerdict
{
    HealthState state = HealthState::NoData;
    QString why; // The winning rule in words.
    QString rule; // "rule: degraded ≥ 0.1 %"; empty when no threshold decided.
    bool isLowTraffic = false;
    friend bool operator==(const HealthVerdict&, const HealthVerdict&) = default;
};

// The verdict without history: for the past, and as what the next evaluations must confirm.
// previous: kept when there is too little evidence.
[[nodiscard]] HealthVerdict judge(
    const HealthEvidence& evidence, const HealthRules& rules, HealthState previous
);

// True when `a` is the worse of two states that both rest on evidence.
[[nodiscard]] bool isWorse(HealthState a, HealthState b);

// Remembers each subject's state and changes it only when consecutive evaluations agree: two to
// worsen, three to improve. What needs no confirmation changes at once: instances (health checks
// confirm by themselves), silence, first data.
class HealthTracker
{
public:
    explicit HealthTracker(HealthRules rules = {})
        : m_rules(rules)
    {}

    struct Outcome
    {
        HealthVerdict verdict;
        std::int64_t since_us = 0;
        bool isChanged = false; // Against the last evaluation; false at the first.
    };

    // Owed: once per evaluation interval and subject.
    Outcome evaluate(const QString& subject, const HealthEvidence& evidence, std::int64_t now_us);
    void clear() { m_subjects.clear(); }

private:
    struct Subject
    {
        HealthVerdict verdict;
        HealthState traffic = HealthState::NoData; // Confirmed, of the traffic alone.
        HealthState candidate = HealthState::NoData;
        int confirmations = 0;
        std::int64_t since_us = 0;
    };
    HealthState confirm(Subject& subject, HealthState judged) const;

    HealthRules m_rules;
    std::map<QString, Subject> m_subjects;
};

} // namespace mesh::bridge
