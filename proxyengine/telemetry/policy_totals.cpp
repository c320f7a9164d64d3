#include "proxyengine/telemetry/policy_totals.h"

#include "proxyengine/base/limits.h"
#include "proxyengine/telemetry/exposition.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace mesh::telemetry {
namespace {

struct CounterMetric
{
    std::string_view kind; // Of the counts of a frame.
    std::string_view name;
    std::string_view detailLabel; // Empty: details are summed.
    std::string_view help;
};

constexpr std::array kCounters = {
    CounterMetric{
        "ejected",
        "mesh_outlier_ejections_enforced_total",
        "detector",
        "Targets ejected (Envoy: outlier_detection.ejections_enforced_*)."},
    CounterMetric{
        "ejection_suppressed",
        "mesh_outlier_ejections_overflow_total",
        "detector",
        "Ejections held back by max_ejection_percent (Envoy: ejections_overflow)."},
    CounterMetric{"returned", "mesh_outlier_returns_total", {}, "Ejections that ended."},
    CounterMetric{"breaker_opened", "mesh_breaker_opened_total", {}, "Times a breaker opened."},
    CounterMetric{
        "breaker_half_opened",
        "mesh_breaker_half_opened_total",
        {},
        "Times a breaker began to let probes through."},
    CounterMetric{"breaker_closed", "mesh_breaker_closed_total", {}, "Times a breaker closed."},
    CounterMetric{
        "fallback_served",
        "mesh_breaker_fallbacks_total",
        {},
        "Requests answered by a breaker's fallback."},
    CounterMetric{
        "retried", "mesh_retries_total", {}, "Attempts repeated (Envoy: upstream_rq_retry)."},
    CounterMetric{
        "budget_exhausted",
        "mesh_retry_budget_exhausted_total",
        {},
        "Retries refused by their budget (Envoy: upstream_rq_retry_overflow)."},
    CounterMetric{
        "hedged",
        "mesh_hedges_total",
        {},
        "Attempts started beside a slow one (Envoy: hedge_on_per_try_timeout)."},
    CounterMetric{
        "timed_out",
        "mesh_timeouts_total",
        {},
        "Requests ended by their timeout (Envoy: upstream_rq_timeout)."},
    CounterMetric{
        "rate_limited",
        "mesh_rate_limited_total",
        {},
        "Requests refused by a rate limit (Envoy: http_local_rate_limit.rate_limited)."},
    CounterMetric{
        "concurrency_limited",
        "mesh_concurrency_limited_total",
        {},
        "Requests refused by the adaptive limit (Envoy: adaptive_concurrency.rq_blocked)."},
    CounterMetric{
        "limit_reached",
        "mesh_limit_reached_total",
        "limit",
        "Requests refused by a limit (Envoy: upstream_rq_pending_overflow, upstream_cx_overflow)."},
    CounterMetric{
        "shed", "mesh_shed_total", {}, "Requests refused because the node was overloaded."},
    CounterMetric{
        "tls_failed",
        "mesh_upstream_tls_failures_total",
        "reason",
        "Handshakes with targets that failed (Envoy: ssl.connection_error)."},
    CounterMetric{
        "certificate_refused",
        "mesh_client_certificates_refused_total",
        "reason",
        "Requests refused for their client's certificate (Envoy: ssl.fail_verify_error)."},
    CounterMetric{
        "plaintext_refused",
        "mesh_plaintext_refused_total",
        {},
        "Plain callers refused by a sidecar whose mesh is strict."},
    CounterMetric{
        "peer_refused",
        "mesh_peers_refused_total",
        "reason",
        "Callers refused by a sidecar for their certificate."},
    CounterMetric{
        "fault_injected",
        "mesh_faults_injected_total",
        {},
        "Requests delayed or aborted on purpose (Envoy: fault.*_injected)."},
    CounterMetric{
        "mirrored", "mesh_mirrored_total", {}, "Copies sent (Envoy: request_mirror_policies)."},
    CounterMetric{
        "panic_entered",
        "mesh_upstream_panics_total",
        {},
        "Times an upstream began to ignore health (Envoy: lb_healthy_panic)."},
    CounterMetric{
        "failover_started",
        "mesh_upstream_failovers_total",
        {},
        "Times traffic began to leave the preferred zone."},
};

struct StateMetric
{
    std::string_view kind; // Of the states of a frame.
    std::string_view name;
    std::string_view detailLabel;
    std::string_view help;
};

// Shown while it is so; a row that is absent is 0.
constexpr std::array kStates = {
    StateMetric{"panic", "mesh_upstream_panic", {}, "1 while an upstream ignores health."},
    StateMetric{
        "failover", "mesh_upstream_failover", {}, "1 while traffic leaves the preferred zone."},
    StateMetric{
        "budget_exhausted",
        "mesh_retry_budget_open",
        {},
        "1 while a retry budget is exhausted (Envoy: circuit_breakers.*.rq_retry_open)."},
    StateMetric{
        "limit_reached",
        "mesh_limit_open",
        "limit",
        "1 while a limit is reached (Envoy: circuit_breakers.*.{cx,rq_pending,rq}_open)."},
    StateMetric{"shedding", "mesh_shedding", {}, "1 while requests are shed."},
    StateMetric{"fault", "mesh_fault_active", {}, "1 while faults are injected."},
};

// "target:U/T" has two labels, "upstream:U" one, "service:S" and "route:R" say which and who.
std::string labelsOf(std::string_view subject)
{
    const std::size_t colon = std::min(subject.find(':'), subject.size());
    const std::string_view kind = subject.substr(0, colon);
    const std::string_view name = subject.substr(std::min(colon + 1, subject.size()));
    if (kind == "target") {
        const std::size_t slash = std::min(name.rfind('/'), name.size());
        return fmt::format(
            "upstream=\"{}\",target=\"{}\"",
            escaped(name.substr(0, slash)),
            escaped(name.substr(std::min(slash + 1, name.size())))
        );
    }
    if (kind == "upstream") {
        return fmt::format("upstream=\"{}\"", escaped(name));
    }
    return fmt::format("scope=\"{}\",name=\"{}\"", escaped(kind), escaped(name));
}

std::string labelsOf(
    std::string_view subject, std::string_view detailLabel, std::string_view detail
)
{
    return detailLabel.empty()
               ? labelsOf(subject)
               : fmt::format("{},{}=\"{}\"", labelsOf(subject), detailLabel, escaped(detail));
}

} // namespace

