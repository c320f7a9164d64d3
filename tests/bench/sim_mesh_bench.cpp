// Goal: how many hops per second a mesh in virtual time makes, bare and with policies, and how much
//       faster than the clock a thousand services run; and what services, instances and requests in
//       flight take of memory.
// Method: a tree of services under open load. A hop is an attempt that reaches an instance. Bytes
//         are what the allocator has given out, between runs that differ in one number.
//
// In one table beside SimPy: tests/bench/sim_table.py.
#include "proxyengine/config/codec.h"
#include "simulator/mesh/mesh_run.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <chrono>
#include <malloc.h>
#include <string>

namespace mesh::simulator {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kPolicies =
    ", resilience: {timeout: 1s, per_try_timeout: 300ms, retry: {on: [5xx], attempts: 3}, "
    "breaker: {error_ratio: 0.5}}";
constexpr std::string_view kProtection =
    ", outlier_detection: {consecutive_5xx: 5, max_ejection_percent: 30}, "
    "limits: {max_requests: 10000}";

// Service n calls 2n+1 and 2n+2, while they exist.
std::string treeOf(int services, int instances, bool hasPolicies)
{
    std::string text = "_format_version: \"3.0\"\nservices:\n";
    for (int at = 0; at < services; ++at) {
        text += fmt::format(
            "- {{name: s{0}, host: s{0}{1}}}\n", at, hasPolicies ? kPolicies : std::string_view()
        );
    }
    text += "upstreams:\n";
    for (int at = 0; at < services; ++at) {
        text += fmt::format(
            "- {{name: s{}, algorithm: least-requests{}}}\n",
            at,
            hasPolicies ? kProtection : std::string_view()
        );
    }
    text += "models:\n";
    for (int at = 0; at < services; ++at) {
        text += fmt::format(
            "- {{service: s{}, instances: {}, concurrency: 64, service_time: {{dist: exp, mean: "
            "2ms}}, error_rate: {}, script: [",
            at,
            instances,
            hasPolicies ? 0.005 : 0.0
        );
        for (int child = 2 * at + 1; child <= 2 * at + 2 && child < services; ++child) {
            // Small trees are called whole, large ones along a few paths.
            text += fmt::format("{{call: s{}, probability: {}}},", child, services > 100 ? 0.6 : 1);
        }
        text += "]}\n";
    }
    return text;
}

void tree(benchmark::State& state)
{
    const auto services = static_cast<int>(state.range(0));
    const auto instances = static_cast<int>(state.range(1));
    const config::DecodeResult decoded =
        config::decode(treeOf(services, instances, state.range(2) != 0));
    const Result<MeshPlan> plan = MeshPlan::make(decoded.document);
    if (!plan) {
        state.SkipWithError(plan.error().message.c_str());
        return;
    }
    MeshRunSettings settings;
    settings.duration = std::chrono::seconds(state.range(3));
    settings.loads = {{"s0", Arrivals::Poisson, {{0s, 1000.0}}}};
    settings.windows = {{"always", {{TimePoint(1s), TimePoint(settings.duration)}}}};
    std::uint64_t hops = 0;
    std::uint64_t events = 0;
    double simulated = 0.0;
    for (auto _ : state) {
        MeshRun run(*plan, settings);
        run.run();
        hops += run.hops();
        events += run.events();
        simulated += toSeconds(settings.duration);
    }
    using benchmark::Counter;
    state.counters["hops/s"] = Counter(static_cast<double>(hops), Counter::kIsRate);
    state.counters["events/s"] = Counter(static_cast<double>(events), Counter::kIsRate);
    state.counters["times_real"] = Counter(simulated, Counter::kIsRate);
    state.counters["hops_per_root"] =
        static_cast<double>(hops) / (1000.0 * simulated); // Mean, of 1 000 roots per second.
}
BENCHMARK(tree)
    ->ArgNames({"services", "instances", "policies", "seconds"})
    ->Args({15, 3, 0, 10})
    ->Args({15, 3, 1, 10})
    ->Args({1000, 10, 1, 60})
    ->Unit(benchmark::kMillisecond);

double bytesInUse()
{
    const struct mallinfo2 info = ::mallinfo2();
    return static_cast<double>(info.uordblks + info.hblkhd);
}

// Of a run that has gone on for a while, so that every proxy that is used has its policies.
double bytesOfRun(const MeshPlan& plan, const MeshRunSettings& settings, Duration until)
{
    const double before = bytesInUse();
    MeshRun run(plan, settings);
    run.runUntil(TimePoint(until));
    return bytesInUse() - before;
}

double bytesOfTree(int services, int instances)
{
    const config::DecodeResult decoded = config::decode(treeOf(services, instances, true));
    const double before = bytesInUse();
    const Result<MeshPlan> plan = MeshPlan::make(decoded.document);
    if (!plan) {
        return 0.0;
    }
    MeshRunSettings settings;
    settings.duration = 20s;
    settings.loads = {{"s0", Arrivals::Poisson, {{0s, 1000.0}}}};
    settings.windows = {{"always", {{TimePoint(1s), TimePoint(settings.duration)}}}};
    const double ofPlan = bytesInUse() - before;
    return ofPlan + bytesOfRun(*plan, settings, 10s);
}

// One call, one attempt and one visit each, and the attempt's timer.
double bytesOfRequest()
{
    const config::DecodeResult decoded = config::decode(R"(
_format_version: "3.0"
services: [{name: s0, host: s0, read_timeout: 1000000}]
models: [{service: s0, concurrency: 1000000, service_time: {dist: const, mean: 900s}}]
)");
    const Result<MeshPlan> plan = MeshPlan::make(decoded.document);
    MeshRunSettings settings;
    settings.duration = 100s;
    settings.loads = {{"s0", Arrivals::Uniform, {{0s, 10'000.0}}}};
    const double few = bytesOfRun(*plan, settings, 10s);
    const double many = bytesOfRun(*plan, settings, 60s);
    return (many - few) / 500'000.0;
}

void memory(benchmark::State& state)
{
    double instance = 0.0;
    double service = 0.0;
    double request = 0.0;
    for (auto _ : state) {
        const double small = bytesOfTree(200, 2);
        instance = (bytesOfTree(200, 10) - small) / (200.0 * 8.0);
        service = (bytesOfTree(400, 2) - small) / 200.0 - 2.0 * instance;
        request = bytesOfRequest();
    }
    state.counters["bytes_per_service"] = service;
    state.counters["bytes_per_instance"] = instance;
    state.counters["bytes_per_request"] = request;
}
BENCHMARK(memory)->Iterations(1)->Unit(benchmark::kMillisecond);

} // namespace
} // namespace mesh::simulator
