#include "simulator/live/live_ear.h"

#include "proxyengine/base/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace mesh::simulator {
namespace {

constexpr std::string_view kGateway = "gateway"; // As in virtual time.
constexpr std::size_t kEarSecondsMax = 24 * 3600;

struct PolicyRow
{
    std::string_view kind;
    RunMarker::Kind marker;
};

constexpr std::array kPolicies = {
    PolicyRow{"ejected", RunMarker::Kind::Ejected},
    PolicyRow{"returned", RunMarker::Kind::Returned},
    PolicyRow{"ejection_suppressed", RunMarker::Kind::EjectionHeld},
    PolicyRow{"breaker_opened", RunMarker::Kind::BreakerOpened},
    PolicyRow{"breaker_half_opened", RunMarker::Kind::BreakerHalfOpen},
    PolicyRow{"breaker_closed", RunMarker::Kind::BreakerClosed},
    PolicyRow{"panic_entered", RunMarker::Kind::PanicEntered},
    PolicyRow{"panic_left", RunMarker::Kind::PanicLeft},
    PolicyRow{"budget_exhausted", RunMarker::Kind::BudgetExhausted},
    PolicyRow{"rate_limited", RunMarker::Kind::RateLimited},
    PolicyRow{"limit_reached", RunMarker::Kind::LimitReached},
};

} // namespace

LiveEar::LiveEar(const Clock& clock, std::vector<MeasureWindow> windows)
    : m_clock(clock)
    , m_windows(std::move(windows))
    , m_mailbox(kMailboxMessagesMax, [this] { m_arrived.release(); })
{}

void LiveEar::onNodeEvent(const std::string& node, const api::Event& event)
{
    Heard heard{node, m_clock.now(), {}};
    if (const auto* const stats = std::get_if<api::StatsEvent>(&event)) {
        heard.what = stats->frame;
    } else if (const auto* const policy = std::get_if<api::PolicyEvent>(&event)) {
        heard.what = *policy;
    } else if (const auto* const health = std::get_if<api::HealthEvent>(&event)) {
        heard.what = *health;
    } else {
        return;
    }
    // A full mailbox means an owner that has not listened for many seconds.
    static_cast<void>(m_mailbox.push(std::move(heard)));
}

void LiveEar::setMesh(Mesh mesh)
{
    while (m_mailbox.pop()) {
    }
    m_mesh = std::move(mesh);
}

void LiveEar::listen(Duration waitMax)
{
    static_cast<void>(m_arrived.try_acquire_for(waitMax));
    while (std::optional<Heard> heard = m_mailbox.pop()) {
        if (heard->at >= m_mesh.begin) {
            take(*heard);
        }
    }
}

void LiveEar::take(const Heard& heard)
{
    if (const auto* const frame =
            std::get_if<std::shared_ptr<const telemetry::StatsFrame>>(&heard.what)) {
        takeFrame(heard, **frame);
    } else if (const auto* const policy = std::get_if<api::PolicyEvent>(&heard.what)) {
        takePolicy(heard, *policy);
    } else if (const auto* const health = std::get_if<api::HealthEvent>(&heard.what)) {
        takeHealth(heard, *health);
    }
}

std::string LiveEar::callerOf(const std::string& node) const
{
    const auto found = std::ranges::find(m_mesh.document->workloads, node, &model::Workload::node);
    return found == m_mesh.document->workloads.end() ? std::string(kGateway) : found->service;
}

std::string LiveEar::instanceAt(std::string_view address) const
{
    const auto found = m_mesh.byAddress.find(address);
    return found == m_mesh.byAddress.end() ? std::string() : found->second;
}

