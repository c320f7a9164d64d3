#include "proxyengine/policy/breaker.h"

#include "tests/support/seeded_run.h"

#include <QtTest>

#include <fmt/format.h>

#include <deque>
#include <map>
#include <vector>

// Goal: for any settings and any outcomes, the breaker opens only with cause, admits no more than
//       its probes while half-open, never lets everybody through in the ramp, and closes when all
//       is well again.
// Method: random events against a reference that keeps every outcome with its time. Each property
//         must catch a breaker that is wrong in just that way.
namespace mesh::policy {

using namespace std::chrono_literals;
using test::Violation;

class BreakerProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void holds();
    void catchesWrongBreakers_data();
    void catchesWrongBreakers();
};

namespace {

constexpr std::uint64_t kRuns = 200;
constexpr int kStepsPerRun = 1500; // 300 000 in all.

struct Faithful : CircuitBreaker
{
    using CircuitBreaker::CircuitBreaker;
};

// Judges too few requests.
struct TooEager : CircuitBreaker
{
    TooEager(model::Breaker settings, TimePoint now)
        : CircuitBreaker(
            [&] {
                settings.minRequests /= 2;
                return settings;
            }(),
            now
        )
    {}
};

// Opens at half of the ratio.
struct TooStrict : CircuitBreaker
{
    TooStrict(model::Breaker settings, TimePoint now)
        : CircuitBreaker(
            [&] {
                settings.errorRatio /= 2;
                return settings;
            }(),
            now
        )
    {}
};

// Lets one probe more through.
struct OneProbeMore : CircuitBreaker
{
    OneProbeMore(model::Breaker settings, TimePoint now)
        : CircuitBreaker(
            [&] {
                ++settings.probes;
                return settings;
            }(),
            now
        )
    {}
};

// Gives the place of every answered probe to somebody else.
struct ReturnsProbes : CircuitBreaker
{
    using CircuitBreaker::CircuitBreaker;
    std::optional<BreakerState> onOutcome(
        TimePoint now, std::uint32_t round, BreakerOutcome outcome, Duration latency
    )
    {
        onAbandoned(round);
        return CircuitBreaker::onOutcome(now, round, outcome, latency);
    }
};

// Believes that the probe that failed did not.
struct Forgiving : CircuitBreaker
{
    using CircuitBreaker::CircuitBreaker;
    std::optional<BreakerState> onOutcome(
        TimePoint now, std::uint32_t round, BreakerOutcome outcome, Duration latency
    )
    {
        return CircuitBreaker::onOutcome(
            now,
            round,
            state() == BreakerState::HalfOpen ? BreakerOutcome::Succeeded : outcome,
            latency
        );
    }
};

// Does not hear of probes that succeed.
struct Deaf : CircuitBreaker
{
    using CircuitBreaker::CircuitBreaker;
    std::optional<BreakerState> onOutcome(
        TimePoint now, std::uint32_t round, BreakerOutcome outcome, Duration latency
    )
    {
        if (state() == BreakerState::HalfOpen && outcome == BreakerOutcome::Succeeded) {
            return std::nullopt;
        }
        return CircuitBreaker::onOutcome(now, round, outcome, latency);
    }
};

// Opens for half as long.
struct Impatient : CircuitBreaker
{
    Impatient(model::Breaker settings, TimePoint now)
        : CircuitBreaker(
            [&] {
                settings.open /= 2;
                return settings;
            }(),
            now
        )
    {}
};

model::Breaker randomSettings(Random& random)
{
    model::Breaker settings;
    settings.errorRatio = static_cast<double>(1 + random.below(100)) / 100;
    if (random.chance(0.4)) {
        settings.slowRatio = static_cast<double>(1 + random.below(100)) / 100;
    }
    settings.slow = 50ms;
    settings.minRequests = static_cast<int>(2 + random.below(20));
    settings.window = std::chrono::milliseconds(500 + random.below(5000));
    settings.open = std::chrono::milliseconds(50 + random.below(2000));
    settings.probes = static_cast<int>(1 + random.below(5));
    settings.ramp = std::chrono::milliseconds(random.below(4) * random.below(1500));
    return settings;
}

template <typename Breaker>
class Run
{
public:
    explicit Run(Seed seed)
        : m_random(seed)
        , m_policyRandom(deriveSeed(seed, 1))
        , m_settings(randomSettings(m_random))
        , m_breaker(m_settings, m_now)
    {}

