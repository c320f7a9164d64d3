#include "proxyengine/policy/round_robin.h"

#include "proxyengine/base/limits.h"

#include <algorithm>
#include <numeric>

namespace mesh::policy {

RoundRobin::RoundRobin(const HostSet& hosts, std::span<const AllowedHosts> groups)
    : m_turns(groups.size())
{
    for (std::size_t group = 0; group < groups.size(); ++group) {
        const std::span<const std::uint32_t> members = groups[group].members();
        std::uint64_t weight = 0;
        for (const std::uint32_t host : members) {
            weight += hosts[host].weight * std::uint64_t{100}; // Of the shares of slow start.
        }
        if (members.size() <= 1) {
            weight = 0; // One turn.
        }
        // The divisor of fewer weights is no smaller, so no later cycle is longer than these.
        m_turns[group].current.reserve(members.size());
        m_turns[group].cycle.reserve(std::max<std::size_t>(
            members.size(), std::min<std::uint64_t>(weight, kBalancerCycleMax)
        ));
    }
}

void RoundRobin::prepare(
    const HostSet& /*hosts*/, const AllowedHosts& allowed, std::size_t group, Random& random
)
{
    Turn& turn = m_turns[group];
    const std::span<const std::uint32_t> list = allowed.list();
    turn.current.assign(list.size(), 0);
    turn.cycle.clear();
    turn.next = 0;
    if (list.empty()) {
        return;
    }
    if (allowed.isEvenlyWeighted()) {
        turn.cycle.assign(list.begin(), list.end());
        turn.next = random.below(turn.cycle.size());
        return;
    }
    std::uint64_t divisor = 0;
    for (std::size_t place = 0; place < list.size(); ++place) {
        divisor = std::gcd(divisor, allowed.weightAt(place));
    }
    const std::uint64_t length = allowed.weight() / divisor;
    if (length <= kBalancerCycleMax && length * list.size() <= kBalancerPrepareStepsMax) {
        for (std::uint64_t i = 0; i < length; ++i) {
            turn.cycle.push_back(step(turn, allowed, TriedHosts()));
        }
        turn.next = random.below(turn.cycle.size());
        return;
    }
    for (std::uint64_t skip = random.below(std::min<std::size_t>(list.size(), 32)); skip > 0;
         --skip) {
        static_cast<void>(step(turn, allowed, TriedHosts()));
    }
}

std::uint32_t RoundRobin::step(Turn& turn, const AllowedHosts& allowed, const TriedHosts& tried)
{
    const std::span<const std::uint32_t> list = allowed.list();
    std::size_t best = list.size();
    std::size_t bestOfAll = 0;
    for (std::size_t place = 0; place < list.size(); ++place) {
        turn.current[place] += static_cast<std::int64_t>(allowed.weightAt(place));
        if (turn.current[place] > turn.current[bestOfAll]) {
            bestOfAll = place;
        }
        const bool isBetter = best == list.size() || turn.current[place] > turn.current[best];
        if (isBetter && (tried.isEmpty() || !tried.contains(list[place]))) {
            best = place;
        }
    }
    const std::size_t chosen = best == list.size() ? bestOfAll : best;
    turn.current[chosen] -= static_cast<std::int64_t>(allowed.weight());
    return list[chosen];
}

std::uint32_t RoundRobin::pick(const PickView& view)
{
    Turn& turn = m_turns[view.group];
    if (turn.cycle.empty()) {
        return step(turn, view.allowed, view.tried);
    }
    const auto advance = [&turn] {
        const std::uint32_t host = turn.cycle[turn.next];
        turn.next = turn.next + 1 == turn.cycle.size() ? 0 : turn.next + 1;
        return host;
    };
    if (view.tried.isEmpty()) {
        return advance();
    }
    for (std::size_t i = 0; i < turn.cycle.size(); ++i) {
        const std::uint32_t host = advance();
        if (!view.tried.contains(host)) {
            return host;
        }
    }
    return advance(); // Every allowed host was tried.
}

} // namespace mesh::policy
