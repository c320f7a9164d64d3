#include "proxyengine/policy/allowed.h"

#include <algorithm>

namespace mesh::policy {

AllowedHosts::AllowedHosts(std::vector<std::uint32_t> members, WeightKind kind)
    : m_members(std::move(members))
    , m_kind(kind)
{
    m_list.reserve(m_members.size());
    m_sums.reserve(m_members.size());
    m_starts.reserve(2 * m_members.size() + 1);
}

bool AllowedHosts::refresh(const HostSet& hosts, bool isPanic)
{
    const std::size_t countBefore = m_list.size();
    bool isChanged = false;
    std::size_t count = 0;
    std::uint64_t sum = 0;
    std::uint64_t firstWeight = 0;
    m_isEven = true;
    m_isPanic = isPanic;
    // Both lists are overwritten in place, so that the same walk finds whether anything changed.
    m_list.resize(m_members.size());
    m_sums.resize(m_members.size());
    for (const std::uint32_t host : m_members) {
        const HostState& state = hosts[host];
        if (!state.isAvailable && !isPanic) {
            continue;
        }
        const std::uint64_t weight = m_kind == WeightKind::Warming ? state.pull : state.weight;
        firstWeight = count == 0 ? weight : firstWeight;
        m_isEven = m_isEven && weight == firstWeight;
        sum += weight;
        isChanged =
            isChanged || count >= countBefore || m_list[count] != host || m_sums[count] != sum;
        m_list[count] = host;
        m_sums[count] = sum;
        ++count;
    }
    m_list.resize(count);
    m_sums.resize(count);
    isChanged = isChanged || count != countBefore;
    if (isChanged && !m_isEven) {
        indexWeights();
    }
    return isChanged;
}

void AllowedHosts::indexWeights()
{
    m_starts.clear();
    m_shift = 0;
    while (((weight() - 1) >> m_shift) + 1 > 2 * m_list.size()) {
        ++m_shift;
    }
    std::uint32_t place = 0;
    for (std::uint64_t start = 0; start < weight(); start += std::uint64_t{1} << m_shift) {
        while (m_sums[place] <= start) {
            ++place;
        }
        m_starts.push_back(place);
    }
}

std::uint64_t AllowedHosts::weightBefore(std::size_t place) const
{
    return place == 0 ? 0 : m_sums[place - 1];
}

std::uint64_t AllowedHosts::weightAt(std::size_t place) const
{
    return m_sums[place] - weightBefore(place);
}

std::size_t AllowedHosts::placeOf(std::uint64_t runningWeight) const
{
    std::size_t place = m_starts[runningWeight >> m_shift];
    while (m_sums[place] <= runningWeight) {
        ++place;
    }
    return place;
}

bool AllowedHosts::hasUntried(const TriedHosts& tried) const
{
    const auto triedHere = std::ranges::count_if(tried.list(), [this](std::uint32_t host) {
        return std::ranges::binary_search(m_list, host);
    });
    return static_cast<std::size_t>(triedHere) < m_list.size();
}

TwoPlaces drawTwo(const AllowedHosts& allowed, Random& random)
{
    const std::size_t count = allowed.list().size();
    if (allowed.isEvenlyWeighted()) {
        const std::size_t first = random.below(count);
        const std::size_t second = random.below(count - 1);
        return {first, second + (second >= first ? 1 : 0)};
    }
    const std::size_t first = allowed.placeOf(random.below(allowed.weight()));
    // The second is drawn from a scale with the first one's stretch cut out.
    const std::uint64_t cut = allowed.weightAt(first);
    std::uint64_t running = random.below(allowed.weight() - cut);
    running += running >= allowed.weightBefore(first) ? cut : 0;
    return {first, allowed.placeOf(running)};
}

std::uint32_t drawUntried(const PickView& view)
{
    const std::span<const std::uint32_t> list = view.allowed.list();
    const std::size_t drawn = view.allowed.isEvenlyWeighted()
                                  ? view.random.below(list.size())
                                  : view.allowed.placeOf(view.random.below(view.allowed.weight()));
    for (std::size_t i = 0; i < list.size() && !view.tried.isEmpty(); ++i) {
        const std::uint32_t host = list[(drawn + i) % list.size()];
        if (!view.tried.contains(host)) {
            return host;
        }
    }
    return list[drawn];
}

} // namespace mesh::policy
