#pragma once

#include "tests/support/policy_fixture.h"

#include <functional>
#include <map>
#include <string>

// Which server each of many callers meets.
namespace mesh::test {

// Which server answered, by key; several answers of one key must agree, or the name is "?".
inline std::map<std::string, std::string> serversByKey(
    PolicyFixture& mesh, int keys, int repeats, const std::function<std::string(int key)>& requestOf
)
{
    LoadPlan plan = mesh.plan(static_cast<std::size_t>(keys * repeats), 4);
    plan.request = [&](std::size_t at) { return requestOf(static_cast<int>(at) % keys); };
    const LoadReport report = runLoad(*mesh.loop, plan);
    std::map<std::string, std::string> servers;
    for (std::size_t at = 0; at < report.answers.size(); ++at) {
        const std::string server = report.answers[at].header("X-Server");
        auto [place, isNew] =
            servers.emplace(std::to_string(at % static_cast<std::size_t>(keys)), server);
        if (!isNew && place->second != server) {
            place->second = std::string(1, '?'); // Not a literal: g++ 12 warns without cause.
        }
    }
    return servers;
}

inline std::map<std::string, int> countServers(const std::map<std::string, std::string>& byKey)
{
    std::map<std::string, int> counts;
    for (const auto& [key, server] : byKey) {
        ++counts[server];
    }
    return counts;
}

} // namespace mesh::test
