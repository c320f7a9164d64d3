#include "proxyengine/policy/balancer.h"
#include "tests/support/seeded_run.h"

#include <QTest>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

// Goal: for any hosts and any events, every algorithm picks only what it may: no host that is
//       excluded or tried while another is allowed, nobody of another version, health ignored in
//       panic only; and the same seed gives the same picks.
// Method: random events against a reference that knows the hosts only by their settings. Two
//         balancers run side by side. Each property must catch a balancer that is wrong in just
//         that way.
namespace mesh::policy {

using namespace std::chrono_literals;
using test::Mutant;
using test::Violation;

class BalancerPicksProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void holds();
    void catchesWrongBalancers_data();
    void catchesWrongBalancers();
};

namespace {

constexpr std::uint64_t kRuns = 400;
constexpr int kStepsPerRun = 200; // 80 000 in all.

std::uint32_t draw(Random& random, std::uint64_t bound)
{
    return static_cast<std::uint32_t>(random.below(bound));
}

// A balancer that does what is asked; mutants differ in one function.
class Faithful
{
public:
    Faithful(model::Algorithm algorithm, const HostSet& hosts, Random& random)
        : m_balancer(algorithm, hosts, random)
    {}

    PickVerdict pick(const PickRequest& request, HostSet& hosts, Random& random)
    {
        return m_balancer.pick(request, hosts, random);
    }
    void report(std::uint32_t host, TimePoint now, Duration rtt)
    {
        m_balancer.report(host, now, rtt, AttemptEnd::Succeeded);
    }

private:
    Balancer m_balancer;
};

class PicksExcluded : public Faithful
{
public:
    using Faithful::Faithful;
    PickVerdict pick(const PickRequest& request, HostSet& hosts, Random& random)
    {
        PickVerdict verdict = Faithful::pick(request, hosts, random);
        const std::uint32_t other = draw(random, 50 * hosts.size());
        const bool isApt = other < hosts.size() && !hosts[other].isAvailable && !verdict.isPanic
                           && hosts.level(other) == verdict.level;
        if (verdict.host && isApt && request.subset == kAllHosts) {
            verdict.host = other;
        }
        return verdict;
    }
};

class ForgetsTried : public Faithful
{
public:
    using Faithful::Faithful;
    PickVerdict pick(const PickRequest& request, HostSet& hosts, Random& random)
    {
        const TriedHosts none;
        return Faithful::pick({request.now, none, request.hash, request.subset}, hosts, random);
    }
};

class ForgetsVersions : public Faithful
{
public:
    using Faithful::Faithful;
    PickVerdict pick(const PickRequest& request, HostSet& hosts, Random& random)
    {
        return Faithful::pick({request.now, request.tried, request.hash}, hosts, random);
    }
};

class NeverSaysPanic : public Faithful
{
public:
    using Faithful::Faithful;
    PickVerdict pick(const PickRequest& request, HostSet& hosts, Random& random)
    {
        PickVerdict verdict = Faithful::pick(request, hosts, random);
        verdict.isPanic = false;
        return verdict;
    }
};

class GivesUp : public Faithful
{
public:
    using Faithful::Faithful;
    PickVerdict pick(const PickRequest& request, HostSet& hosts, Random& random)
    {
        const PickVerdict verdict = Faithful::pick(request, hosts, random);
        return request.tried.list().size() >= 2 ? PickVerdict{} : verdict;
    }
};

class HasASecret : public Faithful
{
public:
    using Faithful::Faithful;
    PickVerdict pick(const PickRequest& request, HostSet& hosts, Random& random)
    {
        PickRequest other = request;
        if (++s_picks % 2 == 0 && other.hash) {
            *other.hash += s_picks << 40U;
        }
        return Faithful::pick(other, hosts, random);
    }

private:
    static inline std::uint64_t s_picks = 0;
};

// One upstream with all its settings, drawn at random.
struct Settings
{
    explicit Settings(Random& random)
    {
        const auto rows = algorithmTable();
        algorithm = rows[random.below(rows.size())].named;
        hosts.levels = random.chance(0.5) ? 1 : 1 + draw(random, 3);
        if (hosts.levels > 1 || random.chance(0.3)) {
            hosts.locality.emplace();
            hosts.locality->panicPercent = draw(random, 101);
        }
        hosts.slowStart = random.chance(0.5) ? Duration(10s) : Duration::zero();
        const std::array<std::string, 3> versions{"", "v1", "v2"};
        const std::uint32_t weightMax = random.chance(0.5) ? 2 : 400;
        specs.resize(1 + random.below(12));
        for (std::size_t host = 0; host < specs.size(); ++host) {
            specs[host].key = fmt::format("10.0.0.{}:80", host);
            specs[host].weight = draw(random, weightMax + 1);
            specs[host].level = draw(random, hosts.levels);
            specs[host].version = versions[random.below(versions.size())];
        }
    }

