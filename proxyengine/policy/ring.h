#pragma once

#include "proxyengine/policy/hosts.h"

namespace mesh::policy {

// A ring of points by XXH64. Whole for the life of a list of targets: hosts that may not be picked
// are walked over, so that the keys of the others stay where they are.
//
// Source: Envoy's ring hash load balancer (reference 3.6).
class Ring
{
public:
    static constexpr std::uint64_t kPointsMin = 1024;
    static constexpr std::uint64_t kPointsMax = 8'388'608;

    // `members` have weight.
    Ring(
        const HostSet& hosts,
        std::span<const std::uint32_t> members,
        std::uint64_t pointsMin = kPointsMin,
        std::uint64_t pointsMax = kPointsMax
    );

    [[nodiscard]] std::size_t size() const { return m_hosts.size(); }
    // Slot of a key: the first point at or after the hash, or the first of all. Cost: a step or
    // two, because the points are spread evenly.
    [[nodiscard]] std::size_t slotOf(std::uint64_t hash) const;
    [[nodiscard]] std::uint32_t host(std::size_t slot) const { return m_hosts[slot]; }
    [[nodiscard]] std::uint64_t point(std::size_t slot) const { return m_points[slot]; }

private:
    void indexPoints();

    std::vector<std::uint64_t> m_points; // Ascending.
    std::vector<std::uint32_t> m_hosts; // By point.
    std::vector<std::uint32_t> m_starts; // By hash >> m_shift: the first slot at or after it.
    unsigned m_shift = 0;
};

} // namespace mesh::policy
