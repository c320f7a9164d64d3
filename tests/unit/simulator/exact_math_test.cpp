// Goal: logarithm, exponential and all laws give the same bits in every build, and good ones.
// Method: the bits of many results are mixed into a fingerprint that stands here; accuracy is
//         measured against the library's functions.
#include "simulator/models/exact_math.h"

#include "simulator/models/duration_law.h"
#include "simulator/models/latency_tally.h"

#include <QTest>

#include <bit>
#include <chrono>
#include <cmath>
#include <vector>

namespace mesh::simulator {

using namespace std::chrono_literals;

class ExactMathTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void logarithmAndExponentialAreWithinOneUnitInTheLastPlace();
    void theirBitsAreTheSameInEveryBuild();
    void theBitsOfEveryLawAreTheSameInEveryBuild_data();
    void theBitsOfEveryLawAreTheSameInEveryBuild();
    void aSamplerGivesWhatSampleGives();
    void aTallyFindsQuantilesAndMergesByAddition();
};

namespace {

std::uint64_t mix(std::uint64_t state, std::uint64_t word)
{
    return std::rotl((state ^ word) * 0x9e3779b97f4a7c15U, 29);
}

double unitsApart(double value, double expected)
{
    const double unit = std::nextafter(std::abs(expected), INFINITY) - std::abs(expected);
    return std::abs(value - expected) / unit;
}

constexpr int kDraws = 20'000;

} // namespace

void ExactMathTest::logarithmAndExponentialAreWithinOneUnitInTheLastPlace()
{
    Random random(Seed{11});
    for (int at = 0; at < 200'000; ++at) {
        const double share = openUnit(random);
        const double wide = std::ldexp(share, static_cast<int>(random.below(200)) - 100);
        QVERIFY(unitsApart(exactLog(share), std::log(share)) <= 1.5);
        QVERIFY(unitsApart(exactLog(wide), std::log(wide)) <= 1.5);
        const double power = (share - 0.5) * 100.0;
        QVERIFY(unitsApart(exactExp(power), std::exp(power)) <= 1.5);
    }
    QCOMPARE(exactLog(1.0), 0.0);
    QCOMPARE(exactExp(0.0), 1.0);
    QVERIFY(exactExp(-1e9) > 0.0);
}

void ExactMathTest::theirBitsAreTheSameInEveryBuild()
{
    Random random(Seed{12});
    std::uint64_t logarithms = 0;
    std::uint64_t exponentials = 0;
    std::vector<double> shares;
    for (int at = 0; at < kDraws; ++at) {
        const double share = openUnit(random);
        logarithms = mix(logarithms, std::bit_cast<std::uint64_t>(exactLog(share)));
        shares.push_back(share);
        exponentials =
            mix(exponentials, std::bit_cast<std::uint64_t>(exactExp((share - 0.5) * 40.0)));
    }

    exactLogs(shares);
    std::uint64_t together = 0;
    for (const double logarithm : shares) {
        together = mix(together, std::bit_cast<std::uint64_t>(logarithm));
    }
    QCOMPARE(logarithms, std::uint64_t{17295476820683196558U});
    QCOMPARE(together, logarithms);
    QCOMPARE(exponentials, std::uint64_t{3998358051715491786U});
}

void ExactMathTest::theBitsOfEveryLawAreTheSameInEveryBuild_data()
{
    QTest::addColumn<int>("kind");
    QTest::addColumn<quint64>("fingerprint");

    using Kind = model::DurationLaw::Kind;
    QTest::newRow("const") << static_cast<int>(Kind::Const) << quint64{7785205380766359918U};
    QTest::newRow("exp") << static_cast<int>(Kind::Exp) << quint64{4026674262112309526U};
    QTest::newRow("lognormal") << static_cast<int>(Kind::Lognormal)
                               << quint64{11609089351203415918U};
    QTest::newRow("quantiles") << static_cast<int>(Kind::Quantiles)
                               << quint64{4032810972589151248U};
}

namespace {

model::DurationLaw lawOf(int kind)
{
    return {
        static_cast<model::DurationLaw::Kind>(kind),
        4ms,
        0.7,
        {{0.0, 1ms}, {0.5, 3ms}, {0.99, 20ms}, {1.0, 40ms}},
    };
}

} // namespace

void ExactMathTest::theBitsOfEveryLawAreTheSameInEveryBuild()
{
    QFETCH(const int, kind);
    QFETCH(const quint64, fingerprint);
    const DurationSampler sampler(lawOf(kind));
    Random random(Seed{13});
    std::uint64_t found = 0;
    for (int at = 0; at < kDraws; ++at) {
        found = mix(found, static_cast<std::uint64_t>(sampler.draw(random).count()));
    }

    QCOMPARE(quint64{found}, fingerprint);
}

void ExactMathTest::aSamplerGivesWhatSampleGives()
{
    for (int kind = 0; kind < 4; ++kind) {
        const model::DurationLaw law = lawOf(kind);
        const DurationSampler sampler(law);
        Random first(Seed{14});
        Random second(Seed{14});
        for (int at = 0; at < 1000; ++at) {
            QCOMPARE(sampler.draw(first), sample(law, second));
        }
    }
}

void ExactMathTest::aTallyFindsQuantilesAndMergesByAddition()
{
    LatencyTally even;
    LatencyTally odd;
    for (int at = 1; at <= 100'000; ++at) {
        (at % 2 == 0 ? even : odd).record(at * 1us);
    }
    even.merge(odd);

    QCOMPARE(even.total(), std::uint64_t{100'000});
    QCOMPARE(even.mean(), Duration(50'000'500));
    for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999}) {
        QVERIFY(std::abs(toSeconds(even.quantile(share)) / (share * 0.1) - 1.0) < 0.004);
    }
    QCOMPARE(LatencyTally().quantile(0.5), Duration::zero());
    LatencyTally beyond;
    beyond.record(Duration(std::int64_t{1} << 60U));
    QCOMPARE(beyond.total(), std::uint64_t{1});
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::ExactMathTest)
#include "exact_math_test.moc"
