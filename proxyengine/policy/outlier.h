#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/base/time.h"
#include "proxyengine/model/resilience.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::policy {

enum class OutlierDetectorKind : std::uint8_t {
    Consecutive5xx,
    ConsecutiveGatewayFailure,
    ConsecutiveLocalOriginFailure, // Only with split_local_origin.
    SuccessRate,
    LocalOriginSuccessRate, // Only with split_local_origin; settings of SuccessRate.
    FailurePercentage,
};
inline constexpr std::size_t kOutlierDetectorKinds = 6;

[[nodiscard]] std::string_view toText(OutlierDetectorKind kind); // "consecutive_5xx", ...

// How one attempt at a host ended, as ejection sees it.
struct OutlierOutcome
{
    enum class Kind : std::uint8_t {
        Success, // Any answer below 500.
        Answer5xx,
        ConnectFailure, // Local origin: refused, unreachable, reset before the response head.
        Timeout, // Local origin: of any kind.
    };
    Kind kind = Kind::Success;
    int status = 0; // Only with Answer5xx.
};

struct OutlierVerdict
{
    enum class Kind : std::uint8_t { Ejected, Returned, Suppressed };
    Kind kind = Kind::Ejected;
    std::size_t host = 0;
    OutlierDetectorKind detector = OutlierDetectorKind::Consecutive5xx; // Not with Returned.
    TimePoint until{}; // Only with Ejected: the first sweep at or after it returns the host.
    std::string reason; // "5 consecutive 5xx (503); back in 30 s", "ejection time is over", ...
};

// Ejects the hosts of one upstream that do worse than they should, and lets them return.
//
// Consecutive failures act at once, on the answer. Success rate and failure percentage are judged
// by sweep() over what was seen since the previous sweep; there hosts return too, and each sweep
// without ejection makes the next ejection of a host shorter. A host that is ejected again stays
// out longer: min(base_ejection * times, max_ejection) + random(ejection_jitter).
//
// At most floor(hosts * max_ejection_percent / 100) hosts are ejected at once, but one always may
// be when there are two or more. An ejection beyond that is counted and told as Suppressed: once
// per host, and again only after the number of ejected hosts has changed or a whole sweep interval
// went by without cause.
//
// Without split_local_origin, a connect failure counts as a 503 and a timeout as a 504. With it
// they have their own detectors, and answers of any status are their successes.
//
// Hosts are indices, as in HostSet. Time may stand still but never goes back.
// Cost: observe() is a few increments and allocates only for a verdict; a sweep is linear. 32 bytes
//       per host, and more once the first is ejected.
// Source: gRFC A50 and Envoy's outlier detection. Two differences: the enforcing draw is made
//         before the cap is looked at, so that what would not have been enforced is never called
//         suppressed; and the cap counts the host to be ejected (rounded down, not up).
class OutlierDetector
{
public:
    static constexpr std::size_t kNoHost = SIZE_MAX;

    struct Counts
    {
        std::uint64_t detected = 0;
        std::uint64_t enforced = 0;
        std::uint64_t overflow = 0; // Detected, due to be enforced, and suppressed by the cap.
        friend bool operator==(const Counts&, const Counts&) = default;
    };

    struct Ejection
    {
        OutlierDetectorKind detector = OutlierDetectorKind::Consecutive5xx;
        TimePoint since;
        TimePoint until;
    };

    OutlierDetector(const model::OutlierDetection& settings, std::size_t hosts, TimePoint now);

    // Takes over what was known of hosts that stay: previousOf[host] is the host's index in
    // `previous`, or kNoHost. To be called once, before anything is observed. Ejections that the
    // new settings or the new number of hosts do not allow end at once; those that would have
    // ended first are the first to go.
    std::vector<OutlierVerdict> adopt(
        TimePoint now, const OutlierDetector& previous, std::span<const std::size_t> previousOf
    );

    std::optional<OutlierVerdict> observe(
        TimePoint now, std::size_t host, const OutlierOutcome& outcome, Random& random
    );
    // The same as `count` observations of Success in a row.
    void observeSuccesses(std::size_t host, std::uint32_t count);

    // To be called when nextSweepAt() has come.
    std::vector<OutlierVerdict> sweep(TimePoint now, Random& random);
    [[nodiscard]] TimePoint nextSweepAt() const { return m_nextSweepAt; }

    // An active check passed: ends an ejection when configured so.
    std::optional<OutlierVerdict> onActiveSuccess(std::size_t host);
    // An operator calls the host healthy: ends the ejection, and the next is as short as the first.
    std::optional<OutlierVerdict> onOperatorHealthy(std::size_t host);

