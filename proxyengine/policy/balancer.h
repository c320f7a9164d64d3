#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/model/gateway.h"
#include "proxyengine/policy/hosts.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

// Which host gets the next attempt. A host is allowed when it is available and has weight; a host
// that the request already tried is taken only when nothing else is allowed.
namespace mesh::policy {

// The allowed hosts of a set, in the order of their indices, with running sums of their weights.
// Brought up to date only when the set's epoch has changed.
class AllowedHosts
{
public:
    explicit AllowedHosts(std::size_t capacity);

    // True when the list changed.
    bool refresh(const HostSet& hosts);

    [[nodiscard]] std::span<const std::uint32_t> list() const { return m_list; }
    [[nodiscard]] std::uint64_t weight() const { return m_sums.empty() ? 0 : m_sums.back(); }
    [[nodiscard]] bool isEvenlyWeighted() const { return m_isEven; }
    // Sum of the weights before this place of the list.
    [[nodiscard]] std::uint64_t weightBefore(std::size_t place) const;
    // The place of the list where a running weight below weight() falls.
    [[nodiscard]] std::size_t placeOf(std::uint64_t runningWeight) const;

private:
    std::vector<std::uint32_t> m_list;
    std::vector<std::uint64_t> m_sums; // m_sums[i]: weights of m_list[0..i].
    std::uint64_t m_epoch = 0;
    bool m_isEven = true;
};

// Smooth weighted round robin: over one cycle (the sum of the weights by their greatest common
// divisor) every allowed host gets exactly its share, spread as evenly as it goes.
//
// Source: nginx, ngx_http_upstream_get_peer: cur += w; best = max; best.cur -= sum of w. The start
//         within the cycle is random, so that many proxies do not march in step.
// Cost: one step of a prepared cycle while it has at most kBalancerCycleMax entries; otherwise one
//       pass over the hosts.
class RoundRobin
{
public:
    RoundRobin(const HostSet& hosts, Random& random);
    [[nodiscard]] std::optional<std::uint32_t> pick(
        const HostSet& hosts, const TriedHosts& tried, Random& random
    );

private:
    void prepare(const HostSet& hosts, Random& random);
    std::uint32_t step(const HostSet& hosts, const TriedHosts& tried); // Of the algorithm itself.

    AllowedHosts m_allowed;
    std::vector<std::int64_t> m_current; // By place in the allowed list.
    std::vector<std::uint32_t> m_cycle; // Empty: too long to prepare.
    std::size_t m_next = 0; // Place in the cycle.
};

// Two hosts drawn by weight, the one with fewer active attempts per weight. On a second attempt
// all hosts not yet tried are compared.
//
// Source: Mitzenmacher, "The power of two choices in randomized load balancing".
// Idle hosts are equals, so that at low load the shares are those of the weights.
// Cost: two draws, whatever the number of hosts; with unequal weights a binary search each.
class LeastRequests
{
public:
    explicit LeastRequests(const HostSet& hosts);
    [[nodiscard]] std::optional<std::uint32_t> pick(
        const HostSet& hosts, const TriedHosts& tried, Random& random
    );

private:
    AllowedHosts m_allowed;
};

// The least (active + 1) / weight of all; ties at random. Cost: one pass over the hosts.
class LeastConnections
{
public:
    explicit LeastConnections(const HostSet& hosts);
    [[nodiscard]] std::optional<std::uint32_t> pick(
        const HostSet& hosts, const TriedHosts& tried, Random& random
    );

private:
    AllowedHosts m_allowed;
};

// A draw by weight.
class RandomChoice
{
public:
    explicit RandomChoice(const HostSet& hosts);
    [[nodiscard]] std::optional<std::uint32_t> pick(
        const HostSet& hosts, const TriedHosts& tried, Random& random
    );

private:
    AllowedHosts m_allowed;
};

// What runs when the configuration names an algorithm. Validation warns where `runs` differs.
struct AlgorithmRow
{
    model::Algorithm named;
    model::Algorithm runs;
    std::string_view word; // As in the file.
};

// One row for each algorithm of the model, in its order.
[[nodiscard]] std::span<const AlgorithmRow> algorithmTable();

// Chooses hosts for one upstream in one worker. A value; no virtual call per pick.
//
// Lifetime: made for one HostSet and always asked about that one.
class Balancer
{
public:
    Balancer(model::Algorithm algorithm, const HostSet& hosts, Random& random);

    // Nothing when no host is available. The caller begins and ends the attempt on the HostSet.
    [[nodiscard]] std::optional<std::uint32_t> pick(
        const HostSet& hosts, const TriedHosts& tried, Random& random
    );

private:
    std::variant<RoundRobin, LeastRequests, LeastConnections, RandomChoice> m_algorithm;
};

} // namespace mesh::policy
