#include "proxyengine/policy/outlier.h"

#include "tests/support/seeded_run.h"

#include <QTest>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

// Goal: for any settings and any events, ejection keeps its bounds: never too many, never too
//       long, never without cause, and never nobody when somebody is due.
// Method: random events against a reference that keeps the outcomes themselves instead of
//         counters. Each property must catch a detector that is wrong in just that way.
namespace mesh::policy {

using namespace std::chrono_literals;
using test::Mutant;
using test::Violation;

class OutlierProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void holds();
    void catchesWrongDetectors_data();
    void catchesWrongDetectors();
};

namespace {

constexpr std::uint64_t kRuns = 300;
constexpr int kStepsPerRun = 1000; // 300 000 in all.

// A detector that does what is asked; mutants differ in one function.
class Faithful
{
public:
    Faithful(const model::OutlierDetection& settings, std::size_t hosts, TimePoint now)
        : m_detector(settings, hosts, now)
    {}

    std::optional<OutlierVerdict> observe(
        TimePoint now, std::size_t host, const OutlierOutcome& outcome, Random& random
    )
    {
        return m_detector.observe(now, host, outcome, random);
    }
    void observeSuccesses(std::size_t host, std::uint32_t count)
    {
        m_detector.observeSuccesses(host, count);
    }
    std::vector<OutlierVerdict> sweep(TimePoint now, Random& random)
    {
        return m_detector.sweep(now, random);
    }
    std::vector<OutlierVerdict> adopt(
        TimePoint now, const Faithful& previous, std::span<const std::size_t> previousOf
    )
    {
        return m_detector.adopt(now, previous.m_detector, previousOf);
    }
    OutlierDetector& inner() { return m_detector; }

private:
    OutlierDetector m_detector;
};

// Believes that 30 % more may be ejected.
struct TooMany : Faithful
{
    TooMany(model::OutlierDetection settings, std::size_t hosts, TimePoint now)
        : Faithful(
            [&] {
                settings.maxEjectionPercent += 30;
                return settings;
            }(),
            hosts,
            now
        )
    {}
};

// Ejects for three times as long.
struct TooLong : Faithful
{
    TooLong(model::OutlierDetection settings, std::size_t hosts, TimePoint now)
        : Faithful(
            [&] {
                settings.baseEjection *= 3;
                settings.maxEjection *= 3;
                return settings;
            }(),
            hosts,
            now
        )
    {}
};

// Does not let single successes forgive.
struct NoCause : Faithful
{
    using Faithful::Faithful;
    std::optional<OutlierVerdict> observe(
        TimePoint now, std::size_t host, const OutlierOutcome& outcome, Random& random
    )
    {
        return outcome.kind == OutlierOutcome::Kind::Success
                   ? std::nullopt
                   : Faithful::observe(now, host, outcome, random);
    }
};

// Judges rates by half of the volume.
struct NoVolume : Faithful
{
    NoVolume(model::OutlierDetection settings, std::size_t hosts, TimePoint now)
        : Faithful(
            [&] {
                if (settings.failurePercentage) {
                    settings.failurePercentage->requestVolume /= 2;
                }
                if (settings.successRate) {
                    settings.successRate->requestVolume /= 2;
                }
                return settings;
            }(),
            hosts,
            now
        )
    {}
};

// Needs one failure more than it should, so that somebody who is due stays.
struct TooLate : Faithful
{
    TooLate(model::OutlierDetection settings, std::size_t hosts, TimePoint now)
        : Faithful(
            [&] {
                settings.consecutive5xx += settings.consecutive5xx > 0 ? 1 : 0;
                return settings;
            }(),
            hosts,
            now
        )
    {}
};

model::OutlierDetection randomSettings(Random& random)
{
    model::OutlierDetection settings;
    settings.consecutive5xx = static_cast<int>(random.below(7));
    settings.consecutiveGatewayFailure = static_cast<int>(random.below(5));
    settings.enforcingConsecutiveGatewayFailure = random.chance(0.5) ? 100 : 30;
    settings.consecutiveLocalOriginFailure = static_cast<int>(random.below(5));
    settings.splitLocalOrigin = random.chance(0.3);
    settings.interval = std::chrono::milliseconds(500 + random.below(10'000));
    settings.baseEjection = std::chrono::milliseconds(500 + random.below(20'000));
    settings.maxEjection = std::chrono::milliseconds(500 + random.below(60'000));
    settings.ejectionJitter = std::chrono::milliseconds(random.below(3) * random.below(5000));
    constexpr std::array<double, 6> kPercents = {0, 10, 28, 33.3, 50, 100};
    settings.maxEjectionPercent = kPercents[random.below(kPercents.size())];
    if (random.chance(0.5)) {
        settings.successRate = model::OutlierDetection::SuccessRate();
        settings.successRate->requestVolume = static_cast<int>(2 + random.below(10));
        settings.successRate->minimumHosts = static_cast<int>(1 + random.below(5));
        settings.successRate->stdevFactor = 0.5 + random.unit();
    }
    if (random.chance(0.5)) {
        settings.failurePercentage = model::OutlierDetection::FailurePercentage();
        settings.failurePercentage->requestVolume = static_cast<int>(2 + random.below(10));
        settings.failurePercentage->minimumHosts = static_cast<int>(1 + random.below(5));
        settings.failurePercentage->threshold = static_cast<double>(20 + random.below(80));
    }
    return settings;
}

// What is known of a host from outside.
struct Seen
{
    std::vector<OutlierOutcome> outcomes; // The newest last.
    std::size_t sinceSweep = 0; // How many of them came after the last sweep,
    std::size_t sinceReturn = 0; // and after the last return.
    std::optional<TimePoint> ejectedAt;
};

bool isLocal(const OutlierOutcome& outcome)
{
    return outcome.kind == OutlierOutcome::Kind::ConnectFailure
           || outcome.kind == OutlierOutcome::Kind::Timeout;
}

// How many of the newest outcomes in a row fulfil `isCounted`; those of `isSkipped` are not looked
// at.
template <typename Counted, typename Skipped>
int tailLength(const Seen& seen, Counted isCounted, Skipped isSkipped)
{
    int length = 0;
    for (std::size_t back = 1; back <= seen.sinceReturn; ++back) {
        const OutlierOutcome& outcome = seen.outcomes[seen.outcomes.size() - back];
        if (isSkipped(outcome)) {
            continue;
        }
        if (!isCounted(outcome)) {
            break;
        }
        ++length;
    }
    return length;
}

template <typename Detector>
class Run
{
public:
    explicit Run(Seed seed)
        : m_random(seed)
        , m_policyRandom(deriveSeed(seed, 1))
        , m_settings(randomSettings(m_random))
        , m_hosts(1 + m_random.below(25))
        , m_detector(m_settings, m_hosts.size(), m_now)
    {}

    Violation run()
    {
        for (int step = 0; step < kStepsPerRun && m_violation.empty(); ++step) {
            advanceTime();
            const double kind = m_random.unit();
            if (kind < 0.94) {
                observe();
            } else if (kind < 0.98) {
                succeed();
            } else if (kind < 0.99) {
                healByOthers();
            } else if (kind < 0.993) {
                changeTargets();
            }
            check();
        }
        return m_violation;
    }

private:
    void fail(std::string text)
    {
        if (m_violation.empty()) {
            m_violation = std::move(text);
        }
    }

    void advanceTime()
    {
        m_now += std::chrono::milliseconds(m_random.below(200));
        while (m_detector.inner().nextSweepAt() <= m_now && m_violation.empty()) {
            const TimePoint at = m_detector.inner().nextSweepAt();
            for (const OutlierVerdict& verdict : m_detector.sweep(at, m_policyRandom)) {
                take(at, verdict);
            }
            for (Seen& seen : m_hosts) {
                seen.sinceSweep = 0;
            }
        }
    }

    void note(std::size_t host, const OutlierOutcome& outcome)
    {
        m_hosts[host].outcomes.push_back(outcome);
        ++m_hosts[host].sinceSweep;
        ++m_hosts[host].sinceReturn;
    }

    // Hosts differ: the first fail often.
    OutlierOutcome randomOutcome(std::size_t host)
    {
        using Kind = OutlierOutcome::Kind;
        const double failing = host % 3 == 0 ? 0.85 : 0.15;
        if (!m_random.chance(failing)) {
            return {};
        }
        constexpr std::array<OutlierOutcome, 5> kFailures = {
            OutlierOutcome{Kind::Answer5xx, 500},
            OutlierOutcome{Kind::Answer5xx, 503},
            OutlierOutcome{Kind::Answer5xx, 502},
            OutlierOutcome{Kind::ConnectFailure, 0},
            OutlierOutcome{Kind::Timeout, 0}};
        return kFailures[m_random.below(kFailures.size())];
    }

    void observe()
    {
        const std::size_t host = m_random.below(m_hosts.size());
        const bool wasEjected = m_hosts[host].ejectedAt.has_value();
        const OutlierOutcome outcome = randomOutcome(host);
        note(host, outcome);
        const auto verdict = m_detector.observe(m_now, host, outcome, m_policyRandom);
        if (verdict) {
            take(m_now, *verdict);
        }
        // Nobody ejected, two hosts or more, always enforced: what is due happens.
        const bool isCounted = outcome.kind != OutlierOutcome::Kind::Success
                               && !(m_settings.splitLocalOrigin && isLocal(outcome));
        if (isCounted && !wasEjected && m_hosts.size() >= 2 && ejectedCount() == 0
            && m_settings.consecutive5xx > 0 && tail5xx(host) == m_settings.consecutive5xx) {
            fail(fmt::format("host {} was due and nobody is ejected", host));
        }
    }

    void succeed()
    {
        const std::size_t host = m_random.below(m_hosts.size());
        const auto count = static_cast<std::uint32_t>(m_random.below(4));
        for (std::uint32_t i = 0; i < count; ++i) {
            note(host, {});
        }
        m_detector.observeSuccesses(host, count);
    }

    void healByOthers()
    {
        const std::size_t host = m_random.below(m_hosts.size());
        const auto verdict = m_random.chance(0.5) ? m_detector.inner().onActiveSuccess(host)
                                                  : m_detector.inner().onOperatorHealthy(host);
        if (verdict) {
            take(m_now, *verdict);
        }
    }

    void changeTargets()
    {
        std::vector<std::size_t> previousOf(m_hosts.size());
        std::iota(previousOf.begin(), previousOf.end(), std::size_t{0});
        for (std::size_t i = previousOf.size(); i > 1; --i) {
            std::swap(previousOf[i - 1], previousOf[m_random.below(i)]);
        }
        previousOf.resize(1 + m_random.below(previousOf.size()));
        const std::size_t added = m_random.below(12);
        previousOf.insert(previousOf.end(), added, OutlierDetector::kNoHost);

        std::vector<Seen> hosts;
        for (const std::size_t previous : previousOf) {
            hosts.push_back(previous == OutlierDetector::kNoHost ? Seen() : m_hosts[previous]);
        }
        Detector next(m_settings, previousOf.size(), m_now);
        const auto verdicts = next.adopt(m_now, m_detector, previousOf);
        m_hosts = std::move(hosts);
        m_detector = std::move(next);
        for (const OutlierVerdict& verdict : verdicts) {
            take(m_now, verdict);
        }
    }

    void take(TimePoint at, const OutlierVerdict& verdict)
    {
        Seen& seen = m_hosts[verdict.host];
        switch (verdict.kind) {
        case OutlierVerdict::Kind::Ejected:
            if (seen.ejectedAt) {
                fail(fmt::format("host {} was ejected twice", verdict.host));
            }
            checkCause(verdict);
            seen.ejectedAt = at;
            break;
        case OutlierVerdict::Kind::Returned:
            if (!seen.ejectedAt) {
                fail(fmt::format("host {} returned without being ejected", verdict.host));
            }
            seen.ejectedAt.reset();
            seen.sinceReturn = 0;
            break;
        case OutlierVerdict::Kind::Suppressed:
            checkCause(verdict);
            if (ejectedCount() < allowed()) {
                fail(fmt::format("suppressed although {} are allowed", allowed()));
            }
            break;
        }
    }

    int tail5xx(std::size_t host) const
    {
        return tailLength(
            m_hosts[host],
            [](const OutlierOutcome& o) { return o.kind != OutlierOutcome::Kind::Success; },
            [this](const OutlierOutcome& o) { return m_settings.splitLocalOrigin && isLocal(o); }
        );
    }

    int tailGateway(std::size_t host) const
    {
        return tailLength(
            m_hosts[host],
            [](const OutlierOutcome& o) {
                return isLocal(o) || o.status == 502 || o.status == 503;
            },
            [this](const OutlierOutcome& o) { return m_settings.splitLocalOrigin && isLocal(o); }
        );
    }

    // Whether the outcomes that were really seen bear the verdict out.
    void checkCause(const OutlierVerdict& verdict)
    {
        const std::size_t host = verdict.host;
        bool isBorneOut = false;
        switch (verdict.detector) {
        case OutlierDetectorKind::Consecutive5xx:
            isBorneOut =
                m_settings.consecutive5xx > 0 && tail5xx(host) >= m_settings.consecutive5xx;
            break;
        case OutlierDetectorKind::ConsecutiveGatewayFailure:
            isBorneOut = m_settings.consecutiveGatewayFailure > 0
                         && tailGateway(host) >= m_settings.consecutiveGatewayFailure;
            break;
        case OutlierDetectorKind::ConsecutiveLocalOriginFailure:
            isBorneOut = m_settings.splitLocalOrigin && m_settings.consecutiveLocalOriginFailure > 0
                         && tailLength(m_hosts[host], isLocal, [](const OutlierOutcome&) {
                                return false;
                            }) >= m_settings.consecutiveLocalOriginFailure;
            break;
        case OutlierDetectorKind::SuccessRate:
            isBorneOut = m_settings.successRate && isWorse(host, IsLocalJudged::No);
            break;
        case OutlierDetectorKind::LocalOriginSuccessRate:
            isBorneOut = m_settings.successRate && m_settings.splitLocalOrigin
                         && isWorse(host, IsLocalJudged::Yes);
            break;
        case OutlierDetectorKind::FailurePercentage:
            isBorneOut = m_settings.failurePercentage && isFailing(host);
            break;
        }
        if (!isBorneOut) {
            fail(fmt::format("host {}: no cause for {}", host, verdict.reason));
        }
    }

    struct Share
    {
        int all = 0;
        int failed = 0;
    };
    enum class IsLocalJudged : bool { No, Yes };

    // Of the outcomes since the last sweep.
    Share shareOf(std::size_t host, IsLocalJudged judged) const
    {
        const Seen& seen = m_hosts[host];
        Share share;
        for (std::size_t i = seen.outcomes.size() - seen.sinceSweep; i < seen.outcomes.size();
             ++i) {
            const OutlierOutcome& outcome = seen.outcomes[i];
            if (judged == IsLocalJudged::Yes) {
                ++share.all;
                share.failed += isLocal(outcome) ? 1 : 0;
            } else if (!m_settings.splitLocalOrigin || !isLocal(outcome)) {
                ++share.all;
                share.failed += outcome.kind != OutlierOutcome::Kind::Success ? 1 : 0;
            }
        }
        return share;
    }

    // Enough requests, enough hosts with enough requests, and worse than their mean.
    bool isWorse(std::size_t host, IsLocalJudged judged) const
    {
        int hosts = 0;
        double sum = 0;
        for (std::size_t other = 0; other < m_hosts.size(); ++other) {
            const Share share = shareOf(other, judged);
            if (share.all >= m_settings.successRate->requestVolume) {
                ++hosts;
                sum += static_cast<double>(share.all - share.failed) / share.all;
            }
        }
        const Share share = shareOf(host, judged);
        // The mean is over hosts that were in use; with ejected ones it can only be said that
        // somebody did better.
        const bool isBelow =
            ejectedCount() > 0
                ? share.failed > 0
                : static_cast<double>(share.all - share.failed) / share.all < sum / hosts;
        return share.all >= m_settings.successRate->requestVolume
               && hosts >= m_settings.successRate->minimumHosts && isBelow;
    }

    bool isFailing(std::size_t host) const
    {
        const auto& settings = *m_settings.failurePercentage;
        int hosts = 0;
        for (std::size_t other = 0; other < m_hosts.size(); ++other) {
            hosts += shareOf(other, IsLocalJudged::No).all >= settings.requestVolume ? 1 : 0;
        }
        const Share share = shareOf(host, IsLocalJudged::No);
        return share.all >= settings.requestVolume && hosts >= settings.minimumHosts
               && 100.0 * share.failed / share.all >= settings.threshold;
    }

    std::size_t ejectedCount() const
    {
        return static_cast<std::size_t>(std::ranges::count_if(m_hosts, [](const Seen& seen) {
            return seen.ejectedAt.has_value();
        }));
    }

    std::size_t allowed() const
    {
        // In thousandths, so that this reference is exact.
        const auto permille =
            static_cast<std::size_t>(std::llround(m_settings.maxEjectionPercent * 10));
        return std::max<std::size_t>(m_hosts.size() * permille / 1000, m_hosts.size() >= 2 ? 1 : 0);
    }

    void check()
    {
        if (ejectedCount() > allowed()) {
            fail(fmt::format(
                "{} of {} ejected, allowed {}", ejectedCount(), m_hosts.size(), allowed()
            ));
        }
        const Duration bound = std::max(m_settings.baseEjection, m_settings.maxEjection)
                               + m_settings.ejectionJitter + m_settings.interval;
        for (std::size_t host = 0; host < m_hosts.size(); ++host) {
            const auto& ejectedAt = m_hosts[host].ejectedAt;
            if (ejectedAt && m_now - *ejectedAt > bound + 200ms) {
                fail(fmt::format("host {} does not return", host));
            }
            if (m_detector.inner().isEjected(host)
                && m_detector.inner().reason(m_now, host).empty()) {
                fail(fmt::format("host {} is ejected without a reason", host));
            }
        }
    }

    Random m_random;
    Random m_policyRandom;
    model::OutlierDetection m_settings;
    TimePoint m_now{};
    std::vector<Seen> m_hosts;
    Detector m_detector;
    Violation m_violation;
};

template <typename Detector>
Violation checkAll(Seed first)
{
    return test::runSeeds(first, kRuns, [](Seed seed) { return Run<Detector>(seed).run(); });
}

constexpr std::array<Mutant, 5> kMutants = {
    Mutant{"too many ejected", "allowed", checkAll<TooMany>},
    Mutant{"ejected for too long", "does not return", checkAll<TooLong>},
    Mutant{"ejected without cause", "no cause", checkAll<NoCause>},
    Mutant{"rates without volume", "no cause", checkAll<NoVolume>},
    Mutant{"one failure too late", "was due", checkAll<TooLate>}};

} // namespace

void OutlierProperty::holds()
{
    const Violation violation = checkAll<Faithful>(test::firstSeed());
    QVERIFY2(violation.empty(), violation.c_str());
}

void OutlierProperty::catchesWrongDetectors_data() { test::addRows(kMutants); }

void OutlierProperty::catchesWrongDetectors()
{
    QFETCH(const int, mutant);
    test::expectCaught(kMutants[static_cast<std::size_t>(mutant)]);
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::OutlierProperty)
#include "outlier_property.moc"
