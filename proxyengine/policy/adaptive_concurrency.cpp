#include "proxyengine/policy/adaptive_concurrency.h"

#include "proxyengine/base/assert.h"
#include "proxyengine/policy/reason_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mesh::policy {

namespace {

struct Bounds
{
    std::uint32_t min;
    std::uint32_t max;
};

Bounds boundsOf(const model::AdaptiveConcurrency& settings)
{
    constexpr int kMost = static_cast<int>(ConcurrencyGate::kLimitMax);
    const int min = std::clamp(settings.minConcurrency, 1, kMost);
    const int max = std::clamp(settings.maxConcurrency, min, kMost);
    return {static_cast<std::uint32_t>(min), static_cast<std::uint32_t>(max)};
}

std::uint64_t floorSqrt(std::uint64_t number)
{
    auto root = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(number)));
    while (root * root > number) {
        --root;
    }
    while ((root + 1) * (root + 1) <= number) {
        ++root;
    }
    return root;
}

} // namespace

ConcurrencyGate::ConcurrencyGate(std::uint32_t inFlight, std::uint32_t limit, std::uint16_t epoch)
    : m_word(inFlight | std::uint64_t{limit} << 24U | std::uint64_t{epoch} << 48U)
{
    MESH_ASSERT(inFlight <= kInFlightMax);
    MESH_ASSERT(limit <= kLimitMax);
}

ConcurrencyAdmission enter(ConcurrencyGate gate)
{
    if (gate.inFlight() >= gate.limit()) {
        return {ConcurrencyVerdict::Reject, gate};
    }
    return {
        ConcurrencyVerdict::Admit,
        ConcurrencyGate(gate.inFlight() + 1, gate.limit(), gate.epoch())};
}

ConcurrencyGate leave(ConcurrencyGate gate)
{
    MESH_ASSERT(gate.inFlight() > 0);
    return {gate.inFlight() - 1, gate.limit(), gate.epoch()};
}

ConcurrencyGate withLimit(ConcurrencyGate gate, std::uint32_t limit, std::uint16_t epoch)
{
    return {gate.inFlight(), limit, epoch};
}

std::uint32_t nextConcurrencyLimit(
    const model::AdaptiveConcurrency& settings,
    Duration smallest,
    Duration sample,
    std::uint32_t limit
)
{
    // In integers, so that every build has the same limits: the gradient in 1/kUnit.
    __extension__ using Wide = unsigned __int128;
    constexpr std::uint64_t kUnit = 100'000;
    const Bounds bounds = boundsOf(settings);
    const auto buffer =
        static_cast<std::uint64_t>(std::llround(std::max(settings.buffer, 0.0) * 1000));
    const auto actual = static_cast<std::uint64_t>(std::max(sample, Duration(1)).count());
    const auto target = static_cast<std::uint64_t>(std::max(smallest, Duration(0)).count());
    const Wide ratio = Wide{target} * (kUnit + buffer) / actual;
    const std::uint64_t gradient =
        ratio > 2 * kUnit ? 2 * kUnit : std::max(static_cast<std::uint64_t>(ratio), kUnit / 2);
    const std::uint64_t scaled = gradient * limit;
    const std::uint64_t next = (scaled + floorSqrt(scaled * kUnit)) / kUnit;
    return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(next, bounds.min, bounds.max));
}

AdaptiveConcurrencyController::AdaptiveConcurrencyController(
    const model::AdaptiveConcurrency& settings, TimePoint now
)
    : m_settings(settings)
    , m_nextUpdateAt(now + settings.updateInterval)
    , m_limit(boundsOf(settings).min)
    , m_limitBefore(m_limit)
{}

void AdaptiveConcurrencyController::record(
    std::uint16_t epoch, Duration roundTrip, std::uint32_t count
)
{
    recordBucket(epoch, LatencyHistogram::indexOf(roundTrip), count);
}

