#include "proxyengine/policy/balancer.h"
#include "proxyengine/policy/hash_key.h"

#include <QTest>

#include <cstdlib>
#include <new>

// Goal: after construction no pick, report or change of health allocates.
// Method: the program's operator new counts.
namespace {

std::uint64_t allocations = 0; // One thread.

} // namespace

void* operator new(std::size_t size)
{
    ++allocations;
    // NOLINTNEXTLINE(cppcoreguidelines-no-malloc)
    void* const memory = std::malloc(size == 0 ? 1 : size);
    if (memory == nullptr) {
        std::abort();
    }
    return memory;
}

// What std::stable_sort asks for, so that all of it is freed by the one below.
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept
{
    return operator new(size);
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }

namespace mesh::policy {

class BalancerAllocationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void countsAllocations();
    void picksWithoutAllocating_data();
    void picksWithoutAllocating();
    void hashesWithoutAllocating();
};

namespace {

using namespace std::chrono_literals;

HostSet makeHosts()
{
    model::Locality locality;
    locality.failover = {"b"};
    std::vector<HostSpec> specs(60);
    for (std::size_t host = 0; host < specs.size(); ++host) {
        specs[host].key = "10.0.0." + std::to_string(host) + ":8080";
        specs[host].weight = static_cast<std::uint32_t>(host % 7);
        specs[host].level = static_cast<std::uint32_t>(host % 3);
        specs[host].version = host % 2 == 0 ? "v1" : "v2";
    }
    return {specs, {locality, 3, 20s}};
}

} // namespace

void BalancerAllocationTest::countsAllocations()
{
    const std::uint64_t before = allocations;
    const std::vector<int> some(100, 1);
    QCOMPARE(some.size(), std::size_t{100});
    QVERIFY(allocations > before);
}

void BalancerAllocationTest::picksWithoutAllocating_data()
{
    QTest::addColumn<int>("algorithm");
    for (const AlgorithmRow& row : algorithmTable()) {
        QTest::newRow(std::string(row.word).c_str()) << static_cast<int>(row.named);
    }
}

void BalancerAllocationTest::picksWithoutAllocating()
{
    QFETCH(const int, algorithm);
    HostSet hosts = makeHosts();
    Random random(Seed{9});
    Balancer balancer(static_cast<model::Algorithm>(algorithm), hosts, random);
    const Subset second = hosts.subsetOf("v2");
    TimePoint now(1000s);
    std::uint64_t picked = 0;

    const std::uint64_t before = allocations;
    for (int i = 0; i < 20'000; ++i) {
        now += 3ms;
        if (i % 5 == 0) {
            hosts.setAvailability(
                random.below(hosts.size()),
                random.chance(0.3) ? HostSet::Availability::Unavailable
                                   : HostSet::Availability::Available,
                now
            );
        }
        TriedHosts tried;
        for (int attempt = 0; attempt < 3; ++attempt) {
            const PickRequest request{now, tried, random.next(), i % 4 == 0 ? second : kAllHosts};
            const PickVerdict verdict = balancer.pick(request, hosts, random);
            if (verdict.host) {
                ++picked;
                hosts.begin(*verdict.host);
                balancer.report(*verdict.host, now, 5ms, AttemptEnd::Succeeded);
                hosts.end(*verdict.host);
                tried.add(*verdict.host);
            }
        }
    }
    const std::uint64_t during = allocations - before;

    QCOMPARE(during, std::uint64_t{0});
    QVERIFY(picked > 50'000);
}

void BalancerAllocationTest::hashesWithoutAllocating()
{
    HashRule rule;
    rule.on = model::HashOn::Header;
    rule.name = "x-user-with-a-name-that-fits-no-small-string";
    rule.fallback = model::HashOn::Cookie;
    rule.fallbackName = "route-cookie-with-a-name-that-fits-no-small-string";
    const std::vector<HeaderView> headers{
        {rule.name, "a value that is too long for a small string as well"}, {rule.name, "b"}};
    Random random(Seed{9});
    HashInput input;
    std::uint64_t hashes = 0;

    const std::uint64_t before = allocations;
    for (int i = 0; i < 1000; ++i) {
        input.headers = i % 2 == 0 ? std::span(headers) : std::span<const HeaderView>();
        hashes += hashOf(rule, input, random).hash ? 1U : 0U;
    }
    const std::uint64_t during = allocations - before;

    QCOMPARE(during, std::uint64_t{0});
    QCOMPARE(hashes, std::uint64_t{1000});
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::BalancerAllocationTest)
#include "balancer_allocation_test.moc"
