#include "proxyengine/policy/split.h"

#include "proxyengine/base/assert.h"
#include "proxyengine/policy/share.h"

#include <algorithm>

namespace mesh::policy {

SplitTable::SplitTable(std::span<const std::uint32_t> weights)
{
    std::uint64_t sum = 0;
    m_borders.reserve(weights.size());
    for (const std::uint32_t weight : weights) {
        sum += weight;
        m_borders.push_back(sum);
    }
    MESH_ASSERT(sum > 0);
}

std::size_t SplitTable::pick(Random& random) const { return at(random.next()); }

std::size_t SplitTable::pickFor(std::string_view callerKey) const
{
    return at(hashFor(HashPurpose::Split, callerKey));
}

std::size_t SplitTable::at(std::uint64_t position) const
{
    const std::uint64_t weight = partOf(position, m_borders.back());
    return static_cast<std::size_t>(
        std::ranges::upper_bound(m_borders, weight) - m_borders.begin()
    );
}

} // namespace mesh::policy
