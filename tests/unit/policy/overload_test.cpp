#include "proxyengine/policy/overload.h"

#include <QTest>

// Goal: the table in overload.h, how pressure is made, and its words.
namespace mesh::policy {

using namespace std::chrono_literals;

class OverloadTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void shedsByPriority_data();
    void shedsByPriority();
    void takesTheLargerPressure_data();
    void takesTheLargerPressure();
    void shedsAShareOfTheRequests();
};

void OverloadTest::shedsByPriority_data()
{
    QTest::addColumn<double>("pressure");
    QTest::addColumn<double>("low");
    QTest::addColumn<double>("normal");
    QTest::addColumn<double>("high");

    const auto row = [](const char* name, double pressure, double low, double normal, double high) {
        QTest::newRow(name) << pressure << low << normal << high;
    };
    row("at rest", 0, 0, 0, 0);
    row("where shedding begins", 0.8, 0, 0, 0);
    row("half way", 0.9, 0.5, 0, 0);
    row("a limit reached", 1, 1, 0, 0);
    row("over it", 1.05, 1, 0.5, 0);
    row("all but high", 1.1, 1, 1, 0);
    row("still", 1.2, 1, 1, 0);
    row("high ones, too", 1.25, 1, 1, 0.5);
    row("everything", 1.3, 1, 1, 1);
    row("far over", 50, 1, 1, 1);
}

void OverloadTest::shedsByPriority()
{
    QFETCH(const double, pressure);
    QFETCH(const double, low);
    QFETCH(const double, normal);
    QFETCH(const double, high);
    const model::Overload settings;
    const auto isShare = [&](model::RequestPriority priority, double expected) {
        return std::abs(shedShare(settings, priority, pressure) - expected) < 1e-9;
    };

    QVERIFY(isShare(model::RequestPriority::Low, low));
    QVERIFY(isShare(model::RequestPriority::Default, normal));
    QVERIFY(isShare(model::RequestPriority::High, high));
}

void OverloadTest::takesTheLargerPressure_data()
{
    QTest::addColumn<int>("inFlight");
    QTest::addColumn<int>("lag_ms");
    QTest::addColumn<int>("maxRequests");
    QTest::addColumn<int>("maxLag_ms");
    QTest::addColumn<double>("pressure");
    QTest::addColumn<QByteArray>("reason");

    const auto row = [](const char* name,
                        int inFlight,
                        int lag,
                        int maxRequests,
                        int maxLag,
                        double pressure,
                        const char* reason) {
        QTest::newRow(name) << inFlight << lag << maxRequests << maxLag << pressure
                            << QByteArray(reason);
    };
    row("nothing limited", 900, 900, 0, 0, 0, "");
    row("requests", 950, 3, 1000, 0, 0.95, "950 of 1000 requests in flight");
    row("lag", 950, 12, 0, 10, 1.2, "event loop 12 ms late of 10 ms allowed");
    row("the larger: lag", 950, 12, 1000, 10, 1.2, "event loop 12 ms late of 10 ms allowed");
    row("the larger: requests", 950, 1, 1000, 10, 0.95, "950 of 1000 requests in flight");
    row("at rest", 0, 0, 1000, 10, 0, "");
    row("a loop ahead of time", 0, -5, 1000, 10, 0, "");
}

void OverloadTest::takesTheLargerPressure()
{
    QFETCH(const int, inFlight);
    QFETCH(const int, lag_ms);
    QFETCH(const int, maxRequests);
    QFETCH(const int, maxLag_ms);
    QFETCH(const double, pressure);
    QFETCH(const QByteArray, reason);
    model::Overload settings;
    settings.maxRequests = maxRequests;
    settings.maxLoopLag = std::chrono::milliseconds(maxLag_ms);
    const OverloadReading reading{
        static_cast<std::uint64_t>(inFlight), std::chrono::milliseconds(lag_ms)};

    QVERIFY(std::abs(pressureOf(settings, reading) - pressure) < 1e-9);
    QCOMPARE(QByteArray::fromStdString(overloadReason(settings, reading)), reason);
}

void OverloadTest::shedsAShareOfTheRequests()
{
    const model::Overload settings;
    Random random(Seed{1});
    int shed = 0;
    for (int i = 0; i < 10'000; ++i) {
        const auto verdict = decideOverload(settings, model::RequestPriority::Low, 0.85, random);
        shed += verdict == OverloadVerdict::Shed ? 1 : 0;
    }
    QVERIFY(shed > 2300 && shed < 2700);

    // Without a choice to make, no number is drawn.
    Random untouched(Seed{2});
    Random used(Seed{2});
    static_cast<void>(decideOverload(settings, model::RequestPriority::Low, 0.5, used));
    static_cast<void>(decideOverload(settings, model::RequestPriority::Low, 1.5, used));
    QCOMPARE(used.next(), untouched.next());
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::OverloadTest)
#include "overload_test.moc"
