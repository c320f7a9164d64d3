#include "proxyengine/base/hash.h"
#include "proxyengine/policy/balancer.h"

#include <QTest>

#include <numeric>
#include <set>

// Goal: the ring and the Maglev table are those of the reference, bit by bit.
// Method: published vectors; weights and walks on tables of our own.
namespace mesh::policy {

class HashTablesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void xxHashIsTheReferences();
    void theRingIsTheReferences();
    void aRingLooksUpTheNextPoint();
    void aRingHasPointsByWeight();
    void theRingHasTheLeastPointsByDefault();
    void theMaglevTableIsTheReferences();
    void maglevSharesAreEqual();
    void maglevSharesFollowWeights();
    void theOrderOfTheListDoesNotMoveKeys_data();
    void theOrderOfTheListDoesNotMoveKeys();
    void unavailableHostsAreWalkedOver_data();
    void unavailableHostsAreWalkedOver();
    void aRetryGoesToTheNextDistinctHost_data();
    void aRetryGoesToTheNextDistinctHost();
    void withoutAHashAnyHostIsTaken();
    void aBoundMovesWhatIsTooMuch();
};

namespace {

constexpr TimePoint kNow{std::chrono::seconds(1000)};

HostSet localHosts(const std::vector<std::uint32_t>& weights)
{
    std::vector<HostSpec> specs;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        specs.push_back({"127.0.0.1:" + std::to_string(90 + i), weights[i]});
    }
    return {std::move(specs), {}};
}

std::vector<std::uint32_t> indices(std::size_t count)
{
    std::vector<std::uint32_t> all(count);
    std::iota(all.begin(), all.end(), 0U);
    return all;
}

void addAlgorithms()
{
    QTest::addColumn<int>("algorithm");
    QTest::newRow("ring") << static_cast<int>(model::Algorithm::ConsistentHashing);
    QTest::newRow("maglev") << static_cast<int>(model::Algorithm::Maglev);
}

} // namespace

void HashTablesTest::xxHashIsTheReferences()
{
    QCOMPARE(xxh64(""), std::uint64_t{0xef46db3751d8e999U});
    QCOMPARE(xxh64("a"), std::uint64_t{0xd24ec4f1a98c6e5bU});
}

void HashTablesTest::theRingIsTheReferences()
{
    const HostSet hosts = localHosts({1, 1, 1, 1, 1, 1});
    const Ring ring(hosts, indices(6), 12);

    QCOMPARE(ring.size(), std::size_t{12});
    const std::vector<std::pair<std::uint32_t, std::uint64_t>> first{
        {94, 833437586790550860U},
        {92, 928266305478181108U},
        {90, 1033482794131418490U},
        {95, 3551244743356806947U},
        {93, 3851675632748031481U},
        {91, 5583722120771150861U}};
    for (std::size_t slot = 0; slot < first.size(); ++slot) {
        QCOMPARE(ring.host(slot) + 90, first[slot].first);
        QCOMPARE(ring.point(slot), first[slot].second);
    }
}

void HashTablesTest::aRingLooksUpTheNextPoint()
{
    const HostSet hosts = localHosts({1, 1, 1, 1, 1, 1});
    const Ring ring(hosts, indices(6), 12);

    for (std::size_t slot = 0; slot < ring.size(); ++slot) {
        QCOMPARE(ring.slotOf(ring.point(slot)), slot);
        QCOMPARE(ring.slotOf(ring.point(slot) + 1), (slot + 1) % ring.size());
    }
    QCOMPARE(ring.slotOf(0), std::size_t{0});
    QCOMPARE(ring.host(ring.slotOf(~std::uint64_t{0})) + 90, 94U);
}

void HashTablesTest::aRingHasPointsByWeight()
{
    const HostSet hosts = localHosts({1, 2, 3, 0});
    const Ring ring(hosts, indices(3), 12);

    std::vector<int> points(3, 0);
    for (std::size_t slot = 0; slot < ring.size(); ++slot) {
        ++points[ring.host(slot)];
    }
    QCOMPARE(points, (std::vector<int>{2, 4, 6}));
}

