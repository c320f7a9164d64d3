#include "proxyengine/policy/slow_start.h"

#include "proxyengine/policy/balancer.h"

#include <QTest>

// Goal: a host that is new or came back gets its share by and by; nobody else does.
namespace mesh::policy {

class SlowStartTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void sharesGrowWithAge();
    void stepsAreNeitherTooSmallNorTooLarge();
    void aReturningHostIsWarmedUp_data();
    void aReturningHostIsWarmedUp();
    void whoIsThereFromTheStartIsWarm();
    void whoJoinsLaterIsCold();
    void aSecondFailureStartsAnew();
};

namespace {

using namespace std::chrono_literals;

constexpr TimePoint kNow{1000s};

HostSet makeHosts(Duration slowStart, std::optional<TimePoint> joinedAt = {})
{
    std::vector<HostSpec> specs(2);
    specs[0].key = "old";
    specs[1].key = "new";
    specs[1].joinedAt = joinedAt;
    return {specs, {std::nullopt, 1, slowStart}};
}

// Percent of 10 000 attempts that host 1 gets, none of which ends before the last has begun.
int shareOfSecond(Balancer& balancer, HostSet& hosts, TimePoint now, Random& random)
{
    std::vector<std::uint32_t> begun;
    for (int i = 0; i < 10'000; ++i) {
        const PickRequest request{now, TriedHosts(), random.next()};
        begun.push_back(balancer.pick(request, hosts, random).host.value_or(99));
        hosts.begin(begun.back());
    }
    for (const std::uint32_t host : begun) {
        hosts.end(host);
    }
    return static_cast<int>(std::ranges::count(begun, 1U) + 50) / 100;
}

} // namespace

void SlowStartTest::sharesGrowWithAge()
{
    QCOMPARE(warmth(0s, 100s), 10U);
    QCOMPARE(warmth(10s, 100s), 10U);
    QCOMPARE(warmth(11s, 100s), 11U);
    QCOMPARE(warmth(50s, 100s), 50U);
    QCOMPARE(warmth(99'999ms, 100s), 99U);
    QCOMPARE(warmth(100s, 100s), 100U);
    QCOMPARE(warmth(1h, 100s), 100U);
    QCOMPARE(warmth(0s, 2s), 50U); // The first second counts as a whole one.
    QCOMPARE(warmth(0s, 1s), 100U);
    QCOMPARE(warmth(0s, 0s), 100U);
}

void SlowStartTest::stepsAreNeitherTooSmallNorTooLarge()
{
    QCOMPARE(warmingStep(5s), Duration(100ms));
    QCOMPARE(warmingStep(30s), Duration(300ms));
    QCOMPARE(warmingStep(1h), Duration(1s));
}

void SlowStartTest::aReturningHostIsWarmedUp_data()
{
    QTest::addColumn<int>("algorithm");
    QTest::addColumn<bool>("isWarming");
    for (const AlgorithmRow& row : algorithmTable()) {
        QTest::newRow(std::string(row.word).c_str())
            << static_cast<int>(row.named) << row.isWarming;
    }
}

void SlowStartTest::aReturningHostIsWarmedUp()
{
    QFETCH(const int, algorithm);
    QFETCH(const bool, isWarming);
    HostSet hosts = makeHosts(100s);
    Random random(Seed{4});
    Balancer balancer(static_cast<model::Algorithm>(algorithm), hosts, random);
    const int warm = shareOfSecond(balancer, hosts, kNow, random);
    hosts.setAvailability(1, HostSet::Availability::Unavailable, kNow);
    QCOMPARE(shareOfSecond(balancer, hosts, kNow, random), 0);
    hosts.setAvailability(1, HostSet::Availability::Available, kNow + 10s);

    const int cold = shareOfSecond(balancer, hosts, kNow + 10s, random);
    const int half = shareOfSecond(balancer, hosts, kNow + 60s, random);
    const int whole = shareOfSecond(balancer, hosts, kNow + 110s, random);

    if (!isWarming) {
        QVERIFY(std::abs(cold - warm) <= 2 && std::abs(half - warm) <= 2);
        return;
    }
    QVERIFY(std::abs(cold - 9) <= 1); // 10 of 110.
    QVERIFY(std::abs(half - 33) <= 1); // 50 of 150.
    QVERIFY(std::abs(whole - 50) <= 2);
    QVERIFY(!hosts.warmingSince(1).has_value());
}

void SlowStartTest::whoIsThereFromTheStartIsWarm()
{
    HostSet hosts = makeHosts(100s);

    QVERIFY(!hosts.warmingSince(0).has_value());
    QCOMPARE(hosts[0].pull, hosts[1].pull);
    // Found unhealthy only now: no return, no slow start before it comes back.
    hosts.setAvailability(0, HostSet::Availability::Unavailable, kNow);
    QVERIFY(!hosts.warmingSince(0).has_value());
}

void SlowStartTest::whoJoinsLaterIsCold()
{
    HostSet hosts = makeHosts(100s, kNow);
    Random random(Seed{4});
    Balancer balancer(model::Algorithm::RoundRobin, hosts, random);

    QCOMPARE(hosts.warmingSince(1), std::optional(kNow));
    QCOMPARE(shareOfSecond(balancer, hosts, kNow + 1s, random), 9);
    // A set made half way through goes on where the former one was.
    HostSet heir = makeHosts(100s, hosts.warmingSince(1));
    Balancer next(model::Algorithm::RoundRobin, heir, random);
    QCOMPARE(shareOfSecond(next, heir, kNow + 50s, random), 33);

    HostSet none = makeHosts(0s, kNow);
    QVERIFY(!none.warmingSince(1).has_value());
    QCOMPARE(none[1].pull, 100U);
}

void SlowStartTest::aSecondFailureStartsAnew()
{
    HostSet hosts = makeHosts(100s);
    const auto turn = [&hosts](TimePoint at) {
        hosts.setAvailability(1, HostSet::Availability::Unavailable, at);
        hosts.setAvailability(1, HostSet::Availability::Available, at);
    };
    turn(kNow);
    hosts.warm(kNow + 60s);
    QCOMPARE(hosts[1].pull, 6000U);

    turn(kNow + 60s);
    QCOMPARE(hosts[1].pull, 1000U);
    hosts.warm(kNow + 99s);
    QCOMPARE(hosts[1].pull, 3900U);
    const std::uint64_t epoch = hosts.epoch();
    hosts.warm(kNow + 99s + 999ms); // Not yet the next step.
    QCOMPARE(hosts.epoch(), epoch);
    hosts.warm(kNow + 1h);
    QCOMPARE(hosts[1].pull, hosts[0].pull);
    QVERIFY(hosts.epoch() > epoch);
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::SlowStartTest)
#include "slow_start_test.moc"
