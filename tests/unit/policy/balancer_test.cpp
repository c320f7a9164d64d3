#include "proxyengine/policy/balancer.h"

#include <QTest>

#include <map>

// Goal: each algorithm sends hosts their share, avoids what was tried, and knows when to give up.
// Method: picks are counted; the seed is fixed.
namespace mesh::policy {

class BalancerTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void smoothRoundRobinIsSmooth();
    void roundRobinOfLongCyclesIsExactToo();
    void everyAlgorithmKeepsTheRules_data();
    void everyAlgorithmKeepsTheRules();
    void leastRequestsPrefersTheIdle();
    void leastRequestsDrawsByWeightWhenIdle();
    void leastRequestsDrawsByWeight();
    void leastConnectionsTakesTheLeastLoadedPerWeight();
    void knowsWhenAnUpstreamIsUsable();
    void everyAlgorithmHasARow();
    void remembersTriedHosts();
};

namespace {

using Picks = std::map<std::uint32_t, int>;

constexpr TimePoint kNow{std::chrono::seconds(1000)};

std::optional<std::uint32_t> pickOne(
    Balancer& balancer, HostSet& hosts, Random& random, const TriedHosts& tried = {}
)
{
    return balancer.pick({kNow, tried}, hosts, random).host;
}

// Four requests at a time are in flight.
Picks countPicks(Balancer& balancer, HostSet& hosts, Random& random, int times)
{
    Picks picks;
    std::vector<std::uint32_t> inFlight;
    for (int i = 0; i < times; ++i) {
        inFlight.push_back(pickOne(balancer, hosts, random).value_or(99));
        ++picks[inFlight.back()];
        hosts.begin(inFlight.back());
        if (inFlight.size() == 4) {
            hosts.end(inFlight.front());
            inFlight.erase(inFlight.begin());
        }
    }
    for (const std::uint32_t host : inFlight) {
        hosts.end(host);
    }
    return picks;
}

} // namespace

void BalancerTest::smoothRoundRobinIsSmooth()
{
    const std::vector<std::uint32_t> weights{500, 100, 100};
    HostSet hosts(weights);
    Random random(Seed{3});
    Balancer balancer(model::Algorithm::RoundRobin, hosts, random);

    QByteArray order;
    for (int i = 0; i < 14; ++i) {
        order += "abc"[pickOne(balancer, hosts, random).value_or(9)];
    }

    // nginx's example: a a b a c a a, from any place of it.
    QVERIFY2(QByteArray("aabacaaaabacaaaabacaa").contains(order), order.constData());
}

void BalancerTest::roundRobinOfLongCyclesIsExactToo()
{
    const std::vector<std::uint32_t> weights{65535, 1, 7001};
    HostSet hosts(weights);
    Random random(Seed{3});
    Balancer balancer(model::Algorithm::RoundRobin, hosts, random);

    const Picks picks = countPicks(balancer, hosts, random, 65535 + 1 + 7001);

    QCOMPARE(picks, (Picks{{0, 65535}, {1, 1}, {2, 7001}}));
}

void BalancerTest::everyAlgorithmKeepsTheRules_data()
{
    QTest::addColumn<int>("algorithm");
    for (const AlgorithmRow& row : algorithmTable()) {
        QTest::newRow(std::string(row.word).c_str()) << static_cast<int>(row.named);
    }
}

void BalancerTest::everyAlgorithmKeepsTheRules()
{
    QFETCH(const int, algorithm);
    const std::vector<std::uint32_t> weights{100, 0, 50, 100};
    HostSet hosts(weights);
    Random random(Seed{5});
    Balancer balancer(static_cast<model::Algorithm>(algorithm), hosts, random);

    const Picks all = countPicks(balancer, hosts, random, 1000);
    QVERIFY(!all.contains(1)); // Weight 0.
    QVERIFY(all.contains(0) && all.contains(2) && all.contains(3));

    hosts.setAvailability(0, HostSet::Availability::Unavailable, kNow);
    QVERIFY(!countPicks(balancer, hosts, random, 1000).contains(0));

    TriedHosts tried;
    tried.add(3);
    for (int i = 0; i < 100; ++i) {
        QCOMPARE(pickOne(balancer, hosts, random, tried).value_or(99), 2U);
    }
    tried.add(2);
    QVERIFY(pickOne(balancer, hosts, random, tried).has_value()
    ); // Better a second time than never.

    hosts.setAvailability(2, HostSet::Availability::Unavailable, kNow);
    hosts.setAvailability(3, HostSet::Availability::Unavailable, kNow);
    QVERIFY(!pickOne(balancer, hosts, random).has_value());

    hosts.setAvailability(2, HostSet::Availability::Available, kNow);
    QCOMPARE(pickOne(balancer, hosts, random).value_or(99), 2U);
}

