#pragma once

#include "proxyengine/proxy/health_board.h"
#include "proxyengine/proxy/policy_board.h"
#include "proxyengine/proxy/policy_tally.h"
#include "proxyengine/proxy/runtime.h"
#include "simulator/mesh/outbound.h"
#include "tests/support/lock_step.h"
#include "tests/support/manual_clock.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

// The two drivers of the policies, each as its own callers drive it.
namespace mesh::simulator {

using namespace std::chrono_literals;

static_assert(ProxyBreaker::kDelay == proxy::kReportDelay);

inline constexpr std::uint64_t kPickSeed = 1;
inline constexpr std::uint64_t kHealthSeed = 2;

inline policy::Observation observationOf(const policy::AttemptOutcome& outcome)
{
    using Kind = policy::Observation::Kind;
    if (outcome.kind == policy::AttemptOutcome::Kind::Answer) {
        return {policy::Check::Passive, Kind::Status, outcome.status};
    }
    const bool isTimeout = outcome.kind == policy::AttemptOutcome::Kind::Timeout;
    return {policy::Check::Passive, isTimeout ? Kind::Timeout : Kind::ConnectFailure, 0};
}

// The proxy's own boards, cells and upstream, called as worker and connection call them.
class ProxySide final : public Side
{
public:
    explicit ProxySide(const CalleePlan& callee)
        : m_callee(callee)
        , m_loop(*net::EventLoop::make(m_clock))
        , m_begin(m_clock.now())
        , m_ledger(*m_loop, [](const std::string&, const std::string&, const std::string&) {})
        , m_policies(*m_loop, Seed{3}, m_ledger)
        , m_tally(*m_loop, [this](const proxy::PolicyReport& report) { m_policies.take(report); })
        , m_cells(proxy::makePolicyCells(*callee.snapshot, nullptr, Seed{4}))
        , m_picks(Seed{kPickSeed})
        , m_upstream(*callee.upstream, callee.snapshot->zone, nullptr, m_begin, m_picks)
    {
        m_loop->runTurn(Duration::zero());
        m_policies.apply(m_cells);
        auto health = proxy::HealthBoard::make(
            *m_loop,
            Seed{kHealthSeed},
            m_ledger,
            [this](const telemetry::TargetHealth& target) { onHealth(target); }
        );
        m_health = std::move(*health);
        m_health->apply(*callee.snapshot);
    }

    void advance(Duration to) override
    {
        const TimePoint end = m_begin + to;
        for (;;) {
            const TimePoint next = std::min(m_loop->timers().next(), m_nextSecond);
            if (next > end) {
                break;
            }
            turnAt(next);
            if (next == m_nextSecond) {
                reportSuccesses();
                m_nextSecond += 1s;
            }
        }
        turnAt(end);
    }

    std::optional<std::uint32_t> admit() override
    {
        const auto& cell = m_cells->breakers[*m_callee.resilience->breaker];
        policy::BreakerAdmission admission;
        policy::step(cell->gate, [&](std::uint64_t& word) {
            admission = policy::admitThrough(policy::BreakerGate::fromWord(word), m_picks);
            const bool isChanged = admission.gate.word() != word;
            word = admission.gate.word();
            return isChanged;
        });
        say(admission.isAdmitted() ? "admitted" : "refused by the breaker");
        if (!admission.isAdmitted()) {
            return std::nullopt;
        }
        policy::step(retryCell().budget, [](std::uint64_t& word) {
            policy::beginRequest(word);
            return true;
        });
        return admission.round();
    }

    std::optional<std::uint32_t> pick(const policy::TriedHosts& tried) override
    {
        if (!m_upstream.hosts.isUsable(m_upstream.plan.healthchecks.threshold)) {
            say("nobody is usable");
            return std::nullopt;
        }
        const policy::PickRequest request{m_loop->now(), tried, {}, policy::kAllHosts};
        const auto host = m_upstream.balancer.pick(request, m_upstream.hosts, m_picks).host;
        say(host ? fmt::format("picked {}", *host) : "picked nobody");
        return host;
    }

    void begin(std::uint32_t host) override { m_upstream.hosts.begin(host); }

    // recordAnswer() and reportAnswer(), or recordFailure(); then endAttempt().
    void end(std::uint32_t host, const policy::AttemptOutcome& outcome, Duration took) override
    {
        const auto end =
            isGoodAnswer(outcome) ? policy::AttemptEnd::Succeeded : policy::AttemptEnd::Failed;
        if (outcome.kind != policy::AttemptOutcome::Kind::Answer) {
            observe(host, observationOf(outcome));
        }
        m_upstream.balancer.report(host, m_loop->now(), took, end);
        if (outcome.kind == policy::AttemptOutcome::Kind::Answer) {
            observe(host, observationOf(outcome));
        }
        m_upstream.hosts.end(host);
    }

