#include "proxyengine/policy/rate_limit.h"

#include "tests/support/seeded_run.h"

#include <QTest>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

// Goal: whatever the traffic, a token bucket admits no more than burst + rate * t in any time t, a
//       sliding window no more than its limit in any window, a fixed window no more than its limit
//       in each; also when the clocks of workers lag behind each other.
// Method: random settings and arrivals; every admission is kept, and every window that begins and
//         ends with one is looked at. Each property must catch limiters that are wrong in just that
//         way.
namespace mesh::policy {

using namespace std::chrono_literals;
using model::RateAlgorithm;
using test::Violation;

class RateLimitProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void holds_data();
    void holds();
    void catchesWrongLimiters_data();
    void catchesWrongLimiters();
};

namespace {

__extension__ using Wide = __int128;

constexpr std::uint64_t kRuns = 300;
constexpr int kStepsPerRun = 4000; // 1 200 000 for each algorithm.

struct Faithful
{
    explicit Faithful(const model::RateLimit& settings)
        : rule(settings)
    {}
    bool take(RateNow now) { return rule.take(word, now).isAdmitted; }

    RateRule rule;
    std::uint64_t word = 0;
};

// A bucket with one token more than it should hold.
struct OneTokenMore : Faithful
{
    explicit OneTokenMore(model::RateLimit settings)
        : Faithful([&] {
            settings.burst = settings.burst.value_or(settings.requests) + 1;
            return settings;
        }())
    {}
};

// Tokens that come a little too fast.
struct TooFast : Faithful
{
    explicit TooFast(model::RateLimit settings)
        : Faithful([&] {
            settings.burst = settings.burst.value_or(settings.requests);
            settings.per -= settings.per / 64;
            return settings;
        }())
    {}
};

// Forgets everything at a refusal, now and then.
struct Forgetful : Faithful
{
    using Faithful::Faithful;
    bool take(RateNow now)
    {
        const bool isAdmitted = Faithful::take(now);
        refusals += isAdmitted ? 0 : 1;
        word = refusals % 200 == 199 ? 0 : word;
        return isAdmitted;
    }
    int refusals = 0;
};

// Looks back six parts of seven.
struct ShortSighted : Faithful
{
    explicit ShortSighted(model::RateLimit settings)
        : Faithful([&] {
            settings.per -= settings.per / 7;
            return settings;
        }())
    {}
};

// What a fixed window does where a sliding one was asked for.
struct Jumping : Faithful
{
    explicit Jumping(model::RateLimit settings)
        : Faithful([&] {
            settings.algorithm = RateAlgorithm::FixedWindow;
            return settings;
        }())
    {}
};

// The usual approximation: the last window's count, weighted by how much of it is still in sight.
struct Weighted
{
    explicit Weighted(const model::RateLimit& of)
        : settings(of)
    {}
    bool take(RateNow now)
    {
        const auto index = now.now.time_since_epoch() / settings.per;
        if (index != window) {
            last = index == window + 1 ? current : 0;
            current = 0;
            window = index;
        }
        const double into = static_cast<double>((now.now.time_since_epoch() % settings.per).count())
                            / static_cast<double>(settings.per.count());
        const bool isAdmitted = last * (1 - into) + current + 1 <= settings.requests;
        current += isAdmitted ? 1 : 0;
        return isAdmitted;
    }
    model::RateLimit settings;
    std::int64_t window = 0;
    double last = 0;
    double current = 0;
};

// Begins a new window whenever the number of the window is another one.
struct Fickle
{
    explicit Fickle(const model::RateLimit& of)
        : settings(of)
    {}
    bool take(RateNow now)
    {
        const auto index = Duration(now.wall.time_since_epoch()) / settings.per;
        count = index == window ? count : 0;
        window = index;
        return ++count <= settings.requests;
    }
    model::RateLimit settings;
    std::int64_t window = 0;
    int count = 0;
};

// Arrivals that a limiter meets: pauses, floods, a steady stream, in turns.
class Arrivals
{
public:
    Arrivals(Random& random, const model::RateLimit& settings)
        : m_random(random)
        , m_gap(std::max<std::int64_t>(1, settings.per.count() / settings.requests))
        , m_per(settings.per.count())
    {}

    Duration next()
    {
        if (m_left == 0) {
            m_left = 1 + m_random.below(300);
            m_scale = m_random.below(5);
        }
        --m_left;
        switch (m_scale) {
        case 0:
            return Duration{}; // All at once.
        case 1:
            return draw(m_gap / 4);
        case 2:
            return draw(2 * m_gap);
        case 3:
            return draw(m_per / 16);
        default:
            m_left = 0;
            // Exactly a window, or some odd pause.
            return m_random.chance(0.3) ? Duration(m_per) : draw(3 * m_per);
        }
    }

private:
    Duration draw(std::int64_t below)
    {
        return Duration(static_cast<std::int64_t>(
            m_random.below(static_cast<std::uint64_t>(std::max<std::int64_t>(1, below)))
        ));
    }

