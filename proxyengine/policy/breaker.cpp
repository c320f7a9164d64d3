#include "proxyengine/policy/breaker.h"

#include "proxyengine/base/assert.h"
#include "proxyengine/policy/reason_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mesh::policy {

namespace {

constexpr std::uint64_t kMillion = 1'000'000;

std::uint64_t toMillionths(double ratio)
{
    return static_cast<std::uint64_t>(std::llround(std::max(ratio, 0.0) * 1e6));
}

bool isReached(std::uint64_t part, std::uint64_t all, std::uint64_t ratio)
{
    return part * kMillion >= ratio * all;
}

} // namespace

std::string_view toText(BreakerState state)
{
    switch (state) {
    case BreakerState::Closed:
        return "closed";
    case BreakerState::Open:
        return "open";
    case BreakerState::HalfOpen:
        return "half_open";
    case BreakerState::Ramping:
        return "ramping";
    }
    return "";
}

BreakerGate::BreakerGate(
    BreakerState state, std::uint32_t round, std::uint32_t share, std::uint32_t probesLeft
)
    : m_word(
        static_cast<std::uint64_t>(state) | std::uint64_t{share} << 2U
        | std::uint64_t{probesLeft} << 16U | std::uint64_t{round} << 32U
    )
{
    MESH_ASSERT(share <= kWholeShare);
    MESH_ASSERT(probesLeft <= kProbesMax);
}

BreakerAdmission admitThrough(BreakerGate gate, Random& random)
{
    switch (gate.state()) {
    case BreakerState::Closed:
        return {BreakerVerdict::Admit, gate};
    case BreakerState::Open:
        return {BreakerVerdict::Reject, gate};
    case BreakerState::HalfOpen:
        if (gate.probesLeft() == 0) {
            return {BreakerVerdict::Reject, gate};
        }
        return {
            BreakerVerdict::AdmitAsProbe,
            BreakerGate(BreakerState::HalfOpen, gate.round(), gate.share(), gate.probesLeft() - 1)};
    case BreakerState::Ramping:
        break;
    }
    const bool isAdmitted = random.below(BreakerGate::kWholeShare) < gate.share();
    return {isAdmitted ? BreakerVerdict::Admit : BreakerVerdict::Reject, gate};
}

BreakerGate returnProbe(BreakerGate gate, std::uint32_t round)
{
    if (gate.state() != BreakerState::HalfOpen || gate.round() != round
        || gate.probesLeft() == BreakerGate::kProbesMax) {
        return gate;
    }
    return {BreakerState::HalfOpen, round, gate.share(), gate.probesLeft() + 1};
}

BreakerMachine::BreakerMachine(const model::Breaker& settings, TimePoint now)
    : m_since(now)
{
    m_settings.errorRatio = toMillionths(settings.errorRatio);
    if (settings.slowRatio) {
        m_settings.slowRatio = toMillionths(*settings.slowRatio);
    }
    m_settings.slow = settings.slow;
    m_settings.minRequests = static_cast<std::uint64_t>(std::max(settings.minRequests, 1));
    m_settings.window = settings.window;
    m_settings.bucket =
        std::max(settings.window / static_cast<Duration::rep>(kBuckets), Duration(1));
    m_settings.open = settings.open;
    m_settings.probes = static_cast<std::uint32_t>(
        std::clamp(settings.probes, 1, static_cast<int>(BreakerGate::kProbesMax))
    );
    m_settings.ramp = settings.ramp;
    startWindow(now);
}

BreakerStep BreakerMachine::observe(TimePoint now, std::uint32_t round, const BreakerCounts& counts)
{
    if (round != m_round || counts.succeeded + counts.failed == 0) {
        return {};
    }
    switch (m_state) {
    case BreakerState::Open:
        return {};
    case BreakerState::HalfOpen:
        return judgeProbes(now, counts);
    case BreakerState::Closed:
    case BreakerState::Ramping:
        break;
    }
    count(now, counts);
    const Cause cause = judge();
    if (cause == Cause::None) {
        return {};
    }
    m_cause = cause;
    m_causeSums = m_sums;
    return enter(now, BreakerState::Open);
}

BreakerStep BreakerMachine::advance(TimePoint now)
{
    if (now < m_nextChangeAt) {
        return {};
    }
    if (m_state == BreakerState::Open) {
        return enter(now, BreakerState::HalfOpen);
    }
    // Ramping. The step follows from the time since the ramp began, however late we are called.
    if (now - m_since >= m_settings.ramp) {
        return enter(now, BreakerState::Closed);
    }
    const Duration stepLength = m_settings.ramp / kRampSteps;
    m_rampStep =
        stepLength <= Duration::zero()
            ? kRampSteps - 1
            : static_cast<int>(std::min<Duration::rep>((now - m_since) / stepLength, kRampSteps - 1)
            );
    m_nextChangeAt = m_rampStep == kRampSteps - 1 ? m_since + m_settings.ramp
                                                  : m_since + stepLength * (m_rampStep + 1);
    m_gate = BreakerGate(
        BreakerState::Ramping,
        m_round,
        BreakerGate::kWholeShare / kRampSteps * static_cast<std::uint32_t>(m_rampStep + 1),
        0
    );
    return {m_gate, std::nullopt};
}

BreakerStep BreakerMachine::judgeProbes(TimePoint now, const BreakerCounts& counts)
{
    if (counts.failed > 0 || (m_settings.slowRatio && counts.slow > 0)) {
        m_cause = counts.failed > 0 ? Cause::FailedProbe : Cause::SlowProbe;
        return enter(now, BreakerState::Open);
    }
    m_probesSucceeded += counts.succeeded;
    if (m_probesSucceeded < m_settings.probes) {
        return {};
    }
    return enter(
        now, m_settings.ramp > Duration::zero() ? BreakerState::Ramping : BreakerState::Closed
    );
}

