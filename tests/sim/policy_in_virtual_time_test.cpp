#include "proxyengine/policy/balancer.h"
#include "proxyengine/policy/health.h"
#include "simulator/models/duration_law.h"

#include <QTest>
#include <queue>

#include <optional>
#include <vector>

// Goal: the proxy's own policies run in virtual time: nothing in them knows a clock.
// Method: an upstream of three hosts, Poisson arrivals and exponential service in a tiny event
//         queue; one host is dead for a while and is probed.
namespace mesh::simulator {

using namespace std::chrono_literals;

class PolicyInVirtualTimeTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void twoChoicesWaitLessThanTurns();
    void aDeadHostIsLeftAloneUntilItIsBack();
    void theSameSeedGivesTheSameHistory();
};

namespace {

struct Event
{
    TimePoint at;
    std::uint64_t sequence;
    enum class Kind : std::uint8_t { Arrival, Departure, Probe } kind;
    std::uint32_t host;

    friend bool operator>(const Event& a, const Event& b)
    {
        return a.at != b.at ? a.at > b.at : a.sequence > b.sequence;
    }
};

struct Outcome
{
    std::uint64_t requests = 0;
    std::uint64_t failed = 0; // Sent to the dead host.
    std::uint64_t failedLate = 0; // The same, two seconds after its death or later.
    std::uint64_t servedAfterReturn = 0; // By the host that had been dead.
    double inFlightSum = 0; // Of all hosts, as each request arrives.
    std::uint64_t fingerprint = 0;
};

// Hosts with a processor each that shares itself among its requests would need more; here each
// host has one worker and the balancer sees how many wait.
class World
{
public:
    World(model::Algorithm algorithm, Seed seed, bool hasDeath)
        : m_random(seed)
        , m_hosts(std::vector<std::uint32_t>{100, 100, 100})
        , m_balancer(algorithm, m_hosts, m_random)
        , m_rules(makeChecks())
        , m_freeAt(3)
        , m_hasDeath(hasDeath)
    {
        for (std::uint32_t host = 0; host < 3; ++host) {
            m_machines.emplace_back(m_rules, TimePoint(0s), m_random);
            schedule(*m_machines.back().nextProbeAt(), Event::Kind::Probe, host);
        }
        schedule(TimePoint(0s), Event::Kind::Arrival, 0);
    }

    Outcome run(TimePoint end)
    {
        while (!m_queue.empty() && m_queue.top().at < end) {
            const Event event = m_queue.top();
            m_queue.pop();
            m_now = event.at;
            m_outcome.fingerprint = m_outcome.fingerprint * 1'099'511'628'211U
                                    + static_cast<std::uint64_t>(m_now.time_since_epoch().count())
                                    + event.host;
            handle(event);
        }
        return m_outcome;
    }

    static constexpr std::uint32_t kMortal = 1;
    static constexpr TimePoint kDeath{20s};
    static constexpr TimePoint kReturn{40s};

private:
    static model::Healthchecks makeChecks()
    {
        model::Healthchecks checks;
        checks.active.healthy.interval = 1s;
        checks.active.healthy.successes = 1;
        checks.active.unhealthy.interval = 1s;
        checks.active.unhealthy.tcpFailures = 1;
        checks.passive.unhealthy.tcpFailures = 3;
        return checks;
    }

    [[nodiscard]] bool isDead(std::uint32_t host) const
    {
        return m_hasDeath && host == kMortal && m_now >= kDeath && m_now < kReturn;
    }

    void schedule(TimePoint at, Event::Kind kind, std::uint32_t host)
    {
        m_queue.push({at, m_sequence++, kind, host});
    }

    void handle(const Event& event)
    {
        if (event.kind == Event::Kind::Arrival) {
            arrive();
            const model::DurationLaw gap{model::DurationLaw::Kind::Exp, 5ms, 1.0, {}};
            schedule(m_now + sample(gap, m_random), Event::Kind::Arrival, 0);
        } else if (event.kind == Event::Kind::Departure) {
            m_hosts.end(event.host);
        } else {
            probe(event.host);
        }
    }