    std::optional<Duration> repeat(
        const policy::AttemptOutcome& outcome, int attempts, int retries, bool holdsRetry
    ) override
    {
        proxy::RetryCell& cell = retryCell();
        policy::RetryProgress progress;
        progress.attemptsMade = attempts;
        progress.sent = policy::AttemptProgress::Sent::Something;
        if (cell.rules.decide("GET", outcome, progress) != policy::PolicyRetryVerdict::Retry) {
            say("not repeated");
            return std::nullopt;
        }
        const policy::RetryWait wait =
            cell.rules.wait(outcome, retries + 1, std::nullopt, m_picks, m_loop->wallNow());
        endRetry(holdsRetry);
        const bool isGranted = wait.verdict == policy::PolicyRetryVerdict::Retry
                               && policy::step(cell.budget, [&cell](std::uint64_t& word) {
                                      return policy::tryBeginRetry(*cell.allowance, word);
                                  });
        say(isGranted ? fmt::format("repeated in {} ns", wait.wait.count()) : "no budget");
        return isGranted ? std::optional(wait.wait) : std::nullopt;
    }

    void finish(std::uint32_t round, bool isGood, bool isRefused, bool holdsRetry, Duration took)
        override
    {
        endRetry(holdsRetry);
        policy::step(retryCell().budget, [](std::uint64_t& word) {
            policy::endRequest(word);
            return true;
        });
        const auto& cell = m_cells->breakers[*m_callee.resilience->breaker];
        if (isRefused) {
            policy::step(cell->gate, [round](std::uint64_t& word) {
                word = policy::returnProbe(policy::BreakerGate::fromWord(word), round).word();
                return true;
            });
        } else {
            m_tally.breaker(
                cell,
                round,
                isGood ? policy::BreakerOutcome::Succeeded : policy::BreakerOutcome::Failed,
                took
            );
        }
    }

private:
    void turnAt(TimePoint at)
    {
        m_clock.advance(at - m_clock.now());
        m_now = at - m_begin;
        m_loop->runTurn(Duration::zero());
    }

    proxy::RetryCell& retryCell() { return *m_cells->retries[*m_callee.resilience->retry]; }

    // grantRetry() gives the present hold back only when it asks for the next.
    void endRetry(bool holdsRetry)
    {
        if (holdsRetry) {
            policy::step(retryCell().budget, [](std::uint64_t& word) {
                policy::endRetry(word);
                return true;
            });
        }
    }

    // Worker::observe()
    void observe(std::uint32_t host, const policy::Observation& observation)
    {
        const bool isGood =
            observation.kind == policy::Observation::Kind::Status && observation.status < 400;
        if (isGood && !m_upstream.hasReported[host] && m_upstream.hosts[host].isAvailable) {
            m_upstream.successes[host] += m_upstream.isWatched ? 1U : 0U;
            return;
        }
        m_upstream.hasReported[host] = !isGood;
        m_health->observe(
            {m_upstream.plan.name,
             m_upstream.plan.targets[host].address,
             std::exchange(m_upstream.successes[host], 0),
             observation}
        );
    }

    // Worker::reportSuccesses()
    void reportSuccesses()
    {
        for (std::size_t at = 0; at < m_upstream.successes.size(); ++at) {
            if (m_upstream.successes[at] > 0) {
                m_health->observe(
                    {m_upstream.plan.name,
                     m_upstream.plan.targets[at].address,
                     std::exchange(m_upstream.successes[at], 0),
                     std::nullopt}
                );
            }
        }
    }

    // Worker::setAvailability()
    void onHealth(const telemetry::TargetHealth& target)
    {
        using Availability = policy::HostSet::Availability;
        for (std::size_t at = 0; at < m_upstream.plan.targets.size(); ++at) {
            if (m_upstream.plan.targets[at].address == target.target) {
                const bool isOut = target.state == telemetry::TargetState::Unhealthy;
                m_upstream.hosts.setAvailability(
                    at, isOut ? Availability::Unavailable : Availability::Available, m_loop->now()
                );
                say(fmt::format("{} {}", isOut ? "ejected" : "returned", at));
            }
        }
    }

    const CalleePlan& m_callee;
    test::ManualClock m_clock;
    std::unique_ptr<net::EventLoop> m_loop;
    const TimePoint m_begin;
    TimePoint m_nextSecond{m_begin + 1s};
    proxy::PolicyLedger m_ledger;
    proxy::PolicyBoard m_policies;
    proxy::PolicyTally m_tally;
    std::shared_ptr<const proxy::PolicyCells> m_cells;
    Random m_picks;
    proxy::UpstreamState m_upstream;
    std::unique_ptr<proxy::HealthBoard> m_health;
};

// The simulator's Outbound, called as MeshRun calls it.
class SimulatorSide final : public Side
{
public:
    explicit SimulatorSide(const CalleePlan& callee)
        : m_rules(callee, OutboundRules::Connections::Ignored)
        , m_picks(Seed{kPickSeed})
        , m_health(Seed{kHealthSeed})
        , m_out(m_rules, callee.snapshot->zone, TimePoint{}, m_picks)
    {
        // The proxy has a machine for every target of the snapshot, checked or not, and each takes
        // its part of the board's luck.
        for (const config::UpstreamPlan& upstream : callee.snapshot->upstreams) {
            const policy::HealthRules rules(upstream.healthchecks);
            for (std::size_t at = 0; at < upstream.targets.size(); ++at) {
                static_cast<void>(policy::HealthMachine(rules, TimePoint{}, m_health));
            }
        }
    }

