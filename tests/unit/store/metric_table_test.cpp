// Goal: thinning keeps every sum, whatever the order of arrival, and drops only what is too old.
// Method: rows of a known sum go in; sums over windows and steps come out the same.
#include "app/store/metric_table.h"

#include "tests/support/store_fixture.h"

#include <QTest>

#include <algorithm>
#include <memory>
#include <numeric>

using namespace mesh;
using namespace mesh::store;
using mesh::test::answerOf;
using mesh::test::requestRow;

namespace {

constexpr std::int64_t kStart_s = 1'700'000'040; // A multiple of 60.

std::uint64_t okIn(const WindowTotals& totals)
{
    std::uint64_t sum = 0;
    for (const SeriesTotal& series : totals.series) {
        sum += series.value.answers[2];
    }
    return sum;
}

std::uint64_t okIn(const std::vector<MetricPoint>& points)
{
    std::uint64_t sum = 0;
    for (const MetricPoint& point : points) {
        sum += point.value.answers[2];
    }
    return sum;
}

} // namespace

class MetricTableTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_folder = std::make_unique<mesh::test::TemporaryFolder>();
        auto document = MeshDocument::create(m_folder->file("a.mesh"));
        QVERIFY(document);
        m_document = std::move(*document);
    }

    void cleanup()
    {
        m_document.reset();
        m_folder.reset();
    }

    void aWideSpanIsReadInWideSteps()
    {
        const Retention retention{0, 0, 1000, 960};

        const auto spans = spansOf({55, 1005}, 60, retention);

        const std::vector<Span> expected = {
            {55, 60, 1}, {60, 960, 60}, {960, 1000, 10}, {1000, 1005, 1}};
        QVERIFY(spans == expected);
    }

    void whereOnlyWideStepsAreLeftTheSpanIsRoundedOutwards()
    {
        const Retention retention{600, 300, 1000, 960};

        const auto spans = spansOf({299, 302}, 1, retention);

        const std::vector<Span> expected = {{240, 300, 60}, {300, 310, 10}};
        QVERIFY(spans == expected);
    }

    void spansNeverOverlapAndCoverTheRange()
    {
        const Retention retention{600, 300, 990, 960};
        for (std::int64_t begin = 0; begin < 1000; begin += 7) {
            for (std::int64_t end = begin + 1; end < 1010; end += 13) {
                const auto spans = spansOf({begin, end}, 60, retention);
                QVERIFY(spans.front().begin_s <= begin);
                QVERIFY(spans.back().end_s >= end);
                for (std::size_t at = 1; at < spans.size(); ++at) {
                    QCOMPARE(spans[at].begin_s, spans[at - 1].end_s);
                }
            }
        }
    }

    void rowsOfTheSameSecondAreAddedUp()
    {
        add({requestRow(kStart_s, "edge", "cart", 3)});
        add({requestRow(kStart_s, "edge", "cart", 4)});

        const auto points = series({SeriesKind::Request, {}, "cart", {}, {}}, 0, 10, 1);

        QCOMPARE(points.size(), std::size_t(1));
        QCOMPARE(points[0].value.answers[2], std::uint64_t(7));
        QCOMPARE(points[0].value.latency.total(), std::uint64_t(7));
    }

    void everyWindowHasTheSumOfItsSecondsAfterThinning()
    {
        fill(200);

        for (const auto& [begin, end] :
             {std::pair{0, 200}, {0, 60}, {7, 133}, {59, 61}, {150, 200}}) {
            QCOMPARE(okIn(window(begin, end)), std::uint64_t(end - begin) * 3);
        }
    }

    // Whoever judges silence by it must not take the length of a step for silence.
    void theLastSecondIsTheSameWhateverTheSteps()
    {
        fill(200);

        for (const auto& [begin, end] : {std::pair{0, 60}, {0, 20}, {40, 120}, {7, 133}}) {
            const WindowTotals totals = window(begin, end);
            QVERIFY(!totals.series.empty());
            for (const SeriesTotal& total : totals.series) {
                QCOMPARE(total.last_s, kStart_s + end - 1);
            }
        }
    }

    void everyStepHasTheSameSum()
    {
        fill(180);

        for (const std::int64_t step : {1, 10, 60}) {
            const auto points = series({SeriesKind::Request, {}, "cart", {}, {}}, 0, 180, step);
            QCOMPARE(std::int64_t(points.size()), 180 / step);
            QCOMPARE(okIn(points), std::uint64_t(180));
        }
    }

    void aFilterChoosesItsSeriesOnly()
    {
        fill(20);

        QCOMPARE(okIn(series({SeriesKind::Request, "edge", {}, {}, {}}, 0, 20, 1)), 40U);
        QCOMPARE(okIn(series({SeriesKind::Request, "web", "cart", {}, {}}, 0, 20, 1)), 0U);
        QCOMPARE(
            okIn(
                series({SeriesKind::Request, {}, {}, {}, std::vector<std::string>{"web"}}, 0, 20, 1)
            ),
            20U
        );
    }

    void aRowThatComesLateIsInEveryStep()
    {
        fill(130);
        add({requestRow(kStart_s + 5, "edge", "cart", 1000)});

        for (const std::int64_t step : {1, 10, 60}) {
            QCOMPARE(
                okIn(series({SeriesKind::Request, {}, "cart", {}, {}}, 0, 60, step)),
                std::uint64_t(1060)
            );
        }
        QCOMPARE(okIn(window(0, 120)), std::uint64_t(1360));
    }

    void afterAnHourTenSecondStepsAreLeftAndTheSumIsTheSame()
    {
        fill(20);
        add({requestRow(kStart_s + 3700, "edge", "cart", 1)});

        const auto points = series({SeriesKind::Request, {}, "cart", {}, {}}, 0, 20, 1);

        QCOMPARE(points.size(), std::size_t(2));
        QCOMPARE(points[0].time_s, kStart_s);
        QCOMPARE(points[0].value.answers[2], std::uint64_t(10));
        QCOMPARE(okIn(window(0, 20)), std::uint64_t(60));
    }

    void afterADayMinutesAreLeftAndTheSumIsTheSame()
    {
        fill(120);
        add({requestRow(kStart_s + 25 * 3600, "edge", "cart", 1)});

        const auto points = series({SeriesKind::Request, {}, "cart", {}, {}}, 0, 120, 1);

        QCOMPARE(points.size(), std::size_t(2));
        QCOMPARE(okIn(points), std::uint64_t(120));
    }

    void afterTwoWeeksNothingIsLeft()
    {
        fill(120);
        const std::int64_t later = kStart_s + 15 * 24 * 3600;
        add({requestRow(later, "edge", "cart", 1)});

        const auto range = answerOf<TimeRange>([&](auto answer) { m_document->recorded(answer); });

        QVERIFY(range);
        QCOMPARE(range->begin_s, later);
        QCOMPARE(range->end_s, later + 1);
    }

    void thinningGoesOnAfterTheFileWasClosed()
    {
        fill(33);
        m_document.reset();
        auto document = MeshDocument::open(m_folder->file("a.mesh"));
        QVERIFY(document);
        m_document = std::move(*document);
        add({requestRow(kStart_s + 100, "edge", "cart", 1)});

        QCOMPARE(okIn(window(0, 60)), std::uint64_t(99));
        QCOMPARE(
            okIn(series({SeriesKind::Request, {}, "cart", {}, {}}, 0, 60, 60)), std::uint64_t(33)
        );
    }

