#include "proxyengine/policy/fault.h"

#include "proxyengine/policy/mirror.h"
#include "tests/support/seeded_run.h"

#include <QTest>

#include <fmt/format.h>

#include <array>
#include <cmath>

// Goal: for any percentages to a hundredth, each fault and the mirror meet their share of request
//       ids, the same ids again, and independently of each other.
// Method: random percentages and ids; a share may be five standard deviations off. Each property
//         must catch rules that are wrong in just that way.
namespace mesh::policy {

using namespace std::chrono_literals;
using test::Mutant;
using test::Violation;

class FaultProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void holds();
    void catchesWrongFaults_data();
    void catchesWrongFaults();
};

namespace {

constexpr std::uint64_t kRuns = 40;
constexpr int kIds = 20'000; // 800 000 in all.

struct Met
{
    bool isDelayed = false;
    bool isAborted = false;
    bool isMirrored = false;
    friend bool operator==(const Met&, const Met&) = default;
};

struct Faithful
{
    Faithful(double delay, double abort, double mirrored)
        : fault(model::Fault{model::FaultDelay{1ms, delay}, model::FaultAbort{503, abort}})
        , mirror(model::Mirror{"shadow", mirrored, 0})
    {}
    Met decide(std::string_view id)
    {
        const FaultVerdict verdict = fault.decide(id);
        return {
            verdict.delay > 0ns,
            verdict.abortStatus.has_value(),
            mirror.decide(id, 0) == MirrorVerdict::Send};
    }
    FaultRule fault;
    MirrorRule mirror;
};

struct WholePercents : Faithful
{
    WholePercents(double delay, double abort, double mirrored)
        : Faithful(std::floor(delay), std::floor(abort), mirrored)
    {}
};

struct Whimsical
{
    Whimsical(double delay, double abort, double mirrored)
        : shares{delay / 100, abort / 100, mirrored / 100}
    {}
    Met decide(std::string_view /*id*/)
    {
        return {random.chance(shares[0]), random.chance(shares[1]), random.chance(shares[2])};
    }
    std::array<double, 3> shares;
    Random random{Seed{1}};
};

// One draw for delay and abort: who is delayed is aborted, too.
struct OneDraw : Faithful
{
    using Faithful::Faithful;
    Met decide(std::string_view id)
    {
        Met met = Faithful::decide(id);
        met.isMirrored = met.isAborted;
        return met;
    }
};

template <typename Rule>
Violation check(Seed seed)
{
    Random random(seed);
    std::array<double, 3> shares{};
    for (double& share : shares) {
        share = static_cast<double>(random.below(random.chance(0.5) ? 10'001 : 200)) / 10'000;
    }
    shares[2] = shares[1]; // So that OneDraw's shares are right.
    Rule rule(100 * shares[0], 100 * shares[1], 100 * shares[2]);
    std::array<int, 5> counts{};
    for (int i = 0; i < kIds; ++i) {
        const std::string id = fmt::format("{:016x}{:016x}", random.next(), random.next());
        const Met met = rule.decide(id);
        if (rule.decide(id) != met) {
            return "an id did not meet the same again";
        }
        counts[0] += met.isDelayed ? 1 : 0;
        counts[1] += met.isAborted ? 1 : 0;
        counts[2] += met.isMirrored ? 1 : 0;
        counts[3] += met.isDelayed && met.isAborted ? 1 : 0;
        counts[4] += met.isAborted && met.isMirrored ? 1 : 0;
    }
    const std::array<double, 5> expected = {
        shares[0], shares[1], shares[2], shares[0] * shares[1], shares[1] * shares[2]};
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const double deviation = std::sqrt(kIds * expected[i] * (1 - expected[i]));
        if (std::abs(counts[i] - kIds * expected[i]) > 5 * deviation + 0.5) {
            return fmt::format(
                "{} {}: {} of {} for {:.4f}",
                i < 3 ? "share" : "pair",
                i,
                counts[i],
                kIds,
                expected[i]
            );
        }
    }
    return {};
}

template <typename Rule>
Violation checkAll(Seed first)
{
    return test::runSeeds(first, kRuns, check<Rule>);
}

constexpr std::array<Mutant, 3> kMutants = {
    Mutant{"whole percents", "share", checkAll<WholePercents>},
    Mutant{"by chance", "the same again", checkAll<Whimsical>},
    Mutant{"one draw for two", "pair", checkAll<OneDraw>}};

} // namespace

void FaultProperty::holds()
{
    const Violation violation = checkAll<Faithful>(test::firstSeed());
    QVERIFY2(violation.empty(), violation.c_str());
}

void FaultProperty::catchesWrongFaults_data() { test::addRows(kMutants); }

void FaultProperty::catchesWrongFaults()
{
    QFETCH(const int, mutant);
    test::expectCaught(kMutants[static_cast<std::size_t>(mutant)]);
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::FaultProperty)
#include "fault_property.moc"
