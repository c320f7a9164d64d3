#include "proxyengine/policy/adaptive_concurrency.h"
#include "proxyengine/policy/breaker.h"
#include "proxyengine/policy/latency_window.h"
#include "proxyengine/policy/outlier.h"
#include "proxyengine/policy/overload.h"

#include <benchmark/benchmark.h>

#include <atomic>

namespace mesh::policy {

using namespace std::chrono_literals;

namespace {

// Question: what does ejection cost per answer? Budget: 10 ns.
void outlierObserve(benchmark::State& state, OutlierOutcome::Kind kind)
{
    model::OutlierDetection settings;
    settings.consecutive5xx = INT_MAX;
    settings.consecutiveGatewayFailure = INT_MAX;
    OutlierDetector detector(settings, 100, TimePoint(0s));
    Random random(Seed{7});
    const OutlierOutcome outcome{kind, kind == OutlierOutcome::Kind::Answer5xx ? 503 : 0};
    std::size_t host = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(detector.observe(TimePoint(1s), host, outcome, random));
        host = host == 99 ? 0 : host + 1;
    }
}
BENCHMARK_CAPTURE(outlierObserve, success, OutlierOutcome::Kind::Success);
BENCHMARK_CAPTURE(outlierObserve, failure, OutlierOutcome::Kind::Answer5xx);

// Question: how long is the control thread busy with a sweep? Budget: 100 us at 1000 hosts.
void outlierSweep(benchmark::State& state)
{
    model::OutlierDetection settings;
    settings.successRate = model::OutlierDetection::SuccessRate();
    settings.failurePercentage = model::OutlierDetection::FailurePercentage();
    const auto hosts = static_cast<std::size_t>(state.range(0));
    OutlierDetector detector(settings, hosts, TimePoint(0s));
    Random random(Seed{7});
    for (auto _ : state) {
        for (std::size_t host = 0; host < hosts; ++host) {
            detector.observeSuccesses(host, 200);
        }
        benchmark::DoNotOptimize(detector.sweep(TimePoint(10s), random));
    }
}
BENCHMARK(outlierSweep)->Arg(100)->Arg(1000);

// Question: what does a breaker cost per request at one owner? Budget: 20 ns.
void breakerAdmitAndOutcome(benchmark::State& state)
{
    CircuitBreaker breaker(model::Breaker(), TimePoint(0s));
    Random random(Seed{7});
    TimePoint now(0s);
    for (auto _ : state) {
        now += 10us;
        const BreakerAdmission admission = breaker.admit(now, random);
        benchmark::DoNotOptimize(
            breaker.onOutcome(now, admission.round(), BreakerOutcome::Succeeded, 1ms)
        );
    }
}
BENCHMARK(breakerAdmitAndOutcome);

// Question: what does a worker pay to be admitted through the shared word? Budget: 5 ns.
void breakerGate(benchmark::State& state, BreakerState gateState)
{
    const std::atomic<std::uint64_t> word{BreakerGate(gateState, 7, 5000, 0).word()};
    Random random(Seed{7});
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            admitThrough(BreakerGate::fromWord(word.load(std::memory_order_relaxed)), random)
        );
    }
}
BENCHMARK_CAPTURE(breakerGate, closed, BreakerState::Closed);
BENCHMARK_CAPTURE(breakerGate, ramping, BreakerState::Ramping);

// Question: what does a limit cost per request, in and out, without contention? Budget: 30 ns.
void concurrencyEnterAndLeave(benchmark::State& state)
{
    std::atomic<std::uint64_t> word{ConcurrencyGate(0, 1000, 0).word()};
    for (auto _ : state) {
        std::uint64_t seen = word.load();
        while (!word.compare_exchange_weak(seen, enter(ConcurrencyGate::fromWord(seen)).gate.word())
        ) {
        }
        seen = word.load();
        while (!word.compare_exchange_weak(seen, leave(ConcurrencyGate::fromWord(seen)).word())) {
        }
    }
}
BENCHMARK(concurrencyEnterAndLeave);

// Question: what does the controller pay for an update with 1000 round trips? Budget: 10 us.
void concurrencyUpdate(benchmark::State& state)
{
    AdaptiveConcurrencyController controller(model::AdaptiveConcurrency(), TimePoint(0s));
    Random random(Seed{7});
    TimePoint now(0s);
    for (auto _ : state) {
        for (int i = 0; i < 1000; ++i) {
            controller.record(controller.epoch(), std::chrono::microseconds(900 + i % 200));
        }
        now += 100ms;
        benchmark::DoNotOptimize(controller.advance(now, random));
    }
}
BENCHMARK(concurrencyUpdate);

// Question: what does "hedge after p95" cost per request? Budget: 20 ns.
void latencyRecordAndRead(benchmark::State& state)
{
    LatencyWindow window(10s, 95, TimePoint(0s));
    Random random(Seed{7});
    TimePoint now(0s);
    for (auto _ : state) {
        now += 10us;
        window.record(now, std::chrono::microseconds(500 + random.below(5000)));
        benchmark::DoNotOptimize(window.value(now));
    }
}
BENCHMARK(latencyRecordAndRead);

// Question: what does shedding cost a request of a node at rest? Budget: 5 ns.
void overloadDecide(benchmark::State& state)
{
    model::Overload settings;
    settings.maxRequests = 1000;
    settings.maxLoopLag = 10ms;
    OverloadReading reading{300, 1ms};
    Random random(Seed{7});
    for (auto _ : state) {
        benchmark::DoNotOptimize(reading);
        benchmark::DoNotOptimize(decideOverload(
            settings, model::RequestPriority::Default, pressureOf(settings, reading), random
        ));
    }
}
BENCHMARK(overloadDecide);

} // namespace

} // namespace mesh::policy
