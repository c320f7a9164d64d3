#include "proxyengine/policy/balancer.h"

#include "proxyengine/base/assert.h"
#include "proxyengine/base/limits.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace mesh::policy {

namespace {

using model::Algorithm;

constexpr std::array kAlgorithms{
    AlgorithmRow{Algorithm::RoundRobin, Algorithm::RoundRobin, "round-robin"},
    AlgorithmRow{Algorithm::LeastConnections, Algorithm::LeastConnections, "least-connections"},
    AlgorithmRow{Algorithm::LeastRequests, Algorithm::LeastRequests, "least-requests"},
    AlgorithmRow{Algorithm::Latency, Algorithm::LeastRequests, "latency"},
    AlgorithmRow{Algorithm::ConsistentHashing, Algorithm::RoundRobin, "consistent-hashing"},
    AlgorithmRow{Algorithm::Maglev, Algorithm::RoundRobin, "maglev"},
    AlgorithmRow{Algorithm::Random, Algorithm::Random, "random"},
};

// True when a has less to do for its weight than b. Whole numbers, so that every build agrees.
bool isLessLoaded(const HostState& a, const HostState& b)
{
    const std::uint64_t loadA = (std::uint64_t{a.active} + 1) * b.weight;
    const std::uint64_t loadB = (std::uint64_t{b.active} + 1) * a.weight;
    return loadA < loadB;
}

// True when a has fewer attempts for its weight than b. Idle hosts are equals, so that the draw by
// weight decides between them.
bool isLessBusy(const HostState& a, const HostState& b)
{
    return std::uint64_t{a.active} * b.weight < std::uint64_t{b.active} * a.weight;
}

// The least loaded of the allowed hosts that were not tried, of all when every one was; ties go to
// the first after a random place.
std::uint32_t leastLoaded(
    const AllowedHosts& allowed, const HostSet& hosts, const TriedHosts& tried, Random& random
)
{
    const std::span<const std::uint32_t> list = allowed.list();
    const std::size_t start = random.below(list.size());
    std::optional<std::uint32_t> best;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::size_t place = start + i < list.size() ? start + i : start + i - list.size();
        const std::uint32_t host = list[place];
        if (!tried.contains(host) && (!best || isLessLoaded(hosts[host], hosts[*best]))) {
            best = host;
        }
    }
    return best ? *best : leastLoaded(allowed, hosts, TriedHosts(), random);
}

} // namespace

AllowedHosts::AllowedHosts(std::size_t capacity)
{
    m_list.reserve(capacity);
    m_sums.reserve(capacity);
}

bool AllowedHosts::refresh(const HostSet& hosts)
{
    if (m_epoch == hosts.epoch()) {
        return false;
    }
    m_epoch = hosts.epoch();
    m_list.clear();
    m_sums.clear();
    m_isEven = true;
    std::uint64_t sum = 0;
    for (std::uint32_t host = 0; host < hosts.size(); ++host) {
        const HostState& state = hosts[host];
        if (!state.isAvailable || state.weight == 0) {
            continue;
        }
        m_isEven = m_isEven && (m_list.empty() || state.weight == hosts[m_list.front()].weight);
        sum += state.weight;
        m_list.push_back(host);
        m_sums.push_back(sum);
    }
    return true;
}

std::uint64_t AllowedHosts::weightBefore(std::size_t place) const
{
    return place == 0 ? 0 : m_sums[place - 1];
}

std::size_t AllowedHosts::placeOf(std::uint64_t runningWeight) const
{
    const auto found = std::upper_bound(m_sums.begin(), m_sums.end(), runningWeight);
    return static_cast<std::size_t>(found - m_sums.begin());
}

RoundRobin::RoundRobin(const HostSet& hosts, Random& random)
    : m_allowed(hosts.size())
{
    // The divisor of fewer weights is no smaller, so no later cycle is longer than these bounds.
    m_current.reserve(hosts.size());
    m_cycle.reserve(std::max<std::size_t>(
        hosts.size(), std::min<std::uint64_t>(hosts.weightTotal(), kBalancerCycleMax)
    ));
    m_allowed.refresh(hosts);
    prepare(hosts, random);
}

void RoundRobin::prepare(const HostSet& hosts, Random& random)
{
    const std::span<const std::uint32_t> list = m_allowed.list();
    m_current.assign(list.size(), 0);
    m_cycle.clear();
    m_next = 0;
    if (list.empty()) {
        return;
    }
    if (m_allowed.isEvenlyWeighted()) {
        m_cycle.assign(list.begin(), list.end());
        m_next = random.below(m_cycle.size());
        return;
    }
    std::uint64_t divisor = 0;
    for (const std::uint32_t host : list) {
        divisor = std::gcd(divisor, std::uint64_t{hosts[host].weight});
    }
    const std::uint64_t length = m_allowed.weight() / divisor;
    if (length <= kBalancerCycleMax && length * list.size() <= kBalancerPrepareStepsMax) {
        for (std::uint64_t i = 0; i < length; ++i) {
            m_cycle.push_back(step(hosts, TriedHosts()));
        }
        m_next = random.below(m_cycle.size());
        return;
    }
    for (std::uint64_t skip = random.below(std::min<std::size_t>(list.size(), 32)); skip > 0;
         --skip) {
        static_cast<void>(step(hosts, TriedHosts()));
    }
}

