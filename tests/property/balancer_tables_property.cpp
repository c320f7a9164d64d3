#include "proxyengine/policy/balancer.h"
#include "tests/support/seeded_run.h"

#include <QTest>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

// Goal: the hashing tables move no more keys than they must, and spread them evenly.
// Method: random hosts and weights; hosts go and come back (the table stays) or leave the list (a
//         new table). A table by remainder, as in a naive balancer, must fail each.
namespace mesh::policy {

using test::Violation;

class BalancerTablesProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aRingKeepsItsBounds();
    void aMaglevTableKeepsItsBounds();
    void aTableByRemainderDoesNot();
    void anUnevenTableIsFound();
};

namespace {

constexpr std::uint64_t kRuns = 60;
constexpr int kEventsPerRun = 200; // 12 000 in all, with kKeys look-ups each.
constexpr std::size_t kKeys = 64;

// What a naive balancer does: any change of the allowed hosts moves nearly everything.
class Remainder
{
public:
    Remainder(model::Algorithm /*algorithm*/, const HostSet& /*hosts*/, Random& /*random*/) {}

    static std::optional<std::uint32_t> where(std::uint64_t hash, HostSet& hosts, Random&)
    {
        std::vector<std::uint32_t> allowed;
        for (std::uint32_t host = 0; host < hosts.size(); ++host) {
            if (hosts[host].isAvailable) {
                allowed.push_back(host);
            }
        }
        if (allowed.empty()) {
            return std::nullopt;
        }
        return allowed[hash % allowed.size()];
    }
};

// A ring of too few points.
class Uneven
{
public:
    Uneven(model::Algorithm /*algorithm*/, const HostSet& hosts, Random& /*random*/)
    {
        std::vector<std::uint32_t> members(hosts.size());
        std::iota(members.begin(), members.end(), 0U);
        m_ring.emplace_back(hosts, members, hosts.size());
    }

    std::optional<std::uint32_t> where(std::uint64_t hash, HostSet& /*hosts*/, Random&)
    {
        return m_ring.front().host(m_ring.front().slotOf(hash));
    }

private:
    std::vector<Ring> m_ring;
};

class Faithful
{
public:
    Faithful(model::Algorithm algorithm, const HostSet& hosts, Random& random)
        : m_balancer(algorithm, hosts, random)
    {}