// Rows without a source are the second hop of a call, in the callee's own sidecar.
void LiveEar::takeFrame(const Heard& heard, const telemetry::StatsFrame& frame)
{
    const TimePoint end = TimePoint(heard.at - m_mesh.begin);
    const TimePoint from = end - frame.interval;
    if (heard.node == m_mesh.document->nodes.front().name) {
        // Every node tells that of the whole process.
        m_cpu += frame.cpu;
        m_cpuSpan += frame.interval;
    }
    const std::string caller = callerOf(heard.node);
    for (const telemetry::RequestSeries& row : frame.requests) {
        if (row.source.empty() || row.retries == 0) {
            continue;
        }
        const bool isGateway = caller == kGateway;
        Extra& extra = m_extra[fmt::format(
            "{}->{}",
            isGateway ? std::string_view(kGateway) : std::string_view(row.source),
            row.service
        )];
        extra.byWindow.resize(m_windows.size());
        const auto count = static_cast<double>(row.retries);
        for (std::size_t at = 0; at < m_windows.size(); ++at) {
            extra.byWindow[at] += count * toSeconds(m_windows[at].overlap(from, end))
                                  / std::max(toSeconds(frame.interval), 1e-9);
        }
        const Duration middle = end - TimePoint{} - frame.interval / 2;
        const auto second = static_cast<std::size_t>(std::max<std::int64_t>(
            std::chrono::duration_cast<std::chrono::seconds>(middle).count(), 0
        ));
        if (second < kEarSecondsMax) {
            extra.bySecond.resize(std::max(extra.bySecond.size(), second + 1));
            extra.bySecond[second] += count;
        }
    }
}

// Subjects are "target:UPSTREAM/HOST:PORT", "service:NAME", "route:NAME" and "upstream:NAME".
void LiveEar::takePolicy(const Heard& heard, const api::PolicyEvent& event)
{
    const auto row = std::ranges::find(kPolicies, std::string_view(event.kind), &PolicyRow::kind);
    if (row == kPolicies.end()) {
        return;
    }
    std::string_view subject = event.subject;
    subject.remove_prefix(std::min(subject.find(':') + 1, subject.size()));
    const std::size_t slash = subject.find('/');
    if (event.subject.starts_with("target:") && slash != std::string_view::npos) {
        mark(
            heard,
            row->marker,
            std::string(subject.substr(0, slash)),
            instanceAt(subject.substr(slash + 1))
        );
    } else {
        mark(heard, row->marker, std::string(subject), {});
    }
}

void LiveEar::takeHealth(const Heard& heard, const api::HealthEvent& event)
{
    const telemetry::TargetHealth& health = event.health;
    const auto target =
        std::ranges::find(m_mesh.document->workloads, health.workload, &model::Workload::name);
    if (target == m_mesh.document->workloads.end()
        || !m_mesh.calls.contains({callerOf(heard.node), target->service})) {
        return;
    }
    const std::pair key{heard.node, health.workload};
    const bool isFailing = health.state != telemetry::TargetState::Healthy
                           && health.state != telemetry::TargetState::HealthchecksOff;
    if (isFailing && !health.isEjected && m_failing.insert(key).second) {
        mark(heard, RunMarker::Kind::CheckFailed, health.upstream, health.workload);
    } else if (!isFailing && m_failing.erase(key) > 0) {
        mark(heard, RunMarker::Kind::CheckPassed, health.upstream, health.workload);
    }
}

void LiveEar::mark(
    const Heard& heard, RunMarker::Kind kind, std::string callee, std::string instance
)
{
    if (m_markers.size() >= RunRecord::kMarkersMax) {
        ++m_markersLost;
        return;
    }
    RunMarker marker;
    marker.at = heard.at - m_mesh.begin;
    marker.kind = kind;
    marker.caller = callerOf(heard.node);
    marker.callee = std::move(callee);
    marker.instance = std::move(instance);
    const auto place = std::ranges::upper_bound(m_markers, marker.at, {}, &RunMarker::at);
    m_markers.insert(place, std::move(marker));
}

double LiveEar::extraAttempts(const std::string& edge, std::size_t window) const
{
    const auto known = m_extra.find(edge);
    return known == m_extra.end() ? 0.0 : known->second.byWindow[window];
}

const std::vector<double>& LiveEar::extraBySecond(const std::string& edge) const
{
    static const std::vector<double> kNone;
    const auto known = m_extra.find(edge);
    return known == m_extra.end() ? kNone : known->second.bySecond;
}

double LiveEar::extraIn(std::string_view subject, std::size_t second) const
{
    double sum = 0.0;
    for (const auto& [edge, extra] : m_extra) {
        const std::string_view callee = std::string_view(edge).substr(edge.rfind('>') + 1);
        if ((edge == subject || callee == subject) && second < extra.bySecond.size()) {
            sum += extra.bySecond[second];
        }
    }
    return sum;
}

double LiveEar::processorsUsed() const
{
    return m_cpuSpan > Duration::zero() ? toSeconds(m_cpu) / toSeconds(m_cpuSpan) : 0.0;
}

} // namespace mesh::simulator