    void arrive()
    {
        ++m_outcome.requests;
        for (std::uint32_t host = 0; host < 3; ++host) {
            m_outcome.inFlightSum += m_hosts[host].active;
        }
        const auto host = m_balancer.pick({m_now, policy::TriedHosts()}, m_hosts, m_random).host;
        if (!host) {
            return;
        }
        if (isDead(*host)) {
            ++m_outcome.failed;
            m_outcome.failedLate += m_now >= kDeath + 2s ? 1U : 0U;
            observe(*host, policy::Check::Passive, policy::Observation::Kind::ConnectFailure);
            return;
        }
        m_outcome.servedAfterReturn += *host == kMortal && m_now >= kReturn ? 1U : 0U;
        const model::DurationLaw service{model::DurationLaw::Kind::Exp, 12ms, 1.0, {}};
        m_hosts.begin(*host);
        m_freeAt[*host] = std::max(m_freeAt[*host], m_now) + sample(service, m_random);
        schedule(m_freeAt[*host], Event::Kind::Departure, *host);
    }

    void probe(std::uint32_t host)
    {
        m_machines[host].onProbeStarted(m_now);
        observe(
            host,
            policy::Check::Active,
            isDead(host) ? policy::Observation::Kind::ConnectFailure
                         : policy::Observation::Kind::Status
        );
        schedule(*m_machines[host].nextProbeAt(), Event::Kind::Probe, host);
    }

    void observe(std::uint32_t host, policy::Check check, policy::Observation::Kind kind)
    {
        if (m_machines[host].observe(m_now, {check, kind, 200})) {
            m_hosts.setAvailability(
                host,
                m_machines[host].isAvailable() ? policy::HostSet::Availability::Available
                                               : policy::HostSet::Availability::Unavailable,
                m_now
            );
        }
    }

    Random m_random;
    policy::HostSet m_hosts;
    policy::Balancer m_balancer;
    policy::HealthRules m_rules;
    std::vector<policy::HealthMachine> m_machines;
    std::vector<TimePoint> m_freeAt;
    std::priority_queue<Event, std::vector<Event>, std::greater<>> m_queue;
    std::uint64_t m_sequence = 0;
    TimePoint m_now{0s};
    const bool m_hasDeath;
    Outcome m_outcome;
};

} // namespace

void PolicyInVirtualTimeTest::twoChoicesWaitLessThanTurns()
{
    const Outcome turns = World(model::Algorithm::RoundRobin, Seed{42}, false).run(TimePoint(300s));
    const Outcome choices =
        World(model::Algorithm::LeastRequests, Seed{42}, false).run(TimePoint(300s));

    // 80 % busy: the queues of two choices are well below those of taking turns.
    QVERIFY(turns.requests > 50'000 && choices.requests > 50'000);
    QVERIFY(choices.inFlightSum < 0.8 * turns.inFlightSum);
}

void PolicyInVirtualTimeTest::aDeadHostIsLeftAloneUntilItIsBack()
{
    const Outcome outcome =
        World(model::Algorithm::LeastRequests, Seed{42}, true).run(TimePoint(60s));

    QVERIFY(outcome.failed >= 1 && outcome.failed <= 3); // Three failures in a row are the limit.
    QCOMPARE(outcome.failedLate, std::uint64_t{0});
    QVERIFY(outcome.servedAfterReturn > 500);
}

void PolicyInVirtualTimeTest::theSameSeedGivesTheSameHistory()
{
    const Outcome first = World(model::Algorithm::LeastRequests, Seed{7}, true).run(TimePoint(50s));
    const Outcome again = World(model::Algorithm::LeastRequests, Seed{7}, true).run(TimePoint(50s));
    const Outcome other = World(model::Algorithm::LeastRequests, Seed{8}, true).run(TimePoint(50s));

    QCOMPARE(first.fingerprint, again.fingerprint);
    QVERIFY(first.fingerprint != other.fingerprint);
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::PolicyInVirtualTimeTest)
#include "policy_in_virtual_time_test.moc"