void BalancerTest::leastRequestsPrefersTheIdle()
{
    const std::vector<std::uint32_t> weights{1, 1};
    HostSet hosts(weights);
    Random random(Seed{5});
    Balancer balancer(model::Algorithm::LeastRequests, hosts, random);
    hosts.begin(0);

    for (int i = 0; i < 100; ++i) {
        QCOMPARE(pickOne(balancer, hosts, random).value_or(99), 1U);
    }
    hosts.end(0);
    hosts.begin(1);
    QCOMPARE(pickOne(balancer, hosts, random).value_or(99), 0U);
}

void BalancerTest::leastRequestsDrawsByWeightWhenIdle()
{
    const std::vector<std::uint32_t> weights{300, 100};
    HostSet hosts(weights);
    Random random(Seed{11});
    Balancer balancer(model::Algorithm::LeastRequests, hosts, random);

    int first = 0;
    for (int i = 0; i < 10'000; ++i) {
        first += pickOne(balancer, hosts, random) == 0U ? 1 : 0;
    }

    QVERIFY(first > 7300 && first < 7700);
}

void BalancerTest::leastRequestsDrawsByWeight()
{
    const std::vector<std::uint32_t> weights{300, 100, 100, 100};
    HostSet hosts(weights);
    Random random(Seed{11});
    Balancer balancer(model::Algorithm::LeastRequests, hosts, random);

    // Sixty requests at a time are in flight: the shares settle near those of the weights.
    Picks picks;
    std::vector<std::uint32_t> inFlight;
    for (int i = 0; i < 12000; ++i) {
        const std::uint32_t host = pickOne(balancer, hosts, random).value_or(99);
        ++picks[host];
        hosts.begin(host);
        inFlight.push_back(host);
        if (inFlight.size() > 60) {
            hosts.end(inFlight.front());
            inFlight.erase(inFlight.begin());
        }
    }

    QVERIFY(picks[0] > 5400 && picks[0] < 6600);
    QVERIFY(picks[1] > 1700 && picks[1] < 2300);
}

void BalancerTest::leastConnectionsTakesTheLeastLoadedPerWeight()
{
    const std::vector<std::uint32_t> weights{100, 200};
    HostSet hosts(weights);
    Random random(Seed{5});
    Balancer balancer(model::Algorithm::LeastConnections, hosts, random);

    Picks picks;
    for (int i = 0; i < 30; ++i) {
        const std::uint32_t host = pickOne(balancer, hosts, random).value_or(99);
        hosts.begin(host);
        ++picks[host];
    }

    QCOMPARE(picks, (Picks{{0, 10}, {1, 20}}));
}

void BalancerTest::knowsWhenAnUpstreamIsUsable()
{
    const std::vector<std::uint32_t> weights{100, 100, 0};
    HostSet hosts(weights);
    QVERIFY(hosts.isUsable(0));
    QVERIFY(hosts.isUsable(99));

    hosts.setAvailability(0, HostSet::Availability::Unavailable, kNow);
    QVERIFY(hosts.isUsable(0));
    QVERIFY(hosts.isUsable(49));
    QVERIFY(!hosts.isUsable(50));

    hosts.setAvailability(1, HostSet::Availability::Unavailable, kNow);
    QVERIFY(!hosts.isUsable(0));
}

void BalancerTest::everyAlgorithmHasARow()
{
    const auto rows = algorithmTable();

    QCOMPARE(rows.size(), std::size_t{7});
    for (std::size_t i = 0; i < rows.size(); ++i) {
        QCOMPARE(static_cast<std::size_t>(rows[i].named), i);
        QCOMPARE(rows[i].runs, rows[i].named);
    }
}

void BalancerTest::remembersTriedHosts()
{
    TriedHosts tried;
    QVERIFY(tried.isEmpty());
    for (std::uint32_t host = 0; host < TriedHosts::kTriedMax + 1; ++host) {
        tried.add(host);
        tried.add(host);
    }

    QVERIFY(!tried.contains(0)); // The oldest gave way.
    QVERIFY(tried.contains(1));
    QVERIFY(tried.contains(static_cast<std::uint32_t>(TriedHosts::kTriedMax)));
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::BalancerTest)
#include "balancer_test.moc"
