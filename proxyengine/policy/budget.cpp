#include "proxyengine/policy/budget.h"

#include "proxyengine/base/assert.h"
#include "proxyengine/policy/share.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace mesh::policy {

namespace {

// Requests in the upper half, retries in the lower.
constexpr int kRequestsShift = 32;
constexpr std::uint64_t kOneRequest = std::uint64_t{1} << kRequestsShift;

} // namespace

RetryAllowance::RetryAllowance(const model::RetryBudget& budget)
    : m_basisPoints(toBasisPoints(budget.percent))
    , m_min(static_cast<std::uint64_t>(std::max(0, budget.minConcurrent)))
    , m_isShare(true)
{}

RetryAllowance::RetryAllowance(int maxRetries)
    : m_min(static_cast<std::uint64_t>(std::max(0, maxRetries)))
{}

std::uint64_t RetryAllowance::retriesAllowed(std::uint64_t requestsInFlight) const
{
    return std::max(m_min, m_basisPoints * requestsInFlight / kBasisPoints);
}

BudgetUse toBudgetUse(std::uint64_t word)
{
    return {
        static_cast<std::uint32_t>(word >> kRequestsShift),
        static_cast<std::uint32_t>(word & (kOneRequest - 1))};
}

void beginRequest(std::uint64_t& word)
{
    MESH_ASSERT(toBudgetUse(word).requests < std::numeric_limits<std::uint32_t>::max());
    word += kOneRequest;
}

void endRequest(std::uint64_t& word)
{
    MESH_ASSERT(toBudgetUse(word).requests > 0);
    word -= kOneRequest;
}

bool tryBeginRetry(const RetryAllowance& allowance, std::uint64_t& word)
{
    const BudgetUse use = toBudgetUse(word);
    if (use.retries >= allowance.retriesAllowed(use.requests)) {
        return false;
    }
    ++word;
    return true;
}

void endRetry(std::uint64_t& word)
{
    MESH_ASSERT(toBudgetUse(word).retries > 0);
    --word;
}

std::string exhaustedText(const RetryAllowance& allowance, std::uint64_t word)
{
    const BudgetUse use = toBudgetUse(word);
    const std::uint64_t allowed = allowance.retriesAllowed(use.requests);
    if (!allowance.isShare()) {
        return fmt::format("{} retries in flight, max_retries is {}", use.retries, allowed);
    }
    return fmt::format(
        "{} retries in flight, {} allowed at {} requests", use.retries, allowed, use.requests
    );
}

} // namespace mesh::policy
