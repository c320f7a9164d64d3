#include "proxyengine/policy/share.h"

#include "proxyengine/base/hash.h"

#include <algorithm>
#include <cmath>

namespace mesh::policy {

namespace {

__extension__ using Wide = unsigned __int128;

} // namespace

std::uint32_t toBasisPoints(double percent)
{
    const double rounded = std::round(percent * 100);
    return static_cast<std::uint32_t>(std::clamp(rounded, 0.0, static_cast<double>(kBasisPoints)));
}

std::uint64_t hashFor(HashPurpose purpose, std::string_view text)
{
    return xxh3(text, static_cast<std::uint64_t>(purpose));
}

std::uint64_t partOf(std::uint64_t hash, std::uint64_t parts)
{
    return static_cast<std::uint64_t>(static_cast<Wide>(hash) * parts >> 64U);
}

bool isInShare(HashPurpose purpose, std::string_view requestId, std::uint32_t basisPoints)
{
    return partOf(hashFor(purpose, requestId), kBasisPoints) < basisPoints;
}

} // namespace mesh::policy
