#include "proxyengine/policy/budget.h"

#include "proxyengine/policy/counter_word.h"
#include "tests/support/meeting.h"
#include "tests/support/seeded_run.h"

#include <QTest>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>

// Goal: a retry is granted exactly when those in flight are below max(min_concurrent, percent of
//       the requests in flight), nothing leaks, and that from any number of threads.
// Method: random begins and ends against plain counters; threads on one atomic word. Each property
//         must catch budgets that are wrong in just that way.
namespace mesh::policy {

using test::Mutant;
using test::Violation;

class BudgetProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void holds();
    void catchesWrongBudgets_data();
    void catchesWrongBudgets();
    void holdsForThreads();
    void catchesAPlainStore();
};

namespace {

constexpr std::uint64_t kRuns = 100;
constexpr int kStepsPerRun = 2000; // 200 000 in all.
constexpr std::uint32_t kThreads = 4;

struct Faithful
{
    explicit Faithful(const model::RetryBudget& budget)
        : allowance(budget)
    {}
    void requestBegun() { beginRequest(word); }
    void requestEnded() { endRequest(word); }
    bool tryRetry() { return tryBeginRetry(allowance, word); }
    void retryEnded() { endRetry(word); }

    RetryAllowance allowance;
    std::uint64_t word = 0;
};

struct OneMore : Faithful
{
    using Faithful::Faithful;
    bool tryRetry()
    {
        const BudgetUse use = toBudgetUse(word);
        if (use.retries > allowance.retriesAllowed(use.requests)) {
            return false;
        }
        ++word;
        return true;
    }
};

// Retries feed the budget that they use up: what makes a retry storm.
struct SelfFeeding : Faithful
{
    using Faithful::Faithful;
    bool tryRetry()
    {
        const BudgetUse use = toBudgetUse(word);
        if (use.retries >= allowance.retriesAllowed(std::uint64_t{use.requests} + use.retries)) {
            return false;
        }
        ++word;
        return true;
    }
};

struct WithoutMinimum : Faithful
{
    explicit WithoutMinimum(model::RetryBudget budget)
        : Faithful([&] {
            budget.minConcurrent = 0;
            return budget;
        }())
    {}
};

struct Leaking : Faithful
{
    using Faithful::Faithful;
    void retryEnded()
    {
        if (++ended % 20 != 0) {
            endRetry(word);
        }
    }
    int ended = 0;
};

template <typename Budget>
Violation check(Seed seed)
{
    Random random(seed);
    const std::uint64_t hundredths = random.below(10'001);
    const std::uint64_t min = random.below(6);
    Budget budget(model::RetryBudget{static_cast<double>(hundredths) / 100, static_cast<int>(min)});
    std::uint64_t requests = 0;
    std::uint64_t retries = 0;

    for (int step = 0; step < kStepsPerRun; ++step) {
        // Long waves of growing and shrinking.
        const bool isGrowing = step / 150 % 2 == 0;
        switch (random.below(4)) {
        case 0:
            if (isGrowing || random.chance(0.3)) {
                budget.requestBegun();
                ++requests;
            }
            break;
        case 1:
            if (requests > 0 && (!isGrowing || random.chance(0.3))) {
                budget.requestEnded();
                --requests;
            }
            break;
        case 2: {
            const std::uint64_t allowed = std::max(min, requests * hundredths / 10'000);
            const bool isGranted = budget.tryRetry();
            if (isGranted != (retries < allowed)) {
                return fmt::format(
                    "{} with {} retries of {} at {} requests",
                    isGranted ? "granted" : "refused",
                    retries,
                    allowed,
                    requests
                );
            }
            retries += isGranted ? 1 : 0;
            break;
        }
        default:
            if (retries > 0 && (!isGrowing || random.chance(0.3))) {
                budget.retryEnded();
                --retries;
            }
        }
    }
    for (; requests > 0; --requests) {
        budget.requestEnded();
    }
    for (; retries > 0; --retries) {
        budget.retryEnded();
    }
    return budget.word == 0 ? Violation() : "something is left over";
}

template <typename Budget>
Violation checkAll(Seed first)
{
    return test::runSeeds(first, kRuns, check<Budget>);
}

constexpr std::array<Mutant, 4> kMutants = {
    Mutant{"one retry more", "", checkAll<OneMore>},
    Mutant{"retries feed the budget", "", checkAll<SelfFeeding>},
    Mutant{"no minimum", "", checkAll<WithoutMinimum>},
    Mutant{"a leak now and then", "", checkAll<Leaking>}};

struct SharedStep
{
    template <typename Change>
    bool operator()(std::atomic<std::uint64_t>& word, const Change& change)
    {
        return step(word, change);
    }
};

// The mutant. All threads read before one writes.
struct PlainStep
{
    template <typename Change>
    bool operator()(std::atomic<std::uint64_t>& word, const Change& change)
    {
        std::uint64_t next = word.load();
        if (next == 0) {
            meeting.wait();
        }
        const bool isDone = change(next);
        word.store(next);
        return isDone;
    }
    test::Meeting meeting{kThreads};
};

// Most retries that ran at once; -1 when the word does not come back to rest.
template <typename Step>
int retriesAtOnce(int rounds, Seed seed)
{
    const RetryAllowance allowance(model::RetryBudget{0, 1});
    std::atomic<std::uint64_t> word{0};
    std::atomic<int> running{0};
    std::atomic<int> most{0};
    Step change;
    test::Meeting before(kThreads);
    test::Meeting between(kThreads);
    test::runThreads(kThreads, [&](std::uint32_t thread) {
        Random random(deriveSeed(seed, thread));
        before.wait();
        for (int i = 0; i < rounds; ++i) {
            const bool isGranted =
                change(word, [&](std::uint64_t& state) { return tryBeginRetry(allowance, state); });
            if (isGranted) {
                const int now = running.fetch_add(1) + 1;
                int seen = most.load();
                while (seen < now && !most.compare_exchange_weak(seen, now)) {
                }
            }
            if (rounds == 1) {
                between.wait(); // Nobody ends before all have begun.
            }
            if (isGranted) {
                running.fetch_sub(1);
                step(word, [](std::uint64_t& state) {
                    state -= state > 0 ? 1 : 0;
                    return true;
                });
            }
            if (random.chance(0.5)) {
                step(word, [](std::uint64_t& state) {
                    beginRequest(state);
                    return true;
                });
                step(word, [](std::uint64_t& state) {
                    endRequest(state);
                    return true;
                });
            }
        }
    });
    return word.load() == 0 ? most.load() : -1;
}

} // namespace

void BudgetProperty::holds()
{
    const Violation violation = checkAll<Faithful>(test::firstSeed());
    QVERIFY2(violation.empty(), violation.c_str());
}

void BudgetProperty::catchesWrongBudgets_data() { test::addRows(kMutants); }

void BudgetProperty::catchesWrongBudgets()
{
    QFETCH(const int, mutant);
    test::expectCaught(kMutants[static_cast<std::size_t>(mutant)]);
}

void BudgetProperty::holdsForThreads()
{
    const Seed seed = test::firstSeed();
    QCOMPARE(retriesAtOnce<SharedStep>(20'000, seed), 1);
    QCOMPARE(retriesAtOnce<SharedStep>(1, seed), 1);
}

void BudgetProperty::catchesAPlainStore()
{
    QVERIFY(retriesAtOnce<PlainStep>(1, test::firstSeed()) > 1);
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::BudgetProperty)
#include "budget_property.moc"
