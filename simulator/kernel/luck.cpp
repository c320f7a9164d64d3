#include "simulator/kernel/luck.h"

namespace mesh::simulator {

Random luckOf(Seed seed, const LuckKey& key)
{
    const std::uint64_t which =
        (std::uint64_t{static_cast<std::uint32_t>(key.purpose)} << 32U) | key.attempt;
    const Seed root = deriveSeed(seed, key.root);
    return Random(deriveSeed(deriveSeed(root, key.path.hash()), which));
}

} // namespace mesh::simulator