    std::optional<std::uint32_t> where(std::uint64_t hash, HostSet& hosts, Random& random)
    {
        return m_balancer.pick({TimePoint{}, TriedHosts(), hash}, hosts, random).host;
    }

private:
    Balancer m_balancer;
};

std::vector<HostSpec> makeSpecs(Random& random, std::size_t count, std::uint64_t weightMax)
{
    std::vector<HostSpec> specs(count);
    for (std::size_t host = 0; host < count; ++host) {
        specs[host].key = fmt::format("10.{}.0.{}:8080", random.below(256), host);
        specs[host].weight = static_cast<std::uint32_t>(1 + random.below(weightMax));
    }
    return specs;
}

// While hosts go and come back, a key is where it was when all were there, or, without that host,
// where it was when only that one was missing: nothing else moves it.
template <typename Subject>
Violation checkComingAndGoing(model::Algorithm algorithm, Seed seed)
{
    Random random(seed);
    HostSet hosts(makeSpecs(random, 2 + random.below(10), 3), {});
    Subject subject(algorithm, hosts, random);
    std::array<std::uint64_t, kKeys> keys{};
    std::array<std::uint32_t, kKeys> home{};
    for (std::size_t key = 0; key < kKeys; ++key) {
        keys[key] = random.next();
        home[key] = subject.where(keys[key], hosts, random).value_or(99);
    }
    for (int event = 0; event < kEventsPerRun; ++event) {
        const std::size_t host = random.below(hosts.size());
        std::array<std::uint32_t, kKeys> before{};
        for (std::size_t key = 0; key < kKeys; ++key) {
            before[key] = subject.where(keys[key], hosts, random).value_or(99);
        }
        const bool leaves = hosts[host].isAvailable;
        hosts.setAvailability(
            host,
            leaves ? HostSet::Availability::Unavailable : HostSet::Availability::Available,
            TimePoint{}
        );
        for (std::size_t key = 0; key < kKeys; ++key) {
            const std::uint32_t after = subject.where(keys[key], hosts, random).value_or(99);
            const bool mayMove = leaves ? before[key] == host : after == host;
            if (after != before[key] && !mayMove) {
                return fmt::format(
                    "a key moved from {} to {} when {} {}",
                    before[key],
                    after,
                    host,
                    leaves ? "left" : "came"
                );
            }
            if (after != 99 && hosts[home[key]].isAvailable && after != home[key]) {
                return fmt::format("a key did not return to {}", home[key]);
            }
        }
    }
    return {};
}

// Share of the staying hosts' keys that may move when one of `count` equal hosts leaves the list.
// On a ring, as much as the others gain points; in a Maglev table, whatever its authors measured
// for tables a hundred times as large as their lists, and more.
double othersMax(model::Algorithm algorithm, std::size_t count)
{
    if (algorithm == model::Algorithm::Maglev) {
        return 0.05;
    }
    const auto points = [](std::size_t hosts) {
        return std::ceil(static_cast<double>(Ring::kPointsMin) / static_cast<double>(hosts));
    };
    return 1 - points(count) / points(count - 1) + 0.02;
}

// A new list without one of n hosts: the leaver's keys move, and few others: on a ring those that
// fall to points which the others gained, in a Maglev table those whose order of choice changed.
template <typename Subject>
Violation checkNewList(model::Algorithm algorithm, Seed seed)
{
    constexpr int kSamples = 20'000;
    Random random(seed);
    const std::size_t count = 3 + random.below(30);
    std::vector<HostSpec> specs = makeSpecs(random, count, 1);
    HostSet before(specs, {});
    const std::size_t leaver = random.below(count);
    const std::string gone = specs[leaver].key;
    specs.erase(specs.begin() + static_cast<std::ptrdiff_t>(leaver));
    HostSet after(specs, {});
    Subject one(algorithm, before, random);
    Subject other(algorithm, after, random);

    int others = 0;
    for (int sample = 0; sample < kSamples; ++sample) {
        const std::uint64_t hash = random.next();
        const auto was = before.key(one.where(hash, before, random).value_or(0));
        const auto is = after.key(other.where(hash, after, random).value_or(0));
        others += was != gone && was != is ? 1 : 0;
    }
    const double share = static_cast<double>(others) / kSamples;
    if (share > othersMax(algorithm, count)) {
        return fmt::format(
            "{} of {} hosts stay, but {} of their keys moved", count - 1, count, share
        );
    }
    return {};
}

// No host gets much more or less than its weight says: within six deviations of a share that is
// made of `points` random arcs (Maglev: of nearly equal ones).
template <typename Subject>
Violation checkSpread(model::Algorithm algorithm, double tolerance, Seed seed)
{
    constexpr int kSamples = 40'000;
    Random random(seed);
    HostSet hosts(makeSpecs(random, 2 + random.below(9), 2), {});
    Subject subject(algorithm, hosts, random);
    std::vector<int> picks(hosts.size(), 0);
    for (int sample = 0; sample < kSamples; ++sample) {
        ++picks[subject.where(random.next(), hosts, random).value_or(0)];
    }
    for (std::size_t host = 0; host < hosts.size(); ++host) {
        const double due = kSamples * static_cast<double>(hosts[host].weight)
                           / static_cast<double>(hosts.weightTotal());
        if (std::abs(picks[host] - due) > due * tolerance + 6 * std::sqrt(due)) {
            return fmt::format("host {} got {} picks instead of {}", host, picks[host], due);
        }
    }
    return {};
}

template <typename Subject>
Violation checkAll(model::Algorithm algorithm, double spread, Seed first)
{
    const Violation moved = test::runSeeds(first, kRuns, [algorithm](Seed seed) {
        return checkComingAndGoing<Subject>(algorithm, seed);
    });
    if (!moved.empty()) {
        return moved;
    }
    const Violation rebuilt = test::runSeeds(first, kRuns, [algorithm](Seed seed) {
        return checkNewList<Subject>(algorithm, seed);
    });
    if (!rebuilt.empty()) {
        return rebuilt;
    }
    return test::runSeeds(first, kRuns, [algorithm, spread](Seed seed) {
        return checkSpread<Subject>(algorithm, spread, seed);
    });
}

constexpr double kRingSpread = 0.6; // A tenth of 1024 points and more: deviation below a tenth.
constexpr double kMaglevSpread = 0.01;

} // namespace

void BalancerTablesProperty::aRingKeepsItsBounds()
{
    const Violation violation =
        checkAll<Faithful>(model::Algorithm::ConsistentHashing, kRingSpread, test::firstSeed());
    QVERIFY2(violation.empty(), violation.c_str());
}

void BalancerTablesProperty::aMaglevTableKeepsItsBounds()
{
    const Violation violation =
        checkAll<Faithful>(model::Algorithm::Maglev, kMaglevSpread, test::firstSeed());
    QVERIFY2(violation.empty(), violation.c_str());
}

void BalancerTablesProperty::aTableByRemainderDoesNot()
{
    const Seed first = test::firstSeed();
    const Violation moved = test::runSeeds(first, kRuns, [](Seed seed) {
        return checkComingAndGoing<Remainder>(model::Algorithm::Maglev, seed);
    });
    QVERIFY(moved.find("a key moved") != Violation::npos);
    const Violation rebuilt = test::runSeeds(first, kRuns, [](Seed seed) {
        return checkNewList<Remainder>(model::Algorithm::Maglev, seed);
    });
    QVERIFY(rebuilt.find("of their keys moved") != Violation::npos);
}

void BalancerTablesProperty::anUnevenTableIsFound()
{
    const Violation violation = test::runSeeds(test::firstSeed(), kRuns, [](Seed seed) {
        return checkSpread<Uneven>(model::Algorithm::ConsistentHashing, kRingSpread, seed);
    });
    QVERIFY(violation.find("picks instead of") != Violation::npos);
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::BalancerTablesProperty)
#include "balancer_tables_property.moc"
