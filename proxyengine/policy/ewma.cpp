#include "proxyengine/policy/ewma.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace mesh::policy {
namespace {

constexpr unsigned kFineBits = 16;
constexpr std::uint64_t kRttNanosMax = std::uint64_t{1} << 40U;
constexpr std::uint64_t kOne = std::uint64_t{1} << 32U; // 1.0 of a factor.

// 2^(-i/256) as factors; products of the root, so that it needs no library at run time.
constexpr std::array<std::uint64_t, 256> kHalving = [] {
    constexpr double kRoot = 0.99729605608547012625; // 2^(-1/256)
    std::array<std::uint64_t, 256> table{};
    double value = 1.0;
    for (std::uint64_t& entry : table) {
        entry = static_cast<std::uint64_t>(value * static_cast<double>(kOne) + 0.5);
        value *= kRoot;
    }
    return table;
}();

// value * factor, without 128 bits; exact but for the floor.
std::uint64_t scaled(std::uint64_t value, std::uint64_t factor)
{
    return (value >> 32U) * factor + ((value & 0xffffffffU) * factor >> 32U);
}

// e^(-age / decay) as a factor, to about one part in 10^8.
std::uint64_t fadingOf(Duration age)
{
    constexpr std::int64_t kAgeMax = std::int64_t{1} << 38U; // 27 decays: nothing is left.
    if (age.count() <= 0) {
        return kOne;
    }
    if (age.count() >= kAgeMax) {
        return 0;
    }
    // log2(e) / decay in nanoseconds, times 2^56.
    constexpr auto kPerNano = static_cast<std::uint64_t>(
        1.4426950408889634 / static_cast<double>(PeakEwma::kDecay.count()) * 0x1.0p56
    );
    constexpr std::uint64_t kLn2 = 2'977'044'472; // As a factor.
    const std::uint64_t halvings = static_cast<std::uint64_t>(age.count()) * kPerNano >> 24U;
    const std::uint64_t whole = halvings >> 32U;
    const std::uint64_t step = (halvings >> 24U) & 0xffU;
    // Within a step the series of e^-x does: the third term is below 10^-8.
    const std::uint64_t rest = (halvings & 0xffffffU) * kLn2 >> 32U;
    const std::uint64_t within = kOne - rest + (rest * rest >> 33U);
    return scaled(kHalving[step], within) >> whole;
}

std::uint64_t fineOf(Duration rtt)
{
    const auto nanos = static_cast<std::uint64_t>(std::max<Duration::rep>(rtt.count(), 0));
    return std::min(nanos, kRttNanosMax) << kFineBits;
}

Duration coarseOf(std::uint64_t fine)
{
    return Duration(static_cast<Duration::rep>(fine >> kFineBits));
}

} // namespace

void PeakEwma::start(Duration value, TimePoint now)
{
    m_value = fineOf(value);
    m_at = now;
}

void PeakEwma::observe(Duration rtt, TimePoint now)
{
    const std::uint64_t news = fineOf(rtt);
    if (news > m_value) {
        m_value = news;
    } else {
        const std::uint64_t fading = fadingOf(now - m_at);
        m_value = scaled(m_value, fading) + scaled(news, kOne - fading);
    }
    m_at = std::max(m_at, now);
}

std::uint64_t PeakEwma::fineAt(TimePoint now) const
{
    return scaled(m_value, fadingOf(now - m_at));
}

Duration PeakEwma::at(TimePoint now) const { return coarseOf(fineAt(now)); }

Latency::Latency(const HostSet& hosts, std::span<const AllowedHosts> /*groups*/)
    : m_hosts(hosts.size())
{}

void Latency::prepare(
    const HostSet& /*hosts*/, const AllowedHosts& allowed, std::size_t /*group*/, Random& /*random*/
)
{
    // Whoever left the list is a stranger when it comes back.
    std::size_t place = 0;
    const std::span<const std::uint32_t> list = allowed.list();
    for (const std::uint32_t host : allowed.members()) {
        if (place < list.size() && list[place] == host) {
            ++place;
        } else {
            m_hosts[host].isKnown = false;
        }
    }
}

void Latency::introduce(std::span<const std::uint32_t> list, TimePoint now)
{
    std::uint64_t sum = 0;
    std::uint64_t count = 0;
    for (const std::uint32_t host : list) {
        if (m_hosts[host].isKnown) {
            sum += m_hosts[host].rtt.fineAt(now) >> kFineBits;
            ++count;
        }
    }
    const Duration start =
        count == 0 ? PeakEwma::kDefaultRtt : Duration(static_cast<Duration::rep>(sum / count));
    for (const std::uint32_t host : list) {
        if (!m_hosts[host].isKnown) {
            m_hosts[host].rtt.start(start, now);
            m_hosts[host].isKnown = true;
        }
    }
}

std::uint64_t Latency::costOf(const PickView& view, std::uint32_t host)
{
    constexpr std::uint64_t kActiveMax = 0xffff; // 2^48 of latency times 2^16 is what fits.
    if (!m_hosts[host].isKnown) {
        introduce(view.allowed.list(), view.now);
    }
    const std::uint64_t latency = m_hosts[host].rtt.fineAt(view.now) >> 8U;
    // Never zero, so that hosts which nobody asked for long still share what comes.
    return std::max<std::uint64_t>(latency, 1)
           * (std::min<std::uint64_t>(view.hosts[host].active, kActiveMax - 1) + 1);
}

std::uint32_t Latency::pick(const PickView& view)
{
    const std::span<const std::uint32_t> list = view.allowed.list();
    if (list.size() == 1) {
        return list.front();
    }
    if (view.tried.isEmpty()) {
        const TwoPlaces drawn = drawTwo(view.allowed, view.random);
        const std::uint32_t first = list[drawn.first];
        const std::uint32_t second = list[drawn.second];
        return costOf(view, second) < costOf(view, first) ? second : first;
    }
    const bool isChoosy = view.allowed.hasUntried(view.tried);
    const std::size_t start = view.random.below(list.size());
    std::optional<std::uint32_t> best;
    std::uint64_t least = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::uint32_t host = list[(start + i) % list.size()];
        if (isChoosy && view.tried.contains(host)) {
            continue;
        }
        const std::uint64_t cost = costOf(view, host);
        if (!best || cost < least) {
            best = host;
            least = cost;
        }
    }
    return *best;
}

void Latency::report(std::uint32_t host, TimePoint now, Duration rtt, AttemptEnd end)
{
    Known& known = m_hosts[host];
    if (!known.isKnown) {
        return;
    }
    if (end == AttemptEnd::Failed) {
        rtt = std::max({rtt, PeakEwma::kDefaultRtt, known.rtt.at(now)});
    }
    known.rtt.observe(rtt, now);
}

void Latency::carryOver(
    const Latency& from, const HostSet& fromHosts, const HostSet& hosts, TimePoint now
)
{
    for (std::size_t host = 0; host < hosts.size(); ++host) {
        const std::optional<std::size_t> before = fromHosts.find(hosts.key(host));
        if (before && from.m_hosts[*before].isKnown) {
            m_hosts[host] = from.m_hosts[*before];
        }
    }
    std::vector<std::uint32_t> all(m_hosts.size());
    std::iota(all.begin(), all.end(), 0U);
    introduce(all, now);
}

std::optional<Duration> Latency::estimate(std::uint32_t host, TimePoint now) const
{
    if (!m_hosts[host].isKnown) {
        return std::nullopt;
    }
    return m_hosts[host].rtt.at(now);
}

} // namespace mesh::policy
