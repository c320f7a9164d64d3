#pragma once

#include "proxyengine/policy/allowed.h"

namespace mesh::policy {

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
    static constexpr WeightKind kWeights = WeightKind::Warming;

    RoundRobin(const HostSet& hosts, std::span<const AllowedHosts> groups);

    // The group's list has changed.
    void prepare(
        const HostSet& hosts, const AllowedHosts& allowed, std::size_t group, Random& random
    );
    [[nodiscard]] std::uint32_t pick(const PickView& view);

private:
    struct Turn
    {
        std::vector<std::int64_t> current; // By place in the allowed list.
        std::vector<std::uint32_t> cycle; // Empty: too long to prepare.
        std::size_t next = 0; // Place in the cycle.
    };

    // One step of the algorithm itself.
    static std::uint32_t step(Turn& turn, const AllowedHosts& allowed, const TriedHosts& tried);

    std::vector<Turn> m_turns; // By group.
};

} // namespace mesh::policy
