// Goal: the streams have the same bits everywhere, are uniform, and independent parts differ.
// Method: known first values; counts over many draws.
#include "proxyengine/base/random.h"

#include "proxyengine/base/hash.h"

#include <QTest>

#include <array>

namespace mesh {

class RandomTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aSeedGivesTheSameBitsEverywhere();
    void belowIsUniform();
    void unitStaysBelowOne();
    void partsOfASeedDiffer();
    void hashesMatchTheirPublishedVectors();
};

void RandomTest::aSeedGivesTheSameBitsEverywhere()
{
    Random random(Seed{42});

    const std::array<std::uint64_t, 3> drawn = {random.next(), random.next(), random.next()};

    // xoshiro256** seeded by splitmix64(42), as the authors' reference code prints it.
    QCOMPARE(drawn[0], std::uint64_t{1546998764402558742U});
    QCOMPARE(drawn[1], std::uint64_t{6990951692964543102U});
    QCOMPARE(drawn[2], std::uint64_t{12544586762248559009U});
}

void RandomTest::belowIsUniform()
{
    Random random(Seed{1});
    std::array<int, 7> counts{};
    for (int draw = 0; draw < 70'000; ++draw) {
        ++counts[static_cast<std::size_t>(random.below(7))];
    }

    for (const int count : counts) {
        QVERIFY(count > 9'500 && count < 10'500); // Five standard deviations.
    }
}

void RandomTest::unitStaysBelowOne()
{
    Random random(Seed{2});
    for (int draw = 0; draw < 10'000; ++draw) {
        const double value = random.unit();
        QVERIFY(value >= 0.0 && value < 1.0);
    }
}

void RandomTest::partsOfASeedDiffer()
{
    QVERIFY(deriveSeed(Seed{1}, 1) != deriveSeed(Seed{1}, 2));
    QVERIFY(deriveSeed(Seed{1}, 1) != deriveSeed(Seed{2}, 1));
    QVERIFY(deriveSeed(Seed{1}, 1) == deriveSeed(Seed{1}, 1));
}

void RandomTest::hashesMatchTheirPublishedVectors()
{
    QCOMPARE(xxh64(""), std::uint64_t{0xef46db3751d8e999U});
    QCOMPARE(xxh64("a"), std::uint64_t{0xd24ec4f1a98c6e5bU});
    QCOMPARE(
        sha256Hex("abc"),
        std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    );
}

} // namespace mesh

QTEST_APPLESS_MAIN(mesh::RandomTest)
#include "random_test.moc"
