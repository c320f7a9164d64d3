#include "proxyengine/policy/outlier.h"

#include "proxyengine/base/assert.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace mesh::policy {

namespace {

bool isLocalOrigin(OutlierOutcome::Kind kind)
{
    return kind == OutlierOutcome::Kind::ConnectFailure || kind == OutlierOutcome::Kind::Timeout;
}

bool isGatewayFailure(const OutlierOutcome& outcome)
{
    return isLocalOrigin(outcome.kind) || (outcome.status >= 502 && outcome.status <= 504);
}

void add(std::uint32_t& number, std::uint32_t count)
{
    number += std::min(count, std::numeric_limits<std::uint32_t>::max() - number);
}

std::size_t ejectedMaxOf(const model::OutlierDetection& settings, std::size_t hosts)
{
    // In whole thousandths of a percent: 28 % of 25 hosts are seven, and not 6.999.
    constexpr std::size_t kAll = 100'000;
    const double percent = std::clamp(settings.maxEjectionPercent, 0.0, 100.0);
    const std::size_t allowed =
        hosts * static_cast<std::size_t>(std::llround(percent * 1000)) / kAll;
    return hosts >= 2 ? std::max<std::size_t>(allowed, 1) : allowed;
}

} // namespace

OutlierDetector::OutlierDetector(
    const model::OutlierDetection& settings, std::size_t hosts, TimePoint now
)
    : m_hosts(hosts)
    , m_ejectedMax(ejectedMaxOf(settings, hosts))
    , m_nextSweepAt(now + settings.interval)
    , m_settings(settings)
{}

OutlierDetector::Record& OutlierDetector::recordToChange(std::size_t host)
{
    m_records.resize(m_hosts.size());
    return m_records[host];
}

std::vector<OutlierVerdict> OutlierDetector::adopt(
    TimePoint now, const OutlierDetector& previous, std::span<const std::size_t> previousOf
)
{
    MESH_ASSERT(previousOf.size() == m_hosts.size());
    const TimePoint untilMax = now + ejectionMax() + m_settings.ejectionJitter;
    for (std::size_t host = 0; host < m_hosts.size(); ++host) {
        if (previousOf[host] == kNoHost) {
            continue;
        }
        m_hosts[host] = previous.m_hosts[previousOf[host]];
        if (previous.m_records.empty()) {
            continue;
        }
        Record& record = recordToChange(host);
        record = previous.m_records[previousOf[host]];
        record.suppression.reset();
        if (record.ejection) {
            record.ejection->until = std::min(record.ejection->until, untilMax);
            ++m_ejected;
        }
    }
    m_counts = previous.m_counts;
    m_nextSweepAt = std::min(previous.m_nextSweepAt, m_nextSweepAt);

    std::vector<OutlierVerdict> verdicts;
    while (m_ejected > m_ejectedMax) {
        std::size_t first = kNoHost;
        for (std::size_t host = 0; host < m_hosts.size(); ++host) {
            if (isEjected(host)
                && (first == kNoHost || ejection(host)->until < ejection(first)->until)) {
                first = host;
            }
        }
        verdicts.push_back(release(first, "fewer hosts may be ejected now"));
    }
    return verdicts;
}

std::optional<OutlierVerdict> OutlierDetector::observe(
    TimePoint now, std::size_t host, const OutlierOutcome& outcome, Random& random
)
{
    if (outcome.kind == OutlierOutcome::Kind::Success) {
        observeSuccesses(host, 1);
        return std::nullopt;
    }
    if (m_settings.splitLocalOrigin && isLocalOrigin(outcome.kind)) {
        return onLocalFailure(now, host, outcome, random);
    }
    return onFailure(now, host, outcome, random);
}

void OutlierDetector::observeSuccesses(std::size_t host, std::uint32_t count)
{
    if (count == 0) {
        return;
    }
    Host& row = m_hosts[host];
    row.consecutive5xx = 0;
    row.consecutiveGateway = 0;
    row.consecutiveLocal = 0;
    add(row.active.all, count);
    add(row.activeLocal.all, count);
}

std::optional<OutlierVerdict> OutlierDetector::onFailure(
    TimePoint now, std::size_t host, const OutlierOutcome& outcome, Random& random
)
{
    Host& row = m_hosts[host];
    add(row.active.all, 1);
    add(row.active.failed, 1);
    add(row.activeLocal.all, 1); // With split_local_origin, any answer is a local success.
    row.consecutiveLocal = 0;
    if (isEjected(host)) {
        return std::nullopt;
    }

    // Both counters count before either may eject and so start over.
    row.consecutiveGateway = isGatewayFailure(outcome) ? row.consecutiveGateway + 1 : 0;
    ++row.consecutive5xx;
    std::optional<OutlierVerdict> verdict;
    if (m_settings.consecutiveGatewayFailure > 0
        && row.consecutiveGateway >= m_settings.consecutiveGatewayFailure) {
        const Evidence evidence{
            OutlierDetectorKind::ConsecutiveGatewayFailure,
            std::exchange(row.consecutiveGateway, 0),
            outcome};
        verdict = detect(now, host, evidence, random);
    }
    if (!isEjected(host) && m_settings.consecutive5xx > 0
        && row.consecutive5xx >= m_settings.consecutive5xx) {
        const Evidence evidence{
            OutlierDetectorKind::Consecutive5xx, std::exchange(row.consecutive5xx, 0), outcome};
        if (auto second = detect(now, host, evidence, random)) {
            verdict = std::move(second);
        }
    }
    return verdict;
}

