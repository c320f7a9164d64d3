#include "proxyengine/policy/rate_table.h"

#include <QTest>

#include <fmt/format.h>

#include <map>

// Goal: every key has its own count, in fixed memory, and a full table errs to the safe side.
// Method: one thread here; several in tests/property/rate_limit_property.cpp.
namespace mesh::policy {

using namespace std::chrono_literals;

class RateTableTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void countsEachKeyApart();
    void forgetsKeysAtRest();
    void sharesOneCountWhenFull();
    void takesTheSharedCountAlong();
    void givesBack();
    void rarelySharesAtAQuarter();
};

namespace {

RateRule twoPerSecond()
{
    model::RateLimit settings;
    settings.requests = 2;
    return RateRule(settings);
}

RateNow at(Duration time)
{
    return {TimePoint(time), WallTime(std::chrono::duration_cast<WallTime::duration>(time))};
}

std::string keyOf(int number) { return fmt::format("10.1.{}.{}", number / 256, number % 256); }

} // namespace

void RateTableTest::countsEachKeyApart()
{
    RateTable table(twoPerSecond(), 4096, 1);
    std::map<std::string, int> admitted;

    for (int round = 0; round < 5; ++round) {
        for (int i = 0; i < 200; ++i) {
            admitted[keyOf(i)] += table.take(keyOf(i), at(10s)).isAdmitted ? 1 : 0;
        }
    }

    QVERIFY(std::ranges::all_of(admitted, [](const auto& entry) { return entry.second == 2; }));
    QCOMPARE(table.overflows(), std::uint64_t{0});
    QCOMPARE(table.keysInUse(at(10s)), std::size_t{200});
}

void RateTableTest::forgetsKeysAtRest()
{
    RateTable table(twoPerSecond(), 16, 1);
    QCOMPARE(table.capacity(), std::size_t{16});

    for (int i = 0; i < 1000; ++i) {
        QVERIFY(table.take(keyOf(i), at(10s + 100ms * i)).isAdmitted);
    }

    QCOMPARE(table.overflows(), std::uint64_t{0});
    QVERIFY(table.keysInUse(at(110s)) <= 5);
    QCOMPARE(table.keysInUse(at(1000s)), std::size_t{0});
}

void RateTableTest::sharesOneCountWhenFull()
{
    RateTable table(twoPerSecond(), 1, 1); // One bucket of 16.
    for (int i = 0; i < 16; ++i) {
        QVERIFY(table.take(keyOf(i), at(10s)).isAdmitted);
    }

    int admitted = 0;
    for (int i = 16; i < 116; ++i) {
        admitted += table.take(keyOf(i), at(10s)).isAdmitted ? 1 : 0;
    }

    QCOMPARE(admitted, 2);
    QCOMPARE(table.overflows(), std::uint64_t{100});
    QVERIFY(table.take(keyOf(3), at(10s)).isAdmitted); // Those inside are not disturbed.
    QVERIFY(table.take(keyOf(50), at(20s)).isAdmitted); // And later there is room again.
    QCOMPARE(table.overflows(), std::uint64_t{100});
}

void RateTableTest::takesTheSharedCountAlong()
{
    RateTable table(twoPerSecond(), 1, 1);
    for (int i = 0; i < 16; ++i) {
        QVERIFY(table.take(keyOf(i), at(10s)).isAdmitted); // At rest half a second later.
    }
    QVERIFY(table.take("late", at(10'400ms)).isAdmitted);
    QVERIFY(table.take("late", at(10'400ms)).isAdmitted);

    const RateVerdict placed = table.take("late", at(10'600ms));

    QVERIFY(!placed.isAdmitted);
    QVERIFY(placed.retryAfter == 300ms);
    QCOMPARE(table.overflows(), std::uint64_t{2});
}

void RateTableTest::givesBack()
{
    RateTable table(twoPerSecond(), 64, 1);
    for (int i = 0; i < 100; ++i) {
        QVERIFY(table.take("a", at(10s)).isAdmitted);
        table.giveBack("a", at(10s));
        table.giveBack("unknown", at(10s));
    }
    QVERIFY(table.take("a", at(10s)).isAdmitted && table.take("a", at(10s)).isAdmitted);
    QVERIFY(!table.take("a", at(10s)).isAdmitted);
}

void RateTableTest::rarelySharesAtAQuarter()
{
    RateTable table(twoPerSecond(), 65'536, 99);
    for (int i = 0; i < 16'384; ++i) {
        QVERIFY(table.take(keyOf(i), at(10s)).isAdmitted);
    }
    QCOMPARE(table.overflows(), std::uint64_t{0});
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::RateTableTest)
#include "rate_table_test.moc"
