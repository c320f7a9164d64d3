#pragma once

#include <array>
#include <compare>
#include <cstdint>

namespace mesh {

// The start of a random stream. Printed by everything random, so that a run can be repeated.
struct Seed
{
    std::uint64_t value;
    friend constexpr auto operator<=>(const Seed&, const Seed&) = default;
};

// A seed for a part of something that has a seed: same inputs, same stream, on every machine.
[[nodiscard]] Seed deriveSeed(Seed seed, std::uint64_t part);

// A random stream with the same bits on every compiler and machine.
//
// Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators" (xoshiro256**),
//         seeded by splitmix64 as its authors advise.
// Cost: a few instructions; 32 bytes.
class Random
{
public:
    explicit Random(Seed seed);

    [[nodiscard]] std::uint64_t next();

    // Uniform in [0, bound), without bias (Lemire's multiplication). bound > 0.
    [[nodiscard]] std::uint64_t below(std::uint64_t bound);

    // Uniform in [0, 1) with 53 bits.
    [[nodiscard]] double unit();

    // True with this probability; always draws exactly once, so that variants stay in step.
    [[nodiscard]] bool chance(double probability);

private:
    std::array<std::uint64_t, 4> m_state;
};

} // namespace mesh
