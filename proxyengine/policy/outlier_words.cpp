#include "proxyengine/policy/outlier.h"
#include "proxyengine/policy/reason_text.h"

#include <fmt/format.h>

// What ejection says of its verdicts.
namespace mesh::policy {

namespace {

constexpr std::array<std::string_view, kOutlierDetectorKinds> kNames = {
    "consecutive_5xx",
    "consecutive_gateway_failure",
    "consecutive_local_origin_failure",
    "success_rate",
    "local_origin_success_rate",
    "failure_percentage"};

std::string toWords(const OutlierOutcome& outcome)
{
    switch (outcome.kind) {
    case OutlierOutcome::Kind::ConnectFailure:
        return "connection failure";
    case OutlierOutcome::Kind::Timeout:
        return "timeout";
    case OutlierOutcome::Kind::Success:
    case OutlierOutcome::Kind::Answer5xx:
        break;
    }
    return fmt::format("{}", outcome.status);
}

} // namespace

std::string_view toText(OutlierDetectorKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::string OutlierDetector::evidenceText(const Evidence& evidence)
{
    switch (evidence.detector) {
    case OutlierDetectorKind::Consecutive5xx:
        return fmt::format("{} consecutive 5xx ({})", evidence.count, toWords(evidence.last));
    case OutlierDetectorKind::ConsecutiveGatewayFailure:
        return fmt::format(
            "{} consecutive gateway failures ({})", evidence.count, toWords(evidence.last)
        );
    case OutlierDetectorKind::ConsecutiveLocalOriginFailure:
        return fmt::format(
            "{} consecutive failures without an answer ({})", evidence.count, toWords(evidence.last)
        );
    case OutlierDetectorKind::SuccessRate:
        return fmt::format(
            "a success rate of {:.1f} % in {} requests, below {:.1f} %",
            evidence.rate,
            evidence.volume,
            evidence.limit
        );
    case OutlierDetectorKind::LocalOriginSuccessRate:
        return fmt::format(
            "answers to {:.1f} % of {} requests, below {:.1f} %",
            evidence.rate,
            evidence.volume,
            evidence.limit
        );
    case OutlierDetectorKind::FailurePercentage:
        return fmt::format(
            "{:.1f} % of {} requests failed, the limit being {:g} %",
            evidence.rate,
            evidence.volume,
            evidence.limit
        );
    }
    return {};
}

std::string OutlierDetector::reason(TimePoint now, std::size_t host) const
{
    const Record& record = recordOf(host);
    if (!record.ejection) {
        return {};
    }
    if (now >= record.ejection->until) {
        return fmt::format("{}; back at the next sweep", evidenceText(record.evidence));
    }
    return fmt::format(
        "{}; back in {}", evidenceText(record.evidence), toSpanText(record.ejection->until - now)
    );
}

std::string OutlierDetector::suppressed(std::size_t host) const
{
    const std::optional<Suppression>& present = recordOf(host).suppression;
    if (!present) {
        return {};
    }
    const std::string evidence = evidenceText(present->evidence);
    if (m_hosts.size() == 1) {
        return fmt::format("would be ejected for {}, but it is the only host", evidence);
    }
    return fmt::format(
        "would be ejected for {}, but {} of {} {} already ejected and max_ejection_percent is {:g}",
        evidence,
        m_ejected,
        m_hosts.size(),
        m_ejected == 1 ? "is" : "are",
        m_settings.maxEjectionPercent
    );
}

} // namespace mesh::policy