void HashTablesTest::theRingHasTheLeastPointsByDefault()
{
    const HostSet hosts = localHosts({100, 100, 100});

    QCOMPARE(Ring(hosts, indices(3)).size(), std::size_t{1026}); // 342 each.
    QCOMPARE(Ring(hosts, indices(3), 1024, 600).size(), std::size_t{600});
    QCOMPARE(Ring(hosts, {}).size(), std::size_t{0});
}

void HashTablesTest::theMaglevTableIsTheReferences()
{
    const HostSet hosts = localHosts({1, 1, 1, 1, 1, 1});
    const Maglev maglev(hosts, indices(6), 7);

    std::vector<std::uint32_t> ports;
    for (std::size_t slot = 0; slot < maglev.size(); ++slot) {
        ports.push_back(maglev.host(slot) + 90);
    }
    QCOMPARE(ports, (std::vector<std::uint32_t>{92, 94, 90, 91, 95, 90, 93}));
    QCOMPARE(maglev.slotOf(23), std::size_t{2});
}

void HashTablesTest::maglevSharesAreEqual()
{
    const HostSet hosts = localHosts(std::vector<std::uint32_t>(10, 100));
    const Maglev maglev(hosts, indices(10));

    QCOMPARE(maglev.size(), std::size_t{65'537});
    std::vector<int> counts(10, 0);
    for (std::size_t slot = 0; slot < maglev.size(); ++slot) {
        ++counts[maglev.host(slot)];
    }
    const auto [least, most] = std::ranges::minmax(counts);
    QVERIFY(most - least <= 1);
}

void HashTablesTest::maglevSharesFollowWeights()
{
    const HostSet hosts = localHosts({100, 200, 300, 1});
    const Maglev maglev(hosts, indices(4));

    std::vector<int> counts(4, 0);
    for (std::size_t slot = 0; slot < maglev.size(); ++slot) {
        ++counts[maglev.host(slot)];
    }
    const double unit = 65'537.0 / 601.0;
    for (std::size_t host = 0; host < counts.size(); ++host) {
        QVERIFY(std::abs(counts[host] - unit * hosts[host].weight) < 4.0);
    }
}

void HashTablesTest::theOrderOfTheListDoesNotMoveKeys_data() { addAlgorithms(); }

void HashTablesTest::theOrderOfTheListDoesNotMoveKeys()
{
    QFETCH(const int, algorithm);
    std::vector<HostSpec> forward;
    for (int i = 0; i < 9; ++i) {
        forward.push_back({"10.0.0." + std::to_string(i) + ":80", 100});
    }
    std::vector<HostSpec> backward(forward.rbegin(), forward.rend());
    HostSet hosts(forward, {});
    HostSet mirrored(backward, {});
    Random random(Seed{3});
    Balancer one(static_cast<model::Algorithm>(algorithm), hosts, random);
    Balancer other(static_cast<model::Algorithm>(algorithm), mirrored, random);

    for (std::uint64_t key = 0; key < 2000; ++key) {
        const PickRequest request{kNow, TriedHosts(), xxh64(std::to_string(key))};
        const auto a = one.pick(request, hosts, random).host;
        const auto b = other.pick(request, mirrored, random).host;
        QCOMPARE(hosts.key(a.value_or(0)), mirrored.key(b.value_or(0)));
    }
}

void HashTablesTest::unavailableHostsAreWalkedOver_data() { addAlgorithms(); }

void HashTablesTest::unavailableHostsAreWalkedOver()
{
    QFETCH(const int, algorithm);
    HostSet hosts = localHosts({100, 100, 100, 100, 100});
    Random random(Seed{3});
    Balancer balancer(static_cast<model::Algorithm>(algorithm), hosts, random);
    const auto where = [&](std::uint64_t key) {
        const PickRequest request{kNow, TriedHosts(), xxh64(std::to_string(key))};
        return balancer.pick(request, hosts, random).host.value_or(99);
    };
    std::vector<std::uint32_t> before;
    for (std::uint64_t key = 0; key < 1000; ++key) {
        before.push_back(where(key));
    }

    hosts.setAvailability(2, HostSet::Availability::Unavailable, kNow);
    std::set<std::uint32_t> heirs;
    for (std::uint64_t key = 0; key < 1000; ++key) {
        const std::uint32_t now = where(key);
        QVERIFY(now != 2 && (before[key] == 2 || now == before[key]));
        if (before[key] == 2) {
            heirs.insert(now);
        }
    }
    QCOMPARE(heirs.size(), std::size_t{4}); // All others share what it had.

    hosts.setAvailability(2, HostSet::Availability::Available, kNow);
    for (std::uint64_t key = 0; key < 1000; ++key) {
        QCOMPARE(where(key), before[key]);
    }
}

void HashTablesTest::aRetryGoesToTheNextDistinctHost_data() { addAlgorithms(); }

void HashTablesTest::aRetryGoesToTheNextDistinctHost()
{
    QFETCH(const int, algorithm);
    HostSet hosts = localHosts({100, 100, 100, 100});
    Random random(Seed{3});
    Balancer balancer(static_cast<model::Algorithm>(algorithm), hosts, random);

    for (std::uint64_t key = 0; key < 200; ++key) {
        const std::uint64_t hash = xxh64(std::to_string(key));
        TriedHosts tried;
        std::vector<std::uint32_t> walk;
        for (int attempt = 0; attempt < 4; ++attempt) {
            walk.push_back(balancer.pick({kNow, tried, hash}, hosts, random).host.value_or(99));
            QVERIFY(!tried.contains(walk.back()));
            tried.add(walk.back());
        }
        // The same request takes the same walk when its first host is gone.
        hosts.setAvailability(walk[0], HostSet::Availability::Unavailable, kNow);
        const PickRequest again{kNow, TriedHosts(), hash};
        QCOMPARE(balancer.pick(again, hosts, random).host.value_or(99), walk[1]);
        hosts.setAvailability(walk[0], HostSet::Availability::Available, kNow);
        // Better a second time than never.
        QCOMPARE(balancer.pick({kNow, tried, hash}, hosts, random).host.value_or(99), walk[0]);
    }
}

void HashTablesTest::withoutAHashAnyHostIsTaken()
{
    HostSet hosts = localHosts({100, 300});
    Random random(Seed{3});
    Balancer balancer(model::Algorithm::Maglev, hosts, random);

    int second = 0;
    for (int i = 0; i < 10'000; ++i) {
        const PickRequest request{kNow, TriedHosts()};
        second += balancer.pick(request, hosts, random).host == 1U ? 1 : 0;
    }
    QVERIFY(second > 7300 && second < 7700);
}

void HashTablesTest::aBoundMovesWhatIsTooMuch()
{
    HostSet hosts = localHosts({100, 100, 100, 100});
    Random random(Seed{3});
    Balancer balancer(model::Algorithm::ConsistentHashing, hosts, random, 125);
    const std::uint64_t hash = xxh64("hot key");

    // One key only, none ends: nobody carries more than 125 % of the average and one.
    std::uint64_t active = 0;
    const auto first = balancer.pick({kNow, TriedHosts(), hash}, hosts, random).host;
    for (int i = 0; i < 400; ++i) {
        const auto host = balancer.pick({kNow, TriedHosts(), hash}, hosts, random).host;
        hosts.begin(host.value_or(99));
        ++active;
        for (const HostState& state : hosts.hosts()) {
            QVERIFY(state.active <= active * 125 / 400 + 2);
        }
    }
    QVERIFY(hosts[first.value_or(99)].active >= 100); // Its own host is asked first.
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::HashTablesTest)
#include "hash_tables_test.moc"
