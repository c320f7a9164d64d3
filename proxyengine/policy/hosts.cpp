#include "proxyengine/policy/hosts.h"

#include "proxyengine/base/assert.h"

#include <algorithm>

namespace mesh::policy {

HostSet::HostSet(std::span<const std::uint32_t> weights)
{
    m_hosts.reserve(weights.size());
    for (const std::uint32_t weight : weights) {
        m_hosts.push_back({weight, 0, true});
        m_weightTotal += weight;
    }
    m_weightAvailable = m_weightTotal;
}

void HostSet::end(std::size_t host)
{
    MESH_ASSERT(m_hosts[host].active > 0);
    --m_hosts[host].active;
}

void HostSet::setAvailability(std::size_t host, Availability availability)
{
    HostState& state = m_hosts[host];
    const bool isAvailable = availability == Availability::Available;
    if (state.isAvailable == isAvailable) {
        return;
    }
    state.isAvailable = isAvailable;
    if (isAvailable) {
        m_weightAvailable += state.weight;
    } else {
        m_weightAvailable -= state.weight;
    }
    ++m_epoch;
}

bool HostSet::isUsable(double threshold) const
{
    if (m_weightAvailable == 0) {
        return false;
    }
    const double share =
        100.0 * static_cast<double>(m_weightAvailable) / static_cast<double>(m_weightTotal);
    return share > threshold;
}

void TriedHosts::add(std::uint32_t host)
{
    if (!contains(host)) {
        m_hosts[m_count % kTriedMax] = host;
        ++m_count;
    }
}

bool TriedHosts::contains(std::uint32_t host) const
{
    const auto* const end = m_hosts.data() + std::min(m_count, kTriedMax);
    return std::find(m_hosts.data(), end, host) != end;
}

} // namespace mesh::policy
