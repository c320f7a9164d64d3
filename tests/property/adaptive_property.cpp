#include "proxyengine/policy/adaptive_concurrency.h"
#include "tests/support/seeded_run.h"

#include <QTest>

#include <fmt/format.h>

#include <array>
#include <vector>

// Goal: for any round trips the limit stays between its bounds, no more requests run than it
//       allowed when they began, the smallest round trip is measured in time, and a queue that the
//       limit itself makes is driven away.
// Method: random events; each property must catch a limit that is wrong in just that way.
namespace mesh::policy {

using namespace std::chrono_literals;
using test::Mutant;
using test::Violation;

class AdaptiveProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void holds();
    void catchesWrongLimits_data();
    void catchesWrongLimits();
    void findsTheConcurrencyOfAServer();
};

namespace {

constexpr std::uint64_t kRuns = 60;
constexpr int kStepsPerRun = 1000; // 60 000 in all.

struct Faithful : AdaptiveConcurrency
{
    using AdaptiveConcurrency::AdaptiveConcurrency;
};

// Does not know the upper bound.
struct Unbounded : AdaptiveConcurrency
{
    Unbounded(model::AdaptiveConcurrency settings, TimePoint now)
        : AdaptiveConcurrency(
            [&] {
                settings.maxConcurrency *= 2;
                return settings;
            }(),
            now
        )
    {}
};

// Goes below the lower bound.
struct Bottomless : AdaptiveConcurrency
{
    Bottomless(model::AdaptiveConcurrency settings, TimePoint now)
        : AdaptiveConcurrency(
            [&] {
                --settings.minConcurrency;
                return settings;
            }(),
            now
        )
    {}
};

// Lets a request in without counting it now and then.
struct Leaking : AdaptiveConcurrency
{
    using AdaptiveConcurrency::AdaptiveConcurrency;
    ConcurrencyAdmission enter(TimePoint now, Random& random)
    {
        const ConcurrencyAdmission admission = AdaptiveConcurrency::enter(now, random);
        if (admission.isAdmitted() && ++m_admitted % 10 == 0) {
            AdaptiveConcurrency::onAbandoned();
            ++m_owed;
        }
        return admission;
    }
    void onDone(TimePoint now, std::uint16_t epoch, Duration roundTrip, Random& random)
    {
        if (m_owed > 0) {
            --m_owed;
        } else {
            AdaptiveConcurrency::onDone(now, epoch, roundTrip, random);
        }
    }
    void onAbandoned()
    {
        if (m_owed > 0) {
            --m_owed;
        } else {
            AdaptiveConcurrency::onAbandoned();
        }
    }

private:
    int m_admitted = 0;
    int m_owed = 0;
};

// Measures the smallest round trip half as often.
struct Lazy : AdaptiveConcurrency
{
    Lazy(model::AdaptiveConcurrency settings, TimePoint now)
        : AdaptiveConcurrency(
            [&] {
                settings.minRttInterval *= 2;
                return settings;
            }(),
            now
        )
    {}
};

model::AdaptiveConcurrency randomSettings(Random& random)
{
    model::AdaptiveConcurrency settings;
    settings.minConcurrency = static_cast<int>(2 + random.below(10));
    settings.maxConcurrency = settings.minConcurrency + static_cast<int>(random.below(20));
    settings.minRttRequests = static_cast<int>(1 + random.below(20));
    settings.minRttInterval = std::chrono::milliseconds(1000 + random.below(5000));
    settings.updateInterval = std::chrono::milliseconds(10 + random.below(100));
    settings.buffer = static_cast<double>(random.below(100));
    return settings;
}

template <typename Limit>
class Run
{
public:
    explicit Run(Seed seed)
        : m_random(seed)
        , m_policyRandom(deriveSeed(seed, 1))
        , m_settings(randomSettings(m_random))
        , m_limit(m_settings, m_now)
    {}

