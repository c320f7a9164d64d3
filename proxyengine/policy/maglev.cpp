#include "proxyengine/policy/maglev.h"

#include "proxyengine/base/hash.h"

#include <algorithm>

namespace mesh::policy {
namespace {

struct Entry
{
    std::uint32_t host;
    std::uint64_t weight;
    std::uint64_t target; // Gets a slot in the round where round * weight reaches it.
    std::uint64_t slot; // The next of its permutation.
    std::uint64_t skip;
};

} // namespace

Maglev::Maglev(const HostSet& hosts, std::span<const std::uint32_t> members, std::uint64_t size)
{
    constexpr std::uint32_t kFree = ~std::uint32_t{0};
    if (members.empty()) {
        return;
    }
    std::vector<std::uint32_t> ordered(members.begin(), members.end());
    std::ranges::stable_sort(ordered, {}, [&hosts](std::uint32_t host) { return hosts.key(host); });
    std::vector<Entry> entries;
    entries.reserve(ordered.size());
    std::uint64_t weightMax = 0;
    for (const std::uint32_t host : ordered) {
        const std::uint64_t offset = xxh64(hosts.key(host), 0) % size;
        const std::uint64_t skip = xxh64(hosts.key(host), 1) % (size - 1) + 1;
        entries.push_back({host, hosts[host].weight, 0, offset, skip});
        weightMax = std::max<std::uint64_t>(weightMax, hosts[host].weight);
    }
    m_hosts.assign(size, kFree);
    std::uint64_t filled = 0;
    for (std::uint64_t round = 1; filled < size; ++round) {
        for (Entry& entry : entries) {
            if (filled == size || round * entry.weight < entry.target) {
                continue;
            }
            entry.target += weightMax;
            while (m_hosts[entry.slot] != kFree) {
                entry.slot = (entry.slot + entry.skip) % size;
            }
            m_hosts[entry.slot] = entry.host;
            ++filled;
        }
    }
}

} // namespace mesh::policy