void AdaptiveConcurrencyController::recordBucket(
    std::uint16_t epoch, std::size_t index, std::uint32_t count
)
{
    if (epoch == m_epoch) {
        m_roundTrips.recordBucket(index, count);
    }
}

bool AdaptiveConcurrencyController::advance(TimePoint now, Random& random)
{
    if (now < m_nextUpdateAt) {
        return false;
    }
    m_nextUpdateAt = now + m_settings.updateInterval;
    const std::uint32_t limitBefore = m_limit;
    const std::uint16_t epochBefore = m_epoch;
    if (m_isMeasuring) {
        const auto needed = static_cast<std::uint64_t>(std::max(m_settings.minRttRequests, 1));
        if (m_roundTrips.total() >= needed) {
            endMeasuring(now, random);
        }
    } else if (now >= m_measureAt) {
        startMeasuring();
    } else if (m_roundTrips.total() > 0) {
        follow();
    }
    return m_limit != limitBefore || m_epoch != epochBefore;
}

void AdaptiveConcurrencyController::startMeasuring()
{
    m_isMeasuring = true;
    m_updatesAtMinimum = 0;
    m_limitBefore = m_limit;
    m_limit = boundsOf(m_settings).min;
    ++m_epoch;
    m_roundTrips.clear();
}

void AdaptiveConcurrencyController::endMeasuring(TimePoint now, Random& random)
{
    m_isMeasuring = false;
    m_smallest = m_roundTrips.percentile(50);
    m_sample = m_smallest;
    m_limit = m_limitBefore;
    m_roundTrips.clear();
    const auto jitterMax = static_cast<std::uint64_t>(
        std::max(m_settings.minRttInterval / 100 * kIntervalJitterPercent, Duration(0)).count()
    );
    m_measureAt = now + m_settings.minRttInterval
                  + Duration(static_cast<Duration::rep>(random.below(jitterMax + 1)));
}

void AdaptiveConcurrencyController::follow()
{
    m_sample = m_roundTrips.percentile(50);
    m_roundTrips.clear();
    const std::uint32_t next = nextConcurrencyLimit(m_settings, m_smallest, m_sample, m_limit);
    const bool isStuck = next == m_limit && next == boundsOf(m_settings).min;
    m_updatesAtMinimum = isStuck ? m_updatesAtMinimum + 1 : 0;
    m_limit = next;
    if (m_updatesAtMinimum >= kUpdatesAtMinimumMax) {
        startMeasuring();
    }
}

std::string AdaptiveConcurrencyController::reason() const
{
    if (m_isMeasuring) {
        return fmt::format(
            "limit of {} in flight while the smallest round trip is measured",
            toCountText(m_limit, "request")
        );
    }
    return fmt::format(
        "limit of {} in flight; round trip {}, smallest {}",
        toCountText(m_limit, "request"),
        toSpanText(m_sample),
        toSpanText(m_smallest)
    );
}

AdaptiveConcurrency::AdaptiveConcurrency(const model::AdaptiveConcurrency& settings, TimePoint now)
    : m_controller(settings, now)
    , m_gate(0, m_controller.limit(), m_controller.epoch())
{}

ConcurrencyAdmission AdaptiveConcurrency::enter(TimePoint now, Random& random)
{
    advance(now, random);
    const ConcurrencyAdmission admission = policy::enter(m_gate);
    m_gate = admission.gate;
    return admission;
}

void AdaptiveConcurrency::onDone(
    TimePoint now, std::uint16_t epoch, Duration roundTrip, Random& random
)
{
    advance(now, random);
    m_gate = leave(m_gate);
    m_controller.record(epoch, roundTrip);
}

void AdaptiveConcurrency::advance(TimePoint now, Random& random)
{
    if (m_controller.advance(now, random)) {
        m_gate = withLimit(m_gate, m_controller.limit(), m_controller.epoch());
    }
}

} // namespace mesh::policy
