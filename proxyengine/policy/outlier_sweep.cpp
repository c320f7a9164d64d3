#include "proxyengine/policy/outlier.h"

#include <algorithm>
#include <cmath>
#include <utility>

// What ejection judges between two sweeps.
namespace mesh::policy {

namespace {

// Shares are whole thousandths of a percent, and what is made of them is integers: every build
// decides alike, and equal hosts do not differ by rounding.
constexpr std::uint64_t kWholeShare = 100'000;

__extension__ using Wide = unsigned __int128;

std::uint64_t toThousandths(double number)
{
    return static_cast<std::uint64_t>(std::llround(std::max(number, 0.0) * 1000));
}

std::uint64_t shareOf(std::uint64_t part, std::uint64_t all) { return part * kWholeShare / all; }

double toPercent(std::uint64_t share) { return static_cast<double>(share) / 1000; }

} // namespace

std::vector<OutlierVerdict> OutlierDetector::sweep(TimePoint now, Random& random)
{
    std::vector<OutlierVerdict> verdicts;
    m_nextSweepAt = now + m_settings.interval;
    sweepSuccessRate(now, &Host::active, OutlierDetectorKind::SuccessRate, random, verdicts);
    if (m_settings.splitLocalOrigin) {
        sweepSuccessRate(
            now, &Host::activeLocal, OutlierDetectorKind::LocalOriginSuccessRate, random, verdicts
        );
    }
    sweepFailurePercentage(now, random, verdicts);
    for (Host& host : m_hosts) {
        host.active = {};
        host.activeLocal = {};
    }
    releaseAndForgive(now, verdicts);
    forgetSuppressions();
    return verdicts;
}

void OutlierDetector::sweepSuccessRate(
    TimePoint now,
    Bucket Host::*bucket,
    OutlierDetectorKind kind,
    Random& random,
    std::vector<OutlierVerdict>& verdicts
)
{
    if (!m_settings.successRate) {
        return;
    }
    const auto volumeMin =
        static_cast<std::uint64_t>(std::max(m_settings.successRate->requestVolume, 1));
    const auto isJudged = [&](std::size_t host) {
        return !isEjected(host) && (m_hosts[host].*bucket).all >= volumeMin;
    };
    const auto rateOf = [&](const Host& host) {
        return shareOf((host.*bucket).all - (host.*bucket).failed, (host.*bucket).all);
    };
    std::uint64_t hosts = 0;
    std::uint64_t sum = 0;
    Wide squares = 0;
    for (std::size_t host = 0; host < m_hosts.size(); ++host) {
        if (isJudged(host)) {
            const std::uint64_t rate = rateOf(m_hosts[host]);
            ++hosts;
            sum += rate;
            squares += Wide{rate} * rate;
        }
    }
    if (hosts == 0
        || hosts < static_cast<std::uint64_t>(std::max(m_settings.successRate->minimumHosts, 0))) {
        return;
    }
    // rate < mean - factor * deviation, all times `hosts`, and then squared.
    const std::uint64_t factor = toThousandths(m_settings.successRate->stdevFactor);
    const Wide variance = squares * hosts - Wide{sum} * sum; // Times hosts * hosts.
    const auto isOutlier = [&](std::uint64_t rate) {
        const std::uint64_t below = sum - std::min(rate * hosts, sum);
        return below > 0 && Wide{below} * below * 1'000'000 > Wide{factor} * factor * variance;
    };
    // For the words alone.
    const double deviation = std::sqrt(static_cast<double>(variance)) / static_cast<double>(hosts);
    const double limit = toPercent(sum) / static_cast<double>(hosts)
                         - deviation / 1000 * m_settings.successRate->stdevFactor;
    for (std::size_t host = 0; host < m_hosts.size(); ++host) {
        const Host& row = m_hosts[host];
        if (!isJudged(host) || !isOutlier(rateOf(row))) {
            continue;
        }
        const Evidence evidence{kind, 0, {}, toPercent(rateOf(row)), limit, (row.*bucket).all};
        if (auto verdict = detect(now, host, evidence, random)) {
            verdicts.push_back(std::move(*verdict));
        }
    }
}

void OutlierDetector::sweepFailurePercentage(
    TimePoint now, Random& random, std::vector<OutlierVerdict>& verdicts
)
{
    if (!m_settings.failurePercentage) {
        return;
    }
    const model::OutlierDetection::FailurePercentage& settings = *m_settings.failurePercentage;
    const auto volumeMin = static_cast<std::uint64_t>(std::max(settings.requestVolume, 1));
    const auto isJudged = [&](std::size_t host) {
        return !isEjected(host) && m_hosts[host].active.all >= volumeMin;
    };
    std::int64_t hosts = 0;
    for (std::size_t host = 0; host < m_hosts.size(); ++host) {
        hosts += isJudged(host) ? 1 : 0;
    }
    if (hosts < settings.minimumHosts) {
        return;
    }
    for (std::size_t host = 0; host < m_hosts.size(); ++host) {
        const Bucket& seen = m_hosts[host].active;
        if (!isJudged(host) || seen.failed == 0) {
            continue;
        }
        if (std::uint64_t{seen.failed} * kWholeShare
            < toThousandths(settings.threshold) * seen.all) {
            continue;
        }
        const Evidence evidence{
            OutlierDetectorKind::FailurePercentage,
            0,
            {},
            toPercent(shareOf(seen.failed, seen.all)),
            settings.threshold,
            seen.all};
        if (auto verdict = detect(now, host, evidence, random)) {
            verdicts.push_back(std::move(*verdict));
        }
    }
}

void OutlierDetector::releaseAndForgive(TimePoint now, std::vector<OutlierVerdict>& verdicts)
{
    for (std::size_t host = 0; host < m_hosts.size(); ++host) {
        Host& row = m_hosts[host];
        if (!isEjected(host)) {
            row.multiplier -= row.multiplier > 0 ? 1U : 0U;
        } else if (now >= m_records[host].ejection->until) {
            verdicts.push_back(release(host, "ejection time is over"));
        }
    }
}

void OutlierDetector::forgetSuppressions()
{
    for (Record& record : m_records) {
        if (record.suppression && !std::exchange(record.suppression->isRecent, false)) {
            record.suppression.reset();
        }
    }
}

} // namespace mesh::policy
