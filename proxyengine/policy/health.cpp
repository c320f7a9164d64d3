#include "proxyengine/policy/health.h"

#include <fmt/format.h>

#include <algorithm>

namespace mesh::policy {

namespace {

HealthRules::Statuses toSet(const std::vector<int>& statuses)
{
    HealthRules::Statuses set;
    for (const int status : statuses) {
        if (status >= 0 && static_cast<std::size_t>(status) < set.size()) {
            set.set(static_cast<std::size_t>(status));
        }
    }
    return set;
}

template <typename Healthcheck>
HealthRules::Limits toLimits(const Healthcheck& config)
{
    return {
        toSet(config.healthy.httpStatuses),
        toSet(config.unhealthy.httpStatuses),
        config.healthy.successes,
        config.unhealthy.tcpFailures,
        config.unhealthy.timeouts,
        config.unhealthy.httpFailures};
}

void ignoreStatuses(HealthRules::Limits& limits)
{
    limits.healthyStatuses.set();
    limits.unhealthyStatuses.reset();
    limits.httpFailures = 0;
}

bool hasLimit(const HealthRules::Limits& limits)
{
    return limits.successes > 0 || limits.tcpFailures > 0 || limits.timeouts > 0
           || limits.httpFailures > 0;
}

bool contains(const HealthRules::Statuses& set, int status)
{
    return status >= 0 && static_cast<std::size_t>(status) < set.size()
           && set.test(static_cast<std::size_t>(status));
}

// 0 is an answer that was no HTTP.
bool isFailure(const HealthRules::Limits& limits, int status)
{
    return status == 0 || contains(limits.unhealthyStatuses, status);
}

} // namespace

HealthRules::HealthRules(const model::Healthchecks& config)
    : active(toLimits(config.active))
    , passive(toLimits(config.passive))
    , healthyInterval(config.active.healthy.interval)
    , unhealthyInterval(config.active.unhealthy.interval)
{
    if (config.active.type == model::ProbeType::Tcp) {
        ignoreStatuses(active);
    }
    if (config.passive.type == model::ProbeType::Tcp) {
        ignoreStatuses(passive);
    }
}

bool HealthRules::isAnythingChecked() const
{
    const bool isProbed =
        healthyInterval > Duration::zero() || unhealthyInterval > Duration::zero();
    return (isProbed && hasLimit(active)) || hasLimit(passive);
}

HealthMachine::HealthMachine(const HealthRules& rules, TimePoint now, Random& random)
    : m_rules(&rules)
    , m_since(now)
    , m_probedAt(now)
{
    const Duration interval = probeInterval();
    if (interval > Duration::zero()) {
        m_probedAt -= Duration(
            static_cast<Duration::rep>(random.below(static_cast<std::uint64_t>(interval.count())))
        );
    }
}

bool HealthMachine::observe(TimePoint now, const Observation& observation)
{
    const bool isProbe = observation.check == Check::Active;
    if (isProbe) {
        m_isProbing = false;
    }
    if (m_override != Override::None) {
        return false;
    }

    const bool before = m_isHealthy;
    const HealthRules::Limits& limits = isProbe ? m_rules->active : m_rules->passive;
    switch (observation.kind) {
    case Observation::Kind::ConnectFailure:
        countFailure(observation.check, Counter::TcpFailures, 0, limits.tcpFailures);
        break;
    case Observation::Kind::Timeout:
        countFailure(observation.check, Counter::Timeouts, 0, limits.timeouts);
        break;
    case Observation::Kind::Success:
        countSuccess(limits);
        break;
    case Observation::Kind::NotServing:
        countFailure(observation.check, Counter::NotServing, 0, limits.httpFailures);
        break;
    case Observation::Kind::Status:
        if (contains(limits.healthyStatuses, observation.status)) {
            countSuccess(limits);
        } else if (isFailure(limits, observation.status)) {
            countFailure(
                observation.check, Counter::HttpFailures, observation.status, limits.httpFailures
            );
        }
        break;
    }
    if (m_isHealthy == before) {
        return false;
    }
    m_counters = {};
    m_since = now;
    return true;
}

void HealthMachine::countSuccess(const HealthRules::Limits& limits)
{
    m_counters.tcpFailures = 0;
    m_counters.timeouts = 0;
    m_counters.httpFailures = 0;
    if (!m_isHealthy && limits.successes > 0 && ++m_counters.successes >= limits.successes) {
        m_isHealthy = true;
    }
}

void HealthMachine::countFailure(Check check, Counter counter, int status, int limit)
{
    m_counters.successes = 0;
    if (limit <= 0 || !m_isHealthy) {
        return;
    }
    // What was not serving adds up with other bad answers.
    int& count = counter == Counter::TcpFailures ? m_counters.tcpFailures
                 : counter == Counter::Timeouts  ? m_counters.timeouts
                                                 : m_counters.httpFailures;
    ++count;
    if (count >= limit) {
        m_cause = {check, counter, count, status};
        m_isHealthy = false;
    }
}

bool HealthMachine::setOverride(TimePoint now, Override word)
{
    const bool before = isAvailable();
    m_override = word;
    m_counters = {};
    m_isHealthy = true;
    m_probedAt = now - probeInterval();
    if (isAvailable() == before) {
        return false;
    }
    m_since = now;
    return true;
}

bool HealthMachine::isAvailable() const
{
    return m_override == Override::None ? m_isHealthy : m_override == Override::Healthy;
}

HealthMachine::State HealthMachine::state() const
{
    if (m_override != Override::None) {
        return m_override == Override::Healthy ? State::Healthy : State::Unhealthy;
    }
    if (m_isHealthy) {
        const bool isFailureCounted =
            m_counters.tcpFailures > 0 || m_counters.timeouts > 0 || m_counters.httpFailures > 0;
        return isFailureCounted ? State::MostlyHealthy : State::Healthy;
    }
    return m_counters.successes > 0 ? State::MostlyUnhealthy : State::Unhealthy;
}

std::string HealthMachine::reason() const
{
    if (m_override != Override::None) {
        return "set by an operator";
    }
    if (m_isHealthy) {
        return {};
    }
    const bool isProbe = m_cause.check == Check::Active;
    const char* const tail = m_cause.count > 1 ? " in a row" : "";
    const char* const plural = m_cause.count > 1 ? "s" : "";
    switch (m_cause.counter) {
    case Counter::TcpFailures:
        return isProbe ? fmt::format("{} probe{} could not connect{}", m_cause.count, plural, tail)
                       : fmt::format("{} connection failure{}{}", m_cause.count, plural, tail);
    case Counter::Timeouts:
        return isProbe ? fmt::format("{} probe{} timed out{}", m_cause.count, plural, tail)
                       : fmt::format("{} timeout{}{}", m_cause.count, plural, tail);
    case Counter::NotServing:
        return fmt::format("not serving in {} probe{}{}", m_cause.count, plural, tail);
    case Counter::HttpFailures:
        break;
    }
    const std::string answer = m_cause.status == 0 ? std::string("unreadable answers")
                                                   : fmt::format("HTTP {}", m_cause.status);
    return fmt::format(
        "{} from {} {}{}{}", answer, m_cause.count, isProbe ? "probe" : "request", plural, tail
    );
}

std::optional<TimePoint> HealthMachine::nextProbeAt() const
{
    const Duration interval = probeInterval();
    if (interval <= Duration::zero() || m_isProbing || m_override != Override::None) {
        return std::nullopt;
    }
    return m_probedAt + interval;
}

void HealthMachine::onProbeStarted(TimePoint now)
{
    m_isProbing = true;
    m_probedAt = now;
}

Duration HealthMachine::probeInterval() const
{
    return m_isHealthy ? m_rules->healthyInterval : m_rules->unhealthyInterval;
}

std::string_view toText(HealthMachine::State state)
{
    switch (state) {
    case HealthMachine::State::Healthy:
        return "healthy";
    case HealthMachine::State::MostlyHealthy:
        return "mostly_healthy";
    case HealthMachine::State::MostlyUnhealthy:
        return "mostly_unhealthy";
    case HealthMachine::State::Unhealthy:
        return "unhealthy";
    }
    return "";
}

Availability combine(const HealthMachine& health, std::string_view ejection)
{
    Availability availability{health.isAvailable(), health.reason()};
    if (ejection.empty() || health.overrideWord() != HealthMachine::Override::None) {
        return availability;
    }
    availability.reason = availability.isAvailable
                              ? fmt::format("ejected: {}", ejection)
                              : fmt::format("{}; also ejected: {}", availability.reason, ejection);
    availability.isAvailable = false;
    return availability;
}

} // namespace mesh::policy
