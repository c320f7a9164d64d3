#include "proxyengine/policy/balancer.h"

#include <QTest>

#include <map>

// Goal: zones take traffic by their health as in the reference's tables, panic included; versions
//       narrow the choice.
namespace mesh::policy {

class LocalityTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void loadsFollowTheReference_data();
    void loadsFollowTheReference();
    void panicFollowsTheReference_data();
    void panicFollowsTheReference();
    void withoutALocalityThereIsNoPanic();
    void zonesBecomeLevels();
    void picksFollowTheLoads_data();
    void picksFollowTheLoads();
    void panicIgnoresHealth();
    void theEpochTellsChanges();
    void aRetryLeavesAnExhaustedZone();
    void versionsNarrowTheChoice();
    void versionsHaveZonesOfTheirOwn();
};

namespace {

constexpr TimePoint kNow{std::chrono::seconds(1000)};
constexpr auto kDown = HostSet::Availability::Unavailable;

using Percents = QList<int>;

// Levels of 100 hosts each, of which so many percent are healthy.
std::vector<LevelState> levelsOf(const Percents& healthy, const model::Locality& locality)
{
    std::vector<LevelState> levels;
    for (const int percent : healthy) {
        LevelState level;
        level.total = 100;
        level.healthy = static_cast<std::uint32_t>(percent);
        levels.push_back(level);
    }
    assignLoads(levels, &locality);
    return levels;
}

// Two zones with so many hosts each: a is the node's own, b the next.
HostSet twoZones(int hosts, double panicPercent = 50)
{
    model::Locality locality;
    locality.failover = {"b"};
    locality.panicPercent = panicPercent;
    std::vector<HostSpec> specs;
    for (const std::string zone : {"a", "b"}) {
        for (int i = 0; i < hosts; ++i) {
            HostSpec spec;
            spec.key = zone + std::to_string(i) + ":80";
            spec.level = levelOf(locality, "a", zone);
            spec.version = i % 2 == 0 ? "v1" : "v2";
            specs.push_back(spec);
        }
    }
    return {std::move(specs), {locality, levelCount(locality, "a"), {}}};
}

} // namespace

void LocalityTest::loadsFollowTheReference_data()
{
    QTest::addColumn<Percents>("healthy");
    QTest::addColumn<Percents>("loads");
    const auto row = [](const char* name, const Percents& healthy, const Percents& loads) {
        QTest::newRow(name) << healthy << loads;
    };
    row("100", {100, 100}, {100, 0});
    row("72", {72, 100}, {100, 0});
    row("71", {71, 100}, {99, 1});
    row("50", {50, 100}, {70, 30});
    row("25", {25, 100}, {35, 65});
    row("0", {0, 100}, {0, 100});
    row("25/25", {25, 25}, {50, 50});
    row("25/25/100", {25, 25, 100}, {35, 35, 30});
    row("25/25/20", {25, 25, 20}, {36, 36, 28});
    row("5/65", {5, 65}, {7, 93});
    row("nothing left", {0, 0}, {50, 50});
    row("nothing left of three", {0, 0, 0}, {34, 33, 33});
}

void LocalityTest::loadsFollowTheReference()
{
    QFETCH(const Percents, healthy);
    QFETCH(const Percents, loads);

    const std::vector<LevelState> levels = levelsOf(healthy, model::Locality{});

    std::uint32_t sum = 0;
    for (std::size_t level = 0; level < levels.size(); ++level) {
        const int load = static_cast<int>(levels[level].load);
        const int expected = loads[static_cast<qsizetype>(level)];
        QVERIFY2(std::abs(load - expected) <= 1, qPrintable(QString::number(load)));
        sum += levels[level].load;
    }
    QCOMPARE(sum, 100U);
}

void LocalityTest::panicFollowsTheReference_data()
{
    QTest::addColumn<Percents>("healthy");
    QTest::addColumn<double>("panicPercent");
    QTest::addColumn<Percents>("panics");
    const auto row =
        [](const char* name, const Percents& healthy, double percent, const Percents& panics) {
            QTest::newRow(name) << healthy << percent << panics;
        };
    row("the other zone carries all", {0, 72}, 50, {0, 0});
    row("25/25", {25, 25}, 50, {1, 1});
    row("5/65", {5, 65}, 50, {1, 0});
    row("at the threshold", {50, 0}, 50, {0, 1});
    row("below it", {49, 0}, 50, {1, 1});
    row("nothing left", {0, 0}, 50, {1, 1});
    row("never", {0, 0}, 0, {0, 0});
    row("half a percent", {1, 0}, 1.5, {1, 1});
}

