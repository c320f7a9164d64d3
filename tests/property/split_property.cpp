#include "proxyengine/policy/split.h"

#include "proxyengine/policy/share.h"
#include "tests/support/seeded_run.h"

#include <QTest>

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <map>
#include <vector>

// Goal: for any weights, shares come out as stated with and without a key, a caller never changes
//       its part while the weights stay, and a change of two weights moves only the difference, one
//       way.
// Method: random weights and callers; a share may be five standard deviations and four picks off.
//         Each property must catch splits that are wrong in just that way.
namespace mesh::policy {

using test::Mutant;
using test::Violation;

class SplitProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void holds();
    void catchesWrongSplits_data();
    void catchesWrongSplits();
};

namespace {

constexpr std::uint64_t kRuns = 60;
constexpr int kCallers = 4000; // 240 000 picks of each kind in all.

struct Faithful : SplitTable
{
    explicit Faithful(const std::vector<std::uint32_t>& weights)
        : SplitTable(weights)
    {}
};

// Every part alike.
struct Levelling
{
    explicit Levelling(const std::vector<std::uint32_t>& weights)
        : parts(weights.size())
    {}
    std::size_t pick(Random& random) const { return random.below(parts); }
    std::size_t pickFor(std::string_view key) const
    {
        return partOf(hashFor(HashPurpose::Split, key), parts);
    }
    std::size_t parts;
};

// The right shares, but a caller's place depends on the sum of the weights.
struct Shuffling : SplitTable
{
    explicit Shuffling(const std::vector<std::uint32_t>& weights)
        : SplitTable(weights)
        , salt(weights.back())
    {}
    std::size_t pickFor(std::string_view key) const
    {
        return SplitTable::pickFor(fmt::format("{}{}", salt, key));
    }
    std::uint32_t salt;
};

// Forgets who is who.
struct Fickle : SplitTable
{
    explicit Fickle(const std::vector<std::uint32_t>& weights)
        : SplitTable(weights)
    {}
    std::size_t pickFor(std::string_view key)
    {
        return SplitTable::pickFor(fmt::format("{}{}", ++calls / 1000, key));
    }
    int calls = 0;
};

Violation checkShares(
    const std::vector<std::uint32_t>& weights, const std::vector<int>& picks, const char* kind
)
{
    double sum = 0;
    for (const std::uint32_t weight : weights) {
        sum += weight;
    }
    for (std::size_t part = 0; part < weights.size(); ++part) {
        const double share = weights[part] / sum;
        const double deviation = std::sqrt(kCallers * share * (1 - share));
        const double off = std::abs(picks[part] - kCallers * share);
        if (off > 5 * deviation + 4) {
            return fmt::format("part {} {}: {} of {} picks", part, kind, picks[part], kCallers);
        }
    }
    return {};
}

template <typename Split>
Violation checkSticky(Seed seed)
{
    Random random(seed);
    std::vector<std::uint32_t> weights(2 + random.below(5));
    for (std::uint32_t& weight : weights) {
        weight = static_cast<std::uint32_t>(random.below(random.chance(0.3) ? 1'000'000 : 20));
    }
    weights[random.below(weights.size())] += 1;
    Split split(weights);
    std::vector<int> byChance(weights.size());
    std::vector<int> byKey(weights.size());
    std::map<std::string, std::size_t> parts;
    for (int i = 0; i < kCallers; ++i) {
        ++byChance[split.pick(random)];
        const std::string caller = fmt::format("{:016x}", random.next());
        const std::size_t part = split.pickFor(caller);
        parts[caller] = part;
        ++byKey[part];
    }
    for (const auto& [caller, part] : parts) {
        if (split.pickFor(caller) != part) {
            return "a caller changed its part";
        }
    }
    const Violation violation = checkShares(weights, byChance, "by chance");
    return violation.empty() ? checkShares(weights, byKey, "by key") : violation;
}

template <typename Split>
Violation checkMoves(Seed seed)
{
    Random random(seed);
    const auto canary = static_cast<std::uint32_t>(random.below(90));
    const auto more = static_cast<std::uint32_t>(1 + random.below(100 - canary));
    Split before({100 - canary, canary});
    Split after({100 - canary - more, canary + more});
    int moved = 0;
    for (int i = 0; i < kCallers; ++i) {
        const std::string caller = fmt::format("{:016x}", random.next());
        const std::size_t was = before.pickFor(caller);
        const std::size_t is = after.pickFor(caller);
        if (was == 1 && is == 0) {
            return "a caller moved back";
        }
        moved += was != is ? 1 : 0;
    }
    const double share = more / 100.0;
    const double off = std::abs(moved - kCallers * share);
    return off > 5 * std::sqrt(kCallers * share * (1 - share)) + 0.5
               ? fmt::format("{} of {} moved for {} %", moved, kCallers, more)
               : Violation();
}

template <typename Split>
Violation checkAll(Seed first)
{
    return test::runSeeds(first, kRuns, [](Seed seed) {
        const Violation violation = checkSticky<Split>(seed);
        return violation.empty() ? checkMoves<Split>(deriveSeed(seed, 1)) : violation;
    });
}

constexpr std::array<Mutant, 3> kMutants = {
    Mutant{"all parts alike", "picks", checkAll<Levelling>},
    Mutant{"new places with new weights", "moved", checkAll<Shuffling>},
    Mutant{"forgets its callers", "changed its part", checkAll<Fickle>}};

} // namespace

void SplitProperty::holds()
{
    const Violation violation = checkAll<Faithful>(test::firstSeed());
    QVERIFY2(violation.empty(), violation.c_str());
}

void SplitProperty::catchesWrongSplits_data() { test::addRows(kMutants); }

void SplitProperty::catchesWrongSplits()
{
    QFETCH(const int, mutant);
    test::expectCaught(kMutants[static_cast<std::size_t>(mutant)]);
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::SplitProperty)
#include "split_property.moc"