    void advance(Duration to) override
    {
        while (m_out.detector->nextSweepAt() <= TimePoint(to)) {
            m_now = m_out.detector->nextSweepAt() - TimePoint{};
            for (const auto& verdict : m_out.detector->sweep(TimePoint(m_now), m_health)) {
                settle(static_cast<std::uint32_t>(verdict.host));
            }
        }
        m_now = to;
    }

    std::optional<std::uint32_t> admit() override
    {
        const policy::BreakerAdmission admission = m_out.breaker->admit(TimePoint(m_now), m_picks);
        say(admission.isAdmitted() ? "admitted" : "refused by the breaker");
        if (!admission.isAdmitted()) {
            return std::nullopt;
        }
        policy::beginRequest(m_out.budget);
        return admission.round();
    }

    std::optional<std::uint32_t> pick(const policy::TriedHosts& tried) override
    {
        if (!m_out.hosts.isUsable(m_out.plan->upstream->healthchecks.threshold)) {
            say("nobody is usable");
            return std::nullopt;
        }
        const policy::PickRequest request{TimePoint(m_now), tried, {}, m_out.subset};
        const auto host = m_out.balancer.pick(request, m_out.hosts, m_picks).host;
        say(host ? fmt::format("picked {}", *host) : "picked nobody");
        return host;
    }

    void begin(std::uint32_t host) override { m_out.hosts.begin(host); }

    // MeshRun::endAttempt()
    void end(std::uint32_t host, const policy::AttemptOutcome& outcome, Duration took) override
    {
        m_out.hosts.end(host);
        m_out.balancer.report(
            host,
            TimePoint(m_now),
            took,
            isGoodAnswer(outcome) ? policy::AttemptEnd::Succeeded : policy::AttemptEnd::Failed
        );
        using Kind = policy::OutlierOutcome::Kind;
        policy::OutlierOutcome seen{Kind::ConnectFailure, 0};
        if (outcome.kind == policy::AttemptOutcome::Kind::Answer) {
            seen = isGoodAnswer(outcome) ? policy::OutlierOutcome{Kind::Success, 0}
                                         : policy::OutlierOutcome{Kind::Answer5xx, outcome.status};
        } else if (outcome.kind == policy::AttemptOutcome::Kind::Timeout) {
            seen = {Kind::Timeout, 0};
        }
        if (m_out.detector->observe(TimePoint(m_now), host, seen, m_health)) {
            settle(host);
        }
    }

    std::optional<Duration> repeat(
        const policy::AttemptOutcome& outcome, int attempts, int retries, bool holdsRetry
    ) override
    {
        policy::RetryProgress progress;
        progress.attemptsMade = attempts;
        progress.sent = policy::AttemptProgress::Sent::Something;
        if (m_rules.retry->decide("GET", outcome, progress) != policy::PolicyRetryVerdict::Retry) {
            say("not repeated");
            return std::nullopt;
        }
        const policy::RetryWait wait =
            m_rules.retry->wait(outcome, retries + 1, std::nullopt, m_picks, WallTime{});
        endRetry(holdsRetry);
        const bool isGranted = wait.verdict == policy::PolicyRetryVerdict::Retry
                               && policy::tryBeginRetry(*m_rules.allowance, m_out.budget);
        say(isGranted ? fmt::format("repeated in {} ns", wait.wait.count()) : "no budget");
        return isGranted ? std::optional(wait.wait) : std::nullopt;
    }

    void finish(std::uint32_t round, bool isGood, bool isRefused, bool holdsRetry, Duration took)
        override
    {
        endRetry(holdsRetry);
        policy::endRequest(m_out.budget);
        if (isRefused) {
            m_out.breaker->onAbandoned(round);
        } else {
            m_out.breaker->onOutcome(
                TimePoint(m_now),
                round,
                isGood ? policy::BreakerOutcome::Succeeded : policy::BreakerOutcome::Failed,
                took
            );
        }
    }

private:
    void endRetry(bool holdsRetry)
    {
        if (holdsRetry) {
            policy::endRetry(m_out.budget);
        }
    }

    // MeshRun::settle()
    void settle(std::uint32_t host)
    {
        const bool isAvailable = !m_out.detector->isEjected(host);
        if (m_out.isAvailable[host] == isAvailable) {
            return;
        }
        m_out.isAvailable[host] = isAvailable;
        m_out.hosts.setAvailability(
            host,
            isAvailable ? policy::HostSet::Availability::Available
                        : policy::HostSet::Availability::Unavailable,
            TimePoint(m_now)
        );
        say(fmt::format("{} {}", isAvailable ? "returned" : "ejected", host));
    }

    const OutboundRules m_rules;
    Random m_picks;
    Random m_health;
    Outbound m_out;
};

} // namespace mesh::simulator
