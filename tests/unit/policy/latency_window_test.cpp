#include "proxyengine/policy/latency_window.h"

#include "proxyengine/base/random.h"

#include <QTest>

#include <vector>

// Goal: the percentile of the window is that of the records in it, whatever their order.
// Method: against a sorted list, on the buckets of the scale.
namespace mesh::policy {

using namespace std::chrono_literals;

class LatencyWindowTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void isSilentWithFewSamples();
    void agreesWithASortedList_data();
    void agreesWithASortedList();
    void forgetsWhatIsOlderThanTheWindow();
    void keepsWhatIsYoungerThanHalfOfIt();
};

void LatencyWindowTest::isSilentWithFewSamples()
{
    LatencyWindow window(10s, 95, TimePoint(0s));
    QVERIFY(!window.value(TimePoint(0s)));
    window.record(TimePoint(1s), 10ms, LatencyWindow::kSamplesMin - 1);
    QVERIFY(!window.value(TimePoint(1s)));
    window.record(TimePoint(1s), 10ms);
    QVERIFY(window.value(TimePoint(1s)));
    QCOMPARE(window.count(), LatencyWindow::kSamplesMin);
}

void LatencyWindowTest::agreesWithASortedList_data()
{
    QTest::addColumn<double>("percent");
    QTest::newRow("smallest") << 0.001;
    QTest::newRow("median") << 50.0;
    QTest::newRow("p95") << 95.0;
    QTest::newRow("p99.9") << 99.9;
    QTest::newRow("largest") << 100.0;
}

void LatencyWindowTest::agreesWithASortedList()
{
    QFETCH(const double, percent);
    Random random(Seed{11});
    LatencyWindow window(1h, percent, TimePoint(0s));
    LatencyHistogram histogram;
    std::vector<Duration> all;
    for (int i = 0; i < 3000; ++i) {
        // From a microsecond to 16 s, each power of two as likely.
        const auto us = static_cast<std::int64_t>(random.below(1ULL << (1 + random.below(24))));
        const Duration latency = std::chrono::microseconds(us);
        // A turn in the middle: both halves are read.
        const TimePoint now = i < 1500 ? TimePoint(1min) : TimePoint(31min);
        window.record(now, latency);
        histogram.record(latency);
        all.push_back(latency);
        if (all.size() < LatencyWindow::kSamplesMin || i % 50 != 0) {
            continue;
        }
        std::ranges::sort(all);
        const auto rank =
            static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(all.size())));
        const Duration exact = all[std::max<std::size_t>(rank, 1) - 1];
        const Duration expected = LatencyHistogram::middleOf(LatencyHistogram::indexOf(exact));
        QVERIFY(window.value(now) == expected);
        QVERIFY(histogram.percentile(percent) == expected);
    }
}

void LatencyWindowTest::forgetsWhatIsOlderThanTheWindow()
{
    LatencyWindow window(10s, 95, TimePoint(0s));
    window.record(TimePoint(1s), 10ms, 100);
    QVERIFY(window.value(TimePoint(9s)));
    QVERIFY(!window.value(TimePoint(10s)));

    window.record(TimePoint(11s), 10ms, 100);
    QVERIFY(!window.value(TimePoint(100s)));
    QCOMPARE(window.count(), std::uint64_t{0});
}

void LatencyWindowTest::keepsWhatIsYoungerThanHalfOfIt()
{
    LatencyWindow window(10s, 50, TimePoint(0s));
    window.record(TimePoint(1s), 10ms, 100);
    window.record(TimePoint(6s), 1s, 300);
    QVERIFY(*window.value(TimePoint(6s)) > 900ms);
    window.record(TimePoint(11s), 1ms, 200);
    QVERIFY(*window.value(TimePoint(11s)) > 900ms);
    QCOMPARE(window.count(), std::uint64_t{500});
    window.record(TimePoint(16s), 1ms, 1);
    QVERIFY(*window.value(TimePoint(16s)) < 2ms);
    QCOMPARE(window.count(), std::uint64_t{201});
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::LatencyWindowTest)
#include "latency_window_test.moc"
