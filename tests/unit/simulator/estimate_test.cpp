// Goal: intervals are those of Student's t. Method: values of published tables, hand-made samples.
#include "simulator/report/estimate.h"

#include <QTest>

#include <cmath>

namespace mesh::simulator {

class EstimateTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void quantilesAreThoseOfTheTables_data();
    void quantilesAreThoseOfTheTables();
    void anIntervalNeedsTwoValues();
    void equalValuesHaveAnIntervalOfNothing();
    void theIntervalIsStudents();
};

void EstimateTest::quantilesAreThoseOfTheTables_data()
{
    QTest::addColumn<int>("degrees");
    QTest::addColumn<double>("quantile");
    QTest::newRow("1") << 1 << 12.706;
    QTest::newRow("4") << 4 << 2.776;
    QTest::newRow("19") << 19 << 2.093;
    QTest::newRow("30") << 30 << 2.042;
    QTest::newRow("31") << 31 << 2.040;
    QTest::newRow("40") << 40 << 2.021;
    QTest::newRow("120") << 120 << 1.980;
    QTest::newRow("10000") << 10'000 << 1.960;
}

void EstimateTest::quantilesAreThoseOfTheTables()
{
    QFETCH(int, degrees);
    QFETCH(double, quantile);

    QVERIFY(std::abs(studentQuantile(static_cast<std::size_t>(degrees)) - quantile) < 0.0006);
}

void EstimateTest::anIntervalNeedsTwoValues()
{
    QVERIFY(!estimateOf({}).has_value());
    QCOMPARE(estimateOf({3.0})->value, 3.0);
    QVERIFY(!estimateOf({3.0})->interval.has_value());
}

void EstimateTest::equalValuesHaveAnIntervalOfNothing()
{
    const auto estimate = estimateOf({2.0, 2.0, 2.0});

    QCOMPARE(estimate->interval->first, 2.0);
    QCOMPARE(estimate->interval->second, 2.0);
}

// Mean 5, variance 2.5, five values: 5 +- 2.776 * sqrt(0.5).
void EstimateTest::theIntervalIsStudents()
{
    const auto estimate = estimateOf({3.0, 4.0, 5.0, 6.0, 7.0});

    QCOMPARE(estimate->value, 5.0);
    QVERIFY(std::abs(estimate->interval->first - (5.0 - 2.7764 * std::sqrt(0.5))) < 1e-9);
    QVERIFY(std::abs(estimate->interval->second - (5.0 + 2.7764 * std::sqrt(0.5))) < 1e-9);
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::EstimateTest)
#include "estimate_test.moc"
