#pragma once

#include "proxyengine/base/random.h"

#include <cstdint>

// Random streams by what they are for, not by the order of asking. So a change of one policy leaves
// the luck of everything else as it was, and two variants differ by the policy alone.
namespace mesh::simulator {

// The way from a root request down to one of its calls: which step, which call, which repeat, at
// every level.
class CallPath
{
public:
    constexpr CallPath() = default; // The root request itself.

    // The call at `place` of the request that this path leads to.
    [[nodiscard]] constexpr CallPath below(std::uint64_t place) const
    {
        CallPath path;
        std::uint64_t mixed = (m_hash ^ (place + 1)) * 0x9e3779b97f4a7c15U;
        mixed = (mixed ^ (mixed >> 29U)) * 0xbf58476d1ce4e5b9U;
        path.m_hash = mixed ^ (mixed >> 32U);
        return path;
    }

    [[nodiscard]] constexpr std::uint64_t hash() const { return m_hash; }
    friend constexpr bool operator==(const CallPath&, const CallPath&) = default;

private:
    std::uint64_t m_hash = 0x13198a2e03707344U; // Of pi.
};

// What a stream is for. Each purpose has its own, so that drawing once more for one of them does
// not move the others. Numbers are part of the fingerprints: append only.
enum class LuckFor : std::uint32_t {
    Arrivals = 0,
    Service = 1, // Service time, then error, of one attempt.
    Script = 2, // Which calls are made.
    Proxy = 3, // Balancing, back-off, breaker shares.
    Network = 4,
    Fault = 5,
};

struct LuckKey
{
    std::uint64_t root = 0; // The number of the root request, or of an entity.
    CallPath path;
    std::uint32_t attempt = 0;
    LuckFor purpose = LuckFor::Service;
};

// The same seed and key give the same stream in every build.
[[nodiscard]] Random luckOf(Seed seed, const LuckKey& key);

} // namespace mesh::simulator