void LocalityTest::panicFollowsTheReference()
{
    QFETCH(const Percents, healthy);
    QFETCH(const double, panicPercent);
    QFETCH(const Percents, panics);
    model::Locality locality;
    locality.panicPercent = panicPercent;

    const std::vector<LevelState> levels = levelsOf(healthy, locality);

    for (std::size_t level = 0; level < levels.size(); ++level) {
        QCOMPARE(levels[level].isPanic ? 1 : 0, panics[static_cast<qsizetype>(level)]);
    }
}

void LocalityTest::withoutALocalityThereIsNoPanic()
{
    HostSet hosts(std::vector<std::uint32_t>{100, 100, 100});
    Random random(Seed{2});
    Balancer balancer(model::Algorithm::RoundRobin, hosts, random);
    hosts.setAvailability(0, kDown, kNow);
    hosts.setAvailability(1, kDown, kNow);

    const PickVerdict verdict = balancer.pick({kNow, TriedHosts()}, hosts, random);
    QCOMPARE(verdict.host.value_or(99), 2U);
    QVERIFY(!verdict.isPanic && !hosts.isInPanic() && !hosts.isUsable(50));
    QCOMPARE(hosts.locality().levels.front().load, 100U);

    hosts.setAvailability(2, kDown, kNow);
    QVERIFY(!balancer.pick({kNow, TriedHosts()}, hosts, random).host.has_value());
    QCOMPARE(hosts.locality().levels.front().load, 0U);
}

void LocalityTest::zonesBecomeLevels()
{
    model::Locality locality;
    locality.failover = {"b", "a", "c"};

    QCOMPARE(levelCount(locality, "a"), 4U); // a, b, c, all others.
    QCOMPARE(levelOf(locality, "a", "a"), 0U);
    QCOMPARE(levelOf(locality, "a", "b"), 1U);
    QCOMPARE(levelOf(locality, "a", "c"), 2U);
    QCOMPARE(levelOf(locality, "a", "d"), 3U);
    QCOMPARE(levelOf(locality, "a", ""), 3U);
    QCOMPARE(levelName(locality, "a", 0), std::string_view("a"));
    QCOMPARE(levelName(locality, "a", 2), std::string_view("c"));
    QVERIFY(levelName(locality, "a", 3).empty());

    QCOMPARE(levelCount(locality, ""), 4U); // b, a, c, all others: nothing is local.
    QCOMPARE(levelOf(locality, "", "b"), 0U);
    QCOMPARE(levelOf(locality, "", ""), 3U);

    locality.preferLocalZone = false;
    QCOMPARE(levelOf(locality, "a", "a"), 1U);
    locality.failover.clear();
    QCOMPARE(levelCount(locality, "a"), 1U); // One level, but with panic.
    QCOMPARE(levelOf(locality, "a", "z"), 0U);
}

void LocalityTest::picksFollowTheLoads_data()
{
    QTest::addColumn<int>("algorithm");
    for (const AlgorithmRow& row : algorithmTable()) {
        QTest::newRow(std::string(row.word).c_str()) << static_cast<int>(row.named);
    }
}

void LocalityTest::picksFollowTheLoads()
{
    QFETCH(const int, algorithm);
    HostSet hosts = twoZones(4);
    Random random(Seed{2});
    Balancer balancer(static_cast<model::Algorithm>(algorithm), hosts, random);
    hosts.setAvailability(1, kDown, kNow);
    hosts.setAvailability(3, kDown, kNow); // Half of zone a: 70 to 30.

    std::map<std::uint32_t, int> byLevel;
    for (int i = 0; i < 20'000; ++i) {
        const PickVerdict verdict =
            balancer.pick({kNow, TriedHosts(), random.next()}, hosts, random);
        QVERIFY(verdict.host.has_value() && !verdict.isPanic);
        const std::uint32_t host = verdict.host.value_or(99);
        QVERIFY(hosts[host].isAvailable);
        QCOMPARE(verdict.level, host < 4 ? 0U : 1U);
        ++byLevel[verdict.level];
    }

    QVERIFY(byLevel[0] > 13'700 && byLevel[0] < 14'300);
}