    // An outcome of this host will come soon: what it will change is fetched from memory.
    void foresee(std::size_t host) const { __builtin_prefetch(&m_hosts[host]); }

    [[nodiscard]] std::size_t size() const { return m_hosts.size(); }
    [[nodiscard]] std::size_t ejectedCount() const { return m_ejected; }
    [[nodiscard]] std::size_t ejectedMax() const { return m_ejectedMax; }
    [[nodiscard]] bool isEjected(std::size_t host) const
    {
        return !m_records.empty() && m_records[host].ejection.has_value();
    }
    [[nodiscard]] const std::optional<Ejection>& ejection(std::size_t host) const
    {
        return recordOf(host).ejection;
    }
    [[nodiscard]] std::uint64_t timesEjected(std::size_t host) const
    {
        return recordOf(host).times;
    }
    // "5 consecutive 5xx (503); back in 12 s"; empty when not ejected.
    [[nodiscard]] std::string reason(TimePoint now, std::size_t host) const;
    // "would be ejected for 5 consecutive 5xx (503), but 1 of 3 is already ejected and
    // max_ejection_percent is 10"; empty when no ejection is held back.
    [[nodiscard]] std::string suppressed(std::size_t host) const;

    [[nodiscard]] const Counts& counts(OutlierDetectorKind kind) const
    {
        return m_counts[static_cast<std::size_t>(kind)];
    }

private:
    // Stays at its largest number when there is more to count.
    struct Bucket
    {
        std::uint32_t all = 0;
        std::uint32_t failed = 0;
    };
    // What a detector saw; enough for the words.
    struct Evidence
    {
        OutlierDetectorKind detector = OutlierDetectorKind::Consecutive5xx;
        int count = 0; // Of the consecutive detectors.
        OutlierOutcome last; // Likewise.
        double rate = 0; // Percent; of the other detectors.
        double limit = 0;
        std::uint64_t volume = 0;
    };
    struct Suppression
    {
        Evidence evidence;
        std::size_t ejected = 0; // Hosts, when it was told.
        bool isRecent = true; // Found since the last sweep.
    };
    // What every outcome changes: two of them to a line of the cache. A mesh in virtual time has
    // hundreds of thousands.
    struct Host
    {
        int consecutive5xx = 0;
        int consecutiveGateway = 0;
        int consecutiveLocal = 0;
        std::uint32_t multiplier = 0;
        Bucket active; // Since the last sweep.
        Bucket activeLocal;
    };
    static_assert(sizeof(Host) == 32);
    // What few hosts ever have.
    struct Record
    {
        std::uint64_t times = 0;
        std::optional<Ejection> ejection;
        Evidence evidence; // Of the ejection.
        std::optional<Suppression> suppression;
    };

    [[nodiscard]] const Record& recordOf(std::size_t host) const
    {
        static const Record kNone;
        return m_records.empty() ? kNone : m_records[host];
    }
    [[nodiscard]] Record& recordToChange(std::size_t host);
    std::optional<OutlierVerdict> onFailure(
        TimePoint now, std::size_t host, const OutlierOutcome& outcome, Random& random
    );
    std::optional<OutlierVerdict> onLocalFailure(
        TimePoint now, std::size_t host, const OutlierOutcome& outcome, Random& random
    );
    std::optional<OutlierVerdict> detect(
        TimePoint now, std::size_t host, const Evidence& evidence, Random& random
    );
    OutlierVerdict eject(TimePoint now, std::size_t host, const Evidence& evidence, Random& random);
    std::optional<OutlierVerdict> suppress(std::size_t host, const Evidence& evidence);
    OutlierVerdict release(std::size_t host, std::string_view reason);
    [[nodiscard]] Duration ejectionMax() const;
    void sweepSuccessRate(
        TimePoint now,
        Bucket Host::*bucket,
        OutlierDetectorKind kind,
        Random& random,
        std::vector<OutlierVerdict>& verdicts
    );
    void sweepFailurePercentage(
        TimePoint now, Random& random, std::vector<OutlierVerdict>& verdicts
    );
    void releaseAndForgive(TimePoint now, std::vector<OutlierVerdict>& verdicts);
    void forgetSuppressions();
    [[nodiscard]] double enforcing(OutlierDetectorKind kind) const;
    [[nodiscard]] static std::string evidenceText(const Evidence& evidence);

    std::vector<Host> m_hosts;
    std::vector<Record> m_records; // By host; empty until the first is needed.
    std::size_t m_ejected = 0;
    std::size_t m_ejectedMax = 0;
    TimePoint m_nextSweepAt;
    model::OutlierDetection m_settings;
    std::array<Counts, kOutlierDetectorKinds> m_counts{};
};

} // namespace mesh::policy