    Violation run()
    {
        for (int step = 0; step < kStepsPerRun && m_violation.empty(); ++step) {
            if (step % 100 == 0) {
                m_failing = m_random.chance(0.5) ? 0.02 : m_random.unit();
            }
            advanceTime(std::chrono::microseconds(m_random.below(40'000)));
            if (m_random.chance(0.5)) {
                admit();
            } else {
                end();
            }
        }
        recover();
        return m_violation;
    }

private:
    struct Request
    {
        std::uint32_t round = 0;
        bool isProbe = false;
        TimePoint admittedAt;
    };
    struct Outcome
    {
        TimePoint at;
        bool isFailed = false;
        bool isSlow = false;
    };

    void fail(std::string text)
    {
        if (m_violation.empty()) {
            m_violation = std::move(text);
        }
    }

    void advanceTime(Duration step)
    {
        m_now += step;
        // Late now and then, as timers are.
        if (m_random.chance(0.7)) {
            follow([this] { return m_breaker.advance(m_now); });
        }
    }

    // Runs a call and looks at the arrow it went along.
    template <typename Call>
    void follow(Call call)
    {
        const BreakerState before = m_breaker.state();
        call();
        const BreakerState after = m_breaker.state();
        if (before == after) {
            return;
        }
        const bool isArrow = (before == BreakerState::Closed && after == BreakerState::Open)
                             || (before == BreakerState::Open && after == BreakerState::HalfOpen)
                             || (before == BreakerState::HalfOpen && after == BreakerState::Open)
                             || (before == BreakerState::HalfOpen && after == BreakerState::Ramping)
                             || (before == BreakerState::HalfOpen && after == BreakerState::Closed)
                             || (before == BreakerState::Ramping && after == BreakerState::Open)
                             || (before == BreakerState::Ramping && after == BreakerState::Closed);
        if (!isArrow) {
            fail(fmt::format("no arrow from {} to {}", toText(before), toText(after)));
        }
        enter(before, after);
    }

    void enter(BreakerState before, BreakerState after)
    {
        switch (after) {
        case BreakerState::Open:
            if (before == BreakerState::HalfOpen) {
                checkFailedProbe();
            } else {
                checkRatio();
            }
            m_openedAt = m_now;
            break;
        case BreakerState::HalfOpen:
            if (m_now - m_openedAt < m_settings.open) {
                fail(fmt::format(
                    "probes {} too early", (m_settings.open - (m_now - m_openedAt)).count()
                ));
            }
            m_probesAdmitted = 0;
            m_probesSucceeded = 0;
            m_isProbeFailed = false;
            break;
        case BreakerState::Ramping:
        case BreakerState::Closed:
            if (before == BreakerState::HalfOpen
                && (m_isProbeFailed || m_probesSucceeded < m_settings.probes)) {
                fail(fmt::format("recovered after {} good probes", m_probesSucceeded));
            }
            if (before == BreakerState::HalfOpen) {
                m_outcomes.clear();
                m_rampedAt = m_now;
            }
            break;
        }
    }

    void checkFailedProbe()
    {
        const Outcome& last = m_outcomes.back();
        if (!last.isFailed && !(m_settings.slowRatio && last.isSlow)) {
            fail("opened again without a failed probe");
        }
    }

    // The outcomes of the window bear the opening out. The breaker's window is between 9/10 and
    // the whole of the configured one; both ends are tried, and all between them.
    void checkRatio()
    {
        bool isBorneOut = false;
        int all = 0;
        int failed = 0;
        int slow = 0;
        for (auto at = m_outcomes.rbegin(); at != m_outcomes.rend(); ++at) {
            if (m_now - at->at > m_settings.window) {
                break;
            }
            ++all;
            failed += at->isFailed ? 1 : 0;
            slow += at->isSlow ? 1 : 0;
            const bool isWhole = std::next(at) == m_outcomes.rend()
                                 || m_now - std::next(at)->at >= m_settings.window * 9 / 10;
            const bool isReached =
                failed * 100 >= std::lround(m_settings.errorRatio * 100) * all
                || (m_settings.slowRatio
                    && slow * 100 >= std::lround(*m_settings.slowRatio * 100) * all);
            isBorneOut = isBorneOut || (isWhole && all >= m_settings.minRequests && isReached);
        }
        if (all < m_settings.minRequests) {
            fail(fmt::format("opened with {} of {} requests", all, m_settings.minRequests));
        } else if (!isBorneOut) {
            fail(fmt::format("opened with {} of {} failed and {} slow", failed, all, slow));
        }
    }

    void admit()
    {
        BreakerAdmission admission;
        follow([&] { admission = m_breaker.admit(m_now, m_policyRandom); });
        if (m_breaker.reason(m_now).empty() != (m_breaker.state() == BreakerState::Closed)) {
            fail("a reason is owed unless closed");
        }
        if (m_breaker.state() == BreakerState::Closed && !admission.isAdmitted()) {
            fail("rejected although closed");
        }
        if (!admission.isAdmitted()) {
            return;
        }
        if (m_breaker.state() == BreakerState::Open) {
            fail("admitted although open");
        }
        if (m_breaker.state() == BreakerState::Ramping && m_now - m_rampedAt >= m_settings.ramp) {
            fail("ramping for too long");
        }
        const bool isProbe = m_breaker.state() == BreakerState::HalfOpen;
        if (isProbe && ++m_probesAdmitted > m_settings.probes) {
            fail(fmt::format("{} probes of {}", m_probesAdmitted, m_settings.probes));
        }
        m_requests.push_back({admission.round(), isProbe, m_now});
    }

    void end()
    {
        if (m_requests.empty()) {
            return;
        }
        const std::size_t at = m_random.below(m_requests.size());
        const Request request = m_requests[at];
        m_requests.erase(m_requests.begin() + static_cast<std::ptrdiff_t>(at));
        const bool isPresent = request.round == m_breaker.gate().round();
        if (m_random.chance(0.05)) {
            m_breaker.onAbandoned(request.round);
            m_probesAdmitted -= isPresent && request.isProbe ? 1 : 0;
            return;
        }
        const Outcome outcome{m_now, m_random.chance(m_failing), m_random.chance(m_failing / 3)};
        finish(request, outcome);
    }

    void finish(const Request& request, const Outcome& outcome)
    {
        if (request.round == m_breaker.gate().round()) {
            m_outcomes.push_back(outcome);
            m_probesSucceeded += request.isProbe && !outcome.isFailed ? 1 : 0;
            if (request.isProbe && outcome.isFailed
                && m_breaker.state() == BreakerState::HalfOpen) {
                m_isProbeFailed = true;
            }
        }
        follow([&] {
            m_breaker.onOutcome(
                m_now,
                request.round,
                outcome.isFailed ? BreakerOutcome::Failed : BreakerOutcome::Succeeded,
                outcome.isSlow ? m_settings.slow * 2 : m_settings.slow
            );
        });
    }

    // From whatever state: when everything succeeds and time goes by, the breaker closes.
    void recover()
    {
        m_failing = 0;
        m_requests.clear();
        advanceTime(m_settings.open);
        const int roundsMax = 4000;
        for (int i = 0; i < roundsMax && m_violation.empty(); ++i) {
            advanceTime(m_settings.window / 50 + 1ms);
            admit();
            while (!m_requests.empty()) {
                const Request request = m_requests.back();
                m_requests.pop_back();
                finish(request, Outcome{m_now, false, false});
            }
            // Nobody answers the probes of the steps before.
            if (m_breaker.state() == BreakerState::HalfOpen) {
                m_breaker.onAbandoned(m_breaker.gate().round());
                m_probesAdmitted = std::max(m_probesAdmitted - 1, 0);
            }
        }
        if (m_violation.empty() && m_breaker.state() != BreakerState::Closed) {
            fail(fmt::format("still {} although all is well", toText(m_breaker.state())));
        }
    }

    Random m_random;
    Random m_policyRandom;
    model::Breaker m_settings;
    TimePoint m_now{};
    Breaker m_breaker;
    double m_failing = 0;
    std::vector<Request> m_requests;
    std::vector<Outcome> m_outcomes; // That counted, since the last recovery.
    TimePoint m_openedAt{};
    TimePoint m_rampedAt{};
    int m_probesAdmitted = 0;
    int m_probesSucceeded = 0;
    bool m_isProbeFailed = false;
    Violation m_violation;
};

template <typename Breaker>
Violation checkAll(Seed first)
{
    return test::runSeeds(first, kRuns, [](Seed seed) { return Run<Breaker>(seed).run(); });
}

struct Mutant
{
    const char* name;
    const char* words; // Of the violation that it must be caught by.
    Violation (*check)(Seed);
};

constexpr std::array<Mutant, 7> kMutants = {
    Mutant{"too few requests judged", "requests", checkAll<TooEager>},
    Mutant{"half of the ratio", "failed and", checkAll<TooStrict>},
    Mutant{"one probe more", "probes of", checkAll<OneProbeMore>},
    Mutant{"answered probes admit others", "probes of", checkAll<ReturnsProbes>},
    Mutant{"failed probes forgiven", "recovered after", checkAll<Forgiving>},
    Mutant{"never closes", "although all is well", checkAll<Deaf>},
    Mutant{"opens for half as long", "too early", checkAll<Impatient>}};

} // namespace

void BreakerProperty::holds()
{
    const Violation violation = checkAll<Faithful>(test::firstSeed());
    QVERIFY2(violation.empty(), violation.c_str());
}

void BreakerProperty::catchesWrongBreakers_data()
{
    QTest::addColumn<int>("mutant");
    for (std::size_t i = 0; i < kMutants.size(); ++i) {
        QTest::newRow(kMutants[i].name) << static_cast<int>(i);
    }
}

void BreakerProperty::catchesWrongBreakers()
{
    QFETCH(const int, mutant);
    const Mutant& wrong = kMutants[static_cast<std::size_t>(mutant)];
    const Violation violation = wrong.check(test::firstSeed());
    qInfo("caught: %s", violation.c_str());
    QVERIFY(violation.find(wrong.words) != Violation::npos);
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::BreakerProperty)
#include "breaker_property.moc"
