#include "app/bridge/event_records.h"
#include "app/bridge/policy_words.h"
#include "app/bridge/session_private.h"

#include <algorithm>

namespace mesh::bridge {

namespace {

constexpr std::int64_t kSecond_us = 1'000'000;
constexpr std::int64_t kSilence_us = 3 * kSecond_us; // As of a node: no report counts after that.
// A verdict about requests that was not told again for so long is over. The engine tells once a
// second.
constexpr std::int64_t kQuietAfter_us = 5 * kSecond_us;

// An upstream's limit, a rate limit and adaptive concurrency are one state of the engine; the
// counts of the same frame tell them apart.
std::string nameOfState(const telemetry::StatsFrame& frame, const telemetry::PolicyState& state)
{
    if (state.kind == "limit_reached") {
        for (const char* kind : {"rate_limited", "concurrency_limited"}) {
            const bool isThat = std::ranges::any_of(frame.policy, [&](const auto& count) {
                return count.kind == kind && count.subject == state.subject;
            });
            if (isThat) {
                return kind;
            }
        }
    }
    return state.kind;
}

// The instance behind "target:cart/10.0.0.3:7001"; the address when no workload stands there.
QString instanceOf(const model::Document& document, const std::string& subject)
{
    const std::string address = subject.substr(subject.find('/') + 1);
    for (const model::Workload& workload : document.workloads) {
        if (workload.inbound == address || workload.address == address) {
            return QString::fromStdString(workload.name);
        }
    }
    return QString::fromStdString(address);
}

} // namespace

// What the frame says about policies replaces what the one before said.
void MeshSession::Private::readPolicies(NodeStatus& status, const telemetry::StatsFrame& frame)
{
    status.policies.clear();
    for (const telemetry::PolicyState& state : frame.states) {
        status.policies.push_back(
            {frame.node,
             nameOfState(frame, state),
             state.subject,
             state.reason,
             state.since.time_since_epoch().count()}
        );
    }
    const std::int64_t now = now_us();
    std::erase_if(status.verdicts, [now](const auto& entry) {
        return now - entry.second.last_us > kQuietAfter_us;
    });
    for (const telemetry::PolicyCount& count : frame.policy) {
        const PolicyWord* word = policyWord(count.kind);
        if (word != nullptr && word->phase == PolicyPhase::Repeats && word->kind) {
            VerdictActivity& activity = status.verdicts[{count.kind, count.subject}];
            activity.first_us = activity.first_us == 0 ? now : activity.first_us;
            activity.last_us = now;
            activity.count = count.count;
        }
    }
}

std::vector<PolicyReport> MeshSession::Private::policiesNow() const
{
    std::vector<PolicyReport> reports;
    for (const auto& [name, status] : nodes) {
        if (status.lastFrame_us == 0 || now_us() - status.lastFrame_us > kSilence_us) {
            continue;
        }
        for (PolicyReport report : status.policies) {
            report.node = name;
            reports.push_back(std::move(report));
        }
        for (const auto& [key, activity] : status.verdicts) {
            const bool isTold = std::ranges::any_of(status.policies, [&](const auto& report) {
                const PolicyWord* word = policyWord(report.kind);
                return word != nullptr && word->event == key.first && report.subject == key.second;
            });
            if (!isTold) {
                const QString words = MeshSession::tr(
                    "%n request(s) in the last second", nullptr, static_cast<int>(activity.count)
                );
                reports.push_back(
                    {name, key.first, key.second, words.toStdString(), activity.first_us}
                );
            }
        }
    }
    return reports;
}

std::vector<PolicyReport> MeshSession::Private::policiesAt(std::int64_t time_us) const
{
    std::vector<PolicyReport> reports;
    for (const Marker& event : events) {
        const bool isOn = event.kind == Marker::Kind::Policy && event.begin_us <= time_us
                          && (event.end_us == 0 || event.end_us > time_us);
        if (isOn) {
            reports.push_back(
                {event.node.toStdString(),
                 event.policy.toStdString(),
                 event.target.toStdString(),
                 event.detail.section(QStringLiteral(": "), 1).toStdString(),
                 event.begin_us}
            );
        }
    }
    return reports;
}

void MeshSession::Private::take(const std::string& node, const api::PolicyEvent& event)
{
    if (event.kind == "config_applied") {
        addAppliedEvent(node, event);
        return;
    }
    if (event.kind.starts_with("target.")) {
        return; // "target.unhealthy": the health event of the same target tells it.
    }
    const PolicyWord* word = policyWord(event.kind);
    const PolicyPhase phase = word != nullptr ? word->phase : PolicyPhase::Moment;
    const PolicyKey key{
        node, word != nullptr ? std::string(word->family) : event.kind, event.subject};
    const std::int64_t time_us = event.time.time_since_epoch().count();
    const auto open = openPolicies.find(key);
    if (phase == PolicyPhase::Repeats && open != openPolicies.end()) {
        open->second.last_us = std::max(time_us, open->second.last_us);
        return;
    }
    const bool isTurn = phase == PolicyPhase::Begins || phase == PolicyPhase::Ends;
    if (isTurn && open != openPolicies.end()) {
        endEvent(open->second, time_us);
        openPolicies.erase(open);
    }
    Marker marker;
    marker.kind = Marker::Kind::Policy;
    marker.begin_us = time_us;
    const bool isOpen = phase == PolicyPhase::Begins || phase == PolicyPhase::Repeats;
    marker.end_us = isOpen ? 0 : time_us;
    marker.policy = QString::fromStdString(event.kind);
    marker.target = QString::fromStdString(event.subject);
    marker.node = QString::fromStdString(node);
    marker.detail = QString::fromStdString(node + ": " + event.reason);
    const std::string service = EntityNames(*document).serviceOfSubject(event.subject);
    marker.subject = service.empty() ? QString() : serviceId(service);
    const QString about = event.subject.starts_with("target:")
                              ? instanceOf(*document, event.subject)
                              : policySubjectName(marker.target);
    marker.label = (about + u' ' + policyEventText(marker.policy)).trimmed();
    if (!isOpen) {
        addEvent(std::move(marker));
        return;
    }
    openPolicies.insert_or_assign(key, beginEvent(std::move(marker), time_us, phase));
}

OpenPolicy MeshSession::Private::beginEvent(Marker marker, std::int64_t last_us, PolicyPhase phase)
{
    OpenPolicy begun{marker, nullptr, last_us, phase};
    if (file && file->access().isWritable()) {
        begun.stored = file->beginEvent(toRecord(marker));
    }
    events.push_back(std::move(marker));
    trimEvents();
    isEventNew = true;
    return begun;
}

void MeshSession::Private::endEvent(const OpenPolicy& open, std::int64_t end_us)
{
    // A moment at least, so that it is not taken for one that goes on.
    const std::int64_t end = std::max(end_us, open.marker.begin_us);
    const auto marker = std::find_if(events.rbegin(), events.rend(), [&](const Marker& event) {
        return event.kind == open.marker.kind && event.begin_us == open.marker.begin_us
               && event.policy == open.marker.policy && event.target == open.marker.target
               && event.node == open.marker.node;
    });
    if (marker != events.rend()) {
        marker->end_us = end;
    }
    if (file && open.stored) {
        file->endEvent(open.stored, end);
    }
    isEventNew = true;
}

void MeshSession::Private::endQuietPolicies()
{
    for (auto open = openPolicies.begin(); open != openPolicies.end();) {
        const OpenPolicy& policy = open->second;
        const bool isQuiet =
            policy.phase == PolicyPhase::Repeats && now_us() - policy.last_us > kQuietAfter_us;
        if (isQuiet) {
            endEvent(policy, policy.last_us);
            open = openPolicies.erase(open);
        } else {
            ++open;
        }
    }
}

void MeshSession::Private::endAllPolicies()
{
    for (const auto& [key, policy] : openPolicies) {
        endEvent(policy, now_us());
    }
    openPolicies.clear();
}

void MeshSession::Private::addAppliedEvent(const std::string& node, const api::PolicyEvent& event)
{
    Marker marker;
    marker.kind = Marker::Kind::Push;
    marker.begin_us = marker.end_us = event.time.time_since_epoch().count();
    // The axis has room for a number; the hash is for those who look closer.
    const QString applied = QString::fromStdString(event.subject);
    const auto row = std::ranges::find(revisions, applied, &RevisionRow::hash);
    marker.label = row == revisions.end() ? MeshSession::tr("applied")
                                          : MeshSession::tr("rev %1").arg(row->id);
    marker.detail =
        QString::fromStdString(node + ": " + event.reason) + QStringLiteral(" · ") + applied;
    marker.node = QString::fromStdString(node);
    addEvent(std::move(marker));
}

} // namespace mesh::bridge
