#include "proxyengine/base/random.h"

#include "proxyengine/base/assert.h"

#include <bit>

namespace mesh {
namespace {

std::uint64_t splitMix(std::uint64_t& state)
{
    state += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31U);
}

// The high and low half of a product; clang and gcc both know the 128-bit type under -Wpedantic.
struct Product
{
    std::uint64_t high;
    std::uint64_t low;
};

Product multiply(std::uint64_t a, std::uint64_t b)
{
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return {static_cast<std::uint64_t>(product >> 64U), static_cast<std::uint64_t>(product)};
}

} // namespace

Seed deriveSeed(Seed seed, std::uint64_t part)
{
    std::uint64_t state = seed.value ^ (part * 0xd6e8feb86659fd93U);
    static_cast<void>(splitMix(state));
    return Seed{splitMix(state)};
}

Random::Random(Seed seed)
    : m_state{}
{
    std::uint64_t state = seed.value;
    for (std::uint64_t& word : m_state) {
        word = splitMix(state);
    }
}

std::uint64_t Random::next()
{
    const std::uint64_t result = std::rotl(m_state[1] * 5, 7) * 9;
    const std::uint64_t shifted = m_state[1] << 17U;
    m_state[2] ^= m_state[0];
    m_state[3] ^= m_state[1];
    m_state[1] ^= m_state[2];
    m_state[0] ^= m_state[3];
    m_state[2] ^= shifted;
    m_state[3] = std::rotl(m_state[3], 45);
    return result;
}

std::uint64_t Random::below(std::uint64_t bound)
{
    MESH_ASSERT(bound > 0);
    Product product = multiply(next(), bound);
    if (product.low < bound) {
        const std::uint64_t threshold = (0 - bound) % bound;
        while (product.low < threshold) {
            product = multiply(next(), bound);
        }
    }
    return product.high;
}

double Random::unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

bool Random::chance(double probability) { return unit() < probability; }

} // namespace mesh
