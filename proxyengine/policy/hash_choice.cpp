#include "proxyengine/policy/hash_choice.h"

#include "proxyengine/base/assert.h"

#include <algorithm>
#include <numeric>

namespace mesh::policy {
namespace {

// Whether the walk may stop at a host.
class Gate
{
public:
    explicit Gate(const PickView& view)
        : m_view(view)
        , m_avoidsTried(!view.tried.isEmpty() && view.allowed.hasUntried(view.tried))
    {}

    [[nodiscard]] bool isOpen(std::uint32_t host) const
    {
        return (m_view.allowed.isPanic() || m_view.hosts[host].isAvailable)
               && !(m_avoidsTried && m_view.tried.contains(host));
    }

private:
    const PickView& m_view;
    bool m_avoidsTried;
};

// All places of a list, each once, in an order that the hash decides.
class Permutation
{
public:
    Permutation(std::uint64_t hash, std::size_t count)
        : m_count(count)
        , m_place((hash ^ (hash >> 32U)) % count)
        , m_step(count == 1 ? 1 : 1 + (hash >> 24U) % (count - 1))
    {
        while (std::gcd(m_step, m_count) != 1) {
            ++m_step;
        }
    }

    std::size_t next()
    {
        const std::size_t place = m_place;
        m_place = (m_place + m_step) % m_count;
        return place;
    }

private:
    std::size_t m_count;
    std::size_t m_place;
    std::size_t m_step;
};

} // namespace

template <typename Table>
HashChoice<Table>::HashChoice(
    const HostSet& hosts, std::span<const AllowedHosts> groups, LoadBound bound
)
    : m_bound(bound)
{
    MESH_ASSERT(bound == 0 || bound >= 100);
    for (std::size_t group = 0; group < groups.size(); ++group) {
        const auto same = std::ranges::find_if(groups.first(group), [&](const AllowedHosts& other) {
            return std::ranges::equal(other.members(), groups[group].members());
        });
        if (same != groups.first(group).end()) {
            m_tableOf.push_back(m_tableOf[static_cast<std::size_t>(same - groups.begin())]);
            continue;
        }
        m_tableOf.push_back(m_tables.size());
        const std::span<const std::uint32_t> members = groups[group].members();
        // One host needs no table.
        m_tables.emplace_back(hosts, members.size() > 1 ? members : members.first(0));
    }
}

template <typename Table>
std::uint32_t HashChoice<Table>::pick(const PickView& view) const
{
    if (!view.hash) {
        return drawUntried(view);
    }
    const std::span<const std::uint32_t> list = view.allowed.list();
    if (list.size() == 1) {
        return list.front();
    }
    const Table& table = m_tables[m_tableOf[view.group]];
    const Gate gate(view);
    std::size_t slot = table.slotOf(*view.hash);
    for (std::size_t walked = 0; walked < table.size(); ++walked) {
        const std::uint32_t host = table.host(slot);
        if (gate.isOpen(host)) {
            return m_bound == 0 ? host : withinBound(view, host);
        }
        slot = slot + 1 == table.size() ? 0 : slot + 1;
    }
    // Hosts whose weight is too small for a slot are all that is left.
    Permutation permutation(*view.hash, list.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::uint32_t host = list[permutation.next()];
        if (gate.isOpen(host)) {
            return host;
        }
    }
    return list.front();
}

template <typename Table>
std::uint32_t HashChoice<Table>::withinBound(const PickView& view, std::uint32_t preferred) const
{
    const std::span<const std::uint32_t> list = view.allowed.list();
    std::uint64_t active = 0;
    for (const std::uint32_t host : list) {
        active += view.hosts[host].active;
    }
    const std::uint64_t whole = view.allowed.weight() * 100;
    const auto isWithin = [&](std::uint32_t host) {
        const std::uint64_t share = active * m_bound * view.hosts[host].weight;
        return view.hosts[host].active <= (share + whole - 1) / whole;
    };
    if (isWithin(preferred)) {
        return preferred;
    }
    const Gate gate(view);
    Permutation permutation(*view.hash, list.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::uint32_t host = list[permutation.next()];
        if (gate.isOpen(host) && isWithin(host)) {
            return host;
        }
    }
    return preferred; // Only tried hosts have room.
}

template class HashChoice<Ring>;
template class HashChoice<Maglev>;

} // namespace mesh::policy