BreakerStep BreakerMachine::enter(TimePoint now, BreakerState state)
{
    m_state = state;
    m_since = now;
    switch (state) {
    case BreakerState::Closed:
        // What the ramp has seen stays in the window, unless there was none.
        if (m_settings.ramp <= Duration::zero()) {
            startWindow(now);
        }
        m_cause = Cause::None;
        m_nextChangeAt = TimePoint::max();
        m_gate = BreakerGate(state, m_round, BreakerGate::kWholeShare, 0);
        break;
    case BreakerState::Open:
        ++m_round;
        m_nextChangeAt = now + m_settings.open;
        m_gate = BreakerGate(state, m_round, 0, 0);
        break;
    case BreakerState::HalfOpen:
        m_probesSucceeded = 0;
        m_nextChangeAt = TimePoint::max();
        m_gate = BreakerGate(state, m_round, 0, m_settings.probes);
        break;
    case BreakerState::Ramping:
        startWindow(now);
        m_nextChangeAt = now;
        advance(now);
        break;
    }
    return {m_gate, state};
}

void BreakerMachine::count(TimePoint now, const BreakerCounts& counts)
{
    forgetUntil(now);
    Bucket& bucket = m_buckets[m_bucketAt];
    bucket.all += counts.succeeded + counts.failed;
    bucket.failed += counts.failed;
    bucket.slow += counts.slow;
    m_sums.all += std::uint64_t{counts.succeeded} + counts.failed;
    m_sums.failed += counts.failed;
    m_sums.slow += counts.slow;
}

// Closes the buckets that have ended; those that fall out of the window are taken from the sums.
void BreakerMachine::forgetUntil(TimePoint now)
{
    if (now < m_bucketEnd) {
        return;
    }
    const auto ended = (now - m_bucketEnd) / m_settings.bucket + 1;
    if (ended >= static_cast<Duration::rep>(kBuckets)) {
        m_buckets.fill({});
        m_sums = {};
    } else {
        for (Duration::rep i = 0; i < ended; ++i) {
            m_bucketAt = (m_bucketAt + 1) % kBuckets;
            Bucket& oldest = m_buckets[m_bucketAt];
            m_sums.all -= oldest.all;
            m_sums.failed -= oldest.failed;
            m_sums.slow -= oldest.slow;
            oldest = {};
        }
    }
    m_bucketEnd += m_settings.bucket * ended;
}

void BreakerMachine::startWindow(TimePoint now)
{
    m_buckets.fill({});
    m_sums = {};
    m_bucketAt = 0;
    m_bucketEnd = now + m_settings.bucket;
}

BreakerMachine::Cause BreakerMachine::judge() const
{
    if (m_sums.all < m_settings.minRequests) {
        return Cause::None;
    }
    if (m_sums.failed > 0 && isReached(m_sums.failed, m_sums.all, m_settings.errorRatio)) {
        return Cause::Errors;
    }
    if (m_settings.slowRatio && m_sums.slow > 0
        && isReached(m_sums.slow, m_sums.all, *m_settings.slowRatio)) {
        return Cause::Slowness;
    }
    return Cause::None;
}

std::string BreakerMachine::causeText() const
{
    switch (m_cause) {
    case Cause::Errors:
        return fmt::format(
            "{} of {} failed in {}",
            m_causeSums.failed,
            toCountText(m_causeSums.all, "request"),
            toSpanText(m_settings.window)
        );
    case Cause::Slowness:
        return fmt::format(
            "{} of {} took longer than {} in {}",
            m_causeSums.slow,
            toCountText(m_causeSums.all, "request"),
            toSpanText(m_settings.slow),
            toSpanText(m_settings.window)
        );
    case Cause::FailedProbe:
        return "a probe failed";
    case Cause::SlowProbe:
        return fmt::format("a probe took longer than {}", toSpanText(m_settings.slow));
    case Cause::None:
        break;
    }
    return {};
}

std::string BreakerMachine::reason(TimePoint now) const
{
    switch (m_state) {
    case BreakerState::Closed:
        break;
    case BreakerState::Open:
        return now < m_nextChangeAt
                   ? fmt::format("{}; probes in {}", causeText(), toSpanText(m_nextChangeAt - now))
                   : fmt::format("{}; probes now", causeText());
    case BreakerState::HalfOpen:
        return fmt::format(
            "{}; {} of {} succeeded",
            causeText(),
            m_probesSucceeded,
            toCountText(m_settings.probes, "probe")
        );
    case BreakerState::Ramping:
        return fmt::format("recovering: {} % of requests admitted", m_gate.share() / 100);
    }
    return {};
}

BreakerAdmission CircuitBreaker::admit(TimePoint now, Random& random)
{
    take(m_machine.advance(now));
    const BreakerAdmission admission = admitThrough(m_gate, random);
    m_gate = admission.gate;
    return admission;
}

std::optional<BreakerState> CircuitBreaker::onOutcome(
    TimePoint now, std::uint32_t round, BreakerOutcome outcome, Duration latency
)
{
    const bool isFailed = outcome == BreakerOutcome::Failed;
    const bool isSlow = latency > m_machine.slowLimit();
    const BreakerCounts counts{isFailed ? 0U : 1U, isFailed ? 1U : 0U, isSlow ? 1U : 0U};
    return take(m_machine.observe(now, round, counts));
}

std::optional<BreakerState> CircuitBreaker::advance(TimePoint now)
{
    return take(m_machine.advance(now));
}

std::optional<BreakerState> CircuitBreaker::take(const BreakerStep& step)
{
    if (step.gate) {
        m_gate = *step.gate;
    }
    return step.entered;
}

} // namespace mesh::policy
