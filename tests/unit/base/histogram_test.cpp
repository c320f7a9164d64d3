// Goal: quantiles are at most 1.6 % off over the whole scale, and merging loses nothing.
// Method: every bucket edge is tried; merged histograms are compared with one that saw everything.
#include "proxyengine/base/histogram.h"

#include "proxyengine/base/random.h"

#include <QTest>

#include <algorithm>
#include <cmath>

namespace mesh {

class HistogramTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyValueIsWithinTheStatedError();
    void bucketsGrowWithTheValue();
    void quantilesOfManyValuesMatchTheSortedOnes();
    void mergingIsTheSameAsRecordingTogether();
    void takingEmptiesTheHistogram();
    void anEmptyHistogramHasNoFigures();
    void valuesAboveTheTopAreCountedInTheLastBucket();
};

void HistogramTest::everyValueIsWithinTheStatedError()
{
    constexpr double kErrorMax = 0.016;
    std::vector<std::uint64_t> values;
    for (unsigned bit = 0; bit < HistogramScale::kTopBit; ++bit) {
        const std::uint64_t base = std::uint64_t{1} << bit;
        for (std::uint64_t step = 0; step <= 64; ++step) {
            const std::uint64_t value = base + base * step / 65;
            values.insert(values.end(), {value, value - 1});
        }
    }
    for (const std::uint64_t value : values) {
        const double middle = HistogramScale::middleOf(HistogramScale::indexOf(value));
        const double allowed = std::max(kErrorMax * static_cast<double>(value), 0.0);
        QVERIFY2(
            std::abs(middle - static_cast<double>(value)) <= allowed,
            qPrintable(QString::number(value) + QLatin1String(" -> ") + QString::number(middle))
        );
    }
}

void HistogramTest::bucketsGrowWithTheValue()
{
    for (std::size_t index = 1; index < HistogramScale::kBuckets; ++index) {
        QVERIFY(HistogramScale::middleOf(index) > HistogramScale::middleOf(index - 1));
        const auto middle = static_cast<std::uint64_t>(HistogramScale::middleOf(index));
        QCOMPARE(HistogramScale::indexOf(middle), index);
    }
}

void HistogramTest::quantilesOfManyValuesMatchTheSortedOnes()
{
    Random random(Seed{42});
    HistogramCounts histogram;
    std::vector<std::uint64_t> values;
    for (int count = 0; count < 20'000; ++count) {
        const auto value = static_cast<std::uint64_t>(std::exp(random.unit() * 15.0));
        values.push_back(value);
        histogram.record(value);
    }
    std::ranges::sort(values);

    for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999}) {
        const auto rank = static_cast<std::size_t>(std::ceil(share * 20'000.0)) - 1;
        const auto exact = static_cast<double>(values[rank]);
        QVERIFY(std::abs(histogram.quantile(share) - exact) <= 0.016 * exact);
    }
}

void HistogramTest::mergingIsTheSameAsRecordingTogether()
{
    Random random(Seed{7});
    HistogramCounts left;
    HistogramCounts right;
    Histogram together;
    for (int count = 0; count < 5'000; ++count) {
        const std::uint64_t value = random.below(1U << 20U);
        (count % 3 == 0 ? left : right).record(value);
        together.record(value);
    }

    left.merge(right);

    QVERIFY(left == together.counts());
    QCOMPARE(left.total(), std::uint64_t{5'000});
}

void HistogramTest::takingEmptiesTheHistogram()
{
    Histogram histogram;
    histogram.record(5);

    QCOMPARE(histogram.take().total(), std::uint64_t{1});
    QCOMPARE(histogram.take().total(), std::uint64_t{0});
}

void HistogramTest::anEmptyHistogramHasNoFigures()
{
    const HistogramCounts empty;

    QCOMPARE(empty.quantile(0.5), 0.0);
    QCOMPARE(empty.mean(), 0.0);
}

void HistogramTest::valuesAboveTheTopAreCountedInTheLastBucket()
{
    QCOMPARE(HistogramScale::indexOf(UINT64_MAX), HistogramScale::kBuckets - 1);
}

} // namespace mesh

QTEST_APPLESS_MAIN(mesh::HistogramTest)
#include "histogram_test.moc"
