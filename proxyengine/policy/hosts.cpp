#include "proxyengine/policy/hosts.h"

#include "proxyengine/base/assert.h"
#include "proxyengine/policy/slow_start.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace mesh::policy {
namespace {

std::vector<HostSpec> specsOf(std::span<const std::uint32_t> weights)
{
    std::vector<HostSpec> specs(weights.size());
    for (std::size_t host = 0; host < weights.size(); ++host) {
        specs[host].key = std::to_string(host);
        specs[host].weight = weights[host];
    }
    return specs;
}

} // namespace

HostSet::HostSet(std::span<const std::uint32_t> weights)
    : HostSet(specsOf(weights), HostSettings{})
{}

HostSet::HostSet(std::vector<HostSpec> specs, HostSettings settings)
    : m_levelCount(settings.levels)
    , m_versions(1)
    , m_specs(std::move(specs))
    , m_locality(std::move(settings.locality))
    , m_slowStart(settings.slowStart)
    , m_warmingSince(m_specs.size())
{
    MESH_ASSERT(m_levelCount >= 1 && (m_locality || m_levelCount == 1));
    m_hosts.resize(m_specs.size());
    m_subsets.resize(m_specs.size(), kAllHosts);
    for (std::size_t host = 0; host < m_specs.size(); ++host) {
        const HostSpec& spec = m_specs[host];
        MESH_ASSERT(spec.level < m_levelCount);
        m_hosts[host].weight = spec.weight;
        m_hosts[host].pull = pullOf(host, kWarmPercent);
        m_weightTotal += spec.weight;
        if (spec.joinedAt) {
            startWarming(host, *spec.joinedAt);
        }
        m_subsets[host] = subsetOf(spec.version);
        if (m_subsets[host] == kNoHosts) {
            m_subsets[host] = static_cast<Subset>(m_versions.size());
            m_versions.push_back(spec.version);
        }
    }
    m_byKey.resize(m_specs.size());
    std::iota(m_byKey.begin(), m_byKey.end(), 0U);
    std::ranges::stable_sort(m_byKey, {}, [this](std::uint32_t host) {
        return std::string_view(m_specs[host].key);
    });
    m_weightAvailable = m_weightTotal;
    m_scratch.resize(m_levelCount);
    countLevels();
}

void HostSet::countLevels()
{
    m_levels.assign(m_versions.size() * m_levelCount, LevelState{});
    for (std::size_t host = 0; host < m_hosts.size(); ++host) {
        if (m_hosts[host].weight == 0) {
            continue;
        }
        LevelState& all = m_levels[m_specs[host].level];
        ++all.total;
        ++all.healthy;
        if (m_subsets[host] != kAllHosts) {
            LevelState& own = levelsOf(m_subsets[host])[m_specs[host].level];
            ++own.total;
            ++own.healthy;
        }
    }
    for (Subset subset = 0; subset < m_versions.size(); ++subset) {
        assignLevels(subset);
    }
}

std::span<LevelState> HostSet::levelsOf(Subset subset)
{
    return std::span(m_levels).subspan(std::size_t{subset} * m_levelCount, m_levelCount);
}

void HostSet::assignLevels(Subset subset)
{
    const std::span<LevelState> levels = levelsOf(subset);
    std::ranges::copy(levels, m_scratch.begin());
    assignLoads(levels, m_locality ? &*m_locality : nullptr);
    const bool isSame =
        std::ranges::equal(levels, m_scratch, [](const LevelState& a, const LevelState& b) {
            return a.load == b.load && a.isPanic == b.isPanic;
        });
    if (!isSame) {
        ++m_localityEpoch;
    }
    if (subset == kAllHosts) {
        m_isInPanic = std::ranges::any_of(levels, &LevelState::isPanic);
    }
}

std::optional<std::size_t> HostSet::find(std::string_view key) const
{
    const auto keyOf = [this](std::uint32_t host) { return std::string_view(m_specs[host].key); };
    const auto found = std::ranges::lower_bound(m_byKey, key, {}, keyOf);
    if (found == m_byKey.end() || keyOf(*found) != key) {
        return std::nullopt;
    }
    return *found;
}