    Violation run()
    {
        for (int step = 0; step < kStepsPerRun && m_violation.empty(); ++step) {
            if (step % 200 == 0) {
                m_load = m_random.unit();
                m_slowness = 1 + m_random.below(50);
            }
            m_now += std::chrono::microseconds(m_random.below(20'000));
            if (m_random.chance(m_load)) {
                begin();
            } else {
                end();
            }
            m_limit.advance(m_now, m_policyRandom);
            check();
        }
        return m_violation;
    }

private:
    struct Request
    {
        std::uint16_t epoch = 0;
    };

    void fail(std::string text)
    {
        if (m_violation.empty()) {
            m_violation = std::move(text);
        }
    }

    void begin()
    {
        const ConcurrencyAdmission admission = m_limit.enter(m_now, m_policyRandom);
        const bool isRoom = m_requests.size() < m_limit.limit();
        if (admission.isAdmitted() && !isRoom) {
            fail(fmt::format("{} run, {} allowed", m_requests.size() + 1, m_limit.limit()));
        }
        if (!admission.isAdmitted() && isRoom) {
            fail(fmt::format("rejected with {} of {}", m_requests.size(), m_limit.limit()));
        }
        if (admission.isAdmitted()) {
            m_requests.push_back({admission.epoch()});
        }
    }

    void end()
    {
        if (m_requests.empty()) {
            return;
        }
        const Request request = m_requests.back();
        m_requests.pop_back();
        if (m_random.chance(0.02)) {
            m_limit.onAbandoned();
            return;
        }
        const auto roundTrip = std::chrono::microseconds(m_random.below(1000 * m_slowness));
        m_limit.onDone(m_now, request.epoch, roundTrip, m_policyRandom);
    }

    void check()
    {
        const auto limit = static_cast<int>(m_limit.limit());
        if (limit < m_settings.minConcurrency || limit > m_settings.maxConcurrency) {
            fail(fmt::format(
                "limit {} is not in {}..{}",
                limit,
                m_settings.minConcurrency,
                m_settings.maxConcurrency
            ));
        }
        const auto& controller = m_limit.controller();
        if (controller.isMeasuring()) {
            m_measuredAt = m_now;
            if (limit != m_settings.minConcurrency) {
                fail(fmt::format("measures with a limit of {}", limit));
            }
        }
        // The interval with its jitter, and the steps until the next update and event.
        const Duration bound =
            m_settings.minRttInterval * 115 / 100 + m_settings.updateInterval * 2 + 2s;
        if (m_now - m_measuredAt > bound) {
            fail("does not measure again");
        }
    }

    Random m_random;
    Random m_policyRandom;
    model::AdaptiveConcurrency m_settings;
    TimePoint m_now{};
    Limit m_limit;
    double m_load = 0.5;
    std::uint64_t m_slowness = 1;
    TimePoint m_measuredAt{};
    std::vector<Request> m_requests;
    Violation m_violation;
};

template <typename Limit>
Violation checkAll(Seed first)
{
    return test::runSeeds(first, kRuns, [](Seed seed) { return Run<Limit>(seed).run(); });
}

constexpr std::array<Mutant, 4> kMutants = {
    Mutant{"no upper bound", "is not in", checkAll<Unbounded>},
    Mutant{"below the lower bound", "is not in", checkAll<Bottomless>},
    Mutant{"uncounted requests", "allowed", checkAll<Leaking>},
    Mutant{"measures half as often", "does not measure again", checkAll<Lazy>}};

// A server that works on `width` requests at once, 10 ms each; the others wait in turn. As many
// clients as are admitted always ask. The limit that a second of this ends with.
std::uint32_t settle(std::uint32_t width, Random& random)
{
    AdaptiveConcurrencyController controller(model::AdaptiveConcurrency(), TimePoint(0s));
    TimePoint now(0s);
    for (int update = 0; update < 200; ++update) {
        const double wait = std::max(1.0, static_cast<double>(controller.limit()) / width);
        for (int i = 0; i < 60; ++i) {
            const double noise = 0.95 + random.unit() * 0.1;
            controller.record(controller.epoch(), fromSeconds(0.010 * wait * noise));
        }
        now += 100ms;
        controller.advance(now, random);
    }
    return controller.limit();
}

} // namespace

void AdaptiveProperty::holds()
{
    const Violation violation = checkAll<Faithful>(test::firstSeed());
    QVERIFY2(violation.empty(), violation.c_str());
}

void AdaptiveProperty::catchesWrongLimits_data() { test::addRows(kMutants); }

void AdaptiveProperty::catchesWrongLimits()
{
    QFETCH(const int, mutant);
    test::expectCaught(kMutants[static_cast<std::size_t>(mutant)]);
}

// In balance the limit is where limit = g * limit + sqrt(g * limit) with g = 1.25 * width / limit:
// a little above 1.25 * width.
void AdaptiveProperty::findsTheConcurrencyOfAServer()
{
    Random random(test::firstSeed());
    for (const std::uint32_t width : {10U, 40U, 200U}) {
        const double balance = 1.25 * width + std::sqrt(1.25 * width);
        const auto found = static_cast<double>(settle(width, random));
        qInfo("%u at once: a limit of %g, in theory %g", width, found, balance);
        QVERIFY(found > balance * 0.85 && found < balance * 1.15);
    }
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::AdaptiveProperty)
#include "adaptive_property.moc"