    model::Algorithm algorithm{};
    HostSettings hosts;
    std::vector<HostSpec> specs;
};

// A balancer with all that belongs to it.
template <typename Subject>
struct Side
{
    Side(const Settings& settings, Seed seed)
        : hosts(settings.specs, settings.hosts)
        , random(seed)
        , balancer(settings.algorithm, hosts, random)
    {}

    HostSet hosts;
    Random random;
    Subject balancer;
};

template <typename Subject>
class Run
{
public:
    explicit Run(Seed seed)
        : m_random(seed)
        , m_settings(m_random)
        , m_one(m_settings, deriveSeed(seed, 1))
        , m_twin(m_settings, deriveSeed(seed, 1))
        , m_isUp(m_settings.specs.size(), true)
        , m_active(m_settings.specs.size(), 0)
    {}

    Violation run()
    {
        for (int step = 0; step < kStepsPerRun && m_violation.empty(); ++step) {
            m_now += Duration(static_cast<std::int64_t>(m_random.below(1'000'000'000)));
            const double kind = m_random.unit();
            if (kind < 0.25) {
                flip(draw(m_random, m_settings.specs.size()));
            } else if (kind < 0.4) {
                endOne();
            } else {
                request();
            }
        }
        return m_violation;
    }

private:
    void flip(std::uint32_t host)
    {
        m_isUp[host] = !m_isUp[host];
        const auto to =
            m_isUp[host] ? HostSet::Availability::Available : HostSet::Availability::Unavailable;
        m_one.hosts.setAvailability(host, to, m_now);
        m_twin.hosts.setAvailability(host, to, m_now);
    }

    void endOne()
    {
        if (m_begun.empty()) {
            return;
        }
        const std::size_t at = m_random.below(m_begun.size());
        const std::uint32_t host = m_begun[at];
        m_begun[at] = m_begun.back();
        m_begun.pop_back();
        --m_active[host];
        const Duration rtt(static_cast<std::int64_t>(m_random.below(1'000'000'000)));
        for (Side<Subject>* side : {&m_one, &m_twin}) {
            side->hosts.end(host);
            side->balancer.report(host, m_now, rtt);
        }
    }

    // A request with up to four attempts.
    void request()
    {
        constexpr std::array<std::string_view, 4> kVersions{"", "v1", "v2", "v3"};
        const std::string_view version = kVersions[m_random.below(m_random.chance(0.5) ? 1 : 4)];
        std::optional<std::uint64_t> hash;
        if (m_random.chance(0.8)) {
            hash = m_random.next();
        }
        TriedHosts tried;
        const std::uint64_t attempts = 1 + m_random.below(4);
        for (std::uint64_t attempt = 0; attempt < attempts && m_violation.empty(); ++attempt) {
            const PickVerdict verdict = pick(version, hash, tried);
            if (!verdict.host || !m_violation.empty()) {
                return;
            }
            m_one.hosts.begin(*verdict.host);
            m_twin.hosts.begin(*verdict.host);
            ++m_active[*verdict.host];
            m_begun.push_back(*verdict.host);
            tried.add(*verdict.host);
        }
    }

    PickVerdict pick(
        std::string_view version, std::optional<std::uint64_t> hash, const TriedHosts& tried
    )
    {
        const PickRequest request{m_now, tried, hash, m_one.hosts.subsetOf(version)};
        const PickVerdict verdict = m_one.balancer.pick(request, m_one.hosts, m_one.random);
        const PickVerdict same = m_twin.balancer.pick(request, m_twin.hosts, m_twin.random);
        if (verdict.host != same.host || verdict.level != same.level) {
            fail("the twin picks another host");
        }
        check(version, tried, verdict);
        return verdict;
    }

    [[nodiscard]] bool isCandidate(std::size_t host, std::string_view version) const
    {
        const HostSpec& spec = m_settings.specs[host];
        return spec.weight > 0 && (version.empty() || spec.version == version);
    }

    // By Envoy's definition, from the settings alone.
    [[nodiscard]] bool isPanic(std::uint32_t level, std::string_view version) const
    {
        if (!m_settings.hosts.locality) {
            return false;
        }
        const auto percent = static_cast<std::uint32_t>(m_settings.hosts.locality->panicPercent);
        std::uint32_t health = 0;
        bool isShort = false;
        for (std::uint32_t each = 0; each < m_settings.hosts.levels; ++each) {
            std::uint32_t total = 0;
            std::uint32_t up = 0;
            for (std::size_t host = 0; host < m_settings.specs.size(); ++host) {
                if (isCandidate(host, version) && m_settings.specs[host].level == each) {
                    ++total;
                    up += m_isUp[host] ? 1U : 0U;
                }
            }
            health += total == 0 ? 0 : std::min(100U, 140 * up / total);
            isShort = isShort || (each == level && 100 * up < percent * total);
        }
        return health < 100 && isShort;
    }

    [[nodiscard]] bool isAllowed(std::size_t host, std::string_view version) const
    {
        return isCandidate(host, version)
               && (m_isUp[host] || isPanic(m_settings.specs[host].level, version));
    }

    void check(std::string_view version, const TriedHosts& tried, const PickVerdict& verdict)
    {
        bool isOneAllowed = false;
        bool isOneUntried = false;
        for (std::uint32_t host = 0; host < m_settings.specs.size(); ++host) {
            const bool isHostAllowed = isAllowed(host, version);
            isOneAllowed = isOneAllowed || isHostAllowed;
            isOneUntried = isOneUntried || (isHostAllowed && !tried.contains(host));
        }
        if (!verdict.host) {
            if (isOneAllowed) {
                fail("nobody, though a host is allowed");
            }
            return;
        }
        const std::uint32_t host = *verdict.host;
        if (!version.empty() && m_settings.specs[host].version != version) {
            fail(fmt::format("host {} is not of version {}", host, version));
        } else if (!isAllowed(host, version)) {
            fail(fmt::format("host {} is excluded", host));
        } else if (isOneUntried && tried.contains(host)) {
            fail(fmt::format("host {} was tried, another was not", host));
        } else if (verdict.isPanic != isPanic(m_settings.specs[host].level, version)) {
            fail(fmt::format("panic of level {} is not as it should be", verdict.level));
        } else if (verdict.level != m_settings.specs[host].level) {
            fail(fmt::format("host {} is not of level {}", host, verdict.level));
        }
        checkBook(version, tried, verdict);
    }

    void checkBook(std::string_view version, const TriedHosts& tried, const PickVerdict& verdict)
    {
        const auto levels = m_one.hosts.locality(m_one.hosts.subsetOf(version)).levels;
        if (tried.isEmpty() && levels[verdict.level].load == 0) {
            fail(fmt::format("level {} has no load", verdict.level));
        }
        for (std::size_t host = 0; host < m_active.size(); ++host) {
            if (m_one.hosts[host].active != m_active[host]) {
                fail(fmt::format("host {} has another number of attempts", host));
            }
        }
    }

    void fail(std::string words)
    {
        const auto rows = algorithmTable();
        const auto row = std::ranges::find(rows, m_settings.algorithm, &AlgorithmRow::named);
        if (m_violation.empty()) {
            m_violation = fmt::format("{}: {}", row->word, words);
        }
    }

    Random m_random;
    Settings m_settings;
    Side<Subject> m_one;
    Side<Subject> m_twin;
    std::vector<bool> m_isUp;
    std::vector<std::uint32_t> m_active;
    std::vector<std::uint32_t> m_begun;
    TimePoint m_now{};
    Violation m_violation;
};

template <typename Subject>
Violation checkAll(Seed first)
{
    return test::runSeeds(first, kRuns, [](Seed seed) { return Run<Subject>(seed).run(); });
}

constexpr std::array<Mutant, 6> kMutants = {
    Mutant{"picks excluded hosts", "is excluded", checkAll<PicksExcluded>},
    Mutant{"forgets what was tried", "was tried", checkAll<ForgetsTried>},
    Mutant{"forgets versions", "not of version", checkAll<ForgetsVersions>},
    Mutant{"never says panic", "panic of level", checkAll<NeverSaysPanic>},
    Mutant{"gives up", "nobody, though", checkAll<GivesUp>},
    Mutant{"has a secret", "the twin", checkAll<HasASecret>}};

} // namespace

void BalancerPicksProperty::holds()
{
    const Violation violation = checkAll<Faithful>(test::firstSeed());
    QVERIFY2(violation.empty(), violation.c_str());
}

void BalancerPicksProperty::catchesWrongBalancers_data() { test::addRows(kMutants); }

void BalancerPicksProperty::catchesWrongBalancers()
{
    QFETCH(const int, mutant);
    test::expectCaught(kMutants[static_cast<std::size_t>(mutant)]);
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::BalancerPicksProperty)
#include "balancer_picks_property.moc"
