// Goal: charts show what was measured and nothing else; the time bar asks for what was clicked.
#include "app/charts/flags.h"
#include "app/charts/time_axis.h"
#include "app/charts/time_bar.h"
#include "app/charts/time_chart.h"
#include "app/theme/theme.h"

#include <QDir>
#include <QSignalSpy>
#include <QtTest>
#include <QVBoxLayout>

#include <cmath>

namespace mesh::test {

namespace {

constexpr std::int64_t kNow_us = 1'700'000'000'000'000;

bridge::Series wave(int seconds)
{
    bridge::Series series;
    for (int i = seconds; i > 0; --i) {
        if (i > 200 && i < 260) {
            continue; // Nothing was measured for a minute.
        }
        bridge::SeriesPoint point;
        point.time_us = kNow_us - i * 1'000'000LL;
        point.rps2xx = 31 + 2 * std::sin(i / 9.0);
        point.rps4xx = 0.6;
        point.rps5xx = i < 60 ? 1.5 : 0;
        point.p50_ms = 64;
        point.p95_ms = i < 60 ? 486 : 150;
        point.p99_ms = i < 60 ? 612 : 190;
        series.points.push_back(point);
    }
    return series;
}

} // namespace

class ChartsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { theme::apply(*qApp, theme::Choice::Dark); }

    void aHoleIsAGap()
    {
        const charts::TimeSpan span{kNow_us - 600'000'000, kNow_us};

        const auto found = charts::gaps(wave(600), span);

        QCOMPARE(found.size(), 1U);
        QCOMPARE(found.front().begin_us, kNow_us - 260'000'000);
        QCOMPARE(found.front().end_us, kNow_us - 200'000'000);
    }

    void aGapHasNoValues()
    {
        charts::TimeChart chart(charts::ChartKind::Latency, QStringLiteral("Latency, ms"));
        chart.setSeries(wave(600), {kNow_us - 600'000'000, kNow_us});

        QVERIFY(chart.valuesAt(kNow_us - 230'000'000).empty());
        QCOMPARE(chart.valuesAt(kNow_us - 30'000'000).size(), 3U);
        QCOMPARE(chart.valuesAt(kNow_us - 30'000'000)[1].second, QStringLiteral("486"));
    }

    void tickTopsAreRound()
    {
        QCOMPARE(charts::roundTop(33, 1), 40.0);
        QCOMPARE(charts::roundTop(0, 10), 10.0);
        QCOMPARE(charts::roundTop(640, 10), 800.0);
    }

    void aYoungMeshFillsTheChart()
    {
        const charts::TimeSpan wanted{kNow_us - 600'000'000, kNow_us};

        QCOMPARE(charts::grownSpan(wave(12), wanted, 60).begin_us, kNow_us - 60'000'000);
        QCOMPARE(charts::grownSpan(wave(150), wanted, 60).begin_us, kNow_us - 150'000'000);
        QCOMPARE(charts::grownSpan(wave(900), wanted, 60).begin_us, wanted.begin_us);
        QVERIFY(charts::gaps(wave(12), {kNow_us - 60'000'000, kNow_us}).empty());
    }

    void flagsDoNotCoverEachOther()
    {
        std::vector<bridge::Marker> markers;
        for (int i = 0; i < 12; ++i) {
            bridge::Marker marker;
            marker.kind =
                i % 3 == 0 ? bridge::Marker::Kind::HealthChange : bridge::Marker::Kind::Revision;
            marker.begin_us = marker.end_us = i * 30;
            marker.label = QStringLiteral("rev %1").arg(i);
            markers.push_back(marker);
        }
        const auto flags = charts::placeFlags(
            markers,
            [](std::int64_t time_us) { return static_cast<double>(time_us); },
            QRectF(0, 0, 360, 15),
            theme::font(theme::Role::CaptionMedium)
        );

        QCOMPARE(flags.size(), markers.size());
        for (const charts::Flag& one : flags) {
            QCOMPARE(
                one.shape == charts::FlagShape::Text && !one.isHidden
                    && one.marker->kind == bridge::Marker::Kind::HealthChange,
                false
            );
            for (const charts::Flag& other : flags) {
                const bool isPair = &one != &other && !one.isHidden && !other.isHidden;
                QVERIFY(!isPair || !one.box.intersects(other.box));
            }
        }
    }

