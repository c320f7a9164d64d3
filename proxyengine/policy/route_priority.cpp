#include "proxyengine/policy/route_priority.h"

#include <algorithm>
#include <functional>
#include <map>

namespace mesh::policy {

std::vector<PathGroup> splitPaths(const model::Route& route)
{
    PathGroup regexes;
    regexes.isRegex = true;
    std::map<std::size_t, PathGroup, std::greater<>> prefixes;
    for (std::size_t i = 0; i < route.paths.size(); ++i) {
        const std::string& path = route.paths[i];
        if (path.starts_with('~')) {
            regexes.paths.push_back(i);
        } else {
            prefixes[path.size()].paths.push_back(i);
        }
    }

    std::vector<PathGroup> groups;
    if (!regexes.paths.empty()) {
        groups.push_back(std::move(regexes));
    }
    for (auto& [bytes, group] : prefixes) {
        group.prefixBytes = bytes;
        groups.push_back(std::move(group));
    }
    if (groups.empty()) {
        groups.emplace_back();
    }
    return groups;
}

std::uint64_t priorityWord(const model::Route& route, const PathGroup& group)
{
    const auto present = [](const auto& field) { return std::uint64_t{field.empty() ? 0U : 1U}; };
    const std::uint64_t fields = present(route.sources) + present(route.destinations)
                                 + present(route.methods) + present(route.hosts)
                                 + present(route.headers) + present(route.snis)
                                 + present(route.paths);
    const bool hasPlainHosts =
        !route.hosts.empty() && std::ranges::none_of(route.hosts, [](const std::string& host) {
            return host.find('*') != std::string::npos;
        });
    const std::uint64_t headers = std::min<std::uint64_t>(route.headers.size(), 255);

    std::uint64_t word =
        (fields << 61U) | (std::uint64_t{hasPlainHosts ? 1U : 0U} << 60U) | (headers << 52U);
    if (group.isRegex) {
        word |= std::uint64_t{1} << 51U;
        word |= (static_cast<std::uint64_t>(route.regexPriority) & 0xFFFF'FFFFU) << 19U;
    } else {
        word |= static_cast<std::uint64_t>(group.prefixBytes) & 0x7'FFFFU;
    }
    return word;
}

} // namespace mesh::policy
