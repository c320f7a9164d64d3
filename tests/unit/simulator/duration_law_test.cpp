// Goal: each law has the mean and shape it states, and every draw takes one number of the stream.
// Method: many draws against closed forms; two streams compared after different laws.
#include "simulator/models/duration_law.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <vector>

namespace mesh::simulator {
namespace {

using model::DurationLaw;

constexpr Duration kMean = std::chrono::milliseconds(4);

DurationLaw lawOf(DurationLaw::Kind kind, double cv = 1.0)
{
    DurationLaw law;
    law.kind = kind;
    law.mean = kMean;
    law.cv = cv;
    return law;
}

DurationLaw threeQuantiles()
{
    DurationLaw law;
    law.kind = DurationLaw::Kind::Quantiles;
    law.quantiles = {
        {0.0, std::chrono::milliseconds(1)},
        {0.5, std::chrono::milliseconds(3)},
        {1.0, std::chrono::milliseconds(40)},
    };
    return law;
}

std::vector<double> draw(const DurationLaw& law, int count)
{
    Random random(Seed{42});
    std::vector<double> values;
    for (int at = 0; at < count; ++at) {
        values.push_back(toSeconds(sample(law, random)) * 1e3);
    }
    std::ranges::sort(values);
    return values;
}

double meanOfValues(const std::vector<double>& values)
{
    double sum = 0.0;
    for (const double value : values) {
        sum += value;
    }
    return sum / static_cast<double>(values.size());
}

bool isNear(double value, double expected, double relative)
{
    return std::abs(value - expected) <= relative * expected;
}

constexpr int kDraws = 200'000;

} // namespace

class DurationLawTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aConstantIsAlwaysTheSame();
    void anExponentialHasItsMeanAndMedian();
    void aLognormalHasItsMeanAndSpread();
    void quantilesAreJoinedByLines();
    void everyLawTakesOneNumberOfTheStream();
    void aStreamDrawnAheadGivesWhatSingleDrawsGive();
    void theNormalQuantileMatchesPublishedValues();
};

void DurationLawTest::aConstantIsAlwaysTheSame()
{
    const auto values = draw(lawOf(DurationLaw::Kind::Const), 100);

    QCOMPARE(values.front(), 4.0);
    QCOMPARE(values.back(), 4.0);
}

void DurationLawTest::anExponentialHasItsMeanAndMedian()
{
    const auto values = draw(lawOf(DurationLaw::Kind::Exp), kDraws);

    QVERIFY(isNear(meanOfValues(values), 4.0, 0.01));
    QVERIFY(isNear(values[kDraws / 2], 4.0 * std::log(2.0), 0.015));
}

void DurationLawTest::aLognormalHasItsMeanAndSpread()
{
    const auto values = draw(lawOf(DurationLaw::Kind::Lognormal, 0.5), kDraws);
    const double mean = meanOfValues(values);
    double squares = 0.0;
    for (const double value : values) {
        squares += (value - mean) * (value - mean);
    }

    QVERIFY(isNear(mean, 4.0, 0.01));
    QVERIFY(isNear(std::sqrt(squares / kDraws) / mean, 0.5, 0.02));
    QVERIFY(isNear(values[kDraws / 2], 4.0 / std::sqrt(1.25), 0.01)); // mean / sqrt(1 + cv^2)
}

void DurationLawTest::quantilesAreJoinedByLines()
{
    const auto values = draw(threeQuantiles(), kDraws);

    QVERIFY(values.front() >= 1.0);
    QVERIFY(values.back() <= 40.0);
    QVERIFY(isNear(values[kDraws / 4], 2.0, 0.01));
    QVERIFY(isNear(values[kDraws / 2], 3.0, 0.02));
    QVERIFY(isNear(values[kDraws * 3 / 4], 21.5, 0.02));
    QVERIFY(isNear(toSeconds(meanOf(threeQuantiles())) * 1e3, 11.75, 1e-9));
}

void DurationLawTest::everyLawTakesOneNumberOfTheStream()
{
    Random expected(Seed{1});
    static_cast<void>(expected.next());
    const std::uint64_t second = expected.next();

    for (const DurationLaw& law :
         {lawOf(DurationLaw::Kind::Const),
          lawOf(DurationLaw::Kind::Exp),
          lawOf(DurationLaw::Kind::Lognormal),
          threeQuantiles()}) {
        Random random(Seed{1});
        static_cast<void>(sample(law, random));
        QCOMPARE(random.next(), second);
    }
}

void DurationLawTest::aStreamDrawnAheadGivesWhatSingleDrawsGive()
{
    for (const DurationLaw& law :
         {lawOf(DurationLaw::Kind::Const),
          lawOf(DurationLaw::Kind::Exp),
          lawOf(DurationLaw::Kind::Lognormal),
          threeQuantiles()}) {
        Random random(Seed{5});
        DurationStream stream(law, Seed{5});
        for (int at = 0; at < 1000; ++at) {
            QCOMPARE(stream.next(), sample(law, random));
        }
    }
}

void DurationLawTest::theNormalQuantileMatchesPublishedValues()
{
    QVERIFY(std::abs(normalQuantile(0.5)) < 1e-15);
    QVERIFY(std::abs(normalQuantile(0.975) - 1.959963984540054) < 1e-14);
    QVERIFY(std::abs(normalQuantile(0.001) + 3.090232306167814) < 1e-13);
    QVERIFY(std::abs(normalQuantile(1e-12) + 7.034483825301132) < 1e-12);
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::DurationLawTest)
#include "duration_law_test.moc"
