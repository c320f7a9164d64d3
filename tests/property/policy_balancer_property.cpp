#include "proxyengine/policy/balancer.h"

#include <QTest>

#include <rapidcheck.h>

#include <map>
#include <numeric>

// Goal: what must hold of every balancer, for any weights, availability and history.
// Method: random sets of hosts; rapidcheck prints the seed and shrinks.
namespace mesh::policy {

class PolicyBalancerProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void picksOnlyWhatIsAllowed();
    void roundRobinIsExactOverEveryCycle();
};

namespace {

bool isAllowed(const HostState& host) { return host.isAvailable && host.weight > 0; }

Balancer makeBalancer(const HostSet& hosts, Random& random)
{
    const auto rows = algorithmTable();
    return {rows[*rc::gen::inRange<std::size_t>(0, rows.size())].named, hosts, random};
}

} // namespace

void PolicyBalancerProperty::picksOnlyWhatIsAllowed()
{
    QVERIFY(rc::check("never a tried host while another is allowed", [] {
        const auto weights =
            *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange<std::uint32_t>(0, 400)
            );
        HostSet hosts(weights);
        Random random(Seed{*rc::gen::arbitrary<std::uint64_t>()});
        Balancer balancer = makeBalancer(hosts, random);

        for (int step = 0; step < 30; ++step) {
            TriedHosts tried;
            bool isOneAllowed = false;
            bool isOneUntried = false;
            for (std::uint32_t host = 0; host < hosts.size(); ++host) {
                if (random.chance(0.1)) {
                    hosts.setAvailability(
                        host,
                        random.chance(0.5) ? HostSet::Availability::Available
                                           : HostSet::Availability::Unavailable,
                        TimePoint{}
                    );
                }
                const bool isTried = random.chance(0.05) && host < 3;
                if (isTried) {
                    tried.add(host);
                }
                isOneAllowed = isOneAllowed || isAllowed(hosts[host]);
                isOneUntried = isOneUntried || (isAllowed(hosts[host]) && !isTried);
            }

            const auto picked = balancer.pick({TimePoint{}, tried}, hosts, random).host;

            RC_ASSERT(picked.has_value() == isOneAllowed);
            if (picked) {
                RC_ASSERT(isAllowed(hosts[*picked]));
                RC_ASSERT(!isOneUntried || !tried.contains(*picked));
                hosts.begin(*picked);
            }
        }
    }));
}

void PolicyBalancerProperty::roundRobinIsExactOverEveryCycle()
{
    QVERIFY(rc::check("each host gets its weight", [] {
        const auto weights = *rc::gen::nonEmpty(
            rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange<std::uint32_t>(0, 300))
        );
        HostSet hosts(weights);
        RC_PRE(hosts.weightTotal() > 0U);
        Random random(Seed{*rc::gen::arbitrary<std::uint64_t>()});
        Balancer balancer(model::Algorithm::RoundRobin, hosts, random);

        std::vector<std::uint64_t> picks(weights.size());
        for (std::uint64_t i = 0; i < hosts.weightTotal(); ++i) {
            const auto picked = balancer.pick({TimePoint{}, TriedHosts()}, hosts, random).host;
            RC_ASSERT(picked.has_value());
            ++picks[*picked];
        }

        RC_ASSERT(picks == std::vector<std::uint64_t>(weights.begin(), weights.end()));
    }));
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::PolicyBalancerProperty)
#include "policy_balancer_property.moc"