std::optional<OutlierVerdict> OutlierDetector::onLocalFailure(
    TimePoint now, std::size_t host, const OutlierOutcome& outcome, Random& random
)
{
    Host& row = m_hosts[host];
    add(row.activeLocal.all, 1);
    add(row.activeLocal.failed, 1);
    if (isEjected(host)) {
        return std::nullopt;
    }
    ++row.consecutiveLocal;
    if (m_settings.consecutiveLocalOriginFailure <= 0
        || row.consecutiveLocal < m_settings.consecutiveLocalOriginFailure) {
        return std::nullopt;
    }
    const Evidence evidence{
        OutlierDetectorKind::ConsecutiveLocalOriginFailure,
        std::exchange(row.consecutiveLocal, 0),
        outcome};
    return detect(now, host, evidence, random);
}

std::optional<OutlierVerdict> OutlierDetector::detect(
    TimePoint now, std::size_t host, const Evidence& evidence, Random& random
)
{
    Counts& counts = m_counts[static_cast<std::size_t>(evidence.detector)];
    ++counts.detected;
    if (!random.chance(enforcing(evidence.detector) / 100)) {
        return std::nullopt;
    }
    if (m_ejected >= m_ejectedMax) {
        ++counts.overflow;
        return suppress(host, evidence);
    }
    ++counts.enforced;
    return eject(now, host, evidence, random);
}

OutlierVerdict OutlierDetector::eject(
    TimePoint now, std::size_t host, const Evidence& evidence, Random& random
)
{
    Host& row = m_hosts[host];
    Record& record = recordToChange(host);
    ++row.multiplier;
    ++record.times;
    // Divided instead of multiplied, because the multiplier has no bound.
    const Duration base = m_settings.baseEjection;
    Duration length = ejectionMax();
    if (base <= Duration::zero() || row.multiplier <= length / base) {
        length = base * static_cast<Duration::rep>(row.multiplier);
    }
    if (m_settings.ejectionJitter > Duration::zero()) {
        const auto bound = static_cast<std::uint64_t>(m_settings.ejectionJitter.count()) + 1;
        length += Duration(static_cast<Duration::rep>(random.below(bound)));
    }
    record.ejection = Ejection{evidence.detector, now, now + length};
    record.evidence = evidence;
    record.suppression.reset();
    ++m_ejected;
    return {
        OutlierVerdict::Kind::Ejected,
        host,
        evidence.detector,
        record.ejection->until,
        reason(now, host)};
}

std::optional<OutlierVerdict> OutlierDetector::suppress(std::size_t host, const Evidence& evidence)
{
    std::optional<Suppression>& present = recordToChange(host).suppression;
    if (present && present->ejected == m_ejected) {
        present->isRecent = true;
        return std::nullopt;
    }
    present = Suppression{evidence, m_ejected};
    return OutlierVerdict{
        OutlierVerdict::Kind::Suppressed, host, evidence.detector, {}, suppressed(host)};
}

OutlierVerdict OutlierDetector::release(std::size_t host, std::string_view reason)
{
    Host& row = m_hosts[host];
    m_records[host].ejection.reset();
    row.consecutive5xx = 0;
    row.consecutiveGateway = 0;
    row.consecutiveLocal = 0;
    --m_ejected;
    // There is room again: what was held back for want of it is found anew, or was not lasting.
    for (Record& other : m_records) {
        other.suppression.reset();
    }
    return {OutlierVerdict::Kind::Returned, host, {}, {}, std::string(reason)};
}

std::optional<OutlierVerdict> OutlierDetector::onActiveSuccess(std::size_t host)
{
    if (!isEjected(host) || !m_settings.unejectOnActiveSuccess) {
        return std::nullopt;
    }
    return release(host, "an active check passed");
}

std::optional<OutlierVerdict> OutlierDetector::onOperatorHealthy(std::size_t host)
{
    m_hosts[host].multiplier = 0;
    if (!isEjected(host)) {
        return std::nullopt;
    }
    return release(host, "set by an operator");
}

Duration OutlierDetector::ejectionMax() const
{
    return std::max(m_settings.maxEjection, m_settings.baseEjection);
}

double OutlierDetector::enforcing(OutlierDetectorKind kind) const
{
    switch (kind) {
    case OutlierDetectorKind::Consecutive5xx:
        return m_settings.enforcingConsecutive5xx;
    case OutlierDetectorKind::ConsecutiveGatewayFailure:
        return m_settings.enforcingConsecutiveGatewayFailure;
    case OutlierDetectorKind::ConsecutiveLocalOriginFailure:
        return m_settings.enforcingConsecutiveLocalOriginFailure;
    case OutlierDetectorKind::SuccessRate:
    case OutlierDetectorKind::LocalOriginSuccessRate:
        return m_settings.successRate ? m_settings.successRate->enforcing : 0;
    case OutlierDetectorKind::FailurePercentage:
        return m_settings.failurePercentage ? m_settings.failurePercentage->enforcing : 0;
    }
    return 0;
}

} // namespace mesh::policy
