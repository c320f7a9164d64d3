#pragma once

#include "proxyengine/base/random.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace mesh::policy {

// Divides requests among the parts of a split by weight.
//
// A sticky caller keeps its part as long as the weights stay. When they change, a caller changes
// its part only if the border between two neighbours moved over it: with two parts exactly the
// difference of the shares moves (95/5 to 90/10: 5 % of the callers). With more parts the borders
// add up, so a canary belongs at the end of the list.
// Threads: any, after construction (immutable).
class SplitTable
{
public:
    // At least one weight above zero.
    explicit SplitTable(std::span<const std::uint32_t> weights);

    // For callers without a key. Draws exactly once.
    [[nodiscard]] std::size_t pick(Random& random) const;
    // For a caller that is known by its address, header or cookie.
    [[nodiscard]] std::size_t pickFor(std::string_view callerKey) const;

private:
    [[nodiscard]] std::size_t at(std::uint64_t position) const;

    std::vector<std::uint64_t> m_borders; // Sums of the weights up to and with each part.
};

} // namespace mesh::policy
