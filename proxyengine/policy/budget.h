#pragma once

#include "proxyengine/model/resilience.h"

#include <cstdint>
#include <string>

namespace mesh::policy {

// How many retries may be in flight at once. A hedge counts as a retry.
//
// Source: Envoy's retry budget. The share is of the requests in flight, each counted once from
// its arrival to its end, whatever its attempts; rounded down. A retry is in flight from the
// decision to make it, its back-off included, to the end of its attempt.
class RetryAllowance
{
public:
    explicit RetryAllowance(const model::RetryBudget& budget);
    // Without a budget: the upstream's limits.max_retries.
    explicit RetryAllowance(int maxRetries);

    [[nodiscard]] std::uint64_t retriesAllowed(std::uint64_t requestsInFlight) const;
    [[nodiscard]] bool isShare() const { return m_isShare; }

private:
    std::uint64_t m_basisPoints = 0; // Hundredths of a percent.
    std::uint64_t m_min = 0;
    bool m_isShare = false;
};

// What one word of a budget's state says. A fresh word is 0.
struct BudgetUse
{
    std::uint32_t requests = 0; // In flight.
    std::uint32_t retries = 0;
    friend bool operator==(const BudgetUse&, const BudgetUse&) = default;
};

[[nodiscard]] BudgetUse toBudgetUse(std::uint64_t word);

// Changes for step() of counter_word.h. Each begin that was granted owes exactly one end; an end
// without a begin is a bug and asserts.
void beginRequest(std::uint64_t& word);
void endRequest(std::uint64_t& word);
[[nodiscard]] bool tryBeginRetry(const RetryAllowance& allowance, std::uint64_t& word);
void endRetry(std::uint64_t& word);

// "4 retries in flight, 4 allowed at 20 requests".
[[nodiscard]] std::string exhaustedText(const RetryAllowance& allowance, std::uint64_t word);

} // namespace mesh::policy
