#pragma once

#include "proxyengine/policy/allowed.h"

namespace mesh::policy {

// Two hosts drawn by weight, the one with fewer active attempts per weight. On a second attempt
// all hosts not yet tried are compared.
//
// Source: Mitzenmacher, "The power of two choices in randomized load balancing".
// Idle hosts are equals, so that at low load the shares are those of the weights.
// Cost: two draws, whatever the number of hosts; with unequal weights a binary search each.
class LeastRequests
{
public:
    static constexpr WeightKind kWeights = WeightKind::Warming;
    [[nodiscard]] static std::uint32_t pick(const PickView& view);
};

// The least (active + 1) / weight of all; ties at random. Cost: one pass over the hosts.
class LeastConnections
{
public:
    static constexpr WeightKind kWeights = WeightKind::Warming;
    [[nodiscard]] static std::uint32_t pick(const PickView& view);
};

// A draw by weight.
class RandomChoice
{
public:
    static constexpr WeightKind kWeights = WeightKind::Configured;
    [[nodiscard]] static std::uint32_t pick(const PickView& view) { return drawUntried(view); }
};

} // namespace mesh::policy
