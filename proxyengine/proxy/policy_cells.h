#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/config/snapshot.h"
#include "proxyengine/policy/adaptive_concurrency.h"
#include "proxyengine/policy/breaker.h"
#include "proxyengine/policy/budget.h"
#include "proxyengine/policy/counter_word.h"
#include "proxyengine/policy/fault.h"
#include "proxyengine/policy/health.h"
#include "proxyengine/policy/limits.h"
#include "proxyengine/policy/mirror.h"
#include "proxyengine/policy/rate_table.h"
#include "proxyengine/policy/retry_rules.h"
#include "proxyengine/policy/split.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

// What the policies of a node share between its workers and its control thread, and what workers
// report. A cell is one word that all threads change step by step with a pure function of policy/;
// machines that need more than a word live on the control thread and publish into cells.
namespace mesh::proxy {

using SharedWord = std::atomic<std::uint64_t>; // Changed with policy::step().

// Admission through a breaker whose machine the control thread owns.
struct BreakerCell
{
    explicit BreakerCell(const config::KeptPlan<model::Breaker>& from)
        : plan(from)
    {}
    const config::KeptPlan<model::Breaker> plan;
    SharedWord gate{policy::BreakerGate().word()};
};

// Admission under an adaptive limit whose controller the control thread owns.
struct ConcurrencyCell
{
    explicit ConcurrencyCell(const config::KeptPlan<model::AdaptiveConcurrency>& from);
    const config::KeptPlan<model::AdaptiveConcurrency> plan;
    SharedWord gate; // Until the controller speaks: its smallest limit.
};

// A retry policy and its budget, if it has one.
struct RetryCell
{
    explicit RetryCell(const config::KeptPlan<model::Retry>& from);
    const config::KeptPlan<model::Retry> plan;
    const policy::RetryRules rules;
    std::optional<policy::RetryAllowance> allowance; // Set once, when the cell is made.
    SharedWord budget{0};
};

struct RateCell
{
    RateCell(const config::KeptPlan<model::RateLimit>& from, std::uint64_t seed);
    const config::KeptPlan<model::RateLimit> plan;
    policy::RateTable table;
};

// The use of an upstream that has limits.
struct UsageCell
{
    explicit UsageCell(const config::UpstreamPlan& from);
    const std::string upstream;
    const model::Limits limits;
    const std::vector<std::string> targets; // Addresses, in the plan's order.
    const policy::LimitRules rules;
    policy::LimitUse<SharedWord> use;
    std::vector<SharedWord> targetConnections;
};

// One of a limited resource, given back when it goes.
class UsageLease
{
public:
    UsageLease() = default;
    UsageLease(std::shared_ptr<UsageCell> cell, SharedWord& word)
        : m_cell(std::move(cell))
        , m_word(&word)
    {}
    UsageLease(UsageLease&& other) noexcept
        : m_cell(std::move(other.m_cell))
        , m_word(std::exchange(other.m_word, nullptr))
    {}
    UsageLease& operator=(UsageLease&& other) noexcept
    {
        std::swap(m_cell, other.m_cell);
        std::swap(m_word, other.m_word);
        return *this;
    }
    UsageLease(const UsageLease&) = delete;
    UsageLease& operator=(const UsageLease&) = delete;
    ~UsageLease() { end(); }

    void end()
    {
        if (m_word != nullptr) {
            policy::release(*std::exchange(m_word, nullptr));
            m_cell.reset();
        }
    }
    [[nodiscard]] bool isHeld() const { return m_word != nullptr; }

private:
    std::shared_ptr<UsageCell> m_cell;
    SharedWord* m_word = nullptr;
};

// Takes one of the resource for the lease, or says which limit was reached.
[[nodiscard]] policy::LimitVerdict takeLease(
    const std::shared_ptr<UsageCell>& cell,
    policy::LimitedResource resource,
    policy::LimitLane lane,
    UsageLease& lease
);
[[nodiscard]] policy::LimitVerdict takeTargetLease(
    const std::shared_ptr<UsageCell>& cell, std::size_t target, UsageLease& lease
);

// What a resilience plan's immutable policies are made into.
struct CompiledResilience
{
    explicit CompiledResilience(const config::ResiliencePlan& plan);
    std::optional<policy::FaultRule> fault;
    std::optional<policy::MirrorRule> mirror;
};

// Everything shared, by the indices of the snapshot. Cells whose plan did not change are the same
// as before, so that a push resets nothing.
struct PolicyCells
{
    std::vector<std::shared_ptr<BreakerCell>> breakers;
    std::vector<std::shared_ptr<ConcurrencyCell>> concurrencies;
    std::vector<std::shared_ptr<RetryCell>> retries;
    std::vector<std::shared_ptr<RateCell>> rateLimits;
    std::vector<std::shared_ptr<UsageCell>> usages; // By upstream; null: no limits.
    std::vector<CompiledResilience> resiliences;
    std::unordered_map<const config::RoutePlan*, policy::SplitTable> splits;
    std::shared_ptr<std::atomic<std::uint32_t>> requests; // In flight on the node.
};

// Cells for a snapshot, taken over from `before` (null: none) where the plans are equal. The seed
// keeps callers from guessing which keys of a rate limit share a bucket.
[[nodiscard]] std::shared_ptr<const PolicyCells> makePolicyCells(
    const config::Snapshot& snapshot, const PolicyCells* before, Seed seed
);

// What requests met at one target; for the control thread, which owns health and ejection. Sent
// with every failure, with the first success after one, and once a second.
struct PassiveReport
{
    std::string upstream;
    std::string target;
    std::uint32_t successesBefore = 0; // Since the last report, in order before `observation`.
    std::optional<policy::Observation> observation; // Absent: only the successes.
};

// Outcomes of requests that were admitted in one round of a breaker.
struct BreakerReport
{
    std::shared_ptr<const BreakerCell> cell;
    std::uint32_t round = 0;
    policy::BreakerCounts counts;
};

struct ConcurrencyReport
{
    std::shared_ptr<const ConcurrencyCell> cell;
    std::uint16_t epoch = 0;
    std::vector<Duration> roundTrips;
};

// Something a worker's policies did: the kinds of api::PolicyEvent that are decided on the path of
// requests. A worker tells it when it begins and then at most once a second.
struct PolicyNotice
{
    std::string kind; // Of api::PolicyEvent.
    std::string subject;
    std::string reason; // Empty: only to be counted, no event (a retry is daily bread).
    std::uint64_t count = 0; // Since the last notice of this kind and subject.
    std::string detail = {}; // As of a telemetry::PolicyCount.
};

// What a worker has to say, at most kReportDelay old.
struct PolicyReport
{
    std::vector<BreakerReport> breakers;
    std::vector<ConcurrencyReport> concurrencies;
    std::vector<PolicyNotice> notices;
};

inline constexpr Duration kReportDelay = std::chrono::milliseconds(20);

} // namespace mesh::proxy