std::uint64_t PolicyTotals::add(const StatsFrame& frame)
{
    std::uint64_t dropped = 0;
    for (const PolicyCount& part : frame.policy) {
        const Key key(part.kind, part.detail, part.subject);
        const auto found = m_counts.find(key);
        if (found != m_counts.end()) {
            found->second += part.count;
        } else if (m_counts.size() < kSeriesPerNodeMax) {
            m_counts.emplace(key, part.count);
        } else {
            ++dropped;
        }
    }
    m_states = frame.states;
    m_health = frame.health;
    const auto note = [this](const std::string& kind, const std::string& subject) {
        if (kind.starts_with("breaker_") && m_breakers.size() < kSeriesPerNodeMax) {
            m_breakers.insert(subject);
        }
    };
    for (const PolicyState& state : frame.states) {
        note(state.kind, state.subject);
    }
    for (const PolicyCount& part : frame.policy) {
        note(part.kind, part.subject);
    }
    return dropped;
}

void PolicyTotals::write(std::string& out) const
{
    writeCounters(out);
    writeEjected(out);
    writeBreakers(out);
    writeStates(out);
}

void PolicyTotals::writeCounters(std::string& out) const
{
    for (const CounterMetric& metric : kCounters) {
        head(out, metric.name, "counter", metric.help);
        std::map<std::string, std::uint64_t> rows; // By labels.
        const auto first = m_counts.lower_bound(Key(metric.kind, "", ""));
        for (auto at = first; at != m_counts.end() && std::get<0>(at->first) == metric.kind; ++at) {
            const auto& [kind, detail, subject] = at->first;
            rows[labelsOf(subject, metric.detailLabel, detail)] += at->second;
        }
        for (const auto& [labels, count] : rows) {
            line(out, metric.name, labels, count);
        }
    }
}

void PolicyTotals::writeEjected(std::string& out) const
{
    std::map<std::string, std::uint64_t> active; // By upstream.
    head(out, "mesh_target_ejected", "gauge", "1 while outlier detection keeps the target out.");
    for (const TargetHealth& row : m_health) {
        active[row.upstream] += row.isEjected ? 1U : 0U;
        const std::string labels = fmt::format(
            "upstream=\"{}\",target=\"{}\"", escaped(row.upstream), escaped(row.target)
        );
        line(out, "mesh_target_ejected", labels, row.isEjected ? 1 : 0);
    }
    head(
        out,
        "mesh_outlier_ejections_active",
        "gauge",
        "Targets that are ejected now (Envoy: outlier_detection.ejections_active)."
    );
    for (const auto& [upstream, count] : active) {
        const std::string labels = fmt::format("upstream=\"{}\"", escaped(upstream));
        line(out, "mesh_outlier_ejections_active", labels, count);
    }
}

void PolicyTotals::writeBreakers(std::string& out) const
{
    head(
        out,
        "mesh_breaker_state",
        "gauge",
        "0 closed, 1 half open, 2 open; breakers that never opened have no row."
    );
    for (const std::string& subject : m_breakers) {
        int value = 0;
        for (const PolicyState& state : m_states) {
            if (state.subject == subject && state.kind == "breaker_open") {
                value = 2;
            } else if (state.subject == subject && state.kind == "breaker_half_open") {
                value = 1;
            }
        }
        line(out, "mesh_breaker_state", labelsOf(subject), value);
    }
}

void PolicyTotals::writeStates(std::string& out) const
{
    for (const StateMetric& metric : kStates) {
        head(out, metric.name, "gauge", metric.help);
        std::set<std::string> rows;
        for (const PolicyState& state : m_states) {
            if (state.kind == metric.kind) {
                rows.insert(labelsOf(state.subject, metric.detailLabel, state.detail));
            }
        }
        for (const std::string& labels : rows) {
            line(out, metric.name, labels, 1);
        }
    }
}

} // namespace mesh::telemetry