Subset HostSet::subsetOf(std::string_view version) const
{
    const auto found = std::ranges::find(m_versions, version);
    return found == m_versions.end() ? kNoHosts : static_cast<Subset>(found - m_versions.begin());
}

bool HostSet::isIn(std::size_t host, Subset subset) const
{
    return subset == kAllHosts || m_subsets[host] == subset;
}

std::uint32_t HostSet::subsets() const { return static_cast<std::uint32_t>(m_versions.size()); }

void HostSet::end(std::size_t host)
{
    MESH_ASSERT(m_hosts[host].active > 0);
    --m_hosts[host].active;
}

void HostSet::setAvailability(std::size_t host, Availability availability, TimePoint now)
{
    HostState& state = m_hosts[host];
    const bool isAvailable = availability == Availability::Available;
    if (state.isAvailable == isAvailable) {
        return;
    }
    state.isAvailable = isAvailable;
    state.pull = pullOf(host, kWarmPercent);
    m_warmingSince[host].reset();
    if (isAvailable) {
        startWarming(host, now);
    }
    ++m_epoch;
    if (state.weight > 0) {
        countAvailability(host);
    }
}

void HostSet::countAvailability(std::size_t host)
{
    const HostState& state = m_hosts[host];
    const auto count = [&state](LevelState& level) {
        level.healthy += state.isAvailable ? 1U : ~0U; // Modulo 2^32: minus one.
    };
    m_weightAvailable += state.isAvailable ? state.weight : 0 - std::uint64_t{state.weight};
    const std::uint32_t level = m_specs[host].level;
    count(levelsOf(kAllHosts)[level]);
    assignLevels(kAllHosts);
    if (m_subsets[host] != kAllHosts) {
        count(levelsOf(m_subsets[host])[level]);
        assignLevels(m_subsets[host]);
    }
}

std::uint32_t HostSet::pullOf(std::size_t host, std::uint32_t percent) const
{
    const std::uint64_t scale = m_slowStart > Duration::zero() ? percent : 1;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(
        m_hosts[host].weight * scale, std::numeric_limits<std::uint32_t>::max()
    ));
}

void HostSet::startWarming(std::size_t host, TimePoint since)
{
    if (m_slowStart <= Duration::zero()) {
        return;
    }
    m_warmingSince[host] = since;
    m_hosts[host].pull = pullOf(host, warmth(Duration::zero(), m_slowStart));
    m_nextStep = std::min(m_nextStep, since + warmingStep(m_slowStart));
}

void HostSet::stepWarming(TimePoint now)
{
    bool isChanged = false;
    m_nextStep = TimePoint::max();
    for (std::size_t host = 0; host < m_hosts.size(); ++host) {
        std::optional<TimePoint>& since = m_warmingSince[host];
        if (!since) {
            continue;
        }
        const std::uint32_t percent = warmth(now - *since, m_slowStart);
        const std::uint32_t pull = pullOf(host, percent);
        isChanged = isChanged || pull != m_hosts[host].pull;
        m_hosts[host].pull = pull;
        if (percent == kWarmPercent) {
            since.reset();
        } else {
            m_nextStep = now + warmingStep(m_slowStart);
        }
    }
    if (isChanged) {
        ++m_epoch;
    }
}

std::optional<TimePoint> HostSet::warmingSince(std::size_t host) const
{
    return m_warmingSince[host];
}

bool HostSet::isUsable(double threshold) const
{
    if (m_isInPanic) {
        return true;
    }
    if (m_weightAvailable == 0) {
        return false;
    }
    const double share =
        100.0 * static_cast<double>(m_weightAvailable) / static_cast<double>(m_weightTotal);
    return share > threshold;
}

LocalityState HostSet::locality(Subset subset) const
{
    MESH_ASSERT(subset < m_versions.size());
    return {
        m_localityEpoch,
        std::span(m_levels).subspan(std::size_t{subset} * m_levelCount, m_levelCount)};
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
    const auto tried = list();
    return std::find(tried.begin(), tried.end(), host) != tried.end();
}

std::span<const std::uint32_t> TriedHosts::list() const
{
    return {m_hosts.data(), std::min(m_count, kTriedMax)};
}

} // namespace mesh::policy
