#pragma once

#include "proxyengine/model/gateway.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mesh::policy {

// The paths of a route that stand or fall together: all its regular expressions, or all its
// prefixes of one length. A route without paths is one group without paths.
struct PathGroup
{
    std::vector<std::size_t> paths; // Indices into Route::paths, ascending.
    bool isRegex = false;
    std::size_t prefixBytes = 0;
};

// Regular expressions first, then prefixes by falling length. Never empty.
[[nodiscard]] std::vector<PathGroup> splitPaths(const model::Route& route);

// The rank of a group of a route; of two routes that match, the one with the larger word wins.
//
//   63..61 fields present   60 hosts without wildcard   59..52 headers   51 regex
//   50..19 regex_priority   18..0 bytes of the prefix
//
// Source: the gateway's router, flavor traditional_compatible.
[[nodiscard]] std::uint64_t priorityWord(const model::Route& route, const PathGroup& group);

} // namespace mesh::policy
