#include "proxyengine/policy/ring.h"

#include "proxyengine/base/hash.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

namespace mesh::policy {
namespace {

struct Point
{
    std::uint64_t hash;
    std::uint32_t host;
    friend auto operator<=>(const Point&, const Point&) = default;
};

} // namespace

Ring::Ring(
    const HostSet& hosts,
    std::span<const std::uint32_t> members,
    std::uint64_t pointsMin,
    std::uint64_t pointsMax
)
{
    std::uint64_t sum = 0;
    std::uint64_t least = ~std::uint64_t{0};
    for (const std::uint32_t host : members) {
        sum += hosts[host].weight;
        least = std::min<std::uint64_t>(least, hosts[host].weight);
    }
    if (sum == 0) {
        return;
    }
    // In doubles and in this order, because the points of others are rounded so.
    const double shareMin = static_cast<double>(least) / static_cast<double>(sum);
    const double scale = std::min(
        std::ceil(shareMin * static_cast<double>(pointsMin)) / shareMin,
        static_cast<double>(pointsMax)
    );
    std::vector<Point> points;
    points.reserve(static_cast<std::size_t>(std::ceil(scale)));
    double target = 0;
    double current = 0;
    std::string text;
    for (const std::uint32_t host : members) {
        const double share = static_cast<double>(hosts[host].weight) / static_cast<double>(sum);
        target += scale * share;
        text = hosts.key(host);
        text += '_';
        const std::size_t prefix = text.size();
        for (std::uint64_t number = 0; current < target; ++number) {
            text.resize(prefix);
            text += std::to_string(number);
            points.push_back({xxh64(text), host});
            current += 1;
        }
    }
    std::ranges::sort(points);
    m_points.reserve(points.size());
    m_hosts.reserve(points.size());
    for (const Point& point : points) {
        m_points.push_back(point.hash);
        m_hosts.push_back(point.host);
    }
    indexPoints();
}

void Ring::indexPoints()
{
    const std::size_t buckets = std::bit_ceil(std::max<std::size_t>(m_points.size(), 2));
    m_shift = 64U - static_cast<unsigned>(std::countr_zero(buckets));
    m_starts.reserve(buckets);
    std::uint32_t slot = 0;
    for (std::uint64_t bucket = 0; bucket < buckets; ++bucket) {
        while (slot < m_points.size() && m_points[slot] < bucket << m_shift) {
            ++slot;
        }
        m_starts.push_back(slot);
    }
}

std::size_t Ring::slotOf(std::uint64_t hash) const
{
    std::size_t slot = m_starts[hash >> m_shift];
    while (slot < m_points.size() && m_points[slot] < hash) {
        ++slot;
    }
    return slot == m_points.size() ? 0 : slot;
}

} // namespace mesh::policy
