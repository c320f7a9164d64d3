// Goal: a figure reads the same wherever it stands, and no value is never a number.
// Method: a table of values at the borders of each form.
#include "app/bridge/format.h"

#include <QtTest>

#include <cmath>
#include <limits>

using namespace mesh::bridge;

class FormatTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void rates_data()
    {
        QTest::addColumn<double>("value");
        QTest::addColumn<QString>("text");
        QTest::newRow("zero") << 0.0 << u"0.00"_qs;
        QTest::newRow("below one") << 0.25 << u"0.25"_qs;
        QTest::newRow("rounds up to one") << 0.999 << u"1.0"_qs;
        QTest::newRow("tens") << 84.0 << u"84.0"_qs;
        QTest::newRow("rounds up to hundred") << 99.96 << u"100"_qs;
        QTest::newRow("thousands") << 1977.4 << u"1\u2009977"_qs;
        QTest::newRow("millions") << 1234567.0 << u"1\u2009234\u2009567"_qs;
        QTest::newRow("negative") << -3.5 << u"\u22123.5"_qs;
        QTest::newRow("nothing to divide by") << std::nan("") << u"\u2013"_qs;
        QTest::newRow("infinite") << std::numeric_limits<double>::infinity() << u"\u2013"_qs;
    }
    void rates()
    {
        QFETCH(double, value);
        QFETCH(QString, text);
        QCOMPARE(formatRate(value), text);
    }

    void ratios_data()
    {
        QTest::addColumn<double>("value");
        QTest::addColumn<QString>("text");
        QTest::newRow("zero") << 0.0 << u"0\u202F%"_qs;
        QTest::newRow("tiny") << 0.0004 << u"0.04\u202F%"_qs;
        QTest::newRow("the degraded limit") << 0.001 << u"0.1\u202F%"_qs;
        QTest::newRow("some") << 0.045 << u"4.5\u202F%"_qs;
        QTest::newRow("many") << 0.254 << u"25\u202F%"_qs;
        QTest::newRow("all") << 1.0 << u"100\u202F%"_qs;
    }
    void ratios()
    {
        QFETCH(double, value);
        QFETCH(QString, text);
        QCOMPARE(formatRatio(value), text);
    }

    void durations_data()
    {
        QTest::addColumn<double>("value");
        QTest::addColumn<QString>("text");
        QTest::newRow("short") << 0.84 << u"0.8\u202Fms"_qs;
        QTest::newRow("milliseconds") << 486.2 << u"486\u202Fms"_qs;
        QTest::newRow("rounds up to a second") << 999.7 << u"1.0\u202Fs"_qs;
        QTest::newRow("seconds") << 3400.0 << u"3.4\u202Fs"_qs;
        QTest::newRow("rounds up to a minute") << 59'960.0 << u"1\u202Fmin 0\u202Fs"_qs;
        QTest::newRow("minutes") << 298'000.0 << u"4\u202Fmin 58\u202Fs"_qs;
        QTest::newRow("hours") << 7'500'000.0 << u"2\u202Fh 5\u202Fmin"_qs;
    }
    void durations()
    {
        QFETCH(double, value);
        QFETCH(QString, text);
        QCOMPARE(formatDuration(value), text);
    }

    void whatIsAbsentIsADash()
    {
        QCOMPARE(formatRate(std::nullopt), noValueText());
        QCOMPARE(formatRatio(std::nullopt), noValueText());
        QCOMPARE(formatDuration(std::nullopt), noValueText());
        QCOMPARE(formatBytes(std::nullopt), noValueText());
    }

    void countsAndBytes()
    {
        QCOMPARE(formatCount(999), u"999"_qs);
        QCOMPARE(formatCount(1977), u"1\u2009977"_qs);
        QCOMPARE(formatBytes(184e6), u"184\u202FMB"_qs);
        QCOMPARE(formatBytes(2400.0), u"2.4\u202FkB"_qs);
        QCOMPARE(formatBytes(12.0), u"12\u202FB"_qs);
    }
};

QTEST_APPLESS_MAIN(FormatTest)
#include "format_test.moc"