std::uint32_t RoundRobin::step(const HostSet& hosts, const TriedHosts& tried)
{
    const std::span<const std::uint32_t> list = m_allowed.list();
    std::size_t best = list.size();
    std::size_t bestOfAll = 0;
    for (std::size_t place = 0; place < list.size(); ++place) {
        m_current[place] += hosts[list[place]].weight;
        if (m_current[place] > m_current[bestOfAll]) {
            bestOfAll = place;
        }
        const bool isBetter = best == list.size() || m_current[place] > m_current[best];
        if (isBetter && (tried.isEmpty() || !tried.contains(list[place]))) {
            best = place;
        }
    }
    const std::size_t chosen = best == list.size() ? bestOfAll : best;
    m_current[chosen] -= static_cast<std::int64_t>(m_allowed.weight());
    return list[chosen];
}

std::optional<std::uint32_t> RoundRobin::pick(
    const HostSet& hosts, const TriedHosts& tried, Random& random
)
{
    if (m_allowed.refresh(hosts)) {
        prepare(hosts, random);
    }
    if (m_allowed.list().empty()) {
        return std::nullopt;
    }
    if (m_cycle.empty()) {
        return step(hosts, tried);
    }
    for (std::size_t i = 0; i < m_cycle.size(); ++i) {
        const std::uint32_t host = m_cycle[m_next];
        m_next = m_next + 1 == m_cycle.size() ? 0 : m_next + 1;
        if (tried.isEmpty() || !tried.contains(host)) {
            return host;
        }
    }
    const std::uint32_t host = m_cycle[m_next]; // Every allowed host was tried.
    m_next = m_next + 1 == m_cycle.size() ? 0 : m_next + 1;
    return host;
}

LeastRequests::LeastRequests(const HostSet& hosts)
    : m_allowed(hosts.size())
{
    m_allowed.refresh(hosts);
}

std::optional<std::uint32_t> LeastRequests::pick(
    const HostSet& hosts, const TriedHosts& tried, Random& random
)
{
    m_allowed.refresh(hosts);
    const std::span<const std::uint32_t> list = m_allowed.list();
    if (list.empty()) {
        return std::nullopt;
    }
    if (list.size() == 1) {
        return list.front();
    }
    if (!tried.isEmpty()) {
        return leastLoaded(m_allowed, hosts, tried, random);
    }
    std::size_t first = 0;
    std::size_t second = 0;
    if (m_allowed.isEvenlyWeighted()) {
        first = random.below(list.size());
        second = random.below(list.size() - 1);
        second += second >= first ? 1 : 0;
    } else {
        first = m_allowed.placeOf(random.below(m_allowed.weight()));
        // The second is drawn from a scale with the first one's stretch cut out.
        const std::uint64_t cut = hosts[list[first]].weight;
        std::uint64_t running = random.below(m_allowed.weight() - cut);
        running += running >= m_allowed.weightBefore(first) ? cut : 0;
        second = m_allowed.placeOf(running);
    }
    return isLessBusy(hosts[list[second]], hosts[list[first]]) ? list[second] : list[first];
}

LeastConnections::LeastConnections(const HostSet& hosts)
    : m_allowed(hosts.size())
{
    m_allowed.refresh(hosts);
}

std::optional<std::uint32_t> LeastConnections::pick(
    const HostSet& hosts, const TriedHosts& tried, Random& random
)
{
    m_allowed.refresh(hosts);
    if (m_allowed.list().empty()) {
        return std::nullopt;
    }
    return leastLoaded(m_allowed, hosts, tried, random);
}

RandomChoice::RandomChoice(const HostSet& hosts)
    : m_allowed(hosts.size())
{
    m_allowed.refresh(hosts);
}

std::optional<std::uint32_t> RandomChoice::pick(
    const HostSet& hosts, const TriedHosts& tried, Random& random
)
{
    m_allowed.refresh(hosts);
    const std::span<const std::uint32_t> list = m_allowed.list();
    if (list.empty()) {
        return std::nullopt;
    }
    const std::size_t drawn = m_allowed.placeOf(random.below(m_allowed.weight()));
    for (std::size_t i = 0; i < list.size() && !tried.isEmpty(); ++i) {
        const std::uint32_t host = list[(drawn + i) % list.size()];
        if (!tried.contains(host)) {
            return host;
        }
    }
    return list[drawn];
}

std::span<const AlgorithmRow> algorithmTable() { return kAlgorithms; }

namespace {

std::variant<RoundRobin, LeastRequests, LeastConnections, RandomChoice> makeAlgorithm(
    Algorithm named, const HostSet& hosts, Random& random
)
{
    const auto row = std::ranges::find(kAlgorithms, named, &AlgorithmRow::named);
    MESH_ASSERT(row != kAlgorithms.end());
    switch (row->runs) {
    case Algorithm::LeastRequests:
        return LeastRequests(hosts);
    case Algorithm::LeastConnections:
        return LeastConnections(hosts);
    case Algorithm::Random:
        return RandomChoice(hosts);
    default:
        return RoundRobin(hosts, random);
    }
}

} // namespace

Balancer::Balancer(Algorithm algorithm, const HostSet& hosts, Random& random)
    : m_algorithm(makeAlgorithm(algorithm, hosts, random))
{}

std::optional<std::uint32_t> Balancer::pick(
    const HostSet& hosts, const TriedHosts& tried, Random& random
)
{
    return std::visit(
        [&](auto& algorithm) { return algorithm.pick(hosts, tried, random); }, m_algorithm
    );
}

} // namespace mesh::policy
