#include "proxyengine/policy/backoff.h"
#include "proxyengine/policy/budget.h"
#include "proxyengine/policy/counter_word.h"
#include "proxyengine/policy/fault.h"
#include "proxyengine/policy/hedge.h"
#include "proxyengine/policy/limits.h"
#include "proxyengine/policy/rate_table.h"
#include "proxyengine/policy/retry_rules.h"
#include "proxyengine/policy/split.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

namespace mesh::policy {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kRequestId = "4bf92f3577b34da6a3ce929d0e0e4736";

model::RateLimit limitOf(model::RateAlgorithm algorithm)
{
    model::RateLimit settings;
    settings.algorithm = algorithm;
    settings.requests = 1000;
    return settings;
}

RateNow at(Duration time)
{
    return {TimePoint(time), WallTime(std::chrono::duration_cast<WallTime::duration>(time))};
}

// Question: what does one request cost at a limit that it passes half of the time?
// Budget: 30 ns.
void takeFromWord(benchmark::State& state, model::RateAlgorithm algorithm)
{
    const RateRule rule(limitOf(algorithm));
    std::uint64_t word = 0;
    Duration time = 1000s;
    for (auto _ : state) {
        time += 500us;
        benchmark::DoNotOptimize(rule.take(word, at(time)));
    }
}
BENCHMARK_CAPTURE(takeFromWord, tokenBucket, model::RateAlgorithm::TokenBucket);
BENCHMARK_CAPTURE(takeFromWord, fixedWindow, model::RateAlgorithm::FixedWindow);
BENCHMARK_CAPTURE(takeFromWord, slidingWindow, model::RateAlgorithm::SlidingWindow);

// Question: and with a key of its own for each caller, as the number of callers grows?
// Budget: 100 ns while the keys fit into the caches.
void takeFromTable(benchmark::State& state)
{
    RateTable table(RateRule(limitOf(model::RateAlgorithm::TokenBucket)), 65'536, 7);
    std::vector<std::string> keys;
    for (int i = 0; i < state.range(0); ++i) {
        keys.push_back(fmt::format("10.{}.{}.{}", i / 65'536, i / 256 % 256, i % 256));
    }
    Duration time = 1000s;
    std::size_t next = 0;
    for (auto _ : state) {
        time += 1us;
        benchmark::DoNotOptimize(table.take(keys[next], at(time)));
        next = next + 1 == keys.size() ? 0 : next + 1;
    }
}
BENCHMARK(takeFromTable)->Arg(1)->Arg(1000)->Arg(16'384);

// Question: what do two threads cost each other at one key?
void takeTogether(benchmark::State& state)
{
    static RateTable table(RateRule(limitOf(model::RateAlgorithm::TokenBucket)), 16, 7);
    Duration time = 1000s;
    for (auto _ : state) {
        time += 1us;
        benchmark::DoNotOptimize(table.take("key", at(time)));
    }
}
BENCHMARK(takeTogether)->Threads(2);

// Question: what do limits cost a request (admit and release), alone and shared?
// Budget: 15 ns alone.
void admitAndRelease(benchmark::State& state)
{
    static const LimitRules kRules{model::Limits{}};
    static LimitUse<std::atomic<std::uint64_t>> use;
    std::atomic<std::uint64_t>& word = use.of(LimitedResource::Requests, LimitLane::Default);
    for (auto _ : state) {
        const LimitVerdict verdict =
            admit(kRules, LimitedResource::Requests, LimitLane::Default, word);
        benchmark::DoNotOptimize(verdict);
        release(word);
    }
}
BENCHMARK(admitAndRelease)->Threads(1)->Threads(2);

// Question: what does the budget cost a request that retries?
void budgetOfOneRetry(benchmark::State& state)
{
    const RetryAllowance allowance{model::RetryBudget{}};
    std::atomic<std::uint64_t> word{0};
    const auto always = [](auto change) {
        return [change](std::uint64_t& value) {
            change(value);
            return true;
        };
    };
    for (auto _ : state) {
        step(word, always(beginRequest));
        benchmark::DoNotOptimize(step(word, [&allowance](std::uint64_t& value) {
            return tryBeginRetry(allowance, value);
        }));
        step(word, always(endRetry));
        step(word, always(endRequest));
    }
}
BENCHMARK(budgetOfOneRetry);

// Question: what do the decision and the wait cost after a failed attempt?
void decideRetryAndWait(benchmark::State& state)
{
    model::Retry settings;
    settings.on = {model::RetryOn::FiveXx};
    const RetryRules rules(settings);
    const std::array<HeaderView, 3> headers = {
        {{"content-type", "text/plain"}, {"server", "x"}, {"date", "now"}}};
    AttemptOutcome outcome;
    outcome.status = 503;
    outcome.headers = headers;
    Random random(Seed{1});
    for (auto _ : state) {
        benchmark::DoNotOptimize(rules.decide("GET", outcome, {}));
        benchmark::DoNotOptimize(rules.wait(outcome, 1, 5s, random, WallTime(1000s)));
    }
}
BENCHMARK(decideRetryAndWait);

void readRetryAfterDate(benchmark::State& state)
{
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            parseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", WallTime(784'111'000s))
        );
    }
}
BENCHMARK(readRetryAfterDate);

// Question: what do a sticky split and a fault rule cost each request?
void splitAndFault(benchmark::State& state)
{
    const SplitTable split(std::array<std::uint32_t, 2>{95, 5});
    const FaultRule fault(model::Fault{model::FaultDelay{1ms, 5}, model::FaultAbort{503, 1}});
    for (auto _ : state) {
        benchmark::DoNotOptimize(split.pickFor("10.0.0.1"));
        benchmark::DoNotOptimize(fault.decide(kRequestId));
    }
}
BENCHMARK(splitAndFault);

void raceOfTwo(benchmark::State& state)
{
    for (auto _ : state) {
        HedgeRace race(1);
        const auto first = race.onStarted(HedgeRace::Role::Main, TimePoint(1s));
        benchmark::DoNotOptimize(race.onStarted(HedgeRace::Role::Hedge, TimePoint(2s)));
        benchmark::DoNotOptimize(race.onWon(*first));
        benchmark::DoNotOptimize(race.onClientGone());
    }
}
BENCHMARK(raceOfTwo);

} // namespace

} // namespace mesh::policy