private:
    // Three requests a second: edge -> cart, edge -> web, web -> ads.
    void fill(int seconds)
    {
        for (int second = 0; second < seconds; ++second) {
            const std::int64_t time = kStart_s + second;
            add(
                {requestRow(time, "edge", "cart", 1),
                 requestRow(time, "edge", "web", 1),
                 requestRow(time, "web", "ads", 1)}
            );
        }
    }

    void add(std::vector<MetricRow> rows)
    {
        QCOMPARE(
            mesh::test::failureOf(answerOf<void>([&](auto answer) {
                m_document->addMetrics(std::move(rows), answer);
            })),
            std::string()
        );
    }

    std::vector<MetricPoint> series(
        const SeriesFilter& filter, std::int64_t begin, std::int64_t end, std::int64_t step
    )
    {
        auto points = answerOf<std::vector<MetricPoint>>([&](auto answer) {
            m_document->series(filter, {kStart_s + begin, kStart_s + end}, step, answer);
        });
        return points ? *points : std::vector<MetricPoint>{};
    }

    WindowTotals window(std::int64_t begin, std::int64_t end)
    {
        auto totals = answerOf<WindowTotals>([&](auto answer) {
            m_document->window({kStart_s + begin, kStart_s + end}, answer);
        });
        return totals ? *totals : WindowTotals{};
    }

    std::unique_ptr<mesh::test::TemporaryFolder> m_folder;
    std::unique_ptr<MeshDocument> m_document;
};

QTEST_APPLESS_MAIN(MetricTableTest)
#include "metric_table_test.moc"