void LocalityTest::panicIgnoresHealth()
{
    HostSet hosts = twoZones(4);
    Random random(Seed{2});
    Balancer balancer(model::Algorithm::RoundRobin, hosts, random);
    for (const std::size_t host : {0U, 1U, 2U, 4U, 5U, 6U}) {
        hosts.setAvailability(host, kDown, kNow);
    }

    QVERIFY(hosts.isInPanic() && hosts.isUsable(90));
    std::map<std::uint32_t, int> picks;
    for (int i = 0; i < 8000; ++i) {
        const PickVerdict verdict = balancer.pick({kNow, TriedHosts()}, hosts, random);
        QVERIFY(verdict.isPanic);
        ++picks[verdict.host.value_or(99)];
    }
    QCOMPARE(picks.size(), std::size_t{8});

    HostSet calm = twoZones(4, 0);
    Balancer other(model::Algorithm::RoundRobin, calm, random);
    for (std::size_t host = 0; host < 8; ++host) {
        calm.setAvailability(host, kDown, kNow);
    }
    QVERIFY(!calm.isUsable(0));
    QVERIFY(!other.pick({kNow, TriedHosts()}, calm, random).host.has_value());
}

void LocalityTest::theEpochTellsChanges()
{
    HostSet hosts = twoZones(10);
    const std::uint64_t before = hosts.locality().epoch;

    hosts.setAvailability(19, kDown, kNow); // Zone b has no load and keeps none.
    hosts.setAvailability(9, kDown, kNow); // Nine of ten carry all.
    QCOMPARE(hosts.locality().epoch, before);

    for (std::size_t host = 0; host < 6; ++host) {
        hosts.setAvailability(host, kDown, kNow);
    }
    QVERIFY(hosts.locality().epoch > before);
    QCOMPARE(hosts.locality().levels[0].load, 42U); // 3 of 10.
    QCOMPARE(hosts.locality().levels[1].load, 58U);
    QCOMPARE(hosts.locality().levels[0].healthy, 3U);
}

void LocalityTest::aRetryLeavesAnExhaustedZone()
{
    HostSet hosts = twoZones(2);
    Random random(Seed{2});
    Balancer balancer(model::Algorithm::LeastRequests, hosts, random);
    TriedHosts tried;

    for (const std::uint32_t level : {0U, 0U, 1U, 1U}) {
        const PickVerdict verdict = balancer.pick({kNow, tried}, hosts, random);
        QCOMPARE(verdict.level, level);
        QVERIFY(!tried.contains(verdict.host.value_or(99)));
        tried.add(verdict.host.value_or(99));
    }
    QCOMPARE(balancer.pick({kNow, tried}, hosts, random).level, 0U);
}

void LocalityTest::versionsNarrowTheChoice()
{
    std::vector<HostSpec> specs(5);
    for (std::size_t host = 0; host < specs.size(); ++host) {
        specs[host].key = std::to_string(host);
        specs[host].version = host == 0 ? "" : host < 3 ? "v1" : "v2";
    }
    HostSet hosts(specs, {});
    const Subset second = hosts.subsetOf("v2");
    QCOMPARE(hosts.subsetOf(""), kAllHosts);
    QCOMPARE(hosts.subsetOf("v3"), kNoHosts);
    Random random(Seed{2});

    for (const AlgorithmRow& row : algorithmTable()) {
        Balancer balancer(row.named, hosts, random);
        const auto pick = [&](Subset subset) {
            return balancer.pick({kNow, TriedHosts(), random.next(), subset}, hosts, random).host;
        };
        for (int i = 0; i < 200; ++i) {
            QVERIFY(pick(second).value_or(0) >= 3);
            QVERIFY(!pick(kNoHosts).has_value());
        }
        hosts.setAvailability(3, kDown, kNow);
        QCOMPARE(pick(second).value_or(99), 4U);
        hosts.setAvailability(4, kDown, kNow);
        QVERIFY(!pick(second).has_value());
        QVERIFY(pick(kAllHosts).value_or(99) < 3);
        hosts.setAvailability(3, HostSet::Availability::Available, kNow);
        hosts.setAvailability(4, HostSet::Availability::Available, kNow);
    }
}

void LocalityTest::versionsHaveZonesOfTheirOwn()
{
    HostSet hosts = twoZones(4); // v1: 0 and 2 in a, 4 and 6 in b.
    Random random(Seed{2});
    Balancer balancer(model::Algorithm::RoundRobin, hosts, random);
    const Subset first = hosts.subsetOf("v1");
    hosts.setAvailability(0, kDown, kNow);
    hosts.setAvailability(2, kDown, kNow);

    // Half of zone a is left, but nothing of v1.
    QCOMPARE(hosts.locality().levels[0].load, 70U);
    QCOMPARE(hosts.locality(first).levels[0].load, 0U);
    for (int i = 0; i < 100; ++i) {
        const PickRequest request{kNow, TriedHosts(), std::nullopt, first};
        QCOMPARE(balancer.pick(request, hosts, random).level, 1U);
    }
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::LocalityTest)
#include "locality_test.moc"
