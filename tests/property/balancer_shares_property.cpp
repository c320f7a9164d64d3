#include "proxyengine/policy/balancer.h"
#include "proxyengine/policy/slow_start.h"
#include "tests/support/seeded_run.h"

#include <QTest>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

// Goal: shares are what they should be, for any weights, zones and ages.
// Method: random settings and events against counts and plain formulas. Each property must catch
//         something that is wrong in just that way.
namespace mesh::policy {

using namespace std::chrono_literals;
using test::Violation;

class BalancerSharesProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void roundRobinIsExactAndSmooth();
    void aRandomTurnIsNot();
    void aTurnInBlocksIsNotSmooth();
    void twoChoicesLevelTheLoad();
    void oneChoiceDoesNot();
    void zoneLoadsAddUp();
    void roundedDownLoadsDoNot();
    void panicBelowTheThresholdAloneIsCaught();
    void slowStartOnlyGrows();
    void aSawtoothIsCaught();
};

namespace {

constexpr TimePoint kNow{1000s};

std::uint32_t draw(Random& random, std::uint64_t bound)
{
    return static_cast<std::uint32_t>(random.below(bound));
}

// ---- Round robin ----

class Turns
{
public:
    Turns(HostSet& hosts, Random& random)
        : m_balancer(model::Algorithm::RoundRobin, hosts, random)
    {}
    std::uint32_t pick(HostSet& hosts, Random& random)
    {
        return m_balancer.pick({kNow, TriedHosts()}, hosts, random).host.value_or(0);
    }

private:
    Balancer m_balancer;
};

class RandomTurns
{
public:
    RandomTurns(HostSet& hosts, Random& random)
        : m_balancer(model::Algorithm::Random, hosts, random)
    {}
    std::uint32_t pick(HostSet& hosts, Random& random)
    {
        return m_balancer.pick({kNow, TriedHosts()}, hosts, random).host.value_or(0);
    }

private:
    Balancer m_balancer;
};

// Each host as often as its weight says, but all at once.
class Blocks
{
public:
    Blocks(HostSet& hosts, Random& /*random*/)
    {
        for (std::uint32_t host = 0; host < hosts.size(); ++host) {
            const std::uint32_t times = hosts[host].isAvailable ? hosts[host].weight : 0;
            m_order.insert(m_order.end(), times, host);
        }
    }
    std::uint32_t pick(HostSet& /*hosts*/, Random& /*random*/)
    {
        return m_order[m_next++ % m_order.size()];
    }

private:
    std::vector<std::uint32_t> m_order;
    std::size_t m_next = 0;
};

// Over any whole cycle each host gets exactly its weight. At no moment is one further from its
// share than a smooth order allows: less than the number of hosts.
template <typename Subject>
Violation checkTurns(Seed seed)
{
    Random random(seed);
    std::vector<std::uint32_t> weights(1 + random.below(12));
    const std::uint64_t weightMax = random.chance(0.2) ? 3000 : 40;
    std::ranges::generate(weights, [&] { return draw(random, weightMax + 1); });
    HostSet hosts(weights);
    for (std::size_t host = 0; host < hosts.size(); ++host) {
        if (random.chance(0.2)) {
            hosts.setAvailability(host, HostSet::Availability::Unavailable, kNow);
        }
    }
    const std::uint64_t cycle = hosts.weightAvailable();
    if (cycle == 0) {
        return {};
    }
    Subject subject(hosts, random);
    std::vector<std::uint32_t> order(2 * cycle);
    std::ranges::generate(order, [&] { return subject.pick(hosts, random); });
    std::vector<std::uint64_t> picks(hosts.size(), 0);
    for (std::size_t at = 0; at < order.size(); ++at) {
        ++picks[order[at]];
        const double due = static_cast<double>(hosts[order[at]].weight)
                           * static_cast<double>(at + 1) / static_cast<double>(cycle);
        const double lead = static_cast<double>(picks[order[at]]) - due;
        if (lead > static_cast<double>(hosts.size())) {
            return fmt::format("host {} is {} ahead of its share", order[at], lead);
        }
    }
    for (std::size_t host = 0; host < hosts.size(); ++host) {
        const std::uint64_t due = hosts[host].isAvailable ? 2 * hosts[host].weight : 0;
        if (picks[host] != due) {
            return fmt::format("host {} got {} of {} turns", host, picks[host], due);
        }
    }
    return {};
}

// ---- Two choices ----

// As many attempts as `perHost` allows, none of which ends: the fullest of n hosts is above the
// average by about log2 ln n with two choices, by much more with one.
Violation checkLevel(model::Algorithm algorithm, Seed seed)
{
    constexpr std::uint32_t kPerHost = 64;
    Random random(seed);
    const std::size_t count = 20 + random.below(180);
    HostSet hosts(std::vector<std::uint32_t>(count, 100));
    Balancer balancer(algorithm, hosts, random);
    for (std::size_t i = 0; i < count * kPerHost; ++i) {
        const auto host = balancer.pick({kNow, TriedHosts(), random.next()}, hosts, random).host;
        hosts.begin(host.value_or(0));
    }
    const auto [least, most] = std::ranges::minmax(hosts.hosts(), {}, &HostState::active);
    if (most.active > kPerHost + 5 || least.active + 16 < kPerHost) {
        return fmt::format("of {} hosts one has {}, one {}", count, least.active, most.active);
    }
    return {};
}

// ---- Zones ----

using Assign = void (*)(std::span<LevelState>, const model::Locality*);

void roundDown(std::span<LevelState> levels, const model::Locality* locality)
{
    assignLoads(levels, locality);
    for (LevelState& level : levels) {
        level.load -= level.load % 7 == 3 ? 1U : 0U;
    }
}

void panicEagerly(std::span<LevelState> levels, const model::Locality* locality)
{
    assignLoads(levels, locality);
    for (LevelState& level : levels) {
        level.isPanic = 100.0 * level.healthy < locality->panicPercent * level.total;
    }
}

// The reference's formulas in plain percent.
Violation checkLoads(Assign assign, Seed seed)
{
    Random random(seed);
    model::Locality locality;
    locality.panicPercent = draw(random, 101);
    locality.overprovisioning = 100 + draw(random, 101);
    std::vector<LevelState> levels(1 + random.below(5));
    std::vector<double> health;
    std::uint32_t hosts = 0;
    for (LevelState& level : levels) {
        level.total = draw(random, 30);
        level.healthy = random.chance(0.2) ? 0 : draw(random, level.total + 1);
        hosts += level.total;
        const std::uint64_t over = static_cast<std::uint64_t>(locality.overprovisioning);
        const std::uint64_t percent = level.total == 0 ? 0 : over * level.healthy / level.total;
        health.push_back(static_cast<double>(std::min<std::uint64_t>(percent, 100)));
    }
    assign(levels, &locality);
    const double sum = std::accumulate(health.begin(), health.end(), 0.0);
    const bool isServed = sum > 0 || (hosts > 0 && locality.panicPercent > 0);
    std::uint32_t loads = 0;
    double left = 100;
    for (std::size_t at = 0; at < levels.size(); ++at) {
        const LevelState& level = levels[at];
        loads += level.load;
        const double due = std::min(left, health[at] * 100 / std::min(100.0, std::max(sum, 1.0)));
        left -= due;
        if (sum > 0 && std::abs(level.load - due) > 1.0) {
            return fmt::format("level {} has load {} instead of {}", at, level.load, due);
        }
        const bool isShort = 100.0 * level.healthy < locality.panicPercent * level.total;
        if (level.isPanic != (sum < 100 && isShort)) {
            return fmt::format("level {} is wrong about panic", at);
        }
        if (level.load > 0 && level.healthy == 0 && !level.isPanic) {
            return fmt::format("level {} has load and nobody to carry it", at);
        }
    }
    if (loads != (isServed ? 100U : 0U)) {
        return fmt::format("the loads add up to {}", loads);
    }
    return {};
}

// ---- Slow start ----

using Warmth = std::uint32_t (*)(Duration, Duration);

std::uint32_t sawtooth(Duration age, Duration window)
{
    return warmth(age % (window * 3 / 4), window);
}

Violation checkWarmth(Warmth share, Seed seed)
{
    Random random(seed);
    const Duration window(static_cast<std::int64_t>(1'000'000 + random.below(600'000'000'000)));
    Duration age{};
    std::uint32_t last = 0;
    for (int step = 0; step < 300; ++step) {
        const std::uint32_t now = share(age, window);
        if (now < last || now < kColdPercent || now > kWarmPercent) {
            return fmt::format("from {} % to {} %", last, now);
        }
        last = now;
        age += Duration(static_cast<std::int64_t>(
            random.below(static_cast<std::uint64_t>(window.count()) / 100)
        ));
    }
    return share(window, window) == kWarmPercent ? Violation() : "cold at the end";
}

// In a set whose hosts come and go, a host's pull only grows between two of its returns.
Violation checkPulls(Seed seed)
{
    Random random(seed);
    std::vector<HostSpec> specs(1 + random.below(8));
    for (HostSpec& spec : specs) {
        spec.weight = draw(random, 500);
    }
    HostSet hosts(specs, {std::nullopt, 1, Duration(20s)});
    TimePoint now = kNow;
    std::vector<std::uint32_t> last(hosts.size(), 0);
    for (int step = 0; step < 300; ++step) {
        now += Duration(static_cast<std::int64_t>(random.below(400'000'000)));
        const std::size_t host = random.below(hosts.size());
        if (random.chance(0.1)) {
            hosts.setAvailability(
                host,
                hosts[host].isAvailable ? HostSet::Availability::Unavailable
                                        : HostSet::Availability::Available,
                now
            );
            last[host] = 0;
        }
        hosts.warm(now);
        for (std::size_t each = 0; each < hosts.size(); ++each) {
            const HostState& state = hosts[each];
            if (state.pull < last[each] || state.pull > state.weight * kWarmPercent) {
                return fmt::format("pull went from {} to {}", last[each], state.pull);
            }
            last[each] = state.pull;
        }
    }
    return {};
}

template <typename Check>
void expectHeld(Check check)
{
    const Violation violation = test::runSeeds(test::firstSeed(), 500, check);
    QVERIFY2(violation.empty(), violation.c_str());
}

template <typename Check>
void expectCaught(const char* words, Check check)
{
    const Violation violation = test::runSeeds(test::firstSeed(), 500, check);
    qInfo("caught: %s", violation.c_str());
    QVERIFY(violation.find(words) != Violation::npos);
}

} // namespace

void BalancerSharesProperty::roundRobinIsExactAndSmooth() { expectHeld(checkTurns<Turns>); }

void BalancerSharesProperty::aRandomTurnIsNot()
{
    expectCaught(" turns", [](Seed seed) {
        const Violation violation = checkTurns<RandomTurns>(seed);
        return violation.find("turns") == Violation::npos ? Violation() : violation;
    });
}

void BalancerSharesProperty::aTurnInBlocksIsNotSmooth()
{
    expectCaught("ahead of its share", checkTurns<Blocks>);
}

void BalancerSharesProperty::twoChoicesLevelTheLoad()
{
    expectHeld([](Seed seed) { return checkLevel(model::Algorithm::LeastRequests, seed); });
    expectHeld([](Seed seed) { return checkLevel(model::Algorithm::Latency, seed); });
}

void BalancerSharesProperty::oneChoiceDoesNot()
{
    expectCaught("of ", [](Seed seed) { return checkLevel(model::Algorithm::Random, seed); });
}

void BalancerSharesProperty::zoneLoadsAddUp()
{
    const Violation violation = test::runSeeds(test::firstSeed(), 20'000, [](Seed seed) {
        return checkLoads(assignLoads, seed);
    });
    QVERIFY2(violation.empty(), violation.c_str());
}

void BalancerSharesProperty::roundedDownLoadsDoNot()
{
    expectCaught("add up to", [](Seed seed) {
        const Violation violation = checkLoads(roundDown, seed);
        return violation.find("add up") == Violation::npos ? Violation() : violation;
    });
}

void BalancerSharesProperty::panicBelowTheThresholdAloneIsCaught()
{
    expectCaught("wrong about panic", [](Seed seed) { return checkLoads(panicEagerly, seed); });
}

void BalancerSharesProperty::slowStartOnlyGrows()
{
    expectHeld([](Seed seed) { return checkWarmth(warmth, seed); });
    expectHeld(checkPulls);
}

void BalancerSharesProperty::aSawtoothIsCaught()
{
    expectCaught("from ", [](Seed seed) { return checkWarmth(sawtooth, seed); });
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::BalancerSharesProperty)
#include "balancer_shares_property.moc"
