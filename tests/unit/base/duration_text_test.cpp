// Goal: durations are read as written, refused with a place, and written in their shortest form.
// Method: rows of text; every text that parses is written and read again.
#include "proxyengine/base/duration_text.h"

#include "proxyengine/base/limits.h"

#include <QTest>

namespace mesh {

class DurationTextTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsWholeNumbersWithAUnit_data();
    void readsWholeNumbersWithAUnit();
    void refusesWhatIsNotExact_data();
    void refusesWhatIsNotExact();
    void writesTheShortestTextThatReadsBack_data();
    void writesTheShortestTextThatReadsBack();
    void writesTimeOfDayInUtc();
};

void DurationTextTest::readsWholeNumbersWithAUnit_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<qint64>("nanoseconds");

    QTest::newRow("nanoseconds") << QByteArray("7ns") << qint64{7};
    QTest::newRow("microseconds") << QByteArray("100us") << qint64{100'000};
    QTest::newRow("milliseconds") << QByteArray("250ms") << qint64{250'000'000};
    QTest::newRow("seconds") << QByteArray("10s") << qint64{10'000'000'000};
    QTest::newRow("minutes") << QByteArray("2m") << qint64{120'000'000'000};
    QTest::newRow("the longest") << QByteArray("24h") << qint64{86'400'000'000'000};
    QTest::newRow("zero") << QByteArray("0s") << qint64{0};
}

void DurationTextTest::readsWholeNumbersWithAUnit()
{
    QFETCH(const QByteArray, text);
    QFETCH(const qint64, nanoseconds);

    const auto parsed = parseDuration(text.toStdString());

    QVERIFY(parsed);
    QCOMPARE(parsed->count(), nanoseconds);
}

void DurationTextTest::refusesWhatIsNotExact_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<int>("code");
    QTest::addColumn<qulonglong>("offset");

    const int invalid = static_cast<int>(ErrorCode::InvalidArgument);
    const int range = static_cast<int>(ErrorCode::OutOfRange);
    QTest::newRow("no unit") << QByteArray("10") << invalid << qulonglong{2};
    QTest::newRow("a fraction") << QByteArray("1.5s") << invalid << qulonglong{1};
    QTest::newRow("negative") << QByteArray("-1s") << invalid << qulonglong{0};
    QTest::newRow("empty") << QByteArray("") << invalid << qulonglong{0};
    QTest::newRow("an unknown unit") << QByteArray("3d") << invalid << qulonglong{1};
    QTest::newRow("a space before the unit") << QByteArray("3 s") << invalid << qulonglong{1};
    QTest::newRow("more than a day") << QByteArray("25h") << range << qulonglong{0};
    QTest::newRow("more than fits") << QByteArray("9223372036854775807h") << range << qulonglong{0};
}

void DurationTextTest::refusesWhatIsNotExact()
{
    QFETCH(const QByteArray, text);
    QFETCH(const int, code);
    QFETCH(const qulonglong, offset);

    const auto parsed = parseDuration(text.toStdString());

    QVERIFY(!parsed);
    QCOMPARE(static_cast<int>(parsed.error().code), code);
    QCOMPARE(std::get<Offset>(parsed.error().place).value, offset);
}

void DurationTextTest::writesTheShortestTextThatReadsBack_data()
{
    QTest::addColumn<qint64>("nanoseconds");
    QTest::addColumn<QByteArray>("text");

    QTest::newRow("a half second more") << qint64{1'500'000'000} << QByteArray("1500ms");
    QTest::newRow("ninety seconds") << qint64{90'000'000'000} << QByteArray("90s");
    QTest::newRow("two minutes") << qint64{120'000'000'000} << QByteArray("2m");
    QTest::newRow("zero") << qint64{0} << QByteArray("0s");
    QTest::newRow("odd nanoseconds") << qint64{1'000'001} << QByteArray("1000001ns");
}

void DurationTextTest::writesTheShortestTextThatReadsBack()
{
    QFETCH(const qint64, nanoseconds);
    QFETCH(const QByteArray, text);

    const std::string written = toDurationText(Duration(nanoseconds));

    QCOMPARE(QByteArray::fromStdString(written), text);
    QCOMPARE(parseDuration(written)->count(), nanoseconds);
}

void DurationTextTest::writesTimeOfDayInUtc()
{
    const WallTime time{std::chrono::microseconds(1'773'479'643'128'000)};

    QCOMPARE(toIsoText(time), std::string("2026-03-14T09:14:03.128Z"));
}

} // namespace mesh

QTEST_APPLESS_MAIN(mesh::DurationTextTest)
#include "duration_text_test.moc"
