#include "proxyengine/policy/breaker.h"

#include "tests/support/seeded_run.h"

#include <QTest>

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <vector>

// Goal: for any settings and any outcomes, the breaker opens only with cause, admits no more than
//       its probes while half-open, never lets everybody through in the ramp, and closes when all
//       is well again.
// Method: random events against a reference that keeps every outcome with its time. Each property
//         must catch a breaker that is wrong in just that way.
namespace mesh::policy {

using namespace std::chrono_literals;
using test::Mutant;
using test::Violation;

class BreakerProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void holds();
    void catchesWrongBreakers_data();
    void catchesWrongBreakers();
    void isTheSameInParts();
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

// Hears of every second failure only, unless of a probe.
struct TooMild : CircuitBreaker
{
    using CircuitBreaker::CircuitBreaker;
    std::optional<BreakerState> onOutcome(
        TimePoint now, std::uint32_t round, BreakerOutcome outcome, Duration latency
    )
    {
        const bool isHeard = outcome == BreakerOutcome::Succeeded
                             || state() == BreakerState::HalfOpen || ++m_failures % 2 == 0;
        return CircuitBreaker::onOutcome(
            now, round, isHeard ? outcome : BreakerOutcome::Succeeded, latency
        );
    }

private:
    int m_failures = 0;
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

    struct Windows
    {
        int allInLongest = 0;
        bool isAnyReached = false;
        bool isEveryReached = true;
    };

    // The breaker's window is between nine buckets and the whole of the configured one; all windows
    // of such lengths are tried.
    Windows judgeWindows() const
    {
        Windows windows;
        int failed = 0;
        int slow = 0;
        int& all = windows.allInLongest;
        for (auto at = m_outcomes.rbegin(); at != m_outcomes.rend(); ++at) {
            if (m_now - at->at > m_settings.window) {
                break;
            }
            ++all;
            failed += at->isFailed ? 1 : 0;
            slow += at->isSlow ? 1 : 0;
            const bool isWindow = std::next(at) == m_outcomes.rend()
                                  || m_now - std::next(at)->at >= m_settings.window / 10 * 9;
            if (!isWindow) {
                continue;
            }
            const bool isReached =
                all >= m_settings.minRequests
                && (isRatio(failed, all, m_settings.errorRatio)
                    || (m_settings.slowRatio && isRatio(slow, all, *m_settings.slowRatio)));
            windows.isAnyReached = windows.isAnyReached || isReached;
            windows.isEveryReached = windows.isEveryReached && isReached;
        }
        return windows;
    }

    // Ratios are hundredths in these runs.
    static bool isRatio(int part, int all, double ratio)
    {
        return part * 100 >= std::lround(ratio * 100) * all;
    }

    void checkRatio()
    {
        const Windows windows = judgeWindows();
        if (windows.allInLongest < m_settings.minRequests) {
            fail(fmt::format(
                "opened with {} of {} requests", windows.allInLongest, m_settings.minRequests
            ));
        } else if (!windows.isAnyReached) {
            fail(fmt::format("opened without its ratio after {} requests", windows.allInLongest));
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
        const bool isJudged =
            m_breaker.state() == BreakerState::Closed || m_breaker.state() == BreakerState::Ramping;
        if (isJudged && !m_outcomes.empty() && m_outcomes.back().at == m_now
            && judgeWindows().isEveryReached) {
            fail("stayed closed although its ratio was reached");
        }
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

constexpr std::array<Mutant, 8> kMutants = {
    Mutant{"too few requests judged", "requests", checkAll<TooEager>},
    Mutant{"half of the failures", "stayed closed", checkAll<TooMild>},
    Mutant{"half of the ratio", "without its ratio", checkAll<TooStrict>},
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

void BreakerProperty::catchesWrongBreakers_data() { test::addRows(kMutants); }

void BreakerProperty::catchesWrongBreakers()
{
    QFETCH(const int, mutant);
    test::expectCaught(kMutants[static_cast<std::size_t>(mutant)]);
}

// Machine and word apart, as the proxy drives them, and the whole breaker: equal verdicts.
void BreakerProperty::isTheSameInParts()
{
    const Violation violation = test::runSeeds(test::firstSeed(), 20, [](Seed seed) -> Violation {
        Random random(seed);
        const model::Breaker settings = randomSettings(random);
        Random wholeRandom(seed);
        Random partsRandom(seed);
        TimePoint now{};
        CircuitBreaker whole(settings, now);
        BreakerMachine machine(settings, now);
        std::atomic<std::uint64_t> word{machine.gate().word()};
        const auto publish = [&](const BreakerStep& step) {
            if (step.gate) {
                word.store(step.gate->word());
            }
        };
        for (int step = 0; step < 2000; ++step) {
            now += std::chrono::microseconds(random.below(60'000));
            const BreakerAdmission expected = whole.admit(now, wholeRandom);
            publish(machine.advance(now));
            std::uint64_t seen = word.load();
            BreakerAdmission found = admitThrough(BreakerGate::fromWord(seen), partsRandom);
            while (!word.compare_exchange_weak(seen, found.gate.word())) {
                found = admitThrough(BreakerGate::fromWord(seen), partsRandom);
            }
            if (found.verdict != expected.verdict || found.round() != expected.round()) {
                return fmt::format("another verdict in step {}", step);
            }
            if (!found.isAdmitted()) {
                continue;
            }
            const bool isFailed = random.chance(0.3);
            whole.onOutcome(
                now,
                expected.round(),
                isFailed ? BreakerOutcome::Failed : BreakerOutcome::Succeeded,
                settings.slow
            );
            publish(machine.observe(now, found.round(), {isFailed ? 0U : 1U, isFailed ? 1U : 0U, 0})
            );
            if (machine.reason(now) != whole.reason(now)) {
                return fmt::format("another reason in step {}", step);
            }
        }
        return {};
    });
    QVERIFY2(violation.empty(), violation.c_str());
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::BreakerProperty)
#include "breaker_property.moc"