    Random& m_random;
    std::int64_t m_gap;
    std::int64_t m_per;
    std::uint64_t m_left = 0;
    std::uint64_t m_scale = 0;
};

model::RateLimit drawSettings(RateAlgorithm algorithm, Random& random)
{
    constexpr std::array<Duration, 6> kPeriods = {1ms, 7ms, 1s, 10s, 60s, 1h};
    model::RateLimit settings;
    settings.algorithm = algorithm;
    settings.requests = 1 + static_cast<int>(random.below(random.chance(0.5) ? 40 : 1500));
    settings.per = kPeriods[random.below(kPeriods.size())];
    if (algorithm == RateAlgorithm::TokenBucket && random.chance(0.5)) {
        settings.burst = 1 + static_cast<int>(random.below(200));
    }
    return settings;
}

// (count - burst) * per <= time * requests, for every pair of admissions, in one pass.
Violation checkBucket(
    const std::vector<Duration>& admitted, const model::RateLimit& settings, Duration lag
)
{
    const Wide per = settings.per.count();
    const Wide burst = settings.burst.value_or(settings.requests);
    const Wide free = burst * per + Wide{lag.count()} * settings.requests;
    Wide least = 0;
    for (std::size_t i = 0; i < admitted.size(); ++i) {
        const Wide level = Wide{static_cast<std::int64_t>(i)} * per
                           - Wide{admitted[i].count()} * settings.requests;
        least = i == 0 ? level : std::min(least, level);
        if (level + per - free > least) {
            return fmt::format("more than burst + rate * t up to admission {}", i);
        }
    }
    return {};
}

Violation checkSliding(
    const std::vector<Duration>& admitted, const model::RateLimit& settings, Duration lag
)
{
    std::size_t first = 0;
    for (std::size_t i = 0; i < admitted.size(); ++i) {
        while (admitted[first] < admitted[i] - settings.per + lag) {
            ++first;
        }
        if (i - first + 1 > static_cast<std::size_t>(settings.requests)) {
            return fmt::format("{} in a window of {}", i - first + 1, settings.requests);
        }
    }
    return {};
}

template <typename Limiter>
Violation check(RateAlgorithm algorithm, Seed seed)
{
    Random random(seed);
    const model::RateLimit settings = drawSettings(algorithm, random);
    // A worker reads its clocks once a turn, so one may be behind another.
    const Duration lagMax = random.chance(0.5) ? Duration{} : std::min<Duration>(5ms, settings.per);
    Limiter limiter(settings);
    Arrivals arrivals(random, settings);
    Duration time = 1000s + Duration(static_cast<std::int64_t>(random.below(100'000'000'000)));
    std::vector<Duration> admitted;
    std::int64_t newestWindow = 0;
    std::map<std::int64_t, int> admittedOfWindow;

    for (int step = 0; step < kStepsPerRun; ++step) {
        time += std::chrono::floor<std::chrono::microseconds>(arrivals.next());
        const Duration lag = std::chrono::floor<std::chrono::microseconds>(Duration(
            static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(lagMax.count()) + 1))
        ));
        const Duration read = time - lag;
        const RateNow now{
            TimePoint(read), WallTime(std::chrono::duration_cast<WallTime::duration>(read))};
        if (limiter.take(now)) {
            admitted.push_back(time);
            newestWindow = std::max<std::int64_t>(newestWindow, read / settings.per);
            ++admittedOfWindow[newestWindow];
        }
    }

    switch (algorithm) {
    case RateAlgorithm::TokenBucket:
        return checkBucket(admitted, settings, lagMax);
    case RateAlgorithm::SlidingWindow:
        return checkSliding(admitted, settings, lagMax);
    case RateAlgorithm::FixedWindow:
        break;
    }
    const auto worst = std::ranges::max_element(admittedOfWindow, {}, [](const auto& entry) {
        return entry.second;
    });
    return worst->second > settings.requests
               ? fmt::format("{} in a window of {}", worst->second, settings.requests)
               : Violation();
}

template <typename Limiter, RateAlgorithm kAlgorithm>
Violation checkAll(Seed first)
{
    return test::runSeeds(first, kRuns, [](Seed seed) { return check<Limiter>(kAlgorithm, seed); });
}

struct Subject
{
    const char* name;
    Violation (*check)(Seed);
};

constexpr auto kBucket = RateAlgorithm::TokenBucket;
constexpr auto kFixed = RateAlgorithm::FixedWindow;
constexpr auto kSliding = RateAlgorithm::SlidingWindow;

constexpr std::array<Subject, 3> kFaithful = {
    Subject{"token bucket", checkAll<Faithful, kBucket>},
    Subject{"fixed window", checkAll<Faithful, kFixed>},
    Subject{"sliding window", checkAll<Faithful, kSliding>}};

constexpr std::array<Subject, 9> kMutants = {
    Subject{"bucket with one token more", checkAll<OneTokenMore, kBucket>},
    Subject{"bucket that refills too fast", checkAll<TooFast, kBucket>},
    Subject{"bucket that forgets", checkAll<Forgetful, kBucket>},
    Subject{"window that begins anew with a lagging clock", checkAll<Fickle, kFixed>},
    Subject{"fixed window that forgets", checkAll<Forgetful, kFixed>},
    Subject{"sliding window that looks back too short", checkAll<ShortSighted, kSliding>},
    Subject{"fixed window in the place of a sliding one", checkAll<Jumping, kSliding>},
    Subject{"weighted counts of two windows", checkAll<Weighted, kSliding>},
    Subject{"sliding window that forgets", checkAll<Forgetful, kSliding>}};

void addRows(std::span<const Subject> subjects)
{
    QTest::addColumn<int>("subject");
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        QTest::newRow(subjects[i].name) << static_cast<int>(i);
    }
}

} // namespace

void RateLimitProperty::holds_data() { addRows(kFaithful); }

void RateLimitProperty::holds()
{
    QFETCH(const int, subject);
    const Violation violation =
        kFaithful[static_cast<std::size_t>(subject)].check(test::firstSeed());
    QVERIFY2(violation.empty(), violation.c_str());
}

void RateLimitProperty::catchesWrongLimiters_data() { addRows(kMutants); }

void RateLimitProperty::catchesWrongLimiters()
{
    QFETCH(const int, subject);
    const Violation violation =
        kMutants[static_cast<std::size_t>(subject)].check(test::firstSeed());
    qInfo("caught: %s", violation.c_str());
    QVERIFY(!violation.empty());
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::RateLimitProperty)
#include "rate_limit_property.moc"
