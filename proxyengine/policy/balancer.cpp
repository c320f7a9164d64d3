#include "proxyengine/policy/balancer.h"

#include "proxyengine/base/assert.h"

#include <algorithm>
#include <array>

namespace mesh::policy {
namespace {

using model::Algorithm;

constexpr std::array kAlgorithms{
    AlgorithmRow{Algorithm::RoundRobin, Algorithm::RoundRobin, "round-robin", false, true},
    AlgorithmRow{
        Algorithm::LeastConnections, Algorithm::LeastConnections, "least-connections", false, true},
    AlgorithmRow{Algorithm::LeastRequests, Algorithm::LeastRequests, "least-requests", false, true},
    AlgorithmRow{Algorithm::Latency, Algorithm::Latency, "latency", false, false},
    AlgorithmRow{
        Algorithm::ConsistentHashing,
        Algorithm::ConsistentHashing,
        "consistent-hashing",
        true,
        false},
    AlgorithmRow{Algorithm::Maglev, Algorithm::Maglev, "maglev", true, false},
    AlgorithmRow{Algorithm::Random, Algorithm::Random, "random", false, false},
};

WeightKind weightKindOf(Algorithm named)
{
    const auto row = std::ranges::find(kAlgorithms, named, &AlgorithmRow::named);
    MESH_ASSERT(row != kAlgorithms.end());
    return row->isWarming ? WeightKind::Warming : WeightKind::Configured;
}

std::vector<AllowedHosts> makeGroups(const HostSet& hosts, WeightKind kind)
{
    std::vector<AllowedHosts> groups;
    groups.reserve(std::size_t{hosts.subsets()} * hosts.levels());
    for (Subset subset = 0; subset < hosts.subsets(); ++subset) {
        for (std::uint32_t level = 0; level < hosts.levels(); ++level) {
            std::vector<std::uint32_t> members;
            for (std::uint32_t host = 0; host < hosts.size(); ++host) {
                const bool isMember = hosts.isIn(host, subset) && hosts.level(host) == level;
                if (isMember && hosts[host].weight > 0) {
                    members.push_back(host);
                }
            }
            groups.emplace_back(std::move(members), kind);
        }
    }
    return groups;
}

} // namespace

std::span<const AlgorithmRow> algorithmTable() { return kAlgorithms; }

Balancer::Choice Balancer::makeChoice(
    Algorithm algorithm, const HostSet& hosts, std::span<const AllowedHosts> groups, LoadBound bound
)
{
    switch (algorithm) {
    case Algorithm::RoundRobin:
        return RoundRobin(hosts, groups);
    case Algorithm::LeastConnections:
        return LeastConnections();
    case Algorithm::LeastRequests:
        return LeastRequests();
    case Algorithm::Latency:
        return Latency(hosts, groups);
    case Algorithm::ConsistentHashing:
        return HashChoice<Ring>(hosts, groups, bound);
    case Algorithm::Maglev:
        return HashChoice<Maglev>(hosts, groups, bound);
    case Algorithm::Random:
        return RandomChoice();
    }
    MESH_ASSERT(false);
}

Balancer::Balancer(Algorithm algorithm, const HostSet& hosts, Random& random, LoadBound bound)
    : m_groups(makeGroups(hosts, weightKindOf(algorithm)))
    , m_choice(makeChoice(algorithm, hosts, m_groups, bound))
{
    refresh(hosts, random);
}

void Balancer::refresh(const HostSet& hosts, Random& random)
{
    m_epoch = hosts.epoch();
    for (std::size_t group = 0; group < m_groups.size(); ++group) {
        const LocalityState state = hosts.locality(static_cast<Subset>(group / hosts.levels()));
        AllowedHosts& allowed = m_groups[group];
        if (!allowed.refresh(hosts, state.levels[group % hosts.levels()].isPanic)) {
            continue;
        }
        std::visit(
            [&](auto& choice) {
                if constexpr (requires { choice.prepare(hosts, allowed, group, random); }) {
                    choice.prepare(hosts, allowed, group, random);
                }
            },
            m_choice
        );
    }
}

// The level's group; when all of its hosts were tried, that of the first level with another one.
std::size_t Balancer::groupFor(const PickRequest& request, const HostSet& hosts, Random& random)
    const
{
    const std::size_t first = std::size_t{request.subset} * hosts.levels();
    if (hosts.levels() == 1) {
        return first;
    }
    const std::span<const LevelState> levels = hosts.locality(request.subset).levels;
    const bool isSplit =
        std::ranges::none_of(levels, [](const LevelState& level) { return level.load == 100; });
    std::uint64_t drawn = 0;
    if (isSplit) {
        drawn = request.hash ? *request.hash % 100 : random.below(100);
    }
    std::size_t level = 0;
    while (level + 1 < levels.size() && drawn >= levels[level].load) {
        drawn -= levels[level].load;
        ++level;
    }
    if (request.tried.isEmpty() || m_groups[first + level].hasUntried(request.tried)) {
        return first + level;
    }
    for (std::size_t other = 0; other < levels.size(); ++other) {
        if (m_groups[first + other].hasUntried(request.tried)) {
            return first + other;
        }
    }
    return first + level;
}

PickVerdict Balancer::pick(const PickRequest& request, HostSet& hosts, Random& random)
{
    hosts.warm(request.now);
    if (m_epoch != hosts.epoch()) {
        refresh(hosts, random);
    }
    if (request.subset >= hosts.subsets()) {
        return {};
    }
    const std::size_t group =
        m_groups.size() == 1 ? std::size_t{0} : groupFor(request, hosts, random);
    const AllowedHosts& allowed = m_groups[group];
    if (allowed.list().empty()) {
        return {};
    }
    const PickView view{hosts, allowed, group, request.tried, request.hash, request.now, random};
    const std::uint32_t host =
        std::visit([&view](auto& choice) { return choice.pick(view); }, m_choice);
    return {host, static_cast<std::uint32_t>(group % hosts.levels()), allowed.isPanic()};
}

void Balancer::report(std::uint32_t host, TimePoint now, Duration rtt, AttemptEnd end)
{
    if (auto* latency = std::get_if<Latency>(&m_choice)) {
        latency->report(host, now, rtt, end);
    }
}

void Balancer::carryOver(
    const Balancer& from, const HostSet& fromHosts, const HostSet& hosts, TimePoint now
)
{
    auto* const here = std::get_if<Latency>(&m_choice);
    const auto* const there = std::get_if<Latency>(&from.m_choice);
    if (here != nullptr && there != nullptr) {
        here->carryOver(*there, fromHosts, hosts, now);
    }
}

std::optional<Duration> Balancer::latency(std::uint32_t host, TimePoint now) const
{
    const auto* const here = std::get_if<Latency>(&m_choice);
    return here == nullptr ? std::nullopt : here->estimate(host, now);
}

} // namespace mesh::policy
