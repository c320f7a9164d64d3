#pragma once

#include "proxyengine/policy/allowed.h"
#include "proxyengine/policy/maglev.h"
#include "proxyengine/policy/ring.h"

namespace mesh::policy {

// Percent of the average load that a hashed host may carry before the next one is taken; 0: no
// bound. At least 100 otherwise.
using LoadBound = std::uint32_t;

// The host of the request's hash. From a host that may not be picked, or was tried, the walk goes
// on to the next distinct one. Without a hash: a draw by weight.
//
// Cost: one look-up and a step for each slot of a host that is walked over.
template <typename Table>
class HashChoice
{
public:
    static constexpr WeightKind kWeights = WeightKind::Configured;

    HashChoice(const HostSet& hosts, std::span<const AllowedHosts> groups, LoadBound bound);

    [[nodiscard]] std::uint32_t pick(const PickView& view) const;

private:
    // The host, or while it carries too much another one with room, in an order of the hash's own.
    [[nodiscard]] std::uint32_t withinBound(const PickView& view, std::uint32_t preferred) const;

    std::vector<Table> m_tables;
    std::vector<std::size_t> m_tableOf; // By group; groups of the same hosts share one.
    LoadBound m_bound;
};

extern template class HashChoice<Ring>;
extern template class HashChoice<Maglev>;

} // namespace mesh::policy