    void theTimeBarPausesWhereItIsClicked()
    {
        charts::TimeBar bar(nullptr);
        bar.resize(1032, 60);
        bar.setSeries(wave(1200), kNow_us);
        QSignalSpy paused(&bar, &charts::TimeBar::pauseAt);

        QTest::mouseClick(&bar, Qt::LeftButton, {}, QPoint(180 + 318, 34));

        QCOMPARE(paused.count(), 1);
        const auto time = paused.first().first().toLongLong();
        QVERIFY(std::abs(time - (kNow_us - 600'000'000)) < 5'000'000);
    }

    void stepsGoFromMarkerToMarker()
    {
        charts::TimeBar bar(nullptr);
        bar.setSeries(wave(1200), kNow_us);
        bridge::Marker marker;
        marker.begin_us = marker.end_us = kNow_us - 300'000'000;
        bar.setMarkers({marker});
        QSignalSpy paused(&bar, &charts::TimeBar::pauseAt);
        QSignalSpy live(&bar, &charts::TimeBar::goLive);

        bar.stepToMarker(-1);
        bar.stepToMarker(1);

        QCOMPARE(paused.count(), 1);
        QCOMPARE(paused.first().first().toLongLong(), marker.begin_us);
        QCOMPARE(live.count(), 1);
    }

    void drawsChartsAndTimeBar_data()
    {
        QTest::addColumn<theme::Choice>("choice");
        QTest::newRow("dark") << theme::Choice::Dark;
        QTest::newRow("light") << theme::Choice::Light;
    }

    void drawsChartsAndTimeBar()
    {
        QFETCH(const theme::Choice, choice);
        theme::current().setTheme(choice);
        QWidget page;
        auto* const column = new QVBoxLayout(&page);
        const charts::TimeSpan span{kNow_us - 600'000'000, kNow_us};
        bridge::Marker revision;
        revision.begin_us = revision.end_us = kNow_us - 400'000'000;
        revision.label = QStringLiteral("rev 42");
        bridge::Marker fault;
        fault.kind = bridge::Marker::Kind::Fault;
        fault.begin_us = kNow_us - 60'000'000;
        fault.label = QStringLiteral("fault");
        using charts::ChartKind;
        for (const auto& [kind, title] :
             {std::pair(ChartKind::Requests, QStringLiteral("Requests / s")),
              std::pair(ChartKind::Errors, QStringLiteral("Errors, %")),
              std::pair(ChartKind::Latency, QStringLiteral("Latency, ms"))}) {
            auto* const chart = new charts::TimeChart(kind, title, &page);
            chart->setSeries(wave(600), span);
            chart->setMarkers({revision, fault});
            chart->setWindow(charts::TimeSpan{kNow_us - 60'000'000, kNow_us});
            if (kind == ChartKind::Errors) {
                chart->setThreshold(10, QStringLiteral("failure ≥ 10 %"));
            }
            column->addWidget(chart);
        }
        auto* const bar = new charts::TimeBar(nullptr, &page);
        bar->setSeries(wave(1200), kNow_us);
        bar->setMarkers({revision, fault});
        column->addWidget(bar);
        page.resize(900, 520);
        page.show();

        const QImage image = page.grab().toImage();

        QDir().mkpath(QStringLiteral(MESH_PICTURE_DIR));
        QVERIFY(image.save(QStringLiteral(MESH_PICTURE_DIR "/charts-%1.png")
                               .arg(QString::fromUtf8(QTest::currentDataTag()))));
    }
};

} // namespace mesh::test

QTEST_MAIN(mesh::test::ChartsTest)
#include "charts_test.moc"
