#pragma once

#include "proxyengine/policy/hosts.h"

namespace mesh::policy {

// Google's table of permutations: a look-up is one step, shares are equal to within a slot.
//
// Source: Eisenbud et al., "Maglev", and Envoy's weighted variant (reference 3.6).
class Maglev
{
public:
    static constexpr std::uint64_t kSlots = 65'537; // Prime.

    // `members` have weight; `size` (of the table) is prime.
    Maglev(
        const HostSet& hosts, std::span<const std::uint32_t> members, std::uint64_t size = kSlots
    );

    [[nodiscard]] std::size_t size() const { return m_hosts.size(); }
    [[nodiscard]] std::size_t slotOf(std::uint64_t hash) const { return hash % m_hosts.size(); }
    [[nodiscard]] std::uint32_t host(std::size_t slot) const { return m_hosts[slot]; }

private:
    std::vector<std::uint32_t> m_hosts; // By slot.
};

} // namespace mesh::policy
