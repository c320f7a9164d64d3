#include "proxyengine/policy/split.h"

#include "proxyengine/policy/share.h"

#include <QTest>

#include <fmt/format.h>

#include <array>

// Goal: traffic divides by weight, and a sticky caller stays where it is.
// Method: the same hundred thousand callers under several weights.
namespace mesh::policy {

class SplitTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void neverPicksAPartWithoutWeight();
    void givesACallerTheSamePartAlways();
    void movesOnlyTheCallersOfTheDifference();
    void keepsItsHashesOnEveryMachine();
};

void SplitTest::neverPicksAPartWithoutWeight()
{
    const SplitTable table(std::array<std::uint32_t, 4>{0, 7, 0, 0});
    Random random(Seed{1});
    for (int i = 0; i < 1000; ++i) {
        QCOMPARE(table.pick(random), std::size_t{1});
        QCOMPARE(table.pickFor(fmt::format("caller {}", i)), std::size_t{1});
    }
}

void SplitTest::givesACallerTheSamePartAlways()
{
    const SplitTable one(std::array<std::uint32_t, 2>{95, 5});
    const SplitTable same(std::array<std::uint32_t, 2>{950, 50});
    for (int i = 0; i < 1000; ++i) {
        const std::string caller = fmt::format("10.0.{}.{}", i / 256, i % 256);
        QCOMPARE(one.pickFor(caller), one.pickFor(caller));
        QCOMPARE(one.pickFor(caller), same.pickFor(caller));
    }
}

void SplitTest::movesOnlyTheCallersOfTheDifference()
{
    const SplitTable before(std::array<std::uint32_t, 2>{95, 5});
    const SplitTable after(std::array<std::uint32_t, 2>{90, 10});
    constexpr int kCallers = 100'000;
    int moved = 0;
    int movedBack = 0;

    for (int i = 0; i < kCallers; ++i) {
        const std::string caller = fmt::format("caller {}", i);
        const std::size_t was = before.pickFor(caller);
        const std::size_t is = after.pickFor(caller);
        moved += was == 0 && is == 1 ? 1 : 0;
        movedBack += was == 1 && is == 0 ? 1 : 0;
    }

    QCOMPARE(movedBack, 0);
    // 5 % of them; the standard deviation is 69.
    QVERIFY(moved > 4700 && moved < 5300);
}

void SplitTest::keepsItsHashesOnEveryMachine()
{
    // Kept numbers: a change would move callers of running canaries and change rehearsals.
    QCOMPARE(hashFor(HashPurpose::Split, "caller"), std::uint64_t{0xccb82e21a92b9918U});
    QCOMPARE(hashFor(HashPurpose::Mirror, ""), std::uint64_t{0x8b008db3395880b2U});
    QCOMPARE(partOf(0, 10), std::uint64_t{0});
    QCOMPARE(partOf(~std::uint64_t{0}, 10), std::uint64_t{9});
    QCOMPARE(toBasisPoints(0.01), 1U);
    QCOMPARE(toBasisPoints(33.333), 3333U);
    QCOMPARE(toBasisPoints(100), kBasisPoints);
    QCOMPARE(toBasisPoints(250), kBasisPoints);
    QCOMPARE(toBasisPoints(-1), 0U);
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::SplitTest)
#include "split_test.moc"
