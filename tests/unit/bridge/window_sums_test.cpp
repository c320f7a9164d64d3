// Goal: the running sums are those of the seconds in the window, whatever the order of arrival.
// Method: compared with adding up the same rows anew.
#include "app/bridge/window_sums.h"

#include <QtTest>

using namespace mesh;
using namespace mesh::bridge;

namespace {

store::MetricRow row(std::int64_t second, std::uint64_t ok)
{
    store::MetricRow made;
    made.time_s = second;
    made.key = {store::SeriesKind::Request, "edge-1", "cart", "main", {}, {}};
    made.value.answers[2] = ok;
    made.value.latency.record(100 * ok, 1);
    return made;
}

std::uint64_t okIn(const WindowSums& sums)
{
    const auto totals = sums.totals();
    return totals.empty() ? 0 : totals.front().value.answers[2];
}

} // namespace

class WindowSumsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aMovingWindowHoldsItsSecondsOnly()
    {
        WindowSums sums;
        for (std::int64_t second = 1000; second < 1200; ++second) {
            sums.add(row(second, 1 + static_cast<std::uint64_t>(second % 7)));
            sums.moveTo(second + 1, 60);

            store::MetricValue expected;
            for (std::int64_t at = std::max<std::int64_t>(1000, second - 59); at <= second; ++at) {
                expected.merge(row(at, 1 + static_cast<std::uint64_t>(at % 7)).value);
            }
            QVERIFY(sums.totals().front().value == expected);
        }
    }

    void aLateRowCountsWhenItsSecondIsInTheWindow()
    {
        WindowSums sums;
        sums.moveTo(1060, 60);
        sums.add(row(1030, 5));
        sums.add(row(999, 7));

        QCOMPARE(okIn(sums), std::uint64_t(5));
        sums.moveTo(1059, 60);
        QCOMPARE(okIn(sums), std::uint64_t(12));
    }

    void anEarlyRowWaitsForItsSecond()
    {
        WindowSums sums;
        sums.moveTo(1060, 60);
        sums.add(row(1060, 5));

        QCOMPARE(okIn(sums), std::uint64_t(0));
        sums.moveTo(1061, 60);
        QCOMPARE(okIn(sums), std::uint64_t(5));
    }

    void anotherLengthCountsAgain()
    {
        WindowSums sums;
        for (std::int64_t second = 1000; second < 1100; ++second) {
            sums.add(row(second, 1));
        }

        sums.moveTo(1100, 60);
        QCOMPARE(okIn(sums), std::uint64_t(60));
        sums.moveTo(1100, 10);
        QCOMPARE(okIn(sums), std::uint64_t(10));
        sums.moveTo(1100, 100);
        QCOMPARE(okIn(sums), std::uint64_t(100));
        sums.moveTo(2000, 60);
        QVERIFY(sums.totals().empty());
    }
};

QTEST_APPLESS_MAIN(WindowSumsTest)
#include "window_sums_test.moc"
