#include "proxyengine/policy/limits.h"

#include "tests/support/meeting.h"
#include "tests/support/seeded_run.h"

#include <QTest>

#include <fmt/format.h>

#include <array>
#include <atomic>

// Goal: no limit is ever exceeded, none refuses below itself, and what was taken and given back
//       leaves nothing behind; also from many threads.
// Method: random admissions and releases of all resources in both lanes against plain counters.
//         Each property must catch limits that are wrong in just that way.
namespace mesh::policy {

using test::Mutant;
using test::Violation;
using Resource = LimitedResource;

class LimitsProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void holds();
    void catchesWrongLimits_data();
    void catchesWrongLimits();
    void holdsForThreads();
};

namespace {

constexpr std::uint64_t kRuns = 100;
constexpr int kStepsPerRun = 2000; // 200 000 in all.
constexpr std::uint32_t kThreads = 4;

struct Faithful
{
    explicit Faithful(const model::Limits& limits)
        : rules(limits)
    {}
    std::uint64_t& wordOf(Resource resource, LimitLane lane)
    {
        return resource == Resource::TargetConnections ? target : use.of(resource, lane);
    }
    bool tryTake(Resource resource, LimitLane lane)
    {
        return admit(rules, resource, lane, wordOf(resource, lane)).isAdmitted;
    }
    void give(Resource resource, LimitLane lane) { release(wordOf(resource, lane)); }

    LimitRules rules;
    LimitUse<std::uint64_t> use;
    std::uint64_t target = 0;
};

struct OneMore : Faithful
{
    explicit OneMore(model::Limits limits)
        : Faithful([&] {
            ++limits.maxRequests;
            return limits;
        }())
    {}
};

// Counts what it refused.
struct Leaking : Faithful
{
    using Faithful::Faithful;
    bool tryTake(Resource resource, LimitLane lane)
    {
        const bool isTaken = Faithful::tryTake(resource, lane);
        wordOf(resource, lane) += isTaken ? 0 : 1;
        return isTaken;
    }
};

struct OneLane : Faithful
{
    using Faithful::Faithful;
    bool tryTake(Resource resource, LimitLane /*lane*/)
    {
        return Faithful::tryTake(resource, LimitLane::Default);
    }
    void give(Resource resource, LimitLane /*lane*/)
    {
        Faithful::give(resource, LimitLane::Default);
    }
};

model::Limits drawLimits(Random& random)
{
    const auto draw = [&random] { return 1 + static_cast<int>(random.below(12)); };
    model::Limits limits;
    limits.maxConnections = draw();
    limits.maxPending = draw();
    limits.maxRequests = draw();
    limits.maxRetries = draw() - 1;
    if (random.chance(0.5)) {
        limits.maxConnectionsPerTarget = draw();
    }
    if (random.chance(0.5)) {
        limits.high = model::LimitSet{draw(), draw(), draw(), draw()};
    }
    return limits;
}

// The limits once more, by another way.
int maxOf(const model::Limits& limits, Resource resource, LimitLane lane)
{
    const model::LimitSet same{
        limits.maxConnections, limits.maxPending, limits.maxRequests, limits.maxRetries};
    const model::LimitSet set = lane == LimitLane::High ? limits.high.value_or(same) : same;
    switch (resource) {
    case Resource::Connections:
        return set.maxConnections;
    case Resource::Pending:
        return set.maxPending;
    case Resource::Requests:
        return set.maxRequests;
    case Resource::Retries:
        return set.maxRetries;
    case Resource::TargetConnections:
        return limits.maxConnectionsPerTarget.value_or(1'000'000);
    }
    return 0;
}

template <typename Limiter>
Violation check(Seed seed)
{
    Random random(seed);
    const model::Limits limits = drawLimits(random);
    Limiter limiter(limits);
    std::array<std::array<int, 5>, 2> taken{};

    for (int step = 0; step < kStepsPerRun; ++step) {
        const auto resource = static_cast<Resource>(random.below(5));
        const auto lane = resource == Resource::TargetConnections || random.chance(0.5)
                              ? LimitLane::Default
                              : LimitLane::High;
        int& count = taken[static_cast<std::size_t>(lane)][static_cast<std::size_t>(resource)];
        if (random.chance(step / 100 % 2 == 0 ? 0.7 : 0.3)) {
            const int max = maxOf(limits, resource, lane);
            const bool isTaken = limiter.tryTake(resource, lane);
            if (isTaken != (count < max)) {
                return fmt::format("{} at {} of {}", isTaken ? "admitted" : "refused", count, max);
            }
            count += isTaken ? 1 : 0;
        } else if (count > 0) {
            limiter.give(resource, lane);
            --count;
        }
    }
    for (const LimitLane lane : {LimitLane::Default, LimitLane::High}) {
        for (std::size_t resource = 0; resource < 5; ++resource) {
            for (int& count = taken[static_cast<std::size_t>(lane)][resource]; count > 0; --count) {
                limiter.give(static_cast<Resource>(resource), lane);
            }
        }
        for (std::size_t resource = 0; resource < 4; ++resource) {
            if (limiter.use.of(static_cast<Resource>(resource), lane) != 0) {
                return "something is left over";
            }
        }
    }
    return limiter.target == 0 ? Violation() : "a target's connection is left over";
}

template <typename Limiter>
Violation checkAll(Seed first)
{
    return test::runSeeds(first, kRuns, check<Limiter>);
}

constexpr std::array<Mutant, 3> kMutants = {
    Mutant{"one request more", "", checkAll<OneMore>},
    Mutant{"counts what it refused", "", checkAll<Leaking>},
    Mutant{"one lane for all", "", checkAll<OneLane>}};

} // namespace

void LimitsProperty::holds()
{
    const Violation violation = checkAll<Faithful>(test::firstSeed());
    QVERIFY2(violation.empty(), violation.c_str());
}

void LimitsProperty::catchesWrongLimits_data() { test::addRows(kMutants); }

void LimitsProperty::catchesWrongLimits()
{
    QFETCH(const int, mutant);
    test::expectCaught(kMutants[static_cast<std::size_t>(mutant)]);
}

void LimitsProperty::holdsForThreads()
{
    model::Limits limits;
    limits.maxRequests = 2;
    const LimitRules rules(limits);
    LimitUse<std::atomic<std::uint64_t>> use;
    std::atomic<std::uint64_t>& word = use.of(Resource::Requests, LimitLane::Default);
    std::atomic<int> running{0};
    std::atomic<int> most{0};
    test::Meeting meeting(kThreads);

    test::runThreads(kThreads, [&](std::uint32_t /*thread*/) {
        meeting.wait();
        for (int i = 0; i < 50'000; ++i) {
            if (!admit(rules, Resource::Requests, LimitLane::Default, word).isAdmitted) {
                continue;
            }
            const int now = running.fetch_add(1) + 1;
            int seen = most.load();
            while (seen < now && !most.compare_exchange_weak(seen, now)) {
            }
            running.fetch_sub(1);
            release(word);
        }
    });

    QVERIFY(most.load() >= 1 && most.load() <= 2);
    QCOMPARE(word.load(), std::uint64_t{0});
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::LimitsProperty)
#include "limits_property.moc"
